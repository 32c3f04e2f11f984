"""The Runtime API: the table by itself, every answer to the letter, and awslambdaric as its client."""

from __future__ import annotations

import asyncio
import contextlib
import itertools
import json
import os
import re
import sys
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any, TypeAlias, get_args

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lambdatui.service.http import Request
from lambdatui.service.runtime_api import NextInvocation, RuntimeApi, error_type
from lambdatui.service.runtime_states import (
    ASKED_FOR,
    TRANSITIONS,
    IllegalTransitionError,
    Input,
    RuntimeStates,
    State,
)

NEXT = "/2018-06-01/runtime/invocation/next"
INIT_ERROR = "/2018-06-01/runtime/init/error"
OK = b'{"status":"OK"}\n'
INVALID_ID = b'{"errorMessage":"Invalid request ID","errorType":"InvalidRequestID"}\n'

Heard: TypeAlias = tuple[str | bytes | int | None, ...]
Answer: TypeAlias = tuple[int, dict[str, str], bytes]


def response_of(request_id: str) -> str:
    return f"/2018-06-01/runtime/invocation/{request_id}/response"


def error_of(request_id: str) -> str:
    return f"/2018-06-01/runtime/invocation/{request_id}/error"


def invocation(request_id: str = "id-1", payload: bytes = b'{"a":1}') -> NextInvocation:
    return NextInvocation(request_id, payload, "arn:aws:lambda:us-east-1:000000000000:function:f:live", 1700000000123)


def forbidden(state: State, target: State) -> bytes:
    message = f"State transition from {state} to {target} failed for runtime. Error: State transition is not allowed"
    return f'{{"errorMessage":"{message}","errorType":"InvalidStateTransition"}}\n'.encode()


class Listener:
    """Writes down what it hears."""

    def __init__(self) -> None:
        self.queue: asyncio.Queue[Heard] = asyncio.Queue()
        self.api: RuntimeApi | None = None
        self.answers: list[NextInvocation] = []
        """Given at once when the runtime asks for the next invocation."""

    def runtime_next(self) -> None:
        self.queue.put_nowait(("next",))
        if self.answers and self.api:
            self.api.answer_next(self.answers.pop(0))

    def runtime_response(self, request_id: str, body: bytes) -> None:
        self.queue.put_nowait(("response", request_id, body))

    def runtime_error(self, request_id: str, error_type: str, body: bytes) -> None:
        self.queue.put_nowait(("error", request_id, error_type, body))

    def runtime_init_error(self, error_type: str, body: bytes) -> None:
        self.queue.put_nowait(("init error", error_type, body))

    def runtime_response_too_large(self, request_id: str, limit: int) -> None:
        self.queue.put_nowait(("too large", request_id, limit))

    def runtime_response_part(self, request_id: str, data: bytes) -> None:
        self.queue.put_nowait(("part", request_id, data))

    def runtime_response_end(self, request_id: str, error_type: str | None, error_body: bytes) -> None:
        self.queue.put_nowait(("end", request_id, error_type, error_body))

    @property
    def silent(self) -> bool:
        return self.queue.empty()


class Runtime:
    """A runtime's connection to the API."""

    def __init__(self, api: RuntimeApi) -> None:
        self._api = api
        self.writer: asyncio.StreamWriter | None = None

    async def send(self, wire: bytes) -> None:
        if self.writer is None:
            host, _, port = self._api.address.partition(":")
            self.reader, self.writer = await asyncio.open_connection(host, int(port))
        self.writer.write(wire)

    async def drain(self) -> None:
        assert self.writer is not None
        await self.writer.drain()

    async def answer(self) -> Answer:
        head = await self.reader.readuntil(b"\r\n\r\n")
        first, *lines = head.decode().split("\r\n")[:-2]
        headers = dict(line.split(": ", 1) for line in lines)
        assert headers.pop("Date")
        return int(first.split()[1]), headers, await self.reader.readexactly(int(headers.pop("Content-Length")))

    async def ask(self, method: str, path: str) -> None:
        await self.send(f"{method} {path} HTTP/1.1\r\nHost: x\r\n\r\n".encode())

    async def get(self, path: str) -> Answer:
        await self.ask("GET", path)
        return await self.answer()

    async def post(self, path: str, body: bytes, **headers: str) -> Answer:
        fields = {"Host": "x", "Content-Length": str(len(body))}
        fields |= {name.replace("_", "-"): value for name, value in headers.items()}
        lines = [f"POST {path} HTTP/1.1", *(f"{name}: {value}" for name, value in fields.items()), "", ""]
        await self.send("\r\n".join(lines).encode() + body)
        return await self.answer()

    async def close(self) -> None:
        if self.writer is not None:
            self.writer.close()
            with contextlib.suppress(ConnectionError):
                await self.writer.wait_closed()


