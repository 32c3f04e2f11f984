"""A saved journal, and where in it one is: plays, pauses, and moves to any instant, event or step."""

from __future__ import annotations

import time
from bisect import bisect_left, bisect_right
from collections.abc import Callable, Sequence
from itertools import accumulate

from lambdatui import events as ev
from lambdatui.events import Record

SPEEDS = (0.25, 0.5, 1.0, 2.0, 5.0, 10.0, 30.0, 60.0)
"""Seconds of the laboratory in a second of whoever watches."""


class Tape:
    """Its clock, :attr:`time`, is the laboratory's; it stands still unless the tape plays. `wall` gives the seconds of
    whoever watches. The first record has always happened."""

    def __init__(self, records: Sequence[Record], wall: Callable[[], float] = time.monotonic) -> None:
        """Raises ValueError where there are no records."""
        if not records:
            raise ValueError("there is nothing in it")
        self.records = records
        self._wall = wall
        # The computer's clock may have been set back, and time goes on nevertheless.
        self._times = [*accumulate((record.time for record in records), max)]
        kinds = [(count, type(record.event)) for count, record in enumerate(records, 1)]
        self.steps = [count for count, kind in kinds if kind is ev.StepStarted]
        """How many records had happened when each step had just begun."""
        self._invocations = [count for count, kind in kinds if kind is ev.InvocationAccepted]
        self._speed = 1.0
        self._playing = False
        self._stop_at(1)

    # -- where it is --------------------------------------------------------------------------------------------

    @property
    def start(self) -> float:
        return self._times[0]

    @property
    def end(self) -> float:
        return self._times[-1]

    @property
    def time(self) -> float:
        """The instant that is shown, in seconds since the epoch."""
        if not self._playing:
            return self._time
        return min(self.end, self._time + (self._wall() - self._since) * self._speed)

    @property
    def count(self) -> int:
        """How many records have happened. While it stands still, that may be some of those of one instant."""
        return max(self._count, bisect_right(self._times, self.time)) if self._playing else self._count

    @property
    def playing(self) -> bool:
        """At the end it stops by itself."""
        return self._playing and self.time < self.end

    @property
    def speed(self) -> float:
        """One of :data:`SPEEDS`."""
        return self._speed

    @property
    def until_next(self) -> float | None:
        """Seconds of whoever watches until the next record happens, None where it does not by itself."""
        if not self.playing or self.count == len(self.records):
            return None
        return max(0.0, (self._times[self.count] - self.time) / self._speed)

    def time_at(self, count: int) -> float:
        """When so many records had happened."""
        return self._times[count - 1]

    # -- moving -------------------------------------------------------------------------------------------------

    def play(self) -> None:
        """From the start, where it is at its end."""
        if self.time >= self.end:
            self._stop_at(1)
        self._anchor(playing=True)

    def pause(self) -> None:
        self._anchor(playing=False)

    def change_speed(self, step: int) -> None:
        """To the next faster one, or the next slower one where `step` is -1."""
        self._anchor(self._playing)
        number = SPEEDS.index(self._speed) + step
        self._speed = SPEEDS[max(0, min(len(SPEEDS) - 1, number))]

    def seek(self, time: float) -> None:
        """To that instant, with all that happened until then; it goes on playing if it did."""
        self._time = max(self.start, min(self.end, time))
        self._count, self._since = bisect_right(self._times, self._time), self._wall()

    def step_events(self, step: int) -> None:
        """One record on, or back, and stop."""
        self._stop_at(self.count + step)

    def step_invocations(self, step: int) -> None:
        """To the instant at which the next invocation, or the one before, was accepted, and stop."""
        self._stop_among(self._invocations, step)

    def step_steps(self, step: int) -> None:
        """To the beginning of the experiment's next step, or of the one before; it goes on playing if it did."""
        playing = self.playing
        self._stop_among(self.steps, step)
        self._anchor(playing)

    def _stop_among(self, counts: list[int], step: int) -> None:
        at = bisect_right(counts, self.count) if step > 0 else bisect_left(counts, self.count) - 1
        self._stop_at(1 if at < 0 else counts[at] if at < len(counts) else len(self.records))

    def _stop_at(self, count: int) -> None:
        self._playing = False
        self._count = max(1, min(len(self.records), count))
        self._time, self._since = self._times[self._count - 1], self._wall()

    def _anchor(self, playing: bool) -> None:
        """Measure from here and now on."""
        self._time, self._count = self.time, self.count
        self._since, self._playing = self._wall(), playing
