"""A module is code of someone else's: what it does to this process is undone after it ran.

PyTorch's random numbers, default dtype, threads and more are the process's, not a module's. Here
one member is at work in a process at a time, from a state that depends on nothing but its seed.
"""

from __future__ import annotations

import random
import threading
from collections.abc import Iterator
from contextlib import contextmanager

import numpy as np
import torch

from modelshelf.core.seeds import derive
from modelshelf.engines.numpy_.subnormal import flushed

__all__ = ["alone", "settle"]

_ONE = threading.RLock()


@contextmanager
def alone() -> Iterator[None]:
    """No other member is at work in this process; afterwards its global state is as it was."""
    with _ONE, flushed(), _restored(), torch.inference_mode(False), torch.enable_grad():
        yield


@contextmanager
def _restored() -> Iterator[None]:
    drawn = random.getstate(), np.random.get_state(), torch.get_rng_state()  # noqa: NPY002
    on_gpu = torch.cuda.get_rng_state_all() if torch.cuda.is_initialized() else []
    dtype, threads = torch.get_default_dtype(), torch.get_num_threads()
    device = torch.get_default_device()
    try:
        yield
    finally:
        random.setstate(drawn[0])
        np.random.set_state(drawn[1])  # noqa: NPY002
        torch.set_rng_state(drawn[2])
        if on_gpu:
            torch.cuda.set_rng_state_all(on_gpu)
        torch.set_default_dtype(dtype)
        torch.set_num_threads(threads)
        _put_by_default_on(device)


def settle(seed: int, *path: object) -> None:
    """The state that user code starts from: PyTorch's defaults, one thread, and random numbers.

    Every generator that a module may draw from (PyTorch's, NumPy's, Python's) begins anew with the
    seed that `path` names. Called at each epoch: nothing has to be kept while a member is frozen.
    """
    _put_by_default_on(torch.device("cpu"))
    torch.set_default_dtype(torch.float32)
    torch.set_num_threads(1)
    torch.set_grad_enabled(True)
    drawn = derive(seed, *path)
    torch.manual_seed(drawn)
    random.seed(drawn)
    np.random.seed(drawn % 2**32)  # noqa: NPY002


def _put_by_default_on(device: torch.device) -> None:
    if torch.get_default_device() != device:
        torch.set_default_device(None if device.type == "cpu" else device)
