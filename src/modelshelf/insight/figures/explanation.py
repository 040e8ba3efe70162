"""Figures of an explanation: how much each setting explains, which way it goes, and with which."""

from __future__ import annotations

from typing import Any

from modelshelf.insight.explanation import Explanation
from modelshelf.insight.figures.theme import COLOURS, QUIET, blank, faded
from modelshelf.insight.importance import Importance, Interaction

__all__ = ["effect_figure", "explanation_figure", "importance_figure", "interaction_figure"]

_SHOWN = 12  # settings in a figure of all


def importance_figure(found: Explanation) -> Any:
    """Bars of how much each setting explains alone and with others, with 95 % intervals."""
    import plotly.graph_objects as go

    shown = [each for each in found.importances if each.sure or each.total > 0.005][:_SHOWN][::-1]
    names = [each.name for each in shown]
    figure = blank(
        "What each setting explains",
        "share of the variance",
        height=max(240, 60 + 30 * len(shown)),
    )
    for label, colour, values, ends in (
        ("alone", COLOURS[0], [e.alone for e in shown], [e.alone_interval for e in shown]),
        ("with others", COLOURS[5], [e.total for e in shown], [e.total_interval for e in shown]),
    ):
        figure.add_trace(
            go.Bar(
                x=values,
                y=names,
                name=label,
                orientation="h",
                marker_color=colour,
                error_x={
                    "type": "data",
                    "array": [max(high - v, 0) for v, (_, high) in zip(values, ends, strict=True)],
                    "arrayminus": [
                        max(v - low, 0) for v, (low, _) in zip(values, ends, strict=True)
                    ],
                    "color": QUIET,
                    "thickness": 1,
                },
            )
        )
    figure.update_layout(barmode="group")
    figure.update_xaxes(tickformat=".0%", rangemode="tozero")
    return figure


def effect_figure(found: Importance) -> Any:
    """Where networks with each of a setting's values stand on average, with a 90 % band."""
    import plotly.graph_objects as go

    figure = blank(found.name, "", "does better than", height=260)
    x = [each.label for each in found.levels]
    better = [1 - each.standing for each in found.levels]
    low, high = ([1 - getattr(e, end) for e in found.levels] for end in ("high", "low"))
    mode = "lines+markers" if found.ordered else "markers"
    if found.ordered:
        figure.add_trace(
            go.Scatter(x=x + x[::-1], y=high + low[::-1], fill="toself", mode="lines",
                       fillcolor=faded(COLOURS[0]), line_width=0, hoverinfo="skip",
                       showlegend=False)
        )  # fmt: skip
    figure.add_trace(
        go.Scatter(
            x=x,
            y=better,
            mode=mode,
            line_color=COLOURS[0],
            marker_size=8,
            showlegend=False,
            error_y=None
            if found.ordered
            else {
                "type": "data",
                "array": [h - b for h, b in zip(high, better, strict=True)],
                "arrayminus": [b - one for b, one in zip(better, low, strict=True)],
                "color": QUIET,
            },
        )
    )
    figure.update_xaxes(type="category")
    figure.update_yaxes(tickformat=".0%")
    return figure


def interaction_figure(found: Interaction) -> Any:
    """Where networks with each pair of values stand on average."""
    import plotly.graph_objects as go

    figure = blank(f"{found.first} and {found.second}", found.second, found.first, height=320)
    figure.add_trace(
        go.Heatmap(
            z=[[1 - each for each in row] for row in found.standings],
            x=list(found.second_labels),
            y=list(found.first_labels),
            colorscale="Cividis",
            colorbar={"title": "better than", "tickformat": ".0%"},
        )
    )
    figure.update_xaxes(type="category")
    figure.update_yaxes(type="category")
    return figure


def explanation_figure(found: Explanation, effects: int = 6) -> Any:
    """Importances above, and the effects of the first few settings that surely have one."""
    from plotly.subplots import make_subplots

    shown = [each for each in found.importances if each.sure][:effects]
    rows = 1 + (len(shown) + 2) // 3
    whole = importance_figure(found)
    figure = make_subplots(
        rows=rows,
        cols=3,
        specs=[[{"colspan": 3}, None, None], *[[{}, {}, {}]] * (rows - 1)],
        subplot_titles=["", *(each.name for each in shown)],
        row_heights=[0.4, *[0.6 / max(rows - 1, 1)] * (rows - 1)] if rows > 1 else None,
    )
    for trace in whole.data:
        figure.add_trace(trace, row=1, col=1)
    for i, each in enumerate(shown):
        for trace in effect_figure(each).data:
            figure.add_trace(trace, row=2 + i // 3, col=1 + i % 3)
    layout = blank(whole.layout.title.text, height=320 + 240 * (rows - 1)).layout
    figure.update_layout(layout, barmode="group")
    figure.update_xaxes(row=1, col=1, tickformat=".0%")
    figure.update_yaxes(tickformat=".0%")
    figure.update_yaxes(row=1, col=1, tickformat="")
    return figure
