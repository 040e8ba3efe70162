"""How much work an answer of PyTorch's is."""

from __future__ import annotations

import math

import numpy as np
from torch.utils.flop_counter import FlopCounterMode

from modelshelf.core.protocols import TrainingData
from modelshelf.engines.torch_.alone import alone, settle
from modelshelf.engines.torch_.answers import Asking
from modelshelf.engines.torch_.network import Build, built
from modelshelf.space.configuration import Configuration

__all__ = ["multiply_adds"]

_TOKEN = 1  # any but padding, so that a text is as long as it may be


def multiply_adds(build: Build, configuration: Configuration, data: TrainingData) -> int:
    """Multiplications with additions of the answer to a row like the first of `data`.

    They are half the operations that PyTorch counts: of matrix products and convolutions. What is
    done once for each number, as an activation is, is not among them. A row of tokens is taken to
    be full. The module is built in this process, which is not for a person's own.
    """
    row = np.array(data.x[:1])
    if row.dtype.kind == "i":
        row[:] = _TOKEN
    with alone():
        settle(0, "work")
        asking = Asking.of(built(build, configuration, data, "cpu"), data, (-math.inf, math.inf))
        with FlopCounterMode(display=False) as counter:
            asking.answer(row)
    return int(counter.get_total_flops()) // 2
