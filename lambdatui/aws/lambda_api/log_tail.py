"""The end of an invocation's log, for callers who ask for it (X-Amz-Log-Type: Tail)."""

from __future__ import annotations

import base64
from collections.abc import Sequence

from lambdatui.lab import Invocation, Lab, LogEvent

_MAX_BYTES = 4096


def log_tail(lab: Lab, invocation: Invocation) -> str:
    """The last 4 KB in base64, from START on at the earliest; what an init wrote is no part of it."""
    stream = lab.stream(invocation.log_group, invocation.log_stream)
    lines = _of(invocation.request_id, stream.events) if stream else []
    text = "".join(f"{line}\n" for line in lines)
    return base64.b64encode(text.encode(errors="replace")[-_MAX_BYTES:]).decode()


def _of(request_id: str, events: Sequence[LogEvent]) -> list[str]:
    """Looked for from the end, because a stream may hold a thousand invocations, one after the other."""
    lines: list[str] = []
    for event in reversed(events):
        is_start = event.platform and _is_start(event.text, request_id)  # one after a second init bears no request id
        if is_start or event.request_id == request_id:
            lines.append(event.text)
        elif event.request_id and lines:
            break
        if is_start:
            break
    return lines[::-1]


def _is_start(text: str, request_id: str) -> bool:
    """In either log format."""
    if text.startswith("{"):
        return '"type":"platform.start"' in text and request_id in text
    return text.startswith(f"START RequestId: {request_id} ")
