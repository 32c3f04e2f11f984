"""The screen's side of the connection: start a laboratory process, connect to it, command it, follow its events."""

from __future__ import annotations

import asyncio
import contextlib
import itertools
import os
import signal
import subprocess
import sys
import tempfile
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass
from typing import IO

from lambdatui.control.protocol import Decoder, ProtocolError, encode
from lambdatui.events import Json, Record

_SECONDS_TO_END = 10.0
"""A laboratory that was told to end has this long to stop its environments."""
_FAREWELL = b"\n"
"""Said on the laboratory's standard input before it is closed; whoever is killed cannot say it."""
_READ_BYTES = 2**18
_RECORDS_AT_ONCE = 100
_FRAMES_AHEAD = 16


class LaunchFailed(Exception):
    """The laboratory did not start; the text is what it said, `exit_code` how it ended."""

    def __init__(self, message: str, exit_code: int) -> None:
        super().__init__(message)
        self.exit_code = exit_code


class CommandFailed(Exception):
    """The laboratory refused a command; the text is one sentence."""


class ConnectionEnded(Exception):
    """There is no laboratory any more at the other end."""


# -- the process ----------------------------------------------------------------------------------------------------


@dataclass
class Launched:
    """A laboratory that listens at `socket_path`. It lives as long as its standard input stays open."""

    process: subprocess.Popen[bytes]
    socket_path: str

    def close(self) -> None:
        """End the laboratory and wait until it has cleaned up behind itself."""
        _end(self.process)

    def how_it_ended(self) -> str:
        """One sentence about a laboratory that was not asked to end."""
        with contextlib.suppress(subprocess.TimeoutExpired):
            self.process.wait(timeout=1)
        code = self.process.poll()
        if code is None:
            return "The laboratory closed the connection."
        if code < 0:
            return f"The laboratory was ended by {signal.Signals(-code).name}."
        return f"The laboratory ended unexpectedly, with exit code {code}."


class Launching:
    """A laboratory that is about to start, so that other things can be done meanwhile."""

    def __init__(
        self,
        experiment: str,
        language: str | None = None,
        command: list[str] | None = None,
        terminal: int | None = None,
        port: int = 0,
        parameters: Sequence[str] = (),
    ) -> None:
        """`command` is for tests: what to run in place of the laboratory. `terminal` is the descriptor of the one that
        the laboratory gives back where this process cannot do so any more, `port` its endpoint's, 0 for any."""
        arguments = command or [sys.executable, "-m", "lambdatui.control.server"]
        arguments = [*arguments, experiment, *(["--lang", language] if language else [])]
        arguments += ["--port", str(port)] if port else []
        arguments += [f"--parameter={each}" for each in parameters]
        passed = () if terminal is None else (os.dup(terminal),)
        for descriptor in passed:
            arguments += ["--terminal", str(descriptor)]
        # A file and not a pipe, so that nothing the laboratory ever writes there can block it, or paint on the screen.
        self._stderr: IO[bytes] = tempfile.TemporaryFile()  # noqa: SIM115
        try:
            self._process = subprocess.Popen(
                arguments,
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=self._stderr,
                pass_fds=passed,
                start_new_session=True,  # ctrl+c in the terminal is for the screen, which then ends the laboratory
            )
        finally:
            for descriptor in passed:
                os.close(descriptor)

    def ready(self) -> Launched:
        """Wait for the laboratory to listen; raises LaunchFailed."""
        assert self._process.stdout
        word, _, path = self._process.stdout.readline().decode(errors="replace").rstrip("\n").partition(" ")
        if word == "ready" and path:
            self._stderr.close()
            return Launched(self._process, path)
        _end(self._process)
        self._stderr.seek(0)
        text = self._stderr.read().decode(errors="replace").strip()
        self._stderr.close()
        code = self._process.returncode
        raise LaunchFailed(text or f"The laboratory did not start (exit code {code}).", code)

    def cancel(self) -> None:
        """End it, ready or not."""
        _end(self._process)
        self._stderr.close()


def launch(experiment: str, language: str | None = None) -> Launched:
    """Start a laboratory for `experiment` and wait until it listens; raises LaunchFailed."""
    return Launching(experiment, language).ready()


def _end(process: subprocess.Popen[bytes]) -> None:
    with contextlib.suppress(OSError, ValueError):
        if process.stdin:
            process.stdin.write(_FAREWELL)
            process.stdin.close()
    for stop in (process.terminate, process.kill):
        try:
            process.wait(timeout=_SECONDS_TO_END)
            break
        except subprocess.TimeoutExpired:
            stop()
    process.wait()
    if process.stdout:
        process.stdout.close()


# -- the connection -------------------------------------------------------------------------------------------------


class Client:
    """A connection to a laboratory. Somebody has to read :meth:`events`, or replies wait behind them: a reader that is
    slow holds back the laboratory's stream and is not flooded by it."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._reader, self._writer = reader, writer
        self._ids = itertools.count()
        self._replies: dict[int, asyncio.Future[Json]] = {}
        self._frames: asyncio.Queue[list[Json] | None] = asyncio.Queue(_FRAMES_AHEAD)
        self._ended = False
        self._task = asyncio.create_task(self._read())

    @classmethod
    async def connect(cls, path: str) -> Client:
        return cls(*await asyncio.open_unix_connection(path))

    async def command(self, name: str, **arguments: Json) -> Json:
        """What the laboratory answers; raises CommandFailed with its sentence, ConnectionEnded where it is gone."""
        if self._ended:
            raise ConnectionEnded("the laboratory has ended")
        number = next(self._ids)
        reply: asyncio.Future[Json] = asyncio.get_running_loop().create_future()
        self._replies[number] = reply
        try:
            self._writer.write(encode({"id": number, "command": name, **arguments}))
            await self._writer.drain()
            return await reply
        except OSError:
            raise ConnectionEnded("the laboratory has ended") from None
        finally:
            self._replies.pop(number, None)

    async def events(self) -> AsyncIterator[list[Record]]:
        """Records in order, some at a time so that the caller stays responsive, until the connection ends."""
        while (frame := await self._frames.get()) is not None:
            for start in range(0, len(frame), _RECORDS_AT_ONCE):
                yield [_record(data) for data in frame[start : start + _RECORDS_AT_ONCE]]
                await asyncio.sleep(0)

    async def close(self) -> None:
        """Hang up."""
        self._task.cancel()
        await asyncio.gather(self._task, return_exceptions=True)
        self._writer.close()
        with contextlib.suppress(OSError):
            await self._writer.wait_closed()

    async def _read(self) -> None:
        decoder = Decoder()
        try:
            while data := await self._reader.read(_READ_BYTES):
                for message in decoder.feed(data):
                    if isinstance(events := message.get("events"), list):
                        await self._frames.put(events)
                        await asyncio.sleep(0)  # decoding a frame takes a millisecond or more
                    else:
                        self._resolve(message)
        except (OSError, ProtocolError):
            pass  # as good as gone, and told the same way
        finally:
            self._ended = True
            for reply in self._replies.values():
                if not reply.done():
                    reply.set_exception(ConnectionEnded("the laboratory has ended"))
        await self._frames.put(None)

    def _resolve(self, message: dict[str, Json]) -> None:
        number = message.get("reply")
        reply = self._replies.get(number) if isinstance(number, int) else None
        if reply is None or reply.done():
            return
        if (error := message.get("error")) is None:
            reply.set_result(message.get("result"))
        else:
            reply.set_exception(CommandFailed(str(error)))


def _record(data: Json) -> Record:
    if not isinstance(data, dict):
        raise ValueError(f"no record: {data!r}")
    return Record.from_json(data)
