"""Networks of a shelf held against each other, on rows that none of them was trained on."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from itertools import combinations
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from modelshelf.core.errors import BarcodeError, DataError, SettingError
from modelshelf.core.records import Purpose, Status, TrialRecord
from modelshelf.data.dataset import Label, Schema, Table
from modelshelf.data.metrics import Metric, metric_for, score
from modelshelf.data.read import read_again
from modelshelf.data.tensor import Frame, Tensor
from modelshelf.engines.numpy_ import Network
from modelshelf.insight.comparison import (
    Comparison,
    Disagreement,
    Scored,
    Side,
    TellingRow,
    disagreement,
    settings_of,
    telling_rows,
)
from modelshelf.insight.paired import difference, method_words, spread
from modelshelf.shelf import Shelf, StudyRecord
from modelshelf.shelf.best import best_copy
from modelshelf.study.costs import answer_seconds, multiply_adds
from modelshelf.study.engines import work
from modelshelf.study.model import Model
from modelshelf.study.rows import table_of
from modelshelf.understanding.common_rows import CommonRows, Source, common_rows
from modelshelf.understanding.taken import as_tables
from modelshelf.understanding.which_row import numbered

__all__ = ["compare"]

_MOST = 8  # networks: more cannot be read side by side
_TELLING = 5  # rows that are shown


def compare(
    barcodes: Sequence[str],
    *,
    shelf: str | Path | None = None,
    data: Any = None,
    test: Any = None,
    rows: str = "validation",
) -> Comparison:
    """Settings, curves, scores, answers and costs of two to eight networks, side by side.

    Scores are on rows that trained none of them, the same for all, and each difference to the
    first network has a paired interval. With `rows="validation"` the test rows are not looked at;
    where the best copies of barcodes were trained on each other's validation rows, or on all of
    them, copies of the search stand for them, and the record says so. With `rows="test"` the very
    copies are compared on the test rows that validated none of them either, and that look is
    counted in each study whose test rows they are. Networks of different tables or targets have
    no common rows, and are shown without scores.

    Args:
        barcodes: Barcodes or copy ids, or how they begin.
        shelf: Where they lie.
        data: The studies' rows, where they came from memory or have moved.
        test: And those of their test file.
        rows: `validation` or `test`.

    Raises:
        BarcodeError: Where one matches nothing or several, or names a study.
        SettingError: For fewer than two networks, more than eight, the same one twice, or rows
            that are neither.
        DataError: Where rows that are given, or asked for, are not those of the studies.
    """
    if rows not in ("validation", "test"):
        raise SettingError(f"rows is {rows!r}: expected 'validation' or 'test'.")
    if not 2 <= len(barcodes) <= _MOST:
        raise SettingError(
            f"{len(barcodes)} networks were named: expected from 2 to {_MOST} barcodes."
        )
    with Shelf.open(shelf) as opened:
        trials = [_copy(opened, each) for each in barcodes]
        study = opened.study(trials[0].study)
        given = as_tables(data, test, opened, study)
        return _Comparing(opened, trials, barcodes, rows, *given).comparison()


def _copy(shelf: Shelf, barcode: str) -> TrialRecord:
    try:
        return best_copy(shelf, barcode)
    except BarcodeError as error:
        names = [each.name for each in shelf.studies() if each.name.startswith(barcode)]
        if not names:
            raise
        raise BarcodeError(
            f"{barcode!r} names no network, but the study {names[0]!r}. compare takes barcodes of "
            "networks: name the study's winner by its own. An ensemble has no barcode; "
            f"`modelshelf worth {names[0]}` holds it against its study's winner."
        ) from error


@dataclass(eq=False)
class _Comparing:
    """One comparison while it is made."""

    shelf: Shelf
    trials: list[TrialRecord]
    asked: Sequence[str]
    rows: str
    table: Table | None
    test: Table | None

    def comparison(self) -> Comparison:
        """The record."""
        notes: list[str] = []
        self._refuse_twice()
        common = None
        why = self._apart()
        if not why:
            try:
                common = self._common(notes)
            except DataError as error:
                if self.rows == "test" or self.table is not None or self.test is not None:
                    raise
                why = f"There are no scores on common rows. {error}"
        self._refuse_twice()
        uses = self._count_test_use(common)
        models = [self._model(each) for each in self.trials]
        outputs = [
            None if model is None or common is None else _answers(model, common) for model in models
        ]
        scored = self._scored(common, outputs)
        notes += [why] if why else self._notes(common, outputs)
        return Comparison(
            task=self.study.task,
            metric=self.metric.name,
            direction=self.metric.direction,
            networks=tuple(map(self._side, self.trials, models, scored)),
            settings=settings_of([each.configuration for each in self.trials]),
            rows=self.rows if common is not None else "",
            row_count=0 if common is None else len(common.target),
            drawn_from=0 if common is None else common.drawn_from,
            method=method_words(self.metric),
            test_uses=uses,
            disagreements=_disagreements(common, outputs),
            telling=self._telling(common, outputs),
            notes=tuple(notes),
        )

    # -- which networks, which rows -------------------------------------------------------------

    @cached_property
    def studies(self) -> dict[str, StudyRecord]:
        """The studies of the networks, the first network's first."""
        return {each.study: self.shelf.study(each.study) for each in self.trials}

    @property
    def study(self) -> StudyRecord:
        """The first network's study."""
        return self.studies[self.trials[0].study]

    @property
    def metric(self) -> Metric:
        """The first network's study's."""
        return metric_for(self.study.metric, self.study.task)

    @cached_property
    def sources(self) -> dict[str, Source]:
        """Each study's table, read again once."""
        return {
            name: (record, *table_of(self.shelf, record, self.table, self.test))
            for name, record in self.studies.items()
        }

    def _refuse_twice(self) -> None:
        copies = [each.copy for each in self.trials]
        for i, copy in enumerate(copies):
            if copy in copies[:i]:
                first, second = self.asked[copies.index(copy)], self.asked[i]
                raise SettingError(
                    f"{first!r} and {second!r} are the same network ({copy}): name another, or "
                    "another copy by its copy id."
                )

    def _apart(self) -> str:
        """Why these networks have no common rows; empty where they may have some."""
        if len({each.fingerprint for each in self.studies.values()}) == 1:
            return ""
        names = " and ".join(repr(each) for each in self.studies)
        return (
            f"The studies {names} learned from different rows, columns or targets: their scores "
            "cannot be held against each other, and stand as each study measured them."
        )

    def _common(self, notes: list[str]) -> CommonRows | None:
        """Rows for all; where their copies leave none, those of the search stand for them."""
        _, dataset, _ = self.sources[self.study.name]
        numbers = len(self.trials) * max(len(dataset.schema.classes), 1)
        found = common_rows(self.trials, self.sources, self.rows, numbers)
        if found is not None or self.rows == "test":
            return found
        others = [self._search_copy(*each) for each in zip(self.trials, self.asked, strict=True)]
        found = common_rows(others, self.sources, self.rows, numbers)
        swapped = [
            f"{other.copy} for {trial.copy}"
            for trial, other in zip(self.trials, others, strict=True)
            if other is not trial
        ]
        if found is not None and swapped:
            self.trials = others
            notes.append(
                "The best copies of these networks were trained on each other's validation rows: "
                f"here copies of the search stand for them ({', '.join(swapped)}). --rows test "
                "compares the former, and looks at the test rows."
            )
        return found

    def _search_copy(self, trial: TrialRecord, asked: str) -> TrialRecord:
        """The copy that the search trained, where a barcode was asked for and it has one."""
        if trial.purpose in (Purpose.SEARCH, Purpose.TRAIN):
            return trial
        others = [
            each
            for each in self.shelf.resolve(asked)
            if each.study == trial.study and each.purpose is Purpose.SEARCH and each.best_epoch
        ]
        return others[0] if others else trial

    def _count_test_use(self, common: CommonRows | None) -> int:
        """Count a look at test rows before they are looked at; the most that any study has had."""
        if common is None or self.rows != "test":
            return 0
        uses = []
        for name in common.studies:
            uses.append(self.shelf.study(name).test_uses + 1)
            self.shelf.update_study(name, test_uses=uses[-1])
        return max(uses, default=0)

    # -- what is measured -----------------------------------------------------------------------

    def _model(self, trial: TrialRecord) -> Model | None:
        """The network, unless it never had finite weights."""
        if trial.best_epoch == 0:
            return None
        return Model.from_record(self.shelf, trial)

    def _scored(
        self, common: CommonRows | None, outputs: Sequence[NDArray[np.float64] | None]
    ) -> list[Scored | None]:
        found: list[Scored | None] = []
        first = outputs[0]
        for i, output in enumerate(outputs):
            if common is None or output is None:
                found.append(None)
                continue
            apart = None
            if i and first is not None:
                apart = difference(self.metric, common.target, output, first, self.study.seed)
            between = spread(self.metric, common.target, output, self.study.seed)
            found.append(Scored(score(self.metric, common.target, output), between, apart))
        return found

    def _side(self, trial: TrialRecord, model: Model | None, scored: Scored | None) -> Side:
        return Side(
            barcode=trial.barcode,
            copy=trial.copy,
            study=trial.study,
            purpose=trial.purpose.value,
            split=trial.split,
            status=trial.status.value,
            configuration=trial.configuration,
            epoch=trial.epoch,
            best_epoch=trial.best_epoch,
            metric=self.studies[trial.study].metric,
            validation=trial.score,
            parameters=trial.parameters,
            bytes=trial.size,
            multiply_adds=0 if model is None else _work(model),
            training_seconds=trial.seconds,
            answer_seconds=(
                None if model is None else answer_seconds(model.network, model.preparation)
            ),
            curve=self.shelf.curve(trial.study, trial.number),
            scored=scored,
        )

    def _telling(
        self, common: CommonRows | None, outputs: Sequence[NDArray[np.float64] | None]
    ) -> tuple[TellingRow, ...]:
        """The rows that all networks answered most differently; none where one has no answers."""
        answered = [each for each in outputs if each is not None]
        if common is None or len(answered) < len(outputs):
            return ()
        schema = self.sources[self.study.name][1].schema
        table = common.table or self.table or read_again(self.study.settings["rows"]["source"])
        numbers = numbered(table, schema.target)[common.numbers]
        found = []
        for at in telling_rows(answered, _TELLING):
            answers = tuple(_named(each[at], schema) for each in answered)
            truth = common.target[at]
            chances = tuple(float(each[at][truth]) for each in answered) if schema.classes else ()
            found.append(
                TellingRow(
                    row=int(numbers[at]),
                    table=table.name,
                    values=_values(common.frame, int(at)),
                    target=schema.classes[truth] if schema.classes else float(truth),
                    answers=answers,
                    chances=chances,
                )
            )
        return tuple(found)

    def _notes(
        self, common: CommonRows | None, outputs: Sequence[NDArray[np.float64] | None]
    ) -> list[str]:
        notes = []
        for trial, output in zip(self.trials, outputs, strict=True):
            if output is None and common is not None:
                notes.append(
                    f"{trial.barcode[:9]} has no usable weights (it {_became(trial)}): no score."
                )
        if common is None:
            notes.append(_none_left(self.rows))
        elif self.rows == "validation":
            notes.append(
                "Networks were also judged by such rows while they were trained and searched: the "
                "scores are a little too good, those of the best ones most of all."
            )
        if len({each.metric for each in self.studies.values()}) > 1:
            notes.append(f"All are scored by {self.metric.name}, the metric of {self.study.name}.")
        return notes


