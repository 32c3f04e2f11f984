"""What the event sources of a SAM function send ("EventSource" in the SAM developer guide)."""

from __future__ import annotations

import json
from collections.abc import Mapping

from lambdatui.events import Json
from lambdatui.experiment.templates.properties import Properties

_EVENTS: Mapping[str, str] = {
    "Api": "api-gateway-rest",
    "CloudWatchEvent": "eventbridge",
    "CloudWatchLogs": "cloudwatch-logs",
    "Cognito": "cognito-pre-sign-up",
    "DynamoDB": "dynamodb-stream",
    "EventBridgeRule": "eventbridge",
    "HttpApi": "api-gateway-http",
    "Kinesis": "kinesis",
    "MSK": "kafka",
    "S3": "s3-put",
    "SNS": "sns",
    "SQS": "sqs",
    "Schedule": "eventbridge-schedule",
    "ScheduleV2": "eventbridge-schedule",
    "SelfManagedKafka": "kafka",
}
"""What a source of events sends."""


def typical_event(source: Properties) -> dict[str, Json]:
    """As the keys `service_event` and `event` of a function say it; empty where nobody knows."""
    kind, properties = source.text("Type") or "", source.inner("Properties")
    if kind not in _EVENTS:
        return {}
    if kind.startswith("Schedule") and (sent := _json(properties.text("Input"))) is not None:
        return {"event": sent}
    request = _request(kind, properties) if kind in ("Api", "HttpApi") else None
    return {"service_event": _EVENTS[kind], **({} if request is None else {"event": request})}


def _json(text: str | None) -> Json:
    try:
        value: Json = json.loads(text) if text else None
    except (ValueError, RecursionError):
        return text
    return value


def _request(kind: str, properties: Properties) -> Json:
    """What sets a request to this path apart."""
    path, method = properties.text("Path"), properties.text("Method")
    if path is None:
        return None
    method = "POST" if method is None or method.lower() in ("any", "*") else method.upper()
    body: dict[str, Json] = {"body": None} if method in ("GET", "HEAD", "DELETE") else {}
    if kind == "HttpApi":
        route = f"{method} {path}"
        context: Json = {"http": {"method": method, "path": path}, "routeKey": route}
        return {"routeKey": route, "rawPath": path, "requestContext": context, **body}
    context = {"httpMethod": method, "path": f"/Prod{path}", "resourcePath": path}
    request: dict[str, Json] = {"resource": path, "path": path, "httpMethod": method, "pathParameters": None}
    return {**request, "requestContext": context, **body}