class Laboratory:
    def __init__(self) -> None:
        self.listener = Listener()
        self.api = self.listener.api = RuntimeApi(self.listener)
        self.runtimes: list[Runtime] = []
        self.runtime = self.another_runtime()

    def another_runtime(self) -> Runtime:
        self.runtimes.append(Runtime(self.api))
        return self.runtimes[-1]

    async def heard(self) -> Heard:
        return await self.listener.queue.get()

    async def reach(self, state: State) -> None:
        """Bring the runtime to `state` with invocation id-1."""
        if state == "Started":
            return
        if state == "InitError":
            await self.runtime.post(INIT_ERROR, b"{}")
            await self.heard()
            return
        await self.runtime.ask("GET", NEXT)
        await self.heard()
        if state == "Ready":
            return
        self.api.answer_next(invocation())
        await self.runtime.answer()
        if state == "InvocationResponse":
            await self.runtime.post(response_of("id-1"), b"", Lambda_Runtime_Function_Response_Mode="slowly")
            await self.heard()
        elif state == "RuntimeResponseSentState":
            await self.runtime.post(response_of("id-1"), b"1")
            await self.heard()
        assert self.api.state == state


@pytest.fixture
async def laboratory() -> AsyncIterator[Laboratory]:
    laboratory = Laboratory()
    await laboratory.api.start()
    yield laboratory
    await laboratory.api.close()
    for runtime in laboratory.runtimes:
        await runtime.close()


class TestStates:
    @pytest.mark.parametrize(("state", "given"), itertools.product(get_args(State), get_args(Input)))
    def test_every_input_in_every_state(self, state: State, given: Input) -> None:
        states = RuntimeStates()
        states.state = state
        if (following := TRANSITIONS[state].get(given)) is not None:
            assert following == ASKED_FOR[given] or (state, given) == ("Running", "next")
            assert states.take(given) == states.state == following
        else:
            expected = f"State transition from {state} to {ASKED_FOR[given]} failed for runtime."
            with pytest.raises(IllegalTransitionError, match=re.escape(expected)):
                states.take(given)
            assert states.state == state

    @given(st.lists(st.sampled_from(get_args(Input))))
    def test_every_answer_has_its_own_invocation(self, inputs: list[Input]) -> None:
        states, invoked, answered = RuntimeStates(), 0, 0
        for each in inputs:
            with contextlib.suppress(IllegalTransitionError):
                states.take(each)
                invoked += each == "invoked"
                answered += each in ("response", "error")
                assert answered <= invoked <= answered + 1


class TestErrorType:
    @pytest.mark.parametrize(
        ("header", "kept"),
        [
            ("Runtime.ImportModuleError", "Runtime.ImportModuleError"),
            ("Function.ResponseSizeTooLarge", "Function.ResponseSizeTooLarge"),
            ("my Function.Failed here", "my Function.Failed here"),
            ("Function.failed", "Function.Unknown"),
            ("Function.", "Function.Unknown"),
            ("Runtime.x", "Runtime.Unknown"),
            ("ZeroDivisionError", "Runtime.Unknown"),
        ],
    )
    def test_header(self, header: str, kept: str) -> None:
        headers = {"lambda-runtime-function-error-type": header}
        assert error_type(Request("POST", "/", headers=headers, body=b'{"errorType":"ValueError"}')) == kept

    @pytest.mark.parametrize(
        ("body", "derived"),
        [
            (b'{"errorType":"ValueError"}', "ValueError"),
            (b'{"errorType":""}', "Runtime.Unknown"),
            (b'{"errorType":7}', "Runtime.Unknown"),
            (b'["errorType"]', "Runtime.Unknown"),
            (b"\xff", "Runtime.Unknown"),
            (b"[" * 100_000, "Runtime.Unknown"),
            (b"", "Runtime.Unknown"),
        ],
        ids=itertools.count(),
    )
    def test_body(self, body: bytes, derived: str) -> None:
        assert error_type(Request("POST", "/", body=body)) == derived


