"""What a function URL makes of a request, and of its function's response ("Invoking Lambda function URLs" in the
developer guide; what that leaves open is as recorded events have it)."""

from __future__ import annotations

import base64
import binascii
import json
import re
from collections.abc import Mapping
from datetime import datetime
from typing import NamedTuple
from urllib.parse import parse_qsl

from lambdatui.aws.call import Caller
from lambdatui.events import Json
from lambdatui.function import parse_json
from lambdatui.service.function_urls import FunctionUrl
from lambdatui.service.http import Request, Response

_CLIENT = "127.0.0.1"
"""Nobody else can connect."""

_TEXT = re.compile(r"text/.*|application/(json|javascript|xml|.*\+(json|xml))")
"""Content types whose bodies are handed over as they are; all others, and none, in base64."""

_OF_THE_CONNECTION = {
    *("connection", "content-length", "date", "keep-alive", "proxy-authenticate", "te", "trailer"),
    *("transfer-encoding", "upgrade"),
}
"""Headers that are the server's to set, not the function's."""

_PRELUDE_END = bytes(8)
_MAX_PRELUDE = 2**16
"""What has no end by then is no prelude."""

_TOKEN = re.compile(r"[!#$%&'*+\-.^_`|~0-9A-Za-z]+")


class Signer(NamedTuple):
    """Who signed a request, and with which key."""

    access_key_id: str
    caller: Caller


class MalformedResponse(ValueError):
    """A function's response that cannot be made an answer in HTTP."""


# -- requests -------------------------------------------------------------------------------------------------------


def event_for(
    request: Request, url: FunctionUrl, request_id: str, now: datetime, signer: Signer | None
) -> dict[str, Json]:
    """The event, in API Gateway's payload format 2.0. `signer` is None where anybody may call; `now` is in UTC.

    What there is none of, cookies or a body, say, is left out. The domain is the one that the URL would have in AWS.
    """
    _, _, _, region, account, *_ = url.arn.split(":")
    path, query = _text(request.path), _text(request.query)
    context: dict[str, Json] = {
        "accountId": account if signer else "anonymous",
        "apiId": url.id,
        **(_identity(signer) if signer else {}),
        "domainName": f"{url.id}.lambda-url.{region}.on.aws",
        "domainPrefix": url.id,
        "http": {
            "method": request.method,
            "path": path,
            "protocol": f"HTTP/{request.version}",
            "sourceIp": _CLIENT,
            "userAgent": _text(request.headers.get("user-agent", "")),
        },
        "requestId": request_id,
        "routeKey": "$default",
        "stage": "$default",
        "time": f"{now:%d/%b/%Y:%H:%M:%S} +0000",
        "timeEpoch": int(now.timestamp() * 1000),
    }
    event: dict[str, Json] = {
        "version": "2.0",
        "routeKey": "$default",
        "rawPath": path,
        "rawQueryString": query,
        "headers": _headers(request, url),
        "requestContext": context,
        "isBase64Encoded": False,
    }
    if cookies := request.headers.get("cookie"):
        event["cookies"] = [cookie.strip() for cookie in _text(cookies).split(";") if cookie.strip()]
    if query:
        event["queryStringParameters"] = {**_parameters(query)}
    if request.body:
        event["body"], event["isBase64Encoded"] = _body(request)
    return event


def _identity(signer: Signer) -> dict[str, Json]:
    caller = signer.caller
    iam: dict[str, Json] = {
        "accessKey": signer.access_key_id,
        "accountId": caller.account,
        "callerId": caller.user_id,
        "cognitoIdentity": None,
        "principalOrgId": None,
        "userArn": caller.arn,
        "userId": caller.user_id,
    }
    return {"authentication": None, "authorizer": {"iam": iam}}


def _headers(request: Request, url: FunctionUrl) -> dict[str, Json]:
    """With those that the service adds: whom it has the request from."""
    port = url.address.rstrip("/").rpartition(":")[2]
    forwarded = {"x-forwarded-for": _CLIENT, "x-forwarded-proto": "http", "x-forwarded-port": port}
    return {**{name: _text(value) for name, value in request.headers.items()}, **forwarded}


def _parameters(query: str) -> dict[str, str]:
    parameters: dict[str, str] = {}
    for name, value in parse_qsl(query, keep_blank_values=True, errors="replace"):
        parameters[name] = f"{parameters[name]},{value}" if name in parameters else value
    return parameters


