"""Tags of functions ("Using tags on Lambda functions" in the developer guide)."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Annotated, TypeAlias
from urllib.parse import parse_qs

from pydantic import Field

from lambdatui.aws.call import Call
from lambdatui.aws.inputs import Input
from lambdatui.aws.lambda_api.reference import function_of
from lambdatui.aws.routes import Route
from lambdatui.aws.wire import rest_answer
from lambdatui.refusal import InvalidParameter, ResourceNotFound, ValidationFailed
from lambdatui.service.http import Response
from lambdatui.service.service import Service

_TAGS = "/2017-03-31/tags/{Resource}"

Tagging: TypeAlias = dict[Annotated[str, Field(min_length=1, max_length=128)], Annotated[str, Field(max_length=256)]]


class TagInput(Input):
    tags: Tagging


class Tags:
    def __init__(self, service: Service) -> None:
        self._service = service

    def routes(self) -> Iterator[Route]:
        yield Route("TagResource", "POST", _TAGS, self.tag)
        yield Route("UntagResource", "DELETE", _TAGS, self.untag)
        yield Route("ListTags", "GET", _TAGS, self.list)

    async def tag(self, call: Call) -> Response:
        function, given = self._function(call), TagInput.of(call)
        check_tags(given.tags)
        self._service.tag(function, given.tags)
        return rest_answer(204)

    async def untag(self, call: Call) -> Response:
        function = self._function(call)
        keys = parse_qs(call.request.query, keep_blank_values=True, errors="replace").get("tagKeys")
        if keys is None:
            raise ValidationFailed(
                "1 validation error detected: Value null at 'tagKeys' failed to satisfy constraint: "
                "Member must not be null"
            )
        self._service.untag(function, keys)
        return rest_answer(204)

    async def list(self, call: Call) -> Response:
        function = self._function(call)
        return rest_answer(200, {"Tags": {**self._service.tags(function)}})

    def _function(self, call: Call) -> str:
        """The one whose ARN is in the path. Raises ServiceRefusal."""
        function = function_of(call)
        if function.qualifier:
            raise InvalidParameter(
                "Tags on function aliases and versions are not supported. Please specify either a function ARN or an "
                "event source mapping ARN."
            )
        if all(each.function != function.name for each in self._service.functions):
            raise ResourceNotFound(f"Function not found: {self._service.arn_of(function.name)}")
        return function.name


def check_tags(tags: Mapping[str, str]) -> None:
    """Raises InvalidParameter for those that only AWS may set."""
    if any(key.lower().startswith("aws:") for key in tags):
        raise InvalidParameter("System tags cannot be added/updated by requester.")
