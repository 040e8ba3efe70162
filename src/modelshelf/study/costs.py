"""What networks cost: to keep, to train and to ask; and a study's front of score against all that.

Parameters and multiply-adds follow from a configuration and the width of the prepared data, and
are the same on every machine. Seconds of an answer are not: they are measured when asked for.
"""

from __future__ import annotations

import time
from dataclasses import dataclass

import numpy as np

from modelshelf.core.protocols import Network, TrainingData
from modelshelf.core.records import Direction, Purpose, Status, TrialRecord
from modelshelf.core.seeds import generator
from modelshelf.data.metrics import metric_for
from modelshelf.data.prepare import Preparation
from modelshelf.engines import numpy_
from modelshelf.engines.numpy_.assemble import layout_of
from modelshelf.engines.numpy_.layout import Layout
from modelshelf.shelf import Shelf, StudyRecord
from modelshelf.space.configuration import Configuration
from modelshelf.study.engines import work
from modelshelf.study.model import preparation_named
from modelshelf.study.pareto import Cost, non_dominated
from modelshelf.study.rows import with_networks

__all__ = ["Candidate", "Front", "answer_seconds", "cost_of", "front_of", "multiply_adds"]

_ROWS = 10_000  # that an answer is timed on: many, so that what a call itself takes is little
_REPEATS = 5


@dataclass(frozen=True, slots=True)
class Candidate:
    """A network of a search, and what it costs."""

    trial: TrialRecord
    value: float  #: what trials are ranked by; lower is better
    cost: Cost


@dataclass(frozen=True, slots=True)
class Front:
    """A study's front: score against training time, work to answer a row, and size."""

    study: str
    metric: str
    direction: Direction
    by_loss: bool  #: whether networks are held against each other by loss, not by the metric
    compared: tuple[Candidate, ...]  #: every search trial with usable weights, best first
    members: tuple[Candidate, ...]  #: those that nothing dominates, best first


def multiply_adds(layout: Layout) -> int:
    """Multiplications with additions that one row's answer takes.

    Networks in one share weights, and each goes its own way through them. A table is looked up.

    >>> multiply_adds(Layout((4, 3, 2))), multiply_adds(Layout((4, 3, 2), members=8))
    (18, 200)
    """
    through = sum(a * b for a, b in zip(layout.widths, layout.widths[1:], strict=False))
    sizes = {name: end - begin for name, (begin, end) in layout.blocks.items()}
    once = sum(sizes[name] for name in ("numbers", "scales", "mixes", "gains", "adapters"))
    return layout.members * through + once


def cost_of(configuration: Configuration, preparation: Preparation, parameters: int) -> Cost:
    """What a configuration's network costs, on data that is prepared so.

    A dense network's parameters and multiply-adds follow from its layout. One of PyTorch's has the
    `parameters` that are given, and PyTorch counts its multiply-adds; of a person's own module,
    which is not run for that, the parameters stand for them, each of which an answer uses once or
    more. Raises `SettingError` where PyTorch is not installed.
    """
    if configuration.word("network") != "dense":
        through = work(configuration, preparation)
        return Cost(parameters, parameters if through is None else through)
    schema, columns = preparation.schema, preparation.columns
    none = np.empty((0, len(columns)), np.float32)
    answers = np.empty((0, len(schema.classes) or 1), np.float32)
    classes = schema.task.is_classification
    data = TrainingData(none, answers, none, answers, classes, columns)
    layout = layout_of(configuration, data)
    return Cost(layout.parameters, multiply_adds(layout))


def front_of(shelf: Shelf, study: StudyRecord) -> Front:
    """The front of a study's search, each network as it stands on the shelf.

    Re-tests and the winner's last training are on other rows, and left out. Raises `ShelfError`
    where the study is of an objective function.
    """
    metric = metric_for(with_networks(study).metric, study.task)
    sign = 1.0 if study.direction is Direction.MINIMIZE else -1.0
    files = shelf.files(study.name)
    preparations: dict[str, Preparation] = {}
    compared = []
    for trial in shelf.trials(study.name, purpose=Purpose.SEARCH):
        unusable = trial.status in (Status.DIVERGED, Status.FAILED) or trial.best_epoch == 0
        if unusable or trial.number not in files:
            continue
        preparation = preparation_named(shelf, files[trial.number].preparation, preparations)
        configuration = Configuration.from_json(trial.configuration)
        cost = cost_of(configuration, preparation, trial.parameters)
        value = trial.loss if metric.by_loss else sign * trial.score
        compared.append(Candidate(trial, value, cost))
    compared.sort(key=lambda each: (each.value, each.trial.number))
    rows = [
        (each.value, each.trial.seconds, each.cost.multiply_adds, each.cost.parameters)
        for each in compared
    ]
    members = tuple(compared[i] for i in non_dominated(rows))
    return Front(
        study.name, study.metric, study.direction, metric.by_loss, tuple(compared), members
    )


def answer_seconds(network: Network, preparation: Preparation) -> float:
    """Seconds of one core in which a network answers 1,000 rows: the least of five tries.

    It is the thread's own time, so that what else the machine does is left out. 10,000 rows are
    asked at once. They are drawn, of standardised numbers; a code is 0, and so is all that a
    network of PyTorch's is asked.
    """
    if not isinstance(network, numpy_.Network):
        x = np.zeros((_ROWS, *preparation.row), preparation.dtype)
    else:
        encoding = network.layout.encoding
        columns = encoding.columns if encoding else (0,) * network.layout.widths[0]
        x = generator(0, "timing").normal(size=(_ROWS, len(columns))).astype(np.float32)
        x[:, [each > 0 for each in columns]] = 0.0
    network.predict(x[:1])  # the first call may compile
    found = []
    for _ in range(_REPEATS):
        began = time.thread_time()
        network.predict(x)
        found.append(time.thread_time() - began)
    return min(found) * 1_000 / _ROWS
