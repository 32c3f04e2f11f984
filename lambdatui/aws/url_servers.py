"""The servers behind function URLs: one for each, on loopback, with a port of its own.

A web page may send requests to them, if its browser lets it: that is what CORS is for. Whoever else can connect may do
what the URL's auth type says.
"""

from __future__ import annotations

import asyncio
import json
import uuid
from collections.abc import AsyncGenerator
from contextlib import aclosing
from datetime import UTC, datetime

from lambdatui.aws.cors import is_preflight, preflight, with_cors
from lambdatui.aws.hosts import check_host
from lambdatui.aws.keys import Keys
from lambdatui.aws.limits import open_to_all
from lambdatui.aws.signature import Unauthenticated, verify
from lambdatui.aws.url_payloads import MalformedResponse, Signer, event_for, response_of, streamed_response_of
from lambdatui.events import Json
from lambdatui.lab import Invocation, Lab
from lambdatui.refusal import AccessDenied, RequestTooLarge, ServiceRefusal
from lambdatui.service.callers import Caller
from lambdatui.service.function_urls import FunctionUrl
from lambdatui.service.http import (
    BrokenOff,
    HttpServer,
    Later,
    Refusal,
    Request,
    Response,
    Streamed,
    plain_refusal,
)
from lambdatui.service.invocation import MAX_PAYLOAD_BYTES, InvocationRequest
from lambdatui.service.service import Service

_MAX_BYTES = MAX_PAYLOAD_BYTES["RequestResponse"]

_NEEDED = {
    "lambda:InvokeFunctionUrl": {"lambda:functionurlauthtype": "AWS_IAM"},
    "lambda:InvokeFunction": {"lambda:invokedviafunctionurl": "true"},
}
"""What a caller needs for a URL that asks, and on which conditions policies may allow that ("Control access to Lambda
function URLs" in the developer guide)."""

_FORBIDDEN = (
    "Forbidden. For troubleshooting Function URL authorization issues, see: "
    "https://docs.aws.amazon.com/lambda/latest/dg/urls-auth.html"
)


class UrlServers:
    """All of them. Whoever makes it closes it."""

    def __init__(self, service: Service, lab: Lab, keys: Keys) -> None:
        self._service, self._lab, self._keys = service, lab, keys
        self._servers: dict[str, UrlServer] = {}

    async def open(self, url_id: str) -> str:
        """The address of a new server. Raises OSError."""
        server = UrlServer(url_id, self._service, self._lab, self._keys)
        await server.start()
        self._servers[url_id] = server
        return server.address

    async def close(self, url_id: str) -> None:
        """Does nothing for one that is closed already."""
        if server := self._servers.pop(url_id, None):
            await server.close()

    async def close_all(self) -> None:
        for url_id in list(self._servers):
            await self.close(url_id)


