"""Networks side by side, drawn: learning curves, and scores with the intervals of differences."""

from __future__ import annotations

from typing import Any

from modelshelf.insight.comparison import Comparison
from modelshelf.insight.figures.theme import COLOURS, blank

__all__ = ["figure"]


def figure(comparison: Comparison) -> Any:
    """Learning curves together, on the left; differences to the first network, on the right."""
    import plotly.graph_objects as go
    from plotly.subplots import make_subplots

    told = [
        (i, each, each.scored.difference)
        for i, each in enumerate(comparison.networks)
        if each.scored is not None and each.scored.difference is not None
    ]
    titles = ["validation loss (line) and training loss (dots)"]
    titles += [f"{comparison.metric}, less the first's (95 %)"] if told else []
    drawn = blank("Networks side by side", height=420)
    frame = make_subplots(cols=len(titles), rows=1, subplot_titles=titles,
                          column_widths=[0.6, 0.4][: len(titles)])  # fmt: skip
    drawn = frame.update_layout(drawn.layout)
    drawn.update_layout(legend={"y": -0.2, "yanchor": "top", "x": 0.0, "xanchor": "left"})
    for i, each in enumerate(comparison.networks):
        colour = COLOURS[i % len(COLOURS)]
        epochs = [point.epoch for point in each.curve]
        for values, dash in (
            ([point.validation_loss for point in each.curve], "solid"),
            ([point.train_loss for point in each.curve], "dot"),
        ):
            line = {"color": colour, "width": 2 if dash == "solid" else 1, "dash": dash}
            drawn.add_trace(
                go.Scatter(x=epochs, y=values, mode="lines", line=line, name=each.barcode[:9],
                           legendgroup=each.copy, showlegend=dash == "solid"),
                row=1, col=1,
            )  # fmt: skip
    for i, each, apart in told:
        error = {"symmetric": False, "array": [apart.high - apart.value],
                 "arrayminus": [apart.value - apart.low]}  # fmt: skip
        drawn.add_trace(
            go.Scatter(x=[apart.value], y=[each.barcode[:9]], error_x=error, mode="markers",
                       marker={"color": COLOURS[i % len(COLOURS)], "size": 9},
                       name=each.barcode[:9], legendgroup=each.copy, showlegend=False),
            row=1, col=2,
        )  # fmt: skip
    drawn.update_xaxes(title="epoch", row=1, col=1)
    if told:
        drawn.add_vline(x=0.0, line={"color": "#8c8c8c", "dash": "dash"}, row=1, col=2)
    grid = "rgba(128,128,128,0.25)"
    drawn.update_xaxes(gridcolor=grid, zeroline=False, automargin=True)
    drawn.update_yaxes(gridcolor=grid, zeroline=False, automargin=True)
    return drawn
