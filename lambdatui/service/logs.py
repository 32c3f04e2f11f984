"""What the service itself writes to a log stream, derived from events: INIT_START, INIT_REPORT, START, END, REPORT.

Two dialects: `current`, which names a failure in the REPORT line, and `classic` (until 2024), which has an event of its
own for it. Text format as real log streams have it ("Viewing CloudWatch logs for Lambda functions").
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field
from datetime import UTC, datetime

from lambdatui import events as ev


def group_name(function: str) -> str:
    return f"/aws/lambda/{function}"


def stream_name(version: str, created_at: float, environment: str) -> str:
    """The day (UTC) of the environment's creation, the function's version, and 32 hexadecimal digits."""
    return f"{datetime.fromtimestamp(created_at, UTC):%Y/%m/%d}/[{version}]{environment}"


@dataclass
class PlatformLog:
    """The lines of one environment's stream. `runtime` is the interpreter's version, as in 'python:3.11.v7'."""

    dialect: str
    version: str
    region: str
    runtime: str
    reports_init: bool = False
    """Also of an init that succeeded, as for provisioned concurrency."""
    _start: str | None = field(default=None, init=False)
    """A START line that waits for the end of the init inside its invocation."""
    _in_init: bool = field(default=False, init=False)

    def after(self, event: ev.Event) -> list[str]:
        """The lines that follow this event."""
        match event:
            case ev.InitStarted():
                self._in_init = True
                return [self._init_start()] if event.phase == "init" else []
            case ev.InitFinished():
                self._in_init = False
                start, self._start = self._start, None
                worth_a_line = not event.suppressed and (self.reports_init or event.status != "success")
                report = [_init_report(event)] if worth_a_line else []
                return [*report, *([start] if start else [])]
            case ev.InvocationStarted():
                start = f"START RequestId: {event.request_id} Version: {self.version}"
                if not self._in_init:
                    return [start]
                self._start = start
            case ev.InvocationFinished():
                return [*self._failure(event), f"END RequestId: {event.request_id}", self._report(event)]
        return []

    def _init_start(self) -> str:
        digest = hashlib.sha256(self.runtime.encode()).hexdigest()
        arn = f"arn:aws:lambda:{self.region}::runtime:{digest}"
        return f"INIT_START Runtime Version: {self.runtime}\tRuntime Version ARN: {arn}"

    def _failure(self, event: ev.InvocationFinished) -> list[str]:
        """The event that tells of a failure in the classic dialect."""
        if self.dialect != "classic":
            return []
        if event.failure:
            return [f"{event.failure}\n{event.error_type or ''}"]
        return ["Unknown application error occurred\nRuntime.Unknown"] if event.error_type else []

    def _report(self, event: ev.InvocationFinished) -> str:
        line = (
            f"REPORT RequestId: {event.request_id}\tDuration: {event.duration_ms:.2f} ms"
            f"\tBilled Duration: {event.billed_duration_ms} ms\tMemory Size: {event.memory_size_mb} MB"
            f"\tMax Memory Used: {event.max_memory_used_mb} MB\t"
        )
        if event.init_duration_ms is not None:
            line += f"Init Duration: {event.init_duration_ms:.2f} ms\t"
        if self.dialect == "current":
            if event.status == "timed_out":
                line += "Status: timeout"
            elif event.error_type:
                line += f"Status: error\tError Type: {event.error_type}"
        return line


def _init_report(event: ev.InitFinished) -> str:
    line = f"INIT_REPORT Init Duration: {event.duration_ms:.2f} ms\tPhase: {event.phase}\tStatus: {event.status}"
    return f"{line}\tError Type: {event.error_type}" if event.error_type else line
