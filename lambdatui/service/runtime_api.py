"""The Runtime API (version 2018-06-01): where the runtime of one environment asks for invocations and answers them.

Status codes, headers and bodies are those of the service's own core, as aws-lambda-runtime-interface-emulator shows it
(`internal/lambda/rapi`); which call is allowed when stands in `runtime_states`. Each environment has a port of its own,
because a call does not say which environment it comes from.
"""

from __future__ import annotations

import base64
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Protocol

from lambdatui.service.http import BodyReader, HttpServer, Later, Limits, Refusal, Request, Response, plain_refusal
from lambdatui.service.runtime_states import IllegalTransitionError, RuntimeStates, State

__all__ = ["MAX_RESPONSE_BYTES", "Listener", "NextInvocation", "RuntimeApi", "State"]

MAX_RESPONSE_BYTES = 6 * 2**20 + 100
"""Of a buffered response; one that is longer counts as the function's error Function.ResponseSizeTooLarge."""

MAX_STREAMED_BYTES = 200 * 2**20
"""Of a response that the function streams ("Lambda quotas")."""

LIMITS = Limits(head_bytes=2 * 2**20, body_bytes=MAX_STREAMED_BYTES, idle_seconds=None)
"""The X-Ray error cause, a header, may have 1 MiB; a function may pause in its answer for as long as it may run."""

_NEXT = "/2018-06-01/runtime/invocation/next"
_INVOCATION = re.compile("/2018-06-01/runtime/invocation/([^/]+)/(response|error)")
_INIT_ERROR = "/2018-06-01/runtime/init/error"
_MODE = "lambda-runtime-function-response-mode"
_ERROR_TYPE = "lambda-runtime-function-error-type"
_ERROR_BODY = "lambda-runtime-function-error-body"


@dataclass(frozen=True)
class NextInvocation:
    """An invocation as the runtime gets it."""

    request_id: str
    payload: bytes
    function_arn: str
    """With the qualifier that the caller asked for."""
    deadline_ms: int
    """Milliseconds since the epoch."""
    trace_id: str = ""
    client_context: str = ""
    """JSON, no longer in base64."""
    cognito_identity: str = ""
    """JSON with cognitoIdentityId and cognitoIdentityPoolId."""
    content_type: str = "application/json"


class Listener(Protocol):
    """Hears what the runtime says, at the moment it says it and before it gets an answer."""

    def runtime_next(self) -> None:
        """It asks for the next invocation: its init, or the invocation before, is over."""

    def runtime_response(self, request_id: str, body: bytes) -> None:
        """The function returned."""

    def runtime_error(self, request_id: str, error_type: str, body: bytes) -> None:
        """The function failed; `body` is for the caller as it is."""

    def runtime_init_error(self, error_type: str, body: bytes) -> None:
        """The function's code could not be loaded; the process is about to end."""

    def runtime_response_too_large(self, request_id: str, limit: int) -> None:
        """The function returned more bytes than the `limit`. This counts as its answer."""

    def runtime_response_part(self, request_id: str, data: bytes) -> None:
        """Some of a response that the function streams."""

    def runtime_response_end(self, request_id: str, error_type: str | None, error_body: bytes) -> None:
        """That was all of it. Where the function failed meanwhile there is an error type, and a body for the caller."""


def error_type(request: Request) -> str:
    """The type of an error: of the header, where there is one, else what the body says.

    A header that names no type of the service's own becomes `Function.Unknown` or `Runtime.Unknown`
    (`fatalerror.GetValidRuntimeOrFunctionErrorType`). The client within awslambdaric and Node's never sends it for an
    invocation's error, only for that of an init.
    """
    return _known_type(request.headers.get(_ERROR_TYPE), request.body)


def _known_type(given: str | None, body: bytes) -> str:
    if not given:
        return _error_type_in(body) or "Runtime.Unknown"
    if re.search(r"(Runtime|Function)\.[A-Z][a-zA-Z]+", given):
        return given
    return "Function.Unknown" if given.startswith("Function.") else "Runtime.Unknown"


def _error_type_in(body: bytes) -> str:
    try:
        error = json.loads(body)
    except (ValueError, RecursionError):
        return ""
    given = error.get("errorType") if isinstance(error, dict) else None
    return given if isinstance(given, str) else ""


