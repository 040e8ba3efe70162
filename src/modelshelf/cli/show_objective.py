"""One trial of an objective function: its parameters, what it returned and reported."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from rich.console import Console
from rich.text import Text

from modelshelf.cli.layout import facts, room
from modelshelf.cli.words import barcode_text, chart, number, safe
from modelshelf.core.records import CurvePoint, TrialRecord
from modelshelf.space.configuration import Configuration
from modelshelf.space.own import OWN, is_own

if TYPE_CHECKING:
    from modelshelf.shelf import StudyRecord

__all__ = ["parameters_in_words", "show_objective"]


def parameters_in_words(configuration: Configuration) -> Text:
    """The parameters that it asked for, in a line."""
    own = [(name.removeprefix(OWN), v) for name, v in configuration.items() if is_own(name)]
    return safe(", ".join(f"{name} = {value}" for name, value in own) or "no parameters")


def show_objective(
    console: Console,
    trial: TrialRecord,
    study: StudyRecord,
    points: Sequence[CurvePoint],
    configuration: Configuration,
) -> None:
    """Show it. What the catalogue has besides its parameters is not the objective's, and left out.

    There is no network to show: an objective keeps its own.
    """
    console.print(
        Text(trial.barcode, style="bold green").append("  ").append(barcode_text(configuration))
    )
    console.print(parameters_in_words(configuration))
    console.print()
    console.print(facts(_facts(trial, study, configuration), room(console)))
    if points:
        console.print()
        reported = [replace(each, validation_loss=each.validation_score) for each in points]
        *drawn, _ = chart(reported, width=max(20, min(60, console.width - 14)))
        for line in drawn:
            console.print(line)
        console.print(f"{'':>11} ● what it reported: each report is an epoch")


def _facts(
    trial: TrialRecord, study: StudyRecord, configuration: Configuration
) -> Iterator[tuple[str, str | Text]]:
    yield "a call", safe(f"of {configuration.word('module')}, in the study {study.name}")
    yield "this copy", f"{trial.copy}, trial {trial.number} ({trial.status.value})"
    if math.isfinite(trial.score):
        yield f"value, to {study.direction.value}", number(trial.score)
    yield "reports", f"{trial.epoch}"
    yield "time", f"{trial.seconds:.2f} s"
    if trial.reason:
        yield "reason", safe(trial.reason)