def _body(request: Request) -> tuple[str, bool]:
    """The body, and whether it is in base64."""
    content_type = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if _TEXT.fullmatch(content_type):
        try:
            return request.body.decode(), False
        except UnicodeDecodeError:
            pass
    return base64.b64encode(request.body).decode(), True


def _text(value: str) -> str:
    """As JSON can have it."""
    return value.encode(errors="surrogateescape").decode(errors="replace")


# -- responses ------------------------------------------------------------------------------------------------------


def response_of(payload: str) -> Response:
    """A function's response as the client gets it: one with a statusCode as it says; any other is the body of a 200, a
    text without its quotes. Raises MalformedResponse."""
    try:
        result = parse_json(payload)
    except (ValueError, RecursionError) as error:
        raise MalformedResponse(f"The response is no JSON: {error}") from None
    if not isinstance(result, dict) or "statusCode" not in result:
        return Response(200, _as_body(result), [("Content-Type", "application/json")])
    body = _as_body(result["body"]) if result.get("body") is not None else b""
    if result.get("isBase64Encoded") is True:
        try:
            body = base64.b64decode(body, validate=True)
        except binascii.Error as error:
            raise MalformedResponse(f"The body is no base64: {error}") from None
    return _with_head(result, body, "application/json")


def streamed_response_of(start: bytes, *, complete: bool) -> Response | None:
    """How a streamed response begins; None where more of it is needed to say.

    It may have a prelude with its status, headers and cookies, in JSON, that ends with eight NULs, as the Node.js
    runtime's HttpResponseStream writes it ("Response streaming for Lambda functions"). Without, all of it is the body,
    whatever it looks like. Raises MalformedResponse.
    """
    metadata, end, body = start.partition(_PRELUDE_END)
    if not end and not complete and start[:1] in (b"", b"{") and len(start) < _MAX_PRELUDE:
        return None
    try:
        prelude = parse_json(metadata.decode()) if end else None
    except (ValueError, RecursionError):
        prelude = None
    if not isinstance(prelude, dict):
        return Response(200, start, [("Content-Type", "application/octet-stream")])
    return _with_head(prelude, body, "application/octet-stream")


def _with_head(result: Mapping[str, Json], body: bytes, content_type: str) -> Response:
    """With the status, headers and cookies that `result` says, and a content type where it says none."""
    headers = [*_response_headers(result.get("headers")), *_set_cookies(result.get("cookies"))]
    if all(name.lower() != "content-type" for name, _ in headers):
        headers.insert(0, ("Content-Type", content_type))
    return Response(_status(result.get("statusCode", 200)), body, headers)


def _as_body(value: Json) -> bytes:
    text = value if isinstance(value, str) else json.dumps(value, separators=(",", ":"), ensure_ascii=False)
    return text.encode(errors="replace")


def _status(value: Json) -> int:
    """Also as text."""
    if isinstance(value, str) and re.fullmatch(r"[1-9][0-9]{2}", value):
        value = int(value)
    if isinstance(value, bool) or not isinstance(value, int) or not 200 <= value <= 599:
        raise MalformedResponse(f"{value!r} is no statusCode.")
    return value


def _response_headers(headers: Json) -> list[tuple[str, str]]:
    if headers is None:
        return []
    if not isinstance(headers, dict):
        raise MalformedResponse("The headers are no object.")
    return [
        (_checked_name(name), _header_value(value))
        for name, value in headers.items()
        if name.lower() not in _OF_THE_CONNECTION
    ]


def _checked_name(name: str) -> str:
    if not _TOKEN.fullmatch(name):
        raise MalformedResponse(f"{name!r} is no name of a header.")
    return name


def _header_value(value: Json) -> str:
    if isinstance(value, dict | list) or value is None:
        raise MalformedResponse(f"{value!r} is no value of a header.")
    return str(value).lower() if isinstance(value, bool) else str(value)


def _set_cookies(cookies: Json) -> list[tuple[str, str]]:
    if cookies is None:
        return []
    if not isinstance(cookies, list) or not all(isinstance(cookie, str) for cookie in cookies):
        raise MalformedResponse("The cookies are no list of texts.")
    return [("Set-Cookie", str(cookie)) for cookie in cookies]
