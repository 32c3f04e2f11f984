"""A small HTTP/1.1 server on the event loop: one function gets each request and answers it, now or later.

It keeps connections alive, answers pipelined requests in their order and refuses what is no request with a 4xx. While a
client waits for its answer, or for more of it, it is noticed when it goes away.
"""

from __future__ import annotations

import asyncio
import socket
from abc import ABC, abstractmethod
from collections import deque
from collections.abc import Callable, Mapping
from contextlib import aclosing
from typing import TypeAlias

from lambdatui.service.http_requests import (
    STATUS,
    End,
    Head,
    Limits,
    Part,
    Received,
    Refusal,
    Request,
    RequestParser,
)
from lambdatui.service.http_responses import BrokenOff, Response, Streamed, encode, encode_head

__all__ = [
    "BodyReader",
    "BrokenOff",
    "Handler",
    "HttpServer",
    "Later",
    "Limits",
    "Refusal",
    "Request",
    "Response",
    "Streamed",
    "plain_refusal",
]

_READ_BYTES = 2**16

_PIPELINED = 16
"""So many requests may wait behind one that is being answered; then the connection is not read until they are fewer."""

_LINGER_SECONDS = 2.0
"""How long a refused client may go on sending. Closing at once would reset the connection, and the client might never
read why it was refused (RFC 9112, 9.6)."""


class Later:
    """An answer that is still to come. Sending it writes it at once, not in a later turn of the event loop as a future
    would: every warm invocation waits for that."""

    def __init__(self, gone: Callable[[], object] | None = None) -> None:
        self._gone = gone
        self._deliver: Callable[[Response | Streamed], None] | None = None
        self._response: Response | Streamed | None = None
        self.waiting = True
        """Nothing was sent yet, and the client is still there. It has gone when `gone` is called."""

    def send(self, response: Response | Streamed) -> None:
        """Answer. Does nothing if the client has gone, or has its answer."""
        if not self.waiting:
            return
        self.waiting = False
        if self._deliver is None:
            self._response = response
        else:
            self._deliver(response)

    def attach(self, deliver: Callable[[Response | Streamed], None]) -> Response | Streamed | None:
        """For the connection: what was sent already; else what is sent will go to `deliver`."""
        self._deliver = deliver
        return self._response

    def abandon(self) -> None:
        """For the connection: nobody waits any more."""
        if self.waiting:
            self.waiting = False
            if self._gone is not None:
                self._gone()


class BodyReader(ABC):
    """Gets the body of one request as it arrives. One that is cut short has no end: it is refused."""

    @abstractmethod
    def part(self, data: bytes) -> None:
        """Some more of it."""

    @abstractmethod
    def end(self, trailers: Mapping[str, str]) -> Response:
        """That was all of it; the answer."""


class _Unread(BodyReader):
    """Of a request that has its answer before its body."""

    def __init__(self, answer: Response) -> None:
        self._answer = answer

    def part(self, data: bytes) -> None:
        pass

    def end(self, trailers: Mapping[str, str]) -> Response:
        return self._answer


Handler: TypeAlias = Callable[[Request], Response | Later | BodyReader]
"""A BodyReader is for requests that are handed over without their body."""


def plain_refusal(refusal: Refusal) -> Response:
    """The reason as plain text."""
    return Response(STATUS[refusal.why], f"{refusal.why}\n".encode(), [("Content-Type", "text/plain; charset=utf-8")])


class HttpServer:
    """Listens on one address. `refuse` answers for what never reaches `handle`, and where `handle` fails; `streams`
    says which requests are answered before their body, by `read` if that is somebody else."""

    def __init__(
        self,
        handle: Handler,
        *,
        refuse: Callable[[Refusal], Response] = plain_refusal,
        limits: Limits | None = None,
        streams: Callable[[Request], bool] = lambda _: False,
        read: Handler | None = None,
    ) -> None:
        self.handle = handle
        self.read = read or handle
        self.streams = streams
        self.refuse = refuse
        self.limits = limits or Limits()
        self.connections: dict[Connection, None] = {}
        """The oldest first."""
        self.sending: set[asyncio.Task[None]] = set()
        """Of each response that is being sent in parts."""
        self.buffer = memoryview(bytearray(_READ_BYTES))
        """Every connection reads into it and has done with it at once. A fresh one for each read, as asyncio makes it
        by itself, costs three system calls."""
        self._server: asyncio.Server | None = None

    async def start(self, host: str = "127.0.0.1", port: int = 0) -> None:
        loop = asyncio.get_running_loop()
        self._server = await loop.create_server(lambda: Connection(self), host, port)

    @property
    def address(self) -> str:
        """`host:port` as the operating system gave it."""
        if self._server is None:
            raise RuntimeError("the server was not started")
        host, port = self._server.sockets[0].getsockname()[:2]
        return f"{host}:{port}"

    def drop_connections(self) -> None:
        """Hang up on everyone who has connected until now; what they sent and nobody has read is never read."""
        self._drop_accepted()
        if self._server is not None:
            for listening in self._server.sockets:
                _refuse_backlog(listening.dup())
            # asyncio accepts a connection in one turn of the loop and makes its protocol in the next.
            asyncio.get_running_loop().call_soon(self._drop_accepted)

    async def close(self) -> None:
        """Stop listening and hang up. Closing twice does nothing."""
        if self._server is not None:
            server, self._server = self._server, None
            server.close()
            self._drop_accepted()
            await server.wait_closed()
            self._drop_accepted()
            await asyncio.gather(*self.sending, return_exceptions=True)

    def make_room(self, new: Connection) -> None:
        """For a connection that is made. Where there are as many as there may be it takes the place of the oldest one
        that waits for no answer: whoever connects and sends nothing, or does not come to an end, cannot keep others
        out. Where all wait it is turned away itself."""
        if self.limits.connections is not None and len(self.connections) > self.limits.connections:
            next(each for each in self.connections if each is new or not each.waits).drop()

    def _drop_accepted(self) -> None:
        for connection in list(self.connections):
            connection.drop()


