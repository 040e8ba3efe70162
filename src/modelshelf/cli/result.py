"""What a person reads at the end of a study."""

from __future__ import annotations

import math
from collections.abc import Iterator

from rich.table import Table
from rich.text import Text

from modelshelf.cli.words import barcode_text, in_words, number, safe, typed
from modelshelf.space.configuration import Configuration
from modelshelf.study.result import StudyResult
from modelshelf.study.words import explained, label, tested

__all__ = ["result_lines"]


def result_lines(
    result: StudyResult, command: str, shelf: str | None, module: str | None = None
) -> Iterator[Text | Table | str]:
    """What a person reads at the end of a study.

    `shelf` and `module` are what `--shelf` and `--module` said, if they were said.
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
    yield _scores(result)
    yield ""
    for sentence, caution in explained(result):
        yield Text(sentence, style="yellow") if caution else sentence
    yield safe(f"All of them are on the shelf {result.shelf}, in the study {result.study}.")
    yield ""
    if result.complete:
        show = typed("show", name[:9], shelf=shelf)
        out = ("--out", "predictions.csv", *(("--module", module) if module else ()))
        predict = typed("predict", name[:9], "NEW.csv", *out, shelf=shelf)
        yield Text("Next  ", style="bold").append(show)
        yield f"      {predict}"
        if result.ensemble is not None and result.ensemble.size > 1:
            whole = ("predict", "NEW.csv", "--ensemble", result.study)
            yield f"      {typed(*whole, *out, shelf=shelf)}"
    else:
        yield Text("To go on, type the same command again:  ", style="bold").append(command)


def _scores(result: StudyResult) -> Table:
    winner = result.winner
    table = Table(box=None, padding=(0, 3, 0, 0), header_style="dim")
    table.add_column(result.metric)
    table.add_column("validation")
    table.add_column("test")
    spread = f" ± {number(winner.validation_std)}" if math.isfinite(winner.validation_std) else ""
    test = tested(winner.test, winner.test_interval)
    table.add_row("this network", number(winner.validation) + spread, test, style="bold")
    found = result.ensemble
    if found is not None and found.size > 1:
        test = tested(found.test, found.test_interval)
        table.add_row(f"ensemble of {found.size} networks", number(found.validation), test)
    for each in result.baselines:
        table.add_row(label(each), number(each.validation), number(each.test))
    return table
