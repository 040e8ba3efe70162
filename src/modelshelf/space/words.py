"""A configuration in words."""

from __future__ import annotations

from collections.abc import Mapping

from modelshelf.space.configuration import Configuration
from modelshelf.space.own import OWN, is_own
from modelshelf.space.part import shown

__all__ = ["in_words", "short"]

_ACTIVATIONS = {"relu": "ReLU", "leaky_relu": "leaky ReLU", "gelu": "GELU", "silu": "SiLU",
                "mish": "Mish", "selu": "SELU"}  # fmt: skip
_OPTIMIZERS = {"sgd": "SGD", "momentum": "SGD with momentum", "rmsprop": "RMSprop", "adam": "Adam",
               "nesterov": "SGD with Nesterov's momentum", "adagrad": "Adagrad",
               "adamw": "AdamW"}  # fmt: skip
_SCHEDULES = {"step": "falling in steps", "cosine": "falling along a cosine",
              "one_cycle": "in one cycle", "coslog": "in four cycles"}  # fmt: skip
_MOVED = {"shift": "shifted images", "flip": "mirrored images",
          "flip_shift": "mirrored and shifted images"}  # fmt: skip
_READERS = {"mean": "The mean of embeddings and a layer", "conv": "Convolutions",
            "recurrent": "A recurrent network (both ways)"}  # fmt: skip
_COUNTS = ("no", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine")


def short(configuration: Configuration) -> str:
    """A configuration in a few words, such as `128×128 relu · adam 0.002 · batch 64`."""
    trained = (
        f"{configuration['optimizer']} {configuration.number('learning_rate'):g} · "
        f"batch {configuration['batch_size']}"
    )
    return f"{_structure(configuration)} · {trained}"


def _structure(c: Configuration) -> str:
    """What kind of network, in a word or two."""
    match c.word("network"):
        case "module":
            return _called(c)
        case "text":
            return f"{c.word('text_network')} {c.whole('text_width')} over tokens"
        case "conv":
            deep = f"({c.whole('conv_blocks')})" if c.whole("conv_blocks") > 1 else ""
            found = "conv " + "→".join(f"{each}{deep}" for each in _channels(c))
        case _:
            found = "×".join(map(str, c.hidden_layers)) or "linear"
    return f"{found} {c['activation']}" if "activation" in c else found


def _channels(c: Configuration) -> list[int]:
    """How many channels each stage of a convolutional network has."""
    return [c.whole("conv_width") * 2**stage for stage in range(c.whole("conv_stages"))]


def _called(configuration: Configuration) -> str:
    """A person's own module, as it is called."""
    own = {name.removeprefix(OWN): value for name, value in configuration.items() if is_own(name)}
    told = ", ".join(f"{name}={shown(value)}" for name, value in own.items())
    return f"{configuration.word('module')}({told})"


def in_words(settings: Mapping[str, object]) -> str:
    """A configuration as a sentence."""
    c = Configuration.from_json(settings)
    body = _body(c)
    held = [f"dropout {c.number('dropout'):g}"] if "dropout" in c else []
    held += [f"{name.upper()} {c.number(name):g}" for name in ("l1", "l2") if name in c]
    names = {
        "weight_decay": "weight decay",
        "label_smoothing": "label smoothing",
        "input_dropout": "dropout of inputs",
    }
    held += [f"{words} {c.number(name):g}" for name, words in names.items() if name in c]
    if "image_augmentation" in c:
        held.append(_MOVED[c.word("image_augmentation")])
    course = f" {_SCHEDULES[c.word('schedule')]}" if "schedule" in c else ""
    own = c.word("network") == "module"  # which may drop units by itself, and take rows as they are
    nothing = ", with no penalty" if own else ", with no penalty or dropout"
    against = f", held back by {' and '.join(held)}" if held else nothing
    scaled = "" if own else f"; inputs scaled the {c.word('scaling')} way{_encoded(c)}"
    return (
        f"{body}, trained by {_OPTIMIZERS[c.word('optimizer')]} at a learning rate of "
        f"{c.number('learning_rate'):g}{course} in batches of {c.whole('batch_size')}{against}"
        f"{scaled}."
    )


def _body(c: Configuration) -> str:
    """The network itself, as a sentence begins with it."""
    kind = c.word("network")
    if kind == "module":
        return _called(c)
    if kind == "text":
        return f"{_READERS[c.word('text_network')]} of {c.whole('text_width')} units over tokens"
    unit = _ACTIVATIONS.get(word := c.word("activation"), word)
    if kind == "conv":
        channels, deep = _channels(c), c.whole("conv_blocks")
        count = f"{_counted(len(channels))} stage{'s' if len(channels) > 1 else ''}"
        each = f", {_counted(deep)} in each" if deep > 1 else ""
        joined = " with shortcuts" if "conv_shortcut" in c else ""
        return (
            f"{count.capitalize()} of convolutions ({', '.join(map(str, channels))} channels"
            f"{each}){joined} and {unit} units"
        )
    widths = c.hidden_layers
    if not widths:
        return "A linear model (no hidden layer)"
    sizes = str(widths[0]) if len(set(widths)) == 1 else ", ".join(map(str, widths))
    plural = "s" if len(widths) > 1 else ""
    return f"{_counted(len(widths)).capitalize()} hidden layer{plural} of {sizes} {unit} units"


def _counted(number: int) -> str:
    return _COUNTS[number] if number < len(_COUNTS) else str(number)


def _encoded(c: Configuration) -> str:
    found = ["numbers encoded by learned cosines"] if "numeric_encoding" in c else []
    if "category_embedding" in c:
        found.append(f"categories by {c.whole('category_embedding')} learned numbers")
    return f", {' and '.join(found)}" if found else ""
