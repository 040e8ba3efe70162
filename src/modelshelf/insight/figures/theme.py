"""What all figures share: colours that the colour-blind tell apart, and a quiet frame."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

from modelshelf.core.errors import DataError

__all__ = [
    "BAD",
    "COLOURS",
    "GOOD",
    "GRID",
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


def page_name(path: Path | None) -> None:
    """Raise `DataError` where a figure cannot bear this name: before any work is done for it."""
    if path is not None and path.suffix.lower() != ".html":
        raise DataError(f"--figure {str(path)!r}: expected a file name that ends in .html.")
    if path is not None and not os.access(path.parent, os.W_OK):
        raise DataError(
            f"--figure {str(path)!r}: there is no folder {str(path.parent)!r} to write to."
        )


def write(figure: Any, path: Path) -> None:
    """Write a figure as a page that works offline. Raises `DataError` where it cannot be."""
    page_name(path)
    try:
        figure.write_html(path, include_plotlyjs=True, config={"displaylogo": False})
    except OSError as error:
        raise DataError(f"The figure cannot be written to {str(path)!r}: {error}.") from None
