"""Function URLs that stream, with functions that do: by the Runtime API itself, and by Node.js."""

from __future__ import annotations

import asyncio
import json
from typing import Any

import pytest

from lambdatui.function import Code, Configuration
from lambdatui.function_url import UrlConfiguration
from lambdatui.refusal import InvalidParameter
from tests.aws.conftest import Cloud
from tests.aws.test_url_servers import returned, send
from tests.runtimes.test_nodejs import NODE
from tests.service.test_streaming import STREAMER

OF_URL = STREAMER.replace("json.loads(answer.read())", 'json.loads(json.loads(answer.read())["body"])')
"""The body says what it shall do."""

PRELUDE = json.dumps({"statusCode": 201, "headers": {"Content-Type": "text/html"}, "cookies": ["a=1"]})


async def streaming(cloud: Cloud) -> str:
    return (await cloud.service.urls.create("F", None, UrlConfiguration("NONE", "RESPONSE_STREAM"))).address


async def test_a_prelude_says_status_headers_and_cookies(cloud: Cloud) -> None:
    await cloud.create(OF_URL)
    url = await streaming(cloud)

    answer = await returned(url, [["send", PRELUDE], ["send", "\0" * 8], ["send", "<p>"], ["send", "hello"]])

    assert (answer.status, answer.data) == (201, b"<p>hello")
    assert (answer.headers["Content-Type"], answer.headers["Set-Cookie"]) == ("text/html", "a=1")


async def test_without_a_prelude_all_is_the_body(cloud: Cloud) -> None:
    await cloud.create(OF_URL)
    url = await streaming(cloud)

    for sent in ('{"statusCode": 404}', "plain"):
        answer = await returned(url, [["send", sent]])
        assert (answer.status, answer.data.decode()) == (200, sent)
        assert answer.headers["Content-Type"] == "application/octet-stream"


async def test_a_function_that_streams_nothing_is_answered_as_it_is(cloud: Cloud) -> None:
    await cloud.create("def handler(event, context): return {'statusCode': 404, 'body': 'as it is'}")

    answer = await send(await streaming(cloud))

    assert (answer.status, answer.json()) == (200, {"statusCode": 404, "body": "as it is"})


async def test_the_beginning_is_there_while_the_function_is_at_work(cloud: Cloud) -> None:
    connected = asyncio.get_running_loop().create_future()
    gate = await asyncio.start_server(lambda _, writer: connected.set_result(writer), "127.0.0.1", 0)
    await cloud.create(OF_URL, timeout=30)
    acts = [["send", PRELUDE + "\0" * 8], ["send", "one"], ["wait", gate.sockets[0].getsockname()[1]], ["send", "two"]]
    reader, writer = await asked(await streaming(cloud), acts)

    head = (await reader.readuntil(b"\r\n\r\n")).decode()
    assert head.startswith("HTTP/1.1 201 ") and "Transfer-Encoding: chunked" in head
    assert await reader.readuntil(b"one\r\n")
    [invocation] = cloud.lab.invocations.values()
    assert invocation.answered_at is None
    (await connected).close()
    gate.close()
    assert (await reader.readuntil(b"0\r\n\r\n")).endswith(b"two\r\n0\r\n\r\n")
    writer.close()


async def test_what_breaks_off_has_no_end(cloud: Cloud) -> None:
    await cloud.create(OF_URL)
    reader, writer = await asked(await streaming(cloud), [["send", "one"], ["fail", "Function.Broken"]])

    assert (await reader.read()).endswith(b"\r\n3\r\none\r\n")
    writer.close()


async def asked(url: str, acts: Any) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
    host, body = url.removeprefix("http://").rstrip("/"), json.dumps(acts)
    reader, writer = await asyncio.open_connection(*host.split(":"))
    head = f"POST / HTTP/1.1\r\nHost: {host}\r\nContent-Type: text/plain\r\nContent-Length: {len(body)}\r\n\r\n"
    writer.write(f"{head}{body}".encode())
    return reader, writer


async def test_what_node_streams(cloud: Cloud) -> None:
    source = """
        export const handler = awslambda.streamifyResponse(async (event, out) => {
          out = awslambda.HttpResponseStream.from(out, {statusCode: 202, headers: {"X-Made-By": "node"}});
          out.write(event.rawPath);
          out.end("!");
        });
    """
    folder = cloud.folder / "F"
    folder.mkdir()
    (folder / "index.mjs").write_text(source)
    try:
        await cloud.service.create("F", Configuration("index.handler", NODE), Code(folder))
    except InvalidParameter as refusal:
        pytest.skip(str(refusal))

    answer = await send(f"{await streaming(cloud)}path")

    assert (answer.status, answer.data, answer.headers["X-Made-By"]) == (202, b"/path!", "node")