def _refuse_backlog(listening: socket.socket) -> None:
    with listening:
        while True:
            try:
                accepted, _ = listening.accept()
            except OSError:
                return
            accepted.close()


class Connection(asyncio.BufferedProtocol):
    """One client: what it sent waits in a queue, and at most one request is being answered."""

    def __init__(self, server: HttpServer) -> None:
        self._server = server
        self._loop = asyncio.get_running_loop()
        self._parser = RequestParser(server.limits, server.streams)
        self._transport: asyncio.Transport | None = None
        self._queue: deque[Received] = deque()
        self._answering: Request | None = None
        self._later: Later | None = None
        self._sending: asyncio.Task[None] | None = None
        self._taken: asyncio.Future[None] | None = None
        """Done when the client has read what it was sent."""
        self._reader: BodyReader = _Unread(Response(500))
        """Of the body that is arriving, if there is one."""
        self._timer: asyncio.TimerHandle | None = None
        self._heard = 0.0
        self._begun = 0, 0.0
        """How many requests had begun when the last one did, and when that was."""
        self._writable = True
        self._reading = True
        self._open = True
        self._lingering = False
        server.connections[self] = None

    # What the transport calls.

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport
        if self._open:
            self._server.make_room(self)
        if not self._open:
            transport.abort()
            return
        # asyncio does this only for sockets made with an explicit protocol number; without it, answers wait 40 ms.
        transport.get_extra_info("socket").setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)

    def get_buffer(self, _: int) -> memoryview:
        return self._server.buffer

    def buffer_updated(self, size: int) -> None:
        if self._lingering or not self._open:
            return
        self._queue += self._parser.feed(self._server.buffer[:size])
        self._advance()
        if self._parser.incomplete:
            self._watch()

    def eof_received(self) -> None:
        """A client that ends its side is gone: a process that dies looks the same."""
        if self._sending is not None:
            self.drop()
        if self._open and not self._lingering:
            self._queue += self._parser.end("truncated")
            self._advance()

    def connection_lost(self, _: Exception | None) -> None:
        self._forget()

    def pause_writing(self) -> None:
        self._writable = False

    def resume_writing(self) -> None:
        self._writable = True
        if self._taken and not self._taken.done():
            self._taken.set_result(None)
        self._advance()

    @property
    def waits(self) -> bool:
        """For an answer."""
        return not self._idle

    def drop(self) -> None:
        """Hang up; whatever arrives or becomes ready later is ignored."""
        self._forget()
        if self._transport is not None:
            self._transport.abort()

    def _forget(self) -> None:
        self._open = False
        self._queue.clear()
        self._server.connections.pop(self, None)
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        later, self._later = self._later, None
        if later is not None:
            later.abandon()
        if self._sending is not None:
            self._sending.cancel()

    # Answering, in order.

    @property
    def _idle(self) -> bool:
        """No request is being answered."""
        return self._later is None and self._sending is None

    def _advance(self) -> None:
        """Answer what can be answered now."""
        while self._queue and self._idle and self._writable and not self._lingering:
            received = self._queue.popleft()
            match received:
                case Refusal():
                    self._refuse(received)
                    return
                case Request():
                    self._answer(received)
                case Head(request):
                    self._read(request)
                case Part(data):
                    self._reader.part(data)
                case End(trailers):
                    assert self._answering
                    self._write(self._answering, self._reader.end(trailers))
        if self._open:
            self._balance()

    def _answer(self, request: Request) -> None:
        answer = self._ask(self._server.handle, request)
        assert not isinstance(answer, BodyReader)
        if isinstance(answer, Later):
            sent = answer.attach(self._deliver)
            if sent is None:
                self._answering, self._later = request, answer
                return
            self._send(request, sent)
        else:
            self._send(request, answer)

    def _read(self, request: Request) -> None:
        answer = self._ask(self._server.read, request)
        assert not isinstance(answer, Later)
        self._answering = request
        self._reader = answer if isinstance(answer, BodyReader) else _Unread(answer)

    def _ask(self, handler: Handler, request: Request) -> Response | Later | BodyReader:
        try:
            return handler(request)
        except Exception as error:
            message = f"{request.method} {request.path} failed"
            self._loop.call_exception_handler({"message": message, "exception": error, "protocol": self})
            return self._server.refuse(Refusal("failed", request))

    def _deliver(self, response: Response | Streamed) -> None:
        request = self._answering
        assert request is not None
        self._answering = self._later = None
        self._send(request, response)
        if self._queue or self._parser.wants_continue:
            self._loop.call_soon(self._advance)  # not now: the one who sends does not expect the next request here

    def _send(self, request: Request, response: Response | Streamed) -> None:
        if isinstance(response, Response):
            self._write(request, response)
            return
        self._sending = task = self._loop.create_task(self._send_parts(request, response))
        self._server.sending.add(task)
        task.add_done_callback(self._server.sending.discard)

    async def _send_parts(self, request: Request, response: Streamed) -> None:
        """One that fails halfway ends with the connection and without the last chunk: so the client knows."""
        assert self._transport is not None
        chunked, bodiless = request.version != "1.0", request.method == "HEAD"
        try:
            async with aclosing(response.parts) as parts:
                self._transport.write(encode_head(response, request))
                async for part in parts:
                    if part and not bodiless:
                        self._transport.write(b"%x\r\n%b\r\n" % (len(part), part) if chunked else part)
                        await self._until_taken()
        except BrokenOff:
            self._sending = None
            self._written(request._replace(keep_alive=False))
            return
        except Exception as error:
            self._sending = None
            message = f"{request.method} {request.path} failed halfway"
            self._loop.call_exception_handler({"message": message, "exception": error, "protocol": self})
            self.drop()
            return
        self._sending = None
        if chunked and not bodiless:
            self._transport.write(b"0\r\n\r\n")
        self._written(request._replace(keep_alive=request.keep_alive and chunked))
        self._advance()

    async def _until_taken(self) -> None:
        if not self._writable:
            self._taken = self._loop.create_future()
            await self._taken

    def _write(self, request: Request, response: Response) -> None:
        if not self._open:
            return
        assert self._transport is not None
        self._transport.write(encode(response, request))
        self._written(request)

    def _written(self, request: Request) -> None:
        if not request.keep_alive:
            assert self._transport is not None
            self._transport.close()
            self._queue.clear()
            self._open = False

    def _refuse(self, refusal: Refusal) -> None:
        """Say why, end our side, and read on for a while, so that the client reads it."""
        response = self._server.refuse(refusal)
        if not self._open:
            return
        assert self._transport is not None
        method = refusal.request.method if refusal.request else ""
        self._transport.write(encode(response, Request(method, "", keep_alive=False)))
        self._queue.clear()
        self._lingering = True
        if self._transport.can_write_eof():
            self._transport.write_eof()
        self._transport.resume_reading()
        if self._timer is not None:
            self._timer.cancel()
        self._timer = self._loop.call_later(_LINGER_SECONDS, self.drop)

    def _balance(self) -> None:
        """Do not read from a client that is far ahead; tell one that waits for it to send its body."""
        assert self._transport is not None
        reading = len(self._queue) <= _PIPELINED
        if reading is not self._reading:
            self._reading = reading
            (self._transport.resume_reading if reading else self._transport.pause_reading)()
        if self._parser.wants_continue and not self._queue and self._idle:
            self._parser.wants_continue = False
            self._transport.write(b"HTTP/1.1 100 Continue\r\n\r\n")

    # Silence in the middle of a request.

    def _watch(self) -> None:
        self._heard = self._loop.time()
        if self._begun[0] != self._parser.begun:
            self._begun = self._parser.begun, self._heard
        idle = self._server.limits.idle_seconds
        if self._timer is None and idle is not None:
            self._timer = self._loop.call_later(idle, self._check_silence, idle)

    def _check_silence(self, idle: float) -> None:
        self._timer = None
        if not self._parser.incomplete:
            return
        now = self._loop.time()
        in_all = self._server.limits.request_seconds
        left = self._heard + idle - now
        if in_all is not None:
            left = min(left, self._begun[1] + in_all - now)
        if not self._reading:
            left = idle
        if left > 0:
            self._timer = self._loop.call_later(left, self._check_silence, idle)
        else:
            self._queue += self._parser.end("timed out")
            self._advance()
