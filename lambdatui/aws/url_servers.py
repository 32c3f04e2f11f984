"""The servers behind function URLs: one for each, on loopback, with a port of its own.

A web page may send requests to them, if its browser lets it: that is what CORS is for. Whoever else can connect may do
what the URL's auth type says.
"""

from __future__ import annotations

import asyncio
import json
import uuid
from datetime import UTC, datetime

from lambdatui.aws.cors import is_preflight, preflight, with_cors
from lambdatui.aws.hosts import check_host
from lambdatui.aws.keys import Keys
from lambdatui.aws.limits import open_to_all
from lambdatui.aws.signature import Unauthenticated, verify
from lambdatui.aws.url_payloads import MalformedResponse, Signer, event_for, response_of, streamed_response_of
from lambdatui.events import Json
from lambdatui.lab import Invocation, Lab
from lambdatui.refusal import AccessDenied, ServiceRefusal
from lambdatui.service.function_urls import FunctionUrl
from lambdatui.service.http import HttpServer, Later, Refusal, Request, Response, plain_refusal
from lambdatui.service.invocation import MAX_PAYLOAD_BYTES, LaboratoryCleared
from lambdatui.service.service import Service

_MAX_BYTES = MAX_PAYLOAD_BYTES["RequestResponse"]

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
                return _finished(_forbidden(refusal), url, request, request_id)
        event = event_for(request, url, request_id, datetime.now(UTC), signer)
        later = Later()
        task = asyncio.create_task(self._answer(url, request, request_id, event, later))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        return later

    def _signer(self, url: FunctionUrl, request: Request) -> Signer:
        """Raises ServiceRefusal. New URLs ask for two permissions ("Control access to Lambda function URLs")."""
        signed = verify(request, self._keys.find, datetime.now(UTC))
        if signed.service != "lambda":
            raise Unauthenticated(
                "InvalidSignatureException", "Credential should be scoped to correct service: 'lambda'."
            )
        caller = self._keys.caller(signed.key)
        caller.check("lambda:InvokeFunctionUrl", url.arn)
        caller.check("lambda:InvokeFunction", url.arn)
        return Signer(signed.key.access_key_id, caller)

    async def _answer(
        self, url: FunctionUrl, request: Request, request_id: str, event: dict[str, Json], later: Later
    ) -> None:
        """Whether or not the client is still there."""
        try:
            response = await self._invoke(url, request_id, json.dumps(event, ensure_ascii=False))
        except Exception as error:
            message = f"{request.method} {url.address} failed"
            asyncio.get_running_loop().call_exception_handler({"message": message, "exception": error})
            response = _bad_gateway()
        later.send(_finished(response, url, request, request_id))

    async def _invoke(self, url: FunctionUrl, request_id: str, payload: str) -> Response:
        if len(payload.encode()) > _MAX_BYTES:
            return _too_large()
        try:
            await self._service.invoke(url.function, payload, qualifier=url.alias, request_id=request_id)
            return _response(self._lab.invocations[request_id], url)
        except (ServiceRefusal, LaboratoryCleared, MalformedResponse):
            return _bad_gateway()


def _response(invocation: Invocation, url: FunctionUrl) -> Response:
    if invocation.status == "throttled":
        reason = {"Reason": invocation.throttle_reason, "Type": "User", "message": "Rate Exceeded."}
        return _error(429, "TooManyRequestsException", {**reason})
    if invocation.status != "succeeded":
        return _bad_gateway()
    payload = invocation.payload or ""
    if url.configuration.invoke_mode == "RESPONSE_STREAM":
        return streamed_response_of(payload.encode(errors="replace"), complete=True) or _bad_gateway()
    return response_of(payload)


def _finished(response: Response, url: FunctionUrl, request: Request, request_id: str) -> Response:
    """With what every answer has."""
    response = response._replace(headers=[*response.headers, ("x-amzn-RequestId", request_id)])
    cors = url.configuration.cors
    return with_cors(cors, request, response) if cors else response


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
