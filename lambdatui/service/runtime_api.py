"""The Lambda Runtime API (2018-06-01), which a function's runtime talks to: one listener for each environment.

States, status codes and bodies are those of the service's own open core (runtime interface emulator, `rapi/`) and of
"Using the Lambda runtime API" in the developer guide.
"""

from __future__ import annotations

import asyncio
import json
import re
from dataclasses import dataclass
from enum import StrEnum
from typing import Protocol

from lambdatui.service.http import Answer, Request, Response, Server

MAX_RESPONSE_BYTES = 6 * 2**20 + 100
"""The limit on a response that is not streamed."""

_PREFIX = "/2018-06-01/runtime/"
_INVOCATION = re.compile(r"invocation/([^/]+)/(response|error)")
_ERROR_TYPE = re.compile(r"(Runtime|Function)\.[A-Z][a-zA-Z]+")
_JSON = {"Content-Type": "application/json"}


class State(StrEnum):
    """A runtime as the API sees it; the values are the service's names, which its error messages show."""

    STARTED = "Started"
    INIT_ERROR = "InitError"
    READY = "Ready"
    RUNNING = "Running"
    RESPONSE_SENT = "RuntimeResponseSentState"


class Call(StrEnum):
    """What a runtime may ask for; the values are the names of the states that it leads to."""

    NEXT = "Ready"
    RESPONSE = "InvocationResponse"
    ERROR = "InvocationErrorResponse"
    INIT_ERROR = "InitError"


TRANSITIONS = {
    (State.STARTED, Call.NEXT): State.READY,
    (State.STARTED, Call.INIT_ERROR): State.INIT_ERROR,
    (State.RUNNING, Call.NEXT): State.RUNNING,  # asks again: gets the same invocation again
    (State.RUNNING, Call.RESPONSE): State.RESPONSE_SENT,
    (State.RUNNING, Call.ERROR): State.RESPONSE_SENT,
    (State.RESPONSE_SENT, Call.NEXT): State.READY,
}
"""All that is allowed. Ready becomes Running when the invocation is handed out."""


@dataclass(frozen=True)
class NextInvocation:
    """What a runtime gets for `next`. `deadline_ms` is in milliseconds since the epoch."""

    request_id: str
    payload: bytes
    function_arn: str
    deadline_ms: int
    trace_id: str = ""
    client_context: str = ""
    cognito_identity: str = ""
    content_type: str = "application/json"

    def response(self) -> Response:
        headers = {
            "Content-Type": self.content_type,
            "Lambda-Runtime-Aws-Request-Id": self.request_id,
            "Lambda-Runtime-Trace-Id": self.trace_id,
            "Lambda-Runtime-Client-Context": self.client_context,
            "Lambda-Runtime-Cognito-Identity": self.cognito_identity,
            "Lambda-Runtime-Invoked-Function-Arn": self.function_arn,
            "Lambda-Runtime-Deadline-Ms": str(self.deadline_ms),
        }
        return Response(200, self.payload, {name: value for name, value in headers.items() if value})


class Listener(Protocol):
    """Who is told what the runtime does, before the runtime has its answer."""

    def runtime_next(self) -> None:
        """It asks for an invocation: answer with :meth:`RuntimeApi.answer_next`."""

    def runtime_response(self, body: bytes) -> None: ...

    def runtime_response_too_large(self) -> None:
        """It responded with more than MAX_RESPONSE_BYTES and was refused."""

    def runtime_error(self, body: bytes) -> None: ...

    def runtime_init_error(self, error_type: str, body: bytes) -> None: ...


