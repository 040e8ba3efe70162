"""A stack: members of one shape, on one device, that go through their epochs side by side."""

from __future__ import annotations

import weakref
from functools import partial

import numpy as np
import torch
from torch import Tensor

from modelshelf.engines.numpy_.assemble import class_weights, limits_of
from modelshelf.engines.numpy_.optimizers import OPTIMIZERS
from modelshelf.engines.torch_.population.encoding import Encoder
from modelshelf.engines.torch_.population.feed import Feed
from modelshelf.engines.torch_.population.graph import Stepper
from modelshelf.engines.torch_.population.rates import Now
from modelshelf.engines.torch_.population.request import Request
from modelshelf.engines.torch_.population.resident import Resident, to_device
from modelshelf.engines.torch_.population.slots import factors_of, read_slots, write_slots
from modelshelf.engines.torch_.population.step import State, Tally, train_step, validate

__all__ = ["Stack"]

_STEPS = 512  # of which the numbers are brought to the device at once


class Stack:
    """Members of one shape on the same data. Used by one thread.

    On a GPU a seat that falls free stays, and is taken by the next member: what was captured for
    these tensors stays good. On a CPU, where an empty seat costs as much as a member, it is closed.
    """

    def __init__(
        self, first: Request, resident: Resident, device: torch.device, dtype: str, most: int
    ) -> None:
        self.shape, self.data = first.shape, first.data
        self.most = most  #: members at a time
        self._device, self._numpy, self._dtype = device, np.dtype(dtype), getattr(torch, dtype)
        self._exact = torch.float32 if device.type == "mps" else torch.float64
        self._slack = 0.0 if device.type == "cpu" else 0.5
        self.seats: list[Request | None] = []
        self._coming: list[Request] = []
        self._encoder = Encoder(self.shape.layout, device)
        data = self.data
        self._x, self._y = resident(data.x), resident(data.y)
        held = (resident(data.validation_x), resident(data.validation_y))
        self._held = held if len(data.validation_x) else None
        self._limits = limits_of(first.member.configuration, data)
        weights = class_weights(first.member.configuration, data, self._numpy)
        self._class_weights = to_device(weights, device, self._dtype)
        self._state: State
        self._resize([], 0)

    @property
    def seated(self) -> list[tuple[int, Request]]:
        """Who sits where."""
        return [(at, each) for at, each in enumerate(self.seats) if each is not None]

    def fits(self, request: Request) -> bool:
        """Whether this member can be trained with those here."""
        ours, theirs = self.data, request.data
        same = ours.x is theirs.x and ours.y is theirs.y
        if len(ours.validation_x) or len(theirs.validation_x):
            same = same and ours.validation_x is theirs.validation_x
        return same and self.shape == request.shape

    @property
    def crowd(self) -> list[Request]:
        """Who is here, and who was invited."""
        return [each for _, each in self.seated] + self._coming

    def invite(self, request: Request) -> None:
        """Have a member take part from the next epoch on."""
        self._coming.append(request)

    def clear(self) -> None:
        """Send everybody away."""
        self.seats, self._coming = [], []

    def _seat(self) -> None:
        """Take in who was invited; seats are added or closed as they are needed."""
        staying, newcomers, self._coming = self.seated, self._coming, []
        needed = len(staying) + len(newcomers)
        crowded = needed > len(self.seats)
        covered = all(self.shape.covers(each.shape) for each in newcomers)
        if crowded or not covered or needed < len(self.seats) * (1.0 - self._slack):
            for each in newcomers:
                self.shape = self.shape.joined(each.shape)
            self._resize([at for at, _ in staying], needed)
            self.seats = [each for _, each in staying] + [None] * len(newcomers)
        free = [at for at, each in enumerate(self.seats) if each is None]
        for at, request in zip(free, newcomers, strict=False):
            self.seats[at] = request
            self._write(at, request)

    def _resize(self, staying: list[int], seats: int) -> None:
        """New tensors with this many rows; those of who stays come first."""
        size, slots = self.shape.layout.size, OPTIMIZERS[self.shape.optimizer].slots
        columns = {
            "theta": (size,), "best": (size,), "slots": (slots, size),
            "average": (size if self.shape.averaged else 0,),
            "factors": (size if self.shape.factored else 0,),
            "decays": (size if self.shape.decayed else 0,),
        }  # fmt: skip
        made = {
            name: torch.zeros(seats, *shape, dtype=self._dtype, device=self._device)
            for name, shape in columns.items()
        }
        made["factors"].fill_(1.0)
        for name, tensor in made.items():
            if staying:
                before = getattr(self._state, name)
                if name == "average" and not before.shape[1]:
                    before = self._state.theta  # without averaging, the mean is the weights
                if before.shape[1:] == tensor.shape[1:]:
                    tensor[: len(staying)] = before[staying]
        self._state = State(**made)
        self._tally = Tally(
            torch.zeros(seats, dtype=self._exact, device=self._device),
            torch.ones(seats, dtype=torch.bool, device=self._device),
            torch.zeros(seats, dtype=torch.int64, device=self._device),
        )
        encoding = self.shape.layout.encoding
        # The way back through tables sorts, and waits for the device: it cannot be captured.
        capturable = encoding is None or encoding.tables == 0
        # Not `self._step`: in a ring of references the device's memory would wait for a collection.
        step = partial(Stack._step, weakref.proxy(self))
        self._stepper = Stepper(self._device, capturable, step)

    def _write(self, at: int, request: Request) -> None:
        """A member's arrays into its row."""
        member = request.member
        rates, decays = factors_of(member)
        arrays = {
            "theta": member.theta, "best": member.best, "slots": read_slots(member),
            "average": member.average if member.average.size else member.theta,
            "factors": rates, "decays": decays,
        }  # fmt: skip
        for name, array in arrays.items():
            row = getattr(self._state, name)[at]
            if row.numel():
                row.copy_(to_device(array, self._device, self._dtype))

    def epoch(self) -> list[Request]:
        """Train everybody for an epoch; those who are at their end leave, and are returned."""
        self._seat()
        feed = Feed(self.shape, self.seats, self._device, self._numpy)
        self._tally.total.zero_()
        self._tally.alive.fill_(True)
        self._tally.steps.zero_()
        if not self._batches(feed):
            return self._leave(self.seated)
        kept, sums, finite = self._state.kept, *self._validated(feed)
        told = torch.column_stack(
            [sums, self._tally.total, self._tally.steps, self._tally.alive & finite]
        ).tolist()  # the one place where an epoch waits for the device
        better = []
        for at, request in self.seated:
            loss, right, total, steps, fine = told[at]
            if request.record(loss, right, total, int(steps), bool(fine)):
                better.append(at)
        if better:
            self._state.best[better] = kept[better]
        return self._leave([(at, each) for at, each in self.seated if each.over or each.stop[0]])

    def _batches(self, feed: Feed) -> bool:
        """One pass over the training rows; False where all members were told to stop."""
        rows, batch = len(self.data.x), self.shape.batch
        orders, starts, seated = feed.orders(rows), range(0, rows, batch), self.seated
        for first in range(0, len(starts), _STEPS):
            some = starts[first : first + _STEPS]
            part = orders[:, some[0] : some[-1] + batch].copy()
            order = torch.from_numpy(part).to(self._device).split(batch, dim=1)
            rates, seeds = feed.rates(first, len(some)), feed.seeds(first, len(some))
            for picked, now, own in zip(order, rates, seeds, strict=True):
                if all(each.stop[0] for _, each in seated):
                    return False
                self._stepper(picked, now, own, whole=picked.shape[1] == batch)
        return True

    def _step(self, rows: Tensor, table: Tensor, seeds: Tensor) -> None:
        """Rows (networks, batch) of the training data through one step."""
        x, y = (
            each.index_select(0, rows.reshape(-1)).view(*rows.shape, -1)
            for each in (self._x, self._y)
        )
        train_step(
            self.shape, self._encoder, self._state, self._tally, x, y,
            Now(table, self.shape.layout.members), seeds, self._class_weights,
        )  # fmt: skip

    def _validated(self, feed: Feed) -> tuple[Tensor, Tensor]:
        """What members are compared by (members, 2), and whether it is finite (members,).

        Where nothing is held out, that is whether their weights are: no later loss would tell.
        """
        kept = self._state.kept
        if self._held is None:
            nothing = torch.full((len(kept), 2), torch.nan, dtype=self._exact, device=kept.device)
            return nothing, torch.isfinite(kept.sum(dim=1, dtype=self._exact))
        now = Now(feed.rates(0, 1)[0], self.shape.layout.members)
        sums = validate(
            self.shape, self._encoder, kept, *self._held, now, self._limits, self._exact
        )
        return sums, torch.isfinite(sums[:, 0])

    def _leave(self, leaving: list[tuple[int, Request]]) -> list[Request]:
        """Free their seats, and write their rows back; one stopped in mid-epoch is thrown away."""
        done = []
        for at, request in leaving:
            self.seats[at] = None
            if not request.over:
                request.interrupt()
            done.append(request)
        finished = [(at, each) for at, each in leaving if not each.interrupted]
        if finished:
            rows = [at for at, _ in finished]
            names = ("theta", "best", "average", "slots")
            arrays = [getattr(self._state, name)[rows].cpu().numpy() for name in names]
            for (_, request), theta, best, average, slots in zip(finished, *arrays, strict=True):
                member = request.member
                member.theta[:], member.best[:] = theta, best
                if member.average.size:
                    member.average[:] = average
                write_slots(member, slots)
        return done
