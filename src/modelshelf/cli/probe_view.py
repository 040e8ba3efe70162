"""A probe drawn in characters: a row for each value, while it grows and when it is done."""

from __future__ import annotations

import math
import time
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from rich.console import Console
from rich.text import Text

from modelshelf.cli.layout import Column, grid
from modelshelf.cli.panel import Panel
from modelshelf.cli.words import number, safe

if TYPE_CHECKING:
    from modelshelf.core.records import Outcome
    from modelshelf.insight.grid import Level
    from modelshelf.insight.probe import Probe, ProbePoint

__all__ = ["Growing", "lines_of"]

_BEAT = 5.0  # seconds between two plain lines
_FAR = 20.0  # times the least loss: what is beyond is drawn at the edge
_NEAR = 1.25  # and what lies closer is drawn close
_STYLES = {"good": "green", "no difference": "green", "unclear": "dim"}


def lines_of(probe: Probe, width: int) -> list[Text]:
    """Loss of each value on a log scale with its 95 % interval, verdict, score, networks."""
    points = [each for each in probe.points if each.networks]
    if not points:
        return []
    wide = max(max(len(each.label) for each in probe.points), len(probe.vary)) + 2
    ends = [end for each in points for end in (each.low, each.high)]
    scale = _Scale([each.loss for each in points], max(20, min(48, width - wide - 46)), ends)
    columns = (
        Column(""),
        Column(probe.vary, right=True),
        Column("loss, less is better", drop=2),
        Column("loss", right=True),
        Column(probe.metric, right=True, drop=3),
        Column("networks", right=True, drop=4),
        Column("", drop=1),
    )
    rows = [_row(each, scale) for each in probe.points]
    return [grid(columns, rows, width), Text("▸ its own value", style="dim")]


def _row(each: ProbePoint, scale: _Scale) -> tuple[str | Text, ...]:
    label = safe(each.label)
    if not each.networks:
        return "", label, Text("not trained", style="dim"), "", "", "", ""
    style = _STYLES.get(each.verdict, "red")
    verdict = Text(f"{each.verdict}", style=style)
    if each.diverged:
        verdict.append(f" ({each.diverged} diverged)", style="red")
    label.stylize("bold" if each.own else "")
    drawn = Text(scale.drawn(each.loss, each.low, each.high), style=style)
    scores = number(each.loss), number(each.score), f"{each.networks}"
    return "▸" if each.own else "", label, drawn, *scores, verdict


class _Scale:
    """Losses on a log scale of so many characters."""

    def __init__(self, losses: Sequence[float], width: int, ends: Sequence[float] = ()) -> None:
        self.width = width
        known = [each for each in losses if math.isfinite(each) and each > 0] or [1.0]
        around = [each for each in (*known, *ends) if math.isfinite(each)]
        self.low = max(min(around), min(known) / _NEAR)
        self.high = min(max(*around, _NEAR * min(known)), _FAR * self.low)

    def place(self, loss: float) -> int:
        """The column of a loss; the nearest edge where it is outside."""
        span = math.log(self.high / self.low)
        share = math.log(min(max(loss, self.low), self.high) / self.low) / span
        return round(share * (self.width - 1))

    def drawn(self, loss: float, low: float, high: float) -> str:
        """A dot with its interval; an arrow where the loss is beyond the edge."""
        row = [" "] * self.width
        if not math.isfinite(loss):
            return "".join(row)
        if math.isfinite(low) and math.isfinite(high):
            for at in range(self.place(low), self.place(high) + 1):
                row[at] = "─"
        row[self.place(loss)] = "▶" if loss > self.high else "●"
        return "".join(row)


class Growing(Panel):
    """The probe while it grows: rows on a terminal, a plain line now and then elsewhere."""

    def __init__(self, console: Console, vary: str) -> None:
        super().__init__(console)
        self._vary, self._drawn = vary, time.monotonic()

    def __call__(
        self, levels: Sequence[Level], wanted: int, outcomes: Mapping[tuple[int, int], Outcome]
    ) -> None:
        """Show what there is so far."""
        told = f"networks trained: {len(outcomes)} of at most {wanted}"
        now = time.monotonic()
        if self.is_live:
            self.draw([Text(told, style="bold"), *self._rows(levels, outcomes)])
        elif now - self._drawn >= _BEAT:
            self._drawn = now
            self.console.print(told)

    def _rows(
        self, levels: Sequence[Level], outcomes: Mapping[tuple[int, int], Outcome]
    ) -> list[Text]:
        losses = {
            at: [o.loss for (level, _), o in outcomes.items() if level == at and o.best_epoch]
            for at in range(len(levels))
        }
        means = {at: sum(each) / len(each) for at, each in losses.items() if each}
        scale = _Scale(list(means.values()), max(16, min(48, self.console.width - 40)))
        wide = max(len(each.label) for each in levels)
        lines = []
        for at, level in enumerate(levels):
            line = safe(f"{level.label:>{wide}}  ")
            mean = means.get(at, math.nan)
            each = losses[at] or [math.nan]
            line.append(scale.drawn(mean, min(each), max(each)), style="cyan")
            lines.append(line.append(f"  {number(mean)}  {len(losses[at])}"))
        return lines
