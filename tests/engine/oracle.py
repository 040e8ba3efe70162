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
            self.linear.append(layer)
        self.activation = ACTIVATIONS[c.word("activation")]()
        self.optimizer = _optimizer(c, self.linear)
        batch = min(c.whole("batch_size"), len(data.x))
        self.steps = c.whole("epochs") * -(-len(data.x) // batch)
        self.schedulers = _schedulers(c, self.optimizer, self.steps)
        self.step = 0

    def forward(self, x: torch.Tensor, step: int) -> torch.Tensor:
        rate = self.configuration.number("dropout")
        for i, layer in enumerate(self.linear):
            x = layer(x)
            if i < len(self.linear) - 1:
                x = self.activation(x)
                if step > 0 and rate > 0:
                    keep = mask(self.member, x.numel(), step, i, rate)
                    x = x * torch.from_numpy(keep.reshape(x.shape))
        return x

    def loss(self, output: torch.Tensor, target: torch.Tensor) -> torch.Tensor:
        c = self.configuration
        if c.word("loss") == "absolute":
            value = torch.nn.functional.l1_loss(output, target)
        elif c.word("loss") == "huber":
            value = torch.nn.functional.huber_loss(output, target, delta=c.number("huber_delta"))
        elif not self.data.classes:
            value = torch.nn.functional.mse_loss(output, target)
        elif c.word("loss") == "cross_entropy":
            value = torch.nn.functional.cross_entropy(
                output, target.argmax(1), label_smoothing=c.number("label_smoothing")
            )
        else:
            value = ((torch.softmax(output, 1) - target) ** 2).sum(1).mean()
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
                parameters = [p for layer in self.linear for p in layer.parameters()]
                torch.nn.utils.clip_grad_norm_(parameters, self.configuration.number("clip_norm"))
            self.optimizer.step()
            for each in self.schedulers:
                if self.step < self.steps:  # OneCycleLR refuses a step past its last
                    each.step()
            total += value.item() * len(at)
        return total / len(rows)

    def theta(self) -> np.ndarray:
        with torch.no_grad():
            weights = [layer.weight.T.reshape(-1).numpy() for layer in self.linear]
            biases = [layer.bias.numpy() for layer in self.linear]
        return np.concatenate([*weights, *biases])


def _optimizer(c: Configuration, linear: list[torch.nn.Linear]) -> torch.optim.Optimizer:
    rate = c.number("learning_rate")
    parameters = [p for each in linear for p in each.parameters()]
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
            groups = [
                {"params": [e.weight for e in linear], "weight_decay": c.number("weight_decay")},
                {"params": [e.bias for e in linear], "weight_decay": 0.0},
            ]
            return torch.optim.AdamW(groups, lr=rate, **adam)
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
            rate = c.number("learning_rate")
            found.append(
                schedulers.OneCycleLR(optimizer, rate, total_steps=steps, cycle_momentum=False)
            )
    if "warmup" in c:
        rising = round(c.number("warmup") * steps)
        found.append(schedulers.LinearLR(optimizer, 1 / rising, total_iters=rising - 1))
    return found
