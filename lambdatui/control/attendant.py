"""Carries out what screens command, as far as they may, and tells them what happens.

A laboratory has two doors, sockets in its folder: one for the screen that opened it, and one for guests. Which door a
screen came in by is its role (:mod:`lambdatui.control.roles`).
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from functools import partial
from pathlib import Path

from lambdatui import events as ev
from lambdatui.control.protocol import Decoder, ProtocolError, encode
from lambdatui.control.roles import Role, refusal
from lambdatui.events import Json, Record
from lambdatui.experiment import progress
from lambdatui.experiment.runner import Runner
from lambdatui.experiment.target import OpenTarget, TargetError
from lambdatui.journal import save
from lambdatui.lab import Lab
from lambdatui.refusal import ServiceRefusal
from lambdatui.service.callers import LaboratoryCleared

_READ_BYTES = 2**16
_MAX_TIMES = 100
"""So many invocations at most are fired by one command."""
_INVOCATION_TYPES = ("RequestResponse", "Event", "DryRun")
_BREATH = 0.02
"""Seconds for which a screen is then told nothing: what happens meanwhile it is told together. No eye sees that, and a
busy laboratory has better things to do than to write a frame for every event."""
_FRAME_RECORDS = 500
_FRAME_CHARACTERS = 2**18
"""Of log lines in a frame, which the screen decodes in one go, between two keys."""


_DOORS = {Role.OWNER: "control.sock", Role.GUEST: "guests.sock"}


def door(folder: Path, role: Role) -> Path:
    """The socket at which screens of that role find the laboratory with this folder."""
    return folder / _DOORS[role]


@contextlib.asynccontextmanager
async def open_doors(attendant: Attendant, folder: Path) -> AsyncIterator[None]:
    """Let screens in, until the end; only those of this user can come."""
    async with contextlib.AsyncExitStack() as stack:
        for role in _DOORS:
            path = door(folder, role)
            server = await asyncio.start_unix_server(partial(attendant.attend, role), path)
            stack.callback(server.close)
            path.chmod(0o600)
        stack.push_async_callback(attendant.hang_up)
        yield


class Refused(Exception):
    """A command that makes no sense; the text is one sentence."""


class Attendant:
    """Screens come and go as they like. `runner` is None where there is no experiment; `stop` ends the laboratory."""

    def __init__(self, service: OpenTarget, lab: Lab, runner: Runner | None, stop: Callable[[], None]) -> None:
        self._service = service
        self._lab = lab
        self._runner = runner
        self._stop = stop
        self._screens: set[asyncio.Task[None]] = set()

    async def attend(self, role: Role, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """One screen, until it hangs up."""
        task = asyncio.current_task()
        assert task
        self._screens.add(task)
        tasks = {asyncio.create_task(self._tell(writer))}
        try:
            decoder = Decoder()
            while data := await reader.read(_READ_BYTES):
                for message in decoder.feed(data):
                    command = asyncio.create_task(self._answer(role, message, writer))
                    tasks.add(command)
                    command.add_done_callback(tasks.discard)
        except (OSError, ProtocolError, asyncio.CancelledError):
            pass  # the screen is gone, or is none
        finally:
            self._screens.discard(task)
            for each in list(tasks):
                each.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)
            writer.close()

    async def hang_up(self) -> None:
        for task in list(self._screens):
            task.cancel()
        await asyncio.gather(*self._screens, return_exceptions=True)

    async def _tell(self, writer: asyncio.StreamWriter) -> None:
        """All records so far and to come. A slow screen holds up nothing but itself."""
        with contextlib.suppress(OSError):
            async for records in self._service.journal.follow():
                for part in _parts(records):
                    writer.write(encode({"events": [record.to_json() for record in part]}))
                    await writer.drain()
                await asyncio.sleep(_BREATH)

    async def _answer(self, role: Role, message: dict[str, Json], writer: asyncio.StreamWriter) -> None:
        error: str | None = None
        result: Json = None
        try:
            if sentence := refusal(role, str(message.get("command")), self._lab.others_may_act):
                raise Refused(sentence)
            result = await self._carry_out(message, role)
        except LaboratoryCleared:
            pass  # a restart, which somebody asked for
        except (Refused, ServiceRefusal, TargetError, ValueError) as refused:
            error = str(refused)
        except Exception as defect:  # the laboratory goes on, and the screen says so
            error = f"The command could not be carried out: {type(defect).__name__}: {defect}"
        with contextlib.suppress(OSError):
            writer.write(encode({"reply": message.get("id"), "error": error, "result": result}))
            await writer.drain()

    async def _carry_out(self, message: dict[str, Json], role: Role) -> Json:
        match message:
            case {"command": "next"}:
                choice = message.get("choice")
                await asyncio.shield(asyncio.ensure_future(self._step(_number(choice) if choice else None)))
            case {"command": "predict", "step": int(step), "choice": int(choice)}:
                self._experiment.predict(step, choice)
            case {"command": "hint", "step": int(step)}:
                self._experiment.take_hint(step)
            case {"command": "invoke"}:
                return await self._invoke(message)
            case {"command": "restart"}:
                await self._experiment.restart()
            case {"command": "update", "changes": dict(changes)}:
                await self._service.update(self._function(message), changes)
            case {"command": "reclaim"}:
                await self._service.reclaim(self._function(message) if message.get("function") else None)
            case {"command": "let_others_act", "allowed": bool(allowed)}:
                self._service.journal.append(ev.OthersMayAct(allowed))
            case {"command": "save", "file": str(file)}:
                await self._save(Path(file))
            case {"command": "inspect", "environment": str(environment)}:
                reveal = role is Role.OWNER and message.get("reveal") is True
                return self._service.inspect(environment, reveal=reveal)
            case {"command": "preview", "environment": str(environment), "file": str(name)}:
                return self._preview(environment, name)
            case {"command": "stop"}:
                self._stop()
            case _:
                raise Refused(f"There is no such command: {message.get('command')!r}.")
        return None

    def _preview(self, environment: str, file: str) -> Json:
        try:
            return self._service.preview(environment, file)
        except OSError as error:
            raise Refused(f"{file} cannot be read: {error.strerror or error}") from None

    async def _step(self, choice: int | None) -> None:
        """After the last one, what was achieved is kept."""
        runner = self._experiment
        await runner.step(choice)
        experiment = runner.lab.experiment
        if experiment is None or experiment.passed is None:
            return
        try:
            progress.note(progress.name_of(runner.experiment.path), progress.Result.of(experiment))
        except OSError as error:
            message = f"Your progress could not be kept: {error.strerror or error}."
            self._service.journal.append(ev.Noticed("warning", message))

    async def _invoke(self, message: dict[str, Json]) -> Json:
        """Fired by hand, so many times at once; the request ids."""
        function = self._function(message)
        event, qualifier = message.get("event", "{}"), message.get("qualifier")
        times = _number(message.get("times", 1))
        if not 1 <= times <= _MAX_TIMES:
            raise Refused(f"A function can be invoked 1 to {_MAX_TIMES} times at once.")
        if not isinstance(event, str):
            raise Refused("The event must be JSON text.")
        if qualifier is not None and not isinstance(qualifier, str):
            raise Refused(f"{qualifier!r} is no version or alias.")
        kind = message.get("invocation_type", "RequestResponse")
        if kind not in _INVOCATION_TYPES:
            raise Refused(f"{kind!r} is no type of invocation.")
        calls = (
            self._service.invoke(function, event, qualifier=qualifier, invocation_type=str(kind)) for _ in range(times)
        )
        return [*await asyncio.gather(*calls)]

    @property
    def _experiment(self) -> Runner:
        if self._runner is None:
            raise Refused("There is no experiment here, only functions.")
        return self._runner

    async def _save(self, file: Path) -> None:
        """The journal up to now, as a new file, some records at a time."""
        try:
            with file.open("x", encoding="utf-8") as journal:
                for part in _parts(self._service.journal.records[:]):
                    save(part, journal)
                    await asyncio.sleep(0)
        except OSError as error:
            raise Refused(f"{file} cannot be written: {error.strerror}") from None

    def _function(self, message: dict[str, Json]) -> str:
        """The one that is named, or the first of the experiment."""
        functions = self._lab.functions
        name = message.get("function") or next(iter(functions), None)
        if not isinstance(name, str) or name not in functions:
            raise Refused(f"There is no function {name}." if name else "The experiment has no function.")
        return name


def _number(value: Json) -> int:
    if not isinstance(value, int):
        raise Refused(f"{value!r} is no number.")
    return value


def _parts(records: Sequence[Record]) -> Iterator[list[Record]]:
    """Pieces that fit well into a frame."""
    part: list[Record] = []
    size = 0
    for record in records:
        part.append(record)
        if isinstance(record.event, ev.LogWritten):
            size += sum(map(len, record.event.lines))
        if len(part) >= _FRAME_RECORDS or size > _FRAME_CHARACTERS:
            yield part
            part, size = [], 0
    if part:
        yield part
