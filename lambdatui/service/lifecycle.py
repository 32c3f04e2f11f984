"""One execution environment as a state machine: no I/O, no clock.

:meth:`Lifecycle.handle` takes an input and the time at which it came and gives back effects, to be carried out in
order. Everything that can happen stands in the table built by `_on`; everything that can come too late, because the
process was told to die a moment before, stands in `_LATE`; anything else is a defect and raises :class:`IllegalInput`.

    starting -> init -> idle <-> busy -> responded -> idle
                 |                |          |
              failing             +-> resetting -> reset
                 |                                   | the next invocation
                 +----------> restarting <-----------+
                                  |
                               reinit -> busy | resetting

and from anywhere -> ending -> ended. The rules are those of "Lambda execution environment lifecycle" in the developer
guide and of the open runtime interface emulator (`rapid/`).
"""

from __future__ import annotations

import json
import math
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from enum import StrEnum
from typing import Any, TypeAlias

from lambdatui import events as ev

EXIT_ERROR = "Runtime.ExitError"
OUT_OF_MEMORY = "Runtime.OutOfMemory"

INIT_LIMIT = 10.0
"""Seconds that the init phase of an on-demand environment may take."""


class State(StrEnum):
    STARTING = "starting"  # a process was asked for
    INIT = "init"
    FAILING = "failing"  # the init failed and the process has not died yet
    IDLE = "idle"  # frozen, waiting for an invocation
    BUSY = "busy"
    RESPONDED = "responded"  # the caller is answered, the runtime has not asked for the next invocation yet
    RESETTING = "resetting"  # told to die; the invocation ends with the process
    RESET = "reset"  # no process; /tmp and log stream stay
    RESTARTING = "restarting"  # a process was asked for, inside an invocation
    REINIT = "reinit"  # an init paid inside an invocation
    ENDING = "ending"  # told to die for good
    ENDED = "ended"


# -- inputs ---------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Invoke:
    """The scheduler placed an invocation here."""

    request_id: str


@dataclass(frozen=True)
class ProcessStarted:
    """exec happened: the init's clock starts."""


@dataclass(frozen=True)
class RuntimeInitDone:
    """The runtime turns to the function's own code."""


@dataclass(frozen=True)
class NextRequested:
    """The runtime asks for the next invocation. `memory_mb` is the high-water mark of the environment's processes."""

    memory_mb: int


@dataclass(frozen=True)
class Responded:
    body: str


@dataclass(frozen=True)
class ResponseTooLarge:
    """The runtime posted a response over the limit and was refused."""

    limit: int


@dataclass(frozen=True)
class Errored:
    """The runtime reports that the function failed."""

    body: str


@dataclass(frozen=True)
class InitErrored:
    error_type: str
    body: str


@dataclass(frozen=True)
class TimeIsUp:
    """The moment of the last SetTimer has come."""

    memory_mb: int


@dataclass(frozen=True)
class Exited:
    """The process is gone and all it printed is written, or it could not be started at all."""

    reason: str
    memory_mb: int
    error_type: str = EXIT_ERROR


@dataclass(frozen=True)
class Retire:
    """Its code or configuration is not the function's any more: end as soon as no invocation is in flight."""

    because: str


@dataclass(frozen=True)
class End:
    """End now."""

    because: str


Input: TypeAlias = (
    Invoke
    | ProcessStarted
    | RuntimeInitDone
    | NextRequested
    | Responded
    | ResponseTooLarge
    | Errored
    | InitErrored
    | TimeIsUp
    | Exited
    | Retire
    | End
)


# -- effects --------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Spawn:
    """Start the runtime; answer with ProcessStarted, or Exited where it cannot be started."""


@dataclass(frozen=True)
class Kill:
    """SIGKILL for every process; Exited follows."""


@dataclass(frozen=True)
class Freeze:
    pass


@dataclass(frozen=True)
class Thaw:
    pass


@dataclass(frozen=True)
class AnswerNext:
    """Give the runtime its invocation."""

    request_id: str
    deadline: float


@dataclass(frozen=True)
class Reply:
    """Answer the caller: see :class:`lambdatui.events.InvocationAnswered`."""

    request_id: str
    status: str
    payload: str
    function_error: str | None


