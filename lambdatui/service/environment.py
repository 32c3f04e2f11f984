"""Carries out what a lifecycle decides: its process, its timer, its Runtime API. Decides nothing."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, replace

from lambdatui import events as ev
from lambdatui.sandbox.capture import Line, Output, RuntimeReady
from lambdatui.sandbox.limits import TASKS, Breach
from lambdatui.sandbox.process import Exit, Process
from lambdatui.service import lifecycle as lc
from lambdatui.service.runtime_api import MAX_RESPONSE_BYTES, NextInvocation, RuntimeApi

Spawn = Callable[[str, Callable[[list[Output]], None], Callable[[Exit], None]], Awaitable[Process]]
"""Starts the runtime's process for the Runtime API at an address; raises OSError."""

_ERROR_TYPES: dict[Breach | None, str] = {Breach.MEMORY: lc.OUT_OF_MEMORY}
"""By the limit for which a process was killed."""


@dataclass(frozen=True)
class Host:
    """What an environment needs of the service around it. `starts` limits how many runtimes start at once, so that
    each init is as long as it would be alone; `clock` gives seconds since the epoch and never jumps."""

    clock: Callable[[], float]
    starts: asyncio.Semaphore
    spawn: Spawn
    excess_mb: Callable[[], int]
    """By how much /tmp holds more than it may, where that cannot be prevented."""
    emit: Callable[[ev.Event], None]
    wrote: Callable[[str | None, tuple[str, ...]], None]
    """Log events that the function printed, and during which invocation."""
    replied: Callable[[str], None]
    released: Callable[[], None]
    ended: Callable[[], None]


