"""When to repaint: at once after a quiet time, five times a second while things happen, never while nothing does."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

PERIOD = 0.2
"""Seconds between two repaints. The rate of repaints sets the load, not the rate of events."""
FINE_PERIOD = 0.1
"""The same within the last second of a countdown."""


class Pulse:
    """Calls `beat` when something was marked; `beat` returns in how many seconds it wants to be called again by
    itself, None for not before the next mark."""

    def __init__(self, beat: Callable[[], float | None]) -> None:
        self._beat = beat
        self._handle: asyncio.TimerHandle | None = None
        self._last = 0.0

    @property
    def resting(self) -> bool:
        """No repaint is due."""
        return self._handle is None

    def mark(self) -> None:
        """Something has changed."""
        loop = asyncio.get_running_loop()
        due = max(loop.time(), self._last + PERIOD)
        if self._handle is None or self._handle.when() > due:
            self._schedule(due)

    def now(self) -> None:
        """Repaint at once: somebody has pressed a key and waits for it."""
        self._run()

    def stop(self) -> None:
        if self._handle is not None:
            self._handle.cancel()
            self._handle = None

    def _schedule(self, due: float) -> None:
        self.stop()
        self._handle = asyncio.get_running_loop().call_at(due, self._run)

    def _run(self) -> None:
        self.stop()
        self._last = asyncio.get_running_loop().time()
        again = self._beat()
        if again is not None and self._handle is None:
            self._schedule(self._last + again)
