"""A diagnosis: what ails one network, by which evidence, and what to try.

Each rule looks at the evidence alone, and says nothing where its own part of it is missing. What
explains others comes first: a network that diverged, or whose units are dead, underfits too, and is
told the cause. The thresholds were set on other data sets and seeds than those of the figures in
docs/understanding/diagnosis.md.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, field

from modelshelf.core.records import Status
from modelshelf.core.words import counted
from modelshelf.insight import remedies
from modelshelf.insight.dissection import Layer
from modelshelf.insight.evidence import Evidence

__all__ = ["CHECKED", "Diagnosis", "Finding", "findings"]

_ASTRAY = 1e4  # times the loss of a constant answer, on validation rows
_AWAY = 1e6  # and on training rows, where penalties count too
_WILD = 3.0  # times the loss of a constant answer: worse than to know nothing
_MOST_DEAD = 0.6  # of a layer's units
_MOST_SATURATED = 0.6  # of a layer's outputs
_FADED = 1e-3  # of the output's gradient is what reaches the first layer
_GROWN = 1e2
_NOTHING = 0.97  # of a constant's loss: nothing was learned
_GAIN = 0.93  # a loss that more training brings below this share of itself
_FAST_ENOUGH = 8  # times the rate; with fewer epochs to divide, nothing can be told
_AS_FAR = 0.8  # of the way that the slower network went
_NOTABLE = 0.02  # of a constant's loss: a smaller gain or rise is none
_WORSE = 0.04  # an error this much above a forest's, and by this share of it
_SHARE = 0.15
_BY_HEART = 0.4  # of the validation error
_RISE = 1.25  # times the least validation loss
_PAST = 20  # epochs after the best one
_SUREST = 0.15  # of labels of which a forest is surest, with 95 % confidence
_ALONE = 0.12  # an error of a lone column below this decides all
_LESS = 0.45  # of the error of all other columns together
_APART = 0.25  # or of the error of the next best one


@dataclass(frozen=True, slots=True)
class Finding:
    """One illness of a network."""

    name: str
    sure: str  #: certain, likely or suspected
    evidence: str  #: a sentence with numbers
    advice: str  #: what to try, in words
    changes: dict[str, object] = field(hash=False)  #: settings that do so; none where none can
    barcode: str = ""  #: of the network that is to be trained; its own where no setting changes
    column: str = ""  #: a column to leave aside, where that is what to try


@dataclass(frozen=True, slots=True)
class Diagnosis:
    """What was found in one network; nothing, if it is healthy."""

    barcode: str
    copy: str
    study: str
    findings: tuple[Finding, ...]
    checked: tuple[str, ...]  #: what was looked for
    unchecked: tuple[str, ...]  #: what could not be, and why
    training_rows: int
    train_error: float  #: as a share of what the best constant answer gets wrong
    validation_error: float
    forest_error: float  #: of a random forest, on rows that its trees have not seen
    rows: str = ""  #: where the table can be read again; empty where that is not known
    target: str = ""
    notes: tuple[str, ...] = ()

    @property
    def healthy(self) -> bool:
        """Whether nothing was found."""
        return not self.findings


def findings(found: Evidence) -> tuple[Finding, ...]:
    """All that ails a network, the cause before what follows from it."""
    told: list[Finding] = []
    for causes in _CAUSES:
        told = [each for rule in causes if (each := rule(found)) is not None]
        if told:
            break
    rest = (_leak, _noise) if told else (_unlucky, _leak, _noise)
    told += [each for rule in rest if (each := rule(found)) is not None]
    return tuple(told)


def _finding(
    found: Evidence, name: str, sure: str, evidence: str, remedy: remedies.Remedy
) -> Finding:
    advice, changes = remedy
    own = found.configuration
    new = {setting: value for setting, value in changes.items() if own.value(setting) != value}
    return Finding(name, sure, evidence, advice, new, own.replace(**new).barcode if new else "")


# -- rules ------------------------------------------------------------------------------------


def _diverged(found: Evidence) -> Finding | None:
    """It left the finite numbers, or went so far astray that what is left of it says little."""
    rate = found.configuration.number("learning_rate")
    if found.status is Status.DIVERGED:
        said = f"It left the finite numbers in epoch {found.epoch + 1}, at a rate of {rate:g}."
        return _finding(found, "diverging", "certain", said, remedies.slower(found))
    train = max((each.train_loss for each in found.curve), default=0.0)
    validation = max((each.validation_loss for each in found.curve), default=0.0)
    if train <= _AWAY * found.chance and validation <= _ASTRAY * found.chance:
        return None
    said = (
        f"At a rate of {rate:g} its training loss went up to {train:.3g} and its validation loss "
        f"to {validation:.3g}; a constant answer has {found.chance:.3g}."
    )
    return _finding(found, "diverging", "certain", said, remedies.slower(found))


def _wild(found: Evidence) -> Finding | None:
    """Worse than to know nothing, and not on its way down."""
    last = found.last
    if last is None or (found.best_epoch == found.epoch and not _rose(found)):
        return None
    least = min(last.train_loss, last.validation_loss)
    if found.left <= _WILD and not least > _WILD * found.chance:
        return None
    rate = found.configuration.number("learning_rate")
    said = (
        f"At a rate of {rate:g} its last epoch has a training loss of {last.train_loss:.3g} and a "
        f"validation loss of {last.validation_loss:.3g}; a constant answer has {found.chance:.3g}: "
        "steps throw it further than they bring it."
    )
    return _finding(found, "diverging", "likely", said, remedies.slower(found))


def _thrown(found: Evidence) -> Finding | None:
    """Steps that are longer than the weights that they move, or than these were at the start."""
    worst = max(found.layers[1:], key=_stride, default=None)
    if worst is None or not _stride(worst) > 1.0:
        return None
    said = (
        f"At a rate of {found.configuration.number('learning_rate'):g} one step moves the weights "
        f"of {worst.name} by {_stride(worst):.3g} times their own length."
    )
    return _finding(found, "diverging", "likely", said, remedies.slower(found))


def _stride(layer: Layer) -> float:
    longest = max(layer.trained.weight, layer.initial.weight)
    return layer.trained.update / longest if longest > 0 else 0.0


def _rose(found: Evidence) -> bool:
    """Whether the training loss ended above its beginning."""
    return bool(found.curve) and found.curve[-1].train_loss > found.curve[0].train_loss


def _dead(found: Evidence) -> Finding | None:
    worst = max(_hidden(found), key=_dead_share, default=None)
    relu = found.configuration.word("activation") == "relu"
    if worst is None or not relu or _dead_share(worst) < _MOST_DEAD:
        return None
    said = (
        f"In {worst.name}, {worst.trained.dead} of {worst.units * worst.members} units are 0 for "
        "every row that was tried: they pass nothing on, and learn no more."
    )
    return _finding(found, "dead units", "certain", said, remedies.alive(found))


def _dead_share(layer: Layer) -> float:
    return (layer.trained.dead or 0) / max(layer.units * layer.members, 1)


def _saturated(found: Evidence) -> Finding | None:
    worst = max(_hidden(found), key=_saturation, default=None)
    if worst is None or _saturation(worst) < _MOST_SATURATED:
        return None
    said = (
        f"In {worst.name}, {_saturation(worst):.0%} of the outputs lie on the flat ends of "
        f"{found.configuration.word('activation')}, where hardly any gradient comes through."
    )
    return _finding(found, "saturated units", "certain", said, remedies.unsaturated(found))


def _saturation(layer: Layer) -> float:
    return layer.trained.saturated or 0.0


def _flow(found: Evidence) -> Finding | None:
    """Gradients that fade or grow on their way to the first layer, and a network that is ill."""
    if len(found.layers) < 3 or not (_ill(found) or found.left > _NOTHING):
        return None
    first, last = found.layers[1], found.layers[-1]
    ratio = first.initial.gradient / last.initial.gradient if last.initial.gradient > 0 else 1.0
    if not math.isfinite(ratio) or _FADED < ratio < _GROWN:
        return None
    way = "vanishing" if ratio <= _FADED else "exploding"
    said = (
        f"At the start, {ratio:.1e} of the output's gradient reached {first.name}, through "
        f"{len(found.layers) - 2} hidden layers; the training error is still "
        f"{found.train_error:.2f} of a constant answer's."
    )
    return _finding(found, f"{way} gradients", "likely", said, remedies.flowing(found, way))


def _ill(found: Evidence) -> bool:
    """Whether it answers its own training rows worse than a forest answers new ones."""
    return found.train_error > found.forest_error + max(_WORSE, _SHARE * found.forest_error)


def _slow(found: Evidence) -> Finding | None:
    """Ten times the rate for a tenth of the epochs comes as far, and more training would help."""
    fast = found.faster
    crawling = _ill(found) and found.best_epoch == found.configuration.whole("epochs")
    if fast is None or not found.curve or not (_unfinished(found) or crawling):
        return None
    first = found.curve[0].validation_loss
    times = fast.learning_rate / found.configuration.number("learning_rate")
    if times < _FAST_ENOUGH or first - fast.loss < _AS_FAR * (first - found.loss):
        return None
    said = (
        f"At {times:.0f} times the rate, {counted(fast.epochs, 'epoch')} brought the validation "
        f"loss from {first:.3g} to {fast.loss:.3g}; its own {counted(found.epoch, 'epoch')} "
        f"brought it to {found.loss:.3g}, and it was still falling."
    )
    return _finding(found, "learning rate too low", "certain", said, remedies.faster(found))


def _early(found: Evidence) -> Finding | None:
    if not _unfinished(found) or _slow(found) is not None:
        return None
    assert found.longer is not None
    why = "its patience ended it" if found.ended_itself else "its epochs were over"
    if found.halted:
        why = "its search left it" if found.searched else "it was asked to end"
    said = (
        f"It stopped after epoch {found.epoch} of {found.configuration.whole('epochs')} ({why}), "
        f"with a validation loss of "
        f"{found.loss:.3g}; trained for {counted(found.longer.epochs, 'epoch')}, it reaches "
        f"{found.longer.loss:.3g}."
    )
    if found.halted:
        advice, own = "Train it to its own end.", found.configuration.barcode
        return Finding("stopped too early", "certain", said, advice, {}, own)
    return _finding(found, "stopped too early", "certain", said, remedies.longer(found))


def _unfinished(found: Evidence) -> bool:
    if found.longer is None or not math.isfinite(found.longer.loss):
        return False
    gain = found.loss - found.longer.loss
    return gain > max((1.0 - _GAIN) * found.loss, _NOTABLE * found.chance)


def _underfitting(found: Evidence) -> Finding | None:
    if not _ill(found):
        return None
    said = (
        f"On the rows that it was trained on, its error is {found.train_error:.2f} of a constant "
        f"answer's; a random forest has {found.forest_error:.2f} on rows that it has not seen."
    )
    return _finding(found, "underfitting", "likely", said, remedies.stronger(found))


def _overfitting(found: Evidence) -> Finding | None:
    last, patience = found.last, found.configuration.whole("patience")
    if last is None or found.best_epoch == 0 or found.status is Status.DIVERGED:
        return None
    best = found.curve[min(found.best_epoch, len(found.curve)) - 1]
    past, rise = found.epoch - found.best_epoch, last.validation_loss - found.loss
    by_heart = last.train_loss < 0.7 * best.train_loss
    # Where hardly any loss is left, or none, many times as much is still nothing.
    rose = rise >= max((_RISE - 1.0) * found.loss, _NOTABLE * found.chance)
    if past < _PAST or 0 < patience < 2 * _PAST or not rose or not by_heart:
        return _by_heart(found)
    said = (
        f"The validation loss was least at epoch {found.best_epoch} of {found.epoch}, and then "
        f"rose from {found.loss:.3g} to {last.validation_loss:.3g}, while the training loss fell "
        f"from {best.train_loss:.3g} to {last.train_loss:.3g}. The weights of epoch "
        f"{found.best_epoch} are kept."
    )
    return _finding(found, "overfitting", "certain", said, remedies.held_back(found))


def _by_heart(found: Evidence) -> Finding | None:
    """Few errors on its own rows, and on others far more than a forest makes."""
    bar = 2.0 * found.forest_error + 2 * _WORSE
    if found.validation_error < bar or found.train_error > _BY_HEART * found.validation_error:
        return None
    said = (
        f"Its error is {found.train_error:.2f} of a constant answer's on the rows that trained it, "
        f"and {found.validation_error:.2f} on validation rows; a random forest has "
        f"{found.forest_error:.2f} on rows that it has not seen."
    )
    return _finding(found, "overfitting", "likely", said, remedies.held_back(found))


def _unlucky(found: Evidence) -> Finding | None:
    """Worse than every other seed, by more than they differ among themselves."""
    others = sorted(each for each in found.others if math.isfinite(each))
    if len(others) < 2 or found.status is not Status.FINISHED:
        return None
    logs = [math.log(max(each, 1e-12)) for each in others]
    middle = sum(logs) / len(logs)
    spread = math.sqrt(sum((each - middle) ** 2 for each in logs) / (len(logs) - 1))
    beyond = math.log(max(found.loss, 1e-12)) - middle
    if beyond < max(4.0 * spread, math.log(1.1)) or found.loss <= others[-1]:
        return None
    said = (
        f"Its validation loss is {found.loss:.3g}; with {counted(len(others), 'other seed')} the "
        f"same settings reach {others[0]:.3g} to {others[-1]:.3g}."
    )
    return _finding(found, "unlucky seed", "likely", said, remedies.reseeded())


def _leak(found: Evidence) -> Finding | None:
    lone = found.lone
    if lone is None or lone.error > _ALONE:
        return None
    if lone.error > _LESS * lone.without and lone.error > _APART * lone.second:
        return None
    said = (
        f"The column {lone.name!r} by itself leaves an error of {lone.error:.3f} of a constant "
        f"answer's; the next best leaves {lone.second:.3f}, and all others together "
        f"{lone.without:.3f}. Is it known when the question is asked?"
    )
    advice, _ = remedies.without_column()
    return Finding("leak", "suspected", said, advice, {}, column=lone.name)


def _noise(found: Evidence) -> Finding | None:
    labels = found.labels
    if labels is None or labels.at_least < _SUREST:
        return None
    said = (
        f"Of the half of {labels.rows:,} rows of which a random forest is surest, out of bag, "
        f"{labels.surest:.0%} bear another label; by confident learning {labels.doubted:.0%} of "
        "all rows do. They are mislabelled, or the columns cannot tell them apart."
    )
    return _finding(found, "label noise", "suspected", said, remedies.for_noise(found))


def _hidden(found: Evidence) -> tuple[Layer, ...]:
    return found.layers[1:-1]


_Rule = Callable[[Evidence], Finding | None]

#: The first group in which anything is found explains what the later ones would say.
_CAUSES: tuple[tuple[_Rule, ...], ...] = (
    (_diverged,),
    (_dead, _saturated),
    (_wild,),
    (_thrown, _flow),
    (_slow, _early),
    (_overfitting,),  # the weights that are kept may be those of an early epoch, and underfit
    (_underfitting,),
)

#: What is looked for, by name.
CHECKED = (
    "diverging",
    "dead units",
    "saturated units",
    "vanishing gradients",
    "exploding gradients",
    "learning rate too low",
    "stopped too early",
    "underfitting",
    "overfitting",
    "unlucky seed",
    "leak",
    "label noise",
)
