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
from typing import TypeAlias

from lambdatui.sandbox import tree
from lambdatui.sandbox.gauges import Gauges
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


_WORTH_A_MEASUREMENT = 1.01
"""Times the resident memory of the look before."""
_STRAGGLERS_FOR = 0.1
"""Seconds after processes were continued in which those that came too late for that are continued, too."""
_SUSPICIOUS_FOR = 0.1
"""Seconds between two measurements of processes that would hold too much if they shared nothing."""


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


@dataclass(frozen=True)
class _Member:
    """A group of the environment. `wrappers` is the number of its first processes that are not the function's."""

    group: Group
    wrappers: int
    breached: Callable[[Breach], None]


_Tree: TypeAlias = dict[_Member, list[tuple[int, int]]]
"""All processes of each, parents first, with the number of their threads."""


class Watch:
    """Looks at all processes of one environment while they work: from the first's start, or their thaw, until they are
    frozen or gone. What their limits are, they are together."""

    def __init__(self, limits: Limits, pace: Pace, gauges: Gauges) -> None:
        self._limits = limits
        self._pace = pace
        self._gauges = gauges
        self._members: dict[Group, _Member] = {}
        self._timer: asyncio.TimerHandle | None = None
        self._peak_kb = 0
        self._resident_kb = 0
        self._held_part = 1.0
        self._measured_at = 0.0
        self._continued_at = -math.inf
        self._begin_anew()

    def _begin_anew(self) -> None:
        self._turn = Turn(self._limits.cores)
        self._cpu = tree.CpuMeter()
        self._resident_kb = 0

    def add(self, group: Group, wrappers: int, breached: Callable[[Breach], None]) -> None:
        """Another group. `breached` is called when it is the one to be killed for a limit."""
        if not self._members:
            self._begin_anew()
        self._members[group] = _Member(group, wrappers, breached)
        self._begin()

    def remove(self, group: Group) -> None:
        """Never look at this group again, nor stop or continue it. Doing so twice does nothing."""
        if group in self._members:
            self.max_memory_mb()
            del self._members[group]
            if not self._members:
                self._pause_looking()

    def grant(self) -> None:
        """An invocation begins: from now on its share of the CPU counts."""
        self._turn.grant(time.monotonic(), self._cpu.total)

    def freeze(self) -> None:
        """Stop every process, wherever in its work it is."""
        if self._members and self._gauges.last_due(now := time.monotonic()):
            self._gauge(now, self._tree())
        self._pause_looking()
        self._carry_out(self._turn.freeze())

    def thaw(self) -> None:
        self._carry_out(self._turn.thaw())
        self._begin()

    def max_memory_mb(self) -> int:
        """The most memory that the processes held at once so far, in MB rounded up. It can be above the limit for the
        moment between two looks, which is not told."""
        if self._members:
            members = {member: [pid for pid, _ in member.group.processes()] for member in self._members.values()}
            # Asked for at the end of an invocation: what CPU was used up to here is not the next one's.
            self._cpu.look([pid for pids in members.values() for pid in pids])
            functions = [pid for member, pids in members.items() for pid in pids[member.wrappers :]]
            self._peak_kb = max(self._peak_kb, _most_kb(functions))
        return min(math.ceil(self._peak_kb / 1024), self._limits.memory_mb)

    def _begin(self) -> None:
        if self._members and self._timer is None:
            self._gauges.begin(time.monotonic(), self._cpu.total)
            self._pace.begin()
            self._timer = asyncio.get_running_loop().call_later(LOOK_EVERY, self._look)

    def _pause_looking(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
            self._pace.end()

    def _look(self) -> None:
        cpu_before = time.thread_time()
        self._timer = None
        members = self._tree()
        pids = [pid for of in members.values() for pid, _ in of]
        self._check_limits(members)
        if not self._members:  # they were killed for a limit
            self._pace.end()
            return
        if self._limits.cores is not None:
            self._cpu.look(pids)
            self._carry_out(self._turn.look(time.monotonic(), self._cpu.total))
        if self._gauges.due(now := time.monotonic()):
            self._gauge(now, members)
        forked = len(pids) > sum(member.wrappers + 1 for member in self._members.values())
        if forked and time.monotonic() < self._continued_at + _STRAGGLERS_FOR:
            self._continue()
        delay = self._pace.next_in(time.thread_time() - cpu_before)
        if self._turn.state == State.PAUSED:  # what stands still needs no look
            delay = max(self._turn.resumes_at - time.monotonic(), 0.0)
        self._timer = asyncio.get_running_loop().call_later(delay, self._look)

    def _tree(self) -> _Tree:
        return {member: member.group.processes() for member in self._members.values()}

    def _check_limits(self, members: _Tree) -> None:
        """The group that holds the most is killed where together they hold too much."""
        functions = {member: [pid for pid, _ in of[member.wrappers :]] for member, of in members.items()}
        tasks = {member: sum(threads for _, threads in of) - member.wrappers for member, of in members.items()}
        everything = [pid for pids in functions.values() for pid in pids]
        limit = self._limits.memory_mb * 1024
        if sum(tasks.values()) > self._limits.tasks:
            max(members, key=lambda member: tasks[member]).breached(Breach.TASKS)
        elif self._measure(everything) > limit:
            self._peak_kb = limit
            max(members, key=lambda member: tree.resident_kb(functions[member])).breached(Breach.MEMORY)

    def _gauge(self, now: float, members: _Tree) -> None:
        """Of several processes it takes long to tell what they share: that part is as it was when it was told last."""
        self._cpu.look([pid for of in members.values() for pid, _ in of])
        functions = [pid for member, of in members.items() for pid, _ in of[member.wrappers :]]
        self._gauges.take(now, tree.resident_kb(functions) * self._held_part, self._cpu.total)

    def _measure(self, pids: list[int]) -> int:
        """What they hold now. Where there are several, that takes long, and is done only when it can have grown."""
        resident = tree.resident_kb(pids)
        self._held_part = 1.0 if len(pids) == 1 else self._held_part
        if len(pids) > 1:
            now, grown = time.monotonic(), resident > self._resident_kb * _WORTH_A_MEASUREMENT
            # Who shares less and less holds more and more, and none of them seems to grow.
            suspicious = resident > self._limits.memory_mb * 1024 and now >= self._measured_at + _SUSPICIOUS_FOR
            self._resident_kb = resident
            if not grown and not suspicious:
                return 0
            self._measured_at, resident = now, tree.held_kb(pids)
            self._held_part = resident / self._resident_kb
        self._peak_kb = max(self._peak_kb, resident)
        return resident

    def _carry_out(self, signal: Signal | None) -> None:
        if signal == Signal.STOP:
            for group in self._members:
                group.stop()
        if signal == Signal.CONTINUE:
            self._continued_at = time.monotonic()
            self._continue()

    def _continue(self) -> None:
        """Once may not be enough: a process that is being forked meanwhile can be left behind, stopped."""
        if self._turn.state == State.RUNNING:
            for group in self._members:
                group.go_on()


def _most_kb(pids: list[int]) -> int:
    """Of a single process the most that it ever held; of several, which share what they have, what they hold now."""
    return tree.high_water_kb(pids) if len(pids) == 1 else tree.held_kb(pids)
