"""A configuration in words."""

from __future__ import annotations

from collections.abc import Mapping

from modelshelf.space.configuration import Configuration

__all__ = ["in_words", "short"]

_ACTIVATIONS = {"relu": "ReLU", "leaky_relu": "leaky ReLU", "gelu": "GELU", "silu": "SiLU",
                "mish": "Mish", "selu": "SELU"}  # fmt: skip
_OPTIMIZERS = {"sgd": "SGD", "momentum": "SGD with momentum", "rmsprop": "RMSprop", "adam": "Adam",
               "nesterov": "SGD with Nesterov's momentum", "adagrad": "Adagrad",
               "adamw": "AdamW"}  # fmt: skip
_SCHEDULES = {"step": "falling in steps", "cosine": "falling along a cosine",
              "one_cycle": "in one cycle", "coslog": "in four cycles"}  # fmt: skip
_COUNTS = ("no", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine")


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
