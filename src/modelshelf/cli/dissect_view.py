"""A network taken apart, for the terminal: layers, columns, one row."""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import TYPE_CHECKING

from rich.text import Text

from modelshelf.cli.layout import Column, grid
from modelshelf.cli.words import number, safe
from modelshelf.core.words import counted

if TYPE_CHECKING:
    from modelshelf.insight.dissection import Dissection, Flow, Layer, RowLook

__all__ = ["columns_table", "layers_table", "row_lines"]

_MOST = 20  # lines of columns
_BAR = 24  # characters


def layers_table(found: Dissection, width: int) -> Text:
    """Two lines a layer: as it was drawn, and as it was trained."""
    trained = [each.trained for each in found.layers]
    zeros = any(each.zeros > 0 for each in trained[1:])
    saturated = any(each.saturated is not None for each in trained)
    columns = [Column("layer"), Column("shape", drop=6), Column("")]
    columns += [Column("outputs", right=True, drop=1)]
    columns += [Column("zero", right=True, drop=5)] * zeros
    columns += [Column("flat", right=True, drop=4)] * saturated
    columns += [Column("dead", right=True), Column("∇ sums", right=True, drop=2)]
    columns += [Column("∇ weights", right=True, drop=7), Column("norm", right=True, drop=8)]
    columns += [Column("a step", right=True, drop=3)]
    rows: list[tuple[str, ...]] = []
    for i, each in enumerate(found.layers):
        shape = f"{each.inputs} × {each.units}" if i else counted(each.units, "input")
        size = counted(each.parameters, "weight")
        rows.append((each.name, shape, "drawn", *_flow(each, each.initial, zeros, saturated)))
        rows.append(("", size, "trained", *_flow(each, each.trained, zeros, saturated)))
    return grid(columns, rows, width, styles=["dim", ""] * len(found.layers))


def _flow(layer: Layer, flow: Flow, zeros: bool, saturated: bool) -> Iterator[str]:
    yield f"{flow.mean:.2g} ± {flow.std:.2g}"
    if zeros:
        yield f"{flow.zeros:.0%}"
    if saturated:
        yield "" if flow.saturated is None else f"{flow.saturated:.0%}"
    yield "" if flow.dead is None else f"{flow.dead}/{layer.units * layer.members}"
    yield f"{flow.gradient:.2g}"
    yield _short(flow.weight_gradient)
    yield _short(flow.weight)
    share = 100 * flow.ratio
    yield "–" if math.isnan(share) else f"{share:,.0f} %" if share >= 100 else f"{share:.2g} %"


def columns_table(found: Dissection, width: int) -> Text:
    """What the score loses without each column, with bars."""
    worth = found.importance
    columns = (
        Column("column"),
        Column(f"{worth.metric} worse by", right=True),
        Column("±", right=True, drop=1),
        Column("", drop=2),
    )
    most = max((each.drop for each in worth.columns), default=0.0)
    rows: list[tuple[str | Text, ...]] = [
        (safe(_cut(each.column, 40)), number(each.drop), number(each.std), _bar(each.drop, most))
        for each in worth.columns[:_MOST]
    ]
    if len(worth.columns) > _MOST:
        rows.append((Text(f"and {len(worth.columns) - _MOST} more", style="dim"), "", "", ""))
    return grid(columns, rows, width)


def row_lines(row: RowLook, width: int) -> Iterator[Text | str]:
    """One row: its answer, its way through the layers, and what each column adds."""
    yield Text(f"Row {row.row}", style="bold").append(f"  ({row.part})", style="dim")
    said = safe(f"Answer {row.answer}")
    if row.probabilities:
        top = sorted(row.probabilities, key=lambda each: -each[1])[:3]
        said += safe(f" ({', '.join(f'{name} {share:.1%}' for name, share in top)})")
    truth = "the table does not say" if row.truth is None else row.truth
    yield said + safe(f"; truth {truth}; loss {number(row.loss)}.")
    yield ""
    columns = (
        Column("layer"),
        Column("outputs"),
        Column("zero", drop=1),
        Column("strongest units", drop=2),
    )
    rows = []
    for each in row.layers:
        strongest = ", ".join(f"{unit}: {_short(value)}" for unit, value in each.strongest)
        outputs = f"{_short(each.mean)} ± {_short(each.std)}"
        rows.append((each.name, outputs, f"{each.zeros:.0%}", strongest))
    yield grid(columns, rows, width)
    yield ""
    yield _attributed(row, width)
    found = row.attribution
    gap = found.output - found.baseline
    yield safe(
        f"Integrated gradients of the {found.what}: {number(found.output)} here, "
        f"{number(found.baseline)} at the mean of the training rows. The amounts come to "
        f"{number(gap + found.error)}, and should to {number(gap)} (error {found.error:.1e}, "
        f"{counted(found.steps, 'step')})."
    )


def _attributed(row: RowLook, width: int) -> Text:
    columns = (
        Column("column"),
        Column("value", drop=1),
        Column("as an input", drop=3),
        Column("adds"),
        Column("", drop=2),
    )
    values, found = dict(row.values), row.attribution
    most = max((abs(amount) for _, amount in found.columns), default=0.0)
    rows = []
    for column, amount in found.columns[:_MOST]:
        sign = "+" if amount >= 0 else "−"
        bar = Text(_bar(abs(amount), most), style="green" if amount >= 0 else "red")
        prepared = safe(_cut(_prepared(row, column), 22))
        value = safe(_cut(values.get(column, ""), 22))
        rows.append((safe(_cut(column, 22)), value, prepared, f"{sign}{number(abs(amount))}", bar))
    return grid(columns, rows, width)


def _prepared(row: RowLook, column: str) -> str:
    """A column's inputs: numbers as they are, of categories the one that is on."""
    own = [(name, value) for of, name, value in row.prepared if of == column]
    switches = [each for each in own if each[0].startswith(f"{column} ")]
    told = [_short(value) for name, value in own if name == column]
    if switches:
        name, value = max(switches, key=lambda each: each[1])
        if value > 0:
            told.append(f"{name.removeprefix(column).strip()}: {_short(value)}")
    return ", ".join(told)


def _short(value: float) -> str:
    """Three digits of a number, whatever its size."""
    return "–" if math.isnan(value) else f"{value:.3g}"


def _bar(value: float, most: float) -> str:
    return "█" * round(_BAR * max(value, 0.0) / most) if most > 0 else ""


def _cut(text: str, most: int) -> str:
    return text if len(text) <= most else text[: most - 1] + "…"
