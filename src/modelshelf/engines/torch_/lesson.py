"""One epoch of a member: the loop that everybody writes, with the catalogue's settings obeyed."""

from __future__ import annotations

import inspect
import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from modelshelf.core.errors import MemberError
from modelshelf.core.protocols import TrainingData
from modelshelf.core.seeds import derive
from modelshelf.engines.torch_.alone import settle
from modelshelf.engines.torch_.answers import Asking, Beat
from modelshelf.engines.torch_.batches import batches
from modelshelf.engines.torch_.loss import loss_of, measured, targets_of
from modelshelf.engines.torch_.optimise import Rates, weights_of
from modelshelf.engines.torch_.state import State, average_into, finite, loaded, state_of
from modelshelf.space.configuration import Configuration

__all__ = ["DIVERGED", "INTERRUPTED", "STOPPED_EARLY", "TRAINING", "Lesson", "Member", "Progress"]

TRAINING, STOPPED_EARLY, DIVERGED, INTERRUPTED = range(4)

_NORMS = torch.nn.modules.batchnorm._BatchNorm  # of any dimension


@dataclass(slots=True)
class Progress:
    """Where a member is."""

    epoch: int = 0
    step: int = 0
    best_epoch: int = 0  #: whose weights are kept; 0 before there is one
    state: int = TRAINING
    best: float = math.inf  #: of what is monitored
    best_loss: float = math.inf  #: on the validation rows, at that epoch


@dataclass(slots=True, eq=False)
class Member:
    """One module in training."""

    configuration: Configuration
    data: TrainingData  #: as it was started with
    seed: int
    module: torch.nn.Module
    optimizer: torch.optim.Optimizer
    best: State  #: parameters and buffers of the best epoch
    average: State | None  #: running mean of the weights, where there is one
    limits: tuple[float, float]  #: answers are clamped to these
    progress: Progress


class Lesson:
    """Trains a member on rows, an epoch at a time."""

    def __init__(
        self, member: Member, data: TrainingData, stop: NDArray[np.uint8], beat: Beat
    ) -> None:
        c, module = member.configuration, member.module
        self._member, self._data, self._stop, self._beat = member, data, stop, beat
        self._asking = Asking.of(module, data, member.limits)
        self._batch = min(c.whole("batch_size"), len(data.x))
        steps = c.whole("epochs") * math.ceil(len(data.x) / self._batch)
        self._rates, self._loss = Rates(c, module, steps), loss_of(c, data)
        like = self._asking.like
        dtype = torch.promote_types(like.dtype, torch.float32)
        self._targets = targets_of(data, dtype).to(like.device)
        self._learned = [each for each in module.parameters() if each.requires_grad]
        self._weights = weights_of(module)
        self._l1, self._l2, self._clip, self._averaging = (
            float(c.get(name, 0.0))  # type: ignore[arg-type]
            for name in ("l1", "l2", "clip_norm", "averaging")
        )
        self._augment = _augment_of(module)
        self._draw = torch.Generator(like.device)
        self._normed = any(isinstance(each, _NORMS) for each in module.modules())

    def epoch(self) -> tuple[float, float, float] | None:
        """Train one: its row of the curve, or None where it diverged or was interrupted."""
        member, progress = self._member, self._member.progress
        epoch = progress.epoch + 1
        settle(member.seed, "epoch", epoch)
        self._draw.manual_seed(derive(member.seed, "augment", epoch))
        member.module.train()
        total, seen = 0.0, 0
        for at, rows in batches(self._data.x, member.seed, epoch, self._batch):
            if self._stop[0]:
                progress.state = INTERRUPTED
                return None
            self._beat(epoch)
            if self._normed and len(at) == 1 < self._batch:
                continue  # one row has no variance: batch normalisation refuses it
            value = self._step(rows, at)
            if not math.isfinite(value):
                progress.state = DIVERGED
                return None
            total += value * len(at)
            seen += len(at)
        loss, right = self._validated(epoch)
        if progress.state == DIVERGED:
            return None
        progress.epoch = epoch
        self._keep(loss, right)
        return total / max(seen, 1), loss, right

    def _step(self, rows: NDArray[Any], at: NDArray[np.int64]) -> float:
        """One update; the batch's loss. Where that is not finite the weights stay as they are."""
        member, optimizer = self._member, self._member.optimizer
        x = self._asking.put(rows)
        self._rates.fade(member.progress.step + 1)
        if self._augment is not None:
            x = self._augment(x, self._draw)
        output = self._asking.through(x)
        if not output.requires_grad:
            raise MemberError(
                f"The output of the module {type(member.module).__name__} does not depend on its "
                "parameters: look for detach(), no_grad() or argmax on its way."
            )
        loss = self._loss(output, self._targets[torch.from_numpy(at)])
        if self._l1:
            loss = loss + self._l1 * sum(each.abs().sum() for each in self._weights)
        if self._l2:
            loss = loss + self._l2 * sum((each**2).sum() for each in self._weights)
        value = float(loss.detach())
        if not math.isfinite(value):
            return value
        optimizer.zero_grad()
        loss.backward()
        if self._clip:
            torch.nn.utils.clip_grad_norm_(self._learned, self._clip)
        member.progress.step += 1
        self._rates.set(optimizer, member.progress.step)
        optimizer.step()
        if member.average is not None:
            state, step = state_of(member.module), member.progress.step
            average_into(state, member.average, self._averaging, step)
        return value

    def _validated(self, epoch: int) -> tuple[float, float]:
        """Loss and share of right answers of the validation rows; NaN where there are none."""
        member, data = self._member, self._data
        if not len(data.validation_x):  # no loss would tell, and these weights are kept
            if not finite(member.average or state_of(member.module)):
                member.progress.state = DIVERGED
            return math.nan, math.nan
        with loaded(member.module, member.average):
            output = self._asking.answer(data.validation_x, self._beat, epoch)
        loss, right = measured(output, data.validation_y, data.classes)
        if not math.isfinite(loss):
            member.progress.state = DIVERGED
        return loss, right

    def _keep(self, loss: float, right: float) -> None:
        """Keep the best epoch's weights (the last's, unvalidated); or run out of patience."""
        member, c, progress = self._member, self._member.configuration, self._member.progress
        watched = 1.0 - right if c.word("monitor") == "accuracy" else loss
        better = watched < progress.best - float(c.get("min_delta", 0.0))  # type: ignore[arg-type]
        if better or not len(self._data.validation_x):
            for name, value in (member.average or state_of(member.module)).items():
                member.best[name].copy_(value.detach())
            progress.best_epoch, progress.best, progress.best_loss = progress.epoch, watched, loss
            return
        patience = c.whole("patience")
        if 0 < patience <= progress.epoch - progress.best_epoch:
            progress.state = STOPPED_EARLY


def _augment_of(module: torch.nn.Module) -> Callable[..., Any] | None:
    """Its method `augment(x, generator)`; what else a module calls so is its own business."""
    found = getattr(module, "augment", None)
    if not inspect.ismethod(found):
        return None
    named = list(inspect.signature(found).parameters)
    return found if len(named) == 2 and named[1] == "generator" else None
