"""`modelshelf tokenise`: one text, step by step, to the numbers that a network is given."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

import typer

from modelshelf.cli.options import AsJson, make_console
from modelshelf.cli.words import json_line, safe
from modelshelf.core.errors import DataError, SettingError, nearest
from modelshelf.core.words import counted

if TYPE_CHECKING:
    from modelshelf.data.text.steps import Tokenised

__all__ = ["tokenise"]

_CHARACTERS, _SHOWN = 300, 24  # of a text, and of tokens, that are shown
_TOLD = 1_000  # tokens that the JSON holds; it says how many there are


def tokenise(
    text: Annotated[str, typer.Argument(help="What to take apart; in quotes.")],
    tokeniser: Annotated[
        str, typer.Option(help="whitespace, words, characters, words+characters or bpe.")
    ] = "words",
    lower: Annotated[bool, typer.Option(help="Read capital letters as small ones.")] = True,
    ngrams: Annotated[
        int, typer.Option(min=1, max=8, help="The longest run of words that is one feature.")
    ] = 2,
    character_ngrams: Annotated[
        int, typer.Option(min=1, max=16, help="The longest run of characters.")
    ] = 5,
    rows: Annotated[
        str | None, typer.Option(help="A table whose texts say which tokens are known, and rare.")
    ] = None,
    column: Annotated[str | None, typer.Option(help="Its column of text.")] = None,
    pieces: Annotated[int, typer.Option(min=1, help="How many pieces bpe learns.")] = 4_000,
    as_json: AsJson = False,
) -> None:
    """Take one text apart, step by step: tokens, features, ids, weights."""
    from modelshelf.data.text.steps import tokenise as take_apart

    found = take_apart(
        text,
        tokeniser=tokeniser,
        lower=lower,
        ngrams=ngrams,
        character_ngrams=character_ngrams,
        rows=_texts(rows, column),
        pieces=pieces,
    )
    if as_json:
        typer.echo(json_line(_told(found)))
        return
    console = make_console()
    for name, meaning, shown in _steps(found):
        console.print(safe(name), style="bold cyan", end="  ")
        console.print(safe(meaning), style="dim")
        console.print(safe(f"  {shown}"))


def _texts(rows: str | None, column: str | None) -> list[str] | None:
    if rows is None:
        if column is not None:
            raise SettingError("--column names a column of --rows FILE: give both.")
        return None
    from modelshelf.data.read import read_table

    frame = read_table(rows).frame
    if column is None:
        raise SettingError(f"Name the column of text: --column, {nearest('', frame.columns)}")
    if column not in frame.columns:
        raise DataError(f"There is no column {column!r}: {nearest(column, frame.columns)}")
    return [str(each) for each in frame[column].drop_nulls().to_list()]


def _steps(found: Tokenised) -> list[tuple[str, str, str]]:
    """Each step's name, what it does, and what came of it, shortened."""
    settings = found.settings
    size = f"{counted(len(found.raw), 'character')}, {counted(len(found.raw.encode()), 'byte')}"
    case = ", small letters" if settings.lower else ""
    rest = ", the first 100,000 characters" if found.cut else ""
    source = f"from {counted(found.rows, 'row')}" if found.rows else "from this text alone"
    several = sum(n for _, n in found.features)
    return [
        ("raw", f"what was written: {size}", _quoted(found.raw)),
        ("normalised", f"one form for what looks alike, single spaces{case}{rest}",
         _quoted(found.normalised)),
        ("tokens", f"{_HOW[settings.tokeniser]}: {len(found.tokens):,}", _listed(found.tokens)),
        ("features", f"{_runs(found)}: {len(found.features):,} different ones of {several:,}",
         _listed([f"{name} ×{n}" if n > 1 else name for name, n in found.features])),
        ("ids", f"each token's number in a vocabulary {source}; 1 is unknown. A network with "
         "network = text reads these", " ".join(map(str, found.ids[:_SHOWN])) or "nothing"),
        ("weights", f"1 + log of the count, times how rare a feature is {source}, to one length; "
         "with text = bag, idf = yes a network is given these",
         _listed([f"{name} {weight:.2f}" for name, weight in found.weights])),
    ]  # fmt: skip


_HOW = {
    "whitespace": "cut at spaces",
    "words": "words, and signs apart",
    "characters": "single characters",
    "words+characters": "words, and signs apart",
    "bpe": "pieces that were learned from the rows; ▁ is a space",
}


def _runs(found: Tokenised) -> str:
    settings = found.settings
    words = f"runs of up to {counted(settings.word_ngrams, 'token')}"
    letters = f"runs of up to {counted(settings.character_ngrams, 'character')} within words"
    both = {"characters": letters, "words+characters": f"{words}, and {letters}"}
    return both.get(settings.tokeniser, words)


def _quoted(text: str) -> str:
    if not text:
        return "nothing"
    shown = text[:_CHARACTERS].replace("\r", "").replace("\n", "⏎")
    return shown if len(text) <= _CHARACTERS else f"{shown}…"


def _listed(names: list[str] | tuple[str, ...]) -> str:
    more = f" │ … and {len(names) - _SHOWN:,} more" if len(names) > _SHOWN else ""
    return " │ ".join(names[:_SHOWN]) + more if names else "nothing"


def _told(found: Tokenised) -> dict[str, Any]:
    return {
        "characters": len(found.raw),
        "bytes": len(found.raw.encode()),
        "normalised": found.normalised[:_TOLD],
        "tokens": found.tokens[:_TOLD],
        "token_count": len(found.tokens),
        "ids": found.ids[:_TOLD],
        "features": found.features[:_TOLD],
        "feature_count": len(found.features),
        "weights": found.weights[:_TOLD],
        "rows": found.rows,
    }
