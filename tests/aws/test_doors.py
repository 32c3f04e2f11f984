"""Who may come in: everybody else is turned away before anything happens, and cannot keep the others out."""

from __future__ import annotations

import asyncio
import json
import os
import socket
import tracemalloc
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import pytest

from lambdatui.aws import limits
from lambdatui.aws.endpoint import open_endpoint
from lambdatui.journal import Journal
from lambdatui.service.service import Settings, open_service
from tests.aws.conftest import Cloud, call
from tests.aws.test_signature import signed

INVOCATION = "POST /2015-03-31/functions/F/invocations HTTP/1.1\r\n"


class Visitor:
    """A connection over which one says what one wants."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._reader, self._writer = reader, writer

    @classmethod
    async def of(cls, cloud: Cloud) -> Visitor:
        host, port = cloud.endpoint.url.removeprefix("http://").split(":")
        return cls(*await asyncio.open_connection(host, int(port)))

    async def say(self, data: bytes | str) -> None:
        self._writer.write(data.encode() if isinstance(data, str) else data)
        await self._writer.drain()

    async def hear(self) -> tuple[int, str]:
        """Status and body of an answer."""
        head = await self._reader.readuntil(b"\r\n\r\n")
        length = int(head.lower().partition(b"content-length: ")[2].split(b"\r\n")[0])
        return int(head.split(b" ")[1]), (await self._reader.readexactly(length)).decode()

    async def rest(self) -> bytes:
        """Until the other side hangs up."""
        try:
            return await self._reader.read()
        except ConnectionResetError:
            return b""

    def leave(self) -> None:
        self._writer.close()


def on_wire(cloud: Cloud, **headers: str) -> str:
    """A good invocation, with these headers in addition or instead."""
    request = signed(query="", key=cloud.endpoint.keys.own, at=datetime.now(UTC))
    fields = {**request.headers, "content-length": "2", **headers}
    return INVOCATION + "".join(f"{name}: {value}\r\n" for name, value in fields.items()) + "\r\n{}"


@pytest.fixture
async def visitor(cloud: Cloud) -> Any:
    """Of a laboratory whose function nobody has invoked in the end."""
    await cloud.create("def handler(event, context): pass")
    visitor = await Visitor.of(cloud)
    yield visitor
    visitor.leave()
    assert not cloud.lab.invocations


async def test_an_unsigned_curl_is_refused(cloud: Cloud, visitor: Visitor) -> None:
    process = await asyncio.create_subprocess_exec(
        *("curl", "-s", "-i", "-d", "{}", f"{cloud.endpoint.url}/2015-03-31/functions/F/invocations"),
        stdout=asyncio.subprocess.PIPE,
    )
    out, _ = await process.communicate()

    head, body = out.decode().split("\r\n\r\n")
    assert head.startswith("HTTP/1.1 403 ") and "x-amzn-ErrorType: MissingAuthenticationTokenException" in head
    assert json.loads(body) == {"Type": "User", "message": "Missing Authentication Token"}


@pytest.mark.parametrize(
    "headers",
    [
        {"host": "evil.example"},
        {"host": "localhost.evil.example"},
        {"host": "127.0.0.1.evil.example:8000"},
        {"host": "127.0.0.1@evil.example"},
        {"host": "0.0.0.0:8000"},
        {"host": ""},
        {"host": "127.0.0.1:8000\r\nhost: evil.example"},
        {"origin": "http://evil.example"},
        {"origin": "http://127.0.0.1:8000"},
        {"origin": "null"},
        {"sec-fetch-site": "cross-site"},
        {"sec-fetch-site": "same-origin"},
    ],
)
async def test_a_web_page_is_refused_however_it_came(cloud: Cloud, visitor: Visitor, headers: dict[str, str]) -> None:
    """Even one that could sign."""
    await visitor.say(on_wire(cloud, **headers))

    status, body = await visitor.hear()

    assert (status, "does not answer to" in body) == (403, True)


async def test_what_came_in_once_does_not_with_another_body(cloud: Cloud, visitor: Visitor) -> None:
    await visitor.say(on_wire(cloud).replace("127.0.0.1:8000", "127.0.0.1:8001"))
    assert (await visitor.hear())[0] == 403

    await visitor.say(on_wire(cloud)[:-2] + "[]")
    assert (await visitor.hear())[0] == 403


@pytest.mark.parametrize(
    "smuggled",
    [
        {"transfer-encoding": "chunked"},
        {"content-length": "2\r\ncontent-length: 40"},
        {"content-length": "+2"},
        {"content-length": "2, 2"},
        {"transfer-encoding ": "chunked"},
        {"x-a": "b\r\n folded: c"},
        {"x-a": "b\x00c"},
    ],
)
async def test_a_request_with_two_ends_is_none(cloud: Cloud, visitor: Visitor, smuggled: dict[str, str]) -> None:
    """What follows might be taken for another request; the connection ends."""
    await visitor.say(on_wire(cloud, **smuggled) + on_wire(cloud))

    answers = await visitor.rest()

    assert answers.count(b"HTTP/1.1") == 1
    assert answers.split(b" ", 2)[1] in (b"400", b"403")


async def test_what_strangers_send_is_not_kept(cloud: Cloud, visitor: Visitor) -> None:
    size = 32 * 2**20
    await visitor.say(f"{INVOCATION}host: 127.0.0.1\r\ncontent-length: {size}\r\n\r\n")
    tracemalloc.start()
    try:
        for _ in range(size // 2**20):
            await visitor.say(bytes(2**20))
        status, _ = await visitor.hear()
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()

    assert (status, peak < 8 * 2**20) == (403, True), peak


async def test_more_than_a_package_is_refused_at_once(cloud: Cloud, visitor: Visitor) -> None:
    await visitor.say(on_wire(cloud, **{"content-length": str(2**30)}))

    status, body = await visitor.hear()

    assert (status, json.loads(body)["message"]) == (413, "Request must be smaller than 75497472 bytes")


async def test_many_silent_connections_keep_nobody_out(
    open_cloud: Callable[..., Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Neither clients nor the functions, whose runtime needs files too."""
    monkeypatch.setattr(limits, "_CONNECTIONS", 20)
    cloud = await open_cloud()
    await cloud.create("def handler(event, context): return 'here'")
    before = len(os.listdir("/proc/self/fd"))
    silent = [await Visitor.of(cloud) for _ in range(40)]
    for number, visitor in enumerate(silent):
        await visitor.say(INVOCATION[: 1 + number])

    answer = await call(cloud.client().invoke, FunctionName="F")

    assert answer["Payload"].read() == b'"here"'
    assert await silent[0].rest() == b""
    ours = len(os.listdir("/proc/self/fd")) - before - len(silent)
    assert ours < 40, "those of the endpoint, the client and the function"
    for visitor in silent:
        visitor.leave()


async def test_others_find_the_endpoint_on_loopback_only(cloud: Cloud) -> None:
    address = cloud.endpoint.url.removeprefix("http://")
    assert address.startswith("127.0.0.1:")
    with socket.socket() as other, pytest.raises(ConnectionRefusedError):
        other.connect(("127.0.0.2", int(address.partition(":")[2])))


async def test_a_port_that_is_taken_is_said_in_a_sentence(cloud: Cloud) -> None:
    port = int(cloud.endpoint.url.rpartition(":")[2])
    service = await open_service(Settings(), Journal())
    try:
        with pytest.raises(OSError, match=f"port {port} cannot be had: Address already in use"):
            await open_endpoint(service, cloud.lab, port)
    finally:
        await service.close()


async def test_keys_differ_from_laboratory_to_laboratory(open_cloud: Callable[..., Any]) -> None:
    one, other = [(await open_cloud()).endpoint.keys.own for _ in range(2)]

    assert one.access_key_id != other.access_key_id
    assert len({one.secret_access_key, other.secret_access_key}) == 2 and len(one.secret_access_key) == 40
