"""The vanilla NumPy network: one training step, forward, backward and update, by hand."""

from __future__ import annotations

from modelshelf.insight.program.form import StepForm, Text, groups, header, rule

__all__ = ["numpy_program"]

#: Each activation `h` of sums `z`, and its slope `s`.
_ACTIVATIONS = {
    "relu": ("h, s = np.maximum(z, 0), (z > 0).astype(z.dtype)",),
    "leaky_relu": ("s = np.where(z > 0, 1, {parameter:.9g}).astype(z.dtype)", "h = z * s"),
    "tanh": ("h = np.tanh(z)", "s = 1 - h * h"),
    "sigmoid": ("h = 1 / (1 + np.exp(-z))", "s = h * (1 - h)"),
    "silu": ("gate = 1 / (1 + np.exp(-z))", "h, s = z * gate, gate * (1 + z * (1 - gate))"),
    "mish": (
        "gate = np.tanh(np.logaddexp(0, z))",
        "h, s = z * gate, gate + z * (1 - gate * gate) / (1 + np.exp(-z))",
    ),
    "selu": (
        "below = 1.7580993408 * np.exp(np.minimum(z, 0))",
        "h, s = np.where(z > 0, 1.0507009874 * z, below - 1.7580993408), "
        "np.where(z > 0, np.float32(1.0507009874), below)",
    ),
    "gelu": (
        "share = ndtr(z)  # the normal distribution's",
        "h, s = z * share, share + z * np.exp(-z * z / 2) / 2.5066282746",
    ),
}

_SOFTMAX = (
    "p = np.exp(z - z.max(axis=1, keepdims=True))",
    "p /= p.sum(axis=1, keepdims=True)",
)
#: Each loss of outputs `z`, and its gradient `d` by them; by the word, and whether of classes.
_LOSSES = {
    ("cross_entropy", True): (
        *_SOFTMAX,
        "loss = -(y * np.log(np.maximum(p, 1e-30))).sum() / len(x)",
        "d = ({weighted} - y) / len(x)",
    ),
    ("quadratic", True): (
        *_SOFTMAX,
        "loss = ((p - y) ** 2).sum() / len(x)",
        "d = 2 * p * (p - y - (p * (p - y)).sum(axis=1, keepdims=True)) / len(x)",
    ),
    ("quadratic", False): ("e = z - y", "loss = (e * e).mean()", "d = 2 * e / e.size"),
    ("absolute", False): ("e = z - y", "loss = np.abs(e).mean()", "d = np.sign(e) / e.size"),
    ("huber", False): (
        "e = z - y",
        "near = np.clip(e, -{loss_parameter:.9g}, {loss_parameter:.9g})",
        "loss = (near * (e - near / 2)).mean()",
        "d = near / e.size",
    ),
    ("gaussian", False): (
        "e, log_variance = z[:, :1] - y, np.maximum(z[:, 1:], np.float32(np.log(1e-6)))",
        "square = e * e * np.exp(-log_variance)",
        "loss = (log_variance + square).mean() / 2",
        "d = np.hstack([e * np.exp(-log_variance), (1 - square) / 2]) / len(x)",
    ),
    ("quantile", False): (
        "half = {loss_parameter:.9g} / 2",
        "levels = np.float32([0.5 - half, 0.5, 0.5 + half])",
        "e = y - z",
        "s = np.where(e > 0, levels, np.where(e < 0, levels - 1, 0))",
        "loss, d = (s * e).mean(), -s / e.size",
    ),
}


def numpy_program(form: StepForm) -> str:
    """The step as a program of NumPy alone; it reads `step.npz` beside it."""
    imports: tuple[str, ...] = ("import numpy as np",)
    if form.activation == "gelu" and form.layers > 1:
        imports = (*imports, "from scipy.special import ndtr")
    lines = [
        *header(form, imports),
        *_arrays(form),
        "",
        "# Forward: each layer's inputs `a`, and the slopes of its activation.",
        *_forward(form),
        "",
        "# The loss, and its gradient by the outputs.",
        *_loss(form),
        "",
        "# Backward: the chain rule, from the last layer to the first.",
        *_backward(form),
        "",
        "# The update.",
        *_update(form),
        "",
        'print(f"loss {loss:.6f}")',
        f"for i in range({form.layers}):",
        '    moved = np.linalg.norm(W[i] - held[f"W{i}"])',
        '    off = np.abs(W[i] - held[f"after_W{i}"]).max()',
        '    print(f"W{i} moved by {moved:.6f}; modelshelf itself comes within {off:.1e} of it")',
    ]
    return "\n".join(lines) + "\n"


def _arrays(form: StepForm) -> Text:
    n = form.layers
    yield f'W = [held[f"W{{i}}"].copy() for i in range({n})]  # {form.shapes}'
    yield f'b = [held[f"b{{i}}"].copy() for i in range({n})]'
    yield f'x, y = held["x"], held["y"]  # {form.told_rows}'
    for name in _by_layer(form):
        yield f'{name} = [held[f"{name}{{i}}"].copy() for i in range({n - 1})]'
    if form.scaled:
        yield 'scale = [held["scale"].copy()]'


def _by_layer(form: StepForm) -> list[str]:
    hidden = form.layers > 1
    there = {"share": form.mixed, "gain": form.norm, "shift": form.norm, "mask": form.dropout}
    return [name for name, held in there.items() if held and hidden]


