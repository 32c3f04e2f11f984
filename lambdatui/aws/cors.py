"""Cross-origin resource sharing as a function URL has it: the URL answers preflights itself, and what it says about
origins outweighs what the function says ("Cross-origin resource sharing (CORS)" of function URLs in the developer
guide). It refuses nothing: browsers do."""

from __future__ import annotations

from collections.abc import Iterable

from lambdatui.function_url import Cors
from lambdatui.service.http import Request, Response

_PREFIX = "access-control-"


def is_preflight(request: Request) -> bool:
    """A browser asks whether a page of another origin may send the request that it describes."""
    headers = request.headers
    return request.method == "OPTIONS" and "origin" in headers and f"{_PREFIX}request-method" in headers


def preflight(cors: Cors, request: Request) -> Response:
    """The answer to it, of which the function hears nothing."""
    headers = _origin(cors, request)
    if headers:
        for name, allowed, asked in (
            ("Access-Control-Allow-Methods", cors.allow_methods, "request-method"),
            ("Access-Control-Allow-Headers", cors.allow_headers, "request-headers"),
        ):
            if value := request.headers.get(_PREFIX + asked, "") if "*" in allowed else ",".join(allowed):
                headers.append((name, value))
        headers.append(("Access-Control-Max-Age", str(cors.max_age or 0)))
    return Response(200, b"", [("Content-Type", "application/json"), *headers])


def with_cors(cors: Cors, request: Request, headers: Iterable[tuple[str, str]]) -> list[tuple[str, str]]:
    """The headers of any other answer."""
    own = _origin(cors, request)
    if own and cors.expose_headers:
        own.append(("Access-Control-Expose-Headers", ",".join(cors.expose_headers)))
    return [*((name, value) for name, value in headers if not name.lower().startswith(_PREFIX)), *own]


def _origin(cors: Cors, request: Request) -> list[tuple[str, str]]:
    """None if the origin is not allowed, or there is none."""
    origin = request.headers.get("origin")
    if origin is None or not ({"*", origin} & set(cors.allow_origins)):
        return []
    # Browsers take no `*` together with credentials.
    allowed = "*" if "*" in cors.allow_origins and not cors.allow_credentials else origin
    headers = [("Access-Control-Allow-Origin", allowed), ("Vary", "Origin")]
    return [*headers, ("Access-Control-Allow-Credentials", "true")] if cors.allow_credentials else headers
