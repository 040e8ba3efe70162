"""What a large shelf costs: one study of 20,000 networks, and what is asked of it.

The networks are made up: configurations drawn from the usual space, a learning curve each, and
half, a quarter and an eighth of them sent on to the next rung. Rows, jobs and curves are as a
study writes them; a network's file is real and small. *Begin* is what a study that goes on takes
up before it proposes anything: its log, its trials and the evidence. The commands are processes of
their own, the interpreter's start included. Seconds are those of one core, so that other work on
the machine counts little. The checkouts take turns; medians are told.

`--against SRC` measures another checkout's `src` beside this one, in the same turns.
"""

from __future__ import annotations

import os
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from statistics import median

import numpy as np

from common import Table, finish, parser, turns
from modelshelf import Shelf, Space
from modelshelf.core.records import CurvePoint, Direction, Outcome, Purpose, Status, Task
from modelshelf.core.seeds import generator
from modelshelf.shelf import Completed, Job, NewTrial, StudyRecord
from modelshelf.space.barcode import crockford

__all__ = ["main"]

HERE = Path(__file__).resolve().parents[1] / "src"
BATCH = 500
EPOCHS = 60
RUNGS = (4, 12, 28, 60)

PROGRAM = "from modelshelf.cli.app import entry; entry()"
BEGIN = """
import sys, time
from modelshelf.core.records import Outcome
from modelshelf.data.metrics import METRICS
from modelshelf.search import suggest
from modelshelf.shelf import Shelf
from modelshelf.space.again import space_from_json
from modelshelf.study.loop import Loop
from modelshelf.study.searching import Search
from modelshelf.study.work import ranking_value
class Nobody:
    def submit(self, *_): pass
with Shelf.open(sys.argv[1]) as shelf:
    (study,) = shelf.studies()
    space = space_from_json(study.settings["space"])
    began = time.process_time()
    loop = Loop(shelf, study.name, "key", Nobody(), None, in_order=True,
                value=lambda o: ranking_value(METRICS["accuracy"], o), seconds=lambda: 0.0)
    loop.load()
    Search(space, 0, loop, suggest, 30_000, 32).load()
    print(time.process_time() - began)
"""


def main() -> None:
    """Fill a shelf, and ask it."""
    shared = parser(__doc__ or "")
    shared.add_argument("--networks", type=int, default=20_000)
    shared.add_argument("--shelf", type=Path, help="fill this one, or ask it where it is filled")
    shared.add_argument("--runs", type=int, default=3)
    shared.add_argument("--against", type=Path, metavar="SRC", help="another checkout's src")
    asked = shared.parse_args()
    networks = 2_000 if asked.quick else asked.networks
    checkouts = {"now": HERE, **({"before": asked.against} if asked.against else {})}
    with tempfile.TemporaryDirectory() as folder:
        shelf = asked.shelf or Path(folder) / "shelf"
        began = time.perf_counter()
        if not shelf.exists():
            fill(shelf, networks)
        size = (shelf / "shelf.sqlite").stat().st_size / 2**20
        filled = time.perf_counter() - began
        print(f"{networks:,} networks in {filled:.0f} s, {size:.0f} MiB of rows")
        table = Table(
            f"Seconds of a core with {networks:,} networks", "what", *reversed(checkouts), "ratio"
        )
        rows = []
        for what, command in {
            "a study goes on: begin": ["-c", BEGIN, str(shelf)],
            "shelf": ["-c", PROGRAM, "shelf", "--shelf", str(shelf)],
            "explain": ["-c", PROGRAM, "explain", "--shelf", str(shelf)],
            "shelf --check": ["-c", PROGRAM, "shelf", "--check", "--shelf", str(shelf)],
        }.items():
            took = turns(
                asked.runs,
                {name: lambda c=command, s=src: seconds(c, s) for name, src in checkouts.items()},
            )
            middle = {name: median(each) for name, each in took.items()}
            ratio = middle["now"] / middle["before"] if "before" in middle else None
            rows.append({"what": what, "networks": networks, **middle, "ratio": ratio})
            shown = [f"{middle[name]:.2f}" for name in reversed(checkouts)]
            table.row(what, *shown, "" if ratio is None else f"{ratio:.2f}")
    finish(rows, asked.json, "sqlalchemy")


def seconds(command: list[str], src: Path) -> float:
    """Seconds of one core that a process took; or what it measured and printed itself."""
    environment = {**os.environ, "PYTHONPATH": str(src), "OMP_NUM_THREADS": "1"}
    began = resource.getrusage(resource.RUSAGE_CHILDREN)
    done = subprocess.run(
        [sys.executable, *command], env=environment, capture_output=True, text=True, check=True
    )
    ended = resource.getrusage(resource.RUSAGE_CHILDREN)
    took = ended.ru_utime - began.ru_utime + ended.ru_stime - began.ru_stime
    return float(done.stdout) if BEGIN in command else took


def fill(place: Path, networks: int) -> None:
    """One study of so many networks, all of them at rest."""
    rng = generator(0, "shelf size")
    space = Space().for_task(Task.MULTICLASS).for_epochs(EPOCHS)
    tensors = {"weights": rng.normal(size=(16, 16)).astype(np.float32)}
    with Shelf.open(place, create=True) as shelf:
        shelf.add_study(
            StudyRecord(
                "large", "key", "rows", Task.MULTICLASS, "accuracy", Direction.MAXIMIZE, 0,
                {"space": space.to_json(), "epochs": EPOCHS}, ("20,000 networks",),
            )
        )  # fmt: skip
        prepared = shelf.write_preparation({"columns": ["x"]}, {"mean": np.zeros(3)})
        job = 0
        for first in range(0, networks, BATCH):
            numbers = range(first, min(first + BATCH, networks))
            trials = [_trial(n, space, rng) for n in numbers]
            for rung, epoch in enumerate(RUNGS):
                alive = [n for n in numbers if n % 2**rung == 0]
                before = RUNGS[rung - 1] if rung else 0
                jobs = [Job(job + i, n, rung, before, epoch) for i, n in enumerate(alive)]
                completed = []
                for each in jobs:
                    file = shelf.write_network("large", each.trial, epoch, tensors, {"n": str(job)})
                    outcome = _outcome(before, epoch, rng)
                    completed.append(Completed(each.number, each.trial, outcome, file, prepared))
                retired = [(each.number, each.number) for each in jobs]
                fresh = trials if rung == 0 else ()
                shelf.write("large", trials=fresh, jobs=jobs, completed=completed, retired=retired)
                job += len(jobs)
            shelf.mark("large", [n for n in numbers if n % 8], Status.STOPPED)
        shelf.update_study("large", status="done")


def _trial(number: int, space: Space, rng: np.random.Generator) -> NewTrial:
    made = space.configuration(rng.random(space.dimensions))
    copy = crockford(f"copy {number}")
    return NewTrial(number, made.to_json(), made.barcode, copy, Purpose.SEARCH, "search", number, 9)


def _outcome(before: int, epoch: int, rng: np.random.Generator) -> Outcome:
    status = Status.FINISHED if epoch == EPOCHS else Status.PAUSED
    losses = np.exp(-rng.random() * np.arange(before + 1, epoch + 1) / EPOCHS)
    curve = tuple(
        CurvePoint(before + 1 + i, loss, loss, 1.0 - loss) for i, loss in enumerate(losses.tolist())
    )
    last = curve[-1].validation_loss
    return Outcome(status, epoch, epoch, last, 1.0 - last, 0.1, 10 * (epoch - before), curve)


if __name__ == "__main__":
    main()
