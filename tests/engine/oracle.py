"""PyTorch in float64, trained with the engine's own batches and dropout masks."""

from __future__ import annotations

import numpy as np
import torch

from modelshelf.core.protocols import TrainingData
from modelshelf.engines.numpy_.engine import Member
from modelshelf.engines.numpy_.random import drop, shuffle
from modelshelf.space.configuration import Configuration

ACTIVATIONS = {
    "relu": torch.nn.ReLU,
    "leaky_relu": lambda: torch.nn.LeakyReLU(0.01),
    "tanh": torch.nn.Tanh,
    "sigmoid": torch.nn.Sigmoid,
    "gelu": torch.nn.GELU,
    "silu": torch.nn.SiLU,
    "mish": torch.nn.Mish,
    "selu": torch.nn.SELU,
}


def mask(member: Member, size: int, step: int, layer: int, rate: float) -> np.ndarray:
    values, slope = np.ones(size), np.ones(size)
    with np.errstate(over="ignore"):
        drop(values, slope, rate, member.key, step, layer)
    return values


def order(member: Member, rows: int, epoch: int) -> np.ndarray:
    rows_in_order = np.empty(rows, np.int64)
    with np.errstate(over="ignore"):
        shuffle(rows_in_order, member.key, epoch)
    return rows_in_order


