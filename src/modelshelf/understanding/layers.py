"""Each layer of a network, as drawn and as trained: one look at real rows, and one step."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from modelshelf.core.protocols import TrainingData
from modelshelf.engines.numpy_ import Member, Network, NumpyEngine
from modelshelf.engines.numpy_.compile import single_threaded
from modelshelf.engines.numpy_.layout import Layout
from modelshelf.engines.numpy_.look import Sight, alone, batch_factors, batch_order, look, loss_of
from modelshelf.insight.dissection import Flow, Layer, flow
from modelshelf.space.configuration import Configuration

__all__ = ["layer_names", "layers_of"]

_WARM = 30  # steps that an optimizer sees before the one that is measured
_ENCODING = ("scales", "numbers", "tables")  # parameters before the first layer
_F = NDArray[Any]


@dataclass(frozen=True, slots=True, eq=False)
class _State:
    """A network at one time, and how one step would move it."""

    network: Network
    moved: _F  #: (parameters,)


def layers_of(
    configuration: Configuration,
    network: Network,
    data: TrainingData,
    seed: int,
    x: NDArray[np.float32],
    y: NDArray[np.float32],
) -> tuple[Layer, ...]:
    """All layers, first what enters the first one, from rows `x` with targets `y`.

    `data` and `seed` are those that it was trained with, and draw its very first weights again. The
    step is one batch of `data`, at the full learning rate; the optimizer saw 30 batches before,
    without moving, so that its running means are those of this place.
    """
    engine = NumpyEngine()
    with single_threaded():
        drawn = _at(engine, engine.start(configuration, data, seed), data)
        trained = engine.start(configuration, data, seed)
        trained.theta[:] = network.theta
        moved = _at(engine, trained, data).moved
    states = (drawn, _State(network, moved))
    flows = [list(_flows(each, configuration, x, y)) for each in states]
    layout = network.layout
    described = zip(
        layer_names(layout),
        (layout.widths[0], *layout.widths[:-1]),
        layout.widths,
        _parameters(layout),
        *flows,
        strict=True,
    )
    return tuple(
        Layer(name, inputs, units, layout.members, parameters, initial, trained)
        for name, inputs, units, parameters, initial, trained in described
    )


def layer_names(layout: Layout) -> tuple[str, ...]:
    """What its layers are called, first what enters the first one."""
    first = "encoding" if layout.encoding else "inputs"
    hidden = (f"hidden {i + 1}" for i in range(len(layout.widths) - 2))
    return (first, *hidden, "output")


def _at(engine: NumpyEngine, member: Member, data: TrainingData) -> _State:
    """The network of a member that only watched, and how one more step moves it."""
    steady = member.configuration.replace(
        schedule="constant", warmup=0.0, regularisation_schedule="constant", epochs=1000
    )
    stop, batch = np.zeros(1, np.uint8), steady.whole("batch_size")
    order = batch_order(member.key, len(data.x), 1)
    few = _taken(data, order[: _WARM * batch])
    resting = replace(member, configuration=steady.replace(learning_rate=0.0))
    engine.advance(resting, few, -(-_WARM * batch // len(order[: _WARM * batch])), stop)
    network = replace(engine.network(member, data.classes), theta=member.theta.copy())
    moving = replace(resting, configuration=steady)
    one = _taken(data, order[:batch])
    engine.advance(moving, one, int(moving.counters[0]) + 1, stop)
    return _State(network, moving.theta - network.theta)


def _taken(data: TrainingData, rows: NDArray[np.int64]) -> TrainingData:
    x, y = (np.ascontiguousarray(each[rows]) for each in (data.x, data.y))
    none = (data.validation_x[:0], data.validation_y[:0])
    return replace(data, x=x, y=y, validation_x=none[0], validation_y=none[1])


def _flows(
    state: _State, configuration: Configuration, x: NDArray[np.float32], y: NDArray[np.float32]
) -> Iterator[Flow]:
    network, layout = state.network, state.network.layout
    sights = [_sight(alone(network, i), configuration, x, y) for i in range(layout.members)]
    rows, share = len(x), 1.0 / np.sqrt(layout.members)
    weights = _weights(layout, network.theta)
    gradients = list(_gradients(network, sights))
    moved = _weights(layout, state.moved)
    for i in range(len(layout.widths)):
        inner = 0 < i < len(layout.widths) - 1
        yield flow(
            np.concatenate([each.outputs[i] for each in sights], axis=1),
            np.concatenate([each.slopes[i - 1] for each in sights], axis=1) if inner else None,
            np.concatenate([each.back[i] for each in sights], axis=1) * (rows * share),
            network.activation,
            weights[i],
            gradients[i],
            moved[i],
        )


def _sight(
    network: Network, configuration: Configuration, x: NDArray[np.float32], y: NDArray[np.float32]
) -> Sight:
    _, delta = loss_of(configuration, network.classes, look(network, x).outputs[-1], y)
    return look(network, x, delta)


def _weights(layout: Layout, theta: _F) -> list[_F]:
    """Those before the first layer, then each layer's; of all members."""
    encoding = [theta[slice(*layout.blocks[name])] for name in _ENCODING]
    return [np.concatenate(encoding), *layout.split(theta)[0]]


def _gradients(network: Network, sights: list[Sight]) -> Iterator[_F]:
    """The mean loss's, for what `_weights` gives: those of members are folded into the shared."""
    layout, factors = network.layout, batch_factors(network)
    one, several = layout.one, layout.members
    if layout.norm == "batch":  # members were looked at without
        one = replace(one, norm="", biased=True)
    split = [one.split(each.gradient)[0] for each in sights]
    adapters = list(layout.adapters(network.theta))
    blocks = one.blocks
    encoding = [
        np.concatenate([each.gradient[slice(*blocks[name])] for name in _ENCODING])
        for each in sights
    ]
    yield np.mean(encoding, axis=0).astype(np.float32)
    for i in range(len(layout.widths) - 2):
        own: _F = np.stack([each[i] for each in split])
        if factors:
            own *= factors[i]
        if adapters:
            inputs, sums = adapters[i]
            own *= inputs[:, :, None] * sums[:, None]
        yield own.mean(axis=0, dtype=np.float32)
    yield np.stack([each[-1] for each in split]) * np.float32(1.0 / several)


def _parameters(layout: Layout) -> Iterator[int]:
    """How many numbers each layer learns; all come to the layout's."""
    yield sum(end - begin for begin, end in (layout.blocks[name] for name in _ENCODING))
    last, several = len(layout.widths) - 2, layout.members
    for i, (n, m) in enumerate(zip(layout.widths, layout.widths[1:], strict=False)):
        count = n * m * (several if i == last else 1) + (several * m if layout.biased else 0)
        if i < last:
            count += m * layout.mixed + 2 * m * bool(layout.norm)
            count += several * (n + m) if several > 1 else 0
        yield count
