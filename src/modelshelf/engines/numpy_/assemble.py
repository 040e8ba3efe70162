"""From a configuration to what the kernels take: layout, plan, rates, groups, first parameters."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from numpy.typing import NDArray

from modelshelf.core.protocols import TrainingData
from modelshelf.core.seeds import generator
from modelshelf.engines.numpy_ import step
from modelshelf.engines.numpy_.compile import quiet
from modelshelf.engines.numpy_.encoding import waves_shape
from modelshelf.engines.numpy_.initialise import INITIALISERS, fit_to_data
from modelshelf.engines.numpy_.layout import Encoding, Layout
from modelshelf.engines.numpy_.losses import HEADS, Head
from modelshelf.engines.numpy_.network import PARAMETER
from modelshelf.engines.numpy_.piecewise import edges_of
from modelshelf.engines.numpy_.pointers import activation, encoders
from modelshelf.engines.numpy_.schedules import SCHEDULES
from modelshelf.space.configuration import Configuration

__all__ = [
    "NO_LIMITS",
    "class_weights",
    "draw_parameters",
    "groups_of",
    "head_of",
    "layout_of",
    "limits_of",
    "plan_of",
    "rates",
    "rates_of",
]

NO_LIMITS = (-math.inf, math.inf)

#: What kernels read of a configuration, in their order; 0 where it is not active.
_RATES = (
    "negative_slope", "dropout", "l1", "l2", "weight_decay", "clip_norm", "label_smoothing",
    "min_delta", "warmup", "loss_parameter", "input_dropout", "averaging",
)  # fmt: skip

_FIXED = ("edges", "statistics")  # what no optimizer moves
_NOT_DECAYED = ("biases", "gains")

_ROWS = 8192  # the most training rows that `initialisation = data` looks at
_EDGE_ROWS = 65_536  # and that edges of bins are drawn from


def layout_of(configuration: Configuration, data: TrainingData) -> Layout:
    """The network that a configuration builds on this data."""
    numbers, piecewise = "numeric_encoding" in configuration, "encoding_bins" in configuration
    embedding = configuration.whole("category_embedding")
    columns = tuple(each if (numbers if each < 0 else embedding) else 0 for each in data.columns)
    encoding = None
    if any(columns):
        encoding = Encoding(
            columns,
            configuration.whole("encoding_bins" if piecewise else "periodic_features"),
            configuration.whole("encoding_size"),
            embedding,
            piecewise,
        )
    return Layout(
        widths=(
            encoding.width if encoding else data.inputs,
            *configuration.hidden_layers,
            head_of(configuration, data.classes).outputs * data.outputs,
        ),
        biased=configuration.word("biases") == "yes",
        ntk=configuration.word("parametrisation") == "ntk",
        scaled=configuration.word("input_scale") == "yes",
        mixed="parametric_activation" in configuration,
        encoding=encoding,
        norm=str(configuration.get("normalisation", "")),
        residual="residual" in configuration,
        members=configuration.whole("ensemble_size") if "ensemble_size" in configuration else 1,
    )


def head_of(configuration: Configuration, classes: bool) -> Head:
    """How a network's outputs become its answer."""
    return HEADS.get("" if classes else configuration.word("loss"), Head(1, 0))


def rates(parameter: float) -> NDArray[np.float64]:
    """The rates of a network that only answers."""
    found = np.zeros(len(_RATES))
    found[PARAMETER] = parameter
    return found


def rates_of(configuration: Configuration) -> NDArray[np.float64]:
    """A configuration's rates."""
    found = np.array([float(configuration.get(name, 0.0)) for name in _RATES])  # type: ignore[arg-type]
    for name in ("huber_delta", "interval"):
        if name in configuration:
            found[step.LOSS] = configuration.number(name)
    return found


def plan_of(configuration: Configuration, data: TrainingData) -> NDArray[np.int64]:
    """A configuration's plan."""
    plan = np.zeros(step.PLAN, np.int64)
    plan[step.BATCH] = configuration.whole("batch_size")
    plan[step.PATIENCE] = configuration.whole("patience")
    plan[step.CLASSES] = data.classes
    plan[step.EPOCHS] = configuration.whole("epochs")
    plan[step.SCHEDULE] = SCHEDULES[configuration.word("schedule")]
    plan[step.SUMMED] = configuration.word("reduction") == "sum"
    plan[step.MONITOR] = configuration.word("monitor") == "accuracy"
    plan[step.FADES] = "regularisation_schedule" in configuration
    plan[step.POINT] = head_of(configuration, data.classes).point
    return plan


def groups_of(configuration: Configuration, layout: Layout) -> NDArray[np.float64]:
    """Parameters that are updated alike: (groups, 4): begin, end, factors of rate and decay.

    Neighbours that are alike are one group: a plain network is one loop.
    """
    factors = {
        "weights": 1.0,
        "biases": configuration.number("bias_lr_factor"),
        "scales": configuration.number("scale_lr_factor"),
        "mixes": configuration.number("activation_lr_factor"),
        "numbers": configuration.number("encoding_lr_factor"),
    }
    decays = configuration.get("weight_decay", 0.0) != 0.0
    again = "decay_by_factor" in configuration
    groups: list[list[float]] = []
    for name, (begin, end) in layout.blocks.items():
        if begin == end or name in _FIXED or (name == "biases" and not layout.biased):
            continue
        factor, decayed = factors.get(name, 1.0), float(decays and name not in _NOT_DECAYED)
        alike = [factor, decayed * factor if again else decayed]
        if groups and groups[-1][1] == begin and groups[-1][2:] == alike:
            groups[-1][1] = end
        else:
            groups.append([begin, end, *alike])
    return np.array(groups, np.float64)


