"""What the service tells about an environment's life as records {time, type, record}, derived from events.

The JSON log format writes them, the Telemetry API sends them ("Lambda Telemetry API Event schema reference"), and the
lines of the text format are the same facts in other words (:mod:`lambdatui.service.logs`).
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Literal, TypeAlias

from lambdatui import events as ev
from lambdatui.events import Json, iso_time

Level: TypeAlias = Literal["DEBUG", "INFO", "WARN"]


@dataclass(frozen=True)
class PlatformRecord:
    """One record. `time` in seconds since the epoch; `level` as "Log-level filtering" assigns it."""

    time: float
    type: str
    record: dict[str, Json]
    level: Level = "INFO"
    logged: bool = True
    """Also in CloudWatch Logs. What belongs to a suppressed init only goes to those who subscribed to telemetry."""

    def to_json(self) -> dict[str, Json]:
        return {"time": iso_time(self.time), "type": self.type, "record": self.record}

    def to_line(self) -> str:
        """As the JSON log format has it."""
        return json.dumps(self.to_json(), separators=(",", ":"), ensure_ascii=False)


def runtime_version_arn(region: str, version: str) -> str:
    """Made up: it identifies a version as AWS' own do."""
    return f"arn:aws:lambda:{region}::runtime:{hashlib.sha256(version.encode()).hexdigest()}"


