"""What gets into a log stream, and the platform records behind it: derived from events, and with real functions."""

from __future__ import annotations

import json
import re
from typing import Any

import pytest

from lambdatui import events as ev
from lambdatui.function import Configuration, LoggingConfig
from lambdatui.refusal import InvalidParameter
from lambdatui.sandbox.capture import Line
from lambdatui.service.logs import EnvironmentLog, group_name, stream_name
from lambdatui.service.platform_records import PlatformRecord, PlatformRecords
from tests.service.conftest import Laboratory, Opener

JSON = LoggingConfig("JSON")
INIT = ev.InitStarted("e", "init", False, None)
INITIALISED = ev.InitFinished("e", "init", False, "success", 413.614, None)
STARTED = ev.InvocationStarted("r", "e", 1_700_000_003.0)
ANSWERED = ev.InvocationAnswered("r", "succeeded", '"ü"', None)
FINISHED = ev.InvocationFinished("r", "e", "succeeded", 2.464, 417, 413.614, 128, 95, None)
TIMED_OUT = ev.InvocationFinished("r", "e", "timed_out", 3000.0, 3000, None, 128, 95, None)
EXITED = ev.InvocationFinished("r", "e", "failed", 9.5, 10, None, 128, 95, "Runtime.ExitError")


def records(initialization_type: str = "on-demand") -> PlatformRecords:
    arn = "arn:aws:lambda:us-east-1:000000000000:function:F"
    return PlatformRecords("F", arn, "7", "us-east-1", "python:3.13.v60", initialization_type, "stream", 128)


def told(*events: ev.Event, by: PlatformRecords | None = None) -> list[PlatformRecord]:
    """The records that follow events at 1.7e9 s and each a quarter of a second after the one before."""
    by = by or records()
    return [each for n, event in enumerate(events) for each in by.after(1_700_000_000 + n / 4, event)]


def names(given: list[PlatformRecord]) -> list[str]:
    return [f"{each.type.removeprefix('platform.')} {each.record.get('status', '-')} {each.level}" for each in given]