def _json(status: int, fields: dict[str, str]) -> Response:
    """As Go encodes it: compact, with a newline at the end."""
    body = json.dumps(fields, separators=(",", ":")) + "\n"
    return Response(status, body.encode(), (("Content-Type", "application/json"),))


def _problem(status: int, error_type: str, message: str) -> Response:
    return _json(status, {"errorMessage": message, "errorType": error_type})


def _forbidden(error: IllegalTransitionError) -> Response:
    return _problem(403, "InvalidStateTransition", str(error))


_ACCEPTED = _json(202, {"status": "OK"})
_INVALID_REQUEST_ID = _problem(400, "InvalidRequestID", "Invalid request ID")
_INVALID_MODE = _problem(400, "InvalidFunctionResponseMode", "Invalid function response mode")
_TRUNCATED = _problem(400, "TruncatedHTTPRequest", "HTTP request detected as truncated")
_FAILED = _problem(500, "InternalServerError", "Internal Server Error")
_NOT_FOUND = Response(404, b"404 page not found\n", [("Content-Type", "text/plain; charset=utf-8")])


def _too_large(limit: int) -> Response:
    return _problem(413, "RequestEntityTooLarge", f"Exceeded maximum allowed payload size ({limit} bytes).")


def _is_streamed(request: Request) -> bool:
    match = _INVOCATION.fullmatch(request.path)
    is_response = request.method == "POST" and match is not None and match[2] == "response"
    return is_response and request.headers.get(_MODE) == "streaming"


class _StreamedResponse(BodyReader):
    """The body of a response that the function streams, and its trailers ("Building a custom runtime")."""

    def __init__(self, request_id: str, listener: Listener, states: RuntimeStates) -> None:
        self._request_id = request_id
        self._listener = listener
        self._states = states

    def part(self, data: bytes) -> None:
        self._listener.runtime_response_part(self._request_id, data)

    def end(self, trailers: Mapping[str, str]) -> Response:
        self._states.take("sent")
        encoded = trailers.get(_ERROR_BODY, "")
        try:
            body = base64.b64decode(encoded)
        except ValueError:
            body = encoded.encode(errors="surrogateescape")
        given = trailers.get(_ERROR_TYPE)
        failed = given is not None or bool(encoded)
        self._listener.runtime_response_end(self._request_id, _known_type(given, body) if failed else None, body)
        return _ACCEPTED


def _event(invocation: NextInvocation) -> Response:
    """The answer to GET next; a header without a value is left out."""
    headers = [
        ("Lambda-Runtime-Aws-Request-Id", invocation.request_id),
        ("Lambda-Runtime-Trace-Id", invocation.trace_id),
        ("Lambda-Runtime-Client-Context", invocation.client_context),
        ("Lambda-Runtime-Cognito-Identity", invocation.cognito_identity),
        ("Lambda-Runtime-Invoked-Function-Arn", invocation.function_arn),
        ("Lambda-Runtime-Deadline-Ms", str(invocation.deadline_ms)),
        ("Content-Type", invocation.content_type or "application/json"),
    ]
    return Response(200, invocation.payload, [header for header in headers if header[1]])