@dataclass(frozen=True)
class SetTimer:
    """Give TimeIsUp at this moment. Replaces the one before."""

    at: float


@dataclass(frozen=True)
class CancelTimer:
    pass


@dataclass(frozen=True)
class Emit:
    event: ev.Event


@dataclass(frozen=True)
class Released:
    """The environment is done with its invocation, or with an init ahead of the first, and could take one, unless it is
    retired."""


@dataclass(frozen=True)
class Ended:
    """Nothing is left of the processes."""


Effect: TypeAlias = Spawn | Kill | Freeze | Thaw | AnswerNext | Reply | SetTimer | CancelTimer | Emit | Released | Ended


# -- the machine ----------------------------------------------------------------------------------------------------


class IllegalInput(Exception):
    """An input that cannot happen in this state."""


@dataclass(frozen=True)
class Terms:
    """What the environment was made for. `timeout` in seconds, `memory_size` in MB; `dialect` ('current' or 'classic')
    decides how durations are billed and failures worded."""

    timeout: int
    memory_size: int
    dialect: str = "current"
    init_limit: float = INIT_LIMIT


@dataclass(frozen=True)
class _Ending:
    """How an invocation ends; `sentence` tells of a timeout or an exit."""

    status: str
    duration_ms: float
    error_type: str | None
    sentence: str | None


_Handler: TypeAlias = Callable[["Lifecycle", float, Any], None]
_TABLE: dict[tuple[State, type[Input]], _Handler] = {}


def _on(states: State | tuple[State, ...], kind: type[Input]) -> Callable[[_Handler], _Handler]:
    def register(handler: _Handler) -> _Handler:
        for state in (states,) if isinstance(states, State) else states:
            assert (state, kind) not in _TABLE
            _TABLE[state, kind] = handler
        return handler

    return register