class TestPlatformRecords:
    def test_a_cold_invocation_to_the_letter(self) -> None:
        start, done, report, started, runtime_done, end = told(INIT, INITIALISED, STARTED, ANSWERED, FINISHED)
        assert re.sub("[0-9a-f]{64}", "DIGEST", start.to_line()) == (
            '{"time":"2023-11-14T22:13:20.000Z","type":"platform.initStart","record":{"initializationType":"on-demand",'
            '"phase":"init","runtimeVersion":"python:3.13.v60",'
            '"runtimeVersionArn":"arn:aws:lambda:us-east-1::runtime:DIGEST","functionName":"F","functionVersion":"7",'
            '"instanceId":"stream","instanceMaxMemory":134217728}}'
        )
        assert done.to_line() == (
            '{"time":"2023-11-14T22:13:20.250Z","type":"platform.initRuntimeDone","record":'
            '{"initializationType":"on-demand","phase":"init","status":"success"}}'
        )
        assert report.to_line() == (
            '{"time":"2023-11-14T22:13:20.250Z","type":"platform.initReport","record":'
            '{"initializationType":"on-demand","phase":"init","status":"success","metrics":{"durationMs":413.614}}}'
        )
        assert started.to_line() == (
            '{"time":"2023-11-14T22:13:20.500Z","type":"platform.start","record":{"requestId":"r",'
            '"functionArn":"arn:aws:lambda:us-east-1:000000000000:function:F","version":"7"}}'
        )
        assert runtime_done.to_line() == (
            '{"time":"2023-11-14T22:13:21.000Z","type":"platform.runtimeDone","record":{"requestId":"r",'
            '"status":"success","spans":['
            '{"name":"responseLatency","start":"2023-11-14T22:13:20.500Z","durationMs":250.0},'
            '{"name":"responseDuration","start":"2023-11-14T22:13:20.750Z","durationMs":0.0},'
            '{"name":"runtimeOverhead","start":"2023-11-14T22:13:20.750Z","durationMs":250.0}],'
            '"metrics":{"durationMs":2.464,"producedBytes":4}}}'
        )
        assert end.to_line() == (
            '{"time":"2023-11-14T22:13:21.000Z","type":"platform.report","record":{"requestId":"r","metrics":'
            '{"durationMs":2.464,"billedDurationMs":417,"memorySizeMB":128,"maxMemoryUsedMB":95,'
            '"initDurationMs":413.614},"status":"success"}}'
        )

    def test_the_runtime_may_be_ready_before_the_init_is_over(self) -> None:
        ready = ev.InitPhaseFinished("e", "function", 1.0)
        given = told(INIT, ev.InitPhaseFinished("e", "runtime", 1.0), ready, INITIALISED)
        assert names(given) == ["initStart - INFO", "initRuntimeDone success DEBUG", "initReport success DEBUG"]

    def test_what_fails_is_a_warning(self) -> None:
        failed = ev.InitFinished("e", "init", False, "error", 80.0, "Runtime.ImportModuleError")
        given = told(INIT, failed, STARTED, ev.InvocationAnswered("r", "timed_out", "{}", "Unhandled"), TIMED_OUT)
        assert names(given) == [
            "initStart - INFO",
            "initRuntimeDone error WARN",
            "initReport error WARN",
            "start - INFO",
            "runtimeDone timeout WARN",
            "report timeout WARN",
        ]
        assert [each.record.get("errorType") for each in given[1:3]] == ["Runtime.ImportModuleError"] * 2
        assert given[4].record["metrics"] == {"durationMs": 3000.0, "producedBytes": 0}
        assert "spans" not in given[4].record
        runtime_done, report = told(STARTED, EXITED)[1:]
        assert runtime_done.record["errorType"] == report.record["errorType"] == "Runtime.ExitError"

    def test_an_exception_in_the_handler_is_no_failure_of_the_platform(self) -> None:
        failed = ev.InvocationFinished("r", "e", "failed", 2.0, 2, None, 128, 95, None)
        given = told(STARTED, ev.InvocationAnswered("r", "failed", "{}", "Unhandled"), failed)
        assert names(given)[1:] == ["runtimeDone success DEBUG", "report success INFO"]

    def test_a_suppressed_init_is_for_subscribers_only_and_start_follows_it(self) -> None:
        begun, over = ev.InitStarted("e", "invoke", True, "r"), ev.InitFinished("e", "invoke", True, "success", 5, None)
        given = told(begun, STARTED, over, ANSWERED, FINISHED)
        assert [(each.type.removeprefix("platform."), each.logged) for each in given] == [
            ("initStart", False),
            ("initRuntimeDone", False),
            ("initReport", False),
            ("start", True),
            ("runtimeDone", True),
            ("report", True),
        ]
        assert [each.record["phase"] for each in given[:3]] == ["invoke"] * 3

    def test_an_init_ahead_of_invocations_is_worth_a_report(self) -> None:
        assert names(told(INIT, INITIALISED, by=records("provisioned-concurrency")))[-1] == "initReport success INFO"


