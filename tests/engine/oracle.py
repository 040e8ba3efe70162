"""PyTorch in float64, trained with the engine's own batches and dropout masks."""

from __future__ import annotations

import numpy as np
import torch

from modelshelf.core.protocols import TrainingData
from modelshelf.engines.numpy_.compile import from_python
from modelshelf.engines.numpy_.engine import Member
from modelshelf.engines.numpy_.ensemble import key_of
from modelshelf.engines.numpy_.random import drop, shuffle
from modelshelf.space.configuration import Configuration

torch.set_num_threads(1)  # the networks are tiny: a second thread only waits

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


def mask(
    member: Member, size: int, step: int, layer: int, rate: float, which: int = 0
) -> np.ndarray:
    values, slope = np.ones(size), np.ones(size)
    with np.errstate(over="ignore"):
        key = np.uint64(from_python(key_of)(member.key, which))
        from_python(drop)(values, slope, rate, key, step, layer)
    return values


def order(member: Member, rows: int, epoch: int, which: int = 0) -> np.ndarray:
    rows_in_order = np.empty(rows, np.int64)
    with np.errstate(over="ignore"):
        key = np.uint64(from_python(key_of)(member.key, which))
        from_python(shuffle)(rows_in_order, key, epoch)
    return rows_in_order


def piecewise_shares(column: torch.Tensor, edges: np.ndarray, bins: int) -> torch.Tensor:
    """How far each value (rows, 1) is through each bin: (rows, bins)."""
    edges = torch.from_numpy(edges)
    shares = (column - edges[:-1]) / edges.diff()
    if len(edges) > 2:
        least = torch.zeros(len(edges) - 1, dtype=torch.float64)
        least[0] = -torch.inf
        most = torch.ones(len(edges) - 1, dtype=torch.float64)
        most[-1] = torch.inf
        shares = shares.clamp(least, most)
    return torch.nn.functional.pad(shares, (0, bins - shares.shape[1]))


EXTRA = ("scales", "mixes", "numbers", "tables")


