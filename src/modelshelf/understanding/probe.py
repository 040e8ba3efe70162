"""A probe: a small designed experiment around one network."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from contextlib import closing
from pathlib import Path
from typing import Any

import numpy as np
from joblib import cpu_count

from modelshelf.core.errors import SettingError
from modelshelf.core.protocols import TrainingData
from modelshelf.core.records import Outcome, Status, TrialRecord
from modelshelf.core.seeds import derive, sampled
from modelshelf.core.words import counted
from modelshelf.insight.grid import SHAPES, Level, levels_around
from modelshelf.insight.probe import Probe, Run, probed
from modelshelf.insight.row_loss import constant_losses, measure_of, row_losses
from modelshelf.shelf import Shelf
from modelshelf.space.catalogue import lookup
from modelshelf.space.configuration import Configuration
from modelshelf.study.beside import Wanted, study_beside, train_beside
from modelshelf.study.budget import parse_time
from modelshelf.study.engines import Engines
from modelshelf.study.model import Model
from modelshelf.study.problem import Problem
from modelshelf.study.progress import Stopper
from modelshelf.study.searching import SEARCH_SPLIT
from modelshelf.understanding.changes import changed
from modelshelf.understanding.taken import Taken, take

__all__ = ["Watcher", "probe"]

#: Called after each network with the levels, how many networks the design has, and the outcomes of
#: this run so far by (place of the level, place of the seed).
Watcher = Callable[[Sequence[Level], int, Mapping[tuple[int, int], Outcome]], None]

_SECONDS = 60.0
_FAR = 3.0  # times the loss of a constant answer
_ROWS = 5_000  # training rows, drawn, on which the kept weights are judged


def probe(
    barcode: str,
    vary: str,
    *,
    values: Sequence[Any] | None = None,
    points: int = 9,
    seeds: int = 3,
    changes: Mapping[str, Any] | None = None,
    time_limit: str | float | None = _SECONDS,
    seed: int = 0,
    workers: int | None = None,
    shelf: str | Path | None = None,
    data: Any = None,
    test: Any = None,
    watcher: Watcher | None = None,
    stopper: Stopper | None = None,
) -> Probe:
    """Vary one hyperparameter around a network, all else held, and say which values are good.

    Networks are trained and compared on the rows that the network's study searched on: its test
    rows stay unseen. They lie on the shelf, in a study of their own (`beside-STUDY`), so that each
    can be looked into, and the same probe answers at once the next time.

    Args:
        barcode: A barcode or copy id, or how it begins.
        vary: A hyperparameter, or `depth` or `width` of the hidden layers.
        values: What to try; a grid around the network's own value if nothing is said.
        points: How many values such a grid has, at most.
        seeds: Networks for each value. All values have the same seeds: pairs are compared.
        changes: Settings to change first, where what is varied plays no part without them.
        time_limit: Seconds to train in, or text such as `"2m"`; None for no limit. Every other
            value is trained first, with all seeds, then those between: what there was no time for
            leaves a balanced design. The same call goes on with what was left out.
        seed: The seeds of the networks follow from it.
        workers: Networks trained at a time; all cores if nothing is said.
        shelf: Where it lies; `$MODELSHELF_SHELF`, else `./.modelshelf`.
        data: The study's rows, where they have moved or came from memory.
        test: And those of its test file.
        watcher: Called while networks train.
        stopper: Asks it to end; what was trained by then is compared.

    Returns:
        A `Probe`; `insight.probe.probed` says by which rule its verdicts are given.

    Raises:
        UserError: For a barcode, a hyperparameter, values or rows that cannot be used.

    Example:
        >>> probe("7QK4", "learning_rate").sentences  # doctest: +SKIP
        ('Good: from 0.001 to 0.00316 (the least loss at 0.001).', …)
    """
    if points < 2 or seeds < 1:
        raise SettingError("A probe needs 2 points or more, and 1 seed or more.")
    seconds = None if time_limit is None else parse_time(time_limit)
    with take(barcode, shelf, data, test) as taken:
        own = Configuration.from_json(taken.trial.configuration)
        base = changed(own, changes or {}, taken.study.task)
        problem = taken.problem
        training, _ = problem.rows(SEARCH_SPLIT)
        levels = levels_around(
            vary, base, problem.task, rows=len(training), values=values, points=points
        )
        design = _design(levels, [derive(seed, "probe", k) for k in range(seeds)])
        keys = {each.key: place for place, each in design.items()}

        def seen(outcomes: Mapping[tuple[str, int], Outcome]) -> None:
            if watcher is not None:
                found = {keys[key]: outcome for key, outcome in outcomes.items()}
                watcher(levels, len(design), found)

        trained = train_beside(
            taken.shelf,
            study_beside(taken.shelf, taken.study),
            problem,
            list(design.values()),
            workers=workers or cpu_count(),
            seconds=seconds,
            stopper=stopper,
            seen=seen,
        )
        runs = [
            _judged(taken.shelf, problem, trained[each.key], *place)
            for place, each in design.items()
            if each.key in trained
        ]
        return _record(taken, vary, dict(changes or {}), levels, runs, seeds)


def _design(levels: Sequence[Level], seeds: Sequence[int]) -> dict[tuple[int, int], Wanted]:
    """All networks, in their order: every other value first, with all seeds; then those between.

    Seed by seed, the network's own value first. So whatever is cut off, what was trained is a
    balanced design of fewer values or of fewer seeds.
    """
    own = next((at for at, each in enumerate(levels) if each.own), 0)
    coarse = [at for at in range(len(levels)) if (at - own) % 2 == 0]
    coarse.sort(key=lambda at: at != own)
    between = [at for at in range(len(levels)) if (at - own) % 2]
    return {
        (at, k): Wanted(levels[at].configuration, each)
        for some in (coarse, between)
        for k, each in enumerate(seeds)
        for at in some
    }


def _judged(shelf: Shelf, problem: Problem, trial: TrialRecord, level: int, seed: int) -> Run:
    """A network as it is compared: its loss on each validation row, and on training rows."""
    nothing = np.zeros(0)
    curve = shelf.curve(trial.study, trial.number)
    last = curve[-1].validation_loss if curve else np.nan
    losses, train_loss, wild = nothing, np.nan, False
    if trial.best_epoch > 0 and trial.status is not Status.FAILED:
        model = Model.from_record(shelf, trial)
        data = problem.prepared(SEARCH_SPLIT, model.configuration).data
        measure = measure_of(problem.classes, problem.metric.name)
        losses = row_losses(measure, data.validation_y, model.network.predict(data.validation_x))
        drawn = sampled(len(data.x), _ROWS, problem.seed, "probe", "rows")
        answers = model.network.predict(data.x[drawn])
        train_loss = float(row_losses(measure, data.y[drawn], answers).mean())
        losses = losses if np.isfinite(losses).all() else nothing
        wild = not len(losses) or _wild(float(losses.mean()), model, data, trial.seed, measure)
    return Run(
        level,
        seed,
        trial.status is Status.DIVERGED or wild,
        trial.epoch,
        trial.best_epoch,
        trial.seconds,
        trial.score,
        train_loss,
        trial.loss,
        last,
        trial.parameters,
        losses,
    )


def _wild(loss: float, model: Model, data: TrainingData, seed: int, measure: str) -> bool:
    """Whether a network ended worse than it began, and far worse than a constant answer."""
    constant = constant_losses(measure, data.y, data.validation_y, data.classes)
    if loss <= _FAR * constant.mean():
        return False
    with closing(Engines()) as engines:
        engine = engines.of(model.configuration)
        drawn = engine.network(engine.start(model.configuration, data, seed), data.classes)
    first = row_losses(measure, data.validation_y, drawn.predict(data.validation_x))
    return bool(loss > first.mean())


def _record(
    taken: Taken,
    vary: str,
    changes: dict[str, object],
    levels: Sequence[Level],
    runs: Sequence[Run],
    seeds: int,
) -> Probe:
    problem = taken.problem
    training, validation = problem.rows(SEARCH_SPLIT)
    own = next((each.label for each in levels if each.own), "")
    return Probe(
        barcode=taken.trial.barcode,
        study=taken.study.name,
        vary=vary,
        ordered=all(each.position is not None for each in levels),
        own=own,
        held=changes,
        loss=measure_of(problem.classes, problem.metric.name),
        metric=problem.metric.name,
        maximize=problem.metric.direction == "maximize",
        seeds=seeds,
        training_rows=len(training),
        validation_rows=len(validation),
        points=probed(levels, runs, seeds),
        wanted=len(levels) * seeds,
        left_out=len(levels) * seeds - len(runs),
        seconds=sum(each.seconds for each in runs),
        notes=tuple(_notes(vary, levels, runs)),
    )


def _notes(vary: str, levels: Sequence[Level], runs: Sequence[Run]) -> list[str]:
    """What a person should know before they trust it."""
    notes = []
    rate = {"optimizer", "parametrisation", "reduction", "batch_size", "initialisation"}
    if vary in rate:
        held = levels[0].configuration.number("learning_rate")
        notes.append(
            f"The learning rate was held at {held:g}: another value of {vary} may be at its best "
            "at another rate."
        )
    if vary == "epochs" and any("patience" in each.configuration for each in levels):
        notes.append("Patience ends many of these before their last epoch: --set patience=0.")
    own = next((each for each in levels if each.own), levels[0])
    for level in levels:
        gone = [each for each in own.configuration if each not in level.configuration]
        gone = [each for each in gone if each != vary and not _hangs_on(each, vary)]
        if gone:
            notes.append(f"With {level.label}, {' and '.join(gone)} cannot be held: it is off.")
    if failed := sum(not run.diverged and not len(run.losses) for run in runs):
        notes.append(f"{counted(failed, 'network')} could not be trained.")
    return notes


def _hangs_on(name: str, vary: str) -> bool:
    """Whether what is varied decides by itself whether a setting counts, as is to be expected."""
    condition = lookup(name).condition
    setting = "hidden_layers" if vary in SHAPES else vary
    return condition is not None and setting in condition.names
