"""InvokeWithResponseStream, as boto3 sees it."""

from __future__ import annotations

import asyncio
import base64
import json
from collections.abc import AsyncIterator, Iterator
from contextlib import closing
from typing import Any

import pytest
from botocore.exceptions import ClientError, EventStreamError

from lambdatui import events as ev
from tests.aws.conftest import Cloud, call
from tests.service.test_streaming import STREAMER


async def begin(cloud: Cloud, *acts: Any, **parameters: Any) -> dict[str, Any]:
    operation = cloud.client().invoke_with_response_stream
    answer = await call(operation, FunctionName="F", Payload=json.dumps(acts).encode(), **parameters)
    assert isinstance(answer, dict)
    return answer


async def events(stream: Iterator[dict[str, Any]]) -> AsyncIterator[dict[str, Any]]:
    while event := await asyncio.to_thread(next, stream, None):
        yield event


async def read(answer: dict[str, Any]) -> tuple[bytes, dict[str, Any]]:
    """All chunks, and what stands in InvokeComplete."""
    with closing(answer["EventStream"]) as stream:
        received = [event async for event in events(iter(stream))]
    chunks = [event["PayloadChunk"]["Payload"] for event in received[:-1]]
    return b"".join(chunks), received[-1]["InvokeComplete"]


class Gate:
    """Where a function waits until the test lets it go on."""

    def __init__(self) -> None:
        self.arrived: asyncio.Queue[asyncio.StreamWriter] = asyncio.Queue()

    async def open(self) -> int:
        self._server = await asyncio.start_server(lambda _, writer: self.arrived.put_nowait(writer), "127.0.0.1", 0)
        port = self._server.sockets[0].getsockname()[1]
        assert isinstance(port, int)
        return port

    async def let_go(self) -> None:
        (await self.arrived.get()).close()
        self._server.close()


async def test_the_first_byte_is_with_the_client_before_the_last_is_made(cloud: Cloud) -> None:
    await cloud.create(STREAMER, timeout=60)
    gate = Gate()
    port = await gate.open()
    answer = await begin(cloud, ["send", "one "], ["wait", port], ["send", "two"])
    assert (answer["ExecutedVersion"], answer["ResponseStreamContentType"]) == (
        "$LATEST",
        "application/vnd.amazon.eventstream",
    )
    stream = iter(answer["EventStream"])
    assert await asyncio.to_thread(next, stream) == {"PayloadChunk": {"Payload": b"one "}}
    (invocation,) = cloud.lab.invocations.values()
    assert (invocation.status, invocation.request_id) == ("running", answer["ResponseMetadata"]["RequestId"])
    await gate.let_go()
    assert [event async for event in events(stream)] == [{"PayloadChunk": {"Payload": b"two"}}, {"InvokeComplete": {}}]
    assert invocation.payload == "one two"
    answer["EventStream"].close()


async def test_a_buffered_answer_is_one_chunk(cloud: Cloud) -> None:
    await cloud.create("def handler(event, context): return event")
    chunk, complete = await read(await begin(cloud, "x" * 2**20))
    assert (json.loads(chunk), complete) == (["x" * 2**20], {})


async def test_a_log_tail_comes_at_the_end(cloud: Cloud) -> None:
    await cloud.create(STREAMER)
    _, complete = await read(await begin(cloud, ["print", "hello"], ["send", "x"], LogType="Tail"))
    lines = base64.b64decode(complete["LogResult"]).decode().splitlines()
    assert [line.split(" ")[0] for line in lines] == ["START", "hello", "END", "REPORT"]


@pytest.mark.parametrize(
    ("act", "code"),
    [
        (["fail", "Function.Oops"], "Function.Oops"),
        (["exit", 3], "Runtime.ExitError"),
        (["sleep", 60], "Sandbox.Timedout"),
    ],
)
async def test_an_error_in_the_middle_comes_after_what_was_sent(cloud: Cloud, act: list[Any], code: str) -> None:
    await cloud.create(STREAMER, timeout=1)
    payload, complete = await read(await begin(cloud, ["send", "half"], act))
    assert (payload, complete["ErrorCode"]) == (b"half", code)
    assert json.loads(complete["ErrorDetails"])["errorType"] == code