class Twin:
    """The member's network as torch modules, and torch's own optimizer for it."""

    def __init__(self, member: Member, data: TrainingData) -> None:
        self.member, self.data = member, data
        self.configuration = c = member.configuration
        self.linear = []
        several = member.layout.members > 1
        parts = zip(*member.layout.split(member.theta), strict=True)
        for weight, bias in () if several else parts:
            layer = torch.nn.Linear(*weight.shape, dtype=torch.float64)
            with torch.no_grad():
                layer.weight.copy_(torch.from_numpy(weight.T.copy()))
                layer.bias.copy_(torch.from_numpy(bias.copy()))
            layer.bias.requires_grad_(c.word("biases") == "yes")
            self.linear.append(layer)
        self.ensemble = Ensemble(member) if several else None
        self.extra = _extra(member)
        self.norms = _norms(member)
        self.activation = ACTIVATIONS[c.word("activation")]()
        self.optimizer = _optimizer(c, self)
        self.averaged: list[torch.Tensor] = []
        batch = min(c.whole("batch_size"), len(data.x))
        self.steps = c.whole("epochs") * -(-len(data.x) // batch)
        self.schedulers = _schedulers(c, self.optimizer, self.steps)
        self.step = 0

    def parameters(self) -> list[torch.Tensor]:
        """In the order of the member's vector."""
        if self.ensemble:
            blocks = [self.extra[n] for n in EXTRA]
            gains = [p for norm in self.norms for p in norm.parameters()]
            return [*self.ensemble.parameters(), *(e for e in blocks if e.numel()), *gains]
        weights, biases = [e.weight for e in self.linear], [e.bias for e in self.linear]
        blocks = [[self.extra[n]] for n in EXTRA]
        gains = [p for norm in self.norms for p in (norm.weight, norm.bias)]
        return [
            *weights, *biases, *(e for block in blocks for e in block if e.numel()), *gains,
        ]  # fmt: skip

    def encode(self, x: torch.Tensor) -> torch.Tensor:
        encoding = self.member.layout.encoding
        if encoding is None:
            return x
        parts, p, t = [], self.extra["numbers"], self.extra["tables"]
        edges = iter(e for *_, e in self.member.layout.numbers(self.member.theta))
        f, out, wide = encoding.features, encoding.size - 1, encoding.embedding
        for i, kind in enumerate(encoding.columns):
            column = x[:, i : i + 1]
            if kind == 0:
                parts.append(column)
            elif kind < 0 and encoding.piecewise:
                d = encoding.size
                slope, bias, steps = torch.split(p[: encoding.per_number], [d, d, f * d])
                shares = piecewise_shares(column, np.unique(next(edges)), f)
                parts.append(column * slope + bias + shares @ steps.reshape(f, d))
                p = p[encoding.per_number :]
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
        if self.ensemble:
            return self.ensemble.forward(self, x, step)
        c, at = self.configuration, 0
        rate = c.number("dropout") * self.fading()
        x = self.encode(x)
        if step > 0 and "input_dropout" in c:
            x = x * self.mask(x, step, -1, c.number("input_dropout"))
        if self.member.layout.scaled:
            x = x * self.extra["scales"]
        for i, layer in enumerate(self.linear):
            below = x if i > 0 else x[:, :0]
            if self.member.layout.ntk:
                x = (x @ layer.weight.T) / layer.in_features**0.5 + layer.bias
            else:
                x = layer(x)
            if i < len(self.linear) - 1:
                if self.norms:
                    x = self.norms[i].train(step > 0)(x)
                if self.member.layout.mixed:
                    share = self.extra["mixes"][at : at + x.shape[1]]
                    x = x + share * (self.activation(x) - x)
                    at += x.shape[1]
                else:
                    x = self.activation(x)
                if step > 0 and rate > 0:
                    x = x * self.mask(x, step, i, rate)
                if "residual" in c and below.shape == x.shape:
                    x = x + below
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
        elif c.word("loss") == "gaussian":
            mean, variance = output[:, 0], torch.exp(output[:, 1])
            value = torch.nn.functional.gaussian_nll_loss(mean, target[:, 0], variance)
        elif c.word("loss") == "quantile":
            half = c.number("interval") / 2
            levels = torch.tensor([0.5 - half, 0.5, 0.5 + half], dtype=torch.float64)
            error = target - output
            value = torch.maximum(levels * error, (levels - 1) * error).mean()
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
            value = value * (len(output) if self.data.classes else target.numel())
        for layer in self.linear:
            value = value + c.number("l1") * layer.weight.abs().sum()
            value = value + c.number("l2") * (layer.weight**2).sum()
        if self.ensemble:
            for weight in self.ensemble.weights:
                value = value + c.number("l1") * weight.abs().sum()
                value = value + c.number("l2") * (weight**2).sum()
        return value

    def epoch(self, epoch: int) -> float:
        batch = self.configuration.whole("batch_size")
        several = range(self.member.layout.members)
        orders = [order(self.member, len(self.data.x), epoch, each) for each in several]
        rows, total = orders[0], 0.0
        for start in range(0, len(rows), batch):
            at = np.concatenate([each[start : start + batch] for each in orders])
            self.step += 1
            self.optimizer.zero_grad()
            x, y = torch.from_numpy(self.data.x[at]), torch.from_numpy(self.data.y[at])
            value = self.loss(self.forward(x, self.step), y)
            value.backward()
            if self.configuration.number("clip_norm"):
                longest = self.configuration.number("clip_norm")
                torch.nn.utils.clip_grad_norm_(self.parameters(), longest)
            for group in self.optimizer.param_groups:
                if "whole_decay" in group:
                    group["weight_decay"] = group["whole_decay"] * self.fading()
            self.optimizer.step()
            self.average()
            for each in self.schedulers:
                if self.step < self.steps:  # OneCycleLR refuses a step past its last
                    each.step()
            total += value.item() * len(at) / len(several)
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
        """Without what is not learned, and without adapters."""
        if self.ensemble:
            return self.ensemble.theta()
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
        name: torch.tensor(member.theta[slice(*blocks[name])], requires_grad=True) for name in EXTRA
    }