class TestNext:
    async def test_waits_until_there_is_an_invocation(self, laboratory: Laboratory) -> None:
        await laboratory.runtime.ask("GET", NEXT)
        assert await laboratory.heard() == ("next",)
        before = laboratory.api.state
        laboratory.api.answer_next(invocation())
        assert (before, laboratory.api.state) == ("Ready", "Running")
        assert await laboratory.runtime.answer() == (
            200,
            {
                "Lambda-Runtime-Aws-Request-Id": "id-1",
                "Lambda-Runtime-Invoked-Function-Arn": "arn:aws:lambda:us-east-1:000000000000:function:f:live",
                "Lambda-Runtime-Deadline-Ms": "1700000000123",
                "Content-Type": "application/json",
            },
            b'{"a":1}',
        )

    async def test_every_header(self, laboratory: Laboratory) -> None:
        trace, context, identity = "Root=1-2;Parent=3;Sampled=1", '{"client":\n{}}', '{"cognitoIdentityId":"ü"}'
        given = NextInvocation("i", b"x", "arn", 1, trace, context, identity, "text/plain")
        laboratory.listener.answers = [given]
        _, headers, body = await laboratory.runtime.get(NEXT)
        assert headers == {
            "Lambda-Runtime-Aws-Request-Id": "i",
            "Lambda-Runtime-Trace-Id": trace,
            "Lambda-Runtime-Client-Context": '{"client": {}}',
            "Lambda-Runtime-Cognito-Identity": identity,
            "Lambda-Runtime-Invoked-Function-Arn": "arn",
            "Lambda-Runtime-Deadline-Ms": "1",
            "Content-Type": "text/plain",
        }
        assert body == b"x"

    async def test_the_same_event_again_while_it_runs(self, laboratory: Laboratory) -> None:
        laboratory.listener.answers = [invocation()]
        first = await laboratory.runtime.get(NEXT)
        assert await laboratory.runtime.get(NEXT) == first
        assert await laboratory.another_runtime().get(NEXT) == first
        assert await laboratory.heard() == ("next",)
        assert laboratory.listener.silent

    async def test_an_invocation_waits_for_a_runtime_that_lost_its_connection(self, laboratory: Laboratory) -> None:
        await laboratory.reach("Ready")
        await laboratory.runtime.close()
        laboratory.api.answer_next(invocation())
        assert (await laboratory.another_runtime().get(NEXT))[2] == b'{"a":1}'
        assert laboratory.listener.silent

    async def test_asking_twice_is_heard_once_and_answered_to_who_still_listens(self, laboratory: Laboratory) -> None:
        await laboratory.reach("Ready")
        (first,) = laboratory.api._waiting
        second = laboratory.another_runtime()
        await second.ask("GET", NEXT)
        await laboratory.runtime.close()
        while first.waiting or not any(later.waiting for later in laboratory.api._waiting):
            await asyncio.sleep(0)
        laboratory.api.answer_next(invocation())
        assert (await second.answer())[0] == 200
        assert laboratory.listener.silent

    async def test_nothing_can_be_handed_to_a_runtime_that_does_not_ask(self, laboratory: Laboratory) -> None:
        with pytest.raises(RuntimeError, match="from Started to Running"):
            laboratory.api.answer_next(invocation())
        await laboratory.reach("Running")
        with pytest.raises(RuntimeError, match="from Running to Running"):
            laboratory.api.answer_next(invocation("id-2"))