@dataclass
class PlatformRecords:
    """The records of one environment. `runtime` is the runtime's version, as in 'python:3.11.v7'; `memory_size` in
    MB."""

    function: str
    arn: str
    version: str
    region: str
    runtime: str
    initialization_type: str
    log_stream: str
    memory_size: int
    told: Callable[[PlatformRecord], None] = lambda _: None
    """Hears of each of them."""
    _phase: str = field(default="init", init=False)
    _suppressed: bool = field(default=False, init=False)
    _in_init: bool = field(default=False, init=False)
    _runtime_done: bool = field(default=False, init=False)
    """The init's platform.initRuntimeDone has been told."""
    _start: ev.InvocationStarted | None = field(default=None, init=False)
    """One that waits for the end of the init inside its invocation."""
    _began: float = field(default=0.0, init=False)
    """When the runtime got its invocation."""
    _first_byte: float | None = field(default=None, init=False)
    """When a streamed response began."""
    _responded: tuple[float, int] = field(default=(0.0, 0), init=False)
    """When the response came, or its end, and its size in bytes."""

    def after(self, time: float, event: ev.Event) -> list[PlatformRecord]:
        """The records that follow this event, which happened at `time`."""
        records = self._after(time, event)
        for record in records:
            self.told(record)
        return records

    def _after(self, time: float, event: ev.Event) -> list[PlatformRecord]:
        match event:
            case ev.InitStarted():
                self._in_init, self._runtime_done = True, False
                self._phase, self._suppressed = event.phase, event.suppressed
                return [self._init_start(time, event)]
            case ev.InitPhaseFinished() if event.part == "function":
                return [self._init_runtime_done(time, "success", None)]
            case ev.ExtensionInitFinished():
                return [self._extension(time, event)]
            case ev.TelemetrySubscribed():
                record: dict[str, Json] = {"name": event.name, "state": "Subscribed", "types": list(event.types)}
                return [PlatformRecord(time, "platform.telemetrySubscription", record)]
            case ev.InitFinished():
                return [*self._init_finished(time, event), *self._waiting_start(time)]
            case ev.InvocationStarted():
                self._start = event
                return [] if self._in_init else self._waiting_start(time)
            case ev.InvocationStreamed():
                self._first_byte = time
            case ev.InvocationAnswered():
                self._responded = time, len(event.payload.encode(errors="replace"))
            case ev.InvocationFinished():
                return [self._runtime_is_done(time, event), self._report(time, event)]
        return []

    # init

    def _init_start(self, time: float, event: ev.InitStarted) -> PlatformRecord:
        record: dict[str, Json] = {
            "initializationType": self.initialization_type,
            "phase": event.phase,
            "runtimeVersion": self.runtime,
            "runtimeVersionArn": runtime_version_arn(self.region, self.runtime),
            "functionName": self.function,
            "functionVersion": self.version,
            "instanceId": self.log_stream,
            "instanceMaxMemory": self.memory_size * 2**20,
        }
        # An init that is tried again inside an invocation has no INIT_START in the log.
        return PlatformRecord(time, "platform.initStart", record, logged=event.phase == "init")

    def _init_runtime_done(self, time: float, status: str, error_type: str | None) -> PlatformRecord:
        self._runtime_done = True
        return PlatformRecord(
            time,
            "platform.initRuntimeDone",
            {"initializationType": self.initialization_type, "phase": self._phase, **_status(status, error_type)},
            "DEBUG" if status == "success" else "WARN",
            not self._suppressed,
        )

    def _extension(self, time: float, event: ev.ExtensionInitFinished) -> PlatformRecord:
        record: dict[str, Json] = {"name": event.name, "state": event.state, "events": list(event.events)}
        if event.error_type:
            record["errorType"] = event.error_type
        return PlatformRecord(time, "platform.extension", record)

    def _init_finished(self, time: float, event: ev.InitFinished) -> list[PlatformRecord]:
        self._in_init = False
        done = [] if self._runtime_done else [self._init_runtime_done(time, event.status, event.error_type)]
        record: dict[str, Json] = {
            "initializationType": self.initialization_type,
            "phase": event.phase,
            **_status(event.status, event.error_type),
            "metrics": {"durationMs": event.duration_ms},
        }
        level: Level = "DEBUG" if self.initialization_type == "on-demand" else "INFO"
        level = level if event.status == "success" else "WARN"
        return [*done, PlatformRecord(time, "platform.initReport", record, level, not self._suppressed)]

    # invocations

    def _waiting_start(self, time: float) -> list[PlatformRecord]:
        start, self._start = self._start, None
        if start is None:
            return []
        self._began, self._first_byte = time, None
        record: dict[str, Json] = {"requestId": start.request_id, "functionArn": self.arn, "version": self.version}
        return [PlatformRecord(time, "platform.start", record)]

    def _runtime_is_done(self, time: float, event: ev.InvocationFinished) -> PlatformRecord:
        """Where the runtime did not get to its end there are no spans, and only what was streamed counts as
        produced."""
        record: dict[str, Json] = {"requestId": event.request_id, **_outcome(event)}
        responded, produced = self._responded
        if not _failure(event):
            first_byte = responded if self._first_byte is None else self._first_byte
            record["spans"] = [
                _span("responseLatency", self._began, first_byte),
                _span("responseDuration", first_byte, responded),
                _span("runtimeOverhead", responded, time),
            ]
        elif self._first_byte is None:
            produced = 0
        record["metrics"] = {"durationMs": event.duration_ms, "producedBytes": produced}
        return PlatformRecord(time, "platform.runtimeDone", record, "WARN" if _failure(event) else "DEBUG")

    def _report(self, time: float, event: ev.InvocationFinished) -> PlatformRecord:
        metrics: dict[str, Json] = {
            "durationMs": event.duration_ms,
            "billedDurationMs": event.billed_duration_ms,
            "memorySizeMB": event.memory_size_mb,
            "maxMemoryUsedMB": event.max_memory_used_mb,
        }
        if event.init_duration_ms is not None:
            metrics["initDurationMs"] = event.init_duration_ms
        record: dict[str, Json] = {"requestId": event.request_id, "metrics": metrics, **_outcome(event)}
        return PlatformRecord(time, "platform.report", record, "WARN" if _failure(event) else "INFO")


def _failure(event: ev.InvocationFinished) -> bool:
    """The environment is reset after it. A handler that raises an exception is no failure to the platform."""
    return event.status == "timed_out" or event.error_type is not None


def _outcome(event: ev.InvocationFinished) -> dict[str, Json]:
    if event.status == "timed_out":
        return _status("timeout", None)
    return _status("error" if event.error_type else "success", event.error_type)


def _status(status: str, error_type: str | None) -> dict[str, Json]:
    return {"status": status, "errorType": error_type} if error_type else {"status": status}


def _span(name: str, start: float, end: float) -> dict[str, Json]:
    return {"name": name, "start": iso_time(start), "durationMs": round((end - start) * 1000, 3)}
