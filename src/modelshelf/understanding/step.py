"""The first training step of a network, as a program to read and run, with its arrays."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from enum import StrEnum
from pathlib import Path
from typing import Any
from zipfile import BadZipFile

import numpy as np
from numpy.typing import NDArray

from modelshelf.core.errors import DataError
from modelshelf.core.files import refuse, write, write_text
from modelshelf.core.protocols import TrainingData
from modelshelf.engines.numpy_ import Member, NumpyEngine
from modelshelf.engines.numpy_.assemble import class_weights, rates_of
from modelshelf.engines.numpy_.compile import from_python, quiet, single_threaded
from modelshelf.engines.numpy_.layout import Layout
from modelshelf.engines.numpy_.look import batch_order, dropout_mask
from modelshelf.engines.numpy_.losses import smooth, weigh
from modelshelf.engines.numpy_.optimizers import OPTIMIZERS
from modelshelf.engines.numpy_.pointers import expand
from modelshelf.engines.numpy_.step import LOSS
from modelshelf.insight.program import StepForm, numpy_program, torch_program
from modelshelf.insight.program.form import ARRAYS
from modelshelf.space.configuration import Configuration
from modelshelf.understanding.one_row import first_inputs
from modelshelf.understanding.taken import take

__all__ = ["Language", "TrainingStep", "step_of", "training_step"]


class Language(StrEnum):
    """What the program is written in."""

    NUMPY = "numpy"
    TORCH = "torch"


@dataclass(frozen=True, slots=True, eq=False)
class TrainingStep:
    """The first training step of a network: what it is made of, and its arrays."""

    form: StepForm
    arrays: dict[str, NDArray[np.float32]]  #: by the names that `StepForm` tells

    def program(self, language: Language | str = Language.NUMPY) -> str:
        """The step as a program of NumPy or of PyTorch, which reads `step.npz` beside it."""
        write = numpy_program if Language(language) is Language.NUMPY else torch_program
        return write(self.form)

    def write(
        self,
        folder: str | Path,
        language: Language | str = Language.NUMPY,
        *,
        force: bool = False,
    ) -> Path:
        """Write `step.npz` and the program, `step.py` or `step_torch.py`; returns its path.

        Raises `DataError` where the folder cannot be written to, or holds a file of such a name
        that is not what was written so before, unless `force` replaces it.
        """
        folder = Path(folder)
        name = "step.py" if Language(language) is Language.NUMPY else "step_torch.py"
        program = self.program(language)
        begins = program.partition(" of the network ")[0].encode()
        try:
            folder.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise DataError(f"{str(folder)!r} cannot be written to: {error}.") from None
        refuse(folder / name, ours=lambda path: begins in path.read_bytes(), force=force)
        refuse(folder / ARRAYS, ours=self._holds_a_step, force=force)
        write(folder / ARRAYS, lambda file: np.savez(file, **self.arrays))  # type: ignore[arg-type]
        write_text(folder / name, program)
        return folder / name

    @staticmethod
    def _holds_a_step(path: Path) -> bool:
        """Whether arrays are those of a step, by one that each step has."""
        try:
            with np.load(path, allow_pickle=False) as stored:
                return {"x", "y", "W0", "after_W0"} <= set(stored)
        except (ValueError, EOFError, BadZipFile):
            return False


def training_step(
    barcode: str, *, shelf: str | Path | None = None, data: Any = None, test: Any = None
) -> TrainingStep:
    """The very first training step of a network: its first weights, batch and dropout masks.

    Arguments and errors as in `dissect`.
    """
    with take(barcode, shelf, data, test) as taken:
        title = f"The first training step of the network {taken.trial.barcode}."
        taken.model.dense("dissect --step")
        return step_of(taken.model.configuration, taken.prepared.data, taken.trial.seed, title)


def step_of(
    configuration: Configuration, data: TrainingData, seed: int, title: str
) -> TrainingStep:
    """The first step of a member of the engine. What the program cannot hold is left out, and said.

    It goes at the full learning rate: a schedule may begin lower. Of several members it is the
    first, alone.
    """
    engine, left_out = NumpyEngine(), tuple(_left_out(configuration, data))
    steady = configuration.replace(schedule="constant", warmup=0.0, averaging=0.0)
    with single_threaded():
        member = _first_member(engine, engine.start(steady, data, seed))
    layout, before = member.layout, member.theta.copy()
    batch = min(steady.whole("batch_size"), len(data.x))
    rows = batch_order(member.key, len(data.x), 1)[:batch]
    x = first_inputs(replace(engine.network(member, data.classes), theta=before), data.x[rows])
    arrays = {
        **_parameters(layout, before),
        "x": x,
        "y": _targets(member.configuration, data, rows),
        **_masks(member, batch),
    }
    with single_threaded():
        _step(engine, member, data, rows)
    after = _parameters(layout, member.theta)
    arrays |= {f"after_{name}": each for name, each in after.items() if name[0] in "Wb"}
    form = _form(member.configuration, layout, data.classes, batch, title, left_out)
    return TrainingStep(form, arrays)


def _left_out(configuration: Configuration, data: TrainingData) -> Iterator[str]:
    """What the program does not hold of the step that the engine took, in sentences."""
    if "ensemble_size" in configuration:
        yield (
            f"the network is {configuration['ensemble_size']} members that share weights; this is "
            "the first of them, trained alone."
        )
    numbers = "numeric_encoding" in configuration and any(e < 0 for e in data.columns)
    codes = configuration.whole("category_embedding") > 0 and any(e > 0 for e in data.columns)
    if numbers or codes:
        yield (
            "inputs have learned encodings; x holds rows that are encoded already, and what the "
            "step changes in the encodings is not computed."
        )
        if "clip_norm" in configuration:
            yield (
                "the gradient is clipped by its norm, in which the encodings' part counts; here "
                "it does not, so the update may be longer."
            )
    schedule = configuration.word("schedule")
    if schedule != "constant" or "warmup" in configuration:
        yield "the schedule of the learning rate; this step goes at the full rate."


def _first_member(engine: NumpyEngine, member: Member) -> Member:
    """The first of several members, as a plain network in training."""
    layout = member.layout
    if layout.members == 1:
        return member
    own = np.zeros(layout.one.size, member.theta.dtype)
    expand(member.theta.dtype)(layout.sizes, layout.members, 0, member.theta, own)
    return replace(
        member,
        configuration=member.configuration.replace(ensemble_size=1),
        layout=layout.one,
        theta=own,
        best=own.copy(),
        slots=np.zeros((len(member.slots), layout.one.size), own.dtype),
        average=np.zeros(0, own.dtype),
    )


def _parameters(layout: Layout, theta: NDArray[np.float32]) -> dict[str, NDArray[np.float32]]:
    """Copies, by the names that programs know them by."""
    weights, biases = layout.split(theta)
    found = {f"W{i}": each.copy() for i, each in enumerate(weights)}
    found |= {f"b{i}": each.copy() for i, each in enumerate(biases)}
    blocks = {name: theta[slice(*layout.blocks[name])] for name in ("scales", "mixes", "gains")}
    if layout.scaled:
        found["scale"] = blocks["scales"].copy()
    at = 0
    for i, width in enumerate(layout.widths[1:-1]):
        if layout.mixed:
            found[f"share{i}"] = blocks["mixes"][at : at + width].copy()
        if layout.norm:
            gain, shift = blocks["gains"][2 * at : 2 * (at + width)].reshape(2, width)
            found |= {f"gain{i}": gain.copy(), f"shift{i}": shift.copy()}
        at += width
    return found


def _targets(
    configuration: Configuration, data: TrainingData, rows: NDArray[np.int64]
) -> NDArray[np.float32]:
    """What the loss compares with: smoothed, and weighed by class, as the engine does it."""
    targets: NDArray[np.float32] = np.ascontiguousarray(data.y[rows])
    smoothing = configuration.number("label_smoothing") if data.classes else 0.0
    weights = class_weights(configuration, data, targets.dtype)
    with quiet():
        if weights.size:
            from_python(weigh)(targets.reshape(-1), weights, smoothing)
        elif smoothing > 0.0:
            from_python(smooth)(targets.reshape(-1), targets.shape[1], smoothing)
    return targets


def _masks(member: Member, rows: int) -> dict[str, NDArray[np.float32]]:
    """The dropout masks of the first step."""
    configuration, widths, found = member.configuration, member.layout.widths, {}
    if "input_dropout" in configuration:
        rate = configuration.number("input_dropout")
        found["mask_inputs"] = dropout_mask(member.key, 1, -1, rate, (rows, widths[0]))
    if "dropout" in configuration:
        rate = configuration.number("dropout")
        for i, width in enumerate(widths[1:-1]):
            found[f"mask{i}"] = dropout_mask(member.key, 1, i, rate, (rows, width))
    return found


def _step(engine: NumpyEngine, member: Member, data: TrainingData, rows: NDArray[np.int64]) -> None:
    """The engine's own step on these rows, in this order: dropout masks hang on it."""
    place = np.empty(len(rows), np.int64)
    place[batch_order(member.key, len(rows), 1)] = rows
    x = np.ascontiguousarray(data.x[place])
    # It trains on the rows of x; the weights of classes are counted over all of y.
    rest = np.setdiff1d(np.arange(len(data.y)), rows)
    y = np.ascontiguousarray(data.y[np.concatenate([place, rest])])
    few = replace(data, x=x, y=y, validation_x=x[:0], validation_y=y[:0])
    engine.advance(member, few, 1, np.zeros(1, np.uint8))