async def test_an_error_before_the_first_byte(cloud: Cloud) -> None:
    await cloud.create("def handler(event, context): raise ValueError('no')")
    payload, complete = await read(await begin(cloud))
    assert (payload, complete["ErrorCode"]) == (b"", "Unhandled")
    assert json.loads(complete["ErrorDetails"])["errorMessage"] == "no"


async def test_what_is_refused_before_it_begins(cloud: Cloud) -> None:
    await cloud.create("def handler(event, context): pass", reserved_concurrent_executions=0)
    client = cloud.client()
    for parameters, code in (
        ({"FunctionName": "G"}, "ResourceNotFoundException"),
        ({"FunctionName": "F"}, "TooManyRequestsException"),
        ({"FunctionName": "F", "InvocationType": "Event"}, "ValidationException"),
    ):
        with pytest.raises(ClientError) as refused:
            await call(client.invoke_with_response_stream, **parameters)
        assert refused.value.response["Error"]["Code"] == code
    answer = await call(client.invoke_with_response_stream, FunctionName="F", InvocationType="DryRun")
    assert answer["StatusCode"] == 204
    answer["EventStream"].close()


async def test_a_client_that_goes_away_does_not_end_the_invocation(cloud: Cloud) -> None:
    await cloud.create(STREAMER, timeout=60)
    gate = Gate()
    port = await gate.open()
    answer = await begin(cloud, ["send", "one"], ["wait", port], ["flood", 64])
    await asyncio.to_thread(next, iter(answer["EventStream"]))
    answer["EventStream"].close()
    server = cloud.endpoint._server
    while server.sending:
        await asyncio.wait(server.sending)
    await gate.let_go()
    finished = await cloud.until(lambda event: isinstance(event, ev.InvocationFinished))
    assert isinstance(finished, ev.InvocationFinished) and finished.status == "succeeded"


async def test_who_reads_slowly_keeps_neither_the_function_nor_others_waiting(cloud: Cloud) -> None:
    await cloud.create(STREAMER, timeout=60, memory_size=1769)
    answer = await begin(cloud, ["flood", 320])  # 20 MB, of which nothing is read
    finished = await cloud.until(lambda event: isinstance(event, ev.InvocationFinished))
    assert isinstance(finished, ev.InvocationFinished) and finished.status == "succeeded"
    assert cloud.endpoint._server.sending
    other, _ = await read(await begin(cloud, ["send", "other"]))
    assert other == b"other"
    payload, complete = await read(answer)
    assert (len(payload), complete) == (320 * 2**16, {})


async def test_a_restart_ends_the_stream_with_an_exception(cloud: Cloud) -> None:
    await cloud.create(STREAMER, timeout=60)
    answer = await begin(cloud, ["send", "one"], ["sleep", 60])
    stream = iter(answer["EventStream"])
    await asyncio.to_thread(next, stream)
    await cloud.service.clear()
    with pytest.raises(EventStreamError, match="The laboratory was cleared meanwhile"):
        await asyncio.to_thread(next, stream)
    answer["EventStream"].close()


async def test_who_does_not_stream_gets_the_bytes_as_well(cloud: Cloud) -> None:
    await cloud.create(STREAMER)
    acts = [["send", "\x89PNG"], ["send", "\x00\xff"]]

    answer = await call(cloud.client().invoke, FunctionName="F", Payload=json.dumps(acts))

    assert await asyncio.to_thread(answer["Payload"].read) == b"\x89PNG\x00\xff"
    (invocation,) = cloud.lab.invocations.values()
    assert invocation.payload == "\N{REPLACEMENT CHARACTER}PNG\0\N{REPLACEMENT CHARACTER}"
