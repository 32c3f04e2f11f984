"""Answers that the APIs of an execution environment have in common, as the service's own core renders them."""

from __future__ import annotations

import json
from collections.abc import Mapping

from lambdatui.events import Json
from lambdatui.service.http import Response


def json_answer(status: int, fields: Mapping[str, Json], headers: tuple[tuple[str, str], ...] = ()) -> Response:
    """As Go encodes it: compact, with a newline at the end."""
    body = json.dumps(fields, separators=(",", ":"), ensure_ascii=False) + "\n"
    return Response(status, body.encode(errors="replace"), (("Content-Type", "application/json"), *headers))


def problem(status: int, error_type: str, message: str) -> Response:
    return json_answer(status, {"errorMessage": message, "errorType": error_type})


def not_allowed(method: str) -> Response:
    """Only this method is known here."""
    return Response(405, headers=[("Allow", method)])


ACCEPTED = json_answer(202, {"status": "OK"})
