"""What a process and its descendants use at this moment, from Linux' /proc. Elsewhere: nothing is known.

Everything here is a few system calls a process, because it is asked every few milliseconds, and takes a process that
has gone meanwhile for one that uses nothing.
"""

from __future__ import annotations

import contextlib
import os
import time
from collections.abc import Iterable, Iterator

_PAGE_KB = os.sysconf("SC_PAGE_SIZE") // 1024
_CPU_CLOCK = 2  # CPUCLOCK_SCHED in the kernel's <linux/posix-timers.h>: nanoseconds, ended threads included


def tree(pid: int) -> Iterator[tuple[int, int]]:
    """The process and its descendants, parents first, each with the number of its threads."""
    waiting = [pid]
    while waiting:
        pid = waiting.pop()
        try:
            threads = os.listdir(f"/proc/{pid}/task")
        except OSError:
            threads = []
        yield pid, max(len(threads), 1)
        for thread in threads:
            children = f"/proc/{pid}/task/{thread}/children"
            with contextlib.suppress(OSError), open(children, "rb", buffering=0) as file:
                waiting += map(int, file.read().split())


def resident_kb(pids: Iterable[int]) -> int:
    """The memory that is theirs, what several of them share counted for each: never less than :func:`held_kb`."""
    total = 0
    for pid in pids:
        with contextlib.suppress(OSError), open(f"/proc/{pid}/statm", "rb", buffering=0) as file:
            total += int(file.read().split()[1])
    return total * _PAGE_KB


def held_kb(pids: Iterable[int]) -> int:
    """The memory that is theirs, what is shared counted once (PSS). Takes a hundred times as long."""
    total = 0
    for pid in pids:
        try:
            with open(f"/proc/{pid}/smaps_rollup", "rb") as file:
                total += next((int(line.split()[1]) for line in file if line.startswith(b"Pss:")), 0)
        except OSError:  # a kernel that shows it to nobody, or a process that has gone
            total += resident_kb([pid])
    return total


def high_water_kb(pids: Iterable[int]) -> int:
    """The sum of the most memory that each of them ever had."""
    total = 0
    for pid in pids:
        with contextlib.suppress(OSError), open(f"/proc/{pid}/status", "rb", buffering=0) as file:
            _, _, rest = file.read().partition(b"\nVmHWM:")
            total += int(rest.split(maxsplit=1)[0]) if rest else 0
    return total


class CpuMeter:
    """The CPU time that a changing set of processes has used; `total` is in seconds, as of the last look. What a
    process used between a look and its end is missing."""

    def __init__(self) -> None:
        self.total = 0.0
        self._seen: dict[int, float] = {}

    def look(self, pids: Iterable[int]) -> None:
        seen = {}
        for pid in pids:
            with contextlib.suppress(OSError):
                used = seen[pid] = time.clock_gettime((~pid << 3) | _CPU_CLOCK)
                before = self._seen.get(pid, 0.0)
                self.total += used - before if used >= before else used  # less: a new process with an old number
        self._seen = seen
