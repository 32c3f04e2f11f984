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
from dataclasses import dataclass, field
from pathlib import Path
from typing import TypeAlias

from lambdatui import events as ev
from lambdatui.events import Json
from lambdatui.function import Code, Configuration, InvalidParameter
from lambdatui.journal import Journal
from lambdatui.runtimes import python
from lambdatui.runtimes.python import Interpreter, RuntimeNotInstalled
from lambdatui.sandbox.capture import Output
from lambdatui.sandbox.guardian import Guardian
from lambdatui.sandbox.process import Exit, Process
from lambdatui.sandbox.sandbox import Place, Program, Sandbox, choose
from lambdatui.service import logs
from lambdatui.service.environment import Environment, Host
from lambdatui.service.lifecycle import Terms
from lambdatui.service.runtime_api import NextInvocation
from lambdatui.service.scheduler import Reuse, Scheduler, Throttle
from lambdatui.service.variables import Credentials, function_variables
from lambdatui.service.watch import saves

_OnOutput: TypeAlias = Callable[[list[Output]], None]
_OnExit: TypeAlias = Callable[[Exit], None]

ACCOUNT_ID = "000000000000"
VERSION = "$LATEST"
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
class _Function:
    name: str
    arn: str
    configuration: Configuration
    code: Code
    interpreter: Interpreter
    deployed: Path
    code_sha256: str
    generation: int = 1
    overlay: dict[str, str] = field(default_factory=dict)
    """Files that were edited for an experiment, laid over the code: name to text."""


