"""A step that is captured once as a CUDA graph, and then replayed; elsewhere it is just run.

A step of small networks is some hundred short operations, and launching them takes longer than
carrying them out. A graph launches them as one. Everything that a step reads and writes must then
lie where it lay when it was captured: tensors of the stack do, and a batch is copied to its place.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from functools import cache

import torch
from torch import Tensor

__all__ = ["Stepper"]

_WARM = 32  # whole steps before one is captured: a stack that changes soon is not worth it


_LOG = logging.getLogger(__name__)


@cache
def _tell(why: str) -> None:
    """Say once, of all the stacks that it is so for."""
    _LOG.warning("A step is not captured as a CUDA graph, and so is slower: %s", why)


class Stepper:
    """Runs a step of (rows, table, seeds). Only whole batches are replayed: others differ in size.

    Where a capture fails, which is logged once, the step is run as anywhere else.
    """

    def __init__(
        self, device: torch.device, capturable: bool, run: Callable[[Tensor, Tensor, Tensor], None]
    ) -> None:
        self._run = run
        self._wanted = capturable and device.type == "cuda"
        self._count = 0
        self._graph: torch.cuda.CUDAGraph | None = None
        self._places: tuple[Tensor, ...] = ()

    def __call__(self, rows: Tensor, table: Tensor, seeds: Tensor, whole: bool) -> None:
        """One step, on its own or as a replay."""
        if whole and self._wanted:
            self._count += 1
            if self._count > _WARM and self._graph is None:
                self._capture(rows, table, seeds)
            if self._graph is not None:
                for place, given in zip(self._places, (rows, table, seeds), strict=True):
                    place.copy_(given)
                self._graph.replay()
                return
        self._run(rows, table, seeds)

    def _capture(self, *given: Tensor) -> None:
        """Record a step, without running it. The runner's stream is not the default one."""
        places, graph = tuple(each.clone() for each in given), torch.cuda.CUDAGraph()
        try:
            stream = torch.cuda.current_stream()
            with torch.cuda.graph(graph, stream=stream, capture_error_mode="thread_local"):
                self._run(*places)
        except RuntimeError as error:
            self._wanted = False
            _tell(f"{type(error).__name__}: {error}".splitlines()[0])
            return
        _LOG.debug("A step was captured.")
        self._graph, self._places = graph, places