class UrlServer:
    """The one of this URL, which is looked up for each request: its configuration changes."""

    def __init__(self, url_id: str, service: Service, lab: Lab, keys: Keys) -> None:
        self._url_id, self._service, self._lab, self._keys = url_id, service, lab, keys
        self._server = HttpServer(self._handle, refuse=_refuse, limits=open_to_all(_MAX_BYTES))
        self._tasks: set[asyncio.Task[None]] = set()

    async def start(self) -> None:
        await self._server.start()

    @property
    def address(self) -> str:
        return f"http://{self._server.address}/"

    async def close(self) -> None:
        await self._server.close()
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    def _handle(self, request: Request) -> Response | Later:
        url = self._service.urls.find(self._url_id)
        try:
            check_host(request)
        except AccessDenied as refusal:
            return _error(403, refusal.code, {"Message": str(refusal)})
        if url is None:
            return _error(403, "AccessDeniedException", {"Message": None})
        cors = url.configuration.cors
        if cors and is_preflight(request):
            return preflight(cors, request)
        request_id, signer = str(uuid.uuid4()), None
        if url.configuration.auth_type == "AWS_IAM":
            try:
                signer = self._signer(url, request)
            except ServiceRefusal as refusal:
                later = Later()
                later.send(_finished(_forbidden(refusal), url, request, request_id))
                return later
        event = event_for(request, url, request_id, datetime.now(UTC), signer)
        later = Later()
        task = asyncio.create_task(self._answer(url, request, request_id, event, later))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        return later

    def _signer(self, url: FunctionUrl, request: Request) -> Signer:
        """Raises ServiceRefusal."""
        signed = verify(request, self._keys.find, datetime.now(UTC))
        if signed.service != "lambda":
            raise Unauthenticated(
                "InvalidSignatureException", "Credential should be scoped to correct service: 'lambda'."
            )
        caller, policy = self._keys.caller(signed.key), self._service.permissions.document(url.function, url.alias)
        for action, context in _NEEDED.items():
            caller.check(action, url.arn, policy, context)
        return Signer(signed.key.access_key_id, caller)

    async def _answer(
        self, url: FunctionUrl, request: Request, request_id: str, event: dict[str, Json], later: Later
    ) -> None:
        """Whether or not the client is still there."""
        trace = request.headers.get("x-amzn-trace-id", "")
        invocation = InvocationRequest(
            url.function,
            json.dumps(event, ensure_ascii=False),
            url.alias,
            trace=trace,
            request_id=request_id,
            source="function URL",
        )
        try:
            response = await self._invoke(invocation, url.configuration.invoke_mode)
        except Exception as error:
            message = f"{request.method} {url.address} failed"
            asyncio.get_running_loop().call_exception_handler({"message": message, "exception": error})
            response = _bad_gateway()
        later.send(_finished(response, url, request, request_id))

    async def _invoke(self, request: InvocationRequest, mode: str) -> Response | Streamed:
        try:
            caller = self._service.begin(request)
            invocation = self._lab.invocations[caller.request_id]
            if invocation.status == "throttled":
                return _throttled(invocation)
            if mode == "RESPONSE_STREAM":
                return await _streamed(caller, invocation)
            await caller.until_answered()
            return response_of(invocation.payload or "") if invocation.status == "succeeded" else _bad_gateway()
        except RequestTooLarge:
            return _too_large()
        except (ServiceRefusal, MalformedResponse):
            return _bad_gateway()


async def _streamed(caller: Caller, invocation: Invocation) -> Response | Streamed:
    """As soon as it can be said what it begins with. Raises MalformedResponse."""
    parts, start = caller.parts(), b""
    async for part in parts:
        start += part
        if head := streamed_response_of(start, complete=False):
            return Streamed(head.status, _rest(head.body, parts, invocation), head.headers)
    if invocation.status != "succeeded" or invocation.error_code:
        return _bad_gateway()
    # A function that does not stream is answered as it is.
    return streamed_response_of(start or (invocation.payload or "").encode(), complete=True) or _bad_gateway()


async def _rest(
    start: bytes, parts: AsyncGenerator[bytes, None], invocation: Invocation
) -> AsyncGenerator[bytes, None]:
    """Raises BrokenOff if the function fails halfway."""
    yield start
    async with aclosing(parts):
        async for part in parts:
            yield part
    if invocation.error_code:
        raise BrokenOff


def _throttled(invocation: Invocation) -> Response:
    reason = {"Reason": invocation.throttle_reason, "Type": "User", "message": "Rate Exceeded."}
    return _error(429, "TooManyRequestsException", {**reason})


def _finished(
    response: Response | Streamed, url: FunctionUrl, request: Request, request_id: str
) -> Response | Streamed:
    """With what every answer has."""
    headers = [*response.headers, ("x-amzn-RequestId", request_id)]
    cors = url.configuration.cors
    return response._replace(headers=with_cors(cors, request, headers) if cors else headers)


def _forbidden(refusal: ServiceRefusal) -> Response:
    """What is wrong with a signature is told; that there is none, or not the permission, is not."""
    if isinstance(refusal, Unauthenticated) and refusal.code != "MissingAuthenticationTokenException":
        return _error(403, refusal.code, {"message": str(refusal)})
    return _error(403, "AccessDeniedException", {"Message": _FORBIDDEN})


def _bad_gateway() -> Response:
    return Response(502, b"Internal Server Error", [("Content-Type", "application/json")])


def _too_large() -> Response:
    message = f"Request must be smaller than {_MAX_BYTES} bytes for the InvokeFunction operation"
    return _error(413, "RequestEntityTooLargeException", {"Message": message})


def _error(status: int, code: str, members: dict[str, Json]) -> Response:
    body = json.dumps(members, separators=(",", ":")).encode()
    return Response(status, body, [("Content-Type", "application/json"), ("x-amzn-ErrorType", code)])


def _refuse(refusal: Refusal) -> Response:
    return _too_large() if refusal.why == "body too large" else plain_refusal(refusal)
