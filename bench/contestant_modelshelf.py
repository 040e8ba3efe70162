"""modelshelf in the race: one `tune` in a process of its own, and what its shelf says afterwards.

    python bench/contestant_modelshelf.py FOLDER TARGET SECONDS SEED [unknown]

prints one JSON object: the result as `tune --json` prints it, and under `race`, scored on the test
rows after the study had ended: the networks that led the search, each as it was at the second when
it began to lead, and the network with the best of all validation scores of the search. With
`unknown`, the search is given no configuration that is known to do well.
"""

from __future__ import annotations

import json
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

from modelshelf import Model, Shelf, tune
from modelshelf.core.records import Purpose, TrialRecord
from modelshelf.data.metrics import Metric, metric_for, score
from modelshelf.data.read import read_table
from modelshelf.data.understand import conform
from modelshelf.space import space
from modelshelf.study import Progress

__all__ = ["Leaders"]


class Leaders:
    """Takes each network that leads the search from the shelf, as it is at that second."""

    def __init__(self, shelf: Path) -> None:
        self.path = shelf
        self.found: list[tuple[float, float, Model]] = []  # (seconds, validation, network)
        self._shelf: Shelf | None = None
        self._last: tuple[str, float] | None = None

    def __call__(self, progress: Progress) -> None:
        leader = progress.best_barcode, progress.best_score
        if progress.phase != "searching" or not leader[0] or leader == self._last:
            return
        self._last = leader
        self._shelf = self._shelf or Shelf.open(self.path)
        record = next(
            each for each in self._shelf.resolve(leader[0]) if each.purpose is Purpose.SEARCH
        )
        model = Model.from_record(self._shelf, record)
        self.found.append((progress.elapsed, progress.best_score, model))

    def close(self) -> None:
        """Close the shelf. Called in the thread that the study ran in."""
        if self._shelf is not None:
            self._shelf.close()


class Judge:
    """Scores networks on the test rows."""

    def __init__(self, test: Path, target: str) -> None:
        self._table, self._target_name = read_table(test), target
        self._target: Any = None

    def __call__(self, model: Model, metric: Metric) -> float:
        if self._target is None:
            schema = model.preparation.schema
            _, self._target, _ = conform(schema, self._table, need_target=True)
        return score(metric, self._target, model.output(self._table)[0])


def _best_of_all(shelf: Shelf, study: str) -> TrialRecord | None:
    """The search's network with the best validation score: what others print."""
    found = shelf.trials(study, purpose=Purpose.SEARCH, sort="score")
    return next((each for each in found if each.best_epoch > 0), None)


def main() -> None:
    folder, target, seconds, seed, *unknown = sys.argv[1:]
    if unknown:
        setattr(space, "PORTFOLIO", ())  # noqa: B010  # mypy holds it for final
    test = Path(folder) / "test.parquet"
    with tempfile.TemporaryDirectory() as place:
        leaders = Leaders(Path(place))
        began = time.perf_counter()
        result = tune(
            Path(folder) / "development.parquet", target=target, test=test, shelf=place,
            time_limit=float(seconds), seed=int(seed), observer=leaders,
        )  # fmt: skip
        took = time.perf_counter() - began
        leaders.close()
        metric, judge = metric_for(result.metric, result.task), Judge(test, target)
        told = [(at, held, judge(model, metric)) for at, held, model in leaders.found]
        with Shelf.open(place) as shelf:
            best, others = _best_of_all(shelf, result.study), None
            if best is not None:
                model = Model.from_record(shelf, best)
                others = {"validation": best.score, "test": judge(model, metric)}
    race = {"seconds": took, "leaders": told, "best_of_all": others}
    print(json.dumps({**result.to_json(), "race": race}))


if __name__ == "__main__":
    main()
