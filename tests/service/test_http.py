"""The HTTP server, with h11 as the oracle of what requests and responses are."""

from __future__ import annotations

import asyncio
import contextlib
import itertools
import logging
import random
import socket
from collections.abc import AsyncIterator, Callable
from typing import TypeAlias

import h11
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lambdatui.service.http import Handler, HttpServer, Later, Limits, Refusal, Request, Response, plain_refusal
from lambdatui.service.http_requests import STATUS, End, Head, Part, Received, RequestParser
from lambdatui.service.http_responses import encode

Seen: TypeAlias = tuple[str, str, dict[str, str], bytes]

LIMITS = Limits(head_bytes=2000, body_bytes=5000, idle_seconds=30)

TOKEN = st.text("abcdefghijklmnopqrstuvwxyz-", min_size=1, max_size=12).map(lambda name: "x" + name)
VALUE = st.text(st.characters(min_codepoint=0x21, max_codepoint=0x7E), max_size=20)


@st.composite
def wire_requests(draw: st.DrawFn) -> tuple[bytes, Seen]:
    """A request as h11 writes it, and what must be read from it."""
    method = draw(st.sampled_from(["GET", "POST", "PUT", "DELETE", "HEAD", "PATCH"]))
    target = "/" + draw(st.text("abc/%20=&?.", max_size=15))
    headers = draw(st.dictionaries(TOKEN, VALUE, max_size=4)) | {"host": "lambda"}
    chunks = draw(st.lists(st.binary(min_size=1, max_size=80), max_size=4))
    client = h11.Connection(h11.CLIENT)
    framing = {"transfer-encoding": "chunked"}
    if draw(st.booleans()):
        framing = {"content-length": str(sum(map(len, chunks)))}
    sent = headers | framing
    trailers = [("host", "evil")] if "transfer-encoding" in framing and draw(st.booleans()) else []
    wire = client.send(h11.Request(method=method, target=target, headers=list(sent.items()))) or b""
    for chunk in chunks:
        wire += client.send(h11.Data(chunk)) or b""
    wire += client.send(h11.EndOfMessage(headers=trailers)) or b""
    return wire, (method, target, sent, b"".join(chunks))


def parse(pieces: list[bytes], limits: Limits = LIMITS) -> list[Received]:
    parser = RequestParser(limits)
    return [received for piece in pieces for received in parser.feed(piece)]


def seen(received: Received) -> Seen:
    assert isinstance(received, Request), received
    target = received.path + (f"?{received.query}" if received.query else "")
    return received.method, target, dict(received.headers), received.body


def cut(wire: bytes, seed: int) -> list[bytes]:
    places = sorted(random.Random(seed).choices(range(len(wire) + 1), k=1 + seed % 12))
    return [wire[a:b] for a, b in zip([0, *places], [*places, len(wire)], strict=True) if a < b]


