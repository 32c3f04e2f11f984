"""HTTP/1.1 requests out of bytes: no I/O, no clock. However the bytes are cut, the requests are the same.

httptools (llhttp, Node's parser) splits the messages strictly; here stand the limits, what is refused and why, and the
few duties that a server has beyond syntax (RFC 9112: a Host header; RFC 9110: Expect; an Upgrade may be ignored).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Literal, NamedTuple, TypeAlias

import httptools

Why: TypeAlias = Literal[
    "malformed", "truncated", "timed out", "body too large", "expectation failed", "head too large", "version", "failed"
]

STATUS: Mapping[Why, int] = {
    "malformed": 400,
    "truncated": 400,
    "timed out": 408,
    "body too large": 413,
    "expectation failed": 417,
    "head too large": 431,
    "failed": 500,
    "version": 505,
}


@dataclass(frozen=True)
class Limits:
    """What one request may cost, and one server."""

    head_bytes: int = 64 * 2**10
    body_bytes: int = 8 * 2**20
    idle_seconds: float | None = 30.0
    """How long the sender of an incomplete request may be silent; None: for ever."""
    request_seconds: float | None = None
    """How long a request may take to arrive, however its sender trickles; None: for ever."""
    connections: int | None = None
    """How many there may be at once; None: as many as come."""


class Request(NamedTuple):
    """A request that arrived completely. `path` and `query` are as they were sent, percent-encoded."""

    method: str
    path: str
    query: str = ""
    headers: Mapping[str, str] = MappingProxyType({})
    """By lower-case name; values of a repeated header are joined by a comma. What is no UTF-8 becomes surrogates."""
    body: bytes = b""
    keep_alive: bool = True
    version: str = "1.1"


@dataclass(frozen=True, slots=True)
class Refusal:
    """What arrived is not going to be a request; nothing that follows it on the same connection can be read."""

    why: Why
    request: Request | None = None
    """The head of it, where that was complete."""
    body_size: int = 0
    """Of a body that is too large: its length as far as it is known."""


@dataclass(frozen=True, slots=True)
class Head:
    """A request, without its body, whose body is handed over as it arrives: Parts follow, then the End or a Refusal."""

    request: Request


@dataclass(frozen=True, slots=True)
class Part:
    data: bytes


@dataclass(frozen=True, slots=True)
class End:
    """`trailers` by lower-case name."""

    trailers: Mapping[str, str]


Received: TypeAlias = Request | Head | Part | End | Refusal


class _Refused(Exception):
    """Raised in a callback to stop the parser; the reason is in its argument."""


class RequestParser:
    """Feed it bytes, get requests, at most one refusal, and then nothing more. `streams` says of a request without its
    body whether that is to be handed over as it arrives."""

    def __init__(self, limits: Limits, streams: Callable[[Request], bool] = lambda _: False) -> None:
        self._limits = limits
        self._streams = streams
        self._parser = httptools.HttpRequestParser(self)
        self._received: list[Received] = []
        self._refused = False
        self._progress = False
        self._standstill_bytes = 0
        self.incomplete = False
        """A request has begun and not ended."""
        self.begun = 0
        """So many have."""
        self.wants_continue = False
        """The sender waits for `100 Continue` before it sends the body (RFC 9110, 10.1.1)."""

    def feed(self, data: bytes | memoryview) -> list[Received]:
        while not self._refused:
            self._progress = False
            try:
                self._parser.feed_data(data)
            except httptools.HttpParserUpgrade as upgrade:
                data = self._head_without_upgrade() + bytes(data[upgrade.args[0] :])
                self._parser = httptools.HttpRequestParser(self)
                continue
            except httptools.HttpParserError as error:
                refused = error.__context__
                self._refuse(refused.args[0] if isinstance(refused, _Refused) else "malformed")
            else:
                if self.incomplete:
                    self._guard_standstill(len(data))
            break
        received, self._received = self._received, []
        return received

    def end(self, why: Literal["truncated", "timed out"]) -> list[Received]:
        """No more will come: what had begun is refused."""
        if self.incomplete and not self._refused:
            self._refuse(why)
        received, self._received = self._received, []
        return received

    # What httptools calls, in this order.

    def on_message_begin(self) -> None:
        self._progress = True
        self.incomplete = True
        self.begun += 1
        self._head_complete = self._upgrading = self._streaming = False
        self._url = b""
        self._headers: dict[str, str] = {}
        self._trailers: dict[str, str] = {}
        self._head_bytes = self._body_bytes = 0
        self._body: list[bytes] = []

    def on_url(self, part: bytes) -> None:
        self._url += part

    def on_header(self, name: bytes, value: bytes) -> None:
        self._progress = True
        self._head_bytes += len(name) + len(value)
        if self._head_bytes > self._limits.head_bytes:
            raise _Refused("head too large")
        fields = self._trailers if self._head_complete else self._headers  # trailers may not pose as headers
        key, text = name.lower().decode(), value.decode("utf-8", "surrogateescape")
        fields[key] = f"{fields[key]}, {text}" if key in fields else text

    def on_headers_complete(self) -> None:
        if self._head_bytes + len(self._url) > self._limits.head_bytes:
            raise _Refused("head too large")
        parser, headers = self._parser, self._headers
        self._method = parser.get_method()
        self._version = parser.get_http_version()
        self._keep_alive = parser.should_keep_alive()
        if parser.should_upgrade():
            if self._method == b"CONNECT":
                raise _Refused("malformed")
            self._upgrading = True
            return
        self._head_complete = True
        if self._version == "1.1":
            if "host" not in headers:
                raise _Refused("malformed")
        elif self._version != "1.0":
            raise _Refused("version")
        if "content-length" in headers:
            length = int(headers["content-length"])
            if length > self._limits.body_bytes:
                self._body_bytes = length
                raise _Refused("body too large")
        if "expect" in headers:
            if headers["expect"].lower() != "100-continue":
                raise _Refused("expectation failed")
            self.wants_continue = self._version == "1.1"
        head = self._request()
        self._streaming = self._streams(head)
        if self._streaming:
            self._received.append(Head(head))

    def on_body(self, part: bytes) -> None:
        self._progress = True
        self.wants_continue = False
        self._body_bytes += len(part)
        if self._body_bytes > self._limits.body_bytes:
            raise _Refused("body too large")
        if self._streaming:
            self._received.append(Part(part))
        else:
            self._body.append(part)

    def on_message_complete(self) -> None:
        if self._upgrading:
            return
        self.incomplete = self.wants_continue = False
        if self._streaming:
            self._received.append(End(self._trailers))
            return
        body = self._body
        self._received.append(self._request(body[0] if len(body) == 1 else b"".join(body)))
        self._body = []

    def _request(self, body: bytes = b"") -> Request:
        target = self._url.decode(errors="surrogateescape")
        path, _, query = (target if target[0] == "/" else _origin_form(target)).partition("?")
        return Request(self._method.decode(), path, query, self._headers, body, self._keep_alive, self._version)

    def _refuse(self, why: Why) -> None:
        head = self._request() if self.incomplete and self._head_complete else None
        self._received.append(Refusal(why, head, self._body_bytes if why == "body too large" else 0))
        self._refused = True
        self.incomplete = self.wants_continue = False

    def _guard_standstill(self, fed: int) -> None:
        """httptools keeps to itself what may become a header or a trailer, however long. Whitespace around a value does
        not count towards the limit, hence twice."""
        self._standstill_bytes = 0 if self._progress else self._standstill_bytes + fed
        if self._standstill_bytes > 2 * self._limits.head_bytes:
            self._refuse("head too large")

    def _head_without_upgrade(self) -> bytes:
        """The request as if it had not asked for another protocol. llhttp would skip its body, but clients that offer
        h2c with every request (java.net.http does) count on being answered in HTTP/1.1."""
        fields = [f"{name}: {value}\r\n" for name, value in self._headers.items() if name != "upgrade"]
        first = b"%b %b HTTP/%b\r\n" % (self._method, self._url, self._version.encode())
        return first + "".join(fields).encode(errors="surrogateescape") + b"\r\n"


def _origin_form(target: str) -> str:
    """`/path?query` also where the absolute form was sent, which a server must understand (RFC 9112, 3.2.2)."""
    if target.startswith("/") or "://" not in target:
        return target
    authority_and_path = target.partition("://")[2]
    slash = authority_and_path.find("/")
    return authority_and_path[slash:] if slash >= 0 else "/"
