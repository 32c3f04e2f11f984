"""Answers as the protocols have them: REST with JSON (Lambda), and JSON 1.1 (CloudWatch Logs)."""

from __future__ import annotations

import json
import uuid
from collections.abc import Mapping

from lambdatui.events import Json
from lambdatui.refusal import ServiceRefusal
from lambdatui.service.http import Response

STATUS: Mapping[str, int] = {
    "AccessDeniedException": 403,
    "IncompleteSignatureException": 400,
    "InvalidParameterValueException": 400,
    "InvalidRequestContentException": 400,
    "InvalidSignatureException": 403,
    "MissingAuthenticationTokenException": 403,
    "NotImplementedException": 501,
    "PolicyLengthExceededException": 400,
    "PreconditionFailedException": 412,
    "ProvisionedConcurrencyConfigNotFoundException": 404,
    "RecursiveInvocationException": 400,
    "RequestEntityTooLargeException": 413,
    "ResourceConflictException": 409,
    "ResourceNotFoundException": 404,
    "SerializationException": 400,
    "ServiceException": 500,
    "TooManyRequestsException": 429,
    "UnrecognizedClientException": 403,
    "ValidationException": 400,
}
"""Of the Lambda API's errors."""

_CAPITAL_MESSAGE = {
    "AccessDeniedException",
    "RecursiveInvocationException",
    "ResourceNotFoundException",
    "ServiceException",
}
"""Their bodies have `Message` where all others have `message`."""

_UNTYPED = {"SerializationException", "ValidationException"}
"""Refused before the operation begins: their bodies have no `Type`."""


def rest_answer(status: int, members: Mapping[str, Json] | None = None) -> Response:
    """An operation's output in JSON, without members that are None; no body at all where there is no output."""
    if members is None:
        return Response(status, b"", (_request_id(),))
    return Response(status, _json(members), (("Content-Type", "application/json"), _request_id()))


def rest_error(refusal: ServiceRefusal) -> Response:
    """In Lambda's form."""
    code, status = refusal.code, STATUS.get(refusal.code, 400)
    key = "Message" if code in _CAPITAL_MESSAGE else "message"
    members: dict[str, Json] = {key: str(refusal), **refusal.details}
    if code not in _UNTYPED:
        members = {"Type": "Service" if status >= 500 else "User", **members}
    headers = (("Content-Type", "application/json"), _request_id(refusal.request_id), ("x-amzn-ErrorType", code))
    return Response(status, _json(members), headers)


def json_answer(members: Mapping[str, Json] | None = None, status: int = 200) -> Response:
    """An output of JSON 1.1, without members that are None; of an operation that has none, an empty body."""
    body = b"" if members is None else _json(members)
    return Response(status, body, (("Content-Type", "application/x-amz-json-1.1"), _request_id()))


def json_error(refusal: ServiceRefusal) -> Response:
    """In the form of JSON 1.1; every error is a 400 there."""
    return json_answer({"__type": refusal.code, "message": str(refusal)}, 400)


def _json(members: Mapping[str, Json]) -> bytes:
    given = {name: each for name, each in members.items() if each is not None}
    return json.dumps(given, separators=(",", ":"), ensure_ascii=False).encode(errors="replace")


def _request_id(known: str | None = None) -> tuple[str, str]:
    return "x-amzn-RequestId", known or str(uuid.uuid4())