class TestParser:
    @given(st.lists(wire_requests(), min_size=1, max_size=4), st.integers(0, 10**6))
    @settings(max_examples=100, deadline=None)
    def test_reads_what_h11_wrote_however_it_is_cut(self, requests: list[tuple[bytes, Seen]], seed: int) -> None:
        wire = b"".join(wire for wire, _ in requests)
        expected = [
            (method, target.removesuffix("?") if target.count("?") == 1 else target, headers, body)
            for _, (method, target, headers, body) in requests
        ]
        assert [seen(received) for received in parse(cut(wire, seed))] == expected

    @given(st.binary(max_size=200), st.integers(0, 10**6))
    @settings(max_examples=100, deadline=None)
    def test_garbage_is_refused_once_or_waited_for(self, garbage: bytes, seed: int) -> None:
        received = parse(cut(b"GET / HTTP/1.1\r\nHost: a\r\n" + garbage, seed))
        assert all(isinstance(each, Request) for each in received[:-1])

    @given(wire_requests(), st.integers(0, 10**6), st.integers(0, 255))
    @settings(max_examples=100, deadline=None)
    def test_what_is_accepted_h11_accepts_too(self, request: tuple[bytes, Seen], place: int, byte: int) -> None:
        wire = bytearray(request[0])
        wire[place % len(wire)] = byte
        received = parse([bytes(wire)])
        if received and isinstance(received[0], Request):
            server = h11.Connection(h11.SERVER)
            server.receive_data(bytes(wire))
            event = server.next_event()
            assert isinstance(event, h11.Request)
            assert event.method.decode() == received[0].method

    @given(st.lists(wire_requests(), min_size=1, max_size=4), st.integers(0, 10**6))
    @settings(max_examples=100, deadline=None)
    def test_hands_over_in_parts_what_it_reads_as_a_whole(self, requests: list[tuple[bytes, Seen]], seed: int) -> None:
        pieces = cut(b"".join(wire for wire, _ in requests), seed)
        parser = RequestParser(LIMITS, lambda request: request.method != "PUT")
        together: list[Received] = []
        for received in (received for piece in pieces for received in parser.feed(piece)):
            match received:
                case Head(request):
                    together.append(request)
                case Part(data):
                    head = together[-1]
                    assert isinstance(head, Request) and data
                    together[-1] = head._replace(body=head.body + data)
                case End(trailers):
                    assert trailers in ({}, {"host": "evil"})
                case _:
                    assert isinstance(received, Request) and received.method == "PUT"
                    together.append(received)
        assert together == parse(pieces)

    def test_every_byte_alone(self) -> None:
        wire = b"POST /a?b=c HTTP/1.1\r\nHost: x\r\nX-A: 1\r\nx-a: 2\r\nTransfer-Encoding: chunked\r\n\r\n"
        wire += b"3\r\nabc\r\n0\r\n\r\n"
        (request,) = parse([wire[i : i + 1] for i in range(len(wire))])
        assert isinstance(request, Request)
        assert (request.path, request.query, request.body, request.headers["x-a"]) == ("/a", "b=c", b"abc", "1, 2")

    def test_bytes_in_headers_survive(self) -> None:
        (request,) = parse([b"GET / HTTP/1.1\r\nHost: x\r\nX-A: gr\xfc\xc3\xbc\r\n\r\n"])
        assert isinstance(request, Request)
        assert request.headers["x-a"].encode(errors="surrogateescape") == b"gr\xfc\xc3\xbc"

    @pytest.mark.parametrize(
        ("target", "path"),
        [("http://host:1/a/b?c", "/a/b"), ("http://host", "/"), ("*", "*"), ("/a%2Fb", "/a%2Fb"), ("/a://b", "/a://b")],
    )
    def test_targets(self, target: str, path: str) -> None:
        (request,) = parse([f"OPTIONS {target} HTTP/1.1\r\nHost: x\r\n\r\n".encode()])
        assert isinstance(request, Request)
        assert request.path == path

    @pytest.mark.parametrize(
        ("wire", "why"),
        [
            (b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03", "malformed"),
            (b"hello\r\n\r\n", "malformed"),
            (b"GET / HTTP/1.1\r\n\r\n", "malformed"),
            (b"GET / HTTP/1.1\r\nHost: x\r\nA : b\r\n\r\n", "malformed"),
            (b"CONNECT a:1 HTTP/1.1\r\nHost: a\r\n\r\n", "malformed"),
            (b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nab", "malformed"),
            (
                b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
                "malformed",
            ),
            (b"POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n", "malformed"),
            (b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 99999999999999999999999\r\n\r\n", "malformed"),
            (b"GET / HTTP/2.0\r\nHost: x\r\n\r\n", "version"),
            (b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", "malformed"),
            (b"GET / HTTP/1.1\r\nHost: x\r\nExpect: a miracle\r\n\r\n", "expectation failed"),
            (b"GET /" + b"a" * 2000 + b" HTTP/1.1\r\nHost: x\r\n\r\n", "head too large"),
            (b"GET / HTTP/1.1\r\nHost: x\r\n" + b"X-A: 12345678\r\n" * 300 + b"\r\n", "head too large"),
            (b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 5001\r\n\r\n", "body too large"),
            (
                b"POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n" + b"800\r\n" + b"a" * 2048 + b"\r\n"
                b"800\r\n" + b"a" * 2048 + b"\r\n800\r\n" + b"a" * 2048 + b"\r\n",
                "body too large",
            ),
        ],
        ids=itertools.count(),
    )
    def test_refuses(self, wire: bytes, why: str) -> None:
        good = b"GET /good HTTP/1.1\r\nHost: x\r\n\r\n"
        for pieces in ([good + wire], [good, wire], *(cut(good + wire, seed) for seed in range(5))):
            first, *rest = parse([*pieces, good])
            assert isinstance(first, Request)
            assert [each.why for each in rest if isinstance(each, Refusal)] == [why]
            assert len(rest) == 1

    @pytest.mark.parametrize("chunked", ["", "Transfer-Encoding: chunked\r\n\r\n0\r\n"])
    @pytest.mark.parametrize("endless", [b"a", b" "])
    def test_refuses_a_header_or_trailer_without_end(self, chunked: str, endless: bytes) -> None:
        head = f"POST / HTTP/1.1\r\nHost: x\r\n{chunked}X-A: ".encode()
        (refusal,) = parse([head, *[endless * 500] * 20])
        assert isinstance(refusal, Refusal)
        assert refusal.why == "head too large"

    def test_a_body_may_have_exactly_the_limit(self) -> None:
        head = b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 5000\r\n\r\n"
        assert seen(parse([head, b"a" * 5000])[0])[3] == b"a" * 5000

    def test_the_size_of_a_body_that_is_too_large(self) -> None:
        (refusal,) = parse([b"POST /big HTTP/1.1\r\nHost: x\r\nContent-Length: 5001\r\n\r\n"])
        assert isinstance(refusal, Refusal)
        assert refusal.body_size == 5001
        assert refusal.request is not None
        assert refusal.request.path == "/big"

    @pytest.mark.parametrize("end", [b"", b"GE", b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 3\r\n\r\nab"])
    def test_end(self, end: bytes) -> None:
        parser = RequestParser(LIMITS)
        assert parser.feed(end) == []
        assert [each.why for each in parser.end("truncated") if isinstance(each, Refusal)] == ["truncated"] * bool(end)
        assert parser.end("truncated") == []

    @pytest.mark.parametrize("seed", range(8))
    def test_an_upgrade_is_ignored(self, seed: int) -> None:
        upgrade = b"Connection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\nHTTP2-Settings: AAE\r\n"
        one = b"POST /a HTTP/1.1\r\nHost: x\r\nContent-Length: 3\r\n" + upgrade + b"\r\nabc"
        two = b"GET /b HTTP/1.1\r\nHost: x\r\n" + upgrade + b"\r\n"
        received = parse(cut(one + two + one, seed))
        assert [(seen(each)[1], seen(each)[3]) for each in received] == [("/a", b"abc"), ("/b", b""), ("/a", b"abc")]

    def test_a_thousand_upgrades_at_once(self) -> None:
        one = b"GET / HTTP/1.1\r\nHost: x\r\nConnection: upgrade\r\nUpgrade: h2c\r\n\r\n"
        assert len(parse([one * 3000])) == 3000


class TestEncode:
    @given(
        st.sampled_from([200, 201, 202, 400, 403, 404, 413, 429, 500]),
        st.binary(max_size=300),
        st.dictionaries(TOKEN, VALUE, max_size=4),
        st.sampled_from(["GET", "POST", "HEAD"]),
        st.booleans(),
    )
    def test_h11_reads_it(
        self, status: int, body: bytes, headers: dict[str, str], method: str, keep_alive: bool
    ) -> None:
        wire = encode(Response(status, body, list(headers.items())), Request(method, "/", keep_alive=keep_alive))
        client = h11.Connection(h11.CLIENT)
        client.send(h11.Request(method=method, target="/", headers=[("host", "x")]))
        client.send(h11.EndOfMessage())
        client.receive_data(wire)
        response = client.next_event()
        assert isinstance(response, h11.Response)
        assert response.status_code == status
        got = {name.decode(): value.decode() for name, value in response.headers}
        assert headers.items() <= got.items()
        assert got["content-length"] == str(len(body))
        assert got["date"].endswith(" GMT")
        events = iter(client.next_event, h11.PAUSED)
        read = b""
        for event in events:
            if isinstance(event, h11.EndOfMessage):
                break
            assert isinstance(event, h11.Data)
            read += event.data
        assert read == (b"" if method == "HEAD" else body)
        assert (client.their_state is h11.MUST_CLOSE) is not keep_alive

    def test_no_line_break_gets_into_a_header(self) -> None:
        wire = encode(Response(200, b"", [("X-A", "a\r\nSet-Cookie: b\n\ud800ü")]), Request("GET", "/"))
        assert b"X-A: a  Set-Cookie: b ?\xc3\xbc\r\n" in wire

    @pytest.mark.parametrize("status", [204, 304])
    def test_no_body_where_there_may_be_none(self, status: int) -> None:
        wire = encode(Response(status, b"body"), Request("GET", "/"))
        assert b"Content-Length" not in wire
        assert wire.endswith(b"\r\n\r\n")

    def test_http_1_0_is_told_that_the_connection_stays(self) -> None:
        assert b"Connection: keep-alive\r\n" in encode(Response(200), Request("GET", "/", version="1.0"))


class Client:
    """A connection of one's own, whose responses h11 reads."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.reader, self.writer = reader, writer
        self.unread = b""

    def send(self, wire: bytes) -> None:
        self.writer.write(wire)

    async def response(self, method: str = "GET") -> tuple[int, dict[str, str], bytes]:
        h = h11.Connection(h11.CLIENT)
        h.send(h11.Request(method=method, target="/", headers=[("host", "x")]))
        h.send(h11.EndOfMessage())
        if self.unread:
            h.receive_data(self.unread)
        status, headers, body = 0, dict[str, str](), b""
        while True:
            event = h.next_event()
            if event is h11.NEED_DATA:
                h.receive_data(await self.reader.read(65536))
            elif isinstance(event, h11.Response | h11.InformationalResponse):
                status, headers = event.status_code, {name.decode(): value.decode() for name, value in event.headers}
                if isinstance(event, h11.InformationalResponse):
                    break
            elif isinstance(event, h11.Data):
                body += event.data
            elif isinstance(event, h11.EndOfMessage):
                break
            else:
                raise AssertionError(event)
        self.unread = h.trailing_data[0]
        return status, headers, body

    async def ended(self) -> bool:
        """Whether the server hangs up with nothing more to say."""
        try:
            return self.unread + await self.reader.read() == b""
        except ConnectionError:
            return True


def get(path: str, *headers: str) -> bytes:
    return "\r\n".join([f"GET {path} HTTP/1.1", "Host: x", *headers, "", ""]).encode()


def post(path: str, body: bytes, *headers: str) -> bytes:
    head = [f"POST {path} HTTP/1.1", "Host: x", f"Content-Length: {len(body)}", *headers, "", ""]
    return "\r\n".join(head).encode() + body


def echo(request: Request) -> Response:
    return Response(200, f"{request.method} {request.path} ".encode() + request.body)


Connect: TypeAlias = Callable[[], "asyncio.Future[Client]"]


@contextlib.asynccontextmanager
async def serving(
    handle: Handler,
    limits: Limits = LIMITS,
    refuse: Callable[[Refusal], Response] = plain_refusal,
    server: HttpServer | None = None,
) -> AsyncIterator[tuple[HttpServer, Connect]]:
    server = server or HttpServer(handle, limits=limits, refuse=refuse)
    await server.start()
    clients: list[Client] = []

    async def connect() -> Client:
        host, _, port = server.address.partition(":")
        clients.append(Client(*await asyncio.open_connection(host, int(port))))
        return clients[-1]

    try:
        yield server, lambda: asyncio.ensure_future(connect())
    finally:
        await server.close()
        for client in clients:
            client.writer.close()
            with contextlib.suppress(ConnectionError):
                await client.writer.wait_closed()


class Parked:
    """A handler whose answers all come later."""

    def __init__(self) -> None:
        self.asked: asyncio.Queue[tuple[Request, Later]] = asyncio.Queue()
        self.gone: asyncio.Queue[str] = asyncio.Queue()

    def __call__(self, request: Request) -> Later:
        later = Later(lambda: self.gone.put_nowait(request.path))
        self.asked.put_nowait((request, later))
        return later


class TestServer:
    async def test_one_connection_many_requests(self) -> None:
        async with serving(echo) as (_, connect):
            client = await connect()
            for number in range(5):
                client.send(post(f"/{number}", b"body"))
                assert (await client.response())[2] == b"POST /%d body" % number

    async def test_pipelined_requests_are_answered_in_order(self) -> None:
        later = Later()
        async with serving(lambda r: later if r.path == "/0" else echo(r)) as (_, connect):
            client = await connect()
            client.send(b"".join(get(f"/{number}") for number in range(100)))
            asyncio.get_running_loop().call_later(0.01, later.send, Response(200, b"GET /0 "))
            assert [(await client.response())[2] for _ in range(100)] == [b"GET /%d " % n for n in range(100)]

    async def test_a_request_cut_anywhere(self) -> None:
        async with serving(echo) as (_, connect):
            client = await connect()
            for seed in range(10):
                for piece in cut(post("/a", b"body"), seed):
                    client.send(piece)
                    await asyncio.sleep(0)
                assert (await client.response())[2] == b"POST /a body"

    async def test_later(self) -> None:
        parked = Parked()
        async with serving(parked) as (_, connect):
            client = await connect()
            client.send(get("/1") + get("/2"))
            for path in ("/1", "/2"):
                request, later = await parked.asked.get()
                assert request.path == path
                assert parked.asked.empty()
                assert later.waiting
                later.send(Response(200, path.encode()))
                later.send(Response(500))
                assert not later.waiting
                assert (await client.response())[2] == path.encode()
            assert parked.gone.empty()

    async def test_who_sends_an_answer_is_not_asked_the_next_request_meanwhile(self) -> None:
        parked, sending = Parked(), False

        def handle(request: Request) -> Later:
            assert not sending
            return parked(request)

        async with serving(handle) as (_, connect):
            client = await connect()
            client.send(get("/") * 2)
            for _ in range(2):
                _, later = await parked.asked.get()
                sending = True
                later.send(Response(200))
                sending = False
                assert (await client.response())[0] == 200

    async def test_answers_wait_for_no_acknowledgement(self) -> None:
        async with serving(Parked()) as (server, connect):
            await connect()
            (connection,) = server.connections
            assert connection._transport is not None
            sock = connection._transport.get_extra_info("socket")
            assert sock.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY)

    @pytest.mark.parametrize("abort", [False, True])
    async def test_a_client_that_goes_is_noticed(self, abort: bool) -> None:
        parked = Parked()
        async with serving(parked) as (server, connect):
            client = await connect()
            client.send(get("/1") + get("/2"))
            _, later = await parked.asked.get()
            if abort:
                client.writer.transport.abort()
            else:
                client.writer.close()
            assert await parked.gone.get() == "/1"
            assert not later.waiting
            later.send(Response(200))
            assert parked.asked.empty()
            assert not server.connections

    async def test_expect_100_continue(self) -> None:
        async with serving(echo) as (_, connect):
            client = await connect()
            wire = post("/a", b"body", "Expect: 100-continue")
            client.send(get("/first") + wire[:-4])
            assert (await client.response())[2] == b"GET /first "
            assert (await client.response())[0] == 100
            client.send(wire[-4:])
            assert (await client.response())[2] == b"POST /a body"

    async def test_expect_100_continue_comes_after_the_answer_before(self) -> None:
        parked = Parked()
        async with serving(parked) as (_, connect):
            client = await connect()
            wire = post("/a", b"body", "Expect: 100-continue")
            client.send(get("/first") + wire[:-4])
            (await parked.asked.get())[1].send(Response(200, b"1"))
            assert (await client.response())[2] == b"1"
            assert (await client.response())[0] == 100
            client.send(wire[-4:])
            (await parked.asked.get())[1].send(Response(200, b"2"))
            assert (await client.response())[2] == b"2"

    async def test_a_body_that_would_be_too_large_is_not_asked_for(self) -> None:
        async with serving(echo) as (_, connect):
            client = await connect()
            client.send(post("/a", b"a" * 5001, "Expect: 100-continue")[:-5001])
            status, headers, _ = await client.response()
            assert (status, headers["connection"]) == (413, "close")
            assert await client.ended()

    @pytest.mark.parametrize(
        ("wire", "status"),
        [
            (b"\x00\xff garbage\r\n\r\n", 400),
            (get("/" + "a" * 3000), 431),
            (post("/", b"a" * 2_000_000), 413),
            (get("/", "Expect: more"), 417),
            (b"GET / HTTP/2.0\r\nHost: x\r\n\r\n", 505),
        ],
        ids=itertools.count(),
    )
    async def test_refusals_are_read_even_by_those_who_send_on(self, wire: bytes, status: int) -> None:
        async with serving(echo) as (_, connect):
            client = await connect()
            client.send(get("/good") + wire + b"and more" * 1000)
            assert (await client.response())[0] == 200
            assert (await client.response())[0] == status
            assert await client.ended()

    async def test_a_refused_client_can_send_to_the_end(self) -> None:
        async with serving(echo) as (server, _):
            host, _, port = server.address.partition(":")
            loop = asyncio.get_running_loop()
            with socket.create_connection((host, int(port))) as client:
                client.setblocking(False)
                await loop.sock_sendall(client, post("/", b"x" * 30_000_000))
                assert b" 413 " in await loop.sock_recv(client, 100)

    async def test_a_truncated_request(self) -> None:
        async with serving(echo) as (_, connect):
            client = await connect()
            client.send(post("/a", b"body")[:-1])
            client.writer.write_eof()
            assert (await client.response())[0] == 400
            assert await client.ended()

    async def test_silence_in_the_middle_of_a_request(self) -> None:
        async with serving(echo, Limits(idle_seconds=0.02)) as (_, connect):
            client = await connect()
            client.send(post("/a", b"body")[:-1])
            assert (await client.response())[0] == 408
            assert await client.ended()

    async def test_who_trickles_is_not_silent_but_slow(self) -> None:
        async with serving(echo, Limits(idle_seconds=0.2, request_seconds=0.3)) as (_, connect):
            client = await connect()
            answer = asyncio.ensure_future(client.response())
            client.send(get("/")[:-2])
            while not answer.done():
                client.send(b"a: b\r\n")
                await asyncio.sleep(0.01)
            assert (await answer)[0] == 408

    async def test_a_request_is_not_slow_for_those_before_it(self) -> None:
        async with serving(echo, Limits(idle_seconds=30, request_seconds=60)) as (server, connect):
            client = await connect()
            client.send(get("/")[:-2])
            (connection,) = server.connections
            while connection._timer is None:
                await asyncio.sleep(0)
            first = connection._begun
            client.send(get("/")[-2:] + get("/")[:-2])
            assert (await client.response())[0] == 200
            assert connection._begun[0] == 2 and connection._begun[1] > first[1]

    async def test_a_new_connection_takes_the_place_of_the_oldest_that_waits_for_nothing(self) -> None:
        parked = Parked()
        async with serving(parked, Limits(connections=3)) as (server, connect):
            waits, silent, begins = [await connect() for _ in range(3)]
            waits.send(get("/"))
            _, later = await parked.asked.get()
            begins.send(get("/")[:-2])
            late = await connect()
            assert await silent.ended()
            await connect()
            assert await begins.ended()
            late.send(get("/late"))
            await parked.asked.get()
            later.send(Response(204))
            assert (await waits.response())[0] == 204
            assert len(server.connections) == 3

    async def test_where_all_wait_a_new_connection_is_turned_away(self) -> None:
        parked = Parked()
        async with serving(parked, Limits(connections=2)) as (_, connect):
            clients = [await connect() for _ in range(2)]
            for client in clients:
                client.send(get("/"))
            asked = [await parked.asked.get() for _ in clients]
            assert await (await connect()).ended()
            for _, later in asked:
                later.send(Response(204))
            assert [(await client.response())[0] for client in clients] == [204, 204]

    async def test_who_is_known_by_the_head_is_answered_by_somebody_else(self) -> None:
        def strange(head: Request) -> bool:
            return "x-strange" in head.headers

        def turn_away(head: Request) -> Response:
            return Response(403, head.path.encode() + head.body)

        server = HttpServer(echo, limits=LIMITS, streams=strange, read=turn_away)
        async with serving(echo, server=server) as (_, connect):
            client = await connect()
            client.send(post("/a", b"body", "X-Strange: yes") + post("/b", b"body"))
            assert (await client.response())[::2] == (403, b"/a")
            assert (await client.response())[::2] == (200, b"POST /b body")

    async def test_silence_between_requests_is_welcome(self) -> None:
        async with serving(echo) as (server, connect):
            client = await connect()
            wire = post("/a", b"body")
            client.send(wire[:-1])
            (connection,) = server.connections
            while connection._timer is None:
                await asyncio.sleep(0)
            client.send(wire[-1:])
            assert (await client.response())[0] == 200
            connection._check_silence(0)
            client.send(get("/b"))
            assert (await client.response())[0] == 200

    @pytest.mark.parametrize("wire", [get("/", "Connection: close"), b"GET / HTTP/1.0\r\n\r\n"])
    async def test_connections_end_when_the_client_wishes(self, wire: bytes) -> None:
        async with serving(echo) as (_, connect):
            client = await connect()
            client.send(wire)
            assert (await client.response())[1]["connection"] == "close"
            assert await client.ended()

    async def test_a_handler_that_fails(self, caplog: pytest.LogCaptureFixture) -> None:
        def fail(request: Request) -> Response:
            raise ValueError("oops")

        def refuse(refusal: Refusal) -> Response:
            assert refusal.request is not None
            return Response(STATUS[refusal.why], f"sorry, {refusal.request.path}".encode())

        async with serving(fail, refuse=refuse) as (_, connect):
            client = await connect()
            for path in ("/a", "/b"):
                with caplog.at_level(logging.ERROR):
                    client.send(get(path))
                    assert (await client.response())[::2] == (500, f"sorry, {path}".encode())
                assert f"GET {path} failed" in caplog.text

    async def test_a_client_that_reads_nothing_costs_little(self) -> None:
        asked = 0

        def large(request: Request) -> Response:
            nonlocal asked
            asked += 1
            return Response(200, b"x" * 100_000)

        async with serving(large) as (server, connect):
            client = await connect()
            client.reader._transport.pause_reading()  # type: ignore[attr-defined]
            client.send(get("/") * 1000)
            (connection,) = server.connections
            while connection._writable:
                await asyncio.sleep(0)
            assert asked < 500
            client.reader._transport.resume_reading()  # type: ignore[attr-defined]
            for _ in range(1000):
                assert len((await client.response())[2]) == 100_000
            assert asked == 1000

    @pytest.mark.parametrize("turns", range(8))
    async def test_dropped_connections_are_never_heard_again(self, turns: int) -> None:
        """Wherever between the kernel's backlog and the handler the connection stands."""
        heard: list[str] = []

        def handle(request: Request) -> Response:
            heard.append(request.path)
            return Response(200)

        async with serving(handle) as (server, connect):
            host, _, port = server.address.partition(":")
            with socket.create_connection((host, int(port))) as old:
                old.sendall(get("/old"))
                for _ in range(turns):
                    await asyncio.sleep(0)
                before = list(heard)
                server.drop_connections()
                client = await connect()
                client.send(get("/new"))
                assert (await client.response())[0] == 200
                assert heard == [*before, "/new"]
                old.setblocking(False)
                with contextlib.suppress(ConnectionError):
                    while await asyncio.get_running_loop().sock_recv(old, 1000):
                        pass

    async def test_dropping_abandons_those_who_wait(self) -> None:
        parked = Parked()
        async with serving(parked) as (server, connect):
            client = await connect()
            client.send(get("/1"))
            _, later = await parked.asked.get()
            server.drop_connections()
            assert not later.waiting
            assert parked.gone.get_nowait() == "/1"
            assert await client.ended()

    async def test_close_twice(self) -> None:
        server = HttpServer(echo)
        with pytest.raises(RuntimeError, match="not started"):
            _ = server.address
        await server.start()
        await server.close()
        await server.close()
