"""Networks side by side, drawn: learning curves, and scores with the intervals of differences."""

from __future__ import annotations

from typing import Any

from modelshelf.insight.comparison import Comparison
from modelshelf.insight.figures.theme import COLOURS, GRID, QUIET, blank

__all__ = ["figure"]

_LETTERS = "ABCDEFGH"


def figure(comparison: Comparison) -> Any:
    """Learning curves together, on the left; differences to the first network, on the right."""
    from plotly.subplots import make_subplots

    scored = any(each.scored and each.scored.difference for each in comparison.networks)
    titles = ["validation loss (line) and training loss (dots)"]
    titles += [f"{comparison.metric}, less A's (95 %)"] if scored else []
    frame = make_subplots(
        rows=1, cols=len(titles), subplot_titles=titles, column_widths=[0.6, 0.4][: len(titles)]
    )
    frame.update_layout(blank("Networks side by side", height=440).layout)
    legend = {"y": -0.2, "yanchor": "top", "x": 0.0, "xanchor": "left"}
    frame.update_layout(legend=legend, margin={"t": 84})
    frame.update_annotations(font_size=13)
    _curves(frame, comparison)
    if scored:
        _differences(frame, comparison)
    frame.update_xaxes(gridcolor=GRID, zeroline=False, automargin=True)
    frame.update_yaxes(gridcolor=GRID, zeroline=False, automargin=True)
    return frame


def _name(comparison: Comparison, i: int) -> str:
    return f"{_LETTERS[i]} {comparison.networks[i].barcode[:9]}"


def _curves(frame: Any, comparison: Comparison) -> None:
    import plotly.graph_objects as go

    for i, each in enumerate(comparison.networks):
        epochs = [point.epoch for point in each.curve]
        name, colour = _name(comparison, i), COLOURS[i % len(COLOURS)]
        held = [point.validation_loss for point in each.curve]
        trained = [point.train_loss for point in each.curve]
        for losses, dash, width in ((held, "solid", 2), (trained, "dot", 1)):
            line = {"color": colour, "width": width, "dash": dash}
            shown = {"legendgroup": name, "showlegend": dash == "solid"}
            trace = go.Scatter(x=epochs, y=losses, mode="lines", line=line, name=name, **shown)
            frame.add_trace(trace, row=1, col=1)
    frame.update_xaxes(title="epoch", row=1, col=1)


def _differences(frame: Any, comparison: Comparison) -> None:
    import plotly.graph_objects as go

    for i, each in enumerate(comparison.networks):
        apart = each.scored.difference if each.scored is not None else None
        if apart is None:
            continue
        reach = {"array": [apart.high - apart.value], "arrayminus": [apart.value - apart.low]}
        trace = go.Scatter(
            x=[apart.value],
            y=[_name(comparison, i)],
            error_x={"symmetric": False, **reach},
            mode="markers",
            marker={"color": COLOURS[i % len(COLOURS)], "size": 9},
            legendgroup=_name(comparison, i),
            showlegend=False,
        )
        frame.add_trace(trace, row=1, col=2)
    frame.add_vline(x=0.0, line={"color": QUIET, "dash": "dash"}, row=1, col=2)