STREAMED = (
    "Host: x\r\nTransfer-Encoding: chunked\r\nLambda-Runtime-Function-Response-Mode: streaming\r\n"
    "Trailer: Lambda-Runtime-Function-Error-Type, Lambda-Runtime-Function-Error-Body\r\n\r\n"
)


def chunk(data: bytes) -> bytes:
    return b"%x\r\n%b\r\n" % (len(data), data)


class TestStreaming:
    async def begin(self, laboratory: Laboratory, request_id: str = "id-1", runtime: Runtime | None = None) -> None:
        await (runtime or laboratory.runtime).send(f"POST {response_of(request_id)} HTTP/1.1\r\n{STREAMED}".encode())

    async def test_each_part_is_heard_when_it_comes(self, laboratory: Laboratory) -> None:
        await laboratory.reach("Running")
        await self.begin(laboratory)
        for part in (b"one", b"two", b"\x00\xff"):
            await laboratory.runtime.send(chunk(part))
            assert await laboratory.heard() == ("part", "id-1", part)
            assert laboratory.api.state == "InvocationResponse"
        await laboratory.runtime.send(b"0\r\n\r\n")
        assert await laboratory.runtime.answer() == (202, {"Content-Type": "application/json"}, OK)
        assert await laboratory.heard() == ("end", "id-1", None, b"")
        await laboratory.runtime.ask("GET", NEXT)
        assert await laboratory.heard() == ("next",)

    @pytest.mark.parametrize(
        ("trailers", "error_type", "error_body"),
        [
            (
                "Lambda-Runtime-Function-Error-Type: Function.Oops\r\n"
                "Lambda-Runtime-Function-Error-Body: eyJhIjoxfQ==\r\n",
                "Function.Oops",
                b'{"a":1}',
            ),
            ("Lambda-Runtime-Function-Error-Type: Error\r\n", "Runtime.Unknown", b""),
            ("lambda-runtime-function-error-body: eyJlcnJvclR5cGUiOiJYIn0=\r\n", "X", b'{"errorType":"X"}'),
            ("lambda-runtime-function-error-body: none\u00e9\r\n", "Runtime.Unknown", b"none\xc3\xa9"),
            ("Something-Else: 1\r\n", None, b""),
        ],
        ids=itertools.count(),
    )
    async def test_trailers_tell_of_a_failure_in_the_middle(
        self, laboratory: Laboratory, trailers: str, error_type: str | None, error_body: bytes
    ) -> None:
        await laboratory.reach("Running")
        await self.begin(laboratory)
        await laboratory.runtime.send(chunk(b"half") + b"0\r\n" + trailers.encode() + b"\r\n")
        assert (await laboratory.runtime.answer())[0] == 202
        assert await laboratory.heard() == ("part", "id-1", b"half")
        assert await laboratory.heard() == ("end", "id-1", error_type, error_body)

    async def test_once_it_has_begun_there_is_no_other_answer(self, laboratory: Laboratory) -> None:
        await laboratory.reach("Running")
        await self.begin(laboratory)
        await laboratory.runtime.send(chunk(b"half"))
        await laboratory.heard()
        other = laboratory.another_runtime()
        for path, target in (
            (response_of("id-1"), "InvocationResponse"),
            (error_of("id-1"), "InvocationErrorResponse"),
        ):
            answer = await other.post(path, b"{}")
            assert answer[0] == 403
            assert f"from InvocationResponse to {target}".encode() in answer[2]
        assert laboratory.listener.silent

    @pytest.mark.parametrize(("request_id", "status"), [("id-0", 400), ("id-1", 403)])
    async def test_what_may_not_be_streamed_is_not_heard(
        self, laboratory: Laboratory, request_id: str, status: int
    ) -> None:
        await laboratory.reach("RuntimeResponseSentState")
        await self.begin(laboratory, request_id)
        await laboratory.runtime.send(chunk(b"half") + b"0\r\n\r\n")
        assert (await laboratory.runtime.answer())[0] == status
        assert laboratory.listener.silent

    async def test_a_response_of_more_than_six_mb(self, laboratory: Laboratory) -> None:
        await laboratory.reach("Running")
        await self.begin(laboratory)
        for _ in range(8):
            await laboratory.runtime.send(chunk(b"x" * 2**20))
        await laboratory.runtime.send(b"0\r\n\r\n")
        assert (await laboratory.runtime.answer())[0] == 202
        size = 0
        while (heard := await laboratory.heard())[0] == "part":
            assert isinstance(heard[2], bytes)
            size += len(heard[2])
        assert (size, heard) == (8 * 2**20, ("end", "id-1", None, b""))

    async def test_more_than_200_mb(self, laboratory: Laboratory) -> None:
        await laboratory.reach("Running")
        await self.begin(laboratory)
        await laboratory.runtime.send(chunk(b"x") + b"%x\r\n" % (200 * 2**20))
        megabyte = b"x" * 2**20
        for _ in range(200):
            await laboratory.runtime.send(megabyte)
            await laboratory.runtime.drain()
        size = 0
        while (heard := await laboratory.heard())[0] == "part":
            assert isinstance(heard[2], bytes)
            size += len(heard[2])
        assert heard == ("too large", "id-1", 209715200)
        assert size <= 209715200
        assert (await laboratory.runtime.answer())[0] == 413

    async def test_one_that_is_cut_short_has_no_end(self, laboratory: Laboratory) -> None:
        await laboratory.reach("Running")
        await self.begin(laboratory)
        await laboratory.runtime.send(chunk(b"half"))
        assert await laboratory.heard() == ("part", "id-1", b"half")
        assert laboratory.runtime.writer is not None
        laboratory.runtime.writer.write_eof()
        status, _, body = await laboratory.runtime.answer()
        assert (status, json.loads(body)["errorType"]) == (400, "TruncatedHTTPRequest")
        assert laboratory.listener.silent
        assert laboratory.api.state == "InvocationResponse"