class RuntimeApi:
    """One environment's Runtime API on a loopback port of its own, as its paths do not say which environment calls."""

    def __init__(self, listener: Listener) -> None:
        self._listener = listener
        self._server = Server(self._handle, MAX_RESPONSE_BYTES + 1)
        self._state = State.STARTED
        self._invocation: NextInvocation | None = None
        self._waiting: asyncio.Future[Response] | None = None
        self.address = ""
        """host:port, once started."""

    async def start(self) -> None:
        self.address = f"127.0.0.1:{await self._server.start()}"

    def answer_next(self, invocation: NextInvocation) -> None:
        """Hand out the invocation that the runtime waits for."""
        self._invocation, self._state = invocation, State.RUNNING
        if self._waiting and not self._waiting.done():
            self._waiting.set_result(invocation.response())
        self._waiting = None

    def reset(self) -> None:
        """For a new runtime; nothing is heard any more of the one before."""
        self._server.disconnect()
        self._state, self._invocation, self._waiting = State.STARTED, None, None

    def close(self) -> None:
        self._server.close()

    def _handle(self, request: Request) -> Answer:
        name = request.path.removeprefix(_PREFIX)
        if name == request.path:
            return Response(404, b"404 page not found\n", {"Content-Type": "text/plain; charset=utf-8"})
        if name == "invocation/next":
            return self._next() if request.method == "GET" else Response(405)
        if name == "init/error":
            return self._init_error(request) if request.method == "POST" else Response(405)
        if match := _INVOCATION.fullmatch(name):
            return self._end(match[1], match[2], request) if request.method == "POST" else Response(405)
        return Response(404, b"404 page not found\n", {"Content-Type": "text/plain; charset=utf-8"})

    def _next(self) -> Answer:
        if refused := self._refused(Call.NEXT):
            return refused
        if self._state == State.RUNNING:
            assert self._invocation
            return self._invocation.response()
        self._state = TRANSITIONS[self._state, Call.NEXT]
        self._waiting = waiting = asyncio.get_running_loop().create_future()
        self._listener.runtime_next()
        return waiting

    def _init_error(self, request: Request) -> Response:
        if refused := self._refused(Call.INIT_ERROR):
            return refused
        self._state = TRANSITIONS[self._state, Call.INIT_ERROR]
        self._listener.runtime_init_error(error_type(request), request.body)
        return _accepted()

    def _end(self, request_id: str, what: str, request: Request) -> Response:
        if self._invocation is None or request_id != self._invocation.request_id:
            return _error(400, "InvalidRequestID", "Invalid request ID")
        call = Call.RESPONSE if what == "response" else Call.ERROR
        if refused := self._refused(call):
            return refused
        mode = request.headers.get("lambda-runtime-function-response-mode")
        if call == Call.RESPONSE and mode not in (None, "", "streaming"):
            return self._invalid_response_mode(mode)
        self._state = TRANSITIONS[self._state, call]
        if call == Call.ERROR:
            self._listener.runtime_error(request.body)
        elif request.size > MAX_RESPONSE_BYTES:
            self._listener.runtime_response_too_large()
            message = f"Exceeded maximum allowed payload size ({MAX_RESPONSE_BYTES} bytes)."
            return _error(413, "RequestEntityTooLarge", message)
        else:
            self._listener.runtime_response(request.body)
        return _accepted()

    def _invalid_response_mode(self, mode: str) -> Response:
        self._state = State.RESPONSE_SENT
        message = f"Invalid response mode: {mode}"
        body = {"errorType": "Runtime.InvalidResponseModeHeader", "errorMessage": message}
        self._listener.runtime_error(json.dumps(body).encode())
        return _error(400, "InvalidFunctionResponseMode", message)

    def _refused(self, call: Call) -> Response | None:
        if (self._state, call) in TRANSITIONS:
            return None
        message = f"State transition from {self._state} to {call} failed for runtime. "
        return _error(403, "InvalidStateTransition", f"{message}Error: State transition is not allowed")


def error_type(request: Request) -> str:
    """What the runtime names as the type of its error; awslambdaric names it in the header for init errors only, so
    the body's word counts too."""
    named = request.headers.get("lambda-runtime-function-error-type") or _error_type_in(request.body)
    if _ERROR_TYPE.search(named):
        return named
    return "Function.Unknown" if named.startswith("Function.") else "Runtime.Unknown"


def _error_type_in(body: bytes) -> str:
    try:
        return str(json.loads(body)["errorType"])
    except (ValueError, TypeError, KeyError):
        return ""


def _accepted() -> Response:
    return Response(202, b'{"status":"OK"}\n', _JSON)


def _error(status: int, kind: str, message: str) -> Response:
    return Response(status, json.dumps({"errorMessage": message, "errorType": kind}).encode(), _JSON)
