"""Inputs that the service's own model, as botocore has it, allows, and some a little beyond it; and what becomes of
them without a network."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any
from urllib.parse import urlencode

import botocore.session
from botocore.model import OperationModel, ServiceModel, Shape
from botocore.serialize import create_serializer
from hypothesis import strategies as st

from lambdatui.aws.call import Call, Caller
from lambdatui.aws.endpoint import Api
from lambdatui.refusal import ServiceRefusal
from lambdatui.service.http import Request, Streamed

_SESSION = botocore.session.Session()
MODEL = _SESSION.get_service_model("lambda")
LOGS_MODEL = _SESSION.get_service_model("logs")
_TEXT = st.text(st.characters(exclude_categories=["Cs"]), max_size=300)


def inputs(
    operation: str, known: Mapping[str, st.SearchStrategy[Any]], model: ServiceModel = MODEL
) -> st.SearchStrategy[dict[str, Any]]:
    """Of an operation; `known` has strategies for members by name, to be drawn from as well, since what exists is
    seldom hit by chance."""
    shape = model.operation_model(operation).input_shape
    if shape is None:
        return st.just({})
    allowed, beyond = _values(shape, known, _scalars), _values(shape, known, _beyond)
    return st.integers(0, 4).flatmap(lambda draw: allowed if draw else beyond)


def _values(
    shape: Shape, known: Mapping[str, st.SearchStrategy[Any]], scalars: Callable[[Shape], st.SearchStrategy[Any]]
) -> Any:
    match shape.type_name:
        case "structure":
            members = {
                name: _mostly(known.get(name), _values(member, known, scalars))
                for name, member in shape.members.items()
            }
            required = {name: each for name, each in members.items() if name in shape.required_members}
            optional = {name: each for name, each in members.items() if name not in required}
            return st.fixed_dictionaries(required, optional=optional)
        case "list":
            low, high = shape.metadata.get("min", 0), shape.metadata.get("max", 3)
            return st.lists(_values(shape.member, known, scalars), min_size=low, max_size=min(high, 3))
        case "map":
            keys, values = (_values(each, known, scalars) for each in (shape.key, shape.value))
            return st.dictionaries(keys, values, max_size=3)
    return scalars(shape)


def _mostly(known: st.SearchStrategy[Any] | None, others: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    return others if known is None else st.integers(0, 9).flatmap(lambda draw: known if draw else others)


def _scalars(shape: Shape) -> Any:
    low, high = shape.metadata.get("min"), shape.metadata.get("max")
    match shape.type_name:
        case "string" if shape.enum:
            return st.sampled_from(shape.enum)
        case "string" if (pattern := shape.metadata.get("pattern")) and r"\p{" not in pattern:
            fitting = st.from_regex(pattern, fullmatch=True)
            return fitting.filter(lambda text: (low or 0) <= len(text) <= (high or len(text)))
        case "string":
            return _TEXT.filter(lambda text: (low or 0) <= len(text) <= (high or len(text)))
        case "integer" | "long":
            return st.integers(-(2**31) if low is None else low, 2**31 - 1 if high is None else high)
        case "double" | "float":
            return st.floats(low, high, allow_nan=False, allow_infinity=False)
        case "boolean":
            return st.booleans()
        case "blob":
            return st.binary(max_size=200)
        case kind:
            raise AssertionError(f"no strategy for {kind}")


def _beyond(shape: Shape) -> Any:
    """At the limits of a shape, and over them."""
    match shape.type_name:
        case "string":
            of_path = shape.serialization.get("location") == "uri"  # empty there, it leads to another operation
            return st.sampled_from([*[""][of_path:], "a", "A" * 300, "é\0", "1", *shape.enum])
        case "integer" | "long":
            low, high = shape.metadata.get("min", -1), shape.metadata.get("max", 2**40)
            return st.sampled_from([low - 1, low, high, high + 1])
    return _scalars(shape)


async def carried_out(api: Api, operation: OperationModel, members: Mapping[str, Any]) -> Mapping[str, Any]:
    """The answer in the form that the checks of tests.aws.model take. What is no refusal is raised."""
    serializer = create_serializer(operation.service_model.metadata["protocol"], include_validation=False)
    sent = serializer.serialize_to_request(dict(members), operation)
    path, _, fixed = sent["url_path"].partition("?")
    query = {**dict(each.split("=") for each in fixed.split("&") if each), **(sent["query_string"] or {})}
    headers = {name.lower(): value for name, value in sent["headers"].items()}
    body = sent["body"].encode() if isinstance(sent["body"], str) else bytes(sent["body"])
    request = Request(sent["method"], path, urlencode(query, doseq=True), headers, body)
    call = Call(Caller("000000000000", "root", "arn"), request, {}, {name: str(each) for name, each in query.items()})
    try:
        response = await api.carry_out(call)
    except ServiceRefusal as refusal:
        response = api.refuse(refusal)
    if isinstance(response, Streamed):
        return {"status_code": response.status, "headers": dict(response.headers), "body": b""}
    return {"status_code": response.status, "headers": dict(response.headers), "body": response.body}
