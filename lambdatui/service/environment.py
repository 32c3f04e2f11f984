"""Carries out what a lifecycle decides: processes, timer, and the APIs that they talk to. Decides nothing."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Coroutine, Iterable
from dataclasses import dataclass, replace
from functools import partial

from lambdatui import events as ev
from lambdatui.events import Json, iso_time
from lambdatui.sandbox.capture import Line, Output, RuntimeReady
from lambdatui.sandbox.limits import TASKS, Breach, Watch
from lambdatui.sandbox.process import Exit, Process
from lambdatui.service import effects as do
from lambdatui.service import inputs
from lambdatui.service import lifecycle as lc
from lambdatui.service.extensions_api import ExtensionsApi, Registration
from lambdatui.service.platform_records import PlatformRecord
from lambdatui.service.runtime_api import NextInvocation, RuntimeApi
from lambdatui.service.telemetry import Kind, Subscription, Telemetry
from lambdatui.service.telemetry_api import TelemetryApi

Spawn = Callable[[str | None, str, Callable[[list[Output]], None], Callable[[Exit], None]], Awaitable[Process]]
"""Starts the process of the extension of this name, or of the runtime (None), for the APIs at an address; raises
OSError."""

_LONGEST_TURN = 1.0
"""Seconds after which a start that takes its time, an extension's or a bootstrap's, keeps no other function waiting."""

_ERROR_TYPES: dict[Breach | None, str] = {Breach.MEMORY: inputs.OUT_OF_MEMORY}
"""By the limit for which a process was killed."""


@dataclass(frozen=True)
class Host:
    """What an environment needs of the service around it. `starts` limits how many runtimes start at once, so that
    each init is as long as it would be alone; `clock` gives seconds since the epoch and never jumps; `address` is what
    sandbox.localdomain means in the environment."""

    address: str
    registration: Registration
    clock: Callable[[], float]
    starts: asyncio.Semaphore
    spawn: Spawn
    watch: Watch
    excess_mb: Callable[[], int]
    """By how much /tmp holds more than it may, where that cannot be prevented."""
    emit: Callable[[ev.Event], None]
    wrote: Callable[[str | None, tuple[Line, ...]], None]
    """Log events that were printed, and during which invocation."""
    sent: Callable[[str, bytes], None]
    """Of a response that is streamed."""
    replied: Callable[[str], None]
    released: Callable[[], None]
    ended: Callable[[], None]


class Environment:
    """One execution environment, from its creation to its end."""

    def __init__(self, name: str, terms: lc.Terms, host: Host) -> None:
        self.name = name
        self._host = host
        self._lifecycle = lc.Lifecycle(name, terms)
        self._extensions_api = ExtensionsApi(self, host.registration)
        self._telemetry = Telemetry(host.address)
        telemetry_api = TelemetryApi(self._extensions_api, self._telemetry, self._telemetry_subscribed)
        self._api = RuntimeApi(self, self._extensions_api.handle, telemetry_api.handle)
        self._runtime: Process | None = None
        self._extensions: dict[str, Process] = {}
        self._invocation: NextInvocation | None = None
        self._timer: asyncio.TimerHandle | None = None
        self._starting: set[asyncio.Task[None]] = set()
        self._closing: asyncio.Task[None] | None = None
        self._listening = False
        self._holds_start = False
        self._turn_ends: asyncio.TimerHandle | None = None
        self._excess_told = False

    @property
    def quiet(self) -> bool:
        """Nothing happens here until the next invocation."""
        return self._lifecycle.state in (lc.State.IDLE, lc.State.RESET, lc.State.ENDED)

    @property
    def ending(self) -> bool:
        """It is about to be gone."""
        return self._lifecycle.state in (lc.State.ENDING, lc.State.ENDED)

    @property
    def pids(self) -> dict[str, list[int]]:
        """Of the processes that there are now: the runtime's by '', those of external extensions by their names."""
        of = {"": self._runtime, **self._extensions}
        return {name: process.pids for name, process in of.items() if process}

    def begin(self, invocation: NextInvocation | None = None) -> None:
        """Come into being, for this invocation or ahead of any."""
        self._carry_out(self._lifecycle.begin())
        if invocation:
            self.invoke(invocation)

    def invoke(self, invocation: NextInvocation) -> None:
        """Its deadline is set when its clock starts."""
        self._invocation = invocation
        self._take(inputs.Invoke(invocation.request_id))

    def retire(self, because: str) -> None:
        self._take(inputs.Retire(because))

    def shut_down(self, because: str) -> None:
        """End; extensions get their time to notice it."""
        self._take(inputs.ShutDown(because))

    def end(self, because: str) -> None:
        """End at once, whatever is going on."""
        self._take(inputs.End(because))

    # what the Runtime API hears (a runtime_api.Listener); all that was printed before comes before it in the log

    def runtime_next(self) -> None:
        self._extensions_api.close_registration()
        self._drain(flush=True)
        self._start_is_over()
        self._take(inputs.NextRequested(self._memory_mb()))

    def runtime_response(self, request_id: str, body: bytes) -> None:
        self._drain()
        self._take(inputs.Responded(body.decode(errors="replace")))

    def runtime_response_too_large(self, request_id: str, limit: int) -> None:
        self._drain()
        self._take(inputs.ResponseTooLarge(limit))

    def runtime_response_part(self, request_id: str, data: bytes) -> None:
        self._drain()
        self._take(inputs.ResponsePart(data))

    def runtime_response_end(self, request_id: str, error_type: str | None, error_body: bytes) -> None:
        self._drain()
        self._take(inputs.ResponseEnd(error_type, error_body.decode(errors="replace")))

    def runtime_error(self, request_id: str, error_type: str, body: bytes) -> None:
        self._drain()
        self._take(inputs.Errored(body.decode(errors="replace")))

    def runtime_init_error(self, error_type: str, body: bytes) -> None:
        self._drain(flush=True)
        self._take(inputs.InitErrored(error_type, body.decode(errors="replace")))

    # what the Extensions API hears (an extensions_api.Listener)

    def extension_registered(self, name: str, external: bool, events: tuple[str, ...]) -> None:
        self._take(inputs.ExtensionRegistered(name, external, events))

    def extension_next(self, name: str) -> None:
        if name in self._extensions:
            self._extensions[name].drain(flush=True)
        self._take(inputs.ExtensionNextRequested(name, self._memory_mb()))

    def extension_error(self, name: str, call: str, error_type: str) -> None:
        self._take(inputs.ExtensionErred(name, call, error_type))

    def tell(self, record: PlatformRecord) -> None:
        """Those who subscribed to it hear of this record."""
        if self._telemetry.listens:
            self._telemetry.tell("platform", record.to_json())

    def _telemetry_subscribed(self, subscription: Subscription) -> None:
        self._host.emit(ev.TelemetrySubscribed(self.name, subscription.name, subscription.kinds))

    # what the processes say

    def _printed(self, outputs: list[Output]) -> None:
        lines: list[Line] = []
        for output in outputs:
            if isinstance(output, Line):
                lines.append(output)
            else:
                self._write("function", lines)
                self._runtime_ready(output)
        self._write("function", lines)

    def _extension_printed(self, outputs: list[Output]) -> None:
        self._write("extension", [output for output in outputs if isinstance(output, Line)])

    def _write(self, source: Kind, lines: list[Line]) -> None:
        if lines:
            self._host.wrote(self._lifecycle.running, tuple(lines))
            if self._telemetry.listens:
                time = iso_time(self._host.clock())
                for line in lines:
                    self._telemetry.tell(source, {"time": time, "type": source, "record": line.text})
            lines.clear()

    def _runtime_ready(self, _: RuntimeReady) -> None:
        self._start_is_over()
        self._take(inputs.RuntimeInitDone())

    def _exited(self, how: Exit) -> None:
        self._runtime = None
        if how.breach == Breach.TASKS:
            self._notice(f"was ended: it had more than {TASKS:,} processes and threads")
        self._process_is_gone()
        self._take(inputs.Exited(str(how), how.max_memory_mb, _ERROR_TYPES.get(how.breach, inputs.EXIT_ERROR)))

    def _extension_exited(self, name: str, how: Exit) -> None:
        del self._extensions[name]
        self._process_is_gone()
        self._take(inputs.ExtensionExited(name, how.cause, how.max_memory_mb))

    def _process_is_gone(self) -> None:
        self._start_is_over()
        if not self._processes:
            self._api.reset()
            self._telemetry.begin()

    # effects

    def _take(self, given: inputs.Input) -> None:
        self._carry_out(self._lifecycle.handle(self._host.clock(), given))

    def _carry_out(self, effects: list[do.Effect]) -> None:
        for effect in effects:
            match effect:
                case do.Emit(event):
                    self._host.emit(event)
                    if isinstance(event, ev.InitFinished):
                        self._telemetry.close()
                case do.Reply() as reply:
                    self._host.emit(ev.InvocationAnswered(**vars(reply)))
                    self._host.replied(reply.request_id)
                case do.Send(request_id, part):
                    self._host.sent(request_id, part)
                case do.AnswerNext(_, deadline, extensions):
                    self._answer_next(deadline, extensions)
                case do.SendShutdown(names, reason, deadline):
                    self._telemetry.flush()
                    self._extensions_api.hand_out_shutdown(names, reason, int(deadline * 1000))
                case do.SetTimer(at):
                    self._set_timer(at)
                case do.CancelTimer():
                    self._set_timer(None)
                case do.Spawn():
                    self._in_background(self._start_runtime())
                case do.SpawnExtensions(names):
                    self._in_background(self._start_extensions(names))
                case do.Freeze():
                    self._host.watch.freeze()
                    self._tell_excess()
                case do.Thaw():
                    self._host.watch.thaw()
                case do.Kill():
                    self._signal(Process.kill)
                case do.KillRuntime():
                    self._signal(Process.kill, [self._runtime])
                case do.KillExtensions(names):
                    self._signal(Process.kill, [self._extensions.get(name) for name in names])
                case do.Terminate():
                    self._signal(Process.terminate, [self._runtime])
                case do.Released():
                    self._host.released()
                case do.Ended():
                    self._closing = asyncio.create_task(self._close())

    def _in_background(self, work: Coroutine[None, None, None]) -> None:
        task = asyncio.create_task(work)
        self._starting.add(task)
        task.add_done_callback(self._starting.discard)

    async def _start_runtime(self) -> None:
        """Start the runtime when it is its turn. The turn is given up as soon as the runtime itself is up, because
        what a function's own code does then may well take its time."""
        try:
            await self._prepare_start(())
            self._runtime = await self._host.spawn(None, self._api.address, self._printed, self._exited)
        except Exception as error:
            self._take(inputs.Exited(self._not_started(error), 0, "Runtime.InvalidEntrypoint"))
        else:
            self._take(inputs.ProcessStarted())

    async def _start_extensions(self, names: tuple[str, ...]) -> None:
        """Start them one after another; the runtime, which follows, has the same turn."""
        for name in names:
            try:
                await self._prepare_start(names)
                process = await self._host.spawn(
                    name, self._api.address, self._extension_printed, partial(self._extension_exited, name)
                )
            except Exception as error:
                why = "PermissionDenied" if isinstance(error, PermissionError) else "UnknownError"
                self._take(inputs.ExtensionNotLaunched(name, self._not_started(error), why))
            else:
                self._extensions[name] = process
                self._take(inputs.ExtensionStarted(name))

    def _not_started(self, error: Exception) -> str:
        """Whatever the reason is, the turn is over."""
        self._start_is_over()
        if not isinstance(error, OSError):  # a defect of ours, and still no reason to wait for ever
            asyncio.get_running_loop().call_exception_handler({"message": "spawn failed", "exception": error})
        return error.strerror if isinstance(error, OSError) and error.strerror else str(error)

    async def _prepare_start(self, extensions: tuple[str, ...]) -> None:
        if not self._processes:
            self._extensions_api.begin(extensions)
            self._telemetry.begin()
        if not self._holds_start:
            await self._host.starts.acquire()
            self._holds_start = True
            self._turn_ends = asyncio.get_running_loop().call_later(_LONGEST_TURN, self._start_is_over)
        if not self._listening:
            await self._api.start()
            self._listening = True

    async def _close(self) -> None:
        await self._api.close()
        self._host.ended()

    def _start_is_over(self) -> None:
        if self._holds_start:
            self._holds_start = False
            self._host.starts.release()
            if self._turn_ends:
                self._turn_ends.cancel()

    def _answer_next(self, deadline: float, extensions: tuple[str, ...]) -> None:
        assert self._invocation
        invocation, self._invocation = replace(self._invocation, deadline_ms=int(deadline * 1000)), None
        self._host.watch.grant()
        self._extensions_api.hand_out_invoke(extensions, _invoke_event(invocation))
        self._api.answer_next(invocation)

    def _set_timer(self, at: float | None) -> None:
        if self._timer:
            self._timer.cancel()
            self._timer = None
        if at is not None:
            delay = max(at - self._host.clock(), 0.0)
            self._timer = asyncio.get_running_loop().call_later(delay, self._time_is_up)

    def _time_is_up(self) -> None:
        self._timer = None
        if not self._lifecycle.dying:
            self._host.watch.freeze()  # at once: the rest takes a moment in which the function would go on
            self._drain()
        self._take(inputs.TimeIsUp(self._memory_mb()))

    @property
    def _processes(self) -> list[Process]:
        return [*([self._runtime] if self._runtime else []), *self._extensions.values()]

    def _tell_excess(self) -> None:
        if not self._excess_told and (excess := self._host.excess_mb()):
            self._excess_told = True
            self._notice(f"holds {excess} MB more in /tmp than its ephemeral storage; Lambda would not have let it")

    def _notice(self, text: str) -> None:
        self._host.emit(ev.Noticed("warning", f"environment {self.name[:6]} {text}"))

    def _signal(self, what: Callable[[Process], None], processes: Iterable[Process | None] | None = None) -> None:
        """To these processes, or to all."""
        for process in self._processes if processes is None else processes:
            if process:
                what(process)

    def _drain(self, *, flush: bool = False) -> None:
        """Write what the function has printed, and the extensions, as far as they have come to a line's end."""
        if self._runtime:
            self._runtime.drain(flush)
        for process in self._extensions.values():
            process.drain()

    def _memory_mb(self) -> int:
        return self._host.watch.max_memory_mb()


def _invoke_event(invocation: NextInvocation) -> dict[str, Json]:
    event: dict[str, Json] = {
        "deadlineMs": invocation.deadline_ms,
        "requestId": invocation.request_id,
        "invokedFunctionArn": invocation.function_arn,
    }
    if invocation.trace_id:
        event["tracing"] = {"type": "X-Amzn-Trace-Id", "value": invocation.trace_id}
    return event
