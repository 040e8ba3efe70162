"""The kernels' signatures, and the functions that are handed to them, compiled when first used."""

from __future__ import annotations

from typing import Any

import numpy as np

from modelshelf.engines.numpy_ import encoding
from modelshelf.engines.numpy_.activations import ACTIVATIONS, Activation
from modelshelf.engines.numpy_.compile import function_type, pointer, signature
from modelshelf.engines.numpy_.encoding import Encode, EncodeBack
from modelshelf.engines.numpy_.layout import Layout
from modelshelf.engines.numpy_.losses import LOSSES, Loss
from modelshelf.engines.numpy_.optimizers import Update
from modelshelf.space.configuration import Configuration

__all__ = [
    "activation",
    "encoders",
    "look_signature",
    "loss",
    "predict_signature",
    "train_signature",
    "update",
]

DType = np.dtype[Any]


def activation(name: str, dtype: DType) -> Activation:
    """The activation of this name."""
    return pointer(ACTIVATIONS[name], _activation_signature(dtype))


def loss(configuration: Configuration, classes: bool, dtype: DType) -> Loss:
    """The loss that a configuration trains with."""
    name = configuration.word("loss")
    if "class_weight" in configuration and classes:
        name = f"weighted_{name}"
    return pointer(LOSSES[name, classes], _loss_signature(dtype))


def update(function: Update, dtype: DType) -> Update:
    """An optimizer's update."""
    return pointer(function, _update_signature(dtype))


def encoders(layout: Layout, dtype: DType) -> tuple[Encode, EncodeBack]:
    """The way through a layout's encoding and back; two that do nothing where it has none."""
    if layout.encoding is None:
        there, back = encoding.no_encode, encoding.no_encode_back
    else:
        there, back = encoding.encode, encoding.encode_back
    return pointer(there, _encode_signature(dtype)), pointer(back, _encode_back_signature(dtype))


def _activation_signature(dtype: DType) -> Any:
    return signature("void", "f1", "f1", "d", dtype=dtype)


def _loss_signature(dtype: DType) -> Any:
    return signature("d", "f2", "f2", "f2", "d", dtype=dtype)


def _update_signature(dtype: DType) -> Any:
    return signature("void", "f1", "f1", "f2", "d1", "i", dtype=dtype)


def _encode_signature(dtype: DType) -> Any:
    return signature("void", "i1", "i1", "f1", "f2", "f2", "f2", dtype=dtype)


def _encode_back_signature(dtype: DType) -> Any:
    return signature("void", "i1", "i1", "f1", "f2", "f2", "f2", "f1", dtype=dtype)


def train_signature(dtype: DType) -> Any:
    """Of `step.train`."""
    functions = (
        _encode_signature, _encode_back_signature, _activation_signature, _loss_signature,
        _update_signature,
    )  # fmt: skip
    return signature(
        "i", *(function_type(each(dtype)) for each in functions),
        "i1", "i1", "i1", "i1", "d1", "d1", "d2", "d1", "f1", "u", "i",
        "f1", "f2", "f1", "f1", "i1", "d1",
        "f2", "f2", "f2", "f2", "i", "d2", "u1", dtype=dtype,
    )  # fmt: skip


def predict_signature(dtype: DType) -> Any:
    """Of `predict.predict`."""
    functions = (_encode_signature, _activation_signature)
    return signature(
        "void", *(function_type(each(dtype)) for each in functions),
        "i1", "i1", "i1", "d1", "d1", "i", "i", "f1", "f2", "f2", dtype=dtype,
    )  # fmt: skip


def look_signature(dtype: DType) -> Any:
    """Of `look.trace`."""
    functions = (_encode_signature, _encode_back_signature, _activation_signature)
    return signature(
        "void", *(function_type(each(dtype)) for each in functions),
        "i1", "i1", "i1", "d1", "f1", "f2", "f2", "f2", "f2", "f2", "f1", dtype=dtype,
    )  # fmt: skip