class TestAnswers:
    async def test_response(self, laboratory: Laboratory) -> None:
        for request_id in ("id-1", "id-2"):
            laboratory.listener.answers = [invocation(request_id)]
            await laboratory.runtime.get(NEXT)
            assert await laboratory.heard() == ("next",)
            accepted = await laboratory.runtime.post(response_of(request_id), b'"done"')
            assert accepted == (202, {"Content-Type": "application/json"}, OK)
            assert await laboratory.heard() == ("response", request_id, b'"done"')

    async def test_error(self, laboratory: Laboratory) -> None:
        await laboratory.reach("Running")
        body = b'{"errorMessage": "no", "errorType": "ValueError"}'
        accepted = await laboratory.runtime.post(error_of("id-1"), body)
        assert accepted == (202, {"Content-Type": "application/json"}, OK)
        assert await laboratory.heard() == ("error", "id-1", "ValueError", body)
        assert laboratory.api.state == "RuntimeResponseSentState"

    async def test_init_error(self, laboratory: Laboratory) -> None:
        kind = {"Lambda_Runtime_Function_Error_Type": "Runtime.ImportModuleError"}
        accepted = await laboratory.runtime.post(INIT_ERROR, b'{"errorType": "x"}', **kind)
        assert accepted == (202, {"Content-Type": "application/json"}, OK)
        assert await laboratory.heard() == ("init error", "Runtime.ImportModuleError", b'{"errorType": "x"}')

    @pytest.mark.parametrize("path", [response_of("id-0"), error_of("id-0"), response_of("ID-1")])
    @pytest.mark.parametrize("state", ["Started", "InitError", "Ready", "Running", "RuntimeResponseSentState"])
    async def test_the_request_id_comes_before_the_state(self, laboratory: Laboratory, state: State, path: str) -> None:
        await laboratory.reach(state)
        runtime = laboratory.another_runtime()
        assert await runtime.post(path, b"{}") == (400, {"Content-Type": "application/json"}, INVALID_ID)
        assert laboratory.api.state == state
        assert laboratory.listener.silent

    @pytest.mark.parametrize(
        ("state", "path", "target"),
        [
            ("InitError", NEXT, "Ready"),
            ("InitError", INIT_ERROR, "InitError"),
            ("Ready", INIT_ERROR, "InitError"),
            ("Running", INIT_ERROR, "InitError"),
            ("RuntimeResponseSentState", INIT_ERROR, "InitError"),
            ("RuntimeResponseSentState", response_of("id-1"), "InvocationResponse"),
            ("RuntimeResponseSentState", error_of("id-1"), "InvocationErrorResponse"),
            ("InvocationResponse", NEXT, "Ready"),
            ("InvocationResponse", error_of("id-1"), "InvocationErrorResponse"),
        ],
    )
    async def test_what_the_state_forbids(self, laboratory: Laboratory, state: State, path: str, target: State) -> None:
        await laboratory.reach(state)
        runtime = laboratory.another_runtime()
        answer = await (runtime.get(path) if path == NEXT else runtime.post(path, b"{}"))
        assert answer == (403, {"Content-Type": "application/json"}, forbidden(state, target))
        assert laboratory.api.state == state
        assert laboratory.listener.silent

    async def test_a_response_that_is_too_large(self, laboratory: Laboratory) -> None:
        await laboratory.reach("Running")
        too_large = await laboratory.runtime.post(response_of("id-1"), b"x" * 6291557)
        message = "Exceeded maximum allowed payload size (6291556 bytes)."
        body = f'{{"errorMessage":"{message}","errorType":"RequestEntityTooLarge"}}\n'
        assert too_large == (413, {"Content-Type": "application/json"}, body.encode())
        assert await laboratory.heard() == ("too large", "id-1", 6291556)
        await laboratory.runtime.ask("GET", NEXT)  # it was an answer like others
        assert await laboratory.heard() == ("next",)

    async def test_the_largest_response(self, laboratory: Laboratory) -> None:
        await laboratory.reach("Running")
        assert (await laboratory.runtime.post(response_of("id-1"), b"x" * 6291556))[0] == 202
        assert await laboratory.heard() == ("response", "id-1", b"x" * 6291556)

    async def test_a_response_that_is_larger_than_any(self, laboratory: Laboratory) -> None:
        await laboratory.reach("Running")
        head = f"POST {response_of('id-1')} HTTP/1.1\r\nHost: x\r\nContent-Length: {2**30}\r\n\r\n"
        await laboratory.runtime.send(head.encode())
        assert (await laboratory.runtime.answer())[0] == 413
        assert await laboratory.heard() == ("too large", "id-1", 6291556)

    async def test_larger_than_any_and_not_allowed_anyway(self, laboratory: Laboratory) -> None:
        await laboratory.reach("RuntimeResponseSentState")
        for request_id, status in (("id-1", 403), ("id-0", 400)):
            head = f"POST {response_of(request_id)} HTTP/1.1\r\nHost: x\r\nContent-Length: {2**30}\r\n\r\n"
            runtime = laboratory.another_runtime()
            await runtime.send(head.encode())
            assert (await runtime.answer())[0] == status
        assert laboratory.listener.silent

    async def test_a_response_mode_that_does_not_exist(self, laboratory: Laboratory) -> None:
        await laboratory.reach("Running")
        mode = {"Lambda_Runtime_Function_Response_Mode": "buffered"}
        answer = await laboratory.runtime.post(response_of("id-1"), b"{}", **mode)
        body = b'{"errorMessage":"Invalid function response mode","errorType":"InvalidFunctionResponseMode"}\n'
        assert answer == (400, {"Content-Type": "application/json"}, body)
        kind = "Runtime.InvalidResponseModeHeader"
        assert await laboratory.heard() == ("error", "id-1", kind, b'{"errorType":"%b"}' % kind.encode())
        assert laboratory.api.state == "InvocationResponse"

    @pytest.mark.parametrize(("request_id", "kind"), [("id-1", "TruncatedHTTPRequest"), ("id-0", "InvalidRequestID")])
    async def test_a_response_cut_short(self, laboratory: Laboratory, request_id: str, kind: str) -> None:
        await laboratory.reach("Running")
        head = f"POST {response_of(request_id)} HTTP/1.1\r\nHost: x\r\nContent-Length: 9\r\n\r\n"
        await laboratory.runtime.send(head.encode() + b"half")
        assert laboratory.runtime.writer is not None
        laboratory.runtime.writer.write_eof()
        status, _, body = await laboratory.runtime.answer()
        assert (status, json.loads(body)["errorType"]) == (400, kind)
        assert laboratory.api.state == "Running"
        assert laboratory.listener.silent

    @pytest.mark.parametrize(
        ("method", "path", "status"),
        [
            ("GET", "/", 404),
            ("GET", "/2018-06-01/runtime/restore/next", 404),
            ("POST", "/2018-06-01/runtime/restore/error", 404),
            ("POST", "/2018-06-01/runtime/invocation//response", 404),
            ("POST", "/2018-06-01/runtime/invocation/a/b/response", 404),
            ("POST", NEXT, 405),
            ("GET", INIT_ERROR, 405),
            ("GET", response_of("id-1"), 405),
        ],
    )
    async def test_elsewhere(self, laboratory: Laboratory, method: str, path: str, status: int) -> None:
        await laboratory.runtime.ask(method, path)
        assert (await laboratory.runtime.answer())[0] == status
        assert laboratory.listener.silent

    async def test_a_listener_that_fails(self, laboratory: Laboratory, caplog: pytest.LogCaptureFixture) -> None:
        def fail() -> None:
            raise KeyError("no")

        laboratory.listener.runtime_next = fail  # type: ignore[method-assign]
        answer = await laboratory.runtime.get(NEXT)
        body = b'{"errorMessage":"Internal Server Error","errorType":"InternalServerError"}\n'
        assert answer == (500, {"Content-Type": "application/json"}, body)
        assert "KeyError" in caplog.text

    async def test_other_refusals_are_plain(self, laboratory: Laboratory) -> None:
        await laboratory.runtime.send(b"POST /x HTTP/1.1\r\nHost: x\r\nContent-Length: 999999999\r\n\r\n")
        assert (await laboratory.runtime.answer())[0] == 413
        garbage = laboratory.another_runtime()
        await garbage.send(b"garbage\r\n\r\n")
        assert (await garbage.answer())[0] == 400
        large_error = laboratory.another_runtime()
        head = f"POST {error_of('id-1')} HTTP/1.1\r\nHost: x\r\nContent-Length: 999999999\r\n\r\n"
        await large_error.send(head.encode())
        assert (await large_error.answer())[0] == 413