def _form(
    configuration: Configuration,
    layout: Layout,
    classes: bool,
    rows: int,
    title: str,
    left_out: tuple[str, ...],
) -> StepForm:
    optimizer = configuration.word("optimizer")
    constants = OPTIMIZERS[optimizer].constants
    return StepForm(
        title=title,
        widths=layout.widths,
        rows=rows,
        activation=configuration.word("activation"),
        parameter=configuration.number("negative_slope"),
        loss=configuration.word("loss"),
        loss_parameter=float(rates_of(configuration)[LOSS]),
        classes=classes,
        weighted="class_weight" in configuration,
        optimizer=optimizer,
        rate=configuration.number("learning_rate"),
        constants=tuple((name, configuration.number(name)) for name in constants),
        biased=layout.biased,
        ntk=layout.ntk,
        scaled=layout.scaled,
        mixed=layout.mixed and len(layout.widths) > 2,
        norm=layout.norm if len(layout.widths) > 2 else "",
        residual=layout.residual,
        dropout="dropout" in configuration and len(layout.widths) > 2,
        input_dropout="input_dropout" in configuration,
        summed="reduction" in configuration,
        l1=_active(configuration, "l1"),
        l2=_active(configuration, "l2"),
        clip=_active(configuration, "clip_norm"),
        factors=tuple(_factors(configuration, layout)),
        left_out=left_out,
    )


def _active(configuration: Configuration, name: str) -> float:
    return configuration.number(name) if name in configuration else 0.0


def _factors(configuration: Configuration, layout: Layout) -> Iterator[tuple[str, float, float]]:
    """Parameters by name, the factor of their learning rate, and their weight decay."""
    number, decay = configuration.number, _active(configuration, "weight_decay")
    again = "decay_by_factor" in configuration
    there = {
        "W": (True, 1.0, decay),
        "b": (layout.biased, number("bias_lr_factor"), 0.0),
        "scale": (layout.scaled, number("scale_lr_factor"), decay),
        "share": (layout.mixed and len(layout.widths) > 2, number("activation_lr_factor"), decay),
        "gain": (bool(layout.norm) and len(layout.widths) > 2, 1.0, 0.0),
        "shift": (bool(layout.norm) and len(layout.widths) > 2, 1.0, 0.0),
    }
    for name, (held, factor, own) in there.items():
        if held:
            yield name, factor, own * factor if again else own
