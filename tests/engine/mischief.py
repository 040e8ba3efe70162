"""Modules that do what modules should not, and rows that are read when asked for.

A file of its own, for child processes import it.
"""

from __future__ import annotations

import os
import signal
import time

import torch

PASSES = 2 * 5  # of two epochs: what is wrong begins in the third


def boom(output):
    raise ValueError("no such column")


def printing_end(output):
    print("about to end")
    os._exit(3)


def doubled(output):
    torch.set_default_dtype(torch.float64)
    return output


def forking(output):
    os.fork()
    return output


def chatty(output):
    print('{"winner": null}')
    return output


#: What a module does from its third epoch on, by the batch size that asks for it.
DOES = {
    16: lambda output: output,
    17: boom,
    18: lambda output: exit(4),
    19: printing_end,
    21: lambda output: os.kill(os.getpid(), signal.SIGKILL),
    22: lambda output: time.sleep(1000),
    23: lambda output: torch.ones(10**9) + output,
    24: lambda output: output * float("nan"),
    25: doubled,
    26: forking,
    27: chatty,
}  # fmt: skip


class Mischief(torch.nn.Module):
    def __init__(self, data, act):
        super().__init__()
        self.linear = torch.nn.Linear(data.inputs, data.outputs)
        self.act, self.passes = act, 0

    def forward(self, x):
        output = self.linear(x)
        self.passes += self.training
        return self.act(output) if self.passes > PASSES else output


def mischief(configuration, data):
    return Mischief(data, DOES[configuration.whole("batch_size")])


class Streamed:
    """Rows that stay in their file until they are asked for."""

    def __init__(self, x):
        self.x, self.shape, self.dtype = x, x.shape, x.dtype

    def __len__(self):
        return len(self.x)

    def take(self, at):
        return self.x[at]
