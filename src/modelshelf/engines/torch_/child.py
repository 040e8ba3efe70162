"""A process that trains members for another: `python -m modelshelf.engines.torch_.child`.

It answers one task after another over a socket, shows a sign of life with every batch, and ends
with the process that started it.
"""

from __future__ import annotations

import os
import pickle
import select
import shutil
import signal
import sys
import threading
import time
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

import torch

from modelshelf.engines.torch_.answers import Beat
from modelshelf.engines.torch_.engine import TorchEngine
from modelshelf.engines.torch_.failure import told
from modelshelf.engines.torch_.memory import limit_data
from modelshelf.engines.torch_.names import NETWORK
from modelshelf.engines.torch_.network import TorchNetwork
from modelshelf.engines.torch_.pulse import Pulse
from modelshelf.engines.torch_.sequential import recognise
from modelshelf.engines.torch_.state import arrays_of, state_of
from modelshelf.engines.torch_.tasks import Answer, Draw, Train

__all__ = ["main"]

_DYING = 1.0  # seconds within which a parent that hung up is gone, if it was killed


class _Fork:
    """Whether this process is a copy that a module made of the one that answers."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        self.happened = False
        os.register_at_fork(after_in_child=self._note)

    def _note(self) -> None:
        self.happened = True
        self._connection.close()  # nothing that a copy says is taken for an answer

    def end_copy(self) -> None:
        """End this process if it is one."""
        if self.happened:
            os._exit(0)


def main() -> None:
    """Serve the process at the other end of the socket until it is gone."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is for the one that started us
    descriptor, pulse_path, device, limit = sys.argv[1:]
    connection, pulse = Connection(int(descriptor)), Pulse(Path(pulse_path))
    watched = int(descriptor), os.getppid(), pulse.path.parent
    ending = threading.Thread(target=_end_with, args=watched, daemon=True)
    ending.start()
    fork = _Fork(connection)
    torch.set_num_threads(1)
    torch.set_num_interop_threads(1)

    def beat(epoch: int) -> None:
        fork.end_copy()
        pulse.beat(epoch)

    pulse.beat(0)  # ready
    build = connection.recv_bytes()
    while True:
        try:
            task = connection.recv_bytes()
        except (EOFError, OSError):
            ending.join()  # it removes the files first, and ends this process
        limit_data(int(limit), device)
        try:
            # Made anew for each member: what one did to the builder's closure, no other sees.
            parts = pickle.loads(build), pickle.loads(task)  # noqa: S301 - our own parent's
            reply = "done", _carried_out(*parts, device, pulse, beat)
        except BaseException as error:  # also exit()
            reply = "failed", told(error, pulse.epoch)
        fork.end_copy()
        connection.send_bytes(pickle.dumps(reply, protocol=5))


def _carried_out(
    build: Any, task: Train | Answer | Draw, device: str, pulse: Pulse, beat: Beat
) -> Any:
    if isinstance(task, Answer):
        made = build, task.configuration, task.data, task.tensors, device, beat
        return TorchNetwork.from_tensors(*made).predict(task.x)
    engine = TorchEngine(build, device, beat)
    if isinstance(task, Draw):
        member = engine.start(task.configuration, task.data, task.seed)
        plan = recognise(member.module, task.configuration, task.data)
        return plan, arrays_of(state_of(member.module), NETWORK)
    if task.tensors is None:
        member = engine.start(task.configuration, task.data, task.seed)
    else:
        member = engine.thaw(task.configuration, task.data, task.seed, task.tensors)
    leg = engine.advance(member, task.data, task.to_epoch, pulse.stop)
    if leg.interrupted:
        return leg, {}
    return leg, engine.network(member, task.data.classes).tensors() | engine.snapshot(member)


def _end_with(descriptor: int, parent: int, folder: Path) -> None:
    """End when the other end of the socket is closed, whatever this process is at.

    Where that is because the parent was killed, no one but us can remove its files.
    """
    watched = select.poll()
    watched.register(descriptor, 0)  # hanging up is always told; bytes that arrive are not
    while not any(event & (select.POLLHUP | select.POLLERR) for _, event in watched.poll()):
        pass
    until = time.monotonic() + _DYING
    while os.getppid() == parent and time.monotonic() < until:
        time.sleep(0.01)
    if os.getppid() != parent:
        shutil.rmtree(folder, ignore_errors=True)
    os.killpg(os.getpgrp(), signal.SIGKILL)  # and whatever a module started


if __name__ == "__main__":
    main()
