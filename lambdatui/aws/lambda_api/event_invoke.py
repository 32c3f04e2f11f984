"""How asynchronous invocations are treated ("PutFunctionEventInvokeConfig" and its siblings in the API reference)."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Annotated, TypeAlias

from pydantic import Field

from lambdatui.aws.call import Call
from lambdatui.aws.inputs import Input, matching, page
from lambdatui.aws.lambda_api.reference import function_of
from lambdatui.aws.routes import Route
from lambdatui.aws.wire import rest_answer
from lambdatui.events import Json
from lambdatui.refusal import InvalidParameter
from lambdatui.service.http import Response
from lambdatui.service.qualified import EventInvokeConfig
from lambdatui.service.service import Service

_CONFIG = "/2019-09-25/functions/{FunctionName}/event-invoke-config"
_ARN = (
    r"$|kafka://([^.]([a-zA-Z0-9\-_.]{0,248}))|arn:(aws[a-zA-Z0-9-]*):([a-zA-Z0-9\-])+:"
    r"((eusc-)?[a-z]{2}((-gov)|(-iso([a-z]?)))?-[a-z]+-\d{1})?:(\d{12})?:(.*)"
)

Qualifier: TypeAlias = Annotated[
    str, Field(min_length=1, max_length=128), matching(r"\$(LATEST(\.PUBLISHED)?)|[a-zA-Z0-9-_$]+")
]


class Destination(Input):
    destination: Annotated[str, Field(max_length=350), matching(_ARN)] = ""


class Destinations(Input):
    on_success: Destination = Destination()
    on_failure: Destination = Destination()


class Qualified(Input):
    qualifier: Qualifier | None = None


class Put(Qualified):
    maximum_retry_attempts: Annotated[int, Field(ge=0, le=2)] | None = None
    maximum_event_age_in_seconds: Annotated[int, Field(ge=60, le=21600)] | None = None
    destination_config: Destinations | None = None

    def over(self, before: EventInvokeConfig) -> EventInvokeConfig:
        """What is given laid over what there is. Raises InvalidParameter where nothing is."""
        if not self.model_fields_set - {"qualifier"}:
            raise InvalidParameter("You must specify at least one of error handling or destination setting.")
        after = before
        if self.maximum_retry_attempts is not None:
            after = replace(after, maximum_retry_attempts=self.maximum_retry_attempts)
        if self.maximum_event_age_in_seconds is not None:
            after = replace(after, maximum_event_age_in_seconds=self.maximum_event_age_in_seconds)
        if (to := self.destination_config) is not None:
            success, failure = to.on_success.destination or None, to.on_failure.destination or None
            after = replace(after, on_success=success, on_failure=failure)
        return after


class List(Input):
    marker: str | None = None
    max_items: Annotated[int, Field(ge=1, le=50)] | None = None


class EventInvoke:
    def __init__(self, service: Service) -> None:
        self._service = service
        self._configs = service.event_invoke_configs

    def routes(self) -> Iterator[Route]:
        yield Route("PutFunctionEventInvokeConfig", "PUT", _CONFIG, self.put)
        yield Route("UpdateFunctionEventInvokeConfig", "POST", _CONFIG, self.update)
        yield Route("GetFunctionEventInvokeConfig", "GET", _CONFIG, self.get)
        yield Route("DeleteFunctionEventInvokeConfig", "DELETE", _CONFIG, self.delete)
        yield Route("ListFunctionEventInvokeConfigs", "GET", f"{_CONFIG}/list", self.list)

    async def put(self, call: Call) -> Response:
        given = Put.of(call)
        function, qualifier = _named(call)
        config = await self._configs.put(function, qualifier, given.over(EventInvokeConfig()))
        return rest_answer(200, self._members(function, qualifier, config))

    async def update(self, call: Call) -> Response:
        given = Put.of(call)
        function, qualifier = _named(call)
        config = await self._configs.put(function, qualifier, given.over(self._configs.get(function, qualifier)))
        return rest_answer(200, self._members(function, qualifier, config))

    async def get(self, call: Call) -> Response:
        function, qualifier = _named(call)
        return rest_answer(200, self._members(function, qualifier, self._configs.get(function, qualifier)))

    async def delete(self, call: Call) -> Response:
        await self._configs.delete(*_named(call))
        return rest_answer(204)

    async def list(self, call: Call) -> Response:
        function, wanted = function_of(call).name, List.of_query(call)
        found = self._configs.of(function).items()
        shown = page(found, lambda each: each[0], wanted.marker, wanted.max_items)
        configs: list[Json] = [self._members(function, *each) for each in shown.items]
        return rest_answer(200, {"FunctionEventInvokeConfigs": configs, "NextMarker": shown.next_marker})

    def _members(self, function: str, qualifier: str, config: EventInvokeConfig) -> dict[str, Json]:
        members: dict[str, Json] = {
            "LastModified": round(config.last_modified, 3),
            "FunctionArn": f"{self._service.arn_of(function)}:{qualifier}",
            "DestinationConfig": {
                "OnSuccess": self._destination(config.on_success),
                "OnFailure": self._destination(config.on_failure),
            },
        }
        if config.maximum_retry_attempts is not None:
            members["MaximumRetryAttempts"] = config.maximum_retry_attempts
        if config.maximum_event_age_in_seconds is not None:
            members["MaximumEventAgeInSeconds"] = config.maximum_event_age_in_seconds
        return members

    def _destination(self, destination: str | None) -> dict[str, Json]:
        """An experiment may name a function without the rest of its ARN."""
        if destination is None:
            return {}
        if destination.startswith("function:"):
            return {"Destination": self._service.arn_of(destination.removeprefix("function:"))}
        return {"Destination": destination}


def _named(call: Call) -> tuple[str, str]:
    Qualified.of_query(call)
    function = function_of(call)
    return function.name, function.qualifier or "$LATEST"
