"""Whether an answer is one that the service's own model, as botocore has it, allows: its status, every member that was
sent, and no other one."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from datetime import datetime
from typing import Any

from botocore.model import ListShape, MapShape, OperationModel, Shape, StructureShape

OF_EVERY_OPERATION: Mapping[str, int] = {
    "AccessDeniedException": 403,
    "IncompleteSignatureException": 400,
    "InvalidSignatureException": 403,
    "MissingAuthenticationTokenException": 403,
    "NotImplementedException": 501,
    "RequestEntityTooLargeException": 413,
    "SerializationException": 400,
    "UnrecognizedClientException": 403,
    "ValidationException": 400,
}
"""Errors that are in no model, or in it by another name than on the wire, and their status in a REST API."""

BESIDE_THE_MODEL = {"LastUpdateStatusReasonCode": ("Creating",)}
"""Values that the service answers, while its model does not have them."""

_TYPES = {"string": str, "boolean": bool, "integer": int, "long": int, "float": (int, float), "double": (int, float)}


def check_answer(operation_model: OperationModel, response_dict: Mapping[str, Any], **_: object) -> None:
    """Is told of an answer before botocore reads it (the event `before-parse` of a client), in XML
    excepted. Raises AssertionError."""
    if operation_model.service_model.metadata["protocol"] == "query":
        return
    if problems := list(problems_in(operation_model, response_dict)):
        raise AssertionError(f"{operation_model.name}: {'; '.join(problems)}")


def problems_in(operation: OperationModel, response: Mapping[str, Any]) -> Iterator[str]:
    """`response` has status_code, headers and body."""
    status = response["status_code"]
    if status >= 300:
        yield from _of_error(operation, status, response["headers"], response["body"])
        return
    shape = operation.output_shape
    locations = [member.serialization.get("location") for member in shape.members.values()] if shape else []
    if (expected := operation.http.get("responseCode", 200)) != status and "statusCode" not in locations:
        yield f"the status is {status}, not {expected}"
    if shape is None:
        if response["body"]:
            yield f"there is a body where none is expected: {response['body'][:100]!r}"
        return
    for name, member in shape.members.items():
        header = response["headers"].get(member.serialization.get("name", ""))
        if member.serialization.get("location") == "header" and header is not None:
            yield from _of_value(member, header if member.type_name == "string" else int(header), name)
    streams = operation.has_streaming_output or operation.has_event_stream_output
    if not streams and "payload" not in shape.serialization:
        yield from _of_value(_in_body(shape), json.loads(response["body"] or b"{}"), "")


def _of_error(operation: OperationModel, status: int, headers: Mapping[str, str], body: bytes) -> Iterator[str]:
    members = json.loads(body)
    is_rest = operation.service_model.metadata["protocol"] == "rest-json"
    code = headers.get("x-amzn-ErrorType") if is_rest else members.pop("__type", None)
    shape = next((each for each in operation.error_shapes if code in (each.name, each.error_code)), None)
    if code in OF_EVERY_OPERATION or (shape and not shape.members):
        if unknown := members.keys() - {"message", "Message", "Type"}:
            yield f"{code} has no {unknown}"
    elif shape:
        yield from _of_value(_in_body(shape), members, code or "")
    else:
        yield f"{code} is no error of this operation"
    of_rest = (
        shape.metadata["error"]["httpStatusCode"] if shape and is_rest else OF_EVERY_OPERATION.get(code or "", 400)
    )
    if status != (of_rest if is_rest else 400):
        yield f"the status of {code} is {status}"


def _in_body(shape: StructureShape) -> dict[str, Shape]:
    """Its members that are not in headers or the status line, by their names on the wire."""
    return {
        member.serialization.get("name", name): member
        for name, member in shape.members.items()
        if "location" not in member.serialization
    }


def _of_value(shape: Shape | dict[str, Shape], value: Any, place: str) -> Iterator[str]:
    if isinstance(shape, dict | StructureShape):
        members = shape if isinstance(shape, dict) else _in_body(shape)
        required = [] if isinstance(shape, dict) else shape.required_members
        if not isinstance(value, dict):
            yield f"{place} is no structure: {value!r}"
            return
        yield from (f"{place} lacks {name}" for name in required if name not in value)
        for name, each in value.items():
            if name not in members:
                yield f"{place} has no member {name}"
            elif each is not None:
                yield from _of_value(members[name], each, f"{place}.{name}".lstrip("."))
    elif isinstance(shape, ListShape):
        if not isinstance(value, list):
            yield f"{place} is no list: {value!r}"
            return
        yield from _of_length(shape, len(value), place)
        for number, each in enumerate(value):
            yield from _of_value(shape.member, each, f"{place}[{number}]")
    elif isinstance(shape, MapShape):
        if not isinstance(value, dict):
            yield f"{place} is no map: {value!r}"
            return
        for key, each in value.items():
            yield from _of_value(shape.key, key, f"the key of {place}")
            yield from _of_value(shape.value, each, f"{place}.{key}")
    else:
        yield from _of_scalar(shape, value, place)


def _of_scalar(shape: Shape, value: Any, place: str) -> Iterator[str]:
    if shape.type_name == "timestamp":
        if isinstance(value, str):
            datetime.fromisoformat(value)
        return
    if shape.type_name == "blob":
        return
    expected = _TYPES[shape.type_name]
    if not isinstance(value, expected) or (isinstance(value, bool) and expected is not bool):  # type: ignore[arg-type]
        yield f"{place} is of another type than {shape.type_name}: {value!r}"
        return
    if shape.name != "FunctionUrl":  # ours is shorter
        yield from _of_length(shape, len(value) if isinstance(value, str) else value, place)
    if isinstance(value, str):
        if shape.enum and value not in (*shape.enum, *BESIDE_THE_MODEL.get(shape.name, ())):
            yield f"{place} is none of {shape.enum}: {value!r}"
        pattern = shape.metadata.get("pattern")
        if pattern and r"\p{" not in pattern and not re.fullmatch(pattern, value):  # Python has no such classes
            yield f"{place} does not match {pattern}: {value!r}"


def _of_length(shape: Shape, value: float, place: str) -> Iterator[str]:
    low, high = shape.metadata.get("min"), shape.metadata.get("max")
    if (low is not None and value < low) or (high is not None and value > high):
        yield f"{place} is not between {low} and {high}: {value!r}"
