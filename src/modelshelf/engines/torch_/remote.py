"""PyTorch's engine in processes of its own: what a module does there, it does to no other."""

from __future__ import annotations

import threading
import weakref
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

import cloudpickle
import numpy as np
from numpy.typing import NDArray

from modelshelf.core.errors import EngineError, SettingError
from modelshelf.core.protocols import Leg, TrainingData
from modelshelf.core.scratch import release, scratch
from modelshelf.engines.torch_.names import FROZEN, NETWORK, PARAMETERS
from modelshelf.engines.torch_.process import Child
from modelshelf.engines.torch_.tasks import Answer, Draw, Train
from modelshelf.engines.torch_.transport import Files
from modelshelf.space.configuration import Configuration

if TYPE_CHECKING:
    from modelshelf.engines.torch_.sequential import Recognised

__all__ = ["RemoteEngine", "RemoteMember", "RemoteNetwork"]


@dataclass(slots=True, eq=False)
class RemoteMember:
    """One module in training: what came back from the process that trained it last."""

    configuration: Configuration
    data: TrainingData
    seed: int
    tensors: dict[str, NDArray[Any]] | None = None  #: the kept weights, and all that `thaw` needs


class RemoteEngine:
    """Trains any `nn.Module` that `build(configuration, data)` makes, each in a child process.

    A thread that advances a member waits for a process, which is started when first needed, kept,
    and holds one thread of PyTorch; so many threads are so many processes. What would have ended
    the process ends the member alone, with `MemberError`: an exception, `exit()`, a crash, too much
    memory, or a batch that is not done within `hang_seconds`.

    `build` travels by cloudpickle: functions and classes of a script, a notebook or a test, lambdas
    and closures all do. What it closes over travels too, so that open files, locks, sockets and
    tensors on a GPU do not. Arrays go by files that are mapped into memory, written once.

    PyTorch's, NumPy's and Python's own state is put back after each member, and the builder is read
    anew for each; what a module changes in modules that it imports stays for the next one there.

    `memory_limit` in bytes is the most data that each process may hold; without one, it is what is
    free when a task begins.
    """

    def __init__(
        self,
        build: Callable[[Configuration, TrainingData], Any],
        device: str = "cpu",
        *,
        hang_seconds: float = 60.0,
        memory_limit: int = 0,
    ) -> None:
        try:
            self._build = cloudpickle.dumps(build)
        except Exception as error:
            raise SettingError(
                f"The builder cannot be sent to another process ({error}): let it close over no "
                "open file, lock, socket or GPU tensor; open them inside."
            ) from None
        self._device, self._hang, self._limit = device, hang_seconds, memory_limit
        self._folder = scratch()
        self._files = Files(self._folder)
        self._pool = _Pool()
        self._end = weakref.finalize(self, _close, self._pool, self._folder)

    def start(self, settings: Mapping[str, Any], data: TrainingData, seed: int) -> RemoteMember:
        """A member at epoch 0; its module is built when it is first advanced."""
        return RemoteMember(cast("Configuration", settings), data, seed)

    def advance(
        self, member: RemoteMember, data: TrainingData, to_epoch: int, stop: NDArray[np.uint8]
    ) -> Leg:
        """Train up to an epoch, in another process. Raises `MemberError` where that failed."""
        task = Train(member.configuration, data, member.seed, member.tensors, to_epoch)
        found = self._asked(task, stop)
        if found is None:
            nothing = np.zeros((0, 3))
            return Leg(0, 0, np.inf, 0, 0.0, nothing, ended=False, diverged=False, interrupted=True)
        leg, tensors = found
        if not leg.interrupted:
            member.tensors = tensors
        return cast("Leg", leg)

    def network(self, member: RemoteMember, classes: bool) -> RemoteNetwork:
        """The member's kept weights, as a network that answers in another process."""
        if member.tensors is None:
            self.advance(member, member.data, 0, np.zeros(1, np.uint8))
        every = member.tensors or {}
        kept = {  # and nothing else that lies in its file, such as answers
            name: each
            for name, each in every.items()
            if name.startswith(NETWORK) or name in (PARAMETERS, "limits")
        }
        return RemoteNetwork(self, member.configuration, member.data, kept)

    def snapshot(self, member: RemoteMember) -> dict[str, NDArray[Any]]:
        """Everything that `thaw` needs besides the kept weights, by name."""
        every = member.tensors or {}
        return {name: each for name, each in every.items() if name.startswith(FROZEN)}

    def thaw(
        self,
        settings: Mapping[str, Any],
        data: TrainingData,
        seed: int,
        tensors: Mapping[str, NDArray[Any]],
    ) -> RemoteMember:
        """The frozen member, from its snapshot and its network's tensors."""
        return RemoteMember(cast("Configuration", settings), data, seed, dict(tensors))

    def drawn(
        self, configuration: Configuration, data: TrainingData, seed: int
    ) -> tuple[Recognised | str, dict[str, NDArray[Any]]]:
        """What the compiled engine would need to train this module, or why it cannot; its tensors.

        Raises `MemberError` where the module cannot be built or trained.
        """
        few = slice(0, 2)
        like = replace(
            data, x=data.x[few], y=data.y[few], validation_x=data.x[:0], validation_y=data.y[:0]
        )
        found = self._asked(Draw(configuration, like, seed), None)
        return cast("tuple[Recognised | str, dict[str, NDArray[Any]]]", found)

    def close(self) -> None:
        """End every process, and remove the files that they read."""
        self._end()

    def _asked(self, task: Train | Answer | Draw, stop: NDArray[np.uint8] | None) -> Any:
        if not self._end.alive:
            raise EngineError("The engine was closed: its processes are gone. Make a new one.")
        try:
            packed, _held = self._files.packed(task)  # held until there is an answer
        except OSError:  # a full disk, say
            raise
        except Exception as error:
            raise SettingError(
                f"The data cannot be sent to another process ({error}): give arrays, or a data set "
                "that opens its files when it is read."
            ) from None
        child = self._pool.take() or Child(self._build, self._device, self._folder, self._limit)
        found = None
        try:
            found = child.ask(packed, stop, self._hang)
        finally:
            if found is None:  # it failed, or is still at work
                child.close()
            else:
                self._pool.give(child)
        return found

    def _answered(self, network: RemoteNetwork, x: Any) -> NDArray[np.float64]:
        task = Answer(network.configuration, network.data, network.kept, x)
        return cast("NDArray[np.float64]", self._asked(task, None))


