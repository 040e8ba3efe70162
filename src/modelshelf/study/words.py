"""What a study found, in sentences."""

from __future__ import annotations

import math
from collections.abc import Iterator

from modelshelf.core.records import Baseline, Direction, Ensemble
from modelshelf.core.words import counted, number
from modelshelf.study.pareto import Prefer
from modelshelf.study.result import StudyResult

__all__ = ["explained", "label", "tested"]

#: What cores are at work for, in words.
_SPENT = {"search": "search", "retests": "re-tests and scoring", "baselines": "baselines"}


def tested(score: float | None, interval: tuple[float, float] | None) -> str:
    """A score on test rows, with its interval where there is one."""
    if interval is None:
        return number(score)
    return f"{number(score)}  (95 %: {number(interval[0])} to {number(interval[1])})"


def _together(found: Ensemble, metric: str) -> str:
    """What an ensemble costs, and where its score comes from."""
    if found.size == 1:
        return (
            f"No ensemble of the best {counted(found.candidates, 'network')} did better than "
            "one of them alone, on rows that did not choose it."
        )
    size = found.parameters / max(found.winner_parameters, 1)
    seconds = f"{1000 * found.seconds:.3g} ms against {1000 * found.winner_seconds:.3g} ms"
    more = found.size - found.configurations
    beside = (
        f" With it {'answers' if more == 1 else 'answer'} {counted(more, 'network')} of re-tests, "
        "which no validation row can judge: their configurations share their weight with them."
        if found.configurations and more
        else ""
    )
    return (
        f"The ensemble's validation score comes from rows that did not choose it (the best "
        f"network alone, judged so: {metric} {number(found.single)}). It has {size:,.3g} times "
        f"the winner's weights, and takes {seconds} to answer 1,000 rows." + beside
    )


def explained(result: StudyResult) -> Iterator[tuple[str, bool]]:
    """Sentences on where a result comes from, each with whether it is a caution."""
    trials, winner = result.trials, result.winner
    if winner.retests:
        refit = "; it was then trained again on all but the test rows" if winner.refitted else ""
        splits = "a fresh split" if winner.retests == 1 else f"{winner.retests} fresh splits"
        told = f"is that on {splits}, whose rows had no part in choosing it{refit}."
        yield f"Its validation score {told}", False
    elif not result.complete:
        told = "is the best of many, and so too good: it was not re-tested yet."
        yield f"Its validation score {told}", False
    if result.ensemble is not None:
        yield _together(result.ensemble, result.metric), False
    if result.complete:
        yield from ((each, False) for each in _preferred(result))
    ahead = _ahead(result)
    if ahead is not None:
        told = f"{number(ahead.test)} against {number(winner.test)}. It may be the better choice"
        yield f"{label(ahead, start=True)} scores better on the test rows: {told} here.", True
    yield from ((note, True) for note in result.notes)
    if result.complete:
        yield from ((each, False) for each in _more_time(result))
    yield (
        f"{counted(trials['started'], 'network')} started: "
        f"{trials['finished']} trained to their end, "
        f"{trials['stopped']} stopped early, {trials['diverged']} diverged, "
        f"{trials['failed']} failed. "
        f"{counted(result.member_steps, 'step')} in {result.seconds['total']:.1f} s.",
        False,
    )
    yield from ((each, False) for each in _spent(result))


def _spent(result: StudyResult) -> Iterator[str]:
    """How the cores' time was spent, in one line."""
    spent = result.core_seconds
    if not spent.get("all"):
        return
    shares = {name: 100.0 * spent[name] / spent["all"] for name in _SPENT}
    rest = 100.0 - sum(shares.values())
    told = ", ".join(f"{share:.0f} % {_SPENT[name]}" for name, share in shares.items())
    compiling = result.seconds.get("compiling", 0.0)
    first = f"{compiling:.0f} s went into compiling the engine, once. " if compiling else ""
    yield f"{first}Of the cores' time: {told}, {rest:.0f} % all else."


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


def label(baseline: Baseline, start: bool = False) -> str:
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
