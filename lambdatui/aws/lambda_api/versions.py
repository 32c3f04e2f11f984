"""Published versions of functions ("PublishVersion" and "ListVersionsByFunction" in the API reference)."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Annotated

from pydantic import Field

from lambdatui.aws.call import Call
from lambdatui.aws.inputs import Input, MaxItems, page
from lambdatui.aws.lambda_api.configuration import configuration_of, listed
from lambdatui.aws.lambda_api.reference import function_of
from lambdatui.aws.routes import Route
from lambdatui.aws.wire import rest_answer
from lambdatui.function import MAX_DESCRIPTION
from lambdatui.service.deployments import LATEST, Revision
from lambdatui.service.http import Response
from lambdatui.service.service import Service

_VERSIONS = "/2015-03-31/functions/{FunctionName}/versions"


class PublishInput(Input):
    code_sha256: str | None = Field(default=None, alias="CodeSha256")
    description: Annotated[str, Field(max_length=MAX_DESCRIPTION)] | None = None
    revision_id: str | None = None


class ListInput(Input):
    marker: str | None = None
    max_items: MaxItems | None = None


class Versions:
    def __init__(self, service: Service) -> None:
        self._service = service

    def routes(self) -> Iterator[Route]:
        yield Route("PublishVersion", "POST", _VERSIONS, self.publish)
        yield Route("ListVersionsByFunction", "GET", _VERSIONS, self.list)

    async def publish(self, call: Call) -> Response:
        function = function_of(call)
        given = PublishInput.of(call)
        revision = self._service.publish_version(
            function.name, given.description, given.code_sha256 or None, given.revision_id
        )
        return rest_answer(201, configuration_of(self._service, revision, revision.version))

    async def list(self, call: Call) -> Response:
        function = function_of(call)
        given = ListInput.of_query(call)
        shown = page(self._service.versions(function.name), version_key, given.marker, given.max_items)
        members = [listed(configuration_of(self._service, each, each.version)) for each in shown.items]
        return rest_answer(200, {"Versions": [*members], "NextMarker": shown.next_marker})


def version_key(revision: Revision) -> str:
    """By which versions are in order, $LATEST first."""
    return "" if revision.version == LATEST else f"{int(revision.version):020}"
