"""The configuration of function URLs ("CreateFunctionUrlConfig" and its siblings in the API reference)."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Annotated

from pydantic import Field

from lambdatui.aws.call import Call
from lambdatui.aws.inputs import Input, page
from lambdatui.aws.lambda_api.reference import function_of
from lambdatui.aws.routes import Route
from lambdatui.aws.wire import rest_answer
from lambdatui.events import Json, iso_time
from lambdatui.function_url import Cors, UrlConfiguration
from lambdatui.service.function_urls import FunctionUrl
from lambdatui.service.http import Response
from lambdatui.service.service import Service

_FUNCTION = "/2021-10-31/functions/{FunctionName}"


class CorsInput(Input):
    """What the values may be is up to :class:`lambdatui.function_url.UrlConfiguration`, here and below."""

    allow_credentials: bool = False
    allow_headers: list[str] = Field(default=[])
    allow_methods: list[str] = Field(default=[])
    allow_origins: list[str] = Field(default=[])
    expose_headers: list[str] = Field(default=[])
    max_age: int | None = None

    def cors(self) -> Cors:
        return Cors(
            self.allow_credentials,
            tuple(self.allow_headers),
            tuple(self.allow_methods),
            tuple(self.allow_origins),
            tuple(self.expose_headers),
            self.max_age,
        )


class Update(Input):
    """What is not given stays as it is; Cors is given as a whole."""

    auth_type: str | None = None
    invoke_mode: str | None = None
    cors: CorsInput | None = None


class Create(Update):
    auth_type: str


class List(Input):
    marker: str | None = None
    max_items: Annotated[int, Field(ge=1, le=50)] | None = None


class FunctionUrls:
    def __init__(self, service: Service) -> None:
        self._urls = service.urls

    def routes(self) -> Iterator[Route]:
        yield Route("CreateFunctionUrlConfig", "POST", f"{_FUNCTION}/url", self.create)
        yield Route("GetFunctionUrlConfig", "GET", f"{_FUNCTION}/url", self.get)
        yield Route("UpdateFunctionUrlConfig", "PUT", f"{_FUNCTION}/url", self.update)
        yield Route("DeleteFunctionUrlConfig", "DELETE", f"{_FUNCTION}/url", self.delete)
        yield Route("ListFunctionUrlConfigs", "GET", f"{_FUNCTION}/urls", self.list)

    async def create(self, call: Call) -> Response:
        function, alias = _named(call)
        given = Create.of(call)
        configuration = UrlConfiguration(
            given.auth_type, given.invoke_mode or "BUFFERED", given.cors.cors() if given.cors else None
        )
        url = await self._urls.create(function, alias, configuration)
        members = _members(url)
        del members["LastModifiedTime"]
        return rest_answer(201, members)

    async def get(self, call: Call) -> Response:
        return rest_answer(200, _members(self._urls.get(*_named(call))))

    async def update(self, call: Call) -> Response:
        function, alias = _named(call)
        given = Update.of(call)
        configuration = self._urls.get(function, alias).configuration
        configuration = replace(
            configuration,
            auth_type=given.auth_type or configuration.auth_type,
            invoke_mode=given.invoke_mode or configuration.invoke_mode,
            cors=given.cors.cors() if given.cors else configuration.cors,
        )
        return rest_answer(200, _members(self._urls.update(function, alias, configuration)))

    async def delete(self, call: Call) -> Response:
        await self._urls.delete(*_named(call))
        return rest_answer(204)

    async def list(self, call: Call) -> Response:
        function, _ = _named(call)
        wanted = List.of_query(call)
        found = page(self._urls.of(function), lambda url: url.arn, wanted.marker, wanted.max_items)
        return rest_answer(
            200, {"FunctionUrlConfigs": [_members(url) for url in found.items], "NextMarker": found.next_marker}
        )


def _named(call: Call) -> tuple[str, str | None]:
    """The function and the alias that a call is about."""
    function = function_of(call)
    return function.name, function.qualifier


def _members(url: FunctionUrl) -> dict[str, Json]:
    configuration = url.configuration
    members: dict[str, Json] = {
        "FunctionUrl": url.address,
        "FunctionArn": url.arn,
        "AuthType": configuration.auth_type,
        "InvokeMode": configuration.invoke_mode,
        "CreationTime": iso_time(url.created_at),
        "LastModifiedTime": iso_time(url.modified_at),
    }
    if configuration.cors:
        members["Cors"] = _cors(configuration.cors)
    return members


def _cors(cors: Cors) -> dict[str, Json]:
    """What was not given is not answered."""
    members: dict[str, Json] = {
        "AllowCredentials": cors.allow_credentials,
        "AllowHeaders": [*cors.allow_headers],
        "AllowMethods": [*cors.allow_methods],
        "AllowOrigins": [*cors.allow_origins],
        "ExposeHeaders": [*cors.expose_headers],
        "MaxAge": cors.max_age,
    }
    return {name: value for name, value in members.items() if value not in (None, False, [])}
