"""Lambda, as far as this laboratory has it: functions, and their invocation in execution environments."""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import resource
import secrets
import shutil
import time
import uuid
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TypeAlias

from lambdatui import events as ev
from lambdatui.events import Json
from lambdatui.function import Code, Configuration, InvalidParameter
from lambdatui.journal import Journal
from lambdatui.sandbox.capture import Output
from lambdatui.sandbox.guardian import Guardian
from lambdatui.sandbox.process import Exit, Process
from lambdatui.sandbox.sandbox import Place, Program, Sandbox, choose
from lambdatui.service import logs
from lambdatui.service.deployments import Deployments, Revision
from lambdatui.service.environment import Environment, Host
from lambdatui.service.lifecycle import Terms
from lambdatui.service.runtime_api import NextInvocation
from lambdatui.service.scheduler import Reuse, Scheduler, Throttle
from lambdatui.service.variables import Credentials, function_variables

_OnOutput: TypeAlias = Callable[[list[Output]], None]
_OnExit: TypeAlias = Callable[[Exit], None]

ACCOUNT_ID = "000000000000"
MAX_PAYLOAD_BYTES = 6 * 2**20
"""Of a synchronous invocation ("Lambda quotas")."""


@dataclass(frozen=True)
class Settings:
    """Of a laboratory. `log_dialect` is 'current' or 'classic'; `idle_timeout` the seconds after which an idle
    environment is reclaimed, which the real service does not document."""

    region: str = "us-east-1"
    log_dialect: str = "current"
    concurrent_executions: int = 1000
    idle_timeout: float = 300.0


class LaboratoryCleared(Exception):
    """The functions were removed while an invocation was in flight."""


@dataclass
class _Place:
    """What the service knows of an environment: whose it is, its log, its folders."""

    environment: Environment
    revision: Revision
    log: logs.PlatformLog
    log_group: str
    log_stream: str
    folders: Place


async def open_service(settings: Settings, journal: Journal) -> Service:
    """A laboratory without functions. Whoever opens it closes it."""
    _raise_limit_on_open_files()
    guardian = Guardian.start()
    try:
        return Service(settings, journal, guardian, await choose())
    except BaseException:
        guardian.close()
        raise