class TestLevels:
    @pytest.mark.parametrize(
        ("level", "types"),
        [
            ("DEBUG", ["initStart", "initRuntimeDone", "initReport", "start", "runtimeDone", "report"]),
            ("INFO", ["initStart", "start", "report"]),
            (None, ["initStart", "start", "report"]),
            ("WARN", []),
        ],
    )
    def test_of_the_system(self, level: str | None, types: list[str]) -> None:
        log = EnvironmentLog("current", LoggingConfig("JSON", system_log_level=level), records())
        events = (INIT, INITIALISED, STARTED, ANSWERED, FINISHED)
        lines = [line for event in events for line in log.after(0.0, event)]
        assert [json.loads(line)["type"].removeprefix("platform.") for line in lines] == types

    @pytest.mark.parametrize(
        ("line", "level"),
        [
            (Line("said", "TRACE"), "TRACE"),
            (Line('{"level":"ERROR","timestamp":"2024-11-02T16:51:31Z"}', "DEBUG"), "DEBUG"),
            (Line("printed"), "INFO"),
            (Line('{"level": "debug", "timestamp": "2024-11-02T16:51:31.587199Z"}'), "DEBUG"),
            (Line('{"level": "warning", "time": "2024-11-02T16:51:31Z"}'), "WARN"),
            (Line('{"level": "CRITICAL", "timestamp": "2024-11-02T16:51:31+02:00"}'), "FATAL"),
            (Line('{"level": "error", "msg": "no time"}'), "INFO"),
            (Line('{"level": "error", "timestamp": "yesterday"}'), "INFO"),
            (Line('{"level": "error", "timestamp": 1730566291}'), "INFO"),
            (Line('{"level": "loud", "timestamp": "2024-11-02T16:51:31Z"}'), "INFO"),
            (Line('{"level": 40, "timestamp": "2024-11-02T16:51:31Z"}'), "INFO"),
            (Line('{"level": "error"'), "INFO"),
            (Line("{" * 5), "INFO"),
        ],
        ids=lambda value: value.text[:30] if isinstance(value, Line) else value,
    )
    def test_of_the_function(self, line: Line, level: str) -> None:
        levels = ["TRACE", "DEBUG", "INFO", "WARN", "ERROR", "FATAL"]
        logs = [EnvironmentLog("current", LoggingConfig("JSON", lowest), records()) for lowest in levels]
        passed = [bool(log.of_function([line])) for log in logs]
        assert passed == [levels.index(lowest) <= levels.index(level) for lowest in levels]

    def test_the_text_format_has_none(self) -> None:
        log = EnvironmentLog("current", LoggingConfig(), records())
        assert log.of_function([Line("quiet", "TRACE"), Line("x")]) == ("quiet", "x")


class TestConfiguration:
    @pytest.mark.parametrize(
        ("keys", "message"),
        [
            ({"log_format": "json"}, "Value 'json' at 'loggingConfig.logFormat' failed to satisfy constraint: Member "),
            (
                {"log_format": "JSON", "application_log_level": "LOUD"},
                "'loggingConfig.applicationLogLevel' failed to satisfy constraint: Member must satisfy enum value set: "
                "[TRACE, DEBUG, INFO, WARN, ERROR, FATAL]",
            ),
            (
                {"log_format": "JSON", "system_log_level": "ERROR"},
                "Member must satisfy enum value set: [DEBUG, INFO, WARN]",
            ),
            ({"application_log_level": "INFO"}, 'LogLevel is not supported when LogFormat is set to "Text". Remove '),
            ({"log_group": "a group"}, "'loggingConfig.logGroup' failed to satisfy constraint: Member must satisfy"),
            ({"log_group": "aws/mine"}, "Log groups starting with AWS/ are reserved for AWS."),
            ({"log_group": 5}, "'logging_config' must be a mapping of names to texts, not {"),
            ({"loggroup": "x"}, "Unknown parameter in input: 'loggroup'"),
        ],
    )
    def test_refusals(self, keys: dict[str, Any], message: str) -> None:
        with pytest.raises(InvalidParameter, match=re.escape(message)):
            Configuration("app.handler").updated({"logging_config": keys})

    def test_names(self) -> None:
        own, shared = LoggingConfig(), LoggingConfig(log_group="/all/of/us")
        assert group_name("F", own) == "/aws/lambda/F"
        assert group_name("F", shared) == "/all/of/us"
        assert stream_name("F", own, "$LATEST", 1_700_000_000.0, "a" * 32) == f"2023/11/14/[$LATEST]{'a' * 32}"
        assert stream_name("F", shared, "3", 1_700_000_000.0, "a" * 32) == f"2023/11/14/F[3]{'a' * 32}"


SPEAKER = """
    import logging, os
    def handler(event, context):
        print("printed")
        for level in ("debug", "info", "warning", "error"):
            getattr(logging.getLogger("app"), level)("%s", level)
        if event.get("boom"):
            raise ValueError("boom")
        return {name: os.environ.get(f"AWS_LAMBDA_LOG_{name}") for name in ("FORMAT", "LEVEL", "GROUP_NAME")}
"""


