"""The kernels' signatures, and the functions that are handed to them, compiled when first used.

What every network does (there, back, the loop around) is compiled as one. What some networks do is
a function that is handed in: a study compiles what it uses, each part by itself.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from typing import Any, TypeVar

import numpy as np

from modelshelf.engines.numpy_ import encoding, ensemble, network, predict, step
from modelshelf.engines.numpy_.activations import ACTIVATIONS, Activation
from modelshelf.engines.numpy_.compile import function_type, pointer, signature, tuple_type
from modelshelf.engines.numpy_.encoding import Encode, EncodeBack
from modelshelf.engines.numpy_.ensemble import Expand, Fold
from modelshelf.engines.numpy_.layout import Layout
from modelshelf.engines.numpy_.losses import LOSSES, Loss
from modelshelf.engines.numpy_.network import Backward, Forward
from modelshelf.engines.numpy_.normalise import NORMS, Normalise, NormaliseBack
from modelshelf.engines.numpy_.optimizers import OPTIMIZERS, Update
from modelshelf.engines.numpy_.predict import Answer
from modelshelf.engines.numpy_.scratch import Scratch
from modelshelf.space.configuration import Configuration

__all__ = [
    "activation",
    "answer",
    "by_name",
    "encoders",
    "expand",
    "look",
    "loss",
    "members",
    "norms",
    "passes",
    "train",
    "update",
]

DType = np.dtype[Any]
F = TypeVar("F", bound=Callable[..., Any])


@cache
def _found(function: Any, signature_of: Callable[[DType], Any], dtype: DType) -> Any:
    return pointer(function, signature_of(dtype))


def _made(function: F, signature_of: Callable[[DType], Any], dtype: DType) -> F:
    """The function, compiled by itself. It is made once: to build a signature alone takes long."""
    found: F = _found(function, signature_of, dtype)
    return found


def activation(name: str, dtype: DType) -> Activation:
    """The activation of this name."""
    return _made(ACTIVATIONS[name], _activation, dtype)


def loss(configuration: Configuration, classes: bool, dtype: DType) -> Loss:
    """The loss that a configuration trains with."""
    name = configuration.word("loss")
    if "class_weight" in configuration and classes:
        name = f"weighted_{name}"
    return _made(LOSSES[name, classes], _loss, dtype)


def update(function: Update, dtype: DType) -> Update:
    """An optimizer's update."""
    return _made(function, _update, dtype)


def encoders(layout: Layout, dtype: DType) -> tuple[Encode, EncodeBack]:
    """The way through a layout's encoding and back; two that do nothing where it has none."""
    there, back = encoding.no_encode, encoding.no_encode_back
    if layout.encoding is not None:
        there, back = encoding.encode, encoding.encode_back
    return _made(there, _encode, dtype), _made(back, _encode_back, dtype)


def norms(layout: Layout, dtype: DType) -> tuple[Normalise, NormaliseBack]:
    """A layout's normalisation and its way back; two that do nothing where it has none."""
    there, back = NORMS[layout.norm]
    return _made(there, _normalise, dtype), _made(back, _normalise_back, dtype)


def members(layout: Layout, dtype: DType) -> tuple[Expand, Fold]:
    """How one of several members is written out, and its gradient folded in."""
    there, back = ensemble.no_expand, ensemble.no_fold
    if layout.members > 1:
        there, back = ensemble.expand, ensemble.fold
    return _made(there, _expand, dtype), _made(back, _fold, dtype)


def expand(dtype: DType) -> Expand:
    """`ensemble.expand`."""
    return _made(ensemble.expand, _expand, dtype)


def passes(dtype: DType) -> tuple[Forward, Backward]:
    """The way through a network's layers, and back."""
    return _made(network.forward, _forward, dtype), _made(network.backward, _backward, dtype)


def answer(dtype: DType) -> Answer:
    """`predict.answer`."""
    return _made(predict.answer, _answer, dtype)


def train(dtype: DType) -> Any:
    """`step.train`."""
    return _made(step.train, _train, dtype)


def _activation(dtype: DType) -> Any:
    return signature("void", "f1", "f1", "d", dtype=dtype)


def _loss(dtype: DType) -> Any:
    return signature("d", "f2", "f2", "f2", "d", dtype=dtype)


