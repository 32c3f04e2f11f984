"""The endpoint: one address on loopback at which the laboratory speaks the APIs of AWS, to those who have its keys.

Which service a request is meant for its signature says. In this order a request is refused that comes by a name that
is no loopback one (somebody's page that had its domain point here), that a browser's page sent, whose signature is not
good, and that no operation is for. What can be seen of that in its head is said then, and its body, unless that is
little, is not kept.
"""

from __future__ import annotations

import asyncio
import os
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Protocol
from urllib.parse import parse_qsl

from lambdatui import events as ev
from lambdatui.aws.call import Call
from lambdatui.aws.hosts import check_host
from lambdatui.aws.keys import Keys
from lambdatui.aws.lambda_api.api import LambdaApi
from lambdatui.aws.limits import open_to_all
from lambdatui.aws.logs_api.api import LogsApi
from lambdatui.aws.packages import Packages
from lambdatui.aws.signature import Unauthenticated, claim, claimed_service, verify
from lambdatui.aws.sts_api import StsApi
from lambdatui.aws.url_servers import UrlServers
from lambdatui.aws.wire import rest_error
from lambdatui.lab import Lab
from lambdatui.refusal import AccessDenied, NotImplementedHere, RequestTooLarge, ServiceRefusal
from lambdatui.service.http import HttpServer, Later, Refusal, Request, Response, Streamed, plain_refusal
from lambdatui.service.service import Service

_BODY_BYTES = 72 * 2**20
"""A package of 50 MB comes in base64, as part of JSON."""

_LITTLE_BYTES = 2**12
"""So much of a stranger's body may be kept."""


class Api(Protocol):
    """One of the services."""

    async def carry_out(self, call: Call) -> Response | Streamed:
        """Raises ServiceRefusal."""

    def refuse(self, refusal: ServiceRefusal) -> Response:
        """As the service's protocol says it."""


async def open_endpoint(service: Service, lab: Lab, port: int = 0) -> Endpoint:
    """The endpoint of a laboratory that has just been opened, with keys of its own, on this port, 0 for any that is
    free. Whoever opens it closes it. Raises OSError."""
    endpoint = Endpoint(service, lab, Keys.generate(service))
    await endpoint.open(port)
    return endpoint


class Endpoint:
    """Serves `service`, of which `lab` is the fold. Open it before functions are made: they are told its address."""

    def __init__(self, service: Service, lab: Lab, keys: Keys) -> None:
        self.keys = keys
        self._packages = Packages()
        self._apis: Mapping[str, Api] = {
            "lambda": LambdaApi(service, lab, self._locate),
            "logs": LogsApi(service, lab),
            "sts": StsApi(),
        }
        self._server = HttpServer(
            self._handle,
            refuse=_refuse,
            limits=open_to_all(_BODY_BYTES),
            streams=self._is_stranger,
            read=self._turn_away,
        )
        self._service = service
        self._url_servers = UrlServers(service, lab, keys)
        self._tasks: set[asyncio.Task[None]] = set()

    @property
    def url(self) -> str:
        return f"http://{self._server.address}"

    def _locate(self, code: Path) -> str:
        """Where it can be fetched, as a package."""
        return f"{self.url}{self._packages.offer(code)}"

    async def open(self, port: int) -> None:
        try:
            await self._server.start("127.0.0.1", port)
        except OSError as error:
            reason = os.strerror(error.errno) if error.errno else str(error)
            raise OSError(error.errno, f"port {port} cannot be had: {reason}") from error
        self._service.endpoint = self.url
        self._service.urls.host = self._url_servers
        self._service.journal.append(ev.EndpointOpened(self.url))

    async def close(self) -> None:
        await self._server.close()
        await self._url_servers.close_all()
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    def _is_stranger(self, head: Request) -> bool:
        """Of a request whose body has not arrived, if it has one: whether it is refused whatever that is. A little one
        is waited for, so that its sender is looked at once."""
        has_body = "transfer-encoding" in head.headers or int(head.headers.get("content-length", 0)) > _LITTLE_BYTES
        return has_body and self._objection(head) is not None

    def _turn_away(self, head: Request) -> Response:
        too_late = Unauthenticated("InvalidSignatureException", "The request came before its signature was good.")
        return self._refuse(head, self._objection(head) or too_late)

    def _objection(self, head: Request) -> ServiceRefusal | None:
        try:
            _check_sender(head)
            claim(head, self.keys.find, datetime.now(UTC))
        except ServiceRefusal as refusal:
            return refusal
        return None

    def _refuse(self, request: Request, refusal: ServiceRefusal) -> Response:
        """As the service does that is meant."""
        api = self._apis.get(claimed_service(request) or "")
        return api.refuse(refusal) if api else rest_error(refusal)

    def _handle(self, request: Request) -> Response | Later:
        try:
            _check_sender(request)
            if package := self._packages.answer(request):
                return package
            signed = verify(request, self.keys.find, datetime.now(UTC))
            api = self._apis.get(signed.service)
            if api is None:
                raise NotImplementedHere(f"The laboratory has no service {signed.service}.")
        except ServiceRefusal as refusal:
            return self._refuse(request, refusal)
        call = Call(self.keys.caller(signed.key), request, {}, _query(request))
        later = Later()
        task = asyncio.create_task(self._answer(api, call, later))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        return later

    async def _answer(self, api: Api, call: Call, later: Later) -> None:
        """A client that goes away does not end what it began, as little as in the real service."""
        response: Response | Streamed
        try:
            response = await api.carry_out(call)
        except ServiceRefusal as refusal:
            response = api.refuse(refusal)
        except Exception as error:
            message = f"{call.request.method} {call.request.path} failed"
            asyncio.get_running_loop().call_exception_handler({"message": message, "exception": error})
            response = api.refuse(ServiceRefusal("The laboratory failed to carry this out; its log says why."))
        later.send(response)


def _check_sender(request: Request) -> None:
    """Raises AccessDenied. A browser says where a page came from that sends something; no AWS client does."""
    check_host(request)
    if "origin" in request.headers or request.headers.get("sec-fetch-site", "none") != "none":
        raise AccessDenied("The laboratory does not answer to web pages.")


def _query(request: Request) -> dict[str, str]:
    query: dict[str, str] = {}
    for name, value in parse_qsl(request.query, keep_blank_values=True, errors="replace"):
        query.setdefault(name, value)
    return query


def _refuse(refusal: Refusal) -> Response:
    if refusal.why == "body too large":
        return rest_error(RequestTooLarge(f"Request must be smaller than {_BODY_BYTES} bytes"))
    return plain_refusal(refusal)
