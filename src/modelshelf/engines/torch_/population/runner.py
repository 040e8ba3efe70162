"""Where threads that each train one member meet: one thread trains them all."""

from __future__ import annotations

import threading
import traceback
from contextlib import AbstractContextManager, nullcontext
from typing import Any

import torch

from modelshelf.core.errors import MemberError
from modelshelf.core.protocols import Leg
from modelshelf.engines.numpy_.subnormal import flushed
from modelshelf.engines.torch_.population.request import Request
from modelshelf.engines.torch_.population.resident import Resident
from modelshelf.engines.torch_.population.room import room_for
from modelshelf.engines.torch_.population.stack import Stack

__all__ = ["Runner"]

_GATHER = 0.005  # seconds that the first of a wave waits for the others
_LINGER = 0.2  # seconds that the thread waits for more before it ends


class Runner:
    """Trains requests on one device, in stacks of up to `width` members.

    Stacks take turns, an epoch each; who comes while they run joins between two epochs. The thread
    is no daemon: it ends by itself soon after the last request, and the next starts another.
    """

    def __init__(self, device: torch.device, dtype: str, width: int) -> None:
        self.device = device
        self._dtype = dtype
        self._resident = Resident(device, getattr(torch, dtype))
        self._width = width
        self._own: Any = None
        self._news = threading.Condition()
        self._waiting: list[Request] = []
        self._thread: threading.Thread | None = None
        self._closed = False

    def train(self, request: Request) -> Leg:
        """Train one member; comes back when it is at its end. Called by many threads.

        Raises `MemberError` where the stack that it was trained in failed.
        """
        with self._news:
            self._waiting.append(request)
            if self._thread is None:
                self._thread = threading.Thread(target=self._run, name=f"modelshelf-{self.device}")
                self._thread.start()
            self._news.notify_all()
        try:
            request.done.wait()
        except BaseException:  # Ctrl-C: nobody waits for this member any more
            request.stop = request.stop.copy()
            request.stop[0] = 1
            raise
        if isinstance(request.error, MemberError):
            raise request.error
        if request.error is not None:
            raise MemberError(
                f"The population on {self.device} that it was trained in failed: "
                f"{_first_line(request.error)}"
            ) from request.error
        return request.leg()

    def close(self) -> None:
        """End the thread as soon as nothing is left to train, and wait for that."""
        with self._news:
            self._closed = True
            self._news.notify_all()
            thread = self._thread
        if thread is not None:
            thread.join()
        self._closed = False

    def _run(self) -> None:
        stacks: list[Stack] = []
        try:
            with flushed(), self._stream():
                while (newcomers := self._arrivals(busy=bool(stacks))) is not None:
                    for request in newcomers:
                        self._place(request, stacks)
                    stacks = [each for each in stacks if _turn(each)]
        except Exception as error:  # there is no such device, or it is lost: nobody waits for ever
            with self._news:
                waiting, self._waiting, self._thread = self._waiting, [], None
            _fail([*waiting, *(each for stack in stacks for each in stack.crowd)], error)

    def _stream(self) -> AbstractContextManager[Any]:
        """On a GPU a stream of its own, so that steps can be captured; the same each time."""
        if self.device.type != "cuda":
            return nullcontext()
        if self._own is None:
            self._own = torch.cuda.Stream(self.device)
        return torch.cuda.stream(self._own)  # type: ignore[no-any-return]

    def _arrivals(self, busy: bool) -> list[Request] | None:
        """Who has come; None, and the thread is to end, where nobody did for a while."""
        with self._news:
            if not busy:
                self._news.wait_for(lambda: self._waiting or self._closed, _LINGER)
                if not self._waiting:
                    self._thread = None
                    return None
                self._news.wait_for(lambda: len(self._waiting) >= self._width, _GATHER)
            taken, self._waiting = self._waiting, []
        return taken

    def _place(self, request: Request, stacks: list[Stack]) -> None:
        """Into a stack that has room for it, or one of its own."""
        try:
            for stack in stacks:
                if len(stack.crowd) < stack.most and stack.fits(request):
                    break
            else:
                size = getattr(torch, self._dtype).itemsize
                data = self._resident.missing(request.data)
                most = room_for(request.shape, len(request.data.x), self.device, size, data)
                stack = Stack(
                    request, self._resident, self.device, self._dtype, min(most, self._width)
                )
                stacks.append(stack)
            stack.invite(request)
        except Exception as error:
            _fail([request], error)


def _turn(stack: Stack) -> bool:
    """An epoch of a stack; whether anybody is left. An error is everybody's who was in it."""
    crowd = stack.crowd
    try:
        left = stack.epoch()
    except Exception as error:
        stack.clear()
        _fail(crowd, error)
        return False
    for request in left:
        request.done.set()
    return bool(stack.crowd)


def _fail(requests: list[Request], error: Exception) -> None:
    traceback.clear_frames(error.__traceback__)  # which hold tensors, and so the device's memory
    for request in requests:
        request.error = error
        request.done.set()


def _first_line(error: Exception) -> str:
    return f"{type(error).__name__}: {error}".splitlines()[0]
