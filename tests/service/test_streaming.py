"""Responses that are streamed, by a function that speaks with the Runtime API itself, over real sockets."""

from __future__ import annotations

import asyncio
import json
from typing import Any

import pytest

from lambdatui import events as ev
from lambdatui.function import LoggingConfig
from lambdatui.lab import Invocation
from tests.service.conftest import Laboratory

STREAMER = """
    import base64, http.client, json, os, socket, time

    address = os.environ["AWS_LAMBDA_RUNTIME_API"]
    HEAD = (
        "POST /2018-06-01/runtime/invocation/%s/response HTTP/1.1\\r\\nHost: x\\r\\nTransfer-Encoding: chunked\\r\\n"
        "Lambda-Runtime-Function-Response-Mode: streaming\\r\\n"
        "Trailer: Lambda-Runtime-Function-Error-Type, Lambda-Runtime-Function-Error-Body\\r\\n\\r\\n"
    )

    def stream(request_id, acts):
        connection = socket.create_connection(address.split(":"))
        connection.sendall((HEAD % request_id).encode())
        trailers = ""
        for act, value in acts:
            if act == "send":
                connection.sendall(b"%x\\r\\n%b\\r\\n" % (len(value), value.encode("latin-1")))
            elif act == "flood":
                for _ in range(value):
                    connection.sendall(b"10000\\r\\n%b\\r\\n" % (b"x" * 0x10000))
            elif act == "wait":
                socket.create_connection(("127.0.0.1", value)).recv(1)
            elif act == "print":
                print(value)
            elif act == "exit":
                os._exit(value)
            elif act == "sleep":
                time.sleep(value)
            elif act == "fail":
                body = base64.b64encode(json.dumps({"errorType": value}).encode()).decode()
                trailers = f"Lambda-Runtime-Function-Error-Type: {value}\\r\\n"
                trailers += f"Lambda-Runtime-Function-Error-Body: {body}\\r\\n"
        connection.sendall(f"0\\r\\n{trailers}\\r\\n".encode())
        assert connection.recv(1000).startswith(b"HTTP/1.1 202 ")

    while True:
        client = http.client.HTTPConnection(address)
        client.request("GET", "/2018-06-01/runtime/invocation/next")
        answer = client.getresponse()
        stream(answer.getheader("Lambda-Runtime-Aws-Request-Id"), json.loads(answer.read()))
"""


async def invoke(laboratory: Laboratory, *acts: Any) -> Invocation:
    return await laboratory.invoke(json.dumps(acts))


async def test_the_first_byte_is_there_before_the_last(laboratory: Laboratory) -> None:
    connected = asyncio.get_running_loop().create_future()
    server = await asyncio.start_server(lambda _, writer: connected.set_result(writer), "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    await laboratory.create(STREAMER)
    acts = ["print", "before"], ["send", "one "], ["print", "between"], ["wait", port], ["send", "two"]
    invoking = asyncio.create_task(invoke(laboratory, *acts))
    await laboratory.until(lambda event: isinstance(event, ev.InvocationStreamed))
    (invocation,) = laboratory.lab.invocations.values()
    assert (invocation.status, invocation.payload) == ("running", None)
    writer = await connected
    writer.close()
    server.close()
    invocation = await invoking
    assert (invocation.status, invocation.payload, invocation.error_code) == ("succeeded", "one two", None)
    assert invocation.first_byte_ms is not None and invocation.duration_ms is not None
    assert 0 < invocation.first_byte_ms < invocation.duration_ms
    assert laboratory.lines(invocation)[-4:-2] == ["before", "between"]


async def test_a_failure_in_the_middle_counts_as_a_success(laboratory: Laboratory) -> None:
    await laboratory.create(STREAMER, logging_config=LoggingConfig("JSON", system_log_level="DEBUG"))
    invocation = await invoke(laboratory, ["send", "half"], ["fail", "Function.Oops"])
    assert (invocation.status, invocation.payload, invocation.function_error) == ("succeeded", "half", None)
    assert (invocation.error_code, invocation.error_details) == ("Function.Oops", '{"errorType": "Function.Oops"}')
    runtime_done = json.loads(laboratory.lines(invocation)[-2])["record"]
    assert (runtime_done["status"], runtime_done["metrics"]["producedBytes"]) == ("success", 4)
    latency, duration, _ = runtime_done["spans"]
    assert latency["durationMs"] == invocation.first_byte_ms
    assert duration["durationMs"] >= 0
    again = await invoke(laboratory, ["send", "whole"])
    assert (again.payload, again.cold_start, again.error_code) == ("whole", False, None)


@pytest.mark.parametrize(
    ("act", "status", "error_code"),
    [(["exit", 3], "failed", "Runtime.ExitError"), (["sleep", 60], "timed_out", "Sandbox.Timedout")],
)
async def test_an_end_in_the_middle(laboratory: Laboratory, act: list[Any], status: str, error_code: str) -> None:
    await laboratory.create(STREAMER, timeout=1, logging_config=LoggingConfig("JSON"))
    invocation = await invoke(laboratory, ["send", "half"], act)
    assert (invocation.status, invocation.payload, invocation.function_error) == (status, "half", "Unhandled")
    assert invocation.error_code == error_code
    assert json.loads(invocation.error_details or "")["errorType"] == error_code
    assert (await invoke(laboratory, ["send", "whole"])).payload == "whole"


async def test_a_stream_may_be_longer_than_a_response(laboratory: Laboratory) -> None:
    await laboratory.create(STREAMER)
    invocation = await invoke(laboratory, ["flood", 7 * 16])
    assert (invocation.status, len(invocation.payload or "")) == ("succeeded", 7 * 2**20)


async def test_a_response_may_have_six_megabytes_and_a_hundred_bytes(laboratory: Laboratory) -> None:
    await laboratory.create("def handler(event, context):\n    return 'x' * event")
    largest = await laboratory.invoke(str(6291556 - 2))
    assert (largest.status, len(largest.payload or "")) == ("succeeded", 6291556)
    too_large = await laboratory.invoke(str(6291556 - 1))
    assert (too_large.status, too_large.function_error) == ("failed", "Unhandled")
    assert too_large.payload == (
        '{"errorMessage":"Response payload size exceeded maximum allowed payload size (6291556 bytes).",'
        '"errorType":"Function.ResponseSizeTooLarge"}'
    )
