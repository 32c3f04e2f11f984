"""Answers that are streams of events: the binary framing `application/vnd.amazon.eventstream` ("Amazon Event Stream
Specification" of the Smithy documentation).

A message is a prelude (its length, that of its headers, a checksum of both), headers, a payload, and a checksum of all
that. Checksums are CRC-32, integers are big-endian.
"""

from __future__ import annotations

import json
import struct
from collections.abc import Mapping
from typing import Final
from zlib import crc32

from lambdatui.events import Json
from lambdatui.refusal import ServiceRefusal

CONTENT_TYPE: Final = "application/vnd.amazon.eventstream"

MAX_PAYLOAD_BYTES = 16 * 2**20
"""Of one message; clients refuse a longer one."""

_STRING = 7
"""The type of a header's value. There are others, which no service needs in its answers."""


def event(event_type: str, members: Mapping[str, Json]) -> bytes:
    """One event of the stream, whose members are JSON. The streams of RPC protocols, such as CloudWatch Logs', begin
    with the event `initial-response`."""
    payload = json.dumps(members, separators=(",", ":"), ensure_ascii=False).encode(errors="replace")
    return _event(event_type, "application/json", payload)


def blob_event(event_type: str, payload: bytes) -> bytes:
    """One event whose payload is, as the model of the API says, one member's bytes."""
    return _event(event_type, "application/octet-stream", payload)


def error(refusal: ServiceRefusal) -> bytes:
    """What ends a stream that was begun already; clients raise it as an error of the operation. (An `exception` would
    have to be one of those that the model of the stream has.)"""
    return message({":message-type": "error", ":error-code": refusal.code, ":error-message": str(refusal)}, b"")


def message(headers: Mapping[str, str], payload: bytes) -> bytes:
    """The one form that all of them have. Raises ValueError where a client would refuse it."""
    if len(payload) > MAX_PAYLOAD_BYTES:
        raise ValueError(f"a message of an event stream has {MAX_PAYLOAD_BYTES} bytes of payload at most")
    encoded = b"".join(_header(name, value) for name, value in headers.items())
    lengths = struct.pack(">II", 16 + len(encoded) + len(payload), len(encoded))
    prelude = lengths + struct.pack(">I", crc32(lengths))
    body = prelude + encoded + payload
    return body + struct.pack(">I", crc32(body))


def _event(event_type: str, content_type: str, payload: bytes) -> bytes:
    return message({":event-type": event_type, ":content-type": content_type, ":message-type": "event"}, payload)


def _header(name: str, value: str) -> bytes:
    key, text = name.encode(), value.encode()
    return struct.pack(">B", len(key)) + key + struct.pack(">BH", _STRING, len(text)) + text