class Environment:
    """One execution environment, from its creation to its end."""

    def __init__(self, name: str, terms: lc.Terms, host: Host) -> None:
        self.name = name
        self._host = host
        self._lifecycle = lc.Lifecycle(name, terms)
        self._api = RuntimeApi(self)
        self._process: Process | None = None
        self._invocation: NextInvocation | None = None
        self._timer: asyncio.TimerHandle | None = None
        self._starting: asyncio.Task[None] | None = None
        self._closing: asyncio.Task[None] | None = None
        self._listening = False
        self._holds_start = False
        self._excess_told = False

    @property
    def quiet(self) -> bool:
        """Nothing happens here until the next invocation."""
        return self._lifecycle.state in (lc.State.IDLE, lc.State.RESET, lc.State.ENDED)

    @property
    def ending(self) -> bool:
        """It is about to be gone."""
        return self._lifecycle.state in (lc.State.ENDING, lc.State.ENDED)

    def begin(self, invocation: NextInvocation | None = None) -> None:
        """Come into being, for this invocation or ahead of any."""
        self._carry_out(self._lifecycle.begin())
        if invocation:
            self.invoke(invocation)

    def invoke(self, invocation: NextInvocation) -> None:
        """Its deadline is set when its clock starts."""
        self._invocation = invocation
        self._take(lc.Invoke(invocation.request_id))

    def retire(self, because: str) -> None:
        self._take(lc.Retire(because))

    def end(self, because: str) -> None:
        self._take(lc.End(because))

    # what the Runtime API hears (a runtime_api.Listener); all that was printed before comes before it in the log

    def runtime_next(self) -> None:
        self._drain(flush=True)
        self._start_is_over()
        self._take(lc.NextRequested(self._memory_mb()))

    def runtime_response(self, request_id: str, body: bytes) -> None:
        self._drain()
        self._take(lc.Responded(body.decode(errors="replace")))

    def runtime_response_too_large(self, request_id: str, size: int) -> None:
        self._drain()
        self._take(lc.ResponseTooLarge(MAX_RESPONSE_BYTES))

    def runtime_error(self, request_id: str, error_type: str, body: bytes) -> None:
        self._drain()
        self._take(lc.Errored(body.decode(errors="replace")))

    def runtime_init_error(self, error_type: str, body: bytes) -> None:
        self._drain(flush=True)
        self._take(lc.InitErrored(error_type, body.decode(errors="replace")))

    # what the process says

    def _printed(self, outputs: list[Output]) -> None:
        lines: list[str] = []
        for output in outputs:
            if isinstance(output, Line):
                lines.append(output.text)
            else:
                self._write(lines)
                self._runtime_ready(output)
        self._write(lines)

    def _write(self, lines: list[str]) -> None:
        if lines:
            self._host.wrote(self._lifecycle.running, tuple(lines))
            lines.clear()

    def _runtime_ready(self, _: RuntimeReady) -> None:
        self._start_is_over()
        self._take(lc.RuntimeInitDone())

    def _exited(self, how: Exit) -> None:
        self._process = None
        if how.breach == Breach.TASKS:
            self._notice(f"was ended: it had more than {TASKS:,} processes and threads")
        self._api.reset()
        self._start_is_over()
        self._take(lc.Exited(str(how), how.max_memory_mb, _ERROR_TYPES.get(how.breach, lc.EXIT_ERROR)))

    # effects

    def _take(self, given: lc.Input) -> None:
        self._carry_out(self._lifecycle.handle(self._host.clock(), given))

    def _carry_out(self, effects: list[lc.Effect]) -> None:
        for effect in effects:
            match effect:
                case lc.Emit(event):
                    self._host.emit(event)
                case lc.Reply(request_id, status, payload, function_error):
                    self._host.emit(ev.InvocationAnswered(request_id, status, payload, function_error))
                    self._host.replied(request_id)
                case lc.AnswerNext(_, deadline):
                    self._answer_next(deadline)
                case lc.SetTimer(at):
                    self._set_timer(at)
                case lc.CancelTimer():
                    self._set_timer(None)
                case lc.Spawn():
                    self._starting = asyncio.create_task(self._start())
                case lc.Freeze():
                    self._signal(Process.freeze)
                    self._tell_excess()
                case lc.Thaw():
                    self._signal(Process.thaw)
                case lc.Kill():
                    self._signal(Process.kill)
                case lc.Released():
                    self._host.released()
                case lc.Ended():
                    self._closing = asyncio.create_task(self._close())

    async def _start(self) -> None:
        """Start the runtime when it is its turn. The turn is given up as soon as the runtime itself is up, because
        what a function's own code does then may well take its time."""
        await self._host.starts.acquire()
        self._holds_start = True
        try:
            if not self._listening:
                await self._api.start()
                self._listening = True
            self._process = await self._host.spawn(self._api.address, self._printed, self._exited)
        except Exception as error:
            self._start_is_over()
            if not isinstance(error, OSError):  # a defect of ours, and still no reason to wait for ever
                asyncio.get_running_loop().call_exception_handler({"message": "spawn failed", "exception": error})
            reason = error.strerror if isinstance(error, OSError) and error.strerror else str(error)
            self._take(lc.Exited(reason, 0, "Runtime.InvalidEntrypoint"))
        else:
            self._take(lc.ProcessStarted())

    async def _close(self) -> None:
        await self._api.close()
        self._host.ended()

    def _start_is_over(self) -> None:
        if self._holds_start:
            self._holds_start = False
            self._host.starts.release()

    def _answer_next(self, deadline: float) -> None:
        assert self._invocation
        self._signal(Process.grant)
        self._api.answer_next(replace(self._invocation, deadline_ms=int(deadline * 1000)))
        self._invocation = None

    def _set_timer(self, at: float | None) -> None:
        if self._timer:
            self._timer.cancel()
            self._timer = None
        if at is not None:
            delay = max(at - self._host.clock(), 0.0)
            self._timer = asyncio.get_running_loop().call_later(delay, self._time_is_up)

    def _time_is_up(self) -> None:
        self._timer = None
        self._signal(Process.freeze)  # at once: the rest takes a moment in which the function would go on
        self._drain()
        self._take(lc.TimeIsUp(self._memory_mb()))

    def _tell_excess(self) -> None:
        if not self._excess_told and (excess := self._host.excess_mb()):
            self._excess_told = True
            self._notice(f"holds {excess} MB more in /tmp than its ephemeral storage; Lambda would not have let it")

    def _notice(self, text: str) -> None:
        self._host.emit(ev.Noticed("warning", f"environment {self.name[:6]} {text}"))

    def _signal(self, what: Callable[[Process], None]) -> None:
        if self._process:
            what(self._process)

    def _drain(self, *, flush: bool = False) -> None:
        if self._process:
            self._process.drain(flush)

    def _memory_mb(self) -> int:
        return self._process.max_memory_mb() if self._process else 0
