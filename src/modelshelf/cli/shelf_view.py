"""Studies, and the networks of one, in lines for the terminal."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from rich.text import Text

from modelshelf.cli.layout import Column, grid
from modelshelf.cli.show_objective import parameters_in_words
from modelshelf.cli.words import barcode_text, number, safe, short
from modelshelf.core.records import Purpose, TrialRecord
from modelshelf.core.words import counted
from modelshelf.space.configuration import Configuration

if TYPE_CHECKING:
    from modelshelf.shelf import Shelf, StudyRecord

__all__ = ["networks_lines", "studies_table"]

#: Copies of a network that is there already, judged by rows of their own, or by none.
_AGAIN = (Purpose.RETEST, Purpose.CONFIRM, Purpose.REFIT)


def studies_table(studies: Sequence[StudyRecord], opened: Shelf, width: int) -> Text:
    """A row for each study, with its winner and the winner's honest scores."""
    columns = (
        Column("study"),
        Column("networks", right=True, drop=1),
        Column("winner"),
        Column("metric", drop=2),
        Column("test", right=True),
        Column("validation", right=True, drop=3),
        Column("task", drop=4),
        Column("begun (UTC)", drop=5),
    )
    rows = []
    for each in studies:
        winner = each.winner
        rows.append(
            (
                safe(each.name),
                f"{_networks_of(each, opened):,}",
                winner.get("barcode", f"({each.status})"),
                each.metric,
                number(winner.get("test")),
                number(winner.get("validation")),
                each.task.value,
                each.created[:16].replace("T", " "),
            )
        )
    return grid(columns, rows, width)


def _networks_of(study: StudyRecord, opened: Shelf) -> int:
    """How many networks its search started; without a search, what was trained by name."""
    return sum(opened.counts(study.name).values()) or len(_once(opened.trials(study.name)))


def networks_lines(
    trials: Sequence[TrialRecord], study: StudyRecord, limit: int, width: int, *, everything: bool
) -> Iterator[Text]:
    """The networks of a study in this order, the winner marked, and how to see the others.

    Without `everything`, a configuration has one row, and what was trained only to judge or to use
    it has none: a re-test's score is of other rows, and not to be held against the search's.
    """
    listed = list(trials) if everything else _once(trials)
    winner = study.winner.get("barcode", "")
    shown = listed[:limit] if limit > 0 else listed
    if not any(each.barcode == winner for each in shown):
        shown = shown[: max(limit - 1, 0)] + [t for t in listed if t.barcode == winner][:1]
    yield _networks(shown, study, winner, width, everything=everything)
    for line in _told(study, winner, everything=everything):
        yield Text(line, style="dim")
    if len(listed) > len(shown):
        more = counted(len(listed) - len(shown), "more network")
        yield Text(f"{more}: --limit 0 lists all.", style="dim")
    if len(trials) > len(listed):
        more = counted(len(trials) - len(listed), "re-test or copy", "re-tests and copies")
        yield Text(f"{more} of these besides: --all lists them too.", style="dim")
    yield Text("Take one down: modelshelf show BARCODE", style="dim")


def _told(study: StudyRecord, winner: str, *, everything: bool) -> Iterator[str]:
    """What is marked, and what the scores of the list are."""
    if winner:
        yield "★ is the winner: its own scores stand above."
    if study.is_objective:
        return
    if everything:
        yield (
            f"{study.metric}: each on the rows that judged it. Those of a search, of a re-test and "
            "of a confirmation are different rows: compare like with like."
        )
    else:
        yield (
            f"{study.metric}: on the study's validation rows, which also chose the best epoch. Of "
            "many networks the best score is too good."
        )


def _once(trials: Sequence[TrialRecord]) -> list[TrialRecord]:
    """The first network of each configuration, of those that were trained to be compared."""
    first: dict[str, TrialRecord] = {}
    for each in trials:
        if each.purpose not in _AGAIN:
            first.setdefault(each.barcode, each)
    return list(first.values())


def _networks(
    trials: Sequence[TrialRecord], study: StudyRecord, winner: str, width: int, *, everything: bool
) -> Text:
    objective = study.is_objective
    columns = (
        Column(""),
        Column("barcode"),
        Column(study.metric, right=True),
        Column("loss", right=True, drop=3),
        Column("epochs", right=True, drop=4),
        Column("for", drop=2),
        Column("status", drop=5),
        Column("weights", right=True, drop=6),
        Column("stripes", drop=8),
        Column("what", drop=1 if objective else 7),
    )
    rows = []
    for each in trials:
        made = Configuration.from_json(each.configuration)
        rows.append(
            (
                "★" if each.barcode == winner else "",
                each.barcode,
                number(each.score),
                number(each.loss),
                f"{each.epoch}",
                each.purpose.value,
                each.status.value,
                f"{each.parameters:,}",
                barcode_text(made),
                parameters_in_words(made) if objective else short(made),
            )
        )
    several = everything or len({each.purpose for each in trials}) > 1
    kept = [i for i, column in enumerate(columns) if several or column.head != "for"]
    styles = ["bold green" if row[0] else "" for row in rows]
    return grid([columns[i] for i in kept], [[row[i] for i in kept] for row in rows], width, styles)