class Lifecycle:
    """The life of the execution environment `environment`. Times are seconds since the epoch."""

    def __init__(self, environment: str, terms: Terms) -> None:
        self.environment = environment
        self.terms = terms
        self.state = State.STARTING
        self.request_id: str | None = None
        """The invocation that waits for its start or is in flight."""
        self._running = False  # its clock runs
        self._began = 0.0  # since then
        self._answered: str | None = None  # its status, once the caller knows
        self._init_began = 0.0
        self._init_suppressed = False
        self._runtime_ready: float | None = None
        self._init_failure: tuple[str, float, str | None] | None = None  # status, ms, error type
        self._init_duration: float | None = None  # ms, until a REPORT has named it
        self._ending_as: _Ending | None = None  # the invocation in flight, as it will be reported
        self._memory_mb = 0
        self._retired: str | None = None
        self._ended_because = ""
        self._effects: list[Effect] = []

    def begin(self) -> list[Effect]:
        """The first effects of all."""
        return [Spawn()]

    @property
    def running(self) -> str | None:
        """The invocation whose clock runs."""
        return self.request_id if self._running else None

    def handle(self, now: float, given: Input) -> list[Effect]:
        if isinstance(given, Exited) and given.error_type == OUT_OF_MEMORY and self.terms.dialect == "classic":
            given = replace(given, error_type=EXIT_ERROR)  # there was no name for it
        handler = _TABLE.get((self.state, type(given)))
        if handler:
            handler(self, now, given)
        elif (self.state, type(given)) not in _LATE:
            raise IllegalInput(f"{type(given).__name__} in state {self.state}")
        effects, self._effects = self._effects, []
        return effects

    # init

    @_on(State.STARTING, ProcessStarted)
    def _init(self, now: float, _: ProcessStarted) -> None:
        self._init_began, self._runtime_ready = now, None
        self._emit(ev.InitStarted(self.environment, "init", False, None))
        self._emit(ev.InitPhaseFinished(self.environment, "extension", 0.0))  # there are none
        self._do(SetTimer(now + self.terms.init_limit))
        self.state = State.INIT

    @_on((State.INIT, State.REINIT), RuntimeInitDone)
    def _runtime_is_ready(self, now: float, _: RuntimeInitDone) -> None:
        if self._runtime_ready is None:
            self._runtime_ready = now
            self._emit(ev.InitPhaseFinished(self.environment, "runtime", _ms(now - self._init_began)))

    @_on(State.INIT, NextRequested)
    def _init_succeeds(self, now: float, given: NextRequested) -> None:
        self._measured(given.memory_mb)
        self._do(CancelTimer())
        self._init_duration = self._finish_init(now, "success")
        if self.request_id:
            self._start_clock(now)
            self._hand_out(now)
        else:
            self._freeze()
            self._do(Released())

    @_on(State.INIT, InitErrored)
    def _init_fails(self, now: float, given: InitErrored) -> None:
        self._init_failure = ("error", now, given.error_type)
        self._do(CancelTimer(), Kill())
        self.state = State.FAILING

    @_on(State.INIT, TimeIsUp)
    def _init_takes_too_long(self, now: float, given: TimeIsUp) -> None:
        self._measured(given.memory_mb)
        self._init_failure = ("timeout", now, None)
        self._do(Kill())
        self.state = State.FAILING

    @_on(State.INIT, Exited)
    def _exit_in_init(self, now: float, given: Exited) -> None:
        self._do(CancelTimer())
        self._init_failure = ("error", now, given.error_type)
        self._init_failed(now, given)

    @_on(State.FAILING, Exited)
    def _init_failed(self, now: float, given: Exited) -> None:
        """The init phase failed; it is tried once more, inside the invocation that waits for it."""
        self._measured(given.memory_mb)
        assert self._init_failure
        status, at, error_type = self._init_failure
        self._init_failure = None
        self._finish_init(at, status, error_type)
        if self.request_id:
            self._restart(suppressed=False)
        else:
            self._reset("failure")
            self._do(Released())

    @_on(State.STARTING, Exited)
    def _cannot_start(self, now: float, given: Exited) -> None:
        self._init(now, ProcessStarted())
        self._exit_in_init(now, given)

    # an init paid inside an invocation: the retry of one that failed, or a suppressed one after a reset

    @_on(State.RESET, Invoke)
    def _invoke_after_reset(self, now: float, given: Invoke) -> None:
        self.request_id = given.request_id
        self._restart(suppressed=True)

    @_on(State.RESTARTING, ProcessStarted)
    def _reinit(self, now: float, _: ProcessStarted) -> None:
        self._init_began, self._runtime_ready = now, None
        self._emit(ev.InitStarted(self.environment, "invoke", self._init_suppressed, self.request_id))
        self._emit(ev.InitPhaseFinished(self.environment, "extension", 0.0))
        self._start_clock(now)
        self.state = State.REINIT

    @_on(State.REINIT, NextRequested)
    def _reinit_succeeds(self, now: float, given: NextRequested) -> None:
        self._measured(given.memory_mb)
        self._finish_init(now, "success")
        self._hand_out(now)

    @_on(State.REINIT, InitErrored)
    def _reinit_fails(self, now: float, given: InitErrored) -> None:
        self._finish_init(now, "error", given.error_type)
        self._reply("failed", given.body)
        self._die(_Ending("failed", _ms(now - self._began), given.error_type, None))

    @_on(State.REINIT, TimeIsUp)
    def _reinit_takes_too_long(self, now: float, given: TimeIsUp) -> None:
        self._finish_init(now, "timeout")
        self._timeout(now, given)

    @_on(State.REINIT, Exited)
    def _exit_in_reinit(self, now: float, given: Exited) -> None:
        self._finish_init(now, "error", given.error_type)
        self._exit_in_invocation(now, given)

    @_on(State.RESTARTING, Exited)
    def _cannot_restart(self, now: float, given: Exited) -> None:
        self._reinit(now, ProcessStarted())
        self._exit_in_reinit(now, given)

    # invocations

    @_on((State.STARTING, State.INIT), Invoke)
    def _invoke_when_ready(self, now: float, given: Invoke) -> None:
        if self.request_id:
            raise IllegalInput("an environment handles one invocation at a time")
        self.request_id = given.request_id

    @_on(State.IDLE, Invoke)
    def _invoke_warm(self, now: float, given: Invoke) -> None:
        self.request_id = given.request_id
        self._emit(ev.EnvironmentThawed(self.environment))
        self._start_clock(now)
        self._do(Thaw())
        self._hand_out(now)

    @_on(State.BUSY, Responded)
    def _respond(self, now: float, given: Responded) -> None:
        self._answer(now, "succeeded", given.body)

    @_on(State.BUSY, Errored)
    def _report_error(self, now: float, given: Errored) -> None:
        self._answer(now, "failed", given.body)

    @_on(State.BUSY, ResponseTooLarge)
    def _refuse_response(self, now: float, given: ResponseTooLarge) -> None:
        message = f"Response payload size exceeded maximum allowed payload size ({given.limit} bytes)."
        self._answer(now, "failed", _body(errorMessage=message, errorType="Function.ResponseSizeTooLarge"))

    def _answer(self, now: float, status: str, payload: str) -> None:
        """Unless the deadline has passed already, and only the timer is late."""
        if now >= self._began + self.terms.timeout:
            self._timeout(now, TimeIsUp(0))
        else:
            self._reply(status, payload)
            self.state = State.RESPONDED

    @_on(State.RESPONDED, NextRequested)
    def _finish(self, now: float, given: NextRequested) -> None:
        self._measured(given.memory_mb)
        assert self._answered
        self._finish_invocation(_Ending(self._answered, _ms(now - self._began), None, None))
        if self._retired:
            self._end(self._retired)
        else:
            self._freeze()

    @_on((State.BUSY, State.RESPONDED), TimeIsUp)
    def _timeout(self, now: float, given: TimeIsUp) -> None:
        self._measured(given.memory_mb)
        sentence = self._timed_out(now)
        if not self._answered:
            self._reply("timed_out", _timed_out_body(self.terms.dialect, sentence))
        self._die(_Ending("timed_out", float(self.terms.timeout * 1000), None, sentence))

    @_on((State.BUSY, State.RESPONDED), Exited)
    def _exit_in_invocation(self, now: float, given: Exited) -> None:
        sentence = f"RequestId: {self.request_id} Error: {given.reason}"
        if not self._answered:
            self._reply("failed", _body(errorType=given.error_type, errorMessage=sentence))
        self._ending_as = _Ending("failed", _ms(now - self._began), given.error_type, sentence)
        self._died(now, given)

    @_on(State.RESETTING, Exited)
    def _died(self, now: float, given: Exited) -> None:
        self._measured(given.memory_mb)
        failure = self._ending_as
        assert failure
        if failure.status == "timed_out" and self.terms.dialect == "classic":
            failure = replace(failure, duration_ms=_ms(now - self._began))
        self._finish_invocation(failure)
        self._reset("timeout" if failure.status == "timed_out" else "failure")

    @_on(State.IDLE, Exited)
    def _exit_while_idle(self, now: float, given: Exited) -> None:
        self._measured(given.memory_mb)
        self._reset("failure")

    # the end

    @_on(tuple(state for state in State if state not in (State.ENDING, State.ENDED)), Retire)
    def _retire(self, now: float, given: Retire) -> None:
        if self.request_id:
            if not self._retired:
                self._emit(ev.EnvironmentRetired(self.environment, given.because))
            self._retired = given.because
        else:
            self._end(given.because)

    @_on(tuple(state for state in State if state not in (State.ENDING, State.ENDED)), End)
    def _end_now(self, now: float, given: End) -> None:
        self.request_id, self._running = None, False
        self._end(given.because)

    @_on(State.ENDING, ProcessStarted)
    def _started_in_vain(self, now: float, given: ProcessStarted) -> None:
        self._do(Kill())

    @_on(State.ENDING, Exited)
    def _ended(self, now: float, given: Exited) -> None:
        self._gone()

    def _gone(self) -> None:
        self.state = State.ENDED
        self._emit(ev.EnvironmentEnded(self.environment, self._ended_because))
        self._do(Ended())

    # what several of them do

    def _do(self, *effects: Effect) -> None:
        self._effects += effects

    def _emit(self, event: ev.Event) -> None:
        self._do(Emit(event))

    def _measured(self, memory_mb: int) -> None:
        self._memory_mb = max(self._memory_mb, memory_mb)

    def _finish_init(self, at: float, status: str, error_type: str | None = None) -> float:
        """The init's duration in ms."""
        phase = "invoke" if self._running else "init"
        if status == "success" and self._runtime_ready is not None:
            self._emit(ev.InitPhaseFinished(self.environment, "function", _ms(at - self._runtime_ready)))
        duration = _ms(at - self._init_began)
        suppressed = self._running and self._init_suppressed
        self._emit(ev.InitFinished(self.environment, phase, suppressed, status, duration, error_type))
        return duration

    def _start_clock(self, now: float) -> None:
        assert self.request_id
        self._began, self._running, self._answered = now, True, None
        deadline = now + self.terms.timeout
        self._emit(ev.InvocationStarted(self.request_id, self.environment, deadline))
        self._do(SetTimer(deadline))

    def _hand_out(self, now: float) -> None:
        assert self.request_id
        self._do(AnswerNext(self.request_id, self._began + self.terms.timeout))
        self.state = State.BUSY

    def _freeze(self) -> None:
        self._do(Freeze())
        self._emit(ev.EnvironmentFrozen(self.environment))
        self.state = State.IDLE

    def _reply(self, status: str, payload: str) -> None:
        assert self.request_id
        self._answered = status
        self._do(Reply(self.request_id, status, payload, None if status == "succeeded" else "Unhandled"))

    def _die(self, ending: _Ending) -> None:
        self._ending_as = ending
        self._do(CancelTimer(), Kill())
        self.state = State.RESETTING

    def _finish_invocation(self, ending: _Ending) -> None:
        assert self.request_id
        init_duration, self._init_duration = self._init_duration, None
        self._do(CancelTimer())
        self._emit(
            ev.InvocationFinished(
                self.request_id,
                self.environment,
                ending.status,
                ending.duration_ms,
                billed_ms(self.terms, ending.duration_ms, init_duration),
                init_duration,
                self.terms.memory_size,
                self._memory_mb,
                ending.error_type,
                ending.sentence,
            )
        )
        self._do(Released())
        self.request_id, self._running, self._ending_as = None, False, None

    def _restart(self, *, suppressed: bool) -> None:
        self._init_suppressed = suppressed
        self._do(Spawn())
        self.state = State.RESTARTING

    def _reset(self, because: str) -> None:
        """There is no process any more."""
        self._init_duration = None
        self._emit(ev.EnvironmentReset(self.environment, because))
        self.state = State.RESET
        if self._retired:
            self._end(self._retired)

    def _end(self, because: str) -> None:
        self._ended_because = because
        self._do(CancelTimer())
        if self.state == State.RESET:
            self._gone()
        else:
            if self.state not in (State.STARTING, State.RESTARTING, State.FAILING, State.RESETTING):
                self._do(Kill())  # otherwise there is no process yet, or it is dying already
            self.state = State.ENDING

    def _timed_out(self, now: float) -> str:
        message = f"Task timed out after {self.terms.timeout}.00 seconds"
        if self.terms.dialect == "classic":
            return f"{iso_time(now)} {self.request_id} {message}"
        return f"RequestId: {self.request_id} Error: {message}"


