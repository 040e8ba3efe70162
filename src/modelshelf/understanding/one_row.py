"""One row on its way through a network, and what its columns add to the answer."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from modelshelf.core.seeds import generator
from modelshelf.data.prepare import Preparation
from modelshelf.engines.numpy_ import Network
from modelshelf.engines.numpy_.layout import Layout
from modelshelf.engines.numpy_.look import alone, look, loss_of
from modelshelf.insight.attribution import Attribution, Slopes, attribute
from modelshelf.insight.dissection import RowLook, row_layer
from modelshelf.study.model import Model
from modelshelf.understanding.layers import layer_names
from modelshelf.understanding.which_row import FoundRow

__all__ = ["answer_slopes", "behind_encoding", "columns_of", "first_inputs", "look_at"]

_BASELINE_ROWS = 4096  # training rows whose encodings are averaged
_CHUNK = 512
_F = NDArray[np.float32]


def look_at(model: Model, row: FoundRow, training: _F, seed: int) -> RowLook:
    """The row's way through the network, and integrated gradients of its answer.

    `training` (rows, inputs) are the prepared training rows: the baseline is the mean of what they
    send into the first layer. With several members, layers are those of the first one.
    """
    network, preparation = model.dense("A row's way"), model.preparation
    x = preparation.transform(row.frame)
    first = look(alone(network), x)
    output = model.answer(x)
    classes = [str(each) for each in model.classes]
    best = int(output[0].argmax()) if classes else 0
    truth = None
    if row.target is not None:
        truth = classes[int(row.target[0])] if classes else f"{float(row.target[0]):g}"
    names = layer_names(network.layout)
    return RowLook(
        row=row.number,
        part=row.part,
        values=row.values,
        prepared=tuple(
            zip(columns_of(preparation), preparation.features, x[0].tolist(), strict=True)
        ),
        layers=tuple(
            row_layer(name, each[0]) for name, each in zip(names, first.outputs, strict=True)
        ),
        answer=classes[best] if classes else f"{float(output[0]):g}",
        probabilities=tuple(zip(classes, output[0].tolist(), strict=True)) if classes else (),
        truth=truth,
        loss=_loss(model, x, row),
        attribution=_attributed(model, x, training, best, seed),
    )


def _loss(model: Model, x: _F, row: FoundRow) -> float:
    """What training minimises, of this row; the members' mean."""
    if row.target is None:
        return math.nan
    network, target = model.dense("A loss"), model.preparation.encode_target(row.target)
    found = []
    for i in range(network.layout.members):
        output = look(alone(network, i), x).outputs[-1]
        found.append(loss_of(model.configuration, network.classes, output, target)[0])
    return float(np.mean(found))


def _attributed(model: Model, x: _F, training: _F, best: int, seed: int) -> Attribution:
    network, preparation = model.dense("A row's way"), model.preparation
    given, baseline = first_inputs(network, x)[0], _mean_inputs(network, training, seed)
    columns = list(_spread(network.layout, columns_of(preparation)))
    if not network.classes:
        what = f"{preparation.schema.target}, in its own unit"
        slopes = answer_slopes(network, network.point, preparation.target_scale)
        found = attribute(slopes, given, baseline, columns, what)
        center = preparation.target_center
        return replace(found, baseline=found.baseline + center, output=found.output + center)
    what = "logit" if network.layout.members == 1 else "log of the mean probability"
    what = f"{what} of {preparation.schema.target} = {model.classes[best]}"
    return attribute(answer_slopes(network, best), given, baseline, columns, what)


def columns_of(preparation: Preparation) -> tuple[str, ...]:
    """The raw column that each prepared input comes from."""
    names: list[str] = []
    for each in preparation.numbers:
        names += [each.column] * (2 if each.indicator else 1)
    for column, one_hot in preparation.categories:
        names += [column] * (1 if column in preparation.coded else one_hot.size)
    for part in preparation.texts:
        names += [" + ".join(part.columns)] * part.size
    return tuple(names)


def _spread(layout: Layout, columns: tuple[str, ...]) -> Iterator[str]:
    """The raw column that each of the first layer's inputs comes from."""
    encoding = layout.encoding
    if encoding is None:
        yield from columns
        return
    wide = {0: 1, -1: encoding.size}
    for column, kind in zip(columns, encoding.columns, strict=True):
        yield from [column] * wide.get(kind, encoding.embedding)


def behind_encoding(network: Network) -> Network:
    """The network that begins at the first layer: its inputs are encoded already."""
    layout = network.layout
    if layout.encoding is None:
        return network
    encoding = ("numbers", "tables", "edges", "columns")
    tensors = {
        name: each for name, each in layout.tensors(network.theta).items() if name not in encoding
    }
    rest, theta = Layout.from_tensors(tensors, ntk=layout.ntk, residual=layout.residual)
    return replace(network, layout=rest, theta=theta)


def answer_slopes(network: Network, which: int, scale: float = 1.0) -> Slopes:
    """One answer, and its gradient by the first layer's inputs.

    A class's logit, or `scale` times an output. Of several members: the logarithm of the class's
    mean probability, or the mean output.
    """
    members = [behind_encoding(alone(network, i)) for i in range(network.layout.members)]

    def slopes(points: NDArray[Any]) -> tuple[NDArray[Any], NDArray[Any]]:
        outputs = np.stack([look(each, points).outputs[-1] for each in members])
        sent = np.zeros_like(outputs)
        sent[:, :, which] = scale / len(members)
        values = scale * outputs[:, :, which].mean(axis=0, dtype=np.float64)
        if network.classes and len(members) > 1:
            shares = np.exp(outputs - outputs.max(axis=2, keepdims=True))
            shares /= shares.sum(axis=2, keepdims=True)
            mine = shares[:, :, which]
            values = np.log(np.maximum(mine.mean(axis=0, dtype=np.float64), 1e-37))
            sent = -shares
            sent[:, :, which] += 1.0
            sent *= (mine / np.maximum(mine.sum(axis=0), 1e-37))[:, :, None]
        back = [look(each, points, d).back[0] for each, d in zip(members, sent, strict=True)]
        return values, np.sum(back, axis=0)

    return slopes


def first_inputs(network: Network, x: _F) -> _F:
    """What rows send into the first layer (rows, width)."""
    if network.layout.encoding is None:
        return x
    single = alone(network)
    parts = np.array_split(x, -(-len(x) // _CHUNK))
    return np.concatenate([look(single, each).outputs[0].copy() for each in parts])


def _mean_inputs(network: Network, training: _F, seed: int) -> _F:
    """The mean of what training rows send into the first layer; of encoded ones, of 4,096."""
    if network.layout.encoding is not None and len(training) > _BASELINE_ROWS:
        rng = generator(seed, "baseline")
        training = training[rng.choice(len(training), _BASELINE_ROWS, replace=False)]
    mean: _F = first_inputs(network, training).mean(axis=0, dtype=np.float64).astype(np.float32)
    return mean
