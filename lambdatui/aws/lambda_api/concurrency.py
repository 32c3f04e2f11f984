"""Reserved and provisioned concurrency, and the account's limits ("PutFunctionConcurrency",
"PutProvisionedConcurrencyConfig", "GetAccountSettings" and their siblings in the API reference)."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Annotated, TypeAlias

from pydantic import Field

from lambdatui.aws.call import Call
from lambdatui.aws.inputs import Input, matching, page
from lambdatui.aws.lambda_api.reference import function_of, unqualified
from lambdatui.aws.routes import Route
from lambdatui.aws.wire import rest_answer
from lambdatui.events import Json
from lambdatui.package import MAX_UNZIPPED_BYTES, MAX_ZIPPED_BYTES
from lambdatui.service.http import Response
from lambdatui.service.pool import Provisioned
from lambdatui.service.service import Service

TOTAL_CODE_BYTES = 75 * 2**30
"""Of all packages and layers of an account in a region ("Lambda quotas")."""
_RESERVED = "functions/{FunctionName}/concurrency"
_PROVISIONED = "/2019-09-30/functions/{FunctionName}/provisioned-concurrency"

Qualifier: TypeAlias = Annotated[str, Field(min_length=1, max_length=128), matching("[a-zA-Z0-9$_-]+")]


class Reserve(Input):
    reserved_concurrent_executions: Annotated[int, Field(ge=0)]


class Qualified(Input):
    qualifier: Qualifier


class Provision(Qualified):
    provisioned_concurrent_executions: Annotated[int, Field(ge=1)]


class List(Input):
    marker: str | None = None
    max_items: Annotated[int, Field(ge=1, le=50)] | None = None


class Concurrency:
    def __init__(self, service: Service) -> None:
        self._service = service
        self._concurrency = service.concurrency

    def routes(self) -> Iterator[Route]:
        yield Route("PutFunctionConcurrency", "PUT", f"/2017-10-31/{_RESERVED}", self.reserve)
        yield Route("GetFunctionConcurrency", "GET", f"/2019-09-30/{_RESERVED}", self.reserved)
        yield Route("DeleteFunctionConcurrency", "DELETE", f"/2017-10-31/{_RESERVED}", self.release)
        yield Route("PutProvisionedConcurrencyConfig", "PUT", _PROVISIONED, self.provision)
        yield Route("ListProvisionedConcurrencyConfigs", "GET", f"{_PROVISIONED}?List=ALL", self.list)
        yield Route("GetProvisionedConcurrencyConfig", "GET", _PROVISIONED, self.get)
        yield Route("DeleteProvisionedConcurrencyConfig", "DELETE", _PROVISIONED, self.unprovision)
        yield Route("GetAccountSettings", "GET", "/2016-08-19/account-settings", self.settings)

    # reserved

    async def reserve(self, call: Call) -> Response:
        function, given = unqualified(call), Reserve.of(call)
        await self._concurrency.reserve(function, given.reserved_concurrent_executions)
        return rest_answer(200, {"ReservedConcurrentExecutions": given.reserved_concurrent_executions})

    async def reserved(self, call: Call) -> Response:
        return rest_answer(200, {"ReservedConcurrentExecutions": self._concurrency.reserved(unqualified(call))})

    async def release(self, call: Call) -> Response:
        await self._concurrency.reserve(unqualified(call), None)
        return rest_answer(204)

    # provisioned

    async def provision(self, call: Call) -> Response:
        given = Provision.of(call)
        function, qualifier = _qualified(call)
        self._concurrency.provision(function, qualifier, given.provisioned_concurrent_executions)
        return rest_answer(202, _members(self._concurrency.provisioned_by(function, qualifier)))

    async def get(self, call: Call) -> Response:
        return rest_answer(200, _members(self._concurrency.provisioned_by(*_qualified(call))))

    async def list(self, call: Call) -> Response:
        function, wanted = function_of(call).name, List.of_query(call)
        found = self._concurrency.provisioned(function)
        shown = page(found, lambda each: each.qualifier, wanted.marker, wanted.max_items)
        arn = self._service.arn_of(function)
        configs: list[Json] = [{"FunctionArn": f"{arn}:{each.qualifier}", **_members(each)} for each in shown.items]
        return rest_answer(200, {"ProvisionedConcurrencyConfigs": configs, "NextMarker": shown.next_marker})

    async def unprovision(self, call: Call) -> Response:
        self._concurrency.unprovision(*_qualified(call))
        return rest_answer(204)

    # the account

    async def settings(self, call: Call) -> Response:
        functions = self._service.functions
        revisions = [version for each in functions for version in self._service.versions(each.function)]
        limits: dict[str, Json] = {
            "TotalCodeSize": TOTAL_CODE_BYTES,
            "CodeSizeUnzipped": MAX_UNZIPPED_BYTES,
            "CodeSizeZipped": MAX_ZIPPED_BYTES,
            "ConcurrentExecutions": self._concurrency.limit,
            "UnreservedConcurrentExecutions": self._concurrency.unreserved,
        }
        used: dict[str, Json] = {
            "TotalCodeSize": sum(each.code_size for each in revisions) + self._service.layers.code_size,
            "FunctionCount": len(functions),
        }
        return rest_answer(200, {"AccountLimit": limits, "AccountUsage": used})


def _qualified(call: Call) -> tuple[str, str]:
    return function_of(call).name, Qualified.of_query(call).qualifier


def _members(provisioned: Provisioned) -> dict[str, Json]:
    members: dict[str, Json] = {
        "RequestedProvisionedConcurrentExecutions": provisioned.count,
        "AvailableProvisionedConcurrentExecutions": provisioned.available,
        "AllocatedProvisionedConcurrentExecutions": provisioned.available,
        "Status": provisioned.status,
        "LastModified": f"{datetime.fromtimestamp(provisioned.modified_at, UTC):%Y-%m-%dT%H:%M:%S}+0000",
    }
    return members if provisioned.reason is None else {**members, "StatusReason": provisioned.reason}