class Service:
    """The face of the laboratory; states in `journal` all that happens."""

    name = "local"

    def __init__(self, settings: Settings, journal: Journal, guardian: Guardian, sandbox: Sandbox) -> None:
        self.journal = journal
        self.folder = guardian.folder
        """The laboratory's own, which is gone when it is; only its user can look into it."""
        self._settings = settings
        self._guardian = guardian
        self._sandbox = sandbox
        self._credentials = Credentials.generate()
        arn = f"arn:aws:lambda:{settings.region}:{ACCOUNT_ID}:function:"
        self._deployments = Deployments(self.folder / "code", arn, journal, self._function_changed)
        self._environments: dict[str, _Place] = {}
        self._scheduler = Scheduler(settings.concurrent_executions)
        self._callers: dict[str, asyncio.Future[None]] = {}
        self._changed = asyncio.Event()
        self._starts = asyncio.Semaphore(os.cpu_count() or 1)
        self._reclaiming: asyncio.TimerHandle | None = None
        self._clock_offset = time.time() - time.monotonic()
        journal.append(
            ev.LaboratoryOpened(
                os.getpid(),
                sandbox.name,
                settings.region,
                ACCOUNT_ID,
                settings.log_dialect,
                settings.concurrent_executions,
                settings.idle_timeout,
            )
        )

    # functions

    async def create(self, name: str, configuration: Configuration, code: Code) -> None:
        """Raises InvalidParameter where the service would refuse it, or its runtime is not to be had here."""
        await self._deployments.create(name, configuration, code)

    async def update(self, function: str, changes: Mapping[str, Json]) -> None:
        """Change the configuration. A refusal is stated in the journal, and nothing has changed."""
        await self._deployments.update(function, changes)

    async def edit(self, function: str, file: str, text: str) -> None:
        """Change a file of the function's code here, while the file where it came from stays as it is."""
        await self._deployments.edit(function, file, text)

    def _function_changed(self, revision: Revision, because: str) -> None:
        reserved = revision.configuration.reserved_concurrent_executions
        for name in self._scheduler.configure(revision.function, revision.generation, reserved, because):
            self._environments[name].environment.retire(because)

    # invocation

    async def invoke(
        self, function: str, payload: str, *, invocation_type: str = "RequestResponse", step: int | None = None
    ) -> str:
        """The request id, once the caller is answered; the answer is in the journal. Raises InvalidParameter for a
        payload that the service refuses."""
        payload = _checked(payload)
        revision = self._deployments.latest(function)
        request_id = str(uuid.uuid4())
        version = revision.version
        self.journal.append(ev.InvocationAccepted(request_id, function, version, invocation_type, payload, step))
        placement = self._scheduler.place(function)
        if isinstance(placement, Throttle):
            self.journal.append(ev.InvocationThrottled(request_id, placement.reason, "Rate Exceeded."))
            return request_id
        trace = f"Root=1-{int(time.time()):08x}-{secrets.token_hex(12)};Parent={secrets.token_hex(8)};Sampled=0"
        invocation = NextInvocation(request_id, payload.encode(), revision.arn, 0, trace)
        answered = self._callers[request_id] = asyncio.get_running_loop().create_future()
        if isinstance(placement, Reuse):
            self.journal.append(ev.InvocationPlaced(request_id, placement.environment, False))
            self._environments[placement.environment].environment.invoke(invocation)
        else:
            place = self._create_environment(revision, placement.because)
            self.journal.append(ev.InvocationPlaced(request_id, place.environment.name, True))
            place.environment.begin(invocation)
        await answered
        return request_id

    def _create_environment(self, revision: Revision, because: str) -> _Place:
        name = uuid.uuid4().hex
        now = self._clock()
        stream = logs.stream_name(revision.version, now, name)
        group = logs.group_name(revision.function)
        folders = Place(revision.folder, self.folder / "tmp" / name)
        folders.tmp.mkdir(parents=True)
        folders.tmp.chmod(0o1777)
        configuration, interpreter = revision.configuration, revision.interpreter
        task_root = self._sandbox.task_root(folders)

        async def spawn(address: str, on_output: _OnOutput, on_exit: _OnExit) -> Process:
            variables = function_variables(
                revision.function, configuration, interpreter.runtime, self._settings.region, self._credentials,
                version=revision.version, log_group=group, log_stream=stream, runtime_api=address, task_root=task_root,
            )  # fmt: skip
            program = Program(interpreter.command(configuration.handler), variables, interpreter.reads)
            return await Process.start(
                self._sandbox, program, folders, guardian=self._guardian, on_output=on_output, on_exit=on_exit
            )

        host = Host(
            clock=self._clock,
            starts=self._starts,
            spawn=spawn,
            emit=lambda event: self._emit(place, event),
            wrote=lambda request_id, lines: self._write(place, request_id, False, lines),
            replied=self._answer,
            released=lambda: self._released(place),
            ended=lambda: self._ended(place),
        )
        terms = Terms(configuration.timeout, configuration.memory_size, self._settings.log_dialect)
        environment = Environment(name, terms, host)
        log = logs.PlatformLog(
            self._settings.log_dialect, revision.version, self._settings.region, interpreter.lambda_version
        )
        place = _Place(environment, revision, log, group, stream, folders)
        self._environments[name] = place
        self._scheduler.created(revision.function, name, now)
        self.journal.append(
            ev.EnvironmentCreated(
                name,
                revision.function,
                revision.version,
                revision.generation,
                revision.code_sha256,
                group,
                stream,
                because,
            )
        )
        return place

    # what environments say

    def _emit(self, place: _Place, event: ev.Event) -> None:
        self.journal.append(event)
        if lines := place.log.after(event):
            self._write(place, getattr(event, "request_id", None), True, tuple(lines))
        if isinstance(event, ev.EnvironmentFrozen | ev.EnvironmentReset):
            self._changed.set()

    def _write(self, place: _Place, request_id: str | None, platform: bool, lines: tuple[str, ...]) -> None:
        name = place.environment.name
        self.journal.append(ev.LogWritten(name, place.log_group, place.log_stream, request_id, platform, lines))

    def _answer(self, request_id: str) -> None:
        if (caller := self._callers.pop(request_id, None)) and not caller.done():
            caller.set_result(None)

    def _released(self, place: _Place) -> None:
        if place.revision.function in self._deployments:
            self._scheduler.released(place.revision.function, place.environment.name, self._clock())
        self._reclaim_in_time()

    def _ended(self, place: _Place) -> None:
        shutil.rmtree(place.folders.tmp, ignore_errors=True)
        del self._environments[place.environment.name]
        in_use = {each.revision.folder for each in self._environments.values()}
        self._deployments.remove_unused(place.revision.folder, in_use)
        self._changed.set()

    # the end of environments

    async def settled(self) -> None:
        """Wait until no invocation is in flight and no environment is on its way to its end."""
        while not all(place.environment.quiet for place in self._environments.values()):
            self._changed.clear()
            await self._changed.wait()

    async def reclaim(self, function: str | None = None) -> None:
        """End the idle environments, of one function or of all, as the service does when it sees fit."""
        for name in [function] if function else list(self._deployments):
            self._reclaim(name, 0.0, "reclaimed")
        while any(place.environment.ending for place in self._environments.values()):
            self._changed.clear()
            await self._changed.wait()

    def _reclaim(self, function: str, idle_for: float, because: str) -> None:
        for name in self._scheduler.reclaim(function, self._clock(), idle_for, because):
            self._environments[name].environment.end(because)

    def _reclaim_in_time(self) -> None:
        """Set the timer for the environment that has been idle the longest."""
        if self._reclaiming:
            self._reclaiming.cancel()
            self._reclaiming = None
        since = self._scheduler.idle_longest()
        if since is not None:
            delay = max(since + self._settings.idle_timeout - self._clock(), 0.0)
            self._reclaiming = asyncio.get_running_loop().call_later(delay, self._reclaim_the_old)

    def _reclaim_the_old(self) -> None:
        because = f"idle for {self._settings.idle_timeout:g} s"
        for name in self._deployments:
            self._reclaim(name, self._settings.idle_timeout - 0.001, because)
        self._reclaim_in_time()

    async def clear(self) -> None:
        """Remove all functions and environments; callers in flight get LaboratoryCleared."""
        for name in self._deployments:
            self._scheduler.remove(name)
        await self._deployments.clear()
        if self._reclaiming:
            self._reclaiming.cancel()
        for caller in self._callers.values():
            if not caller.done():
                caller.set_exception(LaboratoryCleared("The laboratory was cleared meanwhile."))
        self._callers.clear()
        for place in list(self._environments.values()):
            place.environment.end("the laboratory was cleared")
        while self._environments:
            self._changed.clear()
            await self._changed.wait()

    async def close(self) -> None:
        """End everything. Nothing is left, no process and no file."""
        try:
            await self.clear()
        finally:
            self._guardian.close()

    def _clock(self) -> float:
        """Seconds since the epoch, never jumping."""
        return time.monotonic() + self._clock_offset


def _checked(payload: str) -> str:
    """The event as the function gets it: nothing is an empty object; what is no JSON, or too much, is refused."""
    if not payload.strip():
        return "{}"
    if (size := len(payload.encode(errors="surrogatepass"))) > MAX_PAYLOAD_BYTES:
        raise InvalidParameter(
            f"{size} byte payload is too large for the RequestResponse invocation type "
            f"(limit {MAX_PAYLOAD_BYTES} bytes)"
        )
    try:
        json.loads(payload)
        payload.encode()
    except (ValueError, RecursionError) as error:
        message = f"Could not parse request body into json: Could not parse payload into json: {error}"
        raise InvalidParameter(message) from None
    return payload


def _raise_limit_on_open_files() -> None:
    """An environment takes three descriptors or so; a hundred of them are more than the usual soft limit allows."""
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    with contextlib.suppress(ValueError, OSError):
        resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
