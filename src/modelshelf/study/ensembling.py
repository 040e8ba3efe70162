"""A study's ensemble: gathered from the shelf, chosen, put back on it, and tested, in time."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from modelshelf.core.errors import MemberError, ShelfError
from modelshelf.core.records import Ensemble, Member, Purpose, Status, TrialRecord
from modelshelf.data.prepare import Preparation
from modelshelf.shelf import Shelf
from modelshelf.space.configuration import Configuration
from modelshelf.study.answers import unpacked
from modelshelf.study.engines import Engines
from modelshelf.study.ensemble import Predictions, select
from modelshelf.study.ensemble_model import EnsembleModel
from modelshelf.study.model import Model
from modelshelf.study.problem import Problem
from modelshelf.study.searching import SEARCH_SPLIT

__all__ = ["Ensembling"]

_MOST = 100  # candidates, the best of the search by their loss
_MOST_NUMBERS = 40_000_000  # of their answers together: 160 MB
_SAMPLE = 1_000  # rows on which answering is timed
_CHOOSING = 2e-7  # seconds for each candidate and row
_USUAL = 40  # networks that answer in the end, those of re-tests among them
_PREPARATIONS = 10  # of theirs: each split has one of its own
_CALL = 4_000  # rows that could be answered in what an answer takes besides, beside other threads
_NO_TIME = "There was no time for an ensemble. Give more time for one."
_UNUSABLE = (Status.DIVERGED, Status.FAILED)
_RETESTS = (Purpose.RETEST, Purpose.CONFIRM, Purpose.REFIT)


@dataclass(frozen=True, eq=False)
class Ensembling:
    """What it takes to name an ensemble of the networks that were judged on the search's split.

    `data_key` names other studies that count: those of the same data, split and seed. None counts
    this study alone, as where the same seed is to give the same answer on any shelf.
    """

    problem: Problem
    shelf: Shelf
    study: str
    data_key: str | None
    engines: Engines = field(default_factory=Engines)

    def expected_seconds(self, networks: int, writing: float, answering: float) -> float:
        """What it should take with so many networks to choose from.

        In means that this study measured: `writing`, to put a network on the shelf, and
        `answering`, for one to answer the validation rows.
        """
        if networks < 2:
            return 0.0
        candidates, rows = min(networks, self._most), self._shape[0]
        timed = 4 * _SAMPLE
        tests = min(candidates, _USUAL) * self.test_seconds(answering, timed)
        prepared = _PREPARATIONS * self.problem.transforming * (timed + self._test_rows)
        return 0.1 + candidates * writing + tests + prepared + _CHOOSING * candidates * rows

    def test_seconds(self, answering: float, more: int = 0) -> float:
        """What it should take one network to answer the test rows, and some more."""
        return answering * (self._test_rows + more) / (self._shape[0] + _CALL)

    def run(
        self, winner: int, left: Callable[[], float]
    ) -> tuple[Ensemble | None, Ensemble | None, str]:
        """The ensemble, the winner's folds together, and what is to be said where there is none.

        `winner` is the number of the winner's trial, and `left()` is in seconds. The test rows
        were given up for it before: this is the same use of them.
        """
        try:
            return self._gathered(winner, left)
        except MemberError as error:  # a person's own module, on rows of another number
            return (
                None,
                None,
                f"There is no ensemble, for a network of it could not answer. {error}",
            )

    def _gathered(
        self, winner: int, left: Callable[[], float]
    ) -> tuple[Ensemble | None, Ensemble | None, str]:
        records, outputs = self._candidates(left() / 2)
        if left() <= 0:
            return None, None, _NO_TIME
        record = self.shelf.trial(self.study, winner)
        alone = self._model([record], np.ones(1))
        costs = alone.parameters, self._timed(alone)
        again = _Again(self.shelf)
        folds = [each for each in again.of(record) if each.purpose is not Purpose.REFIT]
        shares = np.full(len(folds), 1.0 / max(len(folds), 1))
        found, said = self._chosen(records, outputs, again, costs, left)
        bag = self._named(folds, shares, costs, left) if len(folds) > 1 else None
        return found, bag, said

    def _chosen(
        self,
        records: list[TrialRecord],
        outputs: NDArray[Any],
        again: _Again,
        winner: tuple[int, float],
        left: Callable[[], float],
    ) -> tuple[Ensemble | None, str]:
        """The ensemble of those that answer best together, with their re-tests where there is time.

        `outputs` (networks, rows, …) are what they answer on the search's validation rows.
        """
        if len(records) < 2:
            return None, ""
        target = self.problem.dataset.target[self.problem.rows(SEARCH_SPLIT)[1]]
        chosen = select(Predictions(outputs, target), self.problem.metric, self.problem.seed)
        order = np.argsort(-chosen.weights, kind="stable")[: chosen.size]
        taken = [records[i] for i in order], chosen.weights[order]
        more = again.beside(*taken)
        found = self._named(*more, winner, left)
        if found is None and len(more[0]) > len(taken[0]):
            found = self._named(*taken, winner, left)
        if found is None:
            return None, _NO_TIME
        found = replace(found, validation=chosen.validation, single=chosen.single)
        return replace(found, candidates=len(records), configurations=chosen.size), ""

    def _named(
        self,
        records: Sequence[TrialRecord],
        weights: NDArray[np.float64],
        winner: tuple[int, float],
        left: Callable[[], float],
    ) -> Ensemble | None:
        """These networks together, tested and on the shelf; None where there is no time for that.

        `winner` are the winner's parameters, and its seconds to answer 1,000 rows.
        """
        order = np.argsort(-weights, kind="stable")
        try:
            model = self._model([records[i] for i in order], weights[order])
            seconds = self._timed(model)
        except (ShelfError, MemberError):  # a damaged file, or a module that fails: without them
            return None
        if seconds / _SAMPLE * self._test_rows > left():
            return None
        test, between = self._tested(model)
        named = [self.shelf.preparation_of(records[i].study, records[i].number) for i in order]
        file = model.write(self.shelf, named)  # last: by then every network has answered
        return Ensemble(
            size=len(records),
            validation=math.nan,
            test=test,
            test_interval=between,
            candidates=len(records),
            members=tuple(
                Member(each.copy, float(weight))
                for each, weight in zip(model.members, model.weights, strict=True)
            ),
            parameters=model.parameters,
            winner_parameters=winner[0],
            bytes=model.bytes,
            seconds=seconds,
            winner_seconds=winner[1],
            file=file,
        )

    @cached_property
    def _preparations(self) -> dict[str, Preparation]:
        return {}

    @property
    def _test_rows(self) -> int:
        return 0 if self.problem.test_target is None else len(self.problem.test_target)

    @cached_property
    def _shape(self) -> tuple[int, ...]:
        """Of one network's answers on the validation rows."""
        rows = len(self.problem.rows(SEARCH_SPLIT)[1])
        classes = self.problem.dataset.schema.classes
        return (rows, len(classes)) if self.problem.classes else (rows,)

    @property
    def _most(self) -> int:
        return min(_MOST, max(2, _MOST_NUMBERS // math.prod(self._shape)))

    def _candidates(self, seconds: float) -> tuple[list[TrialRecord], NDArray[Any]]:
        """The best networks, as many as can be read in this time, and their answers."""
        began = time.monotonic()
        records, answers = [], []
        for record in self._ranked():
            if time.monotonic() - began > seconds:
                break
            # One damaged file, or one module that fails, is no reason to lose the study.
            with suppress(ShelfError, MemberError):
                answers.append(self._answers(record))
                records.append(record)
        dtype = np.float32 if self.problem.classes else np.float64
        return records, np.array(answers, dtype)

    def _ranked(self) -> list[TrialRecord]:
        """Usable networks of the search, and of other studies that count, the best first."""
        names = [self.study]
        if self.data_key is not None:
            names += [
                each.name
                for each in self.shelf.studies()
                if each.settings.get("data_key") == self.data_key
                and each.status == "done"
                and each.name != self.study
            ]
        found: dict[str, TrialRecord] = {}
        for name in names:
            best = self.shelf.trials(name, purpose=Purpose.SEARCH, sort="loss", limit=2 * _MOST)
            for each in best:
                if each.status not in _UNUSABLE and each.best_epoch and math.isfinite(each.loss):
                    found.setdefault(each.copy, each)  # studies may hold the very same network
        return sorted(found.values(), key=lambda each: each.loss)[: self._most]

    def _answers(self, record: TrialRecord) -> NDArray[np.float64]:
        """As they were kept, or made again where they were not: then the network answers."""
        tensors, _ = self.shelf.read_network(record)
        kept = unpacked(tensors, self.problem.classes)
        if kept is not None and kept.shape == self._shape:
            return kept
        configuration = Configuration.from_json(record.configuration)
        prepared = self.problem.prepared(SEARCH_SPLIT, configuration)
        network = self.engines.network(configuration, prepared.preparation, tensors)
        return self.problem.answers(network, prepared)

    def _model(self, records: Sequence[TrialRecord], weights: NDArray[np.float64]) -> EnsembleModel:
        members = tuple(
            Model.from_record(self.shelf, each, self.engines.network, self._preparations)
            for each in records
        )
        return EnsembleModel(members, weights)

    def _timed(self, model: EnsembleModel) -> float:
        """Seconds to answer 1,000 rows: of two times, the better one."""
        frame = self.problem.dataset.frame
        frame = frame[np.resize(np.arange(frame.height), _SAMPLE)]
        found = []
        for _ in range(2):
            began = time.perf_counter()
            model.answer(frame)
            found.append(time.perf_counter() - began)
        return min(found)

    def _tested(self, model: EnsembleModel) -> tuple[float | None, tuple[float, float] | None]:
        if self.problem.test_frame is None or self.problem.test_target is None:
            return None, None
        return self.problem.on_test(model.answer(self.problem.test_frame))


class _Again:
    """The networks of re-tests: what a configuration became on other splits, and on all rows."""

    def __init__(self, shelf: Shelf) -> None:
        self._shelf = shelf
        self._studies: dict[str, dict[str, list[TrialRecord]]] = {}

    def of(self, record: TrialRecord) -> list[TrialRecord]:
        """Those of a network's configuration in its own study, in the order of their numbers."""
        if record.study not in self._studies:
            found: dict[str, list[TrialRecord]] = {}
            for each in self._shelf.trials(record.study, sort="number"):
                usable = each.status not in _UNUSABLE and each.best_epoch and each.size
                if each.purpose in _RETESTS and usable:
                    found.setdefault(each.barcode, []).append(each)
            self._studies[record.study] = found
        return self._studies[record.study].get(record.barcode, [])

    def beside(
        self, records: Sequence[TrialRecord], weights: NDArray[np.float64]
    ) -> tuple[list[TrialRecord], NDArray[np.float64]]:
        """The same networks and those of their re-tests, which share their weight.

        They have learned from the rows that choose, so that these cannot judge them; but each is
        the same configuration, trained once more, and no worse a guess than the one that is judged.
        """
        every: list[TrialRecord] = []
        shares: list[float] = []
        for record, weight in zip(records, weights, strict=True):
            group = [record, *self.of(record)]
            every += group
            shares += [weight / len(group)] * len(group)
        return every, np.array(shares)
