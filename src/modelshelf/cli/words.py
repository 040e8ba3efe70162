"""Sentences and small drawings for the terminal."""

from __future__ import annotations

import math
import shlex
import unicodedata
from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from rich.table import Table
from rich.text import Text

from modelshelf.core.records import Baseline, CurvePoint, Direction, Ensemble
from modelshelf.space.barcode import stripes
from modelshelf.space.configuration import Configuration
from modelshelf.study.pareto import Prefer

if TYPE_CHECKING:
    from modelshelf.study.result import StudyResult

__all__ = [
    "barcode_text",
    "chart",
    "finite",
    "in_words",
    "number",
    "result_lines",
    "safe",
    "short",
    "typed",
]

_ACTIVATIONS = {"relu": "ReLU", "leaky_relu": "leaky ReLU", "gelu": "GELU", "silu": "SiLU",
                "mish": "Mish", "selu": "SELU"}  # fmt: skip
_OPTIMIZERS = {"sgd": "SGD", "momentum": "SGD with momentum", "rmsprop": "RMSprop", "adam": "Adam",
               "nesterov": "SGD with Nesterov's momentum", "adagrad": "Adagrad",
               "adamw": "AdamW"}  # fmt: skip
_SCHEDULES = {"step": "falling in steps", "cosine": "falling along a cosine",
              "one_cycle": "in one cycle", "coslog": "in four cycles"}  # fmt: skip
