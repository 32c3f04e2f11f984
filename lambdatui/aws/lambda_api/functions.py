"""Functions: made, looked at, changed and deleted (CreateFunction and its kin in the API reference)."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Annotated, Literal

from pydantic import Field

from lambdatui.aws.arns import function_reference
from lambdatui.aws.call import Call
from lambdatui.aws.inputs import Input, MaxItems, Package, matching, page
from lambdatui.aws.lambda_api.configuration import (
    Architectures,
    ConfigurationInput,
    configuration_of,
    created,
    listed,
    updated,
)
from lambdatui.aws.lambda_api.reference import function_of
from lambdatui.aws.lambda_api.tags import Tagging, check_tags
from lambdatui.aws.lambda_api.versions import version_key
from lambdatui.aws.routes import Route
from lambdatui.aws.wire import rest_answer
from lambdatui.events import Json
from lambdatui.function import Configuration
from lambdatui.refusal import InvalidParameter
from lambdatui.service.deployments import LATEST
from lambdatui.service.http import Response
from lambdatui.service.service import Service

_FUNCTIONS = "/2015-03-31/functions"
_FUNCTION = f"{_FUNCTIONS}/{{FunctionName}}"
_NO_IMAGES = "The laboratory runs no container images. Send a package, as ZipFile."


class CodeInput(Package):
    missing = "Please provide a source for function code."

    image_uri: str | None = None

    def archive(self) -> bytes:
        if self.image_uri is not None:
            raise InvalidParameter(_NO_IMAGES)
        return super().archive()


class CreateInput(ConfigurationInput):
    function_name: Annotated[str, Field(min_length=1, max_length=140)]
    role: Annotated[str, matching(r"arn:(aws[a-zA-Z-]*)?:iam::\d{12}:role/?[a-zA-Z_0-9+=,.@\-_/]+")]
    code: CodeInput
    publish: bool = False
    package_type: Literal["Zip", "Image"] = "Zip"
    tags: Tagging = Field(default={})
    architectures: Architectures = Field(default=["x86_64"])
    code_signing_config_arn: str | None = None
    tenancy_config: dict[str, object] | None = None


class UpdateConfigurationInput(ConfigurationInput):
    revision_id: str | None = None


class UpdateCodeInput(CodeInput):
    architectures: Architectures | None = None
    publish: bool = False
    dry_run: bool = False
    revision_id: str | None = None


class ListInput(Input):
    function_version: Literal["ALL"] | None = None
    marker: str | None = None
    max_items: MaxItems | None = None


class Functions:
    """`locate` says where a package, or a folder as one, can be fetched."""

    def __init__(self, service: Service, locate: Callable[[Path], str]) -> None:
        self._service = service
        self._locate = locate

    def routes(self) -> Iterator[Route]:
        yield Route("CreateFunction", "POST", _FUNCTIONS, self.create)
        yield Route("ListFunctions", "GET", _FUNCTIONS, self.list)
        yield Route("GetFunction", "GET", _FUNCTION, self.get)
        yield Route("DeleteFunction", "DELETE", _FUNCTION, self.delete)
        yield Route("GetFunctionConfiguration", "GET", f"{_FUNCTION}/configuration", self.get_configuration)
        yield Route("UpdateFunctionConfiguration", "PUT", f"{_FUNCTION}/configuration", self.update_configuration)
        yield Route("UpdateFunctionCode", "PUT", f"{_FUNCTION}/code", self.update_code)

    async def create(self, call: Call) -> Response:
        given = CreateInput.of(call)
        function = function_reference(given.function_name)
        if function.qualifier:
            raise InvalidParameter("The function name of a new function has no qualifier.")
        if given.package_type == "Image":
            raise InvalidParameter(_NO_IMAGES)
        for name, value in (
            ("CodeSigningConfigArn", given.code_signing_config_arn),
            ("TenancyConfig", given.tenancy_config),
        ):
            if value:
                raise InvalidParameter(f"The laboratory does not have {name}.")
        if given.runtime is None or given.handler is None:
            raise InvalidParameter(
                "Runtime and Handler are mandatory parameters for functions created with deployment packages."
            )
        check_tags(given.tags)
        changes: dict[str, Json] = {**given.changes(), "architectures": [*given.architectures]}
        configuration = Configuration(given.handler).updated(changes)
        await self._service.create(function.name, configuration, given.code.archive(), given.tags)
        if given.publish:
            self._service.publish_version(function.name)
        revision = self._service.versions(function.name)[-1]
        return rest_answer(201, created(configuration_of(self._service, revision)))

    async def list(self, call: Call) -> Response:
        given = ListInput.of_query(call)
        functions = self._service.functions
        if given.function_version is None:
            shown = page(functions, lambda each: each.function, given.marker, given.max_items)
            members = [configuration_of(self._service, each) for each in shown.items]
        else:
            every = [version for each in functions for version in self._service.versions(each.function)]
            shown = page(every, lambda each: f"{each.function}:{version_key(each)}", given.marker, given.max_items)
            members = [configuration_of(self._service, each, each.version) for each in shown.items]
        return rest_answer(200, {"Functions": [listed(each) for each in members], "NextMarker": shown.next_marker})

    async def get(self, call: Call) -> Response:
        function = function_of(call)
        revision = self._service.revision(function.name, function.qualifier)
        reserved = self._service.revision(function.name, None).configuration.reserved_concurrent_executions
        tags = self._service.tags(function.name)
        return rest_answer(
            200,
            {
                "Configuration": configuration_of(self._service, revision, function.qualifier),
                "Code": {"RepositoryType": "S3", "Location": self._locate(revision.package or revision.folder)},
                "Concurrency": None if reserved is None else {"ReservedConcurrentExecutions": reserved},
                "Tags": {**tags} or None,
            },
        )

    async def get_configuration(self, call: Call) -> Response:
        function = function_of(call)
        revision = self._service.revision(function.name, function.qualifier)
        return rest_answer(200, configuration_of(self._service, revision, function.qualifier))

    async def delete(self, call: Call) -> Response:
        function = function_of(call)
        await self._service.delete(function.name, function.qualifier)
        return rest_answer(204)

    async def update_configuration(self, call: Call) -> Response:
        function = function_of(call)
        _check_latest(function.qualifier)
        given = UpdateConfigurationInput.of(call)
        revision = await self._service.configure(function.name, given.changes(), given.revision_id)
        return rest_answer(200, updated(configuration_of(self._service, revision)))

    async def update_code(self, call: Call) -> Response:
        function = function_of(call)
        _check_latest(function.qualifier)
        given = UpdateCodeInput.of(call)
        architectures = tuple(given.architectures) if given.architectures else None
        revision = self._service.upload(
            function.name, given.archive(), architectures, given.revision_id, dry_run=given.dry_run
        )
        if given.publish and not given.dry_run:
            published = self._service.publish_version(function.name)
            return rest_answer(200, configuration_of(self._service, published, published.version))
        return rest_answer(200, updated(configuration_of(self._service, revision)))


def _check_latest(qualifier: str | None) -> None:
    if qualifier not in (None, LATEST):
        raise InvalidParameter("A published version cannot be changed; name the function without a qualifier.")
