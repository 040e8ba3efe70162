"""Which engine trains what: the one place that knows them all.

Dense networks are trained by the compiled engine, in the thread that asks; on a GPU, in
populations. All others are trained by PyTorch, each in a process of its own, which the thread
waits for. None of PyTorch is imported before such a network is to be trained or to answer.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from importlib.metadata import version
from importlib.util import find_spec
from typing import Any

import numpy as np
from numpy.typing import NDArray

from modelshelf.core.errors import SettingError
from modelshelf.core.protocols import Engine, Network, TrainingData
from modelshelf.core.version import __version__
from modelshelf.data.prepare import Preparation
from modelshelf.engines import numpy_
from modelshelf.engines.torch_.devices import find_device
from modelshelf.space.configuration import Configuration

__all__ = ["POPULATION", "Builder", "Engines", "OwnModule", "rows_like", "torch_network"]

#: Makes a `torch.nn.Module` of a configuration, for data like these.
Builder = Callable[[Configuration, TrainingData], Any]

POPULATION = 64  #: members that are trained together on a GPU


@dataclass(frozen=True, slots=True, eq=False)
class OwnModule:
    """A person's own module: what builds it, and the name by which the shelf knows it."""

    name: str
    build: Builder


class Engines:
    """The engines of a study, made when they are first needed. Close them at the end."""

    def __init__(
        self,
        device: str = "cpu",
        own: OwnModule | None = None,
        *,
        hang_seconds: float = 60.0,
        memory_limit: int = 0,
    ) -> None:
        self._device, self._own = find_device(device), own
        self._hang, self._limit = hang_seconds, memory_limit
        self._made: dict[str, Any] = {}
        self._lock = threading.Lock()

    def of(self, configuration: Configuration) -> Engine[Any]:
        """The engine that trains this network. Raises `SettingError` where it is not installed."""
        kind = configuration.word("network")
        if kind == "dense" and self._in_populations(configuration):
            kind = "population"
        with self._lock:
            if kind not in self._made:
                self._made[kind] = self._make(kind)
            found: Engine[Any] = self._made[kind]
            return found

    def network(
        self,
        configuration: Configuration,
        preparation: Preparation,
        tensors: Mapping[str, NDArray[Any]],
    ) -> Network:
        """The network that lies on the shelf as these tensors."""
        if configuration.word("network") == "dense":
            return _dense(configuration, preparation, tensors)
        engine = self.of(configuration)
        member = engine.thaw(configuration, rows_like(preparation), 0, tensors)
        return engine.network(member, preparation.schema.task.is_classification)

    def here(
        self,
        configuration: Configuration,
        preparation: Preparation,
        tensors: Mapping[str, NDArray[Any]],
    ) -> Network:
        """The same, in this process: it answers after the engines are closed."""
        return torch_network(configuration, preparation, tensors, self._own)

    def parameters(self, configuration: Configuration, preparation: Preparation) -> int:
        """How many numbers a network of PyTorch's would learn."""
        engine = self.of(configuration)
        member = engine.start(configuration, rows_like(preparation), 0)
        return engine.network(member, preparation.schema.task.is_classification).parameters

    def identity(self, configuration: Configuration) -> dict[str, str]:
        """What trains a network and what its last bits hang on, for copy ids."""
        device = "" if self._device.name == "cpu" else f" on {self._device.title}"
        if configuration.word("network") != "dense":
            numerics = f"torch {version('torch')}{device}"
            return {"engine": f"torch {__version__}", "numerics": numerics}
        engine = "population" if device and self._in_populations(configuration) else "numpy"
        numerics = numpy_.numerics_fingerprint()
        if engine == "population":
            numerics += f" torch {version('torch')}{device}"
        return {"engine": f"{engine} {__version__}", "numerics": numerics}

    def close(self) -> None:
        """End every process and thread that an engine started."""
        with self._lock:
            for engine in self._made.values():
                close = getattr(engine, "close", None)
                if close is not None:
                    close()
            self._made.clear()

    def _in_populations(self, configuration: Configuration) -> bool:
        if not self._device.is_gpu:
            return False
        from modelshelf.engines.torch_.population.engine import PopulationEngine

        with self._lock:
            if "population" not in self._made:
                self._made["population"] = PopulationEngine(self._device.name, POPULATION)
        return self._made["population"].supports(configuration) is None

    def _make(self, kind: str) -> Any:
        if kind == "dense":
            return numpy_.NumpyEngine()
        build = self._own.build if kind == "module" and self._own else family(kind)
        from modelshelf.engines.torch_.remote import RemoteEngine

        return RemoteEngine(
            build, self._device.name, hang_seconds=self._hang, memory_limit=self._limit
        )


def family(kind: str) -> Builder:
    """What builds a network of this kind. Raises `SettingError` where that is not known here."""
    if kind == "module":
        raise SettingError(
            "This network is a module of your own, and its code is not on the shelf: give the "
            "class or function that builds it (module=…)."
        )
    if not find_spec("torch"):
        raise SettingError(
            f"network = {kind} needs PyTorch, which is not installed: "
            "pip install 'modelshelf[torch]', or use network = dense."
        )
    if kind == "conv":
        from modelshelf.engines.torch_.families.conv import build_conv

        return build_conv
    from modelshelf.engines.torch_.families.text import build_text

    return build_text


def torch_network(
    configuration: Configuration,
    preparation: Preparation,
    tensors: Mapping[str, NDArray[Any]],
    own: OwnModule | None = None,
) -> Network:
    """A network from the shelf, ready in this process; a person's own module needs its builder."""
    kind = configuration.word("network")
    if kind == "dense":
        return _dense(configuration, preparation, tensors)
    build = own.build if own is not None and kind == "module" else family(kind)
    from modelshelf.engines.torch_.network import TorchNetwork

    return TorchNetwork.from_tensors(build, configuration, rows_like(preparation), tensors)


def rows_like(preparation: Preparation) -> TrainingData:
    """One row of zeros, as a preparation makes them: what a network is built for."""
    schema = preparation.schema
    x = np.zeros((1, *preparation.row), preparation.dtype)
    y = np.zeros((1, len(schema.classes) or 1), np.float32)
    return TrainingData(
        x,
        y,
        x[:0],
        y[:0],
        schema.task.is_classification,
        preparation.columns,
        schema.shape if schema.image else (),
    )


def _dense(
    configuration: Configuration,
    preparation: Preparation,
    tensors: Mapping[str, NDArray[Any]],
) -> numpy_.Network:
    classes = preparation.schema.task.is_classification
    return numpy_.Network.from_tensors(configuration, classes, tensors)
