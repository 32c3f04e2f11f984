"""What a process and its descendants use at this moment, from Linux' /proc. Elsewhere: nothing is known.

Everything here is a few system calls a process, because it is asked every few milliseconds, and takes a process that
has gone meanwhile for one that uses nothing.
"""

from __future__ import annotations

import contextlib
import os
import time
from collections.abc import Iterable

_PAGE_BYTES = os.sysconf("SC_PAGE_SIZE")
_PAGE_KB = _PAGE_BYTES // 1024
_CPU_CLOCK = 2  # CPUCLOCK_SCHED in the kernel's <linux/posix-timers.h>: nanoseconds, ended threads included


_KEPT = 4
"""Processes of a tree whose files are kept open: a program and what is around it."""


class Tree:
    """A process and its descendants, looked at again and again. To read a file in /proc that is open takes a tenth of
    the time that it takes to find it. Whoever made it closes it."""

    def __init__(self, pid: int) -> None:
        self._pid = pid
        self._known: dict[int, _Tasks] = {}

    def look(self) -> list[tuple[int, int]]:
        """Parents first, each process with the number of its threads."""
        found: list[tuple[int, int]] = []
        before, self._known = self._known, {}
        waiting = [self._pid]
        while waiting:
            pid = waiting.pop()
            tasks = before.pop(pid, None)
            looked = tasks and tasks.look()
            if not looked:  # not seen before; or one that has gone, and another one has its number
                if tasks:
                    tasks.close()
                tasks = _Tasks(pid)
                looked = tasks.look()
            assert tasks
            if len(self._known) < _KEPT:
                self._known[pid] = tasks
            else:
                tasks.close()
            threads, children = looked or (1, [])
            found.append((pid, threads))
            waiting += children
        for tasks in before.values():
            tasks.close()
        return found

    def close(self) -> None:
        """It can be looked at again, and then must be closed again."""
        for tasks in self._known.values():
            tasks.close()
        self._known.clear()


class _Tasks:
    """The threads of one process, and the children that each of them made."""

    def __init__(self, pid: int) -> None:
        self._folder = _open(f"/proc/{pid}/task")
        self._children = _open(f"/proc/{pid}/task/{pid}/children")
        """Those of the first thread, most often the only one."""

    def look(self) -> tuple[int, list[int]] | None:
        """How many threads, and all children; None where the process has gone."""
        if self._folder is None or self._children is None:
            return None
        try:
            threads = os.fstat(self._folder).st_nlink - 2  # a folder has one for each folder in it
            if threads == 1:
                return 1, _numbers(self._children)
            names = os.listdir(self._folder)
        except OSError:
            return None
        children: list[int] = []
        for name in names:
            if (file := _open(f"{name}/children", self._folder)) is not None:
                children += _numbers(file)
                os.close(file)
        return (len(names), children) if names else None

    def close(self) -> None:
        for file in (self._folder, self._children):
            if file is not None:
                os.close(file)


def _open(path: str, folder: int | None = None) -> int | None:
    try:
        return os.open(path, os.O_RDONLY | os.O_CLOEXEC, dir_fd=folder)
    except OSError:
        return None


def _numbers(file: int) -> list[int]:
    """All that are in a file; nothing where the process has gone."""
    content = b""
    with contextlib.suppress(OSError):
        while part := os.pread(file, _PAGE_BYTES, len(content)):  # never more than a page at a time
            content += part
    return [int(number) for number in content.split()]


def tree(pid: int) -> list[tuple[int, int]]:
    """The process and its descendants, parents first, each with the number of its threads."""
    once = Tree(pid)
    try:
        return once.look()
    finally:
        once.close()


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