async def test_json_logs_of_a_python_function(laboratory: Laboratory) -> None:
    config = LoggingConfig("JSON", application_log_level="WARN", system_log_level="DEBUG")
    await laboratory.create(SPEAKER, logging_config=config)
    invocation = await laboratory.invoke('{"boom": true}')
    lines = [json.loads(line) for line in laboratory.lines(invocation)]
    assert [line.get("type") or line.get("message") or line["errorType"] for line in lines] == [
        "platform.initStart",
        "platform.initRuntimeDone",
        "platform.initReport",
        "platform.start",
        "warning",
        "error",
        "ValueError",
        "platform.runtimeDone",
        "platform.report",
    ]
    assert lines[4].keys() == {"timestamp", "level", "message", "logger", "requestId"}
    assert lines[6].keys() == {"timestamp", "level", "errorMessage", "errorType", "requestId", "stackTrace"}
    assert {line["requestId"] for line in lines[4:7]} == {invocation.request_id}
    assert lines[0]["record"]["instanceId"] == invocation.log_stream
    assert lines[2]["record"]["metrics"]["durationMs"] == invocation.init_duration_ms
    assert lines[8]["record"]["metrics"]["durationMs"] == invocation.duration_ms
    spans = lines[7]["record"]["spans"]
    assert [span["name"] for span in spans] == ["responseLatency", "responseDuration", "runtimeOverhead"]
    assert all(span["durationMs"] >= 0 for span in spans)


async def test_by_default_json_logs_have_what_is_info_and_what_is_printed(laboratory: Laboratory) -> None:
    await laboratory.create(SPEAKER, logging_config=JSON)
    invocation = await laboratory.invoke()
    assert json.loads(invocation.payload or "") == {"FORMAT": "JSON", "LEVEL": "INFO", "GROUP_NAME": "/aws/lambda/F"}
    _, start, printed, *said, report = laboratory.lines(invocation)
    assert printed == "printed"
    assert [json.loads(line)["level"] for line in said] == ["INFO", "WARNING", "ERROR"]
    assert [json.loads(line)["type"] for line in (start, report)] == ["platform.start", "platform.report"]


async def test_a_timeout_in_json(open_laboratory: Opener) -> None:
    laboratory = await open_laboratory(log_dialect="classic")
    await laboratory.create(
        "import time\ndef handler(event, context):\n    time.sleep(9)", timeout=1, logging_config=JSON
    )
    invocation = await laboratory.invoke()
    *_, runtime_done, report = map(json.loads, laboratory.lines(invocation))
    assert runtime_done["record"] == {
        "requestId": invocation.request_id,
        "status": "timeout",
        "metrics": {"durationMs": invocation.duration_ms, "producedBytes": 0},
    }
    assert (report["type"], report["record"]["status"]) == ("platform.report", "timeout")


async def test_functions_that_share_a_log_group(laboratory: Laboratory) -> None:
    config = LoggingConfig(log_group="/all/of/us")
    for name in ("F", "G"):
        await laboratory.create(SPEAKER, name, logging_config=config)
        invocation = await laboratory.invoke(function=name)
        assert invocation.log_group == "/all/of/us"
        assert re.fullmatch(rf"\d{{4}}/\d\d/\d\d/{name}\[\$LATEST\][0-9a-f]{{32}}", invocation.log_stream or "")
        assert json.loads(invocation.payload or "") == {"FORMAT": None, "LEVEL": None, "GROUP_NAME": "/all/of/us"}


async def test_the_format_can_be_changed(laboratory: Laboratory) -> None:
    await laboratory.create(SPEAKER)
    assert laboratory.lines(await laboratory.invoke())[0].startswith("INIT_START")
    await laboratory.service.update("F", {"logging_config": {"log_format": "JSON"}})
    assert json.loads(laboratory.lines(await laboratory.invoke())[0])["type"] == "platform.initStart"