def limits_of(configuration: Configuration, data: TrainingData) -> tuple[float, float]:
    """The range of the training target, where answers are clamped to it."""
    if data.classes or "clamp_output" not in configuration:
        return NO_LIMITS
    return float(data.y.min()), float(data.y.max())


def class_weights(
    configuration: Configuration, data: TrainingData, dtype: np.dtype[Any]
) -> NDArray[Any]:
    """One weight for each class, (classes,), or none: rows / (classes · rows of the class)."""
    if not data.classes or "class_weight" not in configuration:
        return np.zeros(0, dtype)
    counts = np.maximum(data.y.sum(axis=0, dtype=np.float64), 1.0)
    weights: NDArray[Any] = (len(data.y) / (len(counts) * counts)).astype(dtype)
    return weights


def draw_parameters(
    configuration: Configuration,
    layout: Layout,
    theta: NDArray[Any],
    data: TrainingData,
    seed: int,
) -> None:
    """Fill a member's parameters before its first step."""
    rng = generator(seed, "weights")
    word, blocks = configuration.word("initialisation"), layout.blocks
    for name in ("scales", "mixes"):
        theta[slice(*blocks[name])] = 1.0
    blocks_of_norm = [slice(*blocks[name]) for name in ("gains", "statistics")]
    at = 0
    for width in layout.widths[1:-1]:
        if layout.norm:
            gains, statistics = (theta[each][at : at + 2 * width] for each in blocks_of_norm)
            gains[:width] = 1.0
            statistics[width:] = 1.0
            at += 2 * width
    _draw_encoding(configuration, layout, theta, data, rng)
    for i, (inputs, sums) in enumerate(layout.adapters(theta)):
        inputs[:], sums[:] = 1.0, 1.0
        if i == 0 and layout.encoding:
            inputs[:] = rng.normal(size=inputs.shape)
        elif i == 0:
            inputs[:] = rng.choice([-1.0, 1.0], inputs.shape)
    if word == "data":
        _fit(configuration, layout, theta, data, rng)
        return
    draw = INITIALISERS[word]
    for weight, bias in zip(*layout.split(theta), strict=True):
        for each in weight.reshape(-1, *weight.shape[-2:]):
            each[:] = draw(rng, *each.shape)
        if word == "pytorch" and layout.biased:
            # All members begin with the same biases, but in the last layer, where all is their own.
            fan_in, several = weight.shape[-2], bias[:, None] if weight.ndim == 3 else bias[None]
            for each in several:
                each[...] = draw(rng, fan_in, bias.shape[-1])[0]


def _draw_encoding(
    configuration: Configuration,
    layout: Layout,
    theta: NDArray[Any],
    data: TrainingData,
    rng: np.random.Generator,
) -> None:
    """Fill what numbers and categories are encoded by."""
    if layout.encoding is None:
        return
    begin, end = layout.blocks["tables"]
    numbers = [column for column, kind in enumerate(layout.encoding.columns) if kind < 0]
    for column, parts in zip(numbers, layout.numbers(theta), strict=True):
        if layout.encoding.piecewise:
            slope, bias, steps, edges = parts
            bound = 1.0 / math.sqrt(len(slope))
            slope[:] = rng.uniform(-bound, bound, slope.shape)
            bias[:] = rng.uniform(-bound, bound, bias.shape)
            steps[:] = 0.0
            every = -(-len(data.x) // _EDGE_ROWS)
            edges[:] = edges_of(data.x[::every, column], len(steps))
            continue
        frequency, phase, linear, bias = parts
        bound = 1.0 / math.sqrt(len(frequency))
        sigma = configuration.number("periodic_sigma")
        frequency[:] = rng.normal(0.0, sigma, frequency.shape)
        phase[:] = rng.uniform(-math.pi, math.pi, phase.shape)
        linear[:] = rng.uniform(-bound, bound, linear.shape)
        bias[:] = rng.uniform(-bound, bound, bias.shape)
    theta[begin:end] = rng.normal(size=end - begin)


def _fit(
    configuration: Configuration,
    layout: Layout,
    theta: NDArray[Any],
    data: TrainingData,
    rng: np.random.Generator,
) -> None:
    """Layer by layer, by what training rows make of the layers below."""
    rows = min(len(data.x), _ROWS)
    picked = np.sort(rng.choice(len(data.x), rows, replace=False))
    x = np.ascontiguousarray(data.x[picked])
    if layout.encoding:
        raw, x = x, np.empty((rows, layout.widths[0]), theta.dtype)
        with quiet():
            waves = np.empty(waves_shape(layout.form, rows), theta.dtype)
            encoders(layout, theta.dtype)[0](layout.columns, layout.form, theta, raw, x, waves)
    activate = activation(configuration.word("activation"), theta.dtype)
    for weight, bias in zip(*layout.split(theta), strict=True):
        factor = 1.0 / math.sqrt(weight.shape[0]) if layout.ntk else 1.0
        sums = fit_to_data(rng, weight, bias, x, factor)
        if not layout.biased:
            bias[:] = 0.0
        x = np.ascontiguousarray(sums)
        with quiet():
            activate(
                x.reshape(-1), np.empty(x.size, x.dtype), configuration.number("negative_slope")
            )
