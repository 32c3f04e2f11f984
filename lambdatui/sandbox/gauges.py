"""What an environment uses of its memory, the CPU and /tmp, told while it works: seldom, and only what has changed."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import NamedTuple

TELL_EVERY = 0.5
"""Seconds between two measurements that are told."""
_NOTICEABLE_MB, _NOTICEABLE_PERCENT = 2, 5
_NOTICEABLE_PART = 0.02
"""Of what it was: nobody sees that 1,000 MB have become 1,003."""


class Use(NamedTuple):
    """Memory of all processes, what they share counted once; CPU time in percent of one core; files in /tmp, None where
    there are too many to add them up."""

    memory_mb: int
    cpu_percent: int
    tmp_mb: int | None


class Gauges:
    """Of one environment. `tmp_mb` looks at its /tmp; `told` gets what has changed. Times are seconds."""

    def __init__(self, tmp_mb: Callable[[], int | None], told: Callable[[Use], object]) -> None:
        self._tmp_mb, self._told = tmp_mb, told
        self._last: Use | None = None
        self._began, self._taken = -math.inf, -math.inf
        self._cpu = (-math.inf, 0.0)

    def begin(self, now: float, cpu: float) -> None:
        """It goes to work; `cpu` is the CPU time that it has used so far."""
        self._began, self._cpu = now, (now, cpu)

    def due(self, now: float) -> bool:
        return now >= max(self._began, self._taken) + TELL_EVERY

    def last_due(self, now: float) -> bool:
        """Whether the work, which ends now, is worth a last measurement: there was one since it began, or none for a
        while. Who is invoked again and again, for a moment each, has no time for more."""
        return self._taken > self._began or now >= self._taken + TELL_EVERY

    def take(self, now: float, memory_kb: float, cpu: float) -> None:
        """A measurement is there."""
        (then, cpu_then), self._cpu, self._taken = self._cpu, (now, cpu), now
        percent = round(100 * (cpu - cpu_then) / (now - then)) if now > then else 0
        use = Use(math.ceil(memory_kb / 1024), max(percent, 0), self._tmp_mb())
        if self._last is None or _noticeable(self._last, use):
            self._last = use
            self._told(use)


def _noticeable(before: Use, now: Use) -> bool:
    return (
        _differs(before.memory_mb, now.memory_mb, _NOTICEABLE_MB)
        or _differs(before.cpu_percent, now.cpu_percent, _NOTICEABLE_PERCENT)
        or (before.tmp_mb is None) != (now.tmp_mb is None)
        or _differs(before.tmp_mb or 0, now.tmp_mb or 0, 1)
    )


def _differs(before: int, now: int, least: int) -> bool:
    return abs(now - before) >= max(least, before * _NOTICEABLE_PART)
