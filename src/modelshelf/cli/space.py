"""A space, printed back in words."""

from __future__ import annotations

from collections.abc import Iterator

from rich.text import Text

from modelshelf.cli.layout import Column, grid
from modelshelf.space.space import Space
from modelshelf.space.told import Told, told

__all__ = ["space_lines", "space_table"]


def space_lines(space: Space) -> Iterator[str]:
    """A line for each thing that a space says otherwise than usual."""
    lines = [each for each in told(space) if each.how != "usual"]
    if not lines:
        yield "the search: as usual"
        return
    for each in lines:
        where = f"where {each.where}: " if each.where else ""
        yield f"the search: {where}{each.name} {each.how}: {each.words}; {_before(each)}"
    yield "the search: all else as usual"


def space_table(space: Space, where: str, width: int) -> Text:
    """What a space says in one of its cases, or in general where `where` is empty."""
    columns = Column("name"), Column("how"), Column("what is searched", wraps=True)
    rows = []
    for each in told(space):
        if each.where == where:
            before = "" if each.how == "usual" else f"; {_before(each)}"
            how = Text(each.how, "dim")
            rows.append((Text(f"  {each.name}", "cyan"), how, each.words + before))
    return grid(columns, rows, width)


def _before(each: Told) -> str:
    return f"elsewhere {each.usual}" if each.where else f"usually {each.usual}"
