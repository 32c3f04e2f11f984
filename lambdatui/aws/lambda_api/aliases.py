"""Aliases ("CreateAlias" and its siblings in the API reference)."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Annotated, TypeAlias

from pydantic import Field

from lambdatui.aws.call import Call
from lambdatui.aws.inputs import Input, MaxItems, matching, page
from lambdatui.aws.lambda_api.reference import function_of
from lambdatui.aws.routes import Route
from lambdatui.aws.wire import rest_answer
from lambdatui.events import Json
from lambdatui.service.http import Response
from lambdatui.service.qualified import Alias
from lambdatui.service.service import Service

_ALIASES = "/2015-03-31/functions/{FunctionName}/aliases"

Name: TypeAlias = Annotated[str, Field(min_length=1, max_length=128), matching(r"(?!^[0-9]+$)([a-zA-Z0-9-_]+)")]
Version: TypeAlias = Annotated[str, Field(min_length=1, max_length=1024), matching(r"(\$LATEST(\.PUBLISHED)?|[0-9]+)")]
Description: TypeAlias = Annotated[str, Field(max_length=256)]


class Routing(Input):
    additional_version_weights: dict[
        Annotated[str, Field(min_length=1, max_length=1024), matching("[0-9]+")], Annotated[float, Field(ge=0, le=1)]
    ] = Field(default={})


class Named(Input):
    name: Name


class Create(Named):
    function_version: Version
    description: Description = ""
    routing_config: Routing = Routing()


class Update(Named):
    """What is not given stays as it is."""

    function_version: Version | None = None
    description: Description | None = None
    routing_config: Routing | None = None
    revision_id: str | None = None

    @property
    def weights(self) -> Mapping[str, float] | None:
        return self.routing_config.additional_version_weights if self.routing_config else None


class List(Input):
    function_version: Version | None = None
    marker: str | None = None
    max_items: MaxItems | None = None


class Aliases:
    def __init__(self, service: Service) -> None:
        self._service = service
        self._aliases = service.aliases

    def routes(self) -> Iterator[Route]:
        yield Route("CreateAlias", "POST", _ALIASES, self.create)
        yield Route("ListAliases", "GET", _ALIASES, self.list)
        yield Route("GetAlias", "GET", f"{_ALIASES}/{{Name}}", self.get)
        yield Route("UpdateAlias", "PUT", f"{_ALIASES}/{{Name}}", self.update)
        yield Route("DeleteAlias", "DELETE", f"{_ALIASES}/{{Name}}", self.delete)

    async def create(self, call: Call) -> Response:
        function, given = function_of(call).name, Create.of(call)
        weights = given.routing_config.additional_version_weights
        alias = self._aliases.create(function, given.name, given.function_version, weights, given.description)
        return rest_answer(201, self._members(function, alias))

    async def list(self, call: Call) -> Response:
        function, wanted = function_of(call).name, List.of_query(call)
        found = self._aliases.of(function, wanted.function_version)
        shown = page(found, lambda alias: alias.name, wanted.marker, wanted.max_items)
        aliases: list[Json] = [self._members(function, alias) for alias in shown.items]
        return rest_answer(200, {"Aliases": aliases, "NextMarker": shown.next_marker})

    async def get(self, call: Call) -> Response:
        function = function_of(call).name
        return rest_answer(200, self._members(function, self._aliases.get(function, Named.of_query(call).name)))

    async def update(self, call: Call) -> Response:
        function, given = function_of(call).name, Update.of(call)
        alias = self._aliases.update(
            function, given.name, given.function_version, given.weights, given.description, given.revision_id
        )
        return rest_answer(200, self._members(function, alias))

    async def delete(self, call: Call) -> Response:
        await self._aliases.delete(function_of(call).name, Named.of_query(call).name)
        return rest_answer(204)

    def _members(self, function: str, alias: Alias) -> dict[str, Json]:
        members: dict[str, Json] = {
            "AliasArn": f"{self._service.arn_of(function)}:{alias.name}",
            "Name": alias.name,
            "FunctionVersion": alias.version,
            "Description": alias.description,
            "RevisionId": alias.revision_id,
        }
        if alias.weights:
            members["RoutingConfig"] = {"AdditionalVersionWeights": dict(alias.weights)}
        return members
