"""Whether a deep network is worth it, drawn: scores with intervals, and curves over rows."""

from __future__ import annotations

from html import escape
from typing import Any

from modelshelf.insight.figures.theme import COLOURS, GOOD, GRID, QUIET, blank, faded
from modelshelf.insight.worth import CurveOverRows, Worth

__all__ = ["figure"]


def figure(worth: Worth) -> Any:
    """Contenders' scores with 95 % intervals, on the left; learning curves over rows, right."""
    from plotly.subplots import make_subplots

    titles = [f"{worth.metric} on {worth.row_count:,} {worth.rows} rows (95 %)"]
    if worth.curves:
        titles.append(f"{worth.metric} on validation rows, by rows learned from (95 %)")
    drawn = blank(f"{escape(worth.study)}: is a deep network worth it?", height=440)
    frame = make_subplots(rows=1, cols=len(titles), subplot_titles=titles, horizontal_spacing=0.12)
    frame.update_layout(drawn.layout)
    frame.update_layout(legend={"y": -0.2, "yanchor": "top", "x": 0.5, "xanchor": "left"},
                        margin={"t": 84})  # fmt: skip
    frame.update_annotations(font_size=13)
    _scores(frame, worth)
    for i, curve in enumerate(worth.curves):
        _curve(frame, curve, COLOURS[i % len(COLOURS)])
    frame.update_xaxes(gridcolor=GRID, zeroline=False, automargin=True)
    frame.update_yaxes(gridcolor=GRID, zeroline=False, automargin=True)
    if worth.curves:
        rows = sorted({point.rows for curve in worth.curves for point in curve.points})
        ticks = {"tickvals": rows, "ticktext": [f"{each:,}" for each in rows]}
        frame.update_xaxes(type="log", title="training rows", row=1, col=2, **ticks)
    return frame


def _scores(frame: Any, worth: Worth) -> None:
    """One point a contender, the best on top; the one to use is green."""
    import plotly.graph_objects as go

    shown = list(reversed(worth.contenders))
    chosen = [each.name == worth.choice.name for each in shown]
    frame.add_trace(
        go.Scatter(
            x=[each.score for each in shown],
            y=[each.name for each in shown],
            error_x={
                "symmetric": False,
                "array": [each.interval[1] - each.score for each in shown],
                "arrayminus": [each.score - each.interval[0] for each in shown],
                "color": QUIET,
            },
            mode="markers",
            marker={"size": 10, "color": [GOOD if each else QUIET for each in chosen]},
            showlegend=False,
        ),
        row=1,
        col=1,
    )


def _curve(frame: Any, curve: CurveOverRows, colour: str) -> None:
    """Mean scores over rows, and the band of their intervals."""
    import plotly.graph_objects as go

    rows = [point.rows for point in curve.points]
    band = [*(point.high for point in curve.points), *(p.low for p in reversed(curve.points))]
    shared = {"legendgroup": curve.name, "name": curve.name}
    frame.add_trace(
        go.Scatter(
            x=[*rows, *reversed(rows)],
            y=band,
            mode="lines",
            fill="toself",
            fillcolor=faded(colour),
            line={"width": 0},
            hoverinfo="skip",
            showlegend=False,
            **shared,
        ),
        row=1,
        col=2,
    )
    means = [point.score for point in curve.points]
    line = go.Scatter(x=rows, y=means, mode="lines+markers", line={"color": colour}, **shared)
    frame.add_trace(line, row=1, col=2)
