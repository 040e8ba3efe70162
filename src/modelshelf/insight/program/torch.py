"""The same step in PyTorch: tensors, `requires_grad`, `backward`, `no_grad`, `.to(device)`."""

from __future__ import annotations

from modelshelf.insight.program.form import StepForm, Text, groups, header, rule

__all__ = ["torch_program"]

_ACTIVATIONS = {
    "relu": "F.relu(z)",
    "leaky_relu": "F.leaky_relu(z, {parameter:.9g})",
    "tanh": "torch.tanh(z)",
    "sigmoid": "torch.sigmoid(z)",
    "silu": "F.silu(z)",
    "mish": "F.mish(z)",
    "selu": "F.selu(z)",
    "gelu": "F.gelu(z)",
}
_LOSSES = {
    ("cross_entropy", True): ("loss = F.cross_entropy(network(x), y)",),
    ("quadratic", True): (
        "loss = ((torch.softmax(network(x), dim=1) - y) ** 2).sum(dim=1).mean()",
    ),
    ("quadratic", False): ("loss = F.mse_loss(network(x), y)",),
    ("absolute", False): ("loss = F.l1_loss(network(x), y)",),
    ("huber", False): ("loss = F.huber_loss(network(x), y, delta={loss_parameter:.9g})",),
    ("gaussian", False): (
        "z = network(x)",
        "loss = F.gaussian_nll_loss(z[:, :1], y, torch.exp(z[:, 1:]))",
    ),
    ("quantile", False): (
        "half = {loss_parameter:.9g} / 2",
        "levels = torch.tensor([0.5 - half, 0.5, 0.5 + half]).to(device)",
        "e = y - network(x)",
        "loss = torch.maximum(levels * e, (levels - 1) * e).mean()",
    ),
}


def torch_program(form: StepForm) -> str:
    """The step as a program of PyTorch, by autograd; it reads `step.npz` beside it."""
    imports = ("import numpy as np", "import torch", "import torch.nn.functional as F")
    lines = [
        *header(form, imports),
        "# Where tensors lie, and so where arithmetic is done: each begins in memory, and goes.",
        'device = "cuda" if torch.cuda.is_available() else "cpu"',
        "# A tensor is an array that can keep how it was made. `requires_grad` asks for that: the",
        "# loss has a gradient by what is learned; by rows and targets none is wanted.",
        *_arrays(form),
        "",
        "",
        "def network(x):",
        *(f"    {line}" for line in _forward(form)),
        "",
        "",
        "# Autograd keeps what `network` does, and `backward` goes the way back.",
        *_loss(form),
        "loss.backward()  # fills `.grad` of every tensor that requires it",
        "",
        "with torch.no_grad():  # the update is no part of what is differentiated: nothing is kept",
        *(f"    {line}" for line in _update(form)),
        "",
        'print(f"loss {loss.item():.6f}")',
        f"for i in range({form.layers}):",
        "    w = W[i].detach().cpu().numpy()  # a plain array again",
        '    moved = np.linalg.norm(w - held[f"W{i}"])',
        '    off = np.abs(w - held[f"after_W{i}"]).max()',
        '    print(f"W{i} moved by {moved:.6f}; modelshelf itself comes within {off:.1e} of it")',
    ]
    return "\n".join(lines) + "\n"


def _arrays(form: StepForm) -> Text:
    n = form.layers
    learned = [("W", n), ("b", n)]
    if n > 1:
        learned += [(e, n - 1) for e, there in (("share", form.mixed),) if there]
        learned += [(e, n - 1) for e in ("gain", "shift") if form.norm]
    for name, count in learned:
        read = f'torch.tensor(held[f"{name}{{i}}"]).to(device).requires_grad_()'
        yield f"{name} = [{read} for i in range({count})]" + (
            f"  # {form.shapes}" if name == "W" else ""
        )
    if form.scaled:
        yield 'scale = [torch.tensor(held["scale"]).to(device).requires_grad_()]'
    yield f"# {form.told_rows}"
    yield 'x, y = torch.tensor(held["x"]).to(device), torch.tensor(held["y"]).to(device)'
    if form.dropout and n > 1:
        yield f'mask = [torch.tensor(held[f"mask{{i}}"]).to(device) for i in range({n - 1})]'


def _forward(form: StepForm) -> Text:
    if form.input_dropout:
        yield 'x = x * torch.tensor(held["mask_inputs"]).to(device)  # dropout of inputs'
    if form.scaled:
        yield "x = x * scale[0]"
    narrow = " / W[i].shape[0] ** 0.5" if form.ntk else ""
    yield f"for i in range({form.layers}):"
    yield f"    z = x @ W[i]{narrow} + b[i]"
    if form.layers > 1:
        yield f"    if i < {form.layers - 1}:"
        for line in _hidden(form):
            yield f"        {line}"
    yield "    x = z"
    yield "return x"


def _hidden(form: StepForm) -> Text:
    if form.norm == "layer":
        yield "z = F.layer_norm(z, z.shape[1:], gain[i], shift[i])"
    elif form.norm == "batch":
        yield "z = F.batch_norm(z, None, None, gain[i], shift[i], training=True)"
    active = _ACTIVATIONS[form.activation].format(parameter=form.parameter)
    yield f"z = z + share[i] * ({active} - z)" if form.mixed else f"z = {active}"
    if form.dropout:
        yield "z = z * mask[i]  # dropout"
    if form.skips:
        yield f"z = z + x if i in {{{', '.join(map(str, form.skips))}}} else z"


def _loss(form: StepForm) -> Text:
    for line in _LOSSES[form.loss, form.classes]:
        yield line.format(loss_parameter=form.loss_parameter)
    if form.summed:
        yield f"loss = loss * {'len(x)' if form.classes else 'y.numel()'}"
    if form.l1:
        yield f"loss = loss + {form.l1:.9g} * sum(w.abs().sum() for w in W)"
    if form.l2:
        yield f"loss = loss + {form.l2:.9g} * sum((w * w).sum() for w in W)"


def _update(form: StepForm) -> Text:
    if form.clip:
        every = ", ".join(f"*{name}" for name, _, _ in form.factors)
        yield f"torch.nn.utils.clip_grad_norm_([{every}], {form.clip:.9g})"
    for names, rate, decay in groups(form):
        yield f"rate = {rate:.9g}"
        yield f"for p in [{', '.join(f'*{name}' for name in names)}]:"
        if decay:
            yield f"    p *= 1 - rate * {decay:.9g}  # weight decay"
        yield "    g = p.grad"
        for line in rule(form, "torch.sqrt"):
            yield f"    {line}"
