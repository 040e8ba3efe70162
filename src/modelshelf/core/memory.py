"""How much memory is free, for this process and on the machine."""

from __future__ import annotations

import math
import os
from pathlib import Path

__all__ = ["available", "held", "unused"]

_GROUPS = Path("/sys/fs/cgroup")
#: Of a control group, versions 2 and 1: the limit, what is used, and what of that can be freed.
_FILES = (
    ("memory.max", "memory.current", "inactive_file"),
    ("memory/memory.limit_in_bytes", "memory/memory.usage_in_bytes", "total_inactive_file"),
)

#: Bytes of addresses that threads and allocators reserve and do not fill: measured of polars'.
_ADDRESSES = 1 << 29


def available() -> int:
    """Bytes that this process can still take: the least of what is free and what it may have."""
    return int(min(unused(), _of_limit()))


def unused() -> int:
    """Bytes that are free on the machine, or in its container."""
    return int(min(_free(), _of_group(), 2**62))


def _free() -> float:
    try:
        lines = Path("/proc/meminfo").read_text().splitlines()
        free = next(line for line in lines if line.startswith("MemAvailable"))
        return int(free.split()[1]) * 1024
    except (OSError, StopIteration):  # not Linux: what there is at all
        if not hasattr(os, "sysconf"):
            return math.inf
        return os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")


def _of_group() -> float:
    """What the control group of a container leaves."""
    for limit, used, spare in _FILES:
        try:
            most = (_GROUPS / limit).read_text().strip()
            stat = (_GROUPS / used).with_name("memory.stat").read_text().split()
            free = int(stat[stat.index(spare) + 1]) if spare in stat else 0
            if most != "max":
                return int(most) - int((_GROUPS / used).read_text()) + free
        except (OSError, ValueError):
            continue
    return math.inf


def _of_limit() -> float:
    """What the process's own limits leave (`ulimit -d`, `ulimit -v`)."""
    try:
        import resource
    except ImportError:  # Windows has no such limits
        return math.inf
    left = [math.inf]
    for kind, used, spare in (
        (resource.RLIMIT_DATA, held("VmData:"), 0),
        (resource.RLIMIT_AS, held("VmSize:"), _ADDRESSES),
    ):
        most, _ = resource.getrlimit(kind)
        if most != resource.RLIM_INFINITY and used is not None:
            left.append(most - used - spare)
    return min(left)


def held(kind: str) -> int | None:
    """Bytes of this kind (`"VmData:"`) that the process holds; None where no system tells."""
    try:
        status = Path("/proc/self/status").read_text().split()
        return int(status[status.index(kind) + 1]) * 1024
    except (OSError, ValueError):
        return None