@dataclass(frozen=True, slots=True, eq=False)
class RemoteNetwork:
    """A trained module that answers in another process."""

    engine: RemoteEngine
    configuration: Configuration
    data: TrainingData
    kept: dict[str, NDArray[Any]]

    @property
    def parameters(self) -> int:
        """How many numbers were learned."""
        return int(self.kept[PARAMETERS])

    def predict(self, x: Any) -> NDArray[np.float64]:
        """Class probabilities (rows, classes), or the standardised target (rows,), float64."""
        return self.engine._answered(self, x)

    def tensors(self) -> dict[str, NDArray[Any]]:
        """Parameters and buffers by name, as they lie on the shelf."""
        return dict(self.kept)


@dataclass(slots=True)
class _Pool:
    """Processes that wait for work."""

    idle: list[Child] = field(default_factory=list)
    lock: threading.Lock = field(default_factory=threading.Lock)
    closed: bool = False

    def take(self) -> Child | None:
        with self.lock:
            return self.idle.pop() if self.idle else None

    def give(self, child: Child) -> None:
        with self.lock:
            if not self.closed:
                self.idle.append(child)
                return
        child.close()

    def close(self) -> None:
        with self.lock:
            self.closed = True
            ending, self.idle = self.idle, []
        for child in ending:
            child.close()


def _close(pool: _Pool, folder: Path) -> None:
    pool.close()
    release(folder)
