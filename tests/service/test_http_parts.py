"""Responses that the HTTP server sends in parts, as they come."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncGenerator

import h11
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lambdatui.service.http import Later, Request, Response, Streamed
from tests.service.test_http import Client, get, serving


class Source:
    """Hands out parts when the test says so, and knows when nobody wants them any more."""

    def __init__(self) -> None:
        self.parts: asyncio.Queue[bytes | None] = asyncio.Queue()
        self.closed = asyncio.Event()

    def __call__(self, request: Request) -> Later:
        later = Later()
        later.send(Streamed(200, self._parts(), [("Content-Type", "text/plain")]))
        return later

    async def _parts(self) -> AsyncGenerator[bytes, None]:
        try:
            while part := await self.parts.get():
                yield part
        finally:
            self.closed.set()


async def read_until(client: Client, ending: bytes) -> bytes:
    return await client.reader.readuntil(ending)


async def test_every_part_arrives_before_the_next_one_is_there() -> None:
    source = Source()
    async with serving(source) as (_, connect):
        client = await connect()
        client.send(get("/"))
        assert b"Transfer-Encoding: chunked\r\n" in await read_until(client, b"\r\n\r\n")
        for part in (b"one", b"two"):
            source.parts.put_nowait(part)
            assert await read_until(client, part + b"\r\n") == b"3\r\n" + part + b"\r\n"
        source.parts.put_nowait(None)
        assert await read_until(client, b"0\r\n\r\n") == b"0\r\n\r\n"


@given(st.lists(st.binary(max_size=200), max_size=5), st.booleans())
@settings(max_examples=20, deadline=None)
def test_h11_reads_the_parts_and_the_connection_lives_on(parts: list[bytes], at_once: bool) -> None:
    async def generate() -> AsyncGenerator[bytes, None]:
        for part in parts:
            yield part

    def handle(request: Request) -> Later | Response:
        if request.path != "/parts":
            return Response(200, b"whole")
        later = Later()
        answer = Streamed(200, generate())
        if at_once:
            later.send(answer)
        else:
            asyncio.get_running_loop().call_soon(later.send, answer)
        return later

    async def talk() -> None:
        async with serving(handle) as (_, connect):
            client = await connect()
            client.send(get("/parts") + get("/whole") + get("/parts"))
            assert [(await client.response())[2] for _ in range(3)] == [b"".join(parts), b"whole", b"".join(parts)]

    asyncio.run(talk())


@pytest.mark.parametrize("request_line", [b"GET / HTTP/1.0\r\n\r\n", get("/", "Connection: close")])
async def test_the_connection_ends_with_the_parts_where_it_must(request_line: bytes) -> None:
    source = Source()
    async with serving(source) as (_, connect):
        client = await connect()
        client.send(request_line)
        source.parts.put_nowait(b"part")
        source.parts.put_nowait(None)
        assert (await client.response())[2] == b"part"
        assert await client.ended()


async def test_no_parts_are_sent_to_head() -> None:
    source = Source()
    async with serving(source) as (_, connect):
        client = await connect()
        client.send(get("/").replace(b"GET", b"HEAD") * 2)
        for _ in range(2):
            source.parts.put_nowait(b"part")
            source.parts.put_nowait(None)
            assert (await client.response("HEAD"))[2] == b""


@pytest.mark.parametrize("how", ["abort", "close", "end"])
async def test_a_client_that_goes_closes_the_source(how: str) -> None:
    source = Source()
    async with serving(source) as (server, connect):
        client = await connect()
        client.send(get("/"))
        source.parts.put_nowait(b"part")
        await read_until(client, b"part\r\n")
        match how:
            case "abort":
                client.writer.transport.abort()
            case "close":
                client.writer.close()
            case "end":
                client.writer.write_eof()
        await asyncio.wait_for(source.closed.wait(), 30)
        assert not server.connections


async def test_a_slow_reader_is_waited_for_and_keeps_nobody_else_waiting() -> None:
    made = 0

    async def endless() -> AsyncGenerator[bytes, None]:
        nonlocal made
        while True:
            made += 1
            yield b"x" * 100_000

    def handle(request: Request) -> Later | Response:
        if request.path == "/other":
            return Response(200, b"other")
        later = Later()
        later.send(Streamed(200, endless()))
        return later

    async with serving(handle) as (server, connect):
        slow = await connect()
        slow.reader._transport.pause_reading()  # type: ignore[attr-defined]
        slow.send(get("/"))
        while not any(connection._taken for connection in server.connections):
            await asyncio.sleep(0)
        waited_at = made
        other = await connect()
        for _ in range(20):
            other.send(get("/other"))
            assert (await other.response())[2] == b"other"
        assert made == waited_at < 500
        slow.reader._transport.resume_reading()  # type: ignore[attr-defined]
        while made < waited_at + 100:
            await slow.reader.read(2**16)


async def test_a_source_that_fails_ends_the_connection_without_an_end(caplog: pytest.LogCaptureFixture) -> None:
    async def failing() -> AsyncGenerator[bytes, None]:
        yield b"part"
        raise RuntimeError("no more")

    def handle(request: Request) -> Later:
        later = Later()
        later.send(Streamed(200, failing()))
        return later

    async with serving(handle) as (_, connect):
        with caplog.at_level(logging.ERROR):
            client = await connect()
            client.send(get("/"))
            with pytest.raises((h11.RemoteProtocolError, ConnectionError)):
                await client.response()
        assert "GET / failed halfway" in caplog.text


async def test_closing_the_server_closes_the_sources() -> None:
    source = Source()
    async with serving(source) as (server, connect):
        client = await connect()
        client.send(get("/"))
        await read_until(client, b"\r\n\r\n")
        await server.close()
        assert source.closed.is_set()
