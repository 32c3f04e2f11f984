"""Holds an environment's processes to their memory, their share of the CPU and their number, by looking at them.

A kernel can do that in control groups. But it would count the files in a /tmp that is a tmpfs as the function's memory,
where Lambda's /tmp is a disk; and it lets few users make groups. Looking works for everybody, and costs nothing while
an environment is frozen.
"""

from __future__ import annotations

import asyncio
import math
import os
import time
from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum

from lambdatui.sandbox import tree
from lambdatui.sandbox.group import Group
from lambdatui.sandbox.turn import Signal, State, Turn

DESCRIPTORS = 1024
"""Files that a process may have open ("Lambda quotas")."""
TASKS = 1024
"""Processes and threads of an environment ("Lambda quotas")."""
MB_OF_A_CORE = 1769
"""Of memory, for which a function gets one core ("Configure Lambda function memory")."""

LOOK_EVERY = 0.005
"""Seconds between two looks at an environment that works, if that is cheap enough."""
_COST = 0.1
"""What all looks may cost together, in cores: three hundred environments at work are looked at less often each."""


@dataclass(frozen=True)
class Limits:
    """`cores` is a share of CPU time, 1.0 for one core all the time; None leaves it alone."""

    memory_mb: int
    cores: float | None
    tasks: int = TASKS


def cores_for(memory_mb: int) -> float | None:
    """The share that so much memory brings; None where this machine has no more than that anyway."""
    cores = memory_mb / MB_OF_A_CORE
    return cores if cores < (os.cpu_count() or 1) else None


class Breach(StrEnum):
    """The limit for which processes were killed."""

    MEMORY = "memory"
    TASKS = "tasks"


class Pace:
    """How often to look, so that all looks of a laboratory together cost little."""

    def __init__(self) -> None:
        self._looking = 0
        self._cost = 0.0

    def begin(self) -> None:
        self._looking += 1

    def end(self) -> None:
        self._looking -= 1

    def next_in(self, cost: float) -> float:
        """Seconds until the next look after one that took `cost` seconds of CPU time."""
        self._cost += (cost - self._cost) / 8
        return max(LOOK_EVERY, self._looking * self._cost / _COST)


class Watch:
    """Looks at a group while it works: from its start, or its thaw, until it is frozen or closed. `breached` is called
    when it was killed for a limit. `wrappers` is the number of the group's first processes that are not the function's.
    """

    def __init__(
        self, group: Group, limits: Limits, pace: Pace, breached: Callable[[Breach], None], *, wrappers: int
    ) -> None:
        self._group = group
        self._limits = limits
        self._pace = pace
        self._breached = breached
        self._wrappers = wrappers
        self._turn = Turn(limits.cores)
        self._cpu = tree.CpuMeter()
        self._loop = asyncio.get_running_loop()
        self._timer: asyncio.TimerHandle | None = None
        self._closed = False
        self._max_memory_mb = 0
        self._begin()

    def grant(self) -> None:
        """An invocation begins: from now on its share of the CPU counts."""
        self._turn.grant(time.monotonic(), self._cpu.total)

    def freeze(self) -> None:
        self._pause_looking()
        self._carry_out(self._turn.freeze())

    def thaw(self) -> None:
        self._carry_out(self._turn.thaw())
        self._begin()

    def close(self) -> None:
        """Never look again, nor stop or continue anything. Closing twice does nothing."""
        self._pause_looking()
        self._closed = True

    def max_memory_mb(self) -> int:
        """The most memory that the processes held so far: the sum of their high-water marks, in MB rounded up. It can
        be above the limit for the moment between two looks, which is not told."""
        if self._closed:
            return min(self._max_memory_mb, self._limits.memory_mb)
        pids = [pid for pid, _ in tree.tree(self._group.pid)]
        self._cpu.look(pids)  # asked for at the end of an invocation: what was used up to here is not the next one's
        used = math.ceil(tree.high_water_kb(pids[self._wrappers :]) / 1024)
        self._max_memory_mb = max(self._max_memory_mb, used)
        return min(self._max_memory_mb, self._limits.memory_mb)

    def _begin(self) -> None:
        if not self._closed and self._timer is None:
            self._pace.begin()
            self._timer = self._loop.call_later(LOOK_EVERY, self._look)

    def _pause_looking(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
            self._pace.end()

    def _look(self) -> None:
        cpu_before = time.thread_time()
        members = list(tree.tree(self._group.pid))
        pids = [pid for pid, _ in members]
        breach = self._find_breach(pids[self._wrappers :], sum(threads for _, threads in members))
        if breach:
            self._kill_for(breach)
            return
        if self._limits.cores is not None:
            self._cpu.look(pids)
            self._carry_out(self._turn.look(time.monotonic(), self._cpu.total))
        delay = self._pace.next_in(time.thread_time() - cpu_before)
        if self._turn.state == State.PAUSED:  # what stands still needs no look
            delay = max(self._turn.resumes_at - time.monotonic(), 0.0)
        self._timer = self._loop.call_later(delay, self._look)

    def _find_breach(self, pids: list[int], tasks: int) -> Breach | None:
        if tasks - self._wrappers > self._limits.tasks:
            return Breach.TASKS
        limit = self._limits.memory_mb * 1024
        if tree.resident_kb(pids) > limit and tree.held_kb(pids) > limit:
            return Breach.MEMORY
        return None

    def _kill_for(self, breach: Breach) -> None:
        if breach == Breach.MEMORY:
            self._max_memory_mb = self._limits.memory_mb
        self.close()
        self._breached(breach)

    def _carry_out(self, signal: Signal | None) -> None:
        if self._closed:
            return
        if signal == Signal.STOP:
            self._group.stop()
        elif signal == Signal.CONTINUE:
            self._group.go_on()
