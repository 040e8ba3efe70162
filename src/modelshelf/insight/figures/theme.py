"""What all figures share: colours that the colour-blind tell apart, and a quiet frame."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from modelshelf.core.errors import DataError
from modelshelf.core.files import MADE, refuse, write_text

__all__ = [
    "BAD",
    "COLOURS",
    "GOOD",
    "GRID",
    "POLICY",
    "QUIET",
    "blank",
    "faded",
    "html",
    "page_name",
    "write",
]

#: Okabe, Ito 2008: told apart by the colour-blind, on light and on dark.
COLOURS = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9", "#8c8c8c")
GOOD, BAD, QUIET = "#009E73", "#D55E00", "#8c8c8c"

#: What our pages may load: nothing of elsewhere. Plotly's script and style stand in the page.
POLICY = (
    "default-src 'none'; style-src 'unsafe-inline'; script-src 'unsafe-inline'; img-src data: blob:"
)

_PAGE = """<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<!-- {made} -->
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta http-equiv="Content-Security-Policy" content="{policy}">
<title>a modelshelf figure</title>
</head>
<body>
{figure}
</body>
</html>
"""

GRID = "rgba(128,128,128,0.25)"


def blank(title: str, x: str = "", y: str = "", *, height: int = 360) -> Any:
    """An empty Plotly figure that is readable on light and on dark: text takes the page's grey."""
    import plotly.graph_objects as go

    figure = go.Figure()
    figure.update_layout(
        title={"text": title, "x": 0.0, "xanchor": "left", "font": {"size": 15}},
        template="none",
        paper_bgcolor="rgba(0,0,0,0)",
        plot_bgcolor="rgba(0,0,0,0)",
        font={"family": "system-ui, sans-serif", "size": 12, "color": "#7a7a7a"},
        colorway=list(COLOURS),
        height=height,
        margin={"l": 60, "r": 20, "t": 48, "b": 48},
        legend={"orientation": "h", "y": 1.02, "yanchor": "bottom", "x": 1.0, "xanchor": "right"},
    )
    axis = {"gridcolor": GRID, "zerolinecolor": GRID, "automargin": True}
    figure.update_xaxes(title=x, **axis)
    figure.update_yaxes(title=y, **axis)
    return figure


def faded(colour: str, share: float = 0.2) -> str:
    """A colour that lets this share through, for bands.

    >>> faded("#0072B2")
    'rgba(0,114,178,0.2)'
    """
    red, green, blue = (int(colour[i : i + 2], 16) for i in (1, 3, 5))
    return f"rgba({red},{green},{blue},{share:g})"


def html(figure: Any, *, library: bool) -> str:
    """A figure as a piece of a page; with `library`, Plotly's script stands before it."""
    text: str = figure.to_html(
        full_html=False,
        include_plotlyjs=library,
        config={"displayModeBar": False, "responsive": True},
    )
    return text


def page_name(path: Path | None, *, force: bool = False) -> None:
    """Raise `DataError` where a figure cannot be written so: before any work is done for it."""
    if path is None:
        return
    if path.suffix.lower() != ".html":
        raise DataError(f"--figure {str(path)!r}: expected a file name that ends in .html.")
    refuse(path, "--figure", force=force)


def write(figure: Any, path: Path) -> None:
    """Write a figure as a page that works offline. Raises `DataError` where it cannot be."""
    drawn = figure.to_html(
        full_html=False, include_plotlyjs=True, config={"displaylogo": False, "responsive": True}
    )
    write_text(path, _PAGE.format(made=MADE, policy=POLICY, figure=drawn))
