"""The laboratory's process: service, experiment and journal behind the control socket.

    python -m lambdatui.control.server EXPERIMENT [--lang LANGUAGE] [--parameter NAME=VALUE]... [--terminal DESCRIPTOR]
        [--port PORT]

It says `ready PATH` on standard output, the path of its socket, and lives until its standard input ends, a screen says
`stop`, or it is told to by a signal. Whoever holds the other end of its standard input says farewell there with a byte;
where the end comes without, the screen was killed, and the laboratory gives back the terminal. What is wrong with the
experiment it says on standard error, and exits with 2.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import os
import signal
import sys
from collections.abc import Iterator, Sequence

from lambdatui import events as ev
from lambdatui.control.protocol import Decoder, ProtocolError, encode
from lambdatui.control.terminal import Terminal
from lambdatui.events import Json, Record
from lambdatui.experiment.bundled import find
from lambdatui.experiment.laboratory import laboratory
from lambdatui.experiment.language import language as chosen_language
from lambdatui.experiment.loader import BadExperiment, load
from lambdatui.experiment.runner import Runner
from lambdatui.experiment.schema import ExperimentFile
from lambdatui.experiment.target import TargetError
from lambdatui.garbage import search_once
from lambdatui.journal import Journal
from lambdatui.refusal import ServiceRefusal
from lambdatui.service.callers import LaboratoryCleared
from lambdatui.service.event_queue import path_for
from lambdatui.service.service import Service, Settings

_READ_BYTES = 2**16
_MAX_TIMES = 100
"""So many invocations at most are fired by one command."""
_BREATH = 0.02
"""Seconds for which a screen is then told nothing: what happens meanwhile it is told together. No eye sees that, and a
busy laboratory has better things to do than to write a frame for every event."""
_FRAME_RECORDS = 500
_FRAME_CHARACTERS = 2**18
"""Of log lines in a frame, which the screen decodes in one go, between two keys."""


def main() -> int:
    parser = argparse.ArgumentParser(prog="lambdatui-laboratory")
    parser.add_argument("experiment")
    parser.add_argument("--lang")
    parser.add_argument("--parameter", action="append", default=[], dest="parameters")
    parser.add_argument("--terminal", type=int)
    parser.add_argument("--port", type=int, default=0)
    arguments = parser.parse_args()
    try:
        experiment = load(find(arguments.experiment), dict(each.split("=", 1) for each in arguments.parameters))
        terminal = None if arguments.terminal is None else Terminal(arguments.terminal)
        search_once()
        return asyncio.run(_serve(experiment, arguments.lang, terminal, arguments.port))
    except (BadExperiment, TargetError, ServiceRefusal) as error:
        print(error, file=sys.stderr)
    except OSError as error:
        print(f"the laboratory cannot be opened: {error.strerror or error}", file=sys.stderr)
    return 2


async def _serve(experiment: ExperimentFile, language: str | None, terminal: Terminal | None, port: int) -> int:
    stopped = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
        loop.add_signal_handler(number, stopped.set)
    settings = Settings(**experiment.laboratory.model_dump())
    path = experiment.path
    opening = laboratory(settings, Journal(), queue=path_for(path), port=port, experiment=path)
    async with opening as (service, lab, _):
        runner = Runner(experiment, service, chosen_language(language, os.environ), lab)
        await runner.open()
        service.recover()
        attendant = Attendant(service, runner, stopped)
        socket = service.folder / "control.sock"
        server = await asyncio.start_unix_server(attendant.attend, socket)
        socket.chmod(0o600)
        print(f"ready {socket}", flush=True)
        owner = _Owner(terminal, stopped)
        loop.add_reader(0, owner.read)
        await stopped.wait()
        loop.remove_reader(0)
        server.close()
        await attendant.hang_up()
    return 0


class _Owner:
    """Whoever started the laboratory holds the other end of its standard input. A farewell and the end are all there
    is to read."""

    def __init__(self, terminal: Terminal | None, stopped: asyncio.Event) -> None:
        self._terminal, self._stopped = terminal, stopped
        self._said_farewell = False

    def read(self) -> None:
        if os.read(0, _READ_BYTES):
            self._said_farewell = True
            return
        if self._terminal is not None and not self._said_farewell:
            self._terminal.give_back()
        self._stopped.set()


class Refused(Exception):
    """A command that makes no sense; the text is one sentence."""


class Attendant:
    """Carries out what screens command, and tells them what happens. They come and go as they like."""

    def __init__(self, service: Service, runner: Runner, stopped: asyncio.Event) -> None:
        self._service = service
        self._runner = runner
        self._stopped = stopped
        self._screens: set[asyncio.Task[None]] = set()

    async def attend(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """One screen, until it hangs up."""
        task = asyncio.current_task()
        assert task
        self._screens.add(task)
        tasks = {asyncio.create_task(self._tell(writer))}
        try:
            decoder = Decoder()
            while data := await reader.read(_READ_BYTES):
                for message in decoder.feed(data):
                    command = asyncio.create_task(self._answer(message, writer))
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

    async def _answer(self, message: dict[str, Json], writer: asyncio.StreamWriter) -> None:
        error: str | None = None
        result: Json = None
        try:
            result = await self._carry_out(message)
        except LaboratoryCleared:
            pass  # a restart, which somebody asked for
        except (Refused, ServiceRefusal, TargetError, ValueError) as refusal:
            error = str(refusal)
        except Exception as defect:  # the laboratory goes on, and the screen says so
            error = f"The command could not be carried out: {type(defect).__name__}: {defect}"
        with contextlib.suppress(OSError):
            writer.write(encode({"reply": message.get("id"), "error": error, "result": result}))
            await writer.drain()

    async def _carry_out(self, message: dict[str, Json]) -> Json:
        match message:
            case {"command": "next"}:
                choice = message.get("choice")
                await asyncio.shield(asyncio.ensure_future(self._runner.step(_number(choice) if choice else None)))
            case {"command": "predict", "step": int(step), "choice": int(choice)}:
                self._runner.predict(step, choice)
            case {"command": "invoke"}:
                return await self._invoke(message)
            case {"command": "restart"}:
                await self._runner.restart()
            case {"command": "update", "changes": dict(changes)}:
                await self._service.update(self._function(message), changes)
            case {"command": "reclaim"}:
                await self._service.reclaim(self._function(message) if message.get("function") else None)
            case {"command": "stop"}:
                self._stopped.set()
            case _:
                raise Refused(f"There is no such command: {message.get('command')!r}.")
        return None

    async def _invoke(self, message: dict[str, Json]) -> Json:
        """Fired by hand, so many times at once; the request ids."""
        function = self._function(message)
        event = message.get("event", "{}")
        times = _number(message.get("times", 1))
        if not 1 <= times <= _MAX_TIMES:
            raise Refused(f"A function can be invoked 1 to {_MAX_TIMES} times at once.")
        if not isinstance(event, str):
            raise Refused("The event must be JSON text.")
        return [*await asyncio.gather(*(self._service.invoke(function, event) for _ in range(times)))]

    def _function(self, message: dict[str, Json]) -> str:
        """The one that is named, or the first of the experiment."""
        functions = self._runner.lab.functions
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


if __name__ == "__main__":
    sys.exit(main())
