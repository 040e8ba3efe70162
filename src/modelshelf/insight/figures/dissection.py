"""A network taken apart, drawn: what flows there and back, columns, and one row."""

from __future__ import annotations

from typing import Any

from modelshelf.insight.dissection import Dissection
from modelshelf.insight.figures.theme import BAD, COLOURS, GOOD, QUIET, blank

__all__ = ["dissection_figure"]

_MOST = 20  # bars


def dissection_figure(found: Dissection) -> Any:
    """Outputs' spread, gradients and updates of each layer, drawn and trained, and columns' worth.

    With a row, what each column adds to its answer too.
    """
    from plotly.subplots import make_subplots

    titles = ["Outputs: mean ± deviation", "Gradient by the layer's sums, norm a row"]
    titles += ["One step, as a share of the weights", _worth_title(found)]
    row = found.row
    if row is not None:
        titles.append(f"Row {row.row}: what each column adds to the {row.attribution.what}")
    bars = min(_MOST, len(found.importance.columns))
    tall = max(300, 22 * bars)
    heights = [300, tall] + ([tall] if row is not None else [])
    figure = make_subplots(
        rows=len(heights),
        cols=2,
        specs=[[{}, {}], [{}, {}], [{"colspan": 2}, None]][: len(heights)],
        row_heights=heights,
        vertical_spacing=90 / sum(heights),
        subplot_titles=titles,
    )
    frame = blank(f"The network {found.barcode} taken apart", height=sum(heights) + 160)
    figure.update_layout(frame.layout.to_plotly_json() | {"title": frame.layout.title})
    axis = frame.layout.xaxis
    for each in (figure.update_xaxes, figure.update_yaxes):
        each(gridcolor=axis.gridcolor, zerolinecolor=axis.zerolinecolor, automargin=True)
    _layers(figure, found)
    _worth(figure, found)
    if row is not None:
        _row(figure, found)
    return figure


def _layers(figure: Any, found: Dissection) -> None:
    names = [each.name for each in found.layers]
    for label, colour, which in (
        ("as drawn", QUIET, "initial"),
        ("trained", COLOURS[0], "trained"),
    ):
        flows = [getattr(each, which) for each in found.layers]
        shared = {"name": label, "legendgroup": label, "marker": {"color": colour, "size": 9}}
        figure.add_scatter(
            x=names,
            y=[each.mean for each in flows],
            error_y={"array": [each.std for each in flows], "thickness": 2, "width": 6},
            mode="markers",
            offsetgroup=label,
            row=1,
            col=1,
            **shared,
        )
        for values, place in (
            ([each.gradient for each in flows], (1, 2)),
            ([each.ratio for each in flows], (2, 1)),
        ):
            figure.add_scatter(
                x=names,
                y=values,
                mode="lines+markers",
                line={"color": colour},
                offsetgroup="lines",
                showlegend=False,
                row=place[0],
                col=place[1],
                **shared,
            )
    figure.update_layout(scattermode="group")
    for row, col in ((1, 2), (2, 1)):
        figure.update_yaxes(type="log", dtick="D2", tickformat="~g", row=row, col=col)


def _worth_title(found: Dissection) -> str:
    of = found.importance
    return f"{of.metric}: worse by, without each column"


def _worth(figure: Any, found: Dissection) -> None:
    shown = found.importance.columns[:_MOST][::-1]
    figure.add_bar(
        x=[each.drop for each in shown],
        y=[_plain(each.column) for each in shown],
        error_x={"array": [each.std for each in shown], "thickness": 1},
        orientation="h",
        marker={"color": COLOURS[2]},
        showlegend=False,
        row=2,
        col=2,
    )


def _row(figure: Any, found: Dissection) -> None:
    assert found.row is not None
    values = dict(found.row.values)
    shown = found.row.attribution.columns[:_MOST][::-1]
    figure.add_bar(
        x=[amount for _, amount in shown],
        y=[_plain(f"{column} = {values.get(column, '')}") for column, _ in shown],
        orientation="h",
        marker={"color": [GOOD if amount >= 0 else BAD for _, amount in shown]},
        showlegend=False,
        row=3,
        col=1,
    )


def _plain(text: str) -> str:
    """A label without markup: Plotly obeys some tags."""
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
