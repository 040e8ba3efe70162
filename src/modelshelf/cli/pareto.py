"""`modelshelf shelf --pareto`: a front of score against time and size, as a table and dots."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from enum import StrEnum
from typing import TYPE_CHECKING, Any

import typer
from rich.console import Console
from rich.text import Text

from modelshelf.cli.layout import Column, grid, room
from modelshelf.cli.words import json_line, number, safe, short
from modelshelf.core.errors import SettingError
from modelshelf.core.records import Direction
from modelshelf.core.words import finite
from modelshelf.space.configuration import Configuration

if TYPE_CHECKING:
    from modelshelf.shelf import Shelf, StudyRecord
    from modelshelf.study.costs import Candidate, Front

__all__ = ["Against", "draw_front", "scatter"]

_DRAWN = 0.75  # of the networks, best first, lie within the drawing; the front always does
_HEIGHT = 12


class Against(StrEnum):
    """What scores are drawn against."""

    SIZE = "size"
    PREDICTION = "prediction"
    TRAINING = "training"


_AXES: dict[Against, tuple[str, Callable[[Candidate], float]]] = {
    Against.SIZE: ("parameters", lambda each: each.cost.parameters),
    Against.PREDICTION: ("multiply-adds for a row's answer", lambda each: each.cost.multiply_adds),
    Against.TRAINING: ("seconds of training", lambda each: each.trial.seconds),
}


def draw_front(
    opened: Shelf,
    studies: Sequence[StudyRecord],
    against: Against,
    limit: int,
    console: Console,
    as_json: bool,
) -> None:
    """Print a study's front. Raises `SettingError` where there are several studies, or none."""
    from modelshelf.study.costs import answer_seconds, front_of
    from modelshelf.study.model import Model

    if len(studies) != 1:
        names = ", ".join(repr(each.name) for each in studies[:5])
        raise SettingError(
            f"--pareto is of one study, and the shelf has {len(studies)}"
            + (f" ({names}{', …' if len(studies) > 5 else ''}): name it with --study." if names
               else ": `modelshelf tune` makes one.")
        )  # fmt: skip
    front = front_of(opened, studies[0])
    shown = _spread(front.members, limit)
    models = [Model.from_record(opened, each.trial) for each in shown]
    seconds = [answer_seconds(each.network, each.preparation) for each in models]
    winner = studies[0].winner.get("barcode", "")
    if as_json:
        typer.echo(json_line(_plain(front, shown, seconds, winner)))
        return
    if not front.compared:
        console.print(f"The study {front.study} has no network that can be compared yet.")
        return
    console.print(_told(front, len(shown)))
    console.print()
    console.print(_table(front, shown, seconds, winner, room(console)))
    console.print(
        "answers: 1,000 rows on one core, measured now; trained: on one core. Scores are those of "
        "the search, the best of many, and so too good.",
        style="dim",
    )
    if len(front.compared) > 1:
        console.print()
        for line in scatter(front, against, winner, max(20, min(70, console.width - 14))):
            console.print(line)


def _told(front: Front, shown: int) -> Text:
    """What is compared, in words."""
    judged = "validation loss" if front.by_loss else front.metric
    networks, members = len(front.compared), len(front.members)
    if networks == 1:
        text = Text("The one network of the study ").append(safe(front.study))
        return text.append(" that can be compared; nothing beats it yet.")
    text = safe(front.study).append(
        f": of {networks:,} networks of the search, each as it stands on the shelf, {members:,} "
        + ("is" if members == 1 else "are")
        + f" beaten by no other in {judged}, training time, work to answer a row and size together."
    )
    if shown < members:
        text.append(f" {shown} of them, spread along the front (--limit 0 shows all):")
    return text


