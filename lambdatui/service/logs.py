"""What gets into a log stream: the service's own lines, derived from events, and those of the function.

In the text format these are INIT_START, INIT_REPORT, START, END and REPORT, as real log streams have them ("Viewing
CloudWatch logs for Lambda functions"), in two dialects: `current`, which names a failure in the REPORT line, and
`classic` (until 2024), which has an event of its own for it. The JSON format, which is the same in both, writes the
platform records, and of all lines only those of the level asked for ("Log-level filtering").
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from lambdatui import events as ev
from lambdatui.function import APPLICATION_LOG_LEVELS, LoggingConfig
from lambdatui.sandbox.capture import Line
from lambdatui.service.platform_records import PlatformRecord, PlatformRecords

_DETAIL = {level: rank for rank, level in enumerate(APPLICATION_LOG_LEVELS)}
_SAME_LEVEL = {"WARNING": "WARN", "CRITICAL": "FATAL"}
_TIMESTAMPS = ("timestamp", "time")


def group_name(function: str, config: LoggingConfig) -> str:
    return config.log_group or f"/aws/lambda/{function}"


def stream_name(function: str, config: LoggingConfig, version: str, created_at: float, environment: str) -> str:
    """The day (UTC) of the environment's creation, the function's version, and 32 hexadecimal digits; in a group that
    functions may share also the function's name ("Working with CloudWatch log groups")."""
    whose = function if config.log_group else ""
    return f"{datetime.fromtimestamp(created_at, UTC):%Y/%m/%d}/{whose}[{version}]{environment}"


@dataclass
class EnvironmentLog:
    """The lines of one environment's stream."""

    dialect: str
    config: LoggingConfig
    records: PlatformRecords

    def after(self, time: float, event: ev.Event) -> tuple[str, ...]:
        """The lines that follow this event, which happened at `time`."""
        records = [record for record in self.records.after(time, event) if record.logged]
        if self.config.json:
            lowest = _DETAIL[self.config.system_log_level or "INFO"]
            return tuple(record.to_line() for record in records if _DETAIL[record.level] >= lowest)
        failure = self._failure(event) if isinstance(event, ev.InvocationFinished) else []
        return (*failure, *(line for record in records for line in self._text(record)))

    def of_function(self, lines: Iterable[Line]) -> tuple[str, ...]:
        """Those of its lines that get into the stream. In the text format all do."""
        if not self.config.json:
            return tuple(line.text for line in lines)
        lowest = _DETAIL[self.config.application_log_level or "INFO"]
        return tuple(line.text for line in lines if _DETAIL[_level(line)] >= lowest)

    def _text(self, record: PlatformRecord) -> list[str]:
        fields: Any = record.record
        match record.type:
            case "platform.initStart":
                version, arn = fields["runtimeVersion"], fields["runtimeVersionArn"]
                return [f"INIT_START Runtime Version: {version}\tRuntime Version ARN: {arn}"]
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


def _level(line: Line) -> str:
    """What the runtime says of it, else the line itself, where it is JSON with a level and a time: otherwise INFO."""
    if line.level or not line.text.startswith("{"):
        return line.level or "INFO"
    try:
        fields = json.loads(line.text)
        level = fields["level"].upper()
        datetime.fromisoformat(next(fields[key] for key in _TIMESTAMPS if key in fields))
    except (ValueError, TypeError, AttributeError, LookupError, StopIteration, RecursionError):
        return "INFO"
    level = _SAME_LEVEL.get(level, level)
    return level if level in _DETAIL else "INFO"


def _init_report(fields: Any) -> str:
    duration = fields["metrics"]["durationMs"]
    return f"INIT_REPORT Init Duration: {duration:.2f} ms\tPhase: {fields['phase']}\t{_status(fields)}"


def _status(fields: Any) -> str:
    error_type = fields.get("errorType")
    return f"Status: {fields['status']}" + (f"\tError Type: {error_type}" if error_type else "")
