"""The endpoint: one address on loopback at which the laboratory speaks the APIs of AWS, to those who have its keys.

Which service a request is meant for its signature says. In this order a request is refused that comes by a name that
is no loopback one (somebody's page that had its domain point here), that a browser's page sent, whose signature is not
good, and that no operation is for.
"""

from __future__ import annotations

import asyncio
import re
from collections.abc import Mapping
from datetime import UTC, datetime
from ipaddress import ip_address
from typing import Protocol
from urllib.parse import parse_qsl

from lambdatui import events as ev
from lambdatui.aws.call import Call
from lambdatui.aws.keys import Keys
from lambdatui.aws.lambda_api.api import LambdaApi
from lambdatui.aws.signature import verify
from lambdatui.aws.wire import rest_error
from lambdatui.lab import Lab
from lambdatui.refusal import AccessDenied, NotImplementedHere, RequestTooLarge, ServiceRefusal
from lambdatui.service.http import HttpServer, Later, Limits, Refusal, Request, Response, Streamed, plain_refusal
from lambdatui.service.service import Service

_LIMITS = Limits(body_bytes=72 * 2**20)
"""A package of 50 MB comes in base64, as part of JSON."""


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
        self._apis: Mapping[str, Api] = {"lambda": LambdaApi(service, lab)}
        self._server = HttpServer(self._handle, refuse=_refuse, limits=_LIMITS)
        self._service = service
        self._tasks: set[asyncio.Task[None]] = set()

    @property
    def url(self) -> str:
        return f"http://{self._server.address}"

    async def open(self, port: int) -> None:
        await self._server.start("127.0.0.1", port)
        self._service.endpoint = self.url
        self._service.journal.append(ev.EndpointOpened(self.url))

    async def close(self) -> None:
        await self._server.close()
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    def _handle(self, request: Request) -> Response | Later:
        try:
            _check_sender(request)
            signed = verify(request, self.keys.find, datetime.now(UTC))
            api = self._apis.get(signed.service)
            if api is None:
                raise NotImplementedHere(f"The laboratory has no service {signed.service}.")
        except ServiceRefusal as refusal:
            return rest_error(refusal)
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
    host = request.headers.get("host", "")
    name = re.sub(r":\d*$", "", host).strip("[]")
    if name != "localhost" and not _is_loopback(name):
        raise AccessDenied(f"The laboratory does not answer to the name {name}.")
    if "origin" in request.headers or request.headers.get("sec-fetch-site", "none") != "none":
        raise AccessDenied("The laboratory does not answer to web pages.")


def _is_loopback(name: str) -> bool:
    try:
        return ip_address(name).is_loopback
    except ValueError:
        return False


def _query(request: Request) -> dict[str, str]:
    query: dict[str, str] = {}
    for name, value in parse_qsl(request.query, keep_blank_values=True, errors="replace"):
        query.setdefault(name, value)
    return query


def _refuse(refusal: Refusal) -> Response:
    if refusal.why == "body too large":
        return rest_error(RequestTooLarge(f"Request must be smaller than {_LIMITS.body_bytes} bytes"))
    return plain_refusal(refusal)