class TestReset:
    @pytest.mark.parametrize("state", get_args(State))
    async def test_everything_begins_anew(self, laboratory: Laboratory, state: State) -> None:
        if state == "InvocationErrorResponse":
            return  # left in the same step that enters it
        await laboratory.reach(state)
        address = laboratory.api.address
        laboratory.api.reset()
        assert (laboratory.api.state, laboratory.api.address) == ("Started", address)
        runtime = laboratory.another_runtime()
        assert (await runtime.post(response_of("id-1"), b"1"))[2] == INVALID_ID
        laboratory.listener.answers = [invocation("id-2")]
        assert (await runtime.get(NEXT))[1]["Lambda-Runtime-Aws-Request-Id"] == "id-2"
        assert await laboratory.heard() == ("next",)
        if state != "Started":
            with contextlib.suppress(ConnectionError):
                assert await laboratory.runtime.reader.read() == b""

    async def test_what_the_old_process_sent_is_not_heard(self, laboratory: Laboratory) -> None:
        await laboratory.reach("Running")
        assert laboratory.runtime.writer is not None
        laboratory.runtime.writer.write(f"POST {response_of('id-1')} HTTP/1.1\r\nHost: x\r\n\r\n".encode())
        laboratory.api.reset()
        laboratory.listener.answers = [invocation("id-2")]
        await laboratory.another_runtime().get(NEXT)
        assert await laboratory.heard() == ("next",)
        assert laboratory.listener.silent

    async def test_from_within_a_call(self, laboratory: Laboratory) -> None:
        await laboratory.reach("Running")
        laboratory.listener.runtime_response = lambda *_: laboratory.api.reset()  # type: ignore[method-assign]
        with pytest.raises((ConnectionError, asyncio.IncompleteReadError)):
            await laboratory.runtime.post(response_of("id-1"), b"1")
        assert laboratory.api.state == "Started"