def _update(dtype: DType) -> Any:
    return signature("void", "f1", "f1", "f2", "d1", "i", dtype=dtype)


def _encode(dtype: DType) -> Any:
    return signature("void", "i1", "i1", "f1", "f2", "f2", "f2", dtype=dtype)


def _encode_back(dtype: DType) -> Any:
    return signature("void", "i1", "i1", "f1", "f2", "f2", "f2", "f1", dtype=dtype)


def _normalise(dtype: DType) -> Any:
    return signature("void", "f2", "f1", "f1", "f2", "f1", "b", dtype=dtype)


def _normalise_back(dtype: DType) -> Any:
    return signature("void", "f2", "f1", "f2", "f1", "f1", dtype=dtype)


def _expand(dtype: DType) -> Any:
    return signature("void", "i1", "i", "i", "f1", "f1", dtype=dtype)


def _fold(dtype: DType) -> Any:
    return signature("void", "i1", "i", "i", "f1", "f1", "f1", dtype=dtype)


def _scratch(dtype: DType) -> Any:
    kinds = ("f2" if name == "waves" else "f1" for name in Scratch._fields)
    return tuple_type(Scratch, *kinds, dtype=dtype)


def _forward(dtype: DType) -> Any:
    functions = (_activation, _normalise)
    return signature(
        "void", *(function_type(each(dtype)) for each in functions),
        "i1", "i1", "d1", "f1", "f1", "f1", "f1", "f1", "i", "i", "u", "i", dtype=dtype,
    )  # fmt: skip


def _backward(dtype: DType) -> Any:
    return signature(
        "i", function_type(_normalise_back(dtype)),
        "i1", "i1", "f1", "f1", "f1", "f1", "f1", "f1", "i", "i", "b", dtype=dtype,
    )  # fmt: skip


def _answer(dtype: DType) -> Any:
    functions = (_forward, _encode, _activation, _normalise, _expand)
    return signature(
        "void", *(function_type(each(dtype)) for each in functions),
        "i1", "i1", "i1", "d1", "d1", "i", "f1", _scratch(dtype), "i", "f2", "f2", dtype=dtype,
    )  # fmt: skip


def _train(dtype: DType) -> Any:
    functions = (
        _answer, _forward, _backward, _encode, _encode_back, _activation, _normalise,
        _normalise_back, _expand, _fold, _loss, _update,
    )  # fmt: skip
    return signature(
        "i", *(function_type(each(dtype)) for each in functions),
        "i1", "i1", "i1", "i1", "d1", "d1", "d1", "d2", "d1", "f1", "u",
        "f1", "f2", "f1", "f1", "i1", "d1",
        "f2", "f2", "f2", "f2", "i", "d2", "u1", _scratch(dtype), "f2", "i2", dtype=dtype,
    )  # fmt: skip


def look(trace: Any, dtype: DType) -> Any:
    """`look.trace`, which is not known here."""
    return _made(trace, _look, dtype)


def _look(dtype: DType) -> Any:
    functions = (
        _forward, _backward, _encode, _encode_back, _activation, _normalise, _normalise_back,
    )  # fmt: skip
    return signature(
        "void", *(function_type(each(dtype)) for each in functions),
        "i1", "i1", "i1", "d1", "f1", "f2", "f2", "f2", "f2", "f2", "f1", _scratch(dtype),
        dtype=dtype,
    )  # fmt: skip


def by_name() -> dict[str, tuple[Any, Any]]:
    """All that can be compiled by itself, by its name: the function, and its signature's maker."""
    pairs = [
        *((each, _activation) for each in ACTIVATIONS.values()),
        *((each, _loss) for each in LOSSES.values()),
        *((each.update, _update) for each in OPTIMIZERS.values()),
        *((there, _normalise) for there, _ in NORMS.values()),
        *((back, _normalise_back) for _, back in NORMS.values()),
        (encoding.encode, _encode), (encoding.no_encode, _encode),
        (encoding.encode_back, _encode_back), (encoding.no_encode_back, _encode_back),
        (ensemble.expand, _expand), (ensemble.no_expand, _expand),
        (ensemble.fold, _fold), (ensemble.no_fold, _fold),
        (network.forward, _forward), (network.backward, _backward),
        (predict.answer, _answer), (step.train, _train),
    ]  # fmt: skip
    return {function.__name__: (function, made) for function, made in pairs}
