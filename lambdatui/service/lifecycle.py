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

and from anywhere -> ending -> ended. Failing, resetting and ending last until every process is gone: those of runtime
and extensions, which are counted in a :class:`Crew`. The rules are those of "Lambda execution environment lifecycle" in
the developer guide and of the open runtime interface emulator (`rapid/`).
"""

from __future__ import annotations

import json
import math
from collections.abc import Callable
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Any, TypeAlias

from lambdatui import events as ev
from lambdatui.events import iso_time
from lambdatui.service.crew import MAX_EXTENSIONS, Crew, Presence
from lambdatui.service.effects import (
    AnswerNext,
    CancelTimer,
    Effect,
    Emit,
    Ended,
    Freeze,
    Kill,
    KillExtensions,
    KillRuntime,
    Released,
    Reply,
    Send,
    SendShutdown,
    SetTimer,
    Spawn,
    SpawnExtensions,
    Terminate,
    Thaw,
)
from lambdatui.service.inputs import (
    EXIT_ERROR,
    OUT_OF_MEMORY,
    End,
    Errored,
    Exited,
    ExtensionErred,
    ExtensionExited,
    ExtensionNextRequested,
    ExtensionNotLaunched,
    ExtensionRegistered,
    ExtensionStarted,
    InitErrored,
    Input,
    Invoke,
    NextRequested,
    ProcessStarted,
    Responded,
    ResponseEnd,
    ResponsePart,
    ResponseTooLarge,
    Retire,
    RuntimeInitDone,
    ShutDown,
    TimeIsUp,
)

INIT_LIMIT = 10.0
"""Seconds that the init phase of an on-demand environment may take."""


class State(StrEnum):
    STARTING = "starting"  # processes were asked for
    INIT = "init"
    FAILING = "failing"  # the init failed and not every process has died yet
    IDLE = "idle"  # frozen, waiting for an invocation
    BUSY = "busy"
    RESPONDED = "responded"  # the caller is answered, runtime and extensions have not all asked for what is next yet
    RESETTING = "resetting"  # told to die; the invocation ends with the runtime's process
    RESET = "reset"  # no process; /tmp and log stream stay
    RESTARTING = "restarting"  # processes were asked for, inside an invocation
    REINIT = "reinit"  # an init paid inside an invocation
    ENDING = "ending"  # told to die for good
    ENDED = "ended"


class IllegalInput(Exception):
    """An input that cannot happen in this state."""


@dataclass(frozen=True)
class Terms:
    """What the environment was made for. `timeout` in seconds, `memory_size` in MB; `dialect` ('current' or 'classic')
    decides how durations are billed and failures worded; `extensions` are the names of the external ones."""

    timeout: int
    memory_size: int
    dialect: str = "current"
    init_limit: float = INIT_LIMIT
    extensions: tuple[str, ...] = ()


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


_DYING = (State.FAILING, State.RESETTING, State.ENDING)
_MORTAL = tuple(state for state in State if state not in (State.ENDING, State.ENDED))


class Lifecycle:
    """The life of the execution environment `environment`. Times are seconds since the epoch."""

    def __init__(self, environment: str, terms: Terms) -> None:
        self.environment = environment
        self.terms = terms
        self.state = State.STARTING
        self.request_id: str | None = None
        """The invocation that waits for its start or is in flight."""
        self._crew = Crew(())
        self._running = False  # its clock runs
        self._began = 0.0  # since then
        self._answered: str | None = None  # its status, once the caller knows
        self._sent: list[bytes] | None = None  # of a response that is being streamed
        self._init_began = 0.0
        self._part_began = 0.0  # of the init
        self._init_suppressed = False
        self._runtime_ready = False
        self._init_failure: tuple[str, float, str | None] | None = None  # status, when, error type
        self._init_duration: float | None = None  # ms, until a REPORT has named it
        self._ending_as: _Ending | None = None  # the invocation in flight, as it will be reported
        self._invocation_died = False  # the reset is an invocation's
        self._shutdown: tuple[str, float] | None = None  # reason and deadline, until the extensions are told
        self._reset_because = ""
        self._memory_mb = 0
        self._retired: str | None = None
        self._ended_because = ""
        self._effects: list[Effect] = []

    def begin(self) -> list[Effect]:
        """The first effects of all."""
        self._spawn()
        effects, self._effects = self._effects, []
        return effects

    @property
    def running(self) -> str | None:
        """The invocation whose clock runs."""
        return self.request_id if self._running else None

    @property
    def dying(self) -> bool:
        """Its processes are on their way to their end."""
        return self.state in _DYING

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

    # starting: the external extensions first, and the runtime when all of them have registered

    def _spawn(self) -> None:
        crew = self._crew = Crew(self.terms.extensions)
        self._shutdown, self._init_failure = None, None
        if crew.extensions:
            launched = self.terms.extensions[:MAX_EXTENSIONS]
            for name in launched:
                crew.extensions[name].process = Presence.ASKED
            self._do(SpawnExtensions(launched))
        else:
            self._spawn_runtime()

    def _spawn_runtime(self) -> None:
        self._crew.runtime, self._crew.runtime_asked = Presence.ASKED, True
        self._do(Spawn())

    @_on((State.STARTING, State.RESTARTING), ProcessStarted)
    def _runtime_starts_first(self, now: float, given: ProcessStarted) -> None:
        self._begin_init(now)
        self._extension_init_is_over(now)
        self._runtime_starts(now, given)

    @_on((State.INIT, State.REINIT), ProcessStarted)
    def _runtime_starts(self, now: float, _: ProcessStarted) -> None:
        self._crew.runtime = Presence.RUNNING

    @_on((State.STARTING, State.RESTARTING), ExtensionStarted)
    def _extension_starts_first(self, now: float, given: ExtensionStarted) -> None:
        self._begin_init(now)
        self._extension_starts(now, given)

    @_on((State.INIT, State.REINIT), ExtensionStarted)
    def _extension_starts(self, now: float, given: ExtensionStarted) -> None:
        self._crew.extensions[given.name].process = Presence.RUNNING
        too_many = self.terms.extensions[MAX_EXTENSIONS:]
        if too_many and given.name == self.terms.extensions[MAX_EXTENSIONS - 1]:
            reason = f"Extension limit ({MAX_EXTENSIONS}) reached"
            self._extension_is_not_launched(now, ExtensionNotLaunched(too_many[0], reason, "TooManyExtensions"))
        else:
            self._start_runtime_in_turn(now)

    @_on((State.STARTING, State.RESTARTING, State.INIT, State.REINIT), ExtensionRegistered)
    def _extension_registers(self, now: float, given: ExtensionRegistered) -> None:
        self._crew.register(given.name, given.external, given.events)
        self._start_runtime_in_turn(now)

    def _start_runtime_in_turn(self, now: float) -> None:
        if self._crew.may_start_runtime:
            self._extension_init_is_over(now)
            self._spawn_runtime()

    # init: in its own phase, or inside an invocation, for one that failed or was undone by a reset

    def _begin_init(self, now: float) -> None:
        self._init_began, self._part_began, self._runtime_ready = now, now, False
        if self.state == State.STARTING:
            self._emit(ev.InitStarted(self.environment, "init", False, None))
            self._do(SetTimer(now + self.terms.init_limit))
            self.state = State.INIT
        else:
            self._emit(ev.InitStarted(self.environment, "invoke", self._init_suppressed, self.request_id))
            self._start_clock(now)
            self.state = State.REINIT

    def _extension_init_is_over(self, now: float) -> None:
        self._part_is_over(now, "extension")

    @_on((State.INIT, State.REINIT), RuntimeInitDone)
    def _runtime_is_ready(self, now: float, _: RuntimeInitDone) -> None:
        if not self._runtime_ready:
            self._runtime_ready = True
            self._part_is_over(now, "runtime")

    @_on((State.INIT, State.REINIT), NextRequested)
    def _runtime_arrives(self, now: float, given: NextRequested) -> None:
        self._measured(given.memory_mb)
        self._crew.runtime_at_next = True
        if self._runtime_ready:
            self._part_is_over(now, "function")
        self._init_may_be_over(now)

    @_on((State.STARTING, State.RESTARTING, State.INIT, State.REINIT), ExtensionNextRequested)
    def _extension_arrives(self, now: float, given: ExtensionNextRequested) -> None:
        self._measured(given.memory_mb)
        self._crew.arrive(given.name)
        self._init_may_be_over(now)

    def _init_may_be_over(self, now: float) -> None:
        if not self._crew.at_next:
            return
        if self._running and now >= self._began + self.terms.timeout:  # only the timer is late
            self._reinit_takes_too_long(now, TimeIsUp(0))
            return
        duration = self._finish_init(now, "success")
        if self.state == State.REINIT:
            self._hand_out(self._began)
            return
        self._init_duration = duration
        self._do(CancelTimer())
        if self.request_id:
            self._start_clock(now)
            self._hand_out(self._began)
        else:
            self._freeze()
            self._do(Released())

    @_on(State.INIT, InitErrored)
    def _init_fails(self, now: float, given: InitErrored) -> None:
        self._fail_init(now, "error", self._crew.fatal or given.error_type)

    @_on(State.INIT, TimeIsUp)
    def _init_takes_too_long(self, now: float, given: TimeIsUp) -> None:
        self._measured(given.memory_mb)
        self._fail_init(now, "timeout", None)

    @_on(State.INIT, Exited)
    def _exit_in_init(self, now: float, given: Exited) -> None:
        self._runtime_left(given)
        self._fail_init(now, "error", self._crew.fatal or given.error_type)

    def _fail_init(self, now: float, status: str, error_type: str | None) -> None:
        """It is tried once more, inside the invocation that waits for it."""
        self._init_failure = (status, now, error_type)
        self._shut_down(now, "timeout" if status == "timeout" else "failure", State.FAILING)

    @_on(State.REINIT, InitErrored)
    def _reinit_fails(self, now: float, given: InitErrored) -> None:
        error_type = self._crew.fatal or given.error_type
        self._finish_init(now, "error", error_type)
        self._reply("failed", given.body)
        self._die(now, _Ending("failed", _ms(now - self._began), error_type, None))

    @_on(State.REINIT, TimeIsUp)
    def _reinit_takes_too_long(self, now: float, given: TimeIsUp) -> None:
        self._finish_init(now, "timeout")
        self._timeout(now, given)

    @_on(State.REINIT, Exited)
    def _exit_in_reinit(self, now: float, given: Exited) -> None:
        self._runtime_left(given)
        self._finish_init(now, "error", self._crew.fatal or given.error_type)
        self._fail(now, given.reason, given.error_type)

    @_on((State.STARTING, State.RESTARTING), Exited)
    def _cannot_start(self, now: float, given: Exited) -> None:
        self._begin_init(now)
        self._extension_init_is_over(now)
        (self._exit_in_init if self.state == State.INIT else self._exit_in_reinit)(now, given)

    # invocations

    @_on(State.RESET, Invoke)
    def _invoke_after_reset(self, now: float, given: Invoke) -> None:
        self.request_id = given.request_id
        self._restart(suppressed=True)

    @_on((State.STARTING, State.INIT, State.RESETTING), Invoke)
    def _invoke_when_ready(self, now: float, given: Invoke) -> None:
        if self.request_id:
            raise IllegalInput("an environment handles one invocation at a time")
        self.request_id = given.request_id

    @_on(State.IDLE, Invoke)
    def _invoke_warm(self, now: float, given: Invoke) -> None:
        self.request_id = given.request_id
        self._do(Thaw())  # first of all: the function is at work while the rest is written down
        self._hand_out(now)
        self._emit(ev.EnvironmentThawed(self.environment))
        self._start_clock(now)

    @_on(State.BUSY, Responded)
    def _respond(self, now: float, given: Responded) -> None:
        self._answer(now, "succeeded", given.body)

    @_on(State.BUSY, ResponsePart)
    def _stream(self, now: float, given: ResponsePart) -> None:
        assert self.request_id
        if self._sent is None:
            self._sent = []
            self._emit(ev.InvocationStreamed(self.request_id))
        self._sent.append(given.data)
        self._do(Send(self.request_id, given.data))

    @_on(State.BUSY, ResponseEnd)
    def _end_stream(self, now: float, given: ResponseEnd) -> None:
        """A failure in the middle of a stream is told to the caller and still counts as a success ("Building a custom
        runtime for AWS Lambda")."""
        self._sent = self._sent or []
        self._answer(now, "succeeded", given.error_body, given.error_type)

    @_on(State.BUSY, Errored)
    def _report_error(self, now: float, given: Errored) -> None:
        self._answer(now, "failed", given.body)

    @_on(State.BUSY, ResponseTooLarge)
    def _refuse_response(self, now: float, given: ResponseTooLarge) -> None:
        message = f"Response payload size exceeded maximum allowed payload size ({given.limit} bytes)."
        self._answer(now, "failed", _body(errorMessage=message, errorType="Function.ResponseSizeTooLarge"))

    def _answer(self, now: float, status: str, payload: str, error_type: str | None = None) -> None:
        """Unless the deadline has passed already, and only the timer is late."""
        if now >= self._began + self.terms.timeout:
            self._timeout(now, TimeIsUp(0))
        else:
            self._reply(status, payload, error_type)
            self.state = State.RESPONDED

    @_on(State.RESPONDED, NextRequested)
    def _runtime_is_back(self, now: float, given: NextRequested) -> None:
        self._measured(given.memory_mb)
        self._crew.runtime_at_next = True
        self._invocation_may_be_over(now)

    @_on((State.BUSY, State.RESPONDED), ExtensionNextRequested)
    def _extension_is_back(self, now: float, given: ExtensionNextRequested) -> None:
        self._measured(given.memory_mb)
        self._crew.arrive(given.name)
        self._invocation_may_be_over(now)

    def _invocation_may_be_over(self, now: float) -> None:
        """The caller may have been answered long ago: the extensions' work counts as well."""
        if not self._crew.at_next:
            return
        assert self._answered
        self._finish_invocation(_Ending(self._answered, _ms(now - self._began), None, None))
        self._do(Released())
        if self._retired:
            self._end(now, self._retired)
        else:
            self._freeze()

    @_on((State.BUSY, State.RESPONDED), TimeIsUp)
    def _timeout(self, now: float, given: TimeIsUp) -> None:
        self._measured(given.memory_mb)
        sentence = self._timed_out(now)
        if not self._answered:
            self._reply("timed_out", _timed_out_body(self.terms.dialect, sentence))
        self._die(now, _Ending("timed_out", float(self.terms.timeout * 1000), None, sentence))

    @_on((State.BUSY, State.RESPONDED), Exited)
    def _exit_in_invocation(self, now: float, given: Exited) -> None:
        self._runtime_left(given)
        self._fail(now, given.reason, given.error_type)

    def _fail(self, now: float, reason: str, error_type: str) -> None:
        """A process ended while an invocation was in flight."""
        error_type = self._crew.fatal or error_type
        sentence = f"RequestId: {self.request_id} Error: {reason}"
        if not self._answered:
            self._reply("failed", _body(errorType=error_type, errorMessage=sentence))
        self._die(now, _Ending("failed", _ms(now - self._began), error_type, sentence))

    @_on(State.IDLE, Exited)
    def _exit_while_idle(self, now: float, given: Exited) -> None:
        self._runtime_left(given)
        self._shut_down(now, "failure", State.RESETTING)

    # extensions that fail

    @_on(tuple(State), ExtensionErred)
    def _extension_errs(self, now: float, given: ExtensionErred) -> None:
        self._crew.blame(given.name, given.call, given.error_type)

    @_on((State.STARTING, State.RESTARTING), ExtensionNotLaunched)
    def _first_extension_is_not_launched(self, now: float, given: ExtensionNotLaunched) -> None:
        self._begin_init(now)
        self._extension_is_not_launched(now, given)

    @_on((State.INIT, State.REINIT), ExtensionNotLaunched)
    def _extension_is_not_launched(self, now: float, given: ExtensionNotLaunched) -> None:
        self._crew.cannot_launch(given.name, given.error_type)
        self._extension_failed(now, given.name, given.reason, "Extension.LaunchError")

    @_on(
        (State.INIT, State.REINIT, State.BUSY, State.RESPONDED, State.IDLE),
        ExtensionExited,
    )
    def _extension_exits(self, now: float, given: ExtensionExited) -> None:
        self._measured(given.memory_mb)
        self._extension_failed(now, given.name, given.reason, "Extension.Crash")

    def _extension_failed(self, now: float, name: str, reason: str, error_type: str) -> None:
        self._crew.leave(name)
        if self.state == State.INIT:
            self._fail_init(now, "error", self._crew.fatal or error_type)
        elif self.state == State.IDLE:
            self._shut_down(now, "failure", State.RESETTING)
        else:
            if self.state == State.REINIT:
                self._finish_init(now, "error", self._crew.fatal or error_type)
            self._fail(now, reason, error_type)

    # the end of processes: of all at once, or phase by phase where there are extensions

    def _shut_down(self, now: float, reason: str, state: State) -> None:
        """What is to follow in `state` follows when nobody is left."""
        crew, self.state, self._reset_because = self._crew, state, reason
        self._do(CancelTimer())
        if not crew.budget:
            if crew.runtime == Presence.RUNNING:
                self._do(Kill())
        elif crew.alive:
            self._shutdown = reason, now + crew.budget
            self._emit(ev.EnvironmentShutdown(self.environment, reason))
            self._do(Thaw())
            if crew.runtime == Presence.RUNNING:
                self._do(Terminate(), SetTimer(now + crew.runtime_budget))
        self._somebody_is_gone(now)

    def _somebody_is_gone(self, now: float) -> None:
        if self._crew.runtime == Presence.ABSENT:
            self._runtime_is_gone(now)
            if self._crew.alive:
                self._shut_down_extensions()
        if not self._crew.alive:
            self._nobody_is_left(now)

    def _runtime_is_gone(self, now: float) -> None:
        """All that the function printed is written: what ends with it ends now."""
        if self._init_failure:
            status, at, error_type = self._init_failure
            self._init_failure = None
            self._finish_init(at, status, error_type)
        if failure := self._ending_as:
            if failure.status == "timed_out" and self.terms.dialect == "classic":
                failure = replace(failure, duration_ms=_ms(now - self._began))
            self._ending_as, self._invocation_died = None, True
            self._finish_invocation(failure)

    def _shut_down_extensions(self) -> None:
        if self._shutdown:
            reason, deadline = self._shutdown
            self._shutdown = None
            if ignorant := self._crew.running(told=False):
                self._do(KillExtensions(ignorant))
            if told := self._crew.running(told=True):
                self._do(SendShutdown(told, reason, deadline), SetTimer(deadline))

    @_on(_DYING, TimeIsUp)
    def _shutdown_takes_too_long(self, now: float, given: TimeIsUp) -> None:
        self._do(KillRuntime() if self._crew.runtime == Presence.RUNNING else Kill())

    @_on(_DYING, ProcessStarted)
    def _runtime_starts_in_vain(self, now: float, given: ProcessStarted) -> None:
        self._crew.runtime = Presence.RUNNING
        self._do(KillRuntime())

    @_on(_DYING, ExtensionStarted)
    def _extension_starts_in_vain(self, now: float, given: ExtensionStarted) -> None:
        self._crew.extensions[given.name].process = Presence.RUNNING
        self._do(KillExtensions((given.name,)))

    @_on(_DYING, Exited)
    def _runtime_has_died(self, now: float, given: Exited) -> None:
        self._runtime_left(given)
        self._somebody_is_gone(now)

    @_on(_DYING, ExtensionExited)
    def _extension_has_died(self, now: float, given: ExtensionExited) -> None:
        self._measured(given.memory_mb)
        self._crew.leave(given.name)
        self._somebody_is_gone(now)

    @_on(_DYING, ExtensionNotLaunched)
    def _extension_never_lived(self, now: float, given: ExtensionNotLaunched) -> None:
        self._crew.leave(given.name)
        self._somebody_is_gone(now)

    def _nobody_is_left(self, now: float) -> None:
        if self._crew.budget:
            self._do(CancelTimer())
        if self.state == State.ENDING:
            self._gone()
        elif self.state == State.FAILING and self.request_id:
            self._restart(suppressed=False)
        else:
            if self._invocation_died or self.state == State.FAILING:
                self._invocation_died = False
                self._do(Released())
            self._reset(now, self._reset_because)

    # the end

    @_on(_MORTAL, Retire)
    def _retire(self, now: float, given: Retire) -> None:
        if self.request_id:
            if not self._retired:
                self._emit(ev.EnvironmentRetired(self.environment, given.because))
            self._retired = given.because
        else:
            self._end(now, given.because)

    @_on(_MORTAL, ShutDown)
    def _shut_down_for_good(self, now: float, given: ShutDown) -> None:
        self._end(now, given.because)

    def _end(self, now: float, because: str) -> None:
        self._ended_because = because
        if self.state == State.RESET:
            self._gone()
        elif self.state in (State.FAILING, State.RESETTING):
            self.state = State.ENDING  # they are on their way already
        else:
            self._shut_down(now, "spindown", State.ENDING)

    @_on((*_MORTAL, State.ENDING), End)
    def _end_now(self, now: float, given: End) -> None:
        if self.state != State.ENDING:
            self._ended_because = given.because
        self.request_id, self._running, self._shutdown = None, False, None
        self._init_failure = self._ending_as = None
        self.state = State.ENDING
        self._do(CancelTimer())
        if self._crew.alive:
            self._do(Kill())
        else:
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

    def _runtime_left(self, given: Exited) -> None:
        self._measured(given.memory_mb)
        self._crew.runtime = Presence.ABSENT

    def _part_is_over(self, now: float, part: str) -> None:
        self._emit(ev.InitPhaseFinished(self.environment, part, _ms(now - self._part_began)))
        self._part_began = now

    def _finish_init(self, at: float, status: str, error_type: str | None = None) -> float:
        """The init's duration in ms."""
        phase = "invoke" if self._running else "init"
        for extension in self._crew:
            self._emit(extension.fact(self.environment))
        duration = _ms(at - self._init_began)
        suppressed = self._running and self._init_suppressed
        self._emit(ev.InitFinished(self.environment, phase, suppressed, status, duration, error_type))
        return duration

    def _start_clock(self, now: float) -> None:
        assert self.request_id
        self._began, self._running, self._answered, self._sent = now, True, None, None
        deadline = now + self.terms.timeout
        self._emit(ev.InvocationStarted(self.request_id, self.environment, deadline))
        self._do(SetTimer(deadline))

    def _hand_out(self, began: float) -> None:
        assert self.request_id
        self._do(AnswerNext(self.request_id, began + self.terms.timeout, self._crew.depart()))
        self.state = State.BUSY

    def _freeze(self) -> None:
        self._do(Freeze())
        self._emit(ev.EnvironmentFrozen(self.environment))
        self.state = State.IDLE

    def _reply(self, status: str, payload: str, error_type: str | None = None) -> None:
        """With a whole response or an error; after what was streamed already, the error is told apart from it."""
        assert self.request_id
        self._answered = status
        error = None if status == "succeeded" else "Unhandled"
        if self._sent is None:
            self._do(Reply(self.request_id, status, payload, error))
            return
        if status != "succeeded":
            error_type = _error_type_in(payload)
        details = payload if error_type else None
        sent = b"".join(self._sent).decode(errors="replace")
        self._do(Reply(self.request_id, status, sent, error, error_type, details))

    def _die(self, now: float, ending: _Ending) -> None:
        self._ending_as = ending
        self._shut_down(now, "timeout" if ending.status == "timed_out" else "failure", State.RESETTING)

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
        self.request_id, self._running = None, False

    def _restart(self, *, suppressed: bool) -> None:
        self._init_suppressed = suppressed
        self.state = State.RESTARTING
        self._spawn()

    def _reset(self, now: float, because: str) -> None:
        """There is no process any more."""
        self._init_duration = None
        self._emit(ev.EnvironmentReset(self.environment, because))
        self.state = State.RESET
        if self.request_id:
            self._restart(suppressed=True)
        elif self._retired:
            self._end(now, self._retired)

    def _timed_out(self, now: float) -> str:
        message = f"Task timed out after {self.terms.timeout}.00 seconds"
        if self.terms.dialect == "classic":
            return f"{iso_time(now)} {self.request_id} {message}"
        return f"RequestId: {self.request_id} Error: {message}"


_LATE = frozenset(
    {(state, RuntimeInitDone) for state in (*_DYING, State.RESPONDED, State.IDLE, State.BUSY)}
    | {
        (state, kind)
        for state in _DYING
        for kind in (
            NextRequested,
            Responded,
            ResponseTooLarge,
            ResponsePart,
            ResponseEnd,
            Errored,
            InitErrored,
            ExtensionRegistered,
            ExtensionNextRequested,
        )
    }
    | {(state, kind) for state in (State.ENDING, State.ENDED) for kind in (Retire, ShutDown)}
    | {(State.ENDED, End)}
)
"""What a process does in the moment between its end being decided and its death; and a frame that only a function's
own output can have forged (RuntimeInitDone after the init)."""


def billed_ms(terms: Terms, duration_ms: float, init_duration_ms: float | None) -> int:
    """Billed Duration: since August 2025 it includes the init; before, it did not, and was capped at the timeout. It
    is in accord with what the REPORT line shows, two decimals."""
    shown_ms, shown_init_ms = round(duration_ms, 2), round(init_duration_ms or 0.0, 2)
    if terms.dialect == "classic":
        return min(math.ceil(shown_ms), terms.timeout * 1000)
    return math.ceil(round(shown_ms + shown_init_ms, 2))


def _ms(seconds: float) -> float:
    """With three decimals, as the JSON log format has it; the text format shows two."""
    return round(seconds * 1000, 3)


def _timed_out_body(dialect: str, sentence: str) -> str:
    """What the caller reads; the classic dialect has no error type."""
    if dialect == "classic":
        return _body(errorMessage=sentence)
    return _body(errorType="Sandbox.Timedout", errorMessage=sentence)


def _body(**fields: str) -> str:
    return json.dumps(fields, separators=(",", ":"))


def _error_type_in(body: str) -> str:
    """Of an error that the service itself words; a timeout's has none in the classic dialect."""
    return str(json.loads(body).get("errorType", "Sandbox.Timedout"))
