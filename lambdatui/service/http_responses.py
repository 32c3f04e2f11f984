"""HTTP/1.1 responses into bytes: no I/O."""

from __future__ import annotations

import time
from collections.abc import AsyncGenerator, Iterable
from email.utils import formatdate
from functools import lru_cache
from http import HTTPStatus
from typing import NamedTuple

from lambdatui.service.http_requests import Request


class Response(NamedTuple):
    """Content-Length, Date and Connection are added when it is sent."""

    status: int
    body: bytes = b""
    headers: Iterable[tuple[str, str]] = ()


class Streamed(NamedTuple):
    """A response that is sent as its parts come, each at once ("chunked", RFC 9112, 7.1). The next part is asked for
    when the client has taken those before, up to what the operating system holds; `parts` is closed when all are sent,
    and when the client goes away."""

    status: int
    parts: AsyncGenerator[bytes, None]
    headers: Iterable[tuple[str, str]] = ()


class BrokenOff(Exception):
    """Raised by the parts of a response that has no end: the connection ends without the last chunk."""


def encode(response: Response, request: Request) -> bytes:
    """`response` on the wire, as `request` may have it: without a body for HEAD, with the right Connection header."""
    bodiless = response.status < 200 or response.status in (204, 304)
    length = "" if bodiless else f"Content-Length: {len(response.body)}\r\n"
    connection = "Connection: keep-alive\r\n" if request.keep_alive and request.version == "1.0" else ""
    encoded = _head(response, request, length + connection)
    return encoded if bodiless or request.method == "HEAD" else encoded + response.body


def encode_head(response: Streamed, request: Request) -> bytes:
    """What comes before the parts. HTTP/1.0 knows no chunks: there, the connection's end is the end."""
    if request.version == "1.0":
        return _head(response, request._replace(keep_alive=False), "")
    return _head(response, request, "Transfer-Encoding: chunked\r\n")


def _head(response: Response | Streamed, request: Request, framing: str) -> bytes:
    head = [_first_line(response.status), _date(int(time.time()))]
    head += [f"{name}: {_one_line(value)}\r\n" for name, value in response.headers]
    head.append(framing)
    if not request.keep_alive:
        head.append("Connection: close\r\n")
    head.append("\r\n")
    return "".join(head).encode(errors="replace")


@lru_cache
def _first_line(status: int) -> str:
    known = status in HTTPStatus._value2member_map_
    return f"HTTP/1.1 {status} {HTTPStatus(status).phrase if known else ''}\r\n"


@lru_cache(maxsize=1)
def _date(seconds: int) -> str:
    return f"Date: {formatdate(seconds, usegmt=True)}\r\n"


def _one_line(value: str) -> str:
    """A value with line breaks would end the header, or start another one: they become spaces, as in Go's server."""
    return value.replace("\r", " ").replace("\n", " ") if "\n" in value or "\r" in value else value
