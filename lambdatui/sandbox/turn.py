"""Whether an environment's processes run or stand still, as a state machine: no I/O, no clock.

Two reasons stop them: the environment is frozen between invocations, or it has used up its share of the CPU for now.
Both are SIGSTOP and SIGCONT to the same processes, so one owner holds both.

    running <-> paused        while an invocation runs, by its budget of CPU time
       |           |
       +-> frozen <+          thawed, it runs, whatever it owed
"""

from __future__ import annotations

from enum import StrEnum

PERIOD = 0.02
"""Seconds. Unused CPU time is saved up for so long; an invocation begins with as much of it."""


class State(StrEnum):
    RUNNING = "running"
    PAUSED = "paused"  # until it may use the CPU again
    FROZEN = "frozen"


class Signal(StrEnum):
    STOP = "stop"
    CONTINUE = "continue"


class Turn:
    """`cores` is the share of CPU time, 1.0 for one core all the time; None for no limit. There is none until the first
    :meth:`grant` either: the service gives an init more CPU than the function's own share.

    Times are seconds; `used` is the CPU time of all processes together since they began.
    """

    def __init__(self, cores: float | None) -> None:
        self.state = State.RUNNING
        self.resumes_at = 0.0
        """When paused: until then."""
        self._cores = cores
        self._granted = False
        self._credit = 0.0
        self._seen = (0.0, 0.0)

    def grant(self, now: float, used: float) -> None:
        """An invocation begins, with a full period's budget and without debts."""
        if self._cores is not None:
            self._granted = True
            self._credit = self._cores * PERIOD
            self._seen = now, used

    def look(self, now: float, used: float) -> Signal | None:
        """Settle what was used since the last look. It may be more than there was: then the pause is as much longer,
        so that the share is right in the long run however seldom one looks."""
        if self._cores is None or not self._granted or self.state == State.FROZEN:
            return None
        (then, used_then), self._seen = self._seen, (now, used)
        self._credit += (now - then) * self._cores - (used - used_then)
        self._credit = min(self._credit, self._cores * PERIOD)
        if self._credit < 0:
            self.resumes_at = now - self._credit / self._cores
            return self._become(State.PAUSED)
        return self._become(State.RUNNING)

    def freeze(self) -> Signal | None:
        return self._become(State.FROZEN)

    def thaw(self) -> Signal | None:
        return self._become(State.RUNNING)

    def _become(self, state: State) -> Signal | None:
        before, self.state = self.state, state
        if (before == State.RUNNING) == (state == State.RUNNING):
            return None
        return Signal.CONTINUE if state == State.RUNNING else Signal.STOP
