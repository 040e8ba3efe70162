"""A trained network that only answers."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.special import ndtri

from modelshelf.engines.numpy_ import pointers
from modelshelf.engines.numpy_.assemble import NO_LIMITS, head_of, rates
from modelshelf.engines.numpy_.compile import quiet, single_threaded
from modelshelf.engines.numpy_.layout import Layout
from modelshelf.engines.numpy_.losses import LEAST_VARIANCE
from modelshelf.engines.numpy_.predict import ANSWERED
from modelshelf.engines.numpy_.scratch import scratch_for
from modelshelf.space.configuration import Configuration

__all__ = ["Network"]


@dataclass(frozen=True, slots=True, eq=False)
class Network:
    """A fully connected network, or several in one, that only answers."""

    layout: Layout
    activation: str
    negative_slope: float
    classes: bool
    theta: NDArray[Any]
    limits: tuple[float, float] = NO_LIMITS  #: answers beyond these become them
    point: int = 0  #: which output is the answer, where it answers with numbers

    @property
    def parameters(self) -> int:
        """How many numbers were learned."""
        return self.layout.parameters

    def predict(self, x: NDArray[Any]) -> NDArray[np.float64]:
        """Class probabilities (rows, classes), or the standardised target (rows,), float64.

        The same rows give the same bits, from a fresh network or from one off the shelf.
        """
        raw = self.raw(x)
        if not self.classes:
            return raw[:, self.point]
        raw -= raw.max(axis=1, keepdims=True)
        np.exp(raw, out=raw)
        raw /= raw.sum(axis=1, keepdims=True)
        return raw

    def interval(self, x: NDArray[Any], head: str, share: float) -> NDArray[np.float64]:
        """Lower and upper ends (rows, 2), float64, between which this share of targets should lie.

        Of a network trained with loss `head`: gaussian gives any share, quantile its own alone.
        """
        raw = self.raw(x)
        if head == "gaussian":
            deviations = float(ndtri(0.5 + share / 2.0))
            wide = deviations * np.exp(0.5 * np.maximum(raw[:, 1], math.log(LEAST_VARIANCE)))
            return np.column_stack([raw[:, 0] - wide, raw[:, 0] + wide])
        return np.column_stack([raw.min(axis=1), raw.max(axis=1)])  # quantiles may cross

    def raw(self, x: NDArray[Any]) -> NDArray[np.float64]:
        """The last layer's outputs (rows, outputs), float64: logits, or what the loss made them."""
        dtype = self.theta.dtype
        x = np.ascontiguousarray(x, dtype=dtype)
        output = np.empty((x.shape[0], self.layout.widths[-1]), dtype)
        layout = self.layout
        kernel = pointers.answer(dtype)
        with quiet(), single_threaded():
            kernel(
                pointers.passes(dtype)[0],
                pointers.encoders(layout, dtype)[0],
                pointers.activation(self.activation, dtype),
                pointers.norms(layout, dtype)[0],
                pointers.members(layout, dtype)[0],
                layout.sizes,
                layout.form,
                layout.columns,
                rates(parameter=self.negative_slope),
                np.array(self.limits),
                int(self.classes),
                self.theta,
                scratch_for(layout, ANSWERED, dtype),
                ANSWERED,
                x,
                output,
            )
        return output.astype(np.float64)

    def weights(self) -> tuple[tuple[NDArray[Any], ...], tuple[NDArray[Any], ...]]:
        """Weights (in, out) and biases (out,) of each layer."""
        return self.layout.split(self.theta)

    def tensors(self) -> dict[str, NDArray[Any]]:
        """All its parameters by name, as they lie on the shelf."""
        named = self.layout.tensors(self.theta)
        if self.limits != NO_LIMITS:
            named["limits"] = np.array(self.limits)
        return named

    @classmethod
    def from_tensors(
        cls, configuration: Configuration, classes: bool, tensors: Mapping[str, NDArray[Any]]
    ) -> Network:
        """The network whose `tensors` these are."""
        ntk = configuration.word("parametrisation") == "ntk"
        layout, theta = Layout.from_tensors(tensors, ntk=ntk, residual="residual" in configuration)
        limits = tensors.get("limits", np.array(NO_LIMITS)).tolist()
        return cls(
            layout,
            configuration.word("activation"),
            configuration.number("negative_slope"),
            classes,
            theta,
            (limits[0], limits[1]),
            head_of(configuration, classes).point,
        )
