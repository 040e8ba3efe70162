"""Where jobs run: in this thread, in one thread for each core, or on a simulated clock."""

from modelshelf.executors.inline import InlineExecutor
from modelshelf.executors.protocol import Done, Executor
from modelshelf.executors.simulated import SimulatedExecutor
from modelshelf.executors.threads import ThreadExecutor

__all__ = ["Done", "Executor", "InlineExecutor", "SimulatedExecutor", "ThreadExecutor"]
