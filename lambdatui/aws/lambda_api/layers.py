"""Layers ("PublishLayerVersion" and its siblings in the API reference)."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, Literal, TypeAlias

from pydantic import Field

from lambdatui.aws.call import Call
from lambdatui.aws.inputs import Input, Package, matching, one_of, page
from lambdatui.aws.routes import Route
from lambdatui.aws.wire import rest_answer
from lambdatui.events import Json
from lambdatui.function import RUNTIMES
from lambdatui.refusal import ResourceNotFound
from lambdatui.service.deployments import base64_digest
from lambdatui.service.http import Response
from lambdatui.service.layers import Description, LayerVersion
from lambdatui.service.service import Service

_LAYERS = "/2018-10-31/layers"
_VERSIONS = f"{_LAYERS}/{{LayerName}}/versions"
_ARN = r"arn:(aws[a-zA-Z-]*)?:lambda:(eusc-)?[a-z]{2}((-gov)|(-iso([a-z]?)))?-[a-z]+-\d{1}:\d{12}:layer:[a-zA-Z0-9-_]"
MAX_NUMBER = 2**63 - 1

Name: TypeAlias = Annotated[
    str, Field(min_length=1, max_length=2048), matching(rf"({_ARN}{{1,140}}|[a-zA-Z0-9-_]{{1,140}})")
]
VersionArn: TypeAlias = Annotated[
    str,
    Field(min_length=1, max_length=2048),
    matching(rf"(({_ARN}+:[0-9]+)|(arn:[a-zA-Z0-9-]+:lambda:::awslayer:[a-zA-Z0-9-_]+))"),
]
Runtime: TypeAlias = Annotated[str, one_of(RUNTIMES)]
Architecture: TypeAlias = Literal["x86_64", "arm64"]


class Named(Input):
    layer_name: Name


class Publish(Named):
    content: Package
    description: Annotated[str, Field(max_length=256)] = ""
    license_info: Annotated[str, Field(max_length=512)] | None = None
    compatible_runtimes: Annotated[list[Runtime], Field(max_length=15)] = Field(default=[])
    compatible_architectures: Annotated[list[Architecture], Field(max_length=2)] = Field(default=[])


class Numbered(Named):
    version_number: Annotated[int, Field(le=MAX_NUMBER)]


class ByArn(Input):
    arn: VersionArn


class List(Input):
    compatible_runtime: Runtime | None = None
    compatible_architecture: Architecture | None = None
    marker: str | None = None
    max_items: Annotated[int, Field(ge=1, le=50)] | None = None

    def matching(self, versions: Iterable[LayerVersion]) -> list[LayerVersion]:
        """Those that say that they are for the runtime and the architecture that were asked for."""
        return [
            each
            for each in versions
            if self.compatible_runtime in (None, *each.description.runtimes)
            and self.compatible_architecture in (None, *each.description.architectures)
        ]


class ListVersions(List, Named):
    pass


class Layers:
    """`locate` says where a package can be fetched."""

    def __init__(self, service: Service, locate: Callable[[Path], str]) -> None:
        self._layers = service.layers
        self._locate = locate

    def routes(self) -> Iterator[Route]:
        yield Route("PublishLayerVersion", "POST", _VERSIONS, self.publish)
        yield Route(
            "GetLayerVersionByArn", "GET", f"{_LAYERS}?find=LayerVersion", self.get_by_arn, "lambda:GetLayerVersion"
        )
        yield Route("ListLayers", "GET", _LAYERS, self.list)
        yield Route("ListLayerVersions", "GET", _VERSIONS, self.list_versions)
        yield Route("GetLayerVersion", "GET", f"{_VERSIONS}/{{VersionNumber}}", self.get)
        yield Route("DeleteLayerVersion", "DELETE", f"{_VERSIONS}/{{VersionNumber}}", self.delete)

    async def publish(self, call: Call) -> Response:
        given = Publish.of(call)
        description = Description(
            given.description,
            given.license_info,
            tuple(given.compatible_runtimes),
            tuple(given.compatible_architectures),
        )
        version = self._layers.publish(self._name(given), given.content.archive(), description)
        return rest_answer(201, self._with_content(version))

    async def get(self, call: Call) -> Response:
        given = Numbered.of_query(call)
        return rest_answer(200, self._with_content(self._layers.get(self._name(given), given.version_number)))

    async def get_by_arn(self, call: Call) -> Response:
        return rest_answer(200, self._with_content(self._layers.by_arn(ByArn.of_query(call).arn)))

    async def list(self, call: Call) -> Response:
        wanted = List.of_query(call)
        latest: dict[str, LayerVersion] = {}
        for version in wanted.matching(self._layers):
            latest.setdefault(version.layer, version)
        shown = page(latest.values(), lambda each: each.layer, wanted.marker, wanted.max_items)
        layers: list[Json] = [
            {"LayerName": each.layer, "LayerArn": each.layer_arn, "LatestMatchingVersion": _members(each)}
            for each in shown.items
        ]
        return rest_answer(200, {"Layers": layers, "NextMarker": shown.next_marker})

    async def list_versions(self, call: Call) -> Response:
        wanted = ListVersions.of_query(call)
        found = wanted.matching(self._layers.of(self._name(wanted)))
        shown = page(found, _latest_first, wanted.marker, wanted.max_items)
        versions: list[Json] = [_members(each) for each in shown.items]
        return rest_answer(200, {"LayerVersions": versions, "NextMarker": shown.next_marker})

    async def delete(self, call: Call) -> Response:
        given = Numbered.of_query(call)
        self._layers.delete(self._name(given), given.version_number)
        return rest_answer(204)

    def _name(self, given: Named) -> str:
        """Without the rest of its ARN. Raises ResourceNotFound for other accounts' layers."""
        name = given.layer_name.removeprefix(self._layers.arn)
        if name.startswith("arn:"):
            raise ResourceNotFound("The resource you requested does not exist.")
        return name

    def _with_content(self, version: LayerVersion) -> dict[str, Json]:
        content: dict[str, Json] = {
            "Location": self._locate(version.package),
            "CodeSha256": base64_digest(version.code_sha256),
            "CodeSize": version.code_size,
        }
        return {"Content": content, "LayerArn": version.layer_arn, **_members(version)}


def _latest_first(version: LayerVersion) -> str:
    return f"{MAX_NUMBER - version.number:019}"


def _members(version: LayerVersion) -> dict[str, Json]:
    description = version.description
    created = datetime.fromtimestamp(version.created, UTC).isoformat(timespec="milliseconds")
    members: dict[str, Json] = {
        "LayerVersionArn": version.arn,
        "Version": version.number,
        "Description": description.text,
        "CreatedDate": created.replace("+00:00", "+0000"),
        "CompatibleRuntimes": [*description.runtimes],
        "CompatibleArchitectures": [*description.architectures],
        "LicenseInfo": description.license_info,
    }
    return {name: value for name, value in members.items() if value not in (None, [])}