@dataclass
class _Place:
    """What the service knows of an environment: whose it is, its log, its folders."""

    environment: Environment
    function: str
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
        self._functions: dict[str, _Function] = {}
        self._environments: dict[str, _Place] = {}
        self._scheduler = Scheduler(settings.concurrent_executions)
        self._callers: dict[str, asyncio.Future[None]] = {}
        self._changed = asyncio.Event()
        self._starts = asyncio.Semaphore(os.cpu_count() or 1)
        self._watching: asyncio.Task[None] | None = None
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
        interpreter = await _find_interpreter(configuration)
        deployed, digest = self._deploy(code, {})
        arn = f"arn:aws:lambda:{self._settings.region}:{ACCOUNT_ID}:function:{name}"
        self._functions[name] = _Function(name, arn, configuration, code, interpreter, deployed, digest)
        self._scheduler.configure(name, 1, configuration.reserved_concurrent_executions, "created")
        self.journal.append(ev.FunctionCreated(name, arn, 1, configuration.to_json(), digest, code.location))
        self._watch()

    async def update(self, function: str, changes: Mapping[str, Json]) -> None:
        """Change the configuration. A refusal is stated in the journal, and nothing has changed."""
        known = self._functions[function]
        try:
            configuration = known.configuration.updated(changes)
            same = (configuration.runtime, configuration.python) == (
                known.configuration.runtime,
                known.configuration.python,
            )
            interpreter = known.interpreter if same else await _find_interpreter(configuration)
        except InvalidParameter as error:
            self.journal.append(ev.FunctionUpdateRejected(function, dict(changes), str(error)))
            return
        known.configuration, known.interpreter = configuration, interpreter
        self._new_generation(known, known.code_sha256, "configuration", tuple(changes))

    async def edit(self, function: str, file: str, text: str) -> None:
        """Change a file of the function's code here, while the file where it came from stays as it is."""
        known = self._functions[function]
        known.overlay[file] = text
        self._redeploy(known, "edit", (file,))

    def _redeploy(self, known: _Function, because: str, changed: tuple[str, ...]) -> None:
        deployed, digest = self._deploy(known.code, known.overlay)
        if digest == known.code_sha256:
            return
        previous, known.deployed, known.code_sha256 = known.code_sha256, deployed, digest
        self._new_generation(known, previous, because, changed)

    def _new_generation(self, known: _Function, previous: str, because: str, changed: tuple[str, ...]) -> None:
        known.generation += 1
        self.journal.append(
            ev.FunctionUpdated(
                known.name,
                known.generation,
                because,
                changed,
                known.configuration.to_json(),
                known.code_sha256,
                previous,
            )
        )
        what = "the configuration changed" if because == "configuration" else "the code changed"
        reserved = known.configuration.reserved_concurrent_executions
        for name in self._scheduler.configure(known.name, known.generation, reserved, what):
            self._environments[name].environment.retire(what)

    def _deploy(self, code: Code, overlay: Mapping[str, str]) -> tuple[Path, str]:
        """Copy the code; each digest has a folder of its own that never changes again."""
        fresh = self.folder / "code" / f"new-{uuid.uuid4().hex}"
        fresh.mkdir(parents=True)
        try:
            digest = code.deploy(fresh, overlay)
            deployed = self.folder / "code" / digest
            if not deployed.exists():
                fresh.rename(deployed)
        except OSError as error:
            raise InvalidParameter(f"{error.filename or code.location}: {error.strerror}") from None
        finally:
            shutil.rmtree(fresh, ignore_errors=True)
        return deployed, digest

    # hot reload

    def _watch(self) -> None:
        if self._watching:
            self._watching.cancel()
        folders = {folder.resolve() for each in self._functions.values() if (folder := each.code.folder)}
        self._watching = asyncio.create_task(self._reload(folders)) if folders else None

    async def _reload(self, folders: set[Path]) -> None:
        async for files in saves(folders):
            for known in self._functions.values():
                if folder := known.code.folder:
                    inside = (file for file in files if file.is_relative_to(folder.resolve()))
                    if names := sorted(file.relative_to(folder.resolve()).as_posix() for file in inside):
                        self._saved(known, tuple(names))

    def _saved(self, known: _Function, names: tuple[str, ...]) -> None:
        for name in names:  # what the user writes counts more than what the experiment wrote
            known.overlay.pop(name, None)
        try:
            self._redeploy(known, "save", names)
        except InvalidParameter as error:
            self.journal.append(ev.Noticed("warning", f"{known.name} keeps its code: {error}"))

    # invocation

    async def invoke(
        self, function: str, payload: str, *, invocation_type: str = "RequestResponse", step: int | None = None
    ) -> str:
        """The request id, once the caller is answered; the answer is in the journal. Raises InvalidParameter for a
        payload that the service refuses."""
        payload = _checked(payload)
        known = self._functions[function]
        request_id = str(uuid.uuid4())
        self.journal.append(ev.InvocationAccepted(request_id, function, VERSION, invocation_type, payload, step))
        placement = self._scheduler.place(function)
        if isinstance(placement, Throttle):
            self.journal.append(ev.InvocationThrottled(request_id, placement.reason, "Rate Exceeded."))
            return request_id
        trace = f"Root=1-{int(time.time()):08x}-{secrets.token_hex(12)};Parent={secrets.token_hex(8)};Sampled=0"
        invocation = NextInvocation(request_id, payload.encode(), known.arn, 0, trace)
        answered = self._callers[request_id] = asyncio.get_running_loop().create_future()
        if isinstance(placement, Reuse):
            self.journal.append(ev.InvocationPlaced(request_id, placement.environment, False))
            self._environments[placement.environment].environment.invoke(invocation)
        else:
            place = self._create_environment(known, placement.because)
            self.journal.append(ev.InvocationPlaced(request_id, place.environment.name, True))
            place.environment.begin(invocation)
        await answered
        return request_id

    def _create_environment(self, known: _Function, because: str) -> _Place:
        name = uuid.uuid4().hex
        now = self._clock()
        stream = logs.stream_name(VERSION, now, name)
        group = logs.group_name(known.name)
        folders = Place(known.deployed, self.folder / "tmp" / name)
        folders.tmp.mkdir(parents=True)
        folders.tmp.chmod(0o1777)
        configuration, interpreter = known.configuration, known.interpreter
        task_root = self._sandbox.task_root(folders)

        async def spawn(address: str, on_output: _OnOutput, on_exit: _OnExit) -> Process:
            variables = function_variables(
                known.name, configuration, interpreter.runtime, self._settings.region, self._credentials,
                version=VERSION, log_group=group, log_stream=stream, runtime_api=address, task_root=task_root,
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
        log = logs.PlatformLog(self._settings.log_dialect, VERSION, self._settings.region, interpreter.lambda_version)
        place = _Place(environment, known.name, log, group, stream, folders)
        self._environments[name] = place
        self._scheduler.created(known.name, name, now)
        self.journal.append(
            ev.EnvironmentCreated(
                name, known.name, VERSION, known.generation, known.code_sha256, group, stream, because
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
        if place.function in self._functions:
            self._scheduler.released(place.function, place.environment.name, self._clock())
        self._reclaim_in_time()

    def _ended(self, place: _Place) -> None:
        shutil.rmtree(place.folders.tmp, ignore_errors=True)
        del self._environments[place.environment.name]
        in_use = {each.folders.code for each in self._environments.values()}
        in_use |= {each.deployed for each in self._functions.values()}
        if place.folders.code not in in_use:
            shutil.rmtree(place.folders.code, ignore_errors=True)
        self._changed.set()

    # the end of environments

    async def settled(self) -> None:
        """Wait until no invocation is in flight and no environment is on its way to its end."""
        while not all(place.environment.quiet for place in self._environments.values()):
            self._changed.clear()
            await self._changed.wait()

    async def reclaim(self, function: str | None = None) -> None:
        """End the idle environments, of one function or of all, as the service does when it sees fit."""
        for name in [function] if function else list(self._functions):
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
        for name in self._functions:
            self._reclaim(name, self._settings.idle_timeout - 0.001, because)
        self._reclaim_in_time()

    async def clear(self) -> None:
        """Remove all functions and environments; callers in flight get LaboratoryCleared."""
        await self._stop_watching()
        for name in self._functions:
            self._scheduler.remove(name)
        self._functions.clear()
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

    async def _stop_watching(self) -> None:
        if self._watching:
            self._watching.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await self._watching
            self._watching = None

    def _clock(self) -> float:
        """Seconds since the epoch, never jumping."""
        return time.monotonic() + self._clock_offset


async def _find_interpreter(configuration: Configuration) -> Interpreter:
    try:
        return await python.find(configuration.runtime, configuration.python)
    except RuntimeNotInstalled as error:
        raise InvalidParameter(str(error)) from None


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
