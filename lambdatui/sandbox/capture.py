"""What a function prints, as log events.

Everything arrives on one pipe: raw text of standard output and standard error, of the function and of whatever it
starts, and between it *frames*, in which a runtime hands over whole log records. A frame is the contract between
awslambdaric (``FramedTelemetryLogSink`` in its ``bootstrap.py``) and the service: type, length and microseconds since
the epoch, big-endian, then the message. As both go through the same pipe, their order is the true one.
"""

from __future__ import annotations

import array
import asyncio
import contextlib
import fcntl
import os
import re
import struct
import termios
from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeAlias

MAX_EVENT_BYTES = 2**20
"""Raw text without a newline is cut here, so that a function that never prints one cannot fill the laboratory's memory;
CloudWatch Logs takes no longer event either ("CloudWatch Logs quotas": 1 MB)."""

_HEADER = struct.Struct(">IIQ")
_READY = 0xA55AFF01
_HEADER_START = re.compile(rb"\xa5(?:\x5a(?:\x00[\x02\x03\x06\x07\x0a\x0b\x0e\x0f\x12\x13\x16\x17\x1a\x1b]|\xff\x01))")
_MAYBE_HEADER_START = re.compile(rb"\xa5(?:\x5a(?:\x00|\xff)?)?\Z")
_LEVELS = (None, "TRACE", "DEBUG", "INFO", "WARN", "ERROR", "FATAL")
"""Of a frame's type, the third bit and those above it; the lowest two tell text (3) from JSON (2)."""
_MAX_FRAME_BYTES = 2**28
_SANE_MICROSECONDS = range(10**15, 10**16)  # 2001 to 2286

_PAUSE = 0.01
"""Seconds between two looks at the pipe, which holds what comes meanwhile: a function that prints line by line would
otherwise wake the laboratory for each of them. Who needs all that was printed so far, drains."""

_PIPE_BYTES = 2**17
"""Room for what is printed during a pause, twice the system's own; a user's pipes may have 64 MB in all."""

_MUCH_BYTES = 2**14
"""Who prints so much within a pause shall not have to wait for the next one."""


@dataclass(frozen=True)
class Line:
    """One log event, without its final newline; a log record may contain newlines. `level` is what a runtime said of
    it: TRACE, DEBUG, INFO, WARN, ERROR or FATAL."""

    text: str
    level: str | None = None


@dataclass(frozen=True)
class RuntimeReady:
    """The runtime is up and turns to the function's own code: runtime init is over, function init begins."""


Output: TypeAlias = Line | RuntimeReady


def runtime_ready_frame(microseconds: int) -> bytes:
    """What a launcher writes to say :class:`RuntimeReady`."""
    return _HEADER.pack(_READY, 0, microseconds)


class Parser:
    """Bytes in, outputs out; no I/O. However the bytes are cut into chunks, the outputs are the same."""

    def __init__(self) -> None:
        self._buffer = bytearray()
        self._searched = 0  # no newline and no header begins before this
        self._needed = 0  # of a frame that is not yet complete: its size
        self._flushed = False  # the line that goes on here was delivered in part

    def feed(self, data: bytes) -> list[Output]:
        buffer, outputs = self._buffer, list[Output]()
        buffer += data
        while len(buffer) >= max(self._needed, 1):
            position, header = self._find_header()
            if position:
                self._take_lines(position, outputs, whole=header is not None)
            if header is None:
                break
            size = _HEADER.size + header[1]
            if len(buffer) < size:
                self._needed = size
                break
            outputs.append(_frame(header[0], buffer[_HEADER.size : size]))
            del buffer[:size]
            self._needed = self._searched = 0
            self._flushed = False
        return outputs

    def flush(self, *, final: bool = False) -> list[Output]:
        """The text of a line that has not ended yet. What may be the first bytes of a character or of a frame waits,
        unless this is the end (`final`)."""
        buffer, outputs = self._buffer, list[Output]()
        position, header = self._find_header()
        if final and header is not None:
            outputs.append(_frame(header[0], buffer[_HEADER.size :]))
        else:
            end = len(buffer) if final else position - _unfinished_character(buffer, position)
            if end:
                outputs.append(Line(buffer[:end].decode(errors="replace")))
                del buffer[:end]
                self._searched = 0
                self._flushed = True
        if final:
            buffer.clear()
            self._searched = self._needed = 0
        return outputs

    def _find_header(self) -> tuple[int, tuple[int, int, int] | None]:
        """Where the first frame begins, and its header; else where what may become one begins; else the end."""
        buffer = self._buffer
        start = self._searched
        while match := _HEADER_START.search(buffer, start):
            position = match.start()
            if len(buffer) - position < _HEADER.size:
                return position, None
            kind, length, microseconds = _HEADER.unpack_from(buffer, position)
            if length <= _MAX_FRAME_BYTES and microseconds in _SANE_MICROSECONDS:
                return position, (kind, length, microseconds)
            start = position + 1
        maybe = _MAYBE_HEADER_START.search(buffer, max(start, len(buffer) - 3))
        return (maybe.start() if maybe else len(buffer)), None

    def _take_lines(self, end: int, outputs: list[Output], *, whole: bool) -> None:
        """Move the lines that end before `end` to the outputs; if `whole`, also what follows the last newline."""
        buffer = self._buffer
        if self._flushed and buffer[0] == 0x0A:  # the newline of a line that was delivered already
            del buffer[0]
            end -= 1
            self._searched = max(self._searched - 1, 0)
        self._flushed = self._flushed and not end
        if end > MAX_EVENT_BYTES:
            end = self._cut_long_lines(end, outputs)
        last = buffer.rfind(b"\n", self._searched, end)
        if last >= 0:
            outputs += map(Line, buffer[:last].decode(errors="replace").split("\n"))
            del buffer[: last + 1]
            end -= last + 1
        if whole and end:
            outputs.append(Line(buffer[:end].decode(errors="replace")))
            del buffer[:end]
            end = 0
        self._searched = end

    def _cut_long_lines(self, end: int, outputs: list[Output]) -> int:
        """Deliver lines one by one, cut between characters, until what is left is short; where `end` is now."""
        buffer, start = self._buffer, self._searched
        while end > MAX_EVENT_BYTES:
            newline = buffer.find(b"\n", start, end)
            length = newline if newline >= 0 else end
            if length > MAX_EVENT_BYTES:
                length = MAX_EVENT_BYTES - _unfinished_character(buffer, MAX_EVENT_BYTES)
                taken = length
            elif newline >= 0:
                taken = length + 1
            else:
                break
            outputs.append(Line(buffer[:length].decode(errors="replace")))
            del buffer[:taken]
            end -= taken
            start = 0
        self._searched = start
        return end


