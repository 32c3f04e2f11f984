"""What a run showed, for machines: a JSON report, whose shape is published, and JUnit XML for CI."""

from __future__ import annotations

import re
from xml.etree import ElementTree

from pydantic import BaseModel, ConfigDict, JsonValue

from lambdatui.events import Json
from lambdatui.lab import Lab


class _Part(BaseModel):
    model_config = ConfigDict(extra="forbid", from_attributes=True)


class CheckReport(_Part):
    expect: str
    expected: JsonValue
    actual: JsonValue
    passed: bool


class StepReport(_Part):
    name: str
    passed: bool
    error: str | None
    """One sentence, where the step could not be carried out."""
    duration_ms: float | None
    """From its start until its end."""
    checks: list[CheckReport]


class InvocationReport(_Part):
    request_id: str
    step: int | None
    """From 0."""
    function: str
    version: str
    status: str
    environment: str | None
    log_group: str | None
    log_stream: str | None
    cold_start: bool | None
    duration_ms: float | None
    billed_duration_ms: int | None
    init_duration_ms: float | None
    max_memory_used_mb: int | None
    payload: str | None
    """The body the caller got, as text; of a streamed response that broke off, the part that was sent."""
    function_error: str | None
    attempt: int
    """Of an asynchronous invocation, the number of the last attempt, which all of this is about."""
    condition: str | None
    """How an asynchronous invocation ended, in the words of destination records: Success, RetriesExhausted..."""
    first_byte_ms: float | None
    """From the start to the first byte of a streamed response."""
    error_code: str | None
    """The type of the error that broke it off."""


class EnvironmentReport(_Part):
    id: str
    function: str
    log_stream: str
    state: str
    invocations: int
    created_because: str
    ended_because: str | None


class Report(_Part):
    """Values that do not exist are null, never absent."""

    experiment: str
    passed: bool
    target: str
    steps: list[StepReport]
    invocations: list[InvocationReport]
    environments: list[EnvironmentReport]
    logs: dict[str, dict[str, list[str]]]
    """Log group, log stream, lines."""


def report(lab: Lab, target: str) -> Report:
    """Of the experiment that is open in `lab`."""
    assert lab.experiment, "there is an experiment to report on"
    logs: dict[str, dict[str, list[str]]] = {}
    for stream in lab.streams:
        logs.setdefault(stream.group, {})[stream.name] = [event.text for event in stream.events]
    return Report(
        experiment=lab.experiment.title,
        passed=lab.experiment.passed is True,
        target=target,
        steps=[
            StepReport(
                name=step.name,
                passed=step.state == "passed",
                error=step.error,
                duration_ms=step.duration_ms,
                checks=[CheckReport.model_validate(check) for check in step.checks],
            )
            for step in lab.experiment.steps
        ],
        invocations=[InvocationReport.model_validate(each) for each in lab.invocations.values()],
        environments=[EnvironmentReport.model_validate(each) for each in lab.environments.values()],
        logs=logs,
    )


def report_schema() -> dict[str, Json]:
    """JSON Schema of the report."""
    schema: dict[str, Json] = Report.model_json_schema()
    return {"$schema": "https://json-schema.org/draft/2020-12/schema", **schema, "title": "lambdatui report"}


def junit(of: Report) -> str:
    """One test case for each step."""
    failed = [step for step in of.steps if not step.passed and not step.error]
    broken = [step for step in of.steps if step.error]
    suite = ElementTree.Element(
        "testsuite",
        name=_xml(of.experiment),
        tests=str(len(of.steps)),
        failures=str(len(failed)),
        errors=str(len(broken)),
    )
    for step in of.steps:
        seconds = (step.duration_ms or 0.0) / 1000
        case = ElementTree.SubElement(
            suite, "testcase", classname=_xml(of.experiment), name=_xml(step.name), time=f"{seconds:.3f}"
        )
        if step.error:
            ElementTree.SubElement(case, "error", message=_xml(step.error))
        for check in step.checks:
            if not check.passed:
                message = f"{check.expect}: expected {check.expected!r}, observed {check.actual!r}"
                ElementTree.SubElement(case, "failure", message=_xml(message))
    return '<?xml version="1.0" encoding="UTF-8"?>\n' + ElementTree.tostring(suite, encoding="unicode") + "\n"


def _xml(text: str) -> str:
    """Without the characters that XML 1.0 cannot have in it, however they are written."""
    return re.sub("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]", "\ufffd", text)
