"""What a person reads at the end of a study."""

from __future__ import annotations

import math
from collections.abc import Iterator

from rich.text import Text

from modelshelf.cli.layout import Column, command, grid
from modelshelf.cli.words import barcode_text, in_words, number, safe, typed
from modelshelf.space.configuration import Configuration
from modelshelf.study.result import StudyResult
from modelshelf.study.words import explained, label, tested

__all__ = ["result_lines"]


def result_lines(
    result: StudyResult,
    asked: str,
    shelf: str | None,
    module: str | None = None,
    width: int = 160,
) -> Iterator[Text | str]:
    """What a person reads at the end of a study, in lines of this width.

    `asked` is the command that began it; `shelf` and `module` are what `--shelf` and `--module`
    said, if they were said.
    """
    configuration = Configuration.from_json(result.winner.configuration)
    name = result.winner.barcode
    yield ""
    if result.reused:
        yield Text(
            "This study was finished before; here is its result. A longer --time or more "
            "--trials goes on with it.",
            style="yellow",
        )
    title = "Winner" if result.complete else "Best so far"
    yield (
        Text(f"{title}  ", style="bold")
        .append(name, style="bold green")
        .append("  ")
        .append(barcode_text(configuration))
    )
    yield in_words(result.winner.configuration)
    yield ""
    yield _scores(result, width)
    yield ""
    for sentence, caution in explained(result):
        yield Text(sentence, style="yellow") if caution else sentence
    yield safe(f"All of them are on the shelf {result.shelf}, in the study {result.study}.")
    yield ""
    if result.complete:
        yield from _next(result, shelf, module, width)
    else:
        yield command(asked, width, "To go on, type the same command again:  ")


def _next(result: StudyResult, shelf: str | None, module: str | None, width: int) -> Iterator[Text]:
    """What to type next."""
    name = result.winner.barcode[:9]
    yield command(typed("show", name, shelf=shelf), width, "Next  ")
    out = ("--out", "predictions.csv", *(("--module", module) if module else ()))
    yield command(typed("predict", name, "NEW.csv", *out, shelf=shelf), width, "      ")
    if result.ensemble is not None and result.ensemble.size > 1:
        whole = ("predict", "NEW.csv", "--ensemble", result.study)
        yield command(typed(*whole, *out, shelf=shelf), width, "      ")
    if result.bag is not None:
        whole = ("predict", "NEW.csv", "--bag", result.study)
        yield command(typed(*whole, *out, shelf=shelf), width, "      ")


def _scores(result: StudyResult, width: int) -> Text:
    winner = result.winner
    spread = f" ± {number(winner.validation_std)}" if math.isfinite(winner.validation_std) else ""
    test = tested(winner.test, winner.test_interval)
    rows = [("this network", number(winner.validation) + spread, test)]
    found = result.ensemble
    if found is not None and found.size > 1:
        test = tested(found.test, found.test_interval)
        rows.append((f"ensemble of {found.size} networks", number(found.validation), test))
    if result.bag is not None:
        test = tested(result.bag.test, result.bag.test_interval)
        rows.append((f"this network, {result.bag.size} folds", "–", test))
    rows += [(label(each), number(each.validation), number(each.test)) for each in result.baselines]
    columns = Column(result.metric), Column("validation"), Column("test")
    return grid(columns, rows, width, styles=("bold",))