def _frame(kind: int, message: bytearray) -> Output:
    if kind == _READY:
        return RuntimeReady()
    return Line(message.decode(errors="replace").removesuffix("\n"), _LEVELS[(kind & 0x1F) >> 2])


def _unfinished_character(buffer: bytearray, end: int) -> int:
    """How many bytes before `end` begin a UTF-8 character that `end` would cut."""
    for back in range(1, min(3, end) + 1):
        byte = buffer[end - back]
        if byte >= 0xC0:
            size = 2 if byte < 0xE0 else 3 if byte < 0xF0 else 4
            return back if size > back else 0
        if byte < 0x80:
            break
    return 0


class Capture:
    """Reads a pipe on the event loop and delivers its outputs, a list for each chunk. Owns the file descriptor."""

    def __init__(self, pipe: int, deliver: Callable[[list[Output]], None]) -> None:
        self._pipe = pipe
        self._deliver = deliver
        self._parser = Parser()
        self._loop = asyncio.get_running_loop()
        self._open = True
        self._pause: asyncio.TimerHandle | None = None
        os.set_blocking(pipe, False)
        with contextlib.suppress(OSError, AttributeError):  # not everywhere, and not for everybody
            fcntl.fcntl(pipe, fcntl.F_SETPIPE_SZ, _PIPE_BYTES)
        self._loop.add_reader(pipe, self._readable)

    def _readable(self) -> None:
        try:
            data = os.read(self._pipe, _PIPE_BYTES)
        except BlockingIOError:
            return
        if data:
            if len(data) < _MUCH_BYTES:
                self._loop.remove_reader(self._pipe)
                self._pause = self._loop.call_later(_PAUSE, self._look_again)
            self._hand_over(self._parser.feed(data))
        else:
            self.close()

    def _look_again(self) -> None:
        self._pause = None
        self._loop.add_reader(self._pipe, self._readable)

    def drain(self, flush: bool = False) -> None:
        """Deliver what is in the pipe at this moment (not what a writer adds meanwhile: it might never end)."""
        outputs = list[Output]()
        if self._open:
            waiting = array.array("i", [0])
            fcntl.ioctl(self._pipe, termios.FIONREAD, waiting)
            left = waiting[0]
            while left > 0 and (data := os.read(self._pipe, left)):
                left -= len(data)
                outputs += self._parser.feed(data)
        if flush:
            outputs += self._parser.flush()
        self._hand_over(outputs)

    def close(self) -> None:
        """Deliver all that is left, an unfinished line too, and close the pipe. Closing twice does nothing."""
        if self._open:
            self.drain()
            self._open = False
            if self._pause:
                self._pause.cancel()
            self._loop.remove_reader(self._pipe)
            os.close(self._pipe)
            self._hand_over(self._parser.flush(final=True))

    def _hand_over(self, outputs: list[Output]) -> None:
        if outputs:
            self._deliver(outputs)
