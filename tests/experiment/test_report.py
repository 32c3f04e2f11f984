from __future__ import annotations

import json
from collections.abc import Callable
from xml.etree import ElementTree

from lambdatui.events import Json
from lambdatui.experiment.report import Report, junit, report, report_schema
from lambdatui.experiment.runner import Runner
from lambdatui.experiment.schema import ExperimentFile
from tests.experiment.fake import FakeTarget

STEPS = """\
  - {name: good, invoke: {}, expect: {cold_starts: 1}}
  - {name: bad, invoke: {event: "\\e[31m"}, expect: {payload: x}}
  - {name: broken, update: {timeout: 0}}
  - {name: throttled, invoke: {event: throttle}}
"""


def answer(event: Json) -> tuple[str, Json]:
    return ("throttled", None) if event == "throttle" else ("succeeded", event)


async def reported(experiment: ExperimentFile) -> Report:
    runner = Runner(experiment, FakeTarget(answer))
    await runner.open()
    await runner.run_all()
    return report(runner.lab, "local")


async def test_the_report(experiment: Callable[[str], ExperimentFile]) -> None:
    result = json.loads((await reported(experiment(STEPS))).model_dump_json())
    assert (result["experiment"], result["passed"], result["target"]) == ("An experiment", False, "local")
    assert [(step["name"], step["passed"]) for step in result["steps"]] == [
        ("good", True),
        ("bad", False),
        ("broken", False),
        ("throttled", True),
    ]
    assert result["steps"][0]["checks"] == [{"expect": "cold_starts", "expected": 1, "actual": 1, "passed": True}]
    assert result["steps"][2]["error"].startswith("The update was refused")
    environment = result["environments"][0]
    stream = environment["log_stream"]
    assert result["invocations"][0] == {
        "request_id": "request-1",
        "step": 0,
        "function": "F",
        "version": "$LATEST",
        "status": "succeeded",
        "environment": environment["id"],
        "log_group": "/aws/lambda/F",
        "log_stream": stream,
        "cold_start": True,
        "duration_ms": 12.5,
        "billed_duration_ms": 13,
        "init_duration_ms": 50.0,
        "max_memory_used_mb": 40,
        "payload": "{}",
        "function_error": None,
        "attempt": 1,
        "condition": None,
        "first_byte_ms": None,
        "error_code": None,
    }
    throttled = result["invocations"][2]
    assert (throttled["status"], throttled["environment"], throttled["duration_ms"]) == ("throttled", None, None)
    assert environment["created_because"] == "none was idle" and environment["invocations"] == 2
    assert result["logs"]["/aws/lambda/F"][stream][0] == "INIT_START Runtime Version: python:3.11"


def test_the_published_shape() -> None:
    """Consumers rely on these keys; take none away."""
    schema = report_schema()
    definitions = schema["$defs"]
    assert isinstance(definitions, dict)
    shape = {"Report": schema, **definitions}
    keys = {name: part["required"] for name, part in shape.items() if isinstance(part, dict) and "required" in part}
    assert keys == {
        "Report": ["experiment", "passed", "target", "steps", "invocations", "environments", "logs"],
        "StepReport": ["name", "passed", "error", "duration_ms", "checks"],
        "CheckReport": ["expect", "expected", "actual", "passed"],
        "InvocationReport": [
            *("request_id", "step", "function", "version", "status", "environment", "log_group", "log_stream"),
            *("cold_start", "duration_ms", "billed_duration_ms", "init_duration_ms", "max_memory_used_mb"),
            *("payload", "function_error", "attempt", "condition", "first_byte_ms", "error_code"),
        ],
        "EnvironmentReport": [
            *("id", "function", "log_stream", "state", "invocations", "created_because", "ended_because"),
        ],
    }


async def test_junit(experiment: Callable[[str], ExperimentFile]) -> None:
    suite = ElementTree.fromstring(junit(await reported(experiment(STEPS))))
    assert (suite.get("tests"), suite.get("failures"), suite.get("errors")) == ("4", "1", "1")
    assert [[problem.tag for problem in case] for case in suite] == [[], ["failure"], ["error"], []]
    assert suite[1][0].get("message") == "payload: expected 'x', observed '\\x1b[31m'"
    # The clock of the fake ticks a second with each event.
    assert [case.get("time") for case in suite] == ["10.000", "8.000", "2.000", "3.000"]
