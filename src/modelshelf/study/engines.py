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
from modelshelf.engines.torch_.own import may_be_sequential
from modelshelf.space.configuration import Configuration
from modelshelf.space.domains import Value
from modelshelf.space.part import choices
from modelshelf.space.space import Space

__all__ = [
    "HANG_SECONDS",
    "POPULATION",
    "Builder",
    "Engines",
    "OwnModule",
    "builder",
    "kinds_of",
    "know",
    "missing",
    "needs_torch",
    "rows_like",
    "stackable",
    "torch_network",
    "work",
]

#: Makes a `torch.nn.Module` of a configuration, for data like these.
Builder = Callable[[Configuration, TrainingData], Any]

_NEEDED = {"torch": "PyTorch", "cloudpickle": "cloudpickle"}

POPULATION = 64  #: members that are trained together on a GPU
HANG_SECONDS = 60.0  #: without a batch, after which a module is taken to hang


_KNOWN: dict[str, OwnModule] = {}  # modules that were named in this process, by name


@dataclass(frozen=True, slots=True, eq=False)
class OwnModule:
    """A person's own module: what builds it, and the name by which the shelf knows it."""

    name: str
    build: Builder
    mark: str = ""  #: tells its code from other code of the same name


class Engines:
    """The engines of a study, made when they are first needed. Close them at the end."""

    def __init__(
        self,
        device: str = "cpu",
        own: OwnModule | None = None,
        *,
        stacked: bool = True,
        hang_seconds: float = HANG_SECONDS,
        memory_limit: int = 0,
    ) -> None:
        self._device, self._own = find_device(device), own
        self._stacked = stacked and self._device.is_gpu
        self._hang, self._limit = hang_seconds, memory_limit
        self._made: dict[str, Any] = {}
        self._lock = threading.Lock()

    @property
    def code(self) -> str:
        """What tells a person's own module from other code of the same name; empty without one."""
        return f"{self._own.name} {self._own.mark}" if self._own else ""

    def of(self, configuration: Configuration) -> Engine[Any]:
        """The engine that trains this network. Raises `SettingError` where it is not installed."""
        kind = configuration.word("network")
        if kind == "dense" and self._in_populations(configuration):
            kind = "population"
        elif kind == "module":
            kind = f"module {configuration.word('module')}"
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

    def identity(self, configuration: Configuration) -> dict[str, str]:
        """What trains a network and what its last bits hang on, for copy ids."""
        device = "" if self._device.name == "cpu" else f" on {self._device.title}"
        if configuration.word("network") != "dense":
            # PyTorch's kernels too are chosen by the processor. Which of the two engines trains a
            # module hangs on the module and its data alone.
            numerics = f"torch {version('torch')}{device} {numpy_.numerics_fingerprint()}"
            found = {"engine": f"torch {__version__}", "numerics": numerics}
            if configuration.word("network") == "module":
                own = self._own or _KNOWN.get(configuration.word("module"))
                found["code"] = own.mark if own else ""
            return found
        engine = "population" if device and self._in_populations(configuration) else "numpy"
        numerics = numpy_.numerics_fingerprint()
        if engine == "population":
            numerics += f" torch {version('torch')}{device}"
        return {"engine": f"{engine} {__version__}", "numerics": numerics}

    @property
    def notes(self) -> tuple[str, ...]:
        """What a reader should know of how a person's own modules were trained, in sentences."""
        with self._lock:
            every = dict(self._made)
        if not any(kind.startswith("module ") for kind in every):
            return ()
        told = (
            "Modules are at work in processes of their own, one thread each: where one fails, a "
            "network failed, and nothing more."
        )
        return told, *(note for each in every.values() for note in getattr(each, "notes", ()))

    def close(self) -> None:
        """End every process and thread that an engine started."""
        with self._lock:
            for engine in self._made.values():
                close = getattr(engine, "close", None)
                if close is not None:
                    close()
            self._made.clear()

    def _in_populations(self, configuration: Configuration) -> bool:
        if not self._stacked:
            return False
        from modelshelf.engines.torch_.population.engine import PopulationEngine

        with self._lock:
            if "population" not in self._made:
                self._made["population"] = PopulationEngine(self._device.name, POPULATION)
        return self._made["population"].supports(configuration) is None

    def _make(self, kind: str) -> Any:
        if kind == "dense":
            return numpy_.NumpyEngine()
        kind, _, name = kind.partition(" ")
        build = _family(kind) if kind != "module" else builder(name, self._own)
        from modelshelf.engines.torch_.recognised import RecognisedEngine
        from modelshelf.engines.torch_.remote import RemoteEngine

        remote = RemoteEngine(
            build, self._device.name, hang_seconds=self._hang, memory_limit=self._limit
        )
        looked_at = kind == "module" and self._device.name == "cpu" and may_be_sequential(build)
        return RecognisedEngine(remote) if looked_at else remote


def kinds_of(space: Space) -> set[Value]:
    """The kinds of network that a space holds."""
    part = space.general.get("network")
    return {"dense"} if part is None else set(choices(part))


def stackable(space: Space) -> bool:
    """Whether a population's members share stacks in this space: it has one structure."""
    from modelshelf.engines.torch_.population.shape import FREE

    return set(space.slots) <= set(FREE)


def _family(kind: str) -> Builder:
    """What builds a network of this kind. Raises `SettingError` where PyTorch is missing."""
    needs_torch(f"network = {kind}")
    if kind == "conv":
        from modelshelf.engines.torch_.families.conv import build_conv

        return build_conv
    from modelshelf.engines.torch_.families.text import build_text

    return build_text


def know(own: OwnModule) -> None:
    """From now on networks of this module can be taken down without naming what builds it."""
    _KNOWN[own.name] = own


def builder(name: str, own: OwnModule | None) -> Builder:
    """What builds a person's own module: `own`, or the one of this name that is known here.

    Raises `SettingError` where there is none: its code is not on the shelf.
    """
    found = own or _KNOWN.get(name)
    if found is None or found.name != name:
        raise SettingError(
            f"This network is a module of your own, {name}, and its code is not on the shelf: "
            "say what builds it. On the command line: --module file.py:NAME; in Python: "
            "use_module(…), with the class, the function or the same text."
        )
    return found.build


def missing() -> str:
    """What PyTorch's networks need and is not installed, by name; empty where all is there."""
    return next((name for package, name in _NEEDED.items() if not find_spec(package)), "")


def needs_torch(what: str) -> None:
    """Raise `SettingError` where PyTorch, or what brings modules to its processes, is missing."""
    if name := missing():
        raise SettingError(
            f"{what} needs {name}, which is not installed: pip install 'modelshelf[torch]', or "
            "use network = dense."
        )


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
    build = _family(kind) if kind != "module" else builder(configuration.word("module"), own)
    from modelshelf.engines.torch_.network import TorchNetwork

    return TorchNetwork.from_tensors(build, configuration, rows_like(preparation), tensors)


def work(configuration: Configuration, preparation: Preparation) -> int | None:
    """Multiply-adds of a row's answer by a network of PyTorch's; None for a person's own module.

    That one is code, which is not run in this process.
    """
    kind = configuration.word("network")
    if kind == "module":
        return None
    build = _family(kind)
    from modelshelf.engines.torch_.work import multiply_adds

    return multiply_adds(build, configuration, rows_like(preparation))


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
