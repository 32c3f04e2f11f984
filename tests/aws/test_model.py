"""Every operation, with whatever the service's model allows and a little more: the answer is one that the model allows
too, and never the laboratory's own failure."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from functools import cache
from typing import Any
from urllib.parse import urlencode

import botocore.session
import pytest
from botocore.model import ListShape, MapShape, OperationModel, Shape, StructureShape
from botocore.serialize import create_serializer
from hypothesis import given, settings
from hypothesis import strategies as st

from lambdatui.aws.call import Call, Caller
from lambdatui.aws.endpoint import _query
from lambdatui.aws.lambda_api.api import LambdaApi
from lambdatui.function import Configuration
from lambdatui.journal import Journal
from lambdatui.lab import Lab
from lambdatui.refusal import ServiceRefusal
from lambdatui.service.http import Request, Response
from lambdatui.service.service import Settings, open_service
from tests.aws.model import problems_in
from tests.aws.packages import ROLE, package

OPERATIONS = (
    *("CreateFunction", "GetFunction", "ListFunctions", "DeleteFunction", "GetFunctionConfiguration"),
    *("UpdateFunctionConfiguration", "UpdateFunctionCode", "PublishVersion", "ListVersionsByFunction"),
    *("TagResource", "UntagResource", "ListTags"),
)
_ARN = "arn:aws:lambda:us-east-1:000000000000:function:F"
_LIKELY: dict[str, st.SearchStrategy[Any]] = {
    "FunctionName": st.sampled_from(["F", "New", _ARN, "F:1", "F:live", f"{_ARN}:$LATEST", "no/name", "é"]),
    "Qualifier": st.sampled_from(["1", "live", "$LATEST", "9", ""]),
    "Resource": st.sampled_from([_ARN, f"{_ARN}:1", "F", f"{_ARN}2"]),
    "Role": st.sampled_from([ROLE, "role"]),
    "Runtime": st.sampled_from(["python3.11", "python2.7", "ruby3.3"]),
    "Handler": st.sampled_from(["app.handler", "a b", ""]),
    "ZipFile": st.sampled_from([package(), b"no zip", b""]),
    "Timeout": st.sampled_from([0, 1, 900, 901]),
    "MemorySize": st.sampled_from([127, 128, 10240, 32768]),
}


@cache
def _model(name: str) -> OperationModel:
    return botocore.session.get_session().get_service_model("lambda").operation_model(name)


def values(shape: Shape, name: str = "") -> st.SearchStrategy[Any]:
    """What may stand for this shape."""
    if name in _LIKELY:
        return _LIKELY[name]
    if isinstance(shape, StructureShape):
        members = {each: values(member, each) for each, member in shape.members.items()}
        required = {each: members.pop(each) for each in shape.required_members}
        return st.fixed_dictionaries(required, optional=members)
    if isinstance(shape, ListShape):
        return st.lists(values(shape.member), max_size=2)
    if isinstance(shape, MapShape):
        return st.dictionaries(values(shape.key), values(shape.value), max_size=2)
    if shape.type_name == "boolean":
        return st.booleans()
    if shape.type_name in ("integer", "long"):
        low, high = shape.metadata.get("min", -1), shape.metadata.get("max", 2**40)
        return st.sampled_from([low - 1, low, high, high + 1])
    if shape.type_name in ("float", "double"):
        return st.floats()
    if shape.type_name == "blob":
        return st.binary(max_size=5)
    texts = getattr(shape, "enum", None) or ["", "a", "A" * 300, "é\0", "1"]
    return st.sampled_from([*texts, "other"])


_CALLER = Caller("000000000000", "000000000000", "arn:aws:iam::000000000000:root")


class Fuzzed:
    """A laboratory whose operations are called without a wire, in a loop of its own."""

    def __init__(self) -> None:
        self.runner = asyncio.Runner()
        self.runner.run(self._open())

    async def _open(self) -> None:
        self.service = await open_service(Settings(), Journal())
        lab = Lab()
        self.service.journal.read_with(lab.apply)
        self.api = LambdaApi(self.service, lab, lambda _: "http://127.0.0.1/package")

    def answer(self, operation: OperationModel, given: dict[str, Any]) -> dict[str, Any]:
        """As botocore hands it to those who read it. Raises whatever is no refusal."""
        request = create_serializer("rest-json", include_validation=False).serialize_to_request(given, operation)
        query = urlencode(request["query_string"], doseq=True)
        response = self.runner.run(self._answer(request["method"], request["url_path"], query, request["body"]))
        return {"status_code": response.status, "headers": dict(response.headers), "body": response.body}

    async def _answer(self, method: str, path: str, query: str, body: bytes | str) -> Response:
        await self._prepare()
        content = body.encode() if isinstance(body, str) else bytes(body)
        request = Request(method, path, query, body=content)
        call = Call(_CALLER, request, {}, _query(request))
        try:
            response = await self.api.carry_out(call)
            assert isinstance(response, Response)  # those that stream are invoked elsewhere
            return response
        except ServiceRefusal as refusal:
            return self.api.refuse(refusal)

    async def _prepare(self) -> None:
        """One function, with a version and an alias."""
        if [each.function for each in self.service.functions] == ["F"] and len(self.service.versions("F")) == 2:
            return
        for revision in self.service.functions:
            await self.service.delete(revision.function)
        await self.service.create("F", Configuration("app.handler"), package())
        self.service.publish_version("F")
        await self.service.point_alias("F", "live", "1", {})

    def close(self) -> None:
        self.runner.run(self.service.close())
        self.runner.close()


@pytest.fixture(scope="module")
def fuzzed() -> Iterator[Fuzzed]:
    laboratory = Fuzzed()
    yield laboratory
    laboratory.close()


@pytest.mark.parametrize("name", OPERATIONS)
def test_every_answer_is_one_of_the_model(fuzzed: Fuzzed, name: str) -> None:
    operation = _model(name)

    @settings(max_examples=25, deadline=None, database=None)
    @given(given_=values(operation.input_shape))
    def answers(given_: dict[str, Any]) -> None:
        answer = fuzzed.answer(operation, given_)
        assert list(problems_in(operation, answer)) == []
        assert answer["headers"].get("x-amzn-ErrorType") != "ServiceException"

    answers()
