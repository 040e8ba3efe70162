"""The engine's face: members and networks around the kernels of `step.py`."""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, cast

import numpy as np
from numpy.typing import NDArray
from threadpoolctl import threadpool_limits

from modelshelf.core.protocols import Leg, TrainingData
from modelshelf.core.seeds import derive, generator
from modelshelf.engines.numpy_ import step
from modelshelf.engines.numpy_.activations import ACTIVATIONS, Activation
from modelshelf.engines.numpy_.compile import INTERPRETED, function_type, pointer, signature
from modelshelf.engines.numpy_.initialise import INITIALISERS
from modelshelf.engines.numpy_.layout import Layout
from modelshelf.engines.numpy_.losses import LOSSES
from modelshelf.engines.numpy_.optimizers import OPTIMIZERS
from modelshelf.engines.numpy_.schedules import SCHEDULES
from modelshelf.space.configuration import Configuration

__all__ = ["Member", "Network", "NumpyEngine", "single_threaded"]


#: What `step` reads of a configuration, in its order; 0 where it is not active.
_RATES = (
    "negative_slope", "dropout", "l1", "l2", "weight_decay", "clip_norm", "label_smoothing",
    "min_delta", "warmup", "huber_delta",
)  # fmt: skip


@dataclass(slots=True, eq=False)
class Member:
    """One network in training: all its state, in a few flat arrays."""

    configuration: Configuration
    layout: Layout
    key: np.uint64  #: names this member's random numbers
    theta: NDArray[Any]  #: weights and biases, (parameters,)
    slots: NDArray[Any]  #: what the optimizer keeps, (slots, parameters)
    best: NDArray[Any]  #: weights and biases of the best epoch, (parameters,)
    counters: NDArray[np.int64]  #: epoch, step, best epoch, state
    scalars: NDArray[np.float64]  #: best validation loss


@dataclass(frozen=True, slots=True, eq=False)
class Network:
    """A fully connected network that only answers. Weights are (in, out), one a layer."""

    layout: Layout
    activation: str
    negative_slope: float
    classes: bool
    theta: NDArray[Any]

    def predict(self, x: NDArray[Any]) -> NDArray[np.float64]:
        """Class probabilities (rows, classes), or the standardised target (rows,), float64.

        The same rows give the same bits, from a fresh network or from one off the shelf.
        """
        dtype = self.theta.dtype
        x = np.ascontiguousarray(x, dtype=dtype)
        output = np.empty((x.shape[0], self.layout.widths[-1]), dtype)
        rates = np.zeros(len(_RATES))
        rates[step.PARAMETER] = self.negative_slope
        kernel = pointer(step.predict, _predict_signature(dtype))
        with _quiet(), single_threaded():
            kernel(
                _activation(self.activation, dtype), self.layout.sizes, rates, self.theta, x, output
            )
        raw = output.astype(np.float64)
        if not self.classes:
            return raw[:, 0]
        raw -= raw.max(axis=1, keepdims=True)
        np.exp(raw, out=raw)
        raw /= raw.sum(axis=1, keepdims=True)
        return raw

    def weights(self) -> tuple[tuple[NDArray[Any], ...], tuple[NDArray[Any], ...]]:
        """Weights (in, out) and biases (out,) of each layer."""
        return self.layout.split(self.theta)

    def tensors(self) -> dict[str, NDArray[Any]]:
        """Weights and biases by name, as they lie on the shelf."""
        weights, biases = self.weights()
        named = {f"weight.{i}": w for i, w in enumerate(weights)}
        return {**named, **{f"bias.{i}": b for i, b in enumerate(biases)}}

    @classmethod
    def from_tensors(
        cls, configuration: Configuration, classes: bool, tensors: Mapping[str, NDArray[Any]]
    ) -> Network:
        """The network whose `tensors` these are."""
        count = sum(name.startswith("weight.") for name in tensors)
        weights = [tensors[f"weight.{i}"] for i in range(count)]
        biases = [tensors[f"bias.{i}"] for i in range(count)]
        layout = Layout((weights[0].shape[0], *(w.shape[1] for w in weights)))
        theta = np.concatenate([each.reshape(-1) for each in (*weights, *biases)])
        return cls(
            layout,
            configuration.word("activation"),
            configuration.number("negative_slope"),
            classes,
            np.ascontiguousarray(theta),
        )


