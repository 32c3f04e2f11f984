"""What an execution environment has done, and when: the spans that a timeline draws.

The life of an environment is tiled by its spans: each begins where the one before ended, the first when the environment
was created, and the last is open until the environment ends. Pure, and fed by :class:`lambdatui.lab.Lab`.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Sequence
from enum import StrEnum
from typing import NamedTuple

from lambdatui import events as ev

MAX_SPANS = 8192
"""Of one environment; of a longer life the beginning is summed up in a single span, :attr:`Kind.FORGOTTEN`."""
_FORGET = MAX_SPANS // 4
_BRIEF = 0.001
"""Seconds. What is shorter than that, and no invocation, is counted to what comes next: the moment between the end of
an invocation and the freezing, say."""
_MIN_QUIET = 0.005
_MAX_QUIETS = 16384


class Kind(StrEnum):
    """What goes on in a span. Those of the init may belong to an invocation: it is paid inside of that after a reset
    (a suppressed init), or after an init that failed."""

    WAITING = "waiting"
    """Created, or its init is over, and what is to come next has not begun."""
    EXTENSION_INIT = "extension init"
    RUNTIME_INIT = "runtime init"
    FUNCTION_INIT = "function init"
    INVOKE = "invoke"
    """From the start of the invocation until the runtime and all extensions are done with it."""
    IDLE = "idle"
    """Nothing to do, and not frozen yet."""
    FROZEN = "frozen"
    RESET = "reset"
    """Without processes, after a timeout or a failure: the next invocation pays a suppressed init."""
    SHUTDOWN = "shutdown"
    FORGOTTEN = "forgotten"
    """So long ago that it is not known any more."""
    THROTTLED = "throttled"
    """An instant: an invocation that got no environment. Of a function, as is the next."""
    QUEUED = "queued"
    """The event of an asynchronous invocation is in the queue."""


INITS = frozenset({Kind.EXTENSION_INIT, Kind.RUNTIME_INIT, Kind.FUNCTION_INIT})
ACTIVE = INITS | {Kind.WAITING, Kind.INVOKE, Kind.SHUTDOWN}
"""Kinds in which something is under way."""
_AFTER = {"extension": Kind.RUNTIME_INIT, "runtime": Kind.FUNCTION_INIT, "function": Kind.EXTENSION_INIT}
"""What an init goes on with when a part of it is over; in the end it waits for extensions, if there are any."""


class Span(NamedTuple):
    """`start` and `end` are seconds since the epoch, `end` None while it lasts.

    `outcome` is on the last span of an init, 'success', 'error' or 'timeout', and of an invocation, 'succeeded',
    'failed' or 'timed_out' (where an invocation ended in the init inside of it, that of the invocation); on one in the
    queue it is why the event is there, as in EventQueued. `attempt` counts those of an asynchronous invocation."""

    kind: Kind
    start: float
    end: float | None
    request_id: str | None = None
    outcome: str | None = None
    attempt: int = 1


class History:
    """The spans of one environment, created at `start`."""

    def __init__(self, start: float) -> None:
        self.spans: list[Span] = [Span(Kind.WAITING, start, None)]
        self._placed: tuple[str, int] | None = None

    @property
    def end(self) -> float | None:
        """When the environment ended."""
        return self.spans[-1].end

    @property
    def active(self) -> bool:
        """Something is under way now."""
        return self.end is None and self.spans[-1].kind in ACTIVE

    def between(self, start: float, end: float) -> Sequence[Span]:
        """The spans that have a part in that time, if only an instant."""
        first = bisect_left(self.spans, start, key=lambda span: span.start) - 1
        return self.spans[max(0, first) : bisect_right(self.spans, end, key=lambda span: span.start)]

    def apply(self, time: float, event: ev.Event, attempt: int = 1) -> None:
        """Go on with an event of this environment, or of an invocation that was placed here for the `attempt`-th
        time."""
        if self.end is not None:
            return
        current = self.spans[-1]
        match event:
            case ev.InitStarted():
                self._enter(time, Kind.EXTENSION_INIT, event.request_id)
            case ev.InitPhaseFinished() if current.kind in INITS and event.part in _AFTER:
                if event.duration_ms == 0:  # there was no such part
                    self.spans[-1] = current._replace(kind=_AFTER[event.part])
                else:
                    self._enter(time, _AFTER[event.part], current.request_id)
            case ev.InitFinished():
                self._finish_init(time, event)
            case ev.InvocationPlaced():
                self._placed = event.request_id, attempt
            case ev.InvocationStarted() if current.kind not in INITS:
                self._enter(time, Kind.INVOKE, event.request_id)
            case ev.InvocationFinished():
                self._finish_invocation(time, event)
            case ev.EnvironmentFrozen():
                self._enter(time, Kind.FROZEN)
            case ev.EnvironmentShutdown():
                self._enter(time, Kind.SHUTDOWN)
            case ev.EnvironmentReset():
                self._enter(time, Kind.RESET)
            case ev.EnvironmentEnded():
                self.spans[-1] = current._replace(end=max(time, current.start))

    def _finish_init(self, time: float, event: ev.InitFinished) -> None:
        current = self.spans[-1]
        if current.kind not in INITS:
            return
        # Extensions may have been ready before the function was: then there is a last part of no length.
        brief = time - current.start < _BRIEF and len(self.spans) > 1 and self.spans[-2].kind in INITS
        at = -2 if brief else -1
        self.spans[at] = self.spans[at]._replace(outcome=event.status)
        if current.request_id is not None and event.status == "success":
            self._enter(time, Kind.INVOKE, current.request_id)
        else:
            self._enter(time, Kind.IDLE if self._placed is None else Kind.WAITING)

    def _finish_invocation(self, time: float, event: ev.InvocationFinished) -> None:
        for at in range(len(self.spans) - 1, -1, -1):
            if self.spans[at].request_id == event.request_id:
                self.spans[at] = self.spans[at]._replace(outcome=event.status)
                break
            if self.spans[at].kind is Kind.FROZEN:
                break
        self._placed = None
        if self.spans[-1].kind is not Kind.SHUTDOWN:
            self._enter(time, Kind.IDLE)

    def _enter(self, time: float, kind: Kind, request_id: str | None = None) -> None:
        current = self.spans[-1]
        if current.kind is kind and current.request_id == request_id:
            return
        time = max(time, current.start)  # the clock of a computer can be set back
        attempt = self._placed[1] if self._placed and self._placed[0] == request_id else 1
        following = Span(kind, time, None, request_id, attempt=attempt)
        if time - current.start < _BRIEF and current.kind is not Kind.INVOKE and current.outcome is None:
            self.spans[-1] = following._replace(start=current.start)
        else:
            self.spans[-1] = current._replace(end=time)
            self.spans.append(following)
        if len(self.spans) > MAX_SPANS:
            self.spans[:_FORGET] = [Span(Kind.FORGOTTEN, self.spans[0].start, self.spans[_FORGET].start)]


class Arrivals:
    """Of one function, the invocations that have no environment: `throttled` ones, and the events in the queue of
    asynchronous invocation. In order of their starts; those in the queue overlap."""

    def __init__(self) -> None:
        self.throttled: list[Span] = []
        self.queued: list[Span] = []
        self._open: dict[str, int] = {}

    def apply(self, time: float, event: ev.Event, attempt: int) -> None:
        """Go on with an event about an invocation that is at its `attempt`-th attempt."""
        match event:
            case ev.InvocationThrottled():
                self.throttled.append(Span(Kind.THROTTLED, time, time, event.request_id, attempt=attempt))
            case ev.EventQueued():
                if event.because == "throttled":
                    self.throttled.append(Span(Kind.THROTTLED, time, time, event.request_id, attempt=attempt))
                self._leave(time, event.request_id)
                self._open[event.request_id] = len(self.queued)
                self.queued.append(Span(Kind.QUEUED, time, None, event.request_id, event.because, attempt))
            case ev.AttemptStarted() | ev.EventConcluded():
                self._leave(time, event.request_id)

    def _leave(self, time: float, request_id: str) -> None:
        if (at := self._open.pop(request_id, None)) is not None:
            self.queued[at] = self.queued[at]._replace(end=max(time, self.queued[at].start))


class Activity:
    """When something was under way anywhere in the laboratory; and so, when nothing was."""

    def __init__(self) -> None:
        self.start: float | None = None
        """Of the first thing that happened."""
        self.quiet: list[tuple[float, float]] = []
        """The times between in which nothing happened, from and to; the last may be going on, and is not in here."""
        self.last = 0.0
        """When something happened last. What is under way goes on happening: see :attr:`busy`."""
        self._count = 0

    @property
    def busy(self) -> bool:
        return self._count > 0

    def change(self, time: float, by: int) -> None:
        """So many more, or fewer, things are under way; 0 for something that takes no time."""
        if self.start is None:
            self.start = self.last = time
        if not self._count and time - self.last > _MIN_QUIET:
            self.quiet.append((self.last, time))
            if len(self.quiet) > _MAX_QUIETS:
                del self.quiet[: _MAX_QUIETS // 4]
        self.last = max(self.last, time)
        self._count += by