def _norms(member: Member) -> list[torch.nn.Module]:
    kind = {"layer": torch.nn.LayerNorm, "batch": torch.nn.BatchNorm1d}.get(member.layout.norm)
    widths = member.layout.widths[1:-1]
    return [kind(width, dtype=torch.float64) for width in widths] if kind else []


class Ensemble:
    """TabM as its authors write it: all members' rows at once, scaled by two vectors a layer."""

    def __init__(self, member: Member) -> None:
        def leaf(array: np.ndarray) -> torch.Tensor:
            return torch.tensor(array, requires_grad=True)

        weights, biases = member.layout.split(member.theta)
        self.weights, self.biases = [leaf(e) for e in weights], [leaf(e) for e in biases]
        self.adapters = [(leaf(r), leaf(s)) for r, s in member.layout.adapters(member.theta)]

    def forward(self, twin: Twin, x: torch.Tensor, step: int) -> torch.Tensor:
        c, member = twin.configuration, twin.member
        k, rate = member.layout.members, c.number("dropout")
        x = x.reshape(k, -1, x.shape[1])
        if twin.member.layout.encoding:
            x = torch.stack([twin.encode(each) for each in x])
        if "input_dropout" in c:
            x = x * self.masks(member, x, step, -1, c.number("input_dropout"))
        for i, (weight, bias) in enumerate(zip(self.weights, self.biases, strict=True)):
            if i == len(self.weights) - 1:
                x = torch.bmm(x, weight) + bias[:, None]
                break
            inputs, sums = self.adapters[i]
            below = x
            x = (x * inputs[:, None]) @ weight * sums[:, None] + bias[:, None]
            if twin.norms:
                x = twin.norms[i](x)
            x = twin.activation(x)
            if rate > 0:
                x = x * self.masks(member, x, step, i, rate)
            if "residual" in c and i > 0 and below.shape == x.shape:
                x = x + below
        return x.reshape(-1, x.shape[2])

    def masks(
        self, member: Member, x: torch.Tensor, step: int, layer: int, rate: float
    ) -> torch.Tensor:
        found = [mask(member, each.numel(), step, layer, rate, j) for j, each in enumerate(x)]
        return torch.from_numpy(np.stack(found)).reshape(x.shape)

    def parameters(self) -> list[torch.Tensor]:
        return [*self.weights, *self.biases, *(each for pair in self.adapters for each in pair)]

    def theta(self) -> np.ndarray:
        with torch.no_grad():
            biases = torch.cat(self.biases, dim=1)
            return np.concatenate([e.reshape(-1).numpy() for e in (*self.weights, biases)])


def _optimizer(c: Configuration, twin: Twin) -> torch.optim.Optimizer:
    linear, extra = twin.linear, twin.extra
    rate = c.number("learning_rate")
    decay = c.number("weight_decay") if c.word("optimizer") == "adamw" else 0.0
    groups = [
        (rate, decay, [e.weight for e in linear]),
        (rate * c.number("bias_lr_factor"), 0.0, [e.bias for e in linear if e.bias.requires_grad]),
        (rate * c.number("scale_lr_factor"), decay, [extra["scales"]]),
        (rate * c.number("activation_lr_factor"), decay, [extra["mixes"]]),
        (rate * c.number("encoding_lr_factor"), decay, [extra["numbers"]]),
        (rate, decay, [extra["tables"]]),
        (rate, 0.0, [p for norm in twin.norms for p in norm.parameters()]),
    ]
    if twin.ensemble:
        own = twin.ensemble
        groups += [
            (rate, decay, [*own.weights, *(each for pair in own.adapters for each in pair)]),
            (rate * c.number("bias_lr_factor"), 0.0, own.biases),
        ]
    parameters = []
    for own_rate, own_decay, several in groups:
        if "decay_by_factor" in c:
            own_decay *= own_rate / rate
        group = {"params": several, "lr": own_rate, "weight_decay": own_decay}
        if sum(p.numel() for p in several):
            parameters.append({**group, "whole_decay": own_decay})
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
