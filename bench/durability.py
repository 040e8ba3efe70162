"""What durability costs: studies that sync their files and their log, beside ones that do not.

Each study starts as many networks as the other, and trains them to the same bits, so that seconds
tell. *Synced* is modelshelf as it is. *Left to the system* is the same without a single sync: what
it promises is lost with the power. The two take turns; every study is a process of its own, and
none has baselines. `--slow MS` makes each sync of a file take so much longer, as on a slower disk.
"""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
from statistics import median

from common import Table, finish, parser, turns

__all__ = ["main"]

DATA = ("iris", "digits")

_STUDY = """
import json, os, sys, time
from contextlib import contextmanager
example, trials, synced, slow, shelf = sys.argv[1:]
from modelshelf import tune
from modelshelf.shelf import files
from modelshelf.shelf.database import Database
from modelshelf.study import baselines, notes
from sklearn import datasets
baselines.fitted_on = notes.fitted_on = lambda problem: ()
fsync, count = os.fsync, [0]
def counted(descriptor):
    count[0] += 1
    time.sleep(float(slow) / 1000)
    fsync(descriptor)
os.fsync = counted
if synced == "no":
    os.fsync = lambda descriptor: None
    writing = Database.writing
    @contextmanager
    def left(self, *, durable=True):
        with writing(self, durable=False) as connection:
            yield connection
    Database.writing = left
X, y = getattr(datasets, "load_" + example)(return_X_y=True)
result = tune(X, y, trials=int(trials), shelf=shelf)
print(json.dumps({"seconds": result.seconds["total"], "steps": result.member_steps,
                  "winner": result.winner.copy, "syncs": count[0]}))
sys.stdout.flush()
os._exit(0)
"""


def main() -> None:
    """Measure, and print a table."""
    options = parser(__doc__, DATA)
    options.add_argument("--runs", type=int, default=5, help="turns of each (default 5)")
    options.add_argument("--trials", type=int, default=100, help="networks (default 100)")
    options.add_argument("--slow", type=float, default=0.0, metavar="MS", help="for each sync")
    given = options.parse_args()
    if given.quick:
        given.runs, given.trials = 2, 30
    told = {}

    def study(example: str, *, synced: bool) -> float:
        with tempfile.TemporaryDirectory(dir=".") as folder:
            word = "yes" if synced else "no"
            ran = subprocess.run(
                [sys.executable, "-c", _STUDY, example, str(given.trials), word, str(given.slow),
                 folder],
                capture_output=True, text=True, check=True,
            )  # fmt: skip
        found = json.loads(ran.stdout.splitlines()[-1])
        told[example, synced] = found
        return float(found["seconds"])

    columns = ("data", "synced, s", "left to the system, s", "ratio", "syncs of files", "same bits")
    table = Table(f"{given.trials} networks, medians of {given.runs} runs in turns", *columns)
    rows = []
    for example in given.only or DATA:
        found = turns(
            given.runs,
            {
                "synced": lambda example=example: study(example, synced=True),
                "left": lambda example=example: study(example, synced=False),
            },
        )
        seconds = {name: median(each) for name, each in found.items()}
        ratio = median(a / b for a, b in zip(found["synced"], found["left"], strict=True))
        syncs = told[example, True]["syncs"]
        same = told[example, True]["winner"] == told[example, False]["winner"]
        table.row(example, f"{seconds['synced']:.2f}", f"{seconds['left']:.2f}", f"{ratio:.3f}",
                  str(syncs), "yes" if same else "NO")  # fmt: skip
        rows.append({"data": example, "runs": found, "ratio": ratio, "syncs": syncs, "same": same})
    finish(rows, given.json)


if __name__ == "__main__":
    main()