HANDLERS = """
def succeed(event, context):
    return {"event": event, "id": context.aws_request_id, "arn": context.invoked_function_arn,
            "context": context.client_context.custom, "identity": context.identity.cognito_identity_id}

def fail(event, context):
    raise ValueError("no")
"""


@contextlib.asynccontextmanager
async def awslambdaric(laboratory: Laboratory, folder: Path, handler: str) -> AsyncIterator[asyncio.subprocess.Process]:
    (folder / "handlers.py").write_text(HANDLERS)
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        *("-m", "awslambdaric", handler),
        cwd=folder,
        env={**os.environ, "AWS_LAMBDA_RUNTIME_API": laboratory.api.address},
        stdout=asyncio.subprocess.DEVNULL,
        stderr=asyncio.subprocess.DEVNULL,
    )
    try:
        yield process
    finally:
        with contextlib.suppress(ProcessLookupError):
            process.kill()
        await process.wait()


class TestAwsLambdaRic:
    """The real client of Lambda's Python runtime."""

    async def test_success(self, laboratory: Laboratory, tmp_path: Path) -> None:
        context, identity = '{"custom": {"a": "b"}}', '{"cognitoIdentityId": "me", "cognitoIdentityPoolId": "p"}'
        async with awslambdaric(laboratory, tmp_path, "handlers.succeed"):
            for number in range(3):
                assert await laboratory.heard() == ("next",)
                given = NextInvocation(f"id-{number}", b'{"n": %d}' % number, "arn", 2**41, "", context, identity)
                laboratory.api.answer_next(given)
                kind, request_id, body = await laboratory.heard()
                assert (kind, request_id) == ("response", f"id-{number}")
                expected = {"event": {"n": number}, "id": f"id-{number}", "arn": "arn"}
                assert isinstance(body, bytes)
                assert json.loads(body) == expected | {"context": {"a": "b"}, "identity": "me"}

    async def test_failure(self, laboratory: Laboratory, tmp_path: Path) -> None:
        async with awslambdaric(laboratory, tmp_path, "handlers.fail"):
            assert await laboratory.heard() == ("next",)
            laboratory.api.answer_next(invocation())
            kind, request_id, given, body = await laboratory.heard()
            assert (kind, request_id, given) == ("error", "id-1", "ValueError")
            assert isinstance(body, bytes)
            error: dict[str, Any] = json.loads(body)
            assert (error["errorMessage"], error["errorType"], error["requestId"]) == ("no", "ValueError", "id-1")
            assert await laboratory.heard() == ("next",)

    async def test_import_error(self, laboratory: Laboratory, tmp_path: Path) -> None:
        async with awslambdaric(laboratory, tmp_path, "missing.handler") as process:
            kind, given, body = await laboratory.heard()
            assert (kind, given) == ("init error", "Runtime.ImportModuleError")
            assert isinstance(body, bytes)
            assert json.loads(body)["errorMessage"] == "Unable to import module 'missing': No module named 'missing'"
            assert await process.wait() == 1
            assert laboratory.api.state == "InitError"

    async def test_reset_and_a_new_process(self, laboratory: Laboratory, tmp_path: Path) -> None:
        for _ in range(2):
            async with awslambdaric(laboratory, tmp_path, "handlers.fail"):
                assert await laboratory.heard() == ("next",)
                laboratory.api.answer_next(invocation())
                assert (await laboratory.heard())[0] == "error"
                assert await laboratory.heard() == ("next",)
            laboratory.api.reset()
