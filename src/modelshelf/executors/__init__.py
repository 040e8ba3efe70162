"""Where jobs run: in this thread, for debugging, or in one thread for each core."""

from modelshelf.executors.inline import InlineExecutor
from modelshelf.executors.protocol import Done, Executor
from modelshelf.executors.threads import ThreadExecutor

__all__ = ["Done", "Executor", "InlineExecutor", "ThreadExecutor"]
