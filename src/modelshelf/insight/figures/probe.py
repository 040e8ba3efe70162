"""A probe drawn: each value's loss with its interval, and what is good or not in colour."""

from __future__ import annotations

import math
from typing import Any

from modelshelf.insight.figures.theme import BAD, COLOURS, GOOD, QUIET, blank, faded
from modelshelf.insight.probe import Probe, ProbePoint

__all__ = ["probe_figure"]

_FAR = 20.0
_SHADES = {
    "good": GOOD,
    "no difference": GOOD,
    "too low": COLOURS[4],
    "too high": BAD,
    "worse": BAD,
    "diverges": BAD,
    "unclear": QUIET,
}


def probe_figure(probe: Probe) -> Any:
    """Validation loss (log scale) over the values, its 95 % band, and training loss below it.

    Each value's strip has its verdict's colour; a diamond marks the network's own value. Values
    stand side by side in their order, whatever their scale, so that `off` has a place too.
    """
    points = [each for each in probe.points if each.networks]
    title = f"{probe.vary} around {probe.barcode}: {probe.seeds} seeds a value"
    figure = blank(title, probe.vary, f"{probe.loss} on validation rows (log scale)", height=420)
    places = list(range(len(points)))
    _strips(figure, points)
    shown = "lines+markers" if probe.ordered else "markers"
    blue = COLOURS[0]
    drawn = [at for at in places if math.isfinite(points[at].loss)]
    if probe.ordered:
        band = [at for at in drawn if math.isfinite(points[at].high)]
        figure.add_scatter(
            x=[*band, *band[::-1]],
            y=[*(points[at].high for at in band), *(points[at].low for at in band[::-1])],
            mode="lines",
            fill="toself",
            fillcolor=faded(blue, 0.15),
            line={"width": 0},
            hoverinfo="skip",
            name="95 % interval",
        )
    figure.add_scatter(
        x=drawn,
        y=[points[at].loss for at in drawn],
        mode=shown,
        name="validation loss",
        line={"color": blue},
        marker={
            "size": [13 if points[at].own else 8 for at in drawn],
            "symbol": ["diamond" if points[at].own else "circle" for at in drawn],
        },
        error_y=None if probe.ordered else _bars(points, drawn),
        text=[_hover(probe, points[at]) for at in drawn],
        hovertemplate="%{text}<extra></extra>",
    )
    figure.add_scatter(
        x=drawn,
        y=[points[at].train_loss for at in drawn],
        mode=shown,
        name="training loss",
        line={"color": COLOURS[1], "dash": "dot"},
        marker={"size": 6},
    )
    figure.update_yaxes(type="log", range=_range(points))
    labels = [f"{each.label}<br>{each.verdict}" for each in points]
    figure.update_xaxes(tickvals=places, ticktext=labels, range=[-0.5, len(points) - 0.5])
    return figure


def _range(points: list[ProbePoint]) -> list[float] | None:
    """Decades that are shown: 20 times either way from the least validation loss.

    What is good stays apart so, however far off the worst is.
    """
    found = [p.loss for p in points if math.isfinite(p.loss) and p.loss > 0]
    if not found:
        return None
    losses = [e for p in points for e in (p.loss, p.train_loss) if math.isfinite(e) and e > 0]
    best = min(found)
    low, high = max(min(losses), best / _FAR), min(max(losses), best * _FAR)
    return [math.log10(low / 1.3), math.log10(high * 1.3)]


def _strips(figure: Any, points: list[ProbePoint]) -> None:
    for at, each in enumerate(points):
        shade = faded(_SHADES[each.verdict], 0.13)
        figure.add_vrect(x0=at - 0.5, x1=at + 0.5, fillcolor=shade, line_width=0, layer="below")


def _bars(points: list[ProbePoint], drawn: list[int]) -> dict[str, Any]:
    chosen = [points[at] for at in drawn]
    return {
        "type": "data",
        "symmetric": False,
        "array": [max(each.high - each.loss, 0.0) for each in chosen],
        "arrayminus": [max(each.loss - each.low, 0.0) for each in chosen],
    }


def _hover(probe: Probe, point: ProbePoint) -> str:
    return (
        f"{probe.vary} = {point.label}: {point.verdict}<br>"
        f"loss {point.loss:.4g} (95 %: {point.low:.4g} to {point.high:.4g})<br>"
        f"{probe.metric} {point.score:.4g}<br>"
        f"{point.networks} networks, {point.diverged} diverged<br>"
        f"best epoch {point.best_epoch:.0f} of {point.epoch:.0f}, {point.seconds:.2g} s each"
    )
