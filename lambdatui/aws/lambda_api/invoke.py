"""Invoke: a function's answer, whole or as it comes, a place in the queue, or whether one might ("Invoke",
"InvokeWithResponseStream" and "InvokeAsync" in the API reference)."""

from __future__ import annotations

import base64
from collections.abc import AsyncGenerator, Iterator

from lambdatui.aws.call import Call
from lambdatui.aws.event_stream import CONTENT_TYPE, blob_event, error, event
from lambdatui.aws.lambda_api.log_tail import log_tail
from lambdatui.aws.lambda_api.reference import function_of
from lambdatui.aws.routes import Route
from lambdatui.events import Json
from lambdatui.function import parse_json
from lambdatui.lab import Invocation, Lab
from lambdatui.refusal import InvalidRequestContent, TooManyRequests, ValidationFailed
from lambdatui.service.callers import Caller, LaboratoryCleared
from lambdatui.service.http import Response, Streamed
from lambdatui.service.invocation import InvocationRequest
from lambdatui.service.service import Service

MAX_CLIENT_CONTEXT_BYTES = 3583
"""In base64."""


class Invoke:
    def __init__(self, service: Service, lab: Lab) -> None:
        self._service = service
        self._lab = lab

    def routes(self) -> Iterator[Route]:
        action = "lambda:InvokeFunction"
        yield Route("Invoke", "POST", "/2015-03-31/functions/{FunctionName}/invocations", self.invoke, action)
        yield Route("InvokeAsync", "POST", "/2014-11-13/functions/{FunctionName}/invoke-async", self.leave, action)
        streaming = "/2021-11-15/functions/{FunctionName}/response-streaming-invocations"
        yield Route("InvokeWithResponseStream", "POST", streaming, self.stream, action)

    async def invoke(self, call: Call) -> Response:
        request, tail = _request(call), _wants_tail(call)
        caller, invocation = await self._begin(request)
        headers = [("x-amzn-RequestId", caller.request_id)]
        if request.invocation_type == "Event":
            return Response(202, b"", headers)
        if request.invocation_type == "DryRun":
            return Response(204, b"", headers)
        # What was streamed need not be text; the journal keeps it as such.
        streamed = b"".join([part async for part in caller.parts()])
        if tail:  # REPORT comes after the answer
            await caller.until_finished()
        headers += [("Content-Type", "application/json"), ("X-Amz-Executed-Version", invocation.version)]
        if invocation.function_error:
            headers.append(("X-Amz-Function-Error", invocation.function_error))
        if tail:
            headers.append(("X-Amz-Log-Result", log_tail(self._lab, invocation)))
        return Response(200, streamed or (invocation.payload or "").encode(), headers)

    async def leave(self, call: Call) -> Response:
        """Deprecated, and still there."""
        caller, _ = await self._begin(_request(call, "Event"))
        return Response(202, b"", [("x-amzn-RequestId", caller.request_id)])

    async def stream(self, call: Call) -> Response | Streamed:
        request, tail = _request(call), _wants_tail(call)
        if request.invocation_type == "Event":
            raise _not_in("invocationType", "Event", "[RequestResponse, DryRun]")
        caller, invocation = await self._begin(request)
        headers = [("x-amzn-RequestId", caller.request_id), ("X-Amz-Executed-Version", invocation.version)]
        if request.invocation_type == "DryRun":
            return Response(204, b"", headers)
        return Streamed(200, self._events(caller, invocation, tail), [*headers, ("Content-Type", CONTENT_TYPE)])

    async def _begin(self, request: InvocationRequest) -> tuple[Caller, Invocation]:
        """Raises TooManyRequests."""
        caller = await self._service.begin_in_turn(request)
        invocation = self._lab.invocations[caller.request_id]
        if invocation.status == "throttled":
            raise TooManyRequests(invocation.throttle_reason or "", caller.request_id)
        return caller, invocation

    async def _events(self, caller: Caller, invocation: Invocation, tail: bool) -> AsyncGenerator[bytes, None]:
        """A client that goes away does not end the invocation ("Response streaming for Lambda functions")."""
        try:
            async for part in caller.parts():
                yield blob_event("PayloadChunk", part)
            if invocation.first_byte_at is None and not invocation.function_error and invocation.payload:
                yield blob_event("PayloadChunk", invocation.payload.encode())  # a buffered one
            if tail:
                await caller.until_finished()
        except LaboratoryCleared as refusal:
            yield error(refusal)
            return
        members: dict[str, Json] = {}
        if code := invocation.error_code or invocation.function_error:
            members = {"ErrorCode": code, "ErrorDetails": invocation.error_details or invocation.payload}
        if tail:
            members["LogResult"] = log_tail(self._lab, invocation)
        yield event("InvokeComplete", members)


def _request(call: Call, invocation_type: str = "") -> InvocationRequest:
    """Raises ServiceRefusal."""
    function = function_of(call)
    headers = call.request.headers
    try:
        payload = call.request.body.decode()
    except UnicodeDecodeError as error:
        message = f"Could not parse request body into json: Could not parse payload into json: {error}"
        raise InvalidRequestContent(message) from None
    return InvocationRequest(
        function.name,
        payload,
        function.qualifier,
        invocation_type or headers.get("x-amz-invocation-type", "RequestResponse"),
        client_context=_client_context(headers.get("x-amz-client-context", "")),
        trace=headers.get("x-amzn-trace-id", ""),
        source="endpoint",
    )


def _client_context(encoded: str) -> str:
    """JSON. What is too long, or none, is refused."""
    if not encoded:
        return ""
    if len(encoded) > MAX_CLIENT_CONTEXT_BYTES:
        raise InvalidRequestContent(f"Client context must have {MAX_CLIENT_CONTEXT_BYTES} bytes at most.")
    try:
        text = base64.b64decode(encoded, validate=True).decode()
        is_object = isinstance(parse_json(text), dict)
    except (ValueError, RecursionError):
        is_object = False
    if not is_object:
        raise InvalidRequestContent("Client context must be a valid Base64-encoded JSON object.")
    return text


def _wants_tail(call: Call) -> bool:
    log_type = call.request.headers.get("x-amz-log-type", "None")
    if log_type not in ("None", "Tail"):
        raise _not_in("logType", log_type, "[None, Tail]")
    return log_type == "Tail"


def _not_in(name: str, value: str, values: str) -> ValidationFailed:
    return ValidationFailed(
        f"1 validation error detected: Value '{value}' at '{name}' failed to satisfy constraint: "
        f"Member must satisfy enum value set: {values}"
    )
