"""Modules as people write them: the course's own, PyTorch's tutorial's, and some for tests."""

# ruff: noqa: UP008, RET504  # the course writes it so, and goes in unchanged

from __future__ import annotations

import os
import random
import signal
import time
from typing import Annotated, Literal

import torch
from torch import nn

from modelshelf import Choice, Integer, Real


# The next two are the course notes', word for word.
class TwoLayerNet(torch.nn.Module):
    def __init__(self, D_in, H, D_out):
        """
        In the constructor we instantiate two nn.Linear modules and assign them as
        member variables.
        """
        super(TwoLayerNet, self).__init__()
        self.linear1 = torch.nn.Linear(D_in, H)
        self.linear2 = torch.nn.Linear(H, D_out)

    def forward(self, x):
        """
        In the forward function we accept a Tensor of input data and we must return
        a Tensor of output data. We can use Modules defined in the constructor as
        well as arbitrary operators on Tensors.
        """
        h_relu = self.linear1(x).clamp(min=0)
        y_pred = self.linear2(h_relu)
        return y_pred


class SimpleNN(nn.Module):
    def __init__(self):
        super(SimpleNN, self).__init__()
        self.fc1 = nn.Linear(5, 8)
        self.relu = nn.ReLU()
        self.fc2 = nn.Linear(8, 1)

    def forward(self, x):
        x = self.fc1(x)
        x = self.relu(x)
        x = self.fc2(x)
        return x


class LittleNet(nn.Module):
    """Two convolutions, two poolings, three layers: for 3 x 32 x 32, as the tutorial has it."""

    def __init__(self, maps: Annotated[int, Integer(4, 12)] = 6):
        super().__init__()
        self.seen = nn.Sequential(
            nn.Conv2d(3, maps, 5), nn.ReLU(), nn.MaxPool2d(2),
            nn.Conv2d(maps, 16, 5), nn.ReLU(), nn.MaxPool2d(2),
        )  # fmt: skip
        self.told = nn.Sequential(
            nn.Linear(16 * 5 * 5, 120), nn.ReLU(), nn.Linear(120, 84), nn.ReLU(), nn.Linear(84, 10)
        )

    def forward(self, x):
        return self.told(torch.flatten(self.seen(x), 1))


class Net(nn.Module):
    """Arguments of every kind."""

    def __init__(
        self,
        inputs,
        outputs,
        width: Annotated[int, Integer(4, 32, log=True)] = 8,
        rate: Annotated[float, Real(0.0, 0.5)] = 0.1,
        act: Literal["relu", "tanh"] = "relu",
        bias: bool = True,
        step: Annotated[int, Choice((1, 2))] = 1,
        scale=1.0,
        device=None,
    ):
        super().__init__()
        self.scale, self.step, self.device = scale, step, device
        self.first = nn.Linear(inputs, width, bias=bias)
        self.act = nn.ReLU() if act == "relu" else nn.Tanh()
        self.drop = nn.Dropout(rate)
        self.last = nn.Linear(width, outputs)

    def forward(self, x):
        return self.last(self.drop(self.act(self.first(x)))) * self.scale


def stacked(inputs, outputs, width: Annotated[int, Integer(8, 64, log=True)] = 16, depth: int = 2):
    layers = []
    for _ in range(depth):
        layers += [nn.Linear(inputs, width), nn.ReLU(), nn.Dropout(0.1)]
        inputs = width
    return nn.Sequential(nn.Sequential(*layers), nn.Linear(inputs, outputs))


class Odd(nn.Module):
    """Goes wrong in the way that it is asked for."""

    def __init__(self, inputs, outputs, way, late=0, rate: Annotated[float, Real(0.0, 0.5)] = 0.1):
        super().__init__()
        self.way, self.left = way, late  # batches that it behaves for
        self.last = nn.Linear(inputs, outputs + (way == "wrong shape"))
        if way == "no parameters":
            del self.last
        if way == "default dtype":
            torch.set_default_dtype(torch.float64)
        if way == "raises when built":
            raise ValueError("no such width")

    def forward(self, x):
        if self.way == "no parameters":
            return x[:, :2]
        self.left -= self.training
        output = self.last(x)
        return WAYS[self.way](output) if self.way in WAYS and self.left < 0 else output


def _raise(output):
    raise RuntimeError("no such row")


def _leave(output):
    raise SystemExit(3)


def _print(output):
    print("loss: 0.5")
    return output


def _fork(output):
    os.fork()
    return output


def _mutate(output):
    random.seed(0)
    torch.manual_seed(0)
    torch.set_num_threads(2)
    return output


WAYS = {
    "raises": _raise,
    "exit": _leave,
    "hangs": lambda output: time.sleep(1000),
    "killed": lambda output: os.kill(os.getpid(), signal.SIGKILL),
    "nan": lambda output: output * float("nan"),
    "no tensor": lambda output: [output],
    "detached": lambda output: output.detach(),
    "prints": _print,
    "forks": _fork,
    "global state": _mutate,
}


class Wide(nn.Module):
    """Few weights on many inputs."""

    def __init__(self, inputs, outputs):
        super().__init__()
        self.last = nn.Linear(inputs, outputs)

    def forward(self, x):
        return self.last(x)
