"""What a training step is made of, and what both programs say of it."""

from __future__ import annotations

import textwrap
from collections.abc import Iterator
from dataclasses import dataclass

__all__ = ["ARRAYS", "StepForm", "Text", "groups", "header", "rule"]

#: The file that both programs read.
ARRAYS = "step.npz"

Text = Iterator[str]


@dataclass(frozen=True, slots=True)
class StepForm:
    """A step of training, but for its arrays.

    The arrays are `W0` …, `b0` …, `x`, `y`, and as many of `scale`, `share0` …, `gain0` …,
    `shift0` …, `mask0` … and `mask_inputs` as the form says; `after_W0` … are those of the engine.
    """

    title: str  #: one line
    widths: tuple[int, ...]
    rows: int
    activation: str
    parameter: float  #: of the activation
    loss: str  #: the catalogue's word
    loss_parameter: float
    classes: bool
    weighted: bool  #: targets are weighted by class, and need not come to 1
    optimizer: str
    rate: float
    constants: tuple[tuple[str, float], ...]  #: the optimizer's, by name
    biased: bool
    ntk: bool
    scaled: bool
    mixed: bool
    norm: str
    residual: bool
    dropout: bool
    input_dropout: bool
    summed: bool
    l1: float
    l2: float
    clip: float
    factors: tuple[tuple[str, float, float], ...]  #: of W, b, …: rate's, weight decay
    left_out: tuple[str, ...]  #: what of this network the program does not hold, in sentences

    @property
    def layers(self) -> int:
        """Weight matrices."""
        return len(self.widths) - 1

    @property
    def shapes(self) -> str:
        """Its widths, for a comment."""
        return " → ".join(map(str, self.widths))

    @property
    def told_rows(self) -> str:
        """What `x` and `y` hold, for a comment."""
        answers = "one column a class" if self.classes else "standardised"
        return f"{self.rows} rows; targets, {answers}"

    @property
    def skips(self) -> tuple[int, ...]:
        """Layers, counted from 0, that add what they were given to what they give."""
        inner = range(1, self.layers - 1) if self.residual else ()
        return tuple(i for i in inner if self.widths[i] == self.widths[i + 1])


def header(form: StepForm, imports: tuple[str, ...]) -> Text:
    """What it is, what it leaves out, the imports, and the arrays that it reads."""
    yield f'"""{form.title}'
    for each in form.left_out:
        yield ""
        yield from textwrap.wrap(f"Left out: {each}", 90)
    yield '"""'
    yield ""
    yield from imports
    yield ""
    yield f'with np.load("{ARRAYS}") as file:'
    yield "    held = dict(file)"


def groups(form: StepForm) -> list[tuple[list[str], float, float]]:
    """Lists of parameters that are updated alike: names, the learning rate, the weight decay."""
    found: list[tuple[list[str], float, float]] = []
    for name, factor, decay in form.factors:
        alike = (form.rate * factor, decay)
        if found and found[-1][1:] == alike:
            found[-1][0].append(name)
        else:
            found.append(([name], *alike))
    return found


def rule(form: StepForm, root: str) -> Text:
    """The optimizer's first step of one parameter `p` with gradient `g`; its means begin at 0."""
    held = dict(form.constants)
    match form.optimizer:
        case "sgd":
            yield "p -= rate * g"
        case "momentum":
            yield f"velocity = {held['momentum']:.9g} * 0 + g  # it was 0 before the first step"
            yield "p -= rate * velocity"
        case "nesterov":
            yield f"velocity = {held['momentum']:.9g} * 0 + g  # it was 0 before the first step"
            yield f"p -= rate * (g + {held['momentum']:.9g} * velocity)"
        case "adagrad":
            yield "square = 0 + g * g  # the sum of squares begins at 0"
            yield f"p -= rate * g / ({root}(square) + {held['epsilon']:.9g})"
        case "rmsprop":
            yield f"square = {held['rho']:.9g} * 0 + {1 - held['rho']:.9g} * g * g  # begins at 0"
            yield f"p -= rate * g / ({root}(square) + {held['epsilon']:.9g})"
        case _:
            first, second = held["beta1"], held["beta2"]
            yield f"mean = {first:.9g} * 0 + {1 - first:.9g} * g  # both means begin at 0,"
            yield f"square = {second:.9g} * 0 + {1 - second:.9g} * g * g"
            yield (
                f"p -= rate * (mean / {1 - first:.9g}) / ({root}(square / {1 - second:.9g}) + "
                f"{held['epsilon']:.9g})  # and are corrected for it"
            )