_COUNTS = ("no", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine")
_HUES = {
    "structure": "cyan",
    "training": "magenta",
    "regularisation": "yellow",
    "preparation": "green",
}
_BARS = "▏▎▍▌▋▊▉"  # none fills its cell, so that stripes stay apart


def safe(text: object) -> Text:
    """Text from data, shown as it is: no markup is obeyed, and no control character is sent."""
    shown = (
        c if c == "\n" or unicodedata.category(c) not in ("Cc", "Cf") else "�" for c in str(text)
    )
    return Text("".join(shown))


def number(value: float | None, digits: int = 4) -> str:
    """A score: four digits after the point, or four significant ones from 10 on; – if unknown.

    >>> number(0.97222), number(49030.2), number(float("nan"))
    ('0.9722', '49,030', '–')
    """
    if value is None or not math.isfinite(value):
        return "–"
    if abs(value) < 10:
        return f"{value:.{digits}f}"
    return f"{value:,.{max(digits - 1 - math.floor(math.log10(abs(value))), 0)}f}"


def short(configuration: Configuration) -> str:
    """A configuration in a few words, such as `128×128 relu · adam 0.002 · batch 64`."""
    layers = "×".join(map(str, configuration.hidden_layers)) or "linear"
    activation = f" {configuration['activation']}" if "activation" in configuration else ""
    return (
        f"{layers}{activation} · {configuration['optimizer']} "
        f"{configuration.number('learning_rate'):g} · batch {configuration['batch_size']}"
    )


def in_words(settings: Mapping[str, object]) -> str:
    """A configuration as a sentence."""
    c = Configuration.from_json(settings)
    widths = c.hidden_layers
    if not widths:
        body = "A linear model (no hidden layer)"
    else:
        same = len(set(widths)) == 1
        sizes = str(widths[0]) if same else ", ".join(map(str, widths))
        count = _COUNTS[len(widths)] if len(widths) < len(_COUNTS) else str(len(widths))
        plural = "s" if len(widths) > 1 else ""
        body = (
            f"{count.capitalize()} hidden layer{plural} of {sizes} "
            f"{_ACTIVATIONS.get(word := c.word('activation'), word)} units"
        )
    held = [f"dropout {c.number('dropout'):g}"] if "dropout" in c else []
    held += [f"{name.upper()} {c.number(name):g}" for name in ("l1", "l2") if name in c]
    names = {
        "weight_decay": "weight decay",
        "label_smoothing": "label smoothing",
        "input_dropout": "dropout of inputs",
    }
    held += [f"{words} {c.number(name):g}" for name, words in names.items() if name in c]
    course = f" {_SCHEDULES[c.word('schedule')]}" if "schedule" in c else ""
    against = f", held back by {' and '.join(held)}" if held else ", with no penalty or dropout"
    return (
        f"{body}, trained by {_OPTIMIZERS[c.word('optimizer')]} at a learning rate of "
        f"{c.number('learning_rate'):g}{course} in batches of {c.whole('batch_size')}{against}; "
        f"inputs scaled the {c.word('scaling')} way{_encoded(c)}."
    )


def _encoded(c: Configuration) -> str:
    found = ["numbers encoded by learned cosines"] if "numeric_encoding" in c else []
    if "category_embedding" in c:
        found.append(f"categories by {c.whole('category_embedding')} learned numbers")
    return f", {' and '.join(found)}" if found else ""


def barcode_text(configuration: Configuration) -> Text:
    """The barcode's stripes: one for each active hyperparameter, wider further up its domain."""
    text = Text()
    for stripe in stripes(configuration):
        bar = _BARS[min(int(stripe.position * len(_BARS)), len(_BARS) - 1)]
        text.append(bar, style=_HUES[stripe.group])
    return text


def chart(points: Sequence[CurvePoint], width: int = 60, height: int = 10) -> list[Text]:
    """Training and validation loss over epochs, drawn with characters."""
    series = {
        "·": [(p.epoch, p.train_loss) for p in points if math.isfinite(p.train_loss)],
        "●": [(p.epoch, p.validation_loss) for p in points if math.isfinite(p.validation_loss)],
    }
    values = [y for each in series.values() for _, y in each]
    if not values:
        return [Text("no finite loss to draw")]
    low, high = min(values), max(values)
    # Where losses span decades, the first epochs would flatten all others: use a log scale.
    bend = math.log if low > 0 and high > 20 * low else float
    top, span = bend(high), (bend(high) - bend(low)) or 1.0
    first, last = points[0].epoch, points[-1].epoch
    grid = [[" "] * width for _ in range(height)]
    for mark, each in series.items():
        for x, y in each:
            column = round((x - first) / max(last - first, 1) * (width - 1))
            row = round((top - bend(y)) / span * (height - 1))
            grid[row][column] = mark
    lines = []
    for i, row_marks in enumerate(grid):
        label = number(high) if i == 0 else number(low) if i == height - 1 else ""
        line = Text(f"{label:>10} │")
        for mark in row_marks:
            line.append(mark, style="cyan" if mark == "●" else "dim")
        lines.append(line)
    lines.append(Text(f"{'':>10} └" + "─" * width))
    lines.append(Text(f"{'':>11} epoch {first}{'':>{max(width - 18, 1)}}epoch {last}"))
    scale = "   (log scale)" if bend is math.log else ""
    held = "● validation loss   " if series["●"] else ""
    lines.append(Text(f"{'':>11} {held}· training loss{scale}"))
    return lines


def finite(value: Any) -> Any:
    """The value as JSON may hold it: what is NaN or infinite becomes null."""
    if isinstance(value, float) and not math.isfinite(value):
        return None
    if isinstance(value, dict):
        return {key: finite(each) for key, each in value.items()}
    if isinstance(value, (list, tuple)):
        return [finite(each) for each in value]
    return value


def typed(*words: str, shelf: str | None) -> str:
    """A command that a person can type as it stands, on the same shelf."""
    return shlex.join(["modelshelf", *words, *(["--shelf", shelf] if shelf else [])])


def result_lines(
    result: StudyResult, command: str, shelf: str | None
) -> Iterator[Text | Table | str]:
    """What a person reads at the end of a study; `shelf` is what `--shelf` said, if it was said."""
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
    yield from _explained(result)
    yield ""
    if result.complete:
        show = typed("show", name[:9], shelf=shelf)
        predict = typed("predict", name[:9], "NEW.csv", "--out", "predictions.csv", shelf=shelf)
        yield Text("Next  ", style="bold").append(show)
        yield f"      {predict}"
        if result.ensemble is not None and result.ensemble.size > 1:
            whole = ("predict", "NEW.csv", "--ensemble", result.study)
            yield f"      {typed(*whole, '--out', 'predictions.csv', shelf=shelf)}"
    else:
        yield Text("To go on, type the same command again:  ", style="bold").append(command)


def _scores(result: StudyResult) -> Table:
    winner = result.winner
    table = Table(box=None, padding=(0, 3, 0, 0), header_style="dim")
    table.add_column(result.metric)
    table.add_column("validation")
    table.add_column("test")
    spread = f" ± {number(winner.validation_std)}" if math.isfinite(winner.validation_std) else ""
    test = _tested(winner.test, winner.test_interval)
    table.add_row("this network", number(winner.validation) + spread, test, style="bold")
    found = result.ensemble
    if found is not None and found.size > 1:
        test = _tested(found.test, found.test_interval)
        table.add_row(f"ensemble of {found.size} networks", number(found.validation), test)
    for each in result.baselines:
        table.add_row(_label(each), number(each.validation), number(each.test))
    return table


def _tested(score: float | None, interval: tuple[float, float] | None) -> str:
    if interval is None:
        return number(score)
    return f"{number(score)}  (95 %: {number(interval[0])} to {number(interval[1])})"


def _together(found: Ensemble, metric: str) -> str:
    """What an ensemble costs, and where its score comes from."""
    if found.size == 1:
        return (
            f"No ensemble of the best {found.candidates} networks did better than one of them "
            "alone, on rows that did not choose it."
        )
    size = found.parameters / max(found.winner_parameters, 1)
    seconds = f"{1000 * found.seconds:.3g} ms against {1000 * found.winner_seconds:.3g} ms"
    return (
        f"The ensemble's validation score comes from rows that did not choose it (the best "
        f"network alone, judged so: {metric} {number(found.single)}). It has {size:,.3g} times "
        f"the winner's weights, and takes {seconds} to answer 1,000 rows."
    )


def _explained(result: StudyResult) -> Iterator[Text | str]:
    trials, winner = result.trials, result.winner
    if winner.retests:
        refit = "; it was then trained again on all but the test rows" if winner.refitted else ""
        splits = "a fresh split" if winner.retests == 1 else f"{winner.retests} fresh splits"
        yield (
            f"Its validation score is that on {splits}, whose rows had no part in choosing it"
            f"{refit}."
        )
    elif not result.complete:
        yield "Its validation score is the best of many, and so too good: it was not re-tested yet."
    if result.ensemble is not None:
        yield _together(result.ensemble, result.metric)
    if result.complete:
        yield from _preferred(result)
    ahead = _ahead(result)
    if ahead is not None:
        yield Text(
            f"{_label(ahead, start=True)} scores better on the test rows: "
            f"{number(ahead.test)} against {number(winner.test)}. "
            "It may be the better choice here.",
            style="yellow",
        )
    for note in result.notes:
        yield Text(note, style="yellow")
    if result.complete:
        yield from _more_time(result)
    yield (
        f"{trials['started']} networks started: {trials['finished']} trained to their end, "
        f"{trials['stopped']} stopped early, {trials['diverged']} diverged, "
        f"{trials['failed']} failed. "
        f"{result.member_steps:,} steps in {result.seconds['total']:.1f} s."
    )
    yield (
        Text("All of them are on the shelf ")
        .append(str(result.shelf))
        .append(f", in the study {result.study}.")
    )


def _preferred(result: StudyResult) -> Iterator[str]:
    """What was given for a small or fast network, where one was asked for."""
    if result.prefer is Prefer.BEST:
        return
    cheap = "smaller" if result.prefer is Prefer.SMALL else "faster"
    traded = result.traded
    if traded is None:
        yield f"No {cheap} finalist scores alike within the noise: the best one is the winner."
        return
    what = ("parameters", "multiply-adds a row")[result.prefer is Prefer.FAST]
    small = result.prefer is Prefer.SMALL
    mine, its = traded.parameters if small else traded.multiply_adds
    lost = result.winner.validation - traded.validation
    if result.direction is Direction.MAXIMIZE:
        lost = -lost
    price = f"for {number(lost)} of {result.metric}" if lost > 0.0 else "at no loss of score"
    yield (
        f"Chosen for being {cheap}: {mine:,} {what}, {100 * mine / its:.0f} % of the {its:,} of "
        f"the best one ({traded.barcode[:9]}), {price}: within the noise of their re-tests."
    )


def _more_time(result: StudyResult) -> Iterator[str]:
    """What more of the budget should buy."""
    found, what = result.more_time, "time" if result.timed else "number of networks"
    if found is None:
        yield f"Too few networks were trained to say what twice the {what} would buy."
    elif found.measurable:
        yield (
            f"Twice the {what} is expected to improve {result.metric} by about "
            f"{_about(found.gain)} (from {number(result.winner.validation)})."
        )
    else:
        noise = f" (± {_about(found.noise)})" if math.isfinite(found.noise) else ""
        yield (
            f"Twice the {what} is expected to improve {result.metric} by less than can be told "
            f"from noise{noise}."
        )


def _about(value: float) -> str:
    """One digit of an estimate that has no more.

    >>> _about(0.00123), _about(523.4), _about(0.0)
    ('0.001', '500', '0')
    """
    if value == 0.0:
        return "0"
    digits = -math.floor(math.log10(abs(value)))
    return f"{round(value, digits):,.{max(digits, 0)}f}"


def _label(baseline: Baseline, start: bool = False) -> str:
    """What a baseline is called, in a table or at the start of a sentence."""
    if baseline.name == "linear":
        return "The linear model" if start else "linear model"
    return baseline.name.capitalize() if start else baseline.name


def _ahead(result: StudyResult) -> Baseline | None:
    """The best baseline, if it beats the winner on the test rows."""
    sign = 1.0 if result.direction is Direction.MAXIMIZE else -1.0
    tested = [each for each in result.baselines if each.test is not None]
    best = max(tested, key=lambda each: sign * (each.test or 0.0), default=None)
    mine = result.winner.test
    if best is None or best.test is None or mine is None or sign * best.test <= sign * mine:
        return None
    return best