def _became(trial: TrialRecord) -> str:
    if trial.status is Status.DIVERGED:
        return f"diverged at a learning rate of {trial.configuration.get('learning_rate')}"
    return {Status.FAILED: "failed"}.get(trial.status, "is still at work, or was cut off")


def _none_left(rows: str) -> str:
    if rows == "test":
        return "There are no test rows that neither trained nor chose any of these networks."
    return (
        "Every row but the test rows trained one of these networks: there are no scores. "
        "--rows test compares them on the test rows, and counts that look at them."
    )


def _answers(model: Model, common: CommonRows) -> NDArray[np.float64]:
    return model.answer(model.preparation.transform(common.frame))


def _disagreements(
    common: CommonRows | None, outputs: Sequence[NDArray[np.float64] | None]
) -> tuple[Disagreement, ...]:
    """One for each pair of networks that answered."""
    if common is None:
        return ()
    places = [i for i, each in enumerate(outputs) if each is not None]
    answered = [each for each in outputs if each is not None]
    found = []
    for i, j in combinations(range(len(places)), 2):
        each = disagreement(i, j, common.target, answered)
        found.append(replace(each, first=places[i], second=places[j]))
    return tuple(found)


def _work(model: Model) -> int:
    """Multiplications with additions of an answer; at the least, for a person's own module."""
    if isinstance(model.network, Network):
        return multiply_adds(model.network.layout)
    through = work(model.configuration, model.preparation)
    return model.network.parameters if through is None else through


def _values(frame: Frame, at: int) -> dict[str, Any]:
    """A row's columns by name; none where rows are arrays."""
    return {} if isinstance(frame, Tensor) else frame.row(at, named=True)


def _named(output: NDArray[np.float64], schema: Schema) -> Label:
    return schema.classes[int(output.argmax())] if schema.classes else float(output)
