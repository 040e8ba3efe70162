"""Gathering what a diagnosis is made from: rows, curves, a look inside, two short experiments."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from modelshelf.core.records import Purpose, Status, TrialRecord
from modelshelf.core.seeds import derive, generator
from modelshelf.engines.numpy_ import Network
from modelshelf.insight.evidence import Again, Evidence
from modelshelf.insight.row_loss import constant_losses, measure_of, row_losses
from modelshelf.insight.suspicion import Forest, error_of, forest_on, labels_seen, lone_column
from modelshelf.space.configuration import Configuration
from modelshelf.study.beside import Wanted, study_beside, train_beside
from modelshelf.study.progress import Stopper
from modelshelf.study.searching import SEARCH_SPLIT
from modelshelf.understanding.layers import layers_of
from modelshelf.understanding.one_row import columns_of
from modelshelf.understanding.taken import Taken

__all__ = ["gathered", "on_search_rows"]

_ROWS = 4_000  # of training and of validation rows, that forests and losses are measured on
_LOOKED = 256  # rows that are sent through the network and back
_UNDECIDED = 0.3  # a forest's error above which no column of it decides all
_LONGER, _FASTER = 4, 10
_LEAST = 20  # epochs, where four times as many are fewer


@dataclass(frozen=True, slots=True)
class _Means:
    """What training may use: cores, and time until one moment, whatever it is spent on."""

    workers: int
    until: float | None  #: on the monotonic clock
    stopper: Stopper | None


Some = tuple[NDArray[np.float32], NDArray[np.float32]]


def on_search_rows(taken: Taken) -> Taken:
    """The copy of this network that was trained and validated on the split of the search.

    A re-test has other rows, and a network that was trained on all of them has none to be judged
    by. Itself, where there is no other.
    """
    if taken.split == SEARCH_SPLIT:
        return taken
    copies = [
        each
        for each in taken.shelf.resolve(taken.trial.barcode)
        if each.study == taken.study.name and each.split == str(SEARCH_SPLIT) and each.best_epoch
    ]
    return replace(taken, trial=copies[0]) if copies else taken


def gathered(
    taken: Taken,
    *,
    retrain: int,
    workers: int,
    seconds: float | None,
    stopper: Stopper | None = None,
) -> Evidence:
    """All that is measured of a network. `retrain` more are trained on other seeds.

    Where more training might help, it is trained longer, and faster. All that is trained takes at
    most so many `seconds` together.
    """
    found = _measured(taken)
    means = _Means(workers, None if seconds is None else time.monotonic() + seconds, stopper)
    if found.may_gain and taken.split == SEARCH_SPLIT:
        found = _experiments(taken, found, means)
    return replace(found, others=_others(taken, retrain, means))


def _measured(taken: Taken) -> Evidence:
    problem, model, trial = taken.problem, taken.model, taken.trial
    data, seed = taken.prepared.data, problem.seed
    train = _some((data.x, data.y), seed, "train")
    validation = _some((data.validation_x, data.validation_y), seed, "validation")
    measure = measure_of(problem.classes)  # as curves have it, whatever the metric is
    losses, errors = [], []
    for x, y in (train, validation):
        answer = model.network.predict(x)
        losses.append(float(row_losses(measure, y, answer).mean()))
        errors.append(error_of(y, answer, problem.classes))
    chance = constant_losses(measure, train[1], validation[1], problem.classes)
    train, validation = _flat(train), _flat(validation)
    forest = forest_on(*train, validation, problem.classes, derive(seed, "forest") % 2**32)
    looked = (train[0][:_LOOKED], train[1][:_LOOKED])
    network = model.network if isinstance(model.network, Network) else None
    alive = network is not None and trial.best_epoch > 0 and np.isfinite(network.theta).all()
    return Evidence(
        configuration=model.configuration,
        status=trial.status,
        epoch=trial.epoch,
        best_epoch=trial.best_epoch,
        curve=taken.shelf.curve(trial.study, trial.number),
        loss=trial.loss,
        chance=float(chance.mean()),
        train_loss=losses[0],
        validation_loss=losses[1],
        train_error=errors[0],
        validation_error=errors[1],
        training_rows=len(data.x),
        forest_error=forest.error,
        layers=layers_of(model.configuration, network, data, trial.seed, *looked)
        if network is not None and alive
        else (),
        lone=_lone(taken, train, validation, forest),
        labels=labels_seen(train[1], forest) if problem.classes else None,
        searched=trial.purpose is Purpose.SEARCH,
    )


def _lone(taken: Taken, train: Some, validation: Some, forest: Forest) -> Any:
    names = columns_of(taken.prepared.preparation)
    seed = derive(taken.problem.seed, "lone") % 2**32
    if forest.error > _UNDECIDED or not taken.prepared.preparation.schema.tabular:
        return None
    return lone_column(*train, validation, names, forest, taken.problem.classes, seed)


def _flat(pair: Some) -> Some:
    """The same rows, each one line of numbers."""
    return pair[0].reshape(len(pair[0]), -1), pair[1]


def _some(pair: Some, seed: int, what: str) -> Some:
    """A few thousand rows, drawn; in a random order, so that the first of them are drawn too."""
    order = generator(seed, "diagnosis", what).permutation(len(pair[0]))[:_ROWS]
    return pair[0][order], pair[1][order]


def _experiments(taken: Taken, found: Evidence, means: _Means) -> Evidence:
    """The same network longer, and faster: with the same seed, so that pairs are compared.

    One that was halted goes no further than to its own end: that is what can be advised.
    """
    own, seed = found.configuration, taken.trial.seed
    longer = max(_LONGER * found.epoch, _LEAST)
    if found.halted:
        longer = min(longer, own.whole("epochs"))
    long = own.replace(epochs=longer, patience=0, min_delta=0.0)
    times = max(min(_FASTER, found.epoch), 2)
    fast = own.replace(
        epochs=max(found.epoch // times, 1),
        learning_rate=times * own.number("learning_rate"),
        patience=0,
        min_delta=0.0,
    )
    wanted = [Wanted(each, seed) for each in (fast, long)]
    done = _trained(taken, wanted, means)
    at_speed, at_length = (_again(done.get(each.key)) for each in wanted)
    return replace(found, faster=at_speed, longer=at_length)


def _trained(
    taken: Taken, wanted: Sequence[Wanted], means: _Means
) -> Mapping[tuple[str, int], TrialRecord]:
    left = None if means.until is None else max(means.until - time.monotonic(), 0.0)
    return train_beside(
        taken.shelf,
        study_beside(taken.shelf, taken.study),
        taken.problem,
        wanted,
        workers=means.workers,
        seconds=left,
        stopper=means.stopper,
    )


def _again(trial: TrialRecord | None) -> Again | None:
    if trial is None or trial.status is Status.FAILED:
        return None
    return Again(
        trial.epoch,
        trial.best_epoch,
        trial.loss if trial.best_epoch else np.inf,
        Configuration.from_json(trial.configuration).number("learning_rate"),
    )


def _others(taken: Taken, retrain: int, means: _Means) -> tuple[float, ...]:
    """Losses of copies on the same rows, with other seeds: those on the shelf, and new ones.

    Only of copies that had as many epochs as this network; none if it was not trained to its end.
    """
    own, key = taken.trial, taken.model.configuration
    if taken.split != SEARCH_SPLIT or own.status is not Status.FINISHED:
        return ()
    if retrain:
        seeds = [derive(0, "probe", k) for k in range(retrain)]
        _trained(taken, [Wanted(key, each) for each in seeds], means)
    main = taken.study.settings.get("beside", taken.study.name)
    others = (s.name for s in taken.shelf.studies() if s.settings.get("beside") == main)
    names = {main, *others}
    return tuple(
        each.loss
        for each in taken.shelf.resolve(own.barcode)
        if each.study in names
        and each.split == str(SEARCH_SPLIT)
        and each.seed != own.seed
        and each.status in (Status.FINISHED, Status.DIVERGED)
        and each.purpose in (Purpose.PROBE, Purpose.TRAIN, Purpose.SEARCH)
    )
