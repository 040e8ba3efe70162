"""Which device trains: what was asked for, or what is there."""

from __future__ import annotations

import platform
import sys
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path

from modelshelf.core.errors import SettingError

__all__ = ["DEVICES", "Device", "find_device"]

#: What can be asked for.
DEVICES = ("auto", "cpu", "cuda", "mps")

# Where a driver for a GPU shows itself: NVIDIA's on Linux, under Windows' Linux, on Windows; AMD's.
_TRACES = ("/dev/nvidiactl", "/dev/dxg", "C:/Windows/System32/nvcuda.dll", "/dev/kfd")


@dataclass(frozen=True, slots=True)
class Device:
    """A device by PyTorch's name for its kind, and by its own."""

    name: str  #: cpu, cuda or mps
    title: str  #: such as the GPU's model

    @property
    def is_gpu(self) -> bool:
        """Whether populations are trained there, rather than members by cores."""
        return self.name != "cpu"


def find_device(asked: str = "auto") -> Device:
    """The device that was asked for; `auto`: a GPU where PyTorch can use one, else the CPU.

    PyTorch is imported only where a GPU was asked for, or there is a trace of one. Raises
    `SettingError` for an unknown name, and where what was asked for is not there.

    >>> find_device("cpu").name
    'cpu'
    """
    if asked not in DEVICES:
        raise SettingError(f"There is no device {asked!r}: choose {', '.join(DEVICES)}.")
    if asked == "cpu" or (asked == "auto" and not (_traced() and find_spec("torch"))):
        return Device("cpu", platform.machine())
    if not find_spec("torch"):
        raise SettingError(
            f"{asked} needs PyTorch, which is not installed: pip install 'modelshelf[torch]', or "
            "leave --device out."
        )
    there = _there()
    if asked == "auto":
        return next(iter(there.values()))
    if asked not in there:
        raise SettingError(
            f"PyTorch finds no {asked} device here. There is {', '.join(there)}: choose that, or "
            "leave --device out."
        )
    return there[asked]


def _traced() -> bool:
    """Whether there may be a GPU: the processor of a Mac has one, others have a driver."""
    if sys.platform == "darwin":
        return platform.machine() == "arm64"
    return any(Path(each).exists() for each in _TRACES)


def _there() -> dict[str, Device]:
    """Every device that PyTorch can use, the best first."""
    import torch

    found = {}
    if torch.cuda.is_available():
        found["cuda"] = Device("cuda", torch.cuda.get_device_name())
    if torch.backends.mps.is_available():
        found["mps"] = Device("mps", "Apple GPU")
    return found | {"cpu": Device("cpu", platform.machine())}