_LATE = frozenset(
    {
        (state, RuntimeInitDone)
        for state in (State.FAILING, State.RESETTING, State.ENDING, State.RESPONDED, State.IDLE, State.BUSY)
    }
    | {
        (state, kind)
        for state in (State.FAILING, State.RESETTING, State.ENDING)
        for kind in (NextRequested, Responded, ResponseTooLarge, Errored, InitErrored)
    }
    | {(state, kind) for state in (State.ENDING, State.ENDED) for kind in (Retire, End)}
)
"""What a process does in the moment between its end being decided and its death; and a frame that only a function's
own output can have forged (RuntimeInitDone after the init)."""


def billed_ms(terms: Terms, duration_ms: float, init_duration_ms: float | None) -> int:
    """Billed Duration: since August 2025 it includes the init; before, it did not, and was capped at the timeout."""
    if terms.dialect == "classic":
        return min(math.ceil(duration_ms), terms.timeout * 1000)
    return math.ceil(round(duration_ms + (init_duration_ms or 0.0), 2))


def iso_time(seconds: float) -> str:
    return datetime.fromtimestamp(seconds, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def _ms(seconds: float) -> float:
    return round(seconds * 1000, 2)


def _timed_out_body(dialect: str, sentence: str) -> str:
    """What the caller reads; the classic dialect has no error type."""
    if dialect == "classic":
        return _body(errorMessage=sentence)
    return _body(errorType="Sandbox.Timedout", errorMessage=sentence)


def _body(**fields: str) -> str:
    return json.dumps(fields, separators=(",", ":"))