def _forward(form: StepForm) -> Text:
    first = "x"
    if form.input_dropout:
        yield 'x = x * held["mask_inputs"]  # dropout of inputs'
    if form.scaled:
        first = "x * scale[0]"
    yield f"a, slopes = [{first}], []"
    if form.mixed:
        yield "extra = []"
    if form.norm:
        yield "normed, over = [], []"
    narrow = " / np.sqrt(W[i].shape[0])" if form.ntk else ""
    yield f"for i in range({form.layers}):"
    yield f"    z = a[i] @ W[i]{narrow} + b[i]"
    if form.layers > 1:
        yield f"    if i < {form.layers - 1}:"
        for line in _hidden(form):
            yield f"        {line}"
    yield "    a.append(z)"


def _hidden(form: StepForm) -> Text:
    if form.norm:
        axis = 1 if form.norm == "layer" else 0
        yield f"c = z - z.mean(axis={axis}, keepdims=True)"
        yield f"over.append(1 / np.sqrt((c * c).mean(axis={axis}, keepdims=True) + 1e-5))"
        yield "normed.append(c * over[i])"
        yield "z = normed[i] * gain[i] + shift[i]"
    for line in _ACTIVATIONS[form.activation]:
        yield line.format(parameter=form.parameter)
    mask = "mask[i] * " if form.dropout else ""
    if form.mixed:
        yield f"extra.append({mask}(h - z))"
        yield "h, s = z + share[i] * (h - z), 1 + share[i] * (s - 1)"
    if form.dropout:
        yield "h, s = h * mask[i], s * mask[i]  # dropout"
    if form.skips:
        yield f"z = h + a[i] if i in {_tuple(form.skips)} else h"
    else:
        yield "z = h"
    yield "slopes.append(s)"


def _loss(form: StepForm) -> Text:
    # Rows that are weighted by class have targets that do not come to 1.
    weighted = "p * y.sum(axis=1, keepdims=True)" if form.weighted else "p"
    for line in _LOSSES[form.loss, form.classes]:
        yield line.format(loss_parameter=form.loss_parameter, weighted=weighted)
    if form.summed:
        count = "len(x)" if form.classes else "y.size"
        yield f"loss, d = loss * {count}, d * {count}"
    if form.l1:
        yield f"loss += {form.l1:.9g} * sum(np.abs(w).sum() for w in W)"
    if form.l2:
        yield f"loss += {form.l2:.9g} * sum((w * w).sum() for w in W)"


def _backward(form: StepForm) -> Text:
    hidden = [name for name in _by_layer(form) if name != "mask"]
    n = form.layers
    yield f"dW, db = [0] * {n}, [0] * {n}"
    for name in hidden:
        yield f"d{name} = [0] * {n - 1}"
    yield f"for i in reversed(range({n})):"
    yield "    db[i] = d.sum(axis=0)"
    if form.ntk:
        yield "    d = d / np.sqrt(W[i].shape[0])"
    yield "    dW[i] = a[i].T @ d"
    if n > 1:
        yield "    if i > 0:"
        for line in _down(form):
            yield f"        {line}"
    if form.scaled:
        yield "dscale = [((d @ W[0].T) * x).sum(axis=0)]"
    for name, line in (("l1", f"{form.l1:.9g} * np.sign(w)"), ("l2", f"2 * {form.l2:.9g} * w")):
        if getattr(form, name):
            yield f"dW = [g + {line} for g, w in zip(dW, W)]"
    if form.clip:
        every = ", ".join(f"*d{name}" for name, _, _ in form.factors)
        yield f"norm = np.sqrt(sum((g * g).sum() for g in [{every}]))"
        yield f"shorter = min(1, {form.clip:.9g} / (norm + 1e-6))"


def _down(form: StepForm) -> Text:
    yield "d = d @ W[i].T"
    if form.skips:
        yield f"d = d + past if i in {_tuple(form.skips)} else d"
        yield "past = d"
    if form.mixed:
        yield "dshare[i - 1] = (d * extra[i - 1]).sum(axis=0)"
    yield "d = d * slopes[i - 1]"
    if form.norm:
        axis = 1 if form.norm == "layer" else 0
        yield "n = normed[i - 1]"
        yield "dgain[i - 1], dshift[i - 1] = (d * n).sum(axis=0), d.sum(axis=0)"
        yield "d = d * gain[i - 1]"
        yield f"along = (d * n).mean(axis={axis}, keepdims=True)"
        yield f"d = (d - d.mean(axis={axis}, keepdims=True) - n * along) * over[i - 1]"


def _update(form: StepForm) -> Text:
    for names, rate, decay in groups(form):
        parameters = ", ".join(f"*{name}" for name in names)
        gradients = ", ".join(f"*d{name}" for name in names)
        yield f"rate = {rate:.9g}"
        yield f"for p, g in zip([{parameters}], [{gradients}]):"
        if form.clip:
            yield "    g = g * shorter"
        if decay:
            yield f"    p *= 1 - rate * {decay:.9g}  # weight decay"
        for line in rule(form, "np.sqrt"):
            yield f"    {line}"


def _tuple(numbers: tuple[int, ...]) -> str:
    return "{" + ", ".join(map(str, numbers)) + "}"
