"""The Telemetry API (version 2022-07-01): where extensions subscribe to what happens in their environment.

Ranges and messages as in "Lambda Telemetry API reference"; it is served on the port of the Runtime API.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any
from urllib.parse import urlsplit

from lambdatui.service.answers import not_allowed, problem
from lambdatui.service.extensions_api import ExtensionsApi
from lambdatui.service.http import Request, Response
from lambdatui.service.telemetry import KINDS, Subscription, Telemetry

_PATH = "/2022-07-01/telemetry"
_SCHEMA_VERSIONS = ("2022-07-01", "2022-12-13", "2025-01-29")
_BUFFERING = {"maxItems": (1000, 1000, 10000), "maxBytes": (262144, 262144, 1048576), "timeoutMs": (1000, 25, 30000)}
"""Default, lowest and highest value."""
_OK = Response(200, b'"OK"', (("Content-Type", "application/json"),))


class TelemetryApi:
    """`subscribed` is told of each subscription."""

    def __init__(
        self, extensions: ExtensionsApi, telemetry: Telemetry, subscribed: Callable[[Subscription], None]
    ) -> None:
        self._extensions = extensions
        self._telemetry = telemetry
        self._subscribed = subscribed

    def handle(self, request: Request) -> Response | None:
        """The answer to a call of this API; None for other paths."""
        if request.path.rstrip("/") != _PATH:
            return None
        if request.method != "PUT":
            return not_allowed("PUT")
        extension = self._extensions.identify(request)
        if isinstance(extension, Response):
            return extension
        if not self._telemetry.open:
            return problem(403, "Telemetry.SubscriptionClosed", "Telemetry API subscription is closed already")
        subscription, wrong = parse(extension.name, request.body)
        if subscription is None:
            return problem(400, "ValidationError", "; ".join(wrong))
        self._telemetry.subscribe(subscription)
        self._subscribed(subscription)
        return _OK


def parse(name: str, body: bytes) -> tuple[Subscription | None, list[str]]:
    """The subscription of the extension `name`; or None, and all that is wrong with it."""
    try:
        given = json.loads(body)
    except (ValueError, RecursionError):
        given = None
    if not isinstance(given, dict):
        return None, ["the body is not a JSON object"]
    wrong: list[str] = []
    if given.get("schemaVersion") not in _SCHEMA_VERSIONS:
        wrong.append(f"schemaVersion should be one of {', '.join(_SCHEMA_VERSIONS)}")
    protocol, host, port, path = _destination(given.get("destination"), wrong)
    kinds = _kinds(given.get("types"), wrong)
    items, size, timeout = _buffering(given.get("buffering", {}), wrong)
    if wrong:
        return None, wrong
    return Subscription(name, kinds, protocol, host, port, path, items, size, timeout / 1000), []


def _destination(given: Any, wrong: list[str]) -> tuple[Any, str, int, str]:
    if not isinstance(given, dict):
        wrong.append("destination should be an object")
        return "HTTP", "", 0, ""
    protocol = given.get("protocol")
    if protocol not in ("HTTP", "TCP"):
        wrong.append("protocol should be HTTP or TCP")
    if protocol == "TCP" and "URI" not in given:
        host, port, path = "sandbox.localdomain", given.get("port"), ""
    else:
        try:
            uri = urlsplit(str(given.get("URI", "")))
            host, port, path = uri.hostname or "", uri.port, uri.path or "/"
        except ValueError:
            host, port, path = "", None, ""
        if host not in ("sandbox.localdomain", "localhost", "127.0.0.1"):
            wrong.append("URI host should be sandbox.localdomain")
    if not isinstance(port, int) or not 0 < port < 65536:
        wrong.append("URI port is not provided")
        port = 0
    return protocol, host, port, path


def _kinds(given: Any, wrong: list[str]) -> Any:
    if not isinstance(given, list) or not given:
        wrong.append("types should not be empty")
        return ()
    wrong += [f"type {each} is not known" for each in given if each not in KINDS]
    return tuple(kind for kind in KINDS if kind in given)


def _buffering(given: Any, wrong: list[str]) -> tuple[int, int, int]:
    if not isinstance(given, dict):
        wrong.append("buffering should be an object")
        given = {}
    chosen = []
    for key, (default, lowest, highest) in _BUFFERING.items():
        value = given.get(key, default)
        if type(value) is not int or not lowest <= value <= highest:
            wrong.append(f"{key} should be between {lowest} and {highest}")
            value = default
        chosen.append(value)
    return chosen[0], chosen[1], chosen[2]
