"""Learning curves over training rows: the same models on growing, nested shares of them."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray
from threadpoolctl import threadpool_limits

from modelshelf.core.seeds import derive
from modelshelf.data.metrics import score
from modelshelf.data.split import Split, dealt
from modelshelf.executors import ThreadExecutor
from modelshelf.insight.more_rows import Run
from modelshelf.insight.paired import resampled
from modelshelf.space.configuration import Configuration
from modelshelf.study.engines import Engines
from modelshelf.study.plain import plain_models
from modelshelf.study.problem import Problem
from modelshelf.understanding.contenders import NETWORK

__all__ = ["Growing", "Job"]

_PARTS = 16  # the smallest share is one of so many
_SHARES = (16, 8, 4, 2, 1)  # parts, the largest share first: it tells most
#: Other rows in the shares, and other seeds; all models are trained so before any goes on.
_REPEATS = ((0, 1), (2, 3), (4,))
_LEAST_ROWS = 30
_MOST_EPOCHS = 4  # times as many, so that few rows are not learned from in too few steps
_SLACK = 1.5  # times what a training is expected to take must be left


@dataclass(frozen=True, slots=True)
class Job:
    """One training: of what, on how many of the parts, and which repeat."""

    name: str
    parts: int
    repeat: int


@dataclass(eq=False)
class Growing:
    """Trains the winner's configuration and plain models on shares of the search's rows.

    `seconds` is what each takes on all rows, by name: what is not in it is not trained. Networks
    are trained for up to four times as many epochs on fewer rows, so that they make as many steps
    on a quarter of them as on all; the best epoch by the validation rows is kept, as in a search.
    """

    problem: Problem
    configuration: Configuration
    seed: int
    seconds: dict[str, float]
    workers: int
    left: Callable[[], float]

    def __post_init__(self) -> None:
        self._flag = np.zeros(1, np.uint8)
        self._fits = plain_models()
        self._engines = Engines()

    @property
    def planned(self) -> int:
        """How many trainings there are in all, if there is time."""
        return sum(1 for _ in self._jobs())

    def runs(self, tell: Callable[[int, int], None]) -> dict[str, list[Run]]:
        """All runs that there is time for, by name."""
        jobs = list(self._jobs())
        executor: ThreadExecutor[Job, Run | None] = ThreadExecutor(self._run, self.workers)
        found: dict[str, list[Run]] = {name: [] for name in self.seconds}
        for job in jobs:
            executor.submit(job)
        tell(0, len(jobs))
        for n in range(len(jobs)):
            done = executor.next(self.left())
            if done is None:
                break
            if done.result is not None:
                found[done.job.name].append(done.result)
            tell(n + 1, len(jobs))
        self._flag[0] = 1
        executor.close(patience=0.2)
        self._engines.close()
        return found

    def _jobs(self) -> Iterator[Job]:
        """What is trained soonest comes first; each twice, for its scatter; then all again.

        Of each, the largest share comes first. Plain models on all rows are always the same.
        """
        names = sorted(self.seconds, key=lambda name: self.seconds[name])
        for repeats in _REPEATS:
            for name in names:
                for repeat in repeats:
                    for parts in _SHARES:
                        again = repeat and parts == _PARTS and name != NETWORK
                        if not again and len(self._rows(parts, repeat)) >= _LEAST_ROWS:
                            yield Job(name, parts, repeat)

    @cached_property
    def _split(self) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        return self.problem.rows(Split("search"))

    def _rows(self, parts: int, repeat: int) -> NDArray[np.int64]:
        """A stratified share of the training rows; a larger one of the same repeat holds it."""
        train, _ = self._split
        if parts == _PARTS:
            return train
        target = self.problem.dataset.target[train]
        return train[dealt(target, _PARTS, self.seed, "shares", repeat) < parts]

    def _run(self, job: Job) -> Run | None:
        """One training; None where there is no time for it, or these rows cannot be fitted."""
        share = job.parts / _PARTS
        effort = share if job.name != NETWORK else min(_MOST_EPOCHS * share, 1.0)
        if self._flag[0] or self.left() < _SLACK * max(effort, 0.1) * self.seconds[job.name]:
            return None
        rows, (_, validation) = self._rows(job.parts, job.repeat), self._split
        try:
            with threadpool_limits(limits=1, user_api="openmp"):
                output = self._output(job, rows, validation)
        except (ValueError, MemoryError, ArithmeticError):
            return None
        if output is None or not np.isfinite(output).all():
            return None
        target, metric = self.problem.dataset.target[validation], self.problem.metric
        return Run(
            share,
            len(rows),
            score(metric, target, output),
            resampled(metric, target, output, self.seed),
            fixed=job.parts == _PARTS and job.name != NETWORK,
        )

    def _output(
        self, job: Job, rows: NDArray[np.int64], validation: NDArray[np.int64]
    ) -> NDArray[np.float64] | None:
        if job.name != NETWORK:
            fitted = self._fits[job.name](self.problem, rows)
            return fitted.predict(self.problem.dataset.frame[validation])
        prepared = self.problem.prepared_from(rows, validation, self.configuration)
        configuration = _longer(self.configuration, job.parts)
        seed = derive(self.seed, "growing", job.parts, job.repeat)
        engine = self._engines.of(configuration)
        member = engine.start(configuration, prepared.data, seed)
        leg = engine.advance(member, prepared.data, configuration.whole("epochs"), self._flag)
        if leg.interrupted or leg.best_epoch == 0:
            return None
        return self.problem.answers(engine.network(member, self.problem.classes), prepared)


def _longer(configuration: Configuration, parts: int) -> Configuration:
    """The same training on fewer rows, in more epochs: as many steps, down to a quarter."""
    times = min(_PARTS // parts, _MOST_EPOCHS)
    longer: dict[str, object] = {"epochs": min(times * configuration.whole("epochs"), 100_000)}
    if configuration.whole("patience"):
        longer["patience"] = times * configuration.whole("patience")
    return configuration.replace(**longer)
