"""What screen and laboratory say to each other: frames of a 4-byte big-endian length and that many bytes of JSON.

The screen sends commands, `{"id": n, "command": "...", ...}`; the laboratory answers each with
`{"reply": n, "error": sentence or null, "result": ...}` and, unasked, sends `{"events": [record, ...]}`: first
everything so far, then what happens.
"""

from __future__ import annotations

import json
import struct
from collections.abc import Iterator

from lambdatui.events import Json

MAX_FRAME_BYTES = 64 * 2**20
"""More than that in one frame is taken for garbage."""

_LENGTH = struct.Struct(">I")


class ProtocolError(ValueError):
    """The other side does not speak this protocol; the text says what is wrong."""


def encode(message: dict[str, Json]) -> bytes:
    """`message` as one frame. Lone surrogates survive, because everything that is not ASCII is escaped."""
    body = json.dumps(message, separators=(",", ":")).encode("ascii")
    if len(body) > MAX_FRAME_BYTES:
        raise ProtocolError(f"a frame of {len(body)} bytes is larger than {MAX_FRAME_BYTES}")
    return _LENGTH.pack(len(body)) + body


class Decoder:
    """Turns bytes, cut anywhere, back into messages."""

    def __init__(self, max_frame_bytes: int = MAX_FRAME_BYTES) -> None:
        self._buffer = bytearray()
        self._max_frame_bytes = max_frame_bytes

    def feed(self, data: bytes) -> Iterator[dict[str, Json]]:
        """Every message that is complete with `data`; raises ProtocolError. What the caller leaves unread of the
        iterator is kept for the next call."""
        self._buffer += data
        return iter(self._next, None)

    def close(self) -> None:
        """No more will come: raises ProtocolError where that cuts a frame in two."""
        if self._buffer:
            raise ProtocolError(f"the connection ended inside a frame, after {len(self._buffer)} bytes")

    def _next(self) -> dict[str, Json] | None:
        if len(self._buffer) < _LENGTH.size:
            return None
        (length,) = _LENGTH.unpack_from(self._buffer)
        if length > self._max_frame_bytes:
            raise ProtocolError(f"a frame of {length} bytes is larger than {self._max_frame_bytes}")
        end = _LENGTH.size + length
        if len(self._buffer) < end:
            return None
        body = bytes(memoryview(self._buffer)[_LENGTH.size : end])
        del self._buffer[:end]
        try:
            message = json.loads(body)
        except ValueError as error:
            raise ProtocolError(f"a frame that is no JSON: {error}") from None
        if not isinstance(message, dict):
            raise ProtocolError(f"a frame that is no JSON object: {body[:40]!r}")
        return message