class NumpyEngine:
    """Trains members in compiled NumPy. Stateless: safe to share between threads.

    `dtype` is float32 in use, float64 where it is held against PyTorch's own optimizers.
    """

    def __init__(self, dtype: str = "float32") -> None:
        self.dtype = np.dtype(dtype)

    def start(self, settings: Mapping[str, Any], data: TrainingData, seed: int) -> Member:
        """A member at epoch 0, its weights drawn as its configuration says, its biases 0."""
        configuration = cast("Configuration", settings)
        layout = Layout((data.inputs, *configuration.hidden_layers, data.outputs))
        theta = np.zeros(layout.parameters, self.dtype)
        draw = INITIALISERS[configuration.word("initialisation")]
        rng = generator(seed, "weights")
        for weight, bias in zip(*layout.split(theta), strict=True):
            weight[:] = draw(rng, *weight.shape)
            if configuration.word("initialisation") == "pytorch":
                bias[:] = draw(rng, *weight.shape)[0]
        slots = OPTIMIZERS[configuration.word("optimizer")].slots
        return Member(
            configuration=configuration,
            layout=layout,
            key=np.uint64(derive(seed, "key")),
            theta=theta,
            slots=np.zeros((slots, theta.size), self.dtype),
            best=theta.copy(),
            counters=np.zeros(step.COUNTERS, np.int64),
            scalars=np.array([np.inf]),
        )

    def advance(
        self, member: Member, data: TrainingData, to_epoch: int, stop: NDArray[np.uint8]
    ) -> Leg:
        """Train up to an epoch, to the end of patience, or until `stop[0]` is set."""
        configuration, dtype = member.configuration, self.dtype
        optimizer = OPTIMIZERS[configuration.word("optimizer")]
        first = int(member.counters[step.EPOCH])
        curve = np.full((max(to_epoch - first, 0), 3), np.nan)
        plan = np.array(
            [
                configuration.whole("batch_size"),
                configuration.whole("patience"),
                data.classes,
                configuration.whole("epochs"),
                SCHEDULES[configuration.word("schedule")],
            ],
            np.int64,
        )
        rates = np.array([float(configuration.get(name, 0.0)) for name in _RATES])  # type: ignore[arg-type]
        kernel = pointer(step.train, _train_signature(dtype))
        with _quiet():
            began = time.perf_counter()
            steps = kernel(
                _activation(configuration.word("activation"), dtype),
                pointer(LOSSES[configuration.word("loss"), data.classes], _loss_signature(dtype)),
                pointer(optimizer.update, _update_signature(dtype)),
                member.layout.sizes,
                plan,
                rates,
                np.array([configuration.number(name) for name in optimizer.constants]),
                member.key,
                member.theta,
                member.slots,
                member.best,
                member.counters,
                member.scalars,
                data.x,
                data.y,
                data.validation_x,
                data.validation_y,
                to_epoch,
                curve,
                stop,
            )
            seconds = time.perf_counter() - began
        epoch, _, best_epoch, state = (int(each) for each in member.counters)
        return Leg(
            epoch=epoch,
            best_epoch=best_epoch,
            loss=float(member.scalars[step.BEST_LOSS]),
            steps=int(steps),
            seconds=seconds,
            curve=curve[: epoch - first],
            ended=state == step.STOPPED_EARLY,
            diverged=state == step.DIVERGED,
            interrupted=state == step.INTERRUPTED,
        )

    def network(self, member: Member, classes: bool) -> Network:
        """The member's kept weights, as a network of their own."""
        return Network(
            member.layout,
            member.configuration.word("activation"),
            member.configuration.number("negative_slope"),
            classes,
            member.best.copy(),
        )

    def snapshot(self, member: Member) -> dict[str, NDArray[Any]]:
        """Everything that `thaw` needs besides the kept weights, by name."""
        return {
            "state.theta": member.theta,
            "state.slots": member.slots,
            "state.counters": member.counters,
            "state.scalars": member.scalars,
        }

    def thaw(
        self,
        settings: Mapping[str, Any],
        data: TrainingData,
        seed: int,
        tensors: Mapping[str, NDArray[Any]],
    ) -> Member:
        """The frozen member, from its snapshot and its network's tensors."""
        member = self.start(settings, data, seed)
        best = Network.from_tensors(member.configuration, data.classes, tensors).theta
        for into, name in (
            (member.theta, "state.theta"),
            (member.slots, "state.slots"),
            (member.counters, "state.counters"),
            (member.scalars, "state.scalars"),
        ):
            into[...] = tensors[name].reshape(into.shape)
        member.best[:] = best
        return member


@contextmanager
def single_threaded() -> Iterator[None]:
    """Holds BLAS at one thread: members share the cores by themselves."""
    with threadpool_limits(limits=1, user_api="blas"):
        yield


@contextmanager
def _quiet() -> Iterator[None]:
    """With the compiler off, hashes overflow by intent, and diverging members do by nature."""
    if INTERPRETED:
        with np.errstate(all="ignore"):
            yield
    else:
        yield


def _activation_signature(dtype: np.dtype[Any]) -> Any:
    return signature("void", "f1", "f1", "d", dtype=dtype)


def _loss_signature(dtype: np.dtype[Any]) -> Any:
    return signature("d", "f2", "f2", "f2", "d", dtype=dtype)


def _update_signature(dtype: np.dtype[Any]) -> Any:
    return signature("void", "f1", "f1", "f2", "d1", "i", dtype=dtype)


def _activation(name: str, dtype: np.dtype[Any]) -> Activation:
    return pointer(ACTIVATIONS[name], _activation_signature(dtype))


def _train_signature(dtype: np.dtype[Any]) -> Any:
    functions = (_activation_signature, _loss_signature, _update_signature)
    return signature(
        "i", *(function_type(each(dtype)) for each in functions),
        "i1", "i1", "d1", "d1", "u", "f1", "f2", "f1", "i1", "d1",
        "f2", "f2", "f2", "f2", "i", "d2", "u1", dtype=dtype,
    )  # fmt: skip


def _predict_signature(dtype: np.dtype[Any]) -> Any:
    return signature(
        "void",
        function_type(_activation_signature(dtype)),
        "i1",
        "d1",
        "f1",
        "f2",
        "f2",
        dtype=dtype,
    )