def _spread(members: Sequence[Candidate], limit: int) -> list[Candidate]:
    """Up to `limit` members, best first: the best, the cheapest of each kind, and even steps."""
    if limit <= 0 or len(members) <= limit:
        return list(members)
    places = range(len(members))
    least = [min(places, key=lambda i: measure(members[i])) for _, measure in _AXES.values()]
    kept = dict.fromkeys([0, *least][:limit])
    steps = limit - len(kept)
    rest = [i for i in places if i not in kept]
    kept.update(dict.fromkeys(rest[i * len(rest) // steps] for i in range(steps)))
    return [members[i] for i in sorted(kept)]


def _table(
    front: Front, shown: Sequence[Candidate], seconds: Sequence[float], winner: str, width: int
) -> Text:
    columns = (
        Column(""),
        Column("barcode"),
        Column(front.metric, right=True),
        Column("loss", right=True, drop=4),
        Column("weights", right=True, drop=1),
        Column("multiply-adds", right=True, drop=5),
        Column("answers", right=True, drop=2),
        Column("trained", right=True, drop=3),
        Column("what", drop=6),
    )
    rows = []
    for each, answers in zip(shown, seconds, strict=True):
        what = short(Configuration.from_json(each.trial.configuration))
        rows.append((*_cells(each, answers, winner), what))
    styles = ["bold green" if row[0] else "" for row in rows]
    return grid(columns, rows, width, styles)


def _cells(each: Candidate, answers: float, winner: str) -> list[str]:
    trial = each.trial
    return [
        "★" if trial.barcode == winner else "",
        trial.barcode,
        number(trial.score),
        number(trial.loss),
        f"{each.cost.parameters:,}",
        f"{each.cost.multiply_adds:,}",
        f"{1000 * answers:.2f} ms",
        f"{trial.seconds:.2f} s",
    ]


def scatter(front: Front, against: Against, winner: str, width: int) -> list[Text]:
    """Scores over a cost: the front ●, the winner ★, what is beaten ·.

    Both scales are of logarithms, a score's by what it leaves to gain: its distance from 1, or the
    error itself.
    """
    label, measure = _AXES[against]
    members = {each.trial.number for each in front.members}
    maximize = front.direction is Direction.MAXIMIZE
    best_first = sorted(
        (each for each in front.compared if math.isfinite(each.trial.score)),
        key=lambda each: each.trial.score,
        reverse=maximize,
    )
    if not best_first:
        return []
    drawn = best_first[: max(2, math.ceil(_DRAWN * len(best_first)))]
    left_over = [1.0 - each.trial.score if maximize else each.trial.score for each in drawn]
    heights = [math.log10(max(each, 1e-4 if maximize else 1e-300)) for each in left_over]
    places = [math.log10(max(measure(each), 1e-6)) for each in drawn]
    low, high, left, right = min(heights), max(heights), min(places), max(places)
    grid = [[" "] * width for _ in range(_HEIGHT)]
    marks = [_mark(each, members, winner) for each in drawn]
    # What matters is drawn last, over the rest.
    for order in "·●★":
        for height, place, mark in zip(heights, places, marks, strict=True):
            if mark == order:
                x = round((place - left) / ((right - left) or 1.0) * (width - 1))
                y = round((height - low) / ((high - low) or 1.0) * (_HEIGHT - 1))
                grid[y][x] = mark
    lines = [Text(f"{front.metric:>11}", style="dim")]
    for y, cells in enumerate(grid):
        value = {0: number(drawn[0].trial.score), _HEIGHT - 1: number(drawn[-1].trial.score)}.get(
            y, ""
        )
        lines.append(Text(f"{value:>11} │").append_text(_coloured("".join(cells))))
    ends = f"{_short(10**left)}", f"{_short(10**right)}"
    lines.append(Text(f"{'':>12}└{'─' * width}"))
    lines.append(Text(f"{'':>13}{ends[0]}{ends[1]:>{max(width - len(ends[0]), 1)}}"))
    lines.append(Text(f"{'':>13}{label} (both scales are logarithmic)"))
    left_out = len(front.compared) - len(drawn)
    worse = f"   ({left_out:,} worse left out)" if left_out else ""
    lines.append(Text(f"{'':>13}● on the front  ★ the winner  · beaten{worse}", style="dim"))
    return lines


def _mark(each: Candidate, members: set[int], winner: str) -> str:
    if each.trial.barcode == winner:
        return "★"
    return "●" if each.trial.number in members else "·"


def _coloured(cells: str) -> Text:
    text = Text(cells)
    text.highlight_regex("●", "cyan")
    text.highlight_regex("★", "bold green")
    return text


def _short(value: float) -> str:
    """A number at the end of an axis.

    >>> _short(0.0123), _short(1234567.0)
    ('0.012', '1,234,567')
    """
    return f"{value:,.0f}" if value >= 10 else f"{value:.2g}"


def _plain(
    front: Front, shown: Sequence[Candidate], seconds: Sequence[float], winner: str
) -> dict[str, Any]:
    """The front as JSON; seconds of an answer are for 1,000 rows, measured now."""
    members = [
        {
            "barcode": each.trial.barcode,
            "copy": each.trial.copy,
            "score": each.trial.score,
            "loss": each.trial.loss,
            "parameters": each.cost.parameters,
            "bytes": each.trial.size,
            "multiply_adds": each.cost.multiply_adds,
            "prediction_seconds": answers,
            "training_seconds": each.trial.seconds,
            "winner": each.trial.barcode == winner,
            "configuration": each.trial.configuration,
        }
        for each, answers in zip(shown, seconds, strict=True)
    ]
    found = finite(
        {
            "study": front.study,
            "metric": front.metric,
            "direction": front.direction.value,
            "judged_by": "loss" if front.by_loss else front.metric,
            "compared": len(front.compared),
            "members": len(front.members),
            "front": members,
        }
    )
    assert isinstance(found, dict)
    return found
