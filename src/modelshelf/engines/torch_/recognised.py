"""Modules that are dense networks, trained by the compiled engine; all others by PyTorch.

Outside nothing shows of it: a member's tensors are those of the module's `state_dict`, and its
networks answer by PyTorch, so that what was scored is what comes off the shelf, to the bit.
"""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, cast

import numpy as np
from numpy.typing import NDArray

from modelshelf.core.protocols import Leg, TrainingData
from modelshelf.engines.numpy_ import Member, NumpyEngine
from modelshelf.engines.torch_.names import FROZEN, PARAMETERS
from modelshelf.engines.torch_.remote import RemoteEngine, RemoteMember, RemoteNetwork
from modelshelf.engines.torch_.sequential import Recognised
from modelshelf.space.configuration import Configuration

__all__ = ["RecognisedEngine", "RecognisedMember"]

_STATE = "state."  # begins what the compiled engine freezes, and a module's own tensors too
_FROZEN = f"{FROZEN}compiled."


@dataclass(slots=True, eq=False)
class RecognisedMember:
    """A module in training by the compiled engine."""

    configuration: Configuration  #: the module's own
    data: TrainingData
    plan: Recognised
    first: dict[str, NDArray[Any]]  #: the tensors that the module was built with
    inner: Member


class RecognisedEngine:
    """Trains what it recognises as a dense network in this thread, all else in `remote`."""

    def __init__(self, remote: RemoteEngine) -> None:
        self._remote, self._compiled = remote, NumpyEngine()
        self._lock = threading.Lock()
        self._refused: dict[str, str] = {}  # why, by barcode
        self._known = 0

    @property
    def notes(self) -> tuple[str, ...]:
        """What a reader should know of how the modules were trained, in sentences."""
        with self._lock:
            reasons = Counter(filter(None, self._refused.values()))
            known = self._known
        found = []
        if known:
            found.append(
                "The module is an nn.Sequential that the compiled engine has too: it was trained "
                "there, from the weights that the module was built with, and answers by PyTorch."
            )
        if reasons:
            some = "Some were" if known else "It was"
            found.append(
                f"{some} trained by PyTorch, for the compiled engine does not have it: "
                f"{reasons.most_common(1)[0][0]}."
            )
        return tuple(found)

    def start(
        self, settings: Mapping[str, Any], data: TrainingData, seed: int
    ) -> RecognisedMember | RemoteMember:
        """A member at epoch 0. Raises `MemberError` where its module cannot be built."""
        configuration = cast("Configuration", settings)
        if not isinstance(data.x, np.ndarray) or configuration.barcode in self._refused:
            return self._remote.start(configuration, data, seed)
        plan, first = self._remote.drawn(configuration, data, seed)
        with self._lock:
            if isinstance(plan, str):
                self._refused[configuration.barcode] = plan
            else:
                self._known += 1
        if isinstance(plan, str):
            return self._remote.start(configuration, data, seed)
        inner = self._compiled.start(plan.dense(configuration), data, seed)
        inner.theta[:] = inner.best[:] = plan.theta(inner.layout, first)
        return RecognisedMember(configuration, data, plan, first, inner)

    def advance(
        self,
        member: RecognisedMember | RemoteMember,
        data: TrainingData,
        to_epoch: int,
        stop: NDArray[np.uint8],
    ) -> Leg:
        """Train up to an epoch."""
        if isinstance(member, RemoteMember):
            return self._remote.advance(member, data, to_epoch, stop)
        return self._compiled.advance(member.inner, data, to_epoch, stop)

    def network(self, member: RecognisedMember | RemoteMember, classes: bool) -> RemoteNetwork:
        """The member's kept weights, in a module of PyTorch's."""
        if isinstance(member, RemoteMember):
            return self._remote.network(member, classes)
        inner = member.inner
        kept = member.plan.tensors(inner.layout, inner.best, member.first)
        kept[PARAMETERS] = np.array(inner.layout.parameters)
        if np.isfinite(inner.limits).any():
            kept["limits"] = np.array(inner.limits)
        return RemoteNetwork(self._remote, member.configuration, member.data, kept)

    def snapshot(self, member: RecognisedMember | RemoteMember) -> dict[str, NDArray[Any]]:
        """Everything that `thaw` needs besides the kept weights, by name."""
        if isinstance(member, RemoteMember):
            return self._remote.snapshot(member)
        frozen = self._compiled.snapshot(member.inner)
        return {_FROZEN + name.removeprefix(_STATE): each for name, each in frozen.items()}

    def thaw(
        self,
        settings: Mapping[str, Any],
        data: TrainingData,
        seed: int,
        tensors: Mapping[str, NDArray[Any]],
    ) -> RecognisedMember | RemoteMember:
        """The frozen member, from its snapshot and its network's tensors."""
        frozen = {
            _STATE + name.removeprefix(_FROZEN): each
            for name, each in tensors.items()
            if name.startswith(_FROZEN)
        }
        if not frozen:
            return self._remote.thaw(settings, data, seed, tensors)
        member = self.start(settings, data, seed)
        assert isinstance(member, RecognisedMember)
        layout = member.inner.layout
        best = layout.tensors(member.plan.theta(layout, tensors))
        dense = member.inner.configuration
        member.inner = self._compiled.thaw(dense, data, seed, {**frozen, **best})
        if "limits" in tensors:  # to answer, rows like those of training are given, not they
            low, high = tensors["limits"].tolist()
            member.inner.limits = low, high
        return member

    def close(self) -> None:
        """End the processes of PyTorch's engine."""
        self._remote.close()