class Twin:
    """The member's network as torch modules, and torch's own optimizer for it."""

    def __init__(self, member: Member, data: TrainingData) -> None:
        self.member, self.data = member, data
        self.configuration = c = member.configuration
        self.linear = []
        for weight, bias in zip(*member.layout.split(member.theta), strict=True):
            layer = torch.nn.Linear(*weight.shape, dtype=torch.float64)
            with torch.no_grad():
                layer.weight.copy_(torch.from_numpy(weight.T.copy()))
                layer.bias.copy_(torch.from_numpy(bias.copy()))
            layer.bias.requires_grad_(c.word("biases") == "yes")
            self.linear.append(layer)
        self.extra = _extra(member)
        self.activation = ACTIVATIONS[c.word("activation")]()
        self.optimizer = _optimizer(c, self.linear, self.extra)
        self.averaged: list[torch.Tensor] = []
        batch = min(c.whole("batch_size"), len(data.x))
        self.steps = c.whole("epochs") * -(-len(data.x) // batch)
        self.schedulers = _schedulers(c, self.optimizer, self.steps)
        self.step = 0

    def parameters(self) -> list[torch.Tensor]:
        """In the order of the member's vector."""
        weights, biases = [e.weight for e in self.linear], [e.bias for e in self.linear]
        blocks = [[self.extra[n]] for n in ("scales", "mixes", "periodic", "tables")]
        return [*weights, *biases, *(e for block in blocks for e in block if e.numel())]

    def encode(self, x: torch.Tensor) -> torch.Tensor:
        encoding = self.member.layout.encoding
        if encoding is None:
            return x
        parts, p, t = [], self.extra["periodic"], self.extra["tables"]
        f, out, wide = encoding.features, encoding.size - 1, encoding.embedding
        for i, kind in enumerate(encoding.columns):
            column = x[:, i : i + 1]
            if kind == 0:
                parts.append(column)
            elif kind < 0:
                w, b, v, c = torch.split(p[: encoding.per_number], [f, f, f * out, out])
                waves = torch.cos(2 * torch.pi * column * w + b)
                parts += [waves @ v.reshape(f, out) + c, column]
                p = p[encoding.per_number :]
            else:
                table = t[: kind * wide].reshape(kind, wide)
                parts.append(torch.nn.functional.embedding(column[:, 0].long(), table))
                t = t[kind * wide :]
        return torch.cat(parts, dim=1)

    def forward(self, x: torch.Tensor, step: int) -> torch.Tensor:
        c, at = self.configuration, 0
        rate = c.number("dropout") * self.fading()
        x = self.encode(x)
        if step > 0 and "input_dropout" in c:
            x = x * self.mask(x, step, -1, c.number("input_dropout"))
        if self.member.layout.scaled:
            x = x * self.extra["scales"]
        for i, layer in enumerate(self.linear):
            if self.member.layout.ntk:
                x = (x @ layer.weight.T) / layer.in_features**0.5 + layer.bias
            else:
                x = layer(x)
            if i < len(self.linear) - 1:
                if self.member.layout.mixed:
                    share = self.extra["mixes"][at : at + x.shape[1]]
                    x = x + share * (self.activation(x) - x)
                    at += x.shape[1]
                else:
                    x = self.activation(x)
                if step > 0 and rate > 0:
                    x = x * self.mask(x, step, i, rate)
        return x

    def mask(self, x: torch.Tensor, step: int, layer: int, rate: float) -> torch.Tensor:
        return torch.from_numpy(mask(self.member, x.numel(), step, layer, rate).reshape(x.shape))

    def fading(self) -> float:
        """1 for half of the steps, and then down along a cosine."""
        if "regularisation_schedule" not in self.configuration:
            return 1.0
        t = (self.step - 1) / self.steps
        return 1.0 if t < 0.5 else 0.5 * (1 + np.cos(np.pi * (2 * t - 1)))

    def loss(self, output: torch.Tensor, target: torch.Tensor) -> torch.Tensor:
        c = self.configuration
        if c.word("loss") == "absolute":
            value = torch.nn.functional.l1_loss(output, target)
        elif c.word("loss") == "huber":
            value = torch.nn.functional.huber_loss(output, target, delta=c.number("huber_delta"))
        elif not self.data.classes:
            value = torch.nn.functional.mse_loss(output, target)
        elif c.word("loss") == "cross_entropy":
            weight = None
            if "class_weight" in c:  # as scikit-learn's "balanced" has it
                counts = torch.from_numpy(self.data.y).sum(0)
                weight = counts.sum() / (len(counts) * counts)
            smoothing = c.number("label_smoothing")
            value = torch.nn.functional.cross_entropy(
                output, target.argmax(1), weight=weight, label_smoothing=smoothing
            )
        else:
            value = ((torch.softmax(output, 1) - target) ** 2).sum(1).mean()
        if "reduction" in c:
            value = value * (len(output) if self.data.classes else output.numel())
        for layer in self.linear:
            value = value + c.number("l1") * layer.weight.abs().sum()
            value = value + c.number("l2") * (layer.weight**2).sum()
        return value

    def epoch(self, epoch: int) -> float:
        batch = self.configuration.whole("batch_size")
        rows = order(self.member, len(self.data.x), epoch)
        total = 0.0
        for start in range(0, len(rows), batch):
            at = rows[start : start + batch]
            self.step += 1
            self.optimizer.zero_grad()
            x, y = torch.from_numpy(self.data.x[at]), torch.from_numpy(self.data.y[at])
            value = self.loss(self.forward(x, self.step), y)
            value.backward()
            if self.configuration.number("clip_norm"):
                longest = self.configuration.number("clip_norm")
                torch.nn.utils.clip_grad_norm_(self.parameters(), longest)
            for group in self.optimizer.param_groups:
                if group.get("weight_decay"):  # never quite 0, or it would stay there
                    decay = self.configuration.number("weight_decay")
                    group["weight_decay"] = max(decay * self.fading(), 1e-300)
            self.optimizer.step()
            self.average()
            for each in self.schedulers:
                if self.step < self.steps:  # OneCycleLR refuses a step past its last
                    each.step()
            total += value.item() * len(at)
        return total / len(rows)

    def average(self) -> None:
        if "averaging" not in self.configuration:
            return
        now = [p.detach().clone() for p in self.parameters()]
        if self.averaged:
            update = torch.optim.swa_utils.get_ema_multi_avg_fn(
                self.configuration.number("averaging")
            )
            update(self.averaged, now, self.step)
        else:
            self.averaged = now

    def theta(self, parameters: list[torch.Tensor] | None = None) -> np.ndarray:
        with torch.no_grad():
            parts = [
                (p.T if p.dim() == 2 else p).reshape(-1).numpy()
                for p in parameters or self.parameters()
            ]
        return np.concatenate(parts)


def _extra(member: Member) -> dict[str, torch.Tensor]:
    """What lies behind weights and biases, each block a leaf of its own."""
    blocks = member.layout.blocks
    return {
        name: torch.tensor(member.theta[slice(*blocks[name])], requires_grad=True)
        for name in ("scales", "mixes", "periodic", "tables")
    }


def _optimizer(
    c: Configuration, linear: list[torch.nn.Linear], extra: dict[str, torch.Tensor]
) -> torch.optim.Optimizer:
    rate = c.number("learning_rate")
    decay = c.number("weight_decay") if c.word("optimizer") == "adamw" else 0.0
    groups = [
        (rate, decay, [e.weight for e in linear]),
        (rate * c.number("bias_lr_factor"), 0.0, [e.bias for e in linear if e.bias.requires_grad]),
        (rate * c.number("scale_lr_factor"), decay, [extra["scales"]]),
        (rate * c.number("activation_lr_factor"), decay, [extra["mixes"]]),
        (rate * c.number("encoding_lr_factor"), decay, [extra["periodic"]]),
        (rate, decay, [extra["tables"]]),
    ]
    parameters = [
        {"params": several, "lr": rate, "weight_decay": decay}
        for rate, decay, several in groups
        if sum(p.numel() for p in several)
    ]
    adam = {"betas": (c.number("beta1"), c.number("beta2")), "eps": c.number("epsilon")}
    match c.word("optimizer"):
        case "sgd":
            return torch.optim.SGD(parameters, lr=rate)
        case "momentum" | "nesterov" as name:
            mu = c.number("momentum")
            return torch.optim.SGD(parameters, lr=rate, momentum=mu, nesterov=name == "nesterov")
        case "rmsprop":
            return torch.optim.RMSprop(
                parameters, lr=rate, alpha=c.number("rho"), eps=c.number("epsilon")
            )
        case "adagrad":
            return torch.optim.Adagrad(parameters, lr=rate, eps=c.number("epsilon"))
        case "adamw":
            return torch.optim.AdamW(parameters, **adam)
    return torch.optim.Adam(parameters, lr=rate, **adam)


def _schedulers(
    c: Configuration, optimizer: torch.optim.Optimizer, steps: int
) -> list[torch.optim.lr_scheduler.LRScheduler]:
    """Torch's own, stepped after each batch; a warm-up and another multiply."""
    schedulers = torch.optim.lr_scheduler
    found = []
    match c.word("schedule"):
        case "step":
            found.append(schedulers.MultiStepLR(optimizer, [-(-steps // 2), -(-3 * steps // 4)]))
        case "cosine":
            found.append(schedulers.CosineAnnealingLR(optimizer, steps))
        case "one_cycle":
            rates = [group["lr"] for group in optimizer.param_groups]
            found.append(
                schedulers.OneCycleLR(optimizer, rates, total_steps=steps, cycle_momentum=False)
            )
        case "coslog":
            found.append(schedulers.LambdaLR(optimizer, lambda i: _coslog(i / steps)))
    if "warmup" in c:
        rising = round(c.number("warmup") * steps)
        found.append(schedulers.LinearLR(optimizer, 1 / rising, total_iters=rising - 1))
    return found


def _coslog(t: float) -> float:
    """Holzmüller et al. 2024: four cycles, each twice as long as the one before."""
    return float(0.5 * (1 - np.cos(2 * np.pi * np.log2(1 + 15 * t))))
