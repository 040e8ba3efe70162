"""A report as one page of HTML that works offline, or as Markdown."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from modelshelf.core.errors import DataError, ShelfError
from modelshelf.core.files import MADE, refuse, write_text
from modelshelf.core.words import number, printable
from modelshelf.insight.figures.explanation import (
    effect_figure,
    importance_figure,
    interaction_figure,
)
from modelshelf.insight.figures.study import curve_figure, scores_figure, tried_figure
from modelshelf.insight.figures.theme import POLICY, html
from modelshelf.reports.story import Story, story_of
from modelshelf.space.configuration import Configuration
from modelshelf.space.words import short
from modelshelf.study.words import label, tested

__all__ = ["as_html", "as_markdown", "report"]

_EFFECTS = 6
_SPECIAL = re.compile(r"([\\`*_\[\]<>#|~])")


def report(
    study: str, out: str | Path, shelf: str | Path | None = None, *, force: bool = False
) -> Path:
    """Write a study's report to a `.html` or a `.md` file: its name, or how it begins.

    Nothing is trained and no rows are read. Raises `ShelfError` where there is no such study, or
    the file cannot be written; or is there already and no report, unless `force` replaces it.
    """
    out = Path(out)
    makers = {".html": as_html, ".htm": as_html, ".md": as_markdown}
    if out.suffix.lower() not in makers:
        raise ShelfError(f"{str(out)!r}: expected a file name that ends in .html or .md.")
    try:
        refuse(out, force=force)
        write_text(out, makers[out.suffix.lower()](story_of(study, shelf)))
    except DataError as error:
        raise ShelfError(str(error)) from None
    return out


def as_html(story: Story) -> str:
    """The story as one page: no script, style, picture or font comes from elsewhere."""
    from markupsafe import Markup

    figures = {name: Markup(piece) for name, piece in _pieces(story)}  # noqa: S704
    drawn = Markup(story.drawn)  # noqa: S704 - both are of our own making, names in them escaped
    return _rendered("page.html.j2", story=story, figures=figures, barcode=drawn)


def as_markdown(story: Story) -> str:
    """The story as Markdown, with tables in the place of figures."""
    return _rendered("page.md.j2", story=story)


def _rendered(name: str, **told: Any) -> str:
    """A template filled in; all that is told is escaped, for HTML or for Markdown."""
    from jinja2 import Environment, PackageLoader, StrictUndefined, select_autoescape

    environment = Environment(
        loader=PackageLoader("modelshelf.reports", ""),
        autoescape=select_autoescape(enabled_extensions=("html.j2",)),
        undefined=StrictUndefined,
        finalize=_printable if name.endswith("html.j2") else _plain,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.globals.update(
        made=MADE,
        policy=POLICY,
        number=number,
        label=label,
        tested=tested,
        short=lambda settings: short(Configuration.from_json(settings)),
    )
    uses = told["story"].study.test_uses
    told["times"] = "once" if uses == 1 else f"{uses} times"
    page: str = environment.get_template(name).render(**told)
    return page


def _printable(value: Any) -> Any:
    """What is told, without characters that steer a terminal."""
    if not isinstance(value, str):
        return value
    return type(value)(printable(value, instead=""))  # what was marked as safe stays so


def _plain(told: Any) -> str:
    """What is told, in Markdown: on one line, with nothing in it that Markdown would obey."""
    from markupsafe import Markup

    if isinstance(told, Markup):
        return printable(told, instead="")
    return _SPECIAL.sub(r"\\\1", " ".join(printable(str(told), instead="").split()))


def _pieces(story: Story) -> Iterator[tuple[str, str]]:
    """The page's figures by name; the first holds Plotly's script."""
    library = True
    for name, figure in _figures(story):
        yield name, html(figure, library=library)
        library = False


def _figures(story: Story) -> Iterator[tuple[str, Any]]:
    result, found = story.result, story.explanation
    if result is not None:
        scored = scores_figure(result.metric, result.winner, result.ensemble, result.baselines)
        yield "scores", scored
    if found is not None and found.importances:
        yield "importances", importance_figure(found)
        sure = [each for each in found.importances if each.sure]
        for each in sure[:_EFFECTS]:
            yield f"effect {each.name}", effect_figure(each)
        for pair in found.interactions[:1]:
            yield "interaction", interaction_figure(pair)
    if story.curve and story.learned is not None:
        yield "curve", curve_figure(story.curve, story.learned.best_epoch)
    if story.trials:
        yield "tried", tried_figure(story.study.metric, story.trials)
