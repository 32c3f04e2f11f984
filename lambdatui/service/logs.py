"""What the service itself writes to a log stream, derived from events: INIT_START, INIT_REPORT, START, END, REPORT.

Two dialects: `current`, which names a failure in the REPORT line, and `classic` (until 2024), which has an event of its
own for it. Text format as real log streams have it ("Viewing CloudWatch logs for Lambda functions").
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from lambdatui import events as ev
from lambdatui.service.platform_records import PlatformRecord, PlatformRecords


def group_name(function: str) -> str:
    return f"/aws/lambda/{function}"


def stream_name(version: str, created_at: float, environment: str) -> str:
    """The day (UTC) of the environment's creation, the function's version, and 32 hexadecimal digits."""
    return f"{datetime.fromtimestamp(created_at, UTC):%Y/%m/%d}/[{version}]{environment}"


@dataclass
class PlatformLog:
    """The lines of one environment's stream."""

    dialect: str
    records: PlatformRecords

    def after(self, time: float, event: ev.Event) -> list[str]:
        """The lines that follow this event, which happened at `time`."""
        records = [record for record in self.records.after(time, event) if record.logged]
        failure = self._failure(event) if isinstance(event, ev.InvocationFinished) else []
        return [*failure, *(line for record in records for line in self._text(record))]

    def _text(self, record: PlatformRecord) -> list[str]:
        fields: Any = record.record
        match record.type:
            case "platform.initStart":
                version, arn = fields["runtimeVersion"], fields["runtimeVersionArn"]
                return [f"INIT_START Runtime Version: {version}\tRuntime Version ARN: {arn}"]
            case "platform.extension":
                return [_extension(fields)]
            case "platform.telemetrySubscription":
                types = ", ".join(each.capitalize() for each in fields["types"])
                return [f"TELEMETRY\tName: {fields['name']}\tState: {fields['state']}\tTypes: [{types}]"]
            case "platform.initReport" if record.level != "DEBUG":
                return [_init_report(fields)]
            case "platform.start":
                return [f"START RequestId: {fields['requestId']} Version: {fields['version']}"]
            case "platform.report":
                return [f"END RequestId: {fields['requestId']}", self._report(fields)]
        return []

    def _failure(self, event: ev.InvocationFinished) -> list[str]:
        """The event that tells of a failure in the classic dialect."""
        if self.dialect != "classic":
            return []
        if event.failure:
            return [f"{event.failure}\n{event.error_type or ''}"]
        return ["Unknown application error occurred\nRuntime.Unknown"] if event.error_type else []

    def _report(self, fields: Any) -> str:
        metrics = fields["metrics"]
        line = (
            f"REPORT RequestId: {fields['requestId']}\tDuration: {metrics['durationMs']:.2f} ms"
            f"\tBilled Duration: {metrics['billedDurationMs']} ms\tMemory Size: {metrics['memorySizeMB']} MB"
            f"\tMax Memory Used: {metrics['maxMemoryUsedMB']} MB\t"
        )
        if "initDurationMs" in metrics:
            line += f"Init Duration: {metrics['initDurationMs']:.2f} ms\t"
        if self.dialect == "current" and fields["status"] != "success":
            line += _status(fields)
        return line


def _extension(fields: Any) -> str:
    line = f"EXTENSION\tName: {fields['name']}\tState: {fields['state']}\tEvents: [{', '.join(fields['events'])}]"
    return f"{line}\tError Type: {fields['errorType']}" if "errorType" in fields else line


def _init_report(fields: Any) -> str:
    duration = fields["metrics"]["durationMs"]
    return f"INIT_REPORT Init Duration: {duration:.2f} ms\tPhase: {fields['phase']}\t{_status(fields)}"


def _status(fields: Any) -> str:
    error_type = fields.get("errorType")
    return f"Status: {fields['status']}" + (f"\tError Type: {error_type}" if error_type else "")
