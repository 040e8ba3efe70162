"""What to try against an illness: words, and the settings that differ."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TypeAlias

from modelshelf.insight.evidence import Evidence

__all__ = [
    "Remedy",
    "alive",
    "faster",
    "flowing",
    "for_noise",
    "held_back",
    "longer",
    "reseeded",
    "slower",
    "stronger",
    "unsaturated",
    "without_column",
]

#: Advice in words, and the settings that follow it.
Remedy: TypeAlias = tuple[str, Mapping[str, object]]

#: Where the rate was far too high for its rule, a tenth of it may be too: from here one can go on.
_USUAL = {"sgd": 0.1, "momentum": 0.03, "nesterov": 0.03, "adagrad": 0.01}
_ADAPTIVE = 0.003

_WIDE = 1024  # units: wider layers are slow, and seldom what is missing
_HELD = 0.3  # of the units
_SMOOTH = 0.1


def _rate(found: Evidence, factor: float) -> float:
    """So many times the rate, but below what is usual if it was above."""
    own = found.configuration.number("learning_rate")
    usual = _USUAL.get(found.configuration.word("optimizer"), _ADAPTIVE)
    if found.configuration.word("parametrisation") == "ntk":
        usual *= 20.0
    wanted = factor * own
    return float(f"{min(wanted, usual) if factor < 1.0 else wanted:.3g}")


def slower(found: Evidence) -> Remedy:
    """A lower rate."""
    return "Lower the learning rate.", {"learning_rate": _rate(found, 0.1)}


def faster(found: Evidence) -> Remedy:
    """A higher rate."""
    return "Raise the learning rate.", {"learning_rate": _rate(found, 10.0)}


def alive(found: Evidence) -> Remedy:
    """An activation that cannot die, and a lower rate."""
    return (
        "Lower the learning rate, and take an activation whose units cannot die.",
        {"activation": "silu", "learning_rate": _rate(found, 0.1)},
    )


def unsaturated(found: Evidence) -> Remedy:
    """Weights that begin small, and a lower rate."""
    return (
        "Begin with smaller weights, at a lower learning rate.",
        {"initialisation": "xavier_normal", "learning_rate": _rate(found, 0.1)},
    )


def flowing(found: Evidence, way: str) -> Remedy:
    """What lets gradients through many layers."""
    if way == "exploding":
        return (
            "Begin with weights that suit the widths, and clip long gradients.",
            {"initialisation": "he_normal", "clip_norm": 1.0},
        )
    own = found.configuration
    usual = own.word("activation") == "relu" and own.word("initialisation") == "he_normal"
    if usual and "normalisation" not in own:
        return "Normalise each layer's sums.", {"normalisation": "layer"}
    if usual:
        return "Take fewer layers.", {"hidden_layers": own.hidden_layers[:-1]}
    changes: dict[str, object] = {"activation": "relu", "initialisation": "he_normal"}
    if len(own.hidden_layers) > 4:
        changes["hidden_layers"] = own.hidden_layers[:3]
    return "Take ReLU with He's initialisation, and fewer layers.", changes


def longer(found: Evidence) -> Remedy:
    """More epochs, and the patience to wait through a bump."""
    changes: dict[str, object] = {
        "epochs": max(4 * found.epoch, found.configuration.whole("epochs"))
    }
    if "patience" in found.configuration:
        changes["patience"] = max(16, found.configuration.whole("patience"))
    if "min_delta" in found.configuration:
        changes["min_delta"] = 0.0
    return "Train for longer.", changes


def stronger(found: Evidence) -> Remedy:
    """Less that holds it back; if nothing does, more units."""
    own = found.configuration
    off = {name: 0.0 for name in ("l1", "l2", "input_dropout") if name in own}
    if own.number("dropout") > 0.3 and "dropout" in own:
        off["dropout"] = 0.1
    if "weight_decay" in own and own.number("weight_decay") > 0.05:
        off["weight_decay"] = 0.01
    if off:
        return "Take away what holds it back.", off
    widths = own.hidden_layers or (32, 32)
    if min(widths) >= _WIDE:
        return "Give it one more layer.", {"hidden_layers": (*widths, widths[-1])}
    wider = tuple(max(each, min(4 * each, _WIDE)) for each in widths)
    return "Give it more units.", {"hidden_layers": wider}


def held_back(found: Evidence) -> Remedy:
    """What keeps a network from learning by heart, and patience that ends it in time."""
    own = found.configuration
    changes: dict[str, object] = {"patience": 16}
    if own.hidden_layers and own.number("dropout") < _HELD:
        changes["dropout"] = _HELD
    else:
        changes["l2"] = max(1e-3, 10.0 * own.number("l2"))
    return "Hold it back, and stop in time.", changes


def for_noise(found: Evidence) -> Remedy:
    """What keeps wrong labels from being learned by heart."""
    own = found.configuration
    smooth = own.word("loss") == "cross_entropy" and own.number("label_smoothing") < _SMOOTH
    more = {"label_smoothing": _SMOOTH} if smooth else {"l2": max(1e-3, 10.0 * own.number("l2"))}
    changes: dict[str, object] = {"patience": 16, **more}
    return "Look at the labels; meanwhile, do not learn them by heart.", changes


def reseeded() -> Remedy:
    """The same settings with another seed."""
    return "Train the same settings with another seed.", {}


def without_column() -> Remedy:
    """No setting: the column is to be left aside."""
    return "If it is not, leave it aside.", {}