class RuntimeApi:
    """The Runtime API of one environment. It outlives the environment's runtime processes: see `reset`."""

    def __init__(self, listener: Listener) -> None:
        self._listener = listener
        self._server = HttpServer(self._handle, refuse=self._refuse, limits=LIMITS, streams=_is_streamed)
        self._begin()

    def _begin(self) -> None:
        self._states = RuntimeStates()
        self._current_id = ""
        self._current_event: Response | None = None
        self._waiting: list[Later] = []

    async def start(self) -> None:
        """Listen on a free port of 127.0.0.1."""
        await self._server.start()

    async def close(self) -> None:
        """Stop listening; whoever waits is hung up on. Closing twice does nothing."""
        await self._server.close()

    @property
    def address(self) -> str:
        """`host:port`, the value of AWS_LAMBDA_RUNTIME_API."""
        return self._server.address

    @property
    def state(self) -> State:
        """Where the runtime stands."""
        return self._states.state

    def answer_next(self, invocation: NextInvocation) -> None:
        """Hand `invocation` to the runtime that asks for one; raises RuntimeError if it does not.

        If its connection broke while it waited, it gets the invocation when it asks again.
        """
        try:
            self._states.take("invoked")
        except IllegalTransitionError as error:  # our own mistake, and not to be told to the runtime as if it were its
            raise RuntimeError(str(error)) from None
        self._current_id = invocation.request_id
        self._current_event = _event(invocation)
        for later in self._waiting:  # the one that has waited longest; another, if there is one, waits on
            if later.waiting:
                later.send(self._current_event)
                return

    def reset(self) -> None:
        """Be as at first, for a new runtime process. The old one is hung up on, and nothing it sent is heard later."""
        self._begin()
        self._server.drop_connections()

    def _handle(self, request: Request) -> Response | Later | BodyReader:
        path = request.path
        try:
            if path == _NEXT:
                return self._next() if request.method == "GET" else _not_allowed("GET")
            if match := _INVOCATION.fullmatch(path):
                if request.method != "POST":
                    return _not_allowed("POST")
                if match[1] != self._current_id:
                    return _INVALID_REQUEST_ID
                if _is_streamed(request):
                    return self._streamed_response()
                return self._response(request) if match[2] == "response" else self._error(request)
            if path == _INIT_ERROR:
                return self._init_error(request) if request.method == "POST" else _not_allowed("POST")
        except IllegalTransitionError as error:
            return _forbidden(error)
        return _NOT_FOUND

    def _next(self) -> Response | Later:
        before = self._states.state
        if self._states.take("next") == "Running":
            assert self._current_event is not None
            return self._current_event
        later = Later()
        self._waiting = [*(other for other in self._waiting if other.waiting), later]
        if before != "Ready":
            self._listener.runtime_next()
        return later

    def _response(self, request: Request, size: int | None = None) -> Response:
        """`size` is known apart from the body where that was too large to be read."""
        self._states.take("response")
        if request.headers.get(_MODE):
            # The service's core does not come back from this: the runtime stays in InvocationResponse.
            wrong = "Runtime.InvalidResponseModeHeader"
            self._listener.runtime_error(self._current_id, wrong, b'{"errorType":"%b"}' % wrong.encode())
            return _INVALID_MODE
        self._states.take("sent")
        size = len(request.body) if size is None else size
        if size > MAX_RESPONSE_BYTES:
            self._listener.runtime_response_too_large(self._current_id, MAX_RESPONSE_BYTES)
            return _too_large(MAX_RESPONSE_BYTES)
        self._listener.runtime_response(self._current_id, request.body)
        return _ACCEPTED

    def _streamed_response(self) -> BodyReader:
        """From its first byte on there is no other answer: the runtime stays in InvocationResponse until its end."""
        self._states.take("response")
        return _StreamedResponse(self._current_id, self._listener, self._states)

    def _error(self, request: Request) -> Response:
        self._states.take("error")
        self._states.take("sent")
        self._listener.runtime_error(self._current_id, error_type(request), request.body)
        return _ACCEPTED

    def _init_error(self, request: Request) -> Response:
        self._states.take("init error")
        self._listener.runtime_init_error(error_type(request), request.body)
        return _ACCEPTED

    def _refuse(self, refusal: Refusal) -> Response:
        """A response that does not arrive as a whole. After a truncated one the invocation goes on: it ends with the
        process, or with its timeout."""
        request = refusal.request
        if refusal.why == "failed":
            return _FAILED
        if request is None or request.method != "POST" or not (match := _INVOCATION.fullmatch(request.path)):
            return plain_refusal(refusal)
        if refusal.why == "truncated":
            return _TRUNCATED if match[1] == self._current_id else _INVALID_REQUEST_ID
        if refusal.why == "body too large" and match[2] == "response":
            if match[1] != self._current_id:
                return _INVALID_REQUEST_ID
            try:
                if _is_streamed(request):
                    return self._too_long_a_stream()
                return self._response(request, refusal.body_size)
            except IllegalTransitionError as error:
                return _forbidden(error)
        return plain_refusal(refusal)

    def _too_long_a_stream(self) -> Response:
        if self._states.state != "InvocationResponse":  # it was too long before it began
            self._states.take("response")
        self._states.take("sent")
        self._listener.runtime_response_too_large(self._current_id, MAX_STREAMED_BYTES)
        return _too_large(MAX_STREAMED_BYTES)


def _not_allowed(method: str) -> Response:
    return Response(405, headers=[("Allow", method)])
