"""Is a deep network worth it here? A study's winner against plain models, and more rows."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
from joblib import cpu_count
from numpy.typing import NDArray

from modelshelf.core.errors import SettingError
from modelshelf.core.records import Direction, Purpose, TrialRecord
from modelshelf.data.metrics import score
from modelshelf.data.split import Split
from modelshelf.data.tensor import Frame
from modelshelf.engines.numpy_.compile import single_threaded
from modelshelf.insight.advice import advised, rows_advice
from modelshelf.insight.more_rows import more_rows, share_points
from modelshelf.insight.paired import difference, method_words, spread
from modelshelf.insight.worth import Choice, Contender, CurveOverRows, Worth, choose
from modelshelf.shelf import Shelf, StudyRecord
from modelshelf.space.configuration import Configuration
from modelshelf.study.budget import Clock, parse_time
from modelshelf.study.plain import BOOSTING, LIGHTGBM, LINEAR, plain_models
from modelshelf.study.problem import Problem
from modelshelf.study.rows import problem_of
from modelshelf.understanding.common_rows import thinned
from modelshelf.understanding.contenders import ENSEMBLE, NETWORK, Answered, deep, plain
from modelshelf.understanding.growing import Growing
from modelshelf.understanding.taken import as_tables

__all__ = ["Progress", "worth"]

_CLOSING = (0.3, 0.02)  # seconds, and share of the time, kept for the end
_CONTENDERS = 0.6  # of the time, the most that plain models are fitted in

#: Called with what is being done now, and how much of the time is over (0 to 1).
Progress = Callable[[str, float], None]


def worth(
    study: str,
    *,
    shelf: str | Path | None = None,
    data: Any = None,
    test: Any = None,
    time_limit: str | float = 60,
    seed: int = 0,
    progress: Progress = lambda what, over: None,
) -> Worth:
    """Whether a deep network is worth it for a study's data, and whether more rows would help.

    The study's winner, and its ensemble, against one answer for all rows, a linear model, nearest
    neighbours, and gradient boosting (scikit-learn's, and LightGBM's where it is installed), each
    at its defaults. All answer the same rows: the study's test rows where it has some, else its
    validation rows, which chose the network and how many neighbours are asked, and so flatter
    both. A look at test rows is counted in the study. Which contender to use is decided by the
    rule that `insight.worth.choose` tells.

    Then network, linear model and boosting are trained on growing shares of the search's training
    rows (1/16 to all), and judged on its validation rows, as often as there is time for.

    Args:
        study: The study's name, or how it begins.
        shelf: Where it lies.
        data: The study's rows, where they came from memory or have moved.
        test: And those of its test file.
        time_limit: Seconds for everything, or text such as `"2m"`. What there is no time for is
            left out, and the record says so.
        seed: Of the shares, of their trainings, and of intervals.
        progress: Called now and then while it works.

    Raises:
        ShelfError: Where there is no such study.
        SettingError: Where the study has no winner yet, or the time is none.
        DataError: Where its rows cannot be read again.
    """
    clock = Clock()
    limit = parse_time(time_limit)
    with Shelf.open(shelf) as opened, single_threaded():
        record = opened.study(study)
        trial = _network_of(opened, record)
        given = as_tables(data, test, opened, record)
        problem = problem_of(opened, record, *given)
        judging = _Judging(opened, record, _unseen(opened, trial, problem), problem, seed)
        return judging.worth(clock, limit, progress)


def _network_of(shelf: Shelf, record: StudyRecord) -> TrialRecord:
    """The winner; of networks that were asked for by name, the best one."""
    if record.winner:
        return shelf.resolve(record.winner["copy"])[0]
    found = [
        each
        for each in shelf.trials(record.name, purpose=Purpose.TRAIN, sort="loss")
        if each.best_epoch
    ]
    if not found:
        raise SettingError(
            f"The study {record.name!r} has no winner yet: the command that began it goes on "
            "with it, and names one."
        )
    return found[0]


def _unseen(shelf: Shelf, trial: TrialRecord, problem: Problem) -> TrialRecord:
    """The network itself; without test rows, its copy that was not trained on validation rows."""
    if problem.test_target is not None:
        return trial
    copies = [
        each
        for each in shelf.resolve(trial.barcode)
        if each.study == trial.study
        and each.purpose in (Purpose.SEARCH, Purpose.TRAIN)
        and each.best_epoch
    ]
    return copies[0] if copies else trial


@dataclass(eq=False)
class _Judging:
    """One answer while it is found."""

    shelf: Shelf
    record: StudyRecord
    trial: TrialRecord
    problem: Problem
    seed: int
    left_out: list[str] = field(default_factory=list)

    def worth(self, clock: Clock, limit: float, progress: Progress) -> Worth:
        """The record, within the limit."""

        def tell(what: str) -> None:
            progress(what, min(clock() / limit, 1.0))

        def left(share: float = 1.0) -> float:
            return share * limit - _CLOSING[0] - _CLOSING[1] * limit - clock()

        uses = self._count_test_use()
        train = self._fitted_rows()
        answered = self._answered(train, lambda: left(_CONTENDERS), tell)
        contenders, choice = self._judged(answered)
        metric = self.problem.metric
        curves = self._curves(answered, left, tell)
        asked = advised(choice, contenders, metric.name, len(self._judge[1]), self.problem.classes)
        return Worth(
            study=self.record.name,
            task=self.problem.task,
            metric=metric.name,
            direction=metric.direction,
            barcode=self.trial.barcode,
            copy=self.trial.copy,
            rows="validation" if self.problem.test_target is None else "test",
            row_count=len(self._judge[1]),
            drawn_from=self._judge[2],
            fitted_on=len(train),
            method=method_words(metric),
            contenders=contenders,
            choice=choice,
            advice=(*asked, *rows_advice(curves, metric.name)),
            curves=curves,
            search_seconds=self.record.seconds,
            test_uses=uses,
            seconds=clock(),
            left_out=tuple(self.left_out),
            notes=tuple(self._notes()),
        )

    # -- the rows -------------------------------------------------------------------------------

    @cached_property
    def _judge(self) -> tuple[Frame, NDArray[Any], int]:
        """The rows that contenders answer, their targets, and of how many they were drawn."""
        dataset = self.problem.dataset
        frame, target = self.problem.test_frame, self.problem.test_target
        if frame is None or target is None:
            _, validation = self.problem.rows(Split("search"))
            frame, target = dataset.frame[validation], dataset.target[validation]
        at = thinned(len(target), self.seed, max(len(dataset.schema.classes), 1))
        return frame[at], target[at], len(target)

    def _fitted_rows(self) -> NDArray[np.int64]:
        """What plain models are fitted on: about as many rows as the network was."""
        if self.trial.purpose is Purpose.REFIT:
            return np.arange(self.problem.dataset.rows)
        return self.problem.rows(Split("search"))[0]

    def _count_test_use(self) -> int:
        """Count a look at the test rows before they are looked at."""
        if self.problem.test_target is None:
            return 0
        uses = self.record.test_uses + 1
        self.shelf.update_study(self.record.name, test_uses=uses)
        return uses

    # -- the contenders -------------------------------------------------------------------------

    def _answered(
        self, train: NDArray[np.int64], left: Callable[[], float], tell: Callable[[str], None]
    ) -> list[Answered]:
        """All contenders that there is time for."""
        frame = self._judge[0]
        found = []
        for each in (
            *deep(self.shelf, self.record, self.trial, frame, left),
            *plain(self.problem, train, frame, left, tell),
        ):
            if isinstance(each, str):
                self.left_out.append(each)
            elif np.isfinite(each.output).all():
                found.append(each)
            else:
                self.left_out.append(f"{each.name} (its answers are not finite)")
        return found

    def _judged(self, answered: Sequence[Answered]) -> tuple[tuple[Contender, ...], Choice]:
        """All contenders, the best first, and the one to use."""
        metric, target = self.problem.metric, self._judge[1]
        outputs = {each.name: each.output for each in answered}
        contenders = [self._contender(each, outputs) for each in answered]
        sign = 1.0 if metric.direction is Direction.MAXIMIZE else -1.0
        contenders.sort(key=lambda each: -sign * each.score)
        costs = {each.name: each.cost for each in contenders}
        choice = choose(costs, outputs, target, metric, self.seed)
        return tuple(contenders), choice

    def _contender(self, each: Answered, outputs: dict[str, NDArray[np.float64]]) -> Contender:
        metric, target = self.problem.metric, self._judge[1]
        apart = None
        if each.name != NETWORK:
            apart = difference(metric, target, each.output, outputs[NETWORK], self.seed)
        return Contender(
            name=each.name,
            deep=each.name in (NETWORK, ENSEMBLE),
            score=score(metric, target, each.output),
            interval=spread(metric, target, each.output, self.seed),
            to_network=apart,
            fit_seconds=each.fit_seconds,
            answer_seconds=each.answer_seconds,
            parameters=each.parameters,
            bytes=each.bytes,
            note=each.note,
        )

    # -- more rows ------------------------------------------------------------------------------

    def _curves(
        self,
        answered: Sequence[Answered],
        left: Callable[[], float],
        tell: Callable[[str], None],
    ) -> tuple[CurveOverRows, ...]:
        configuration = Configuration.from_json(self.trial.configuration)
        epochs = configuration.whole("epochs") / max(self.trial.epoch, 1)
        seconds = {NETWORK: self.trial.seconds * epochs}
        seconds |= {e.name: e.fit_seconds for e in answered if e.name in (LINEAR, BOOSTING)}
        growing = Growing(self.problem, configuration, self.seed, seconds, cpu_count(), left)
        runs = growing.runs(
            lambda done, all_: tell(f"learning curves over rows, {done} of {all_} trainings")
        )
        planned, done = growing.planned, sum(map(len, runs.values()))
        if done < planned:
            self.left_out.append(f"{planned - done} of {planned} trainings for the learning curves")
        return tuple(
            CurveOverRows(
                name,
                share_points(found, self.seed),
                more_rows(found, self.problem.metric, self.seed),
            )
            for name, found in runs.items()
            if found
        )

    def _notes(self) -> Iterator[str]:
        if self.problem.test_target is None:
            yield (
                "The study set no test rows apart: these rows chose the network, and how many "
                "nearest neighbours are asked. They flatter both, and the ensemble, beside the "
                "other models."
            )
        if not Configuration.from_json(self.trial.configuration).hidden_layers:
            yield "The network has no hidden layer: it is a linear model itself."
        if self.problem.drawn_from > self.problem.dataset.rows:
            yield (
                f"The study learned from {self.problem.dataset.rows:,} rows drawn of "
                f"{self.problem.drawn_from:,}; so did every contender."
            )
        if LIGHTGBM not in plain_models():
            yield "LightGBM is not installed, and was left out."
