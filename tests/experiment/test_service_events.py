from __future__ import annotations

import base64
import gzip
import hashlib
import json
from collections.abc import Callable
from pathlib import Path

import pytest

from lambdatui.events import Json
from lambdatui.experiment import service_events
from lambdatui.experiment.loader import BadExperiment
from lambdatui.experiment.runner import Runner
from lambdatui.experiment.schema import ExperimentFile
from lambdatui.experiment.service_events import SERVICE_EVENTS, laid_over, service_event
from tests.experiment.fake import FakeTarget

Load = Callable[[str], ExperimentFile]


def test_every_event_has_a_file_and_every_file_a_name() -> None:
    files = {path.stem for path in Path(service_events.__file__).parent.glob("*.json")}
    assert files == set(SERVICE_EVENTS)
    assert all(isinstance(service_event(name), dict) for name in SERVICE_EVENTS)


def test_what_is_encoded_in_them_is_sound() -> None:
    sqs: Json = service_event("sqs")["Records"][0]  # type: ignore[index, call-overload]
    assert isinstance(sqs, dict) and isinstance(sqs["body"], str)
    assert sqs["md5OfBody"] == hashlib.md5(sqs["body"].encode()).hexdigest()
    logs = service_event("cloudwatch-logs")["awslogs"]["data"]  # type: ignore[index, call-overload]
    assert json.loads(gzip.decompress(base64.b64decode(str(logs))))["messageType"] == "DATA_MESSAGE"


@pytest.mark.parametrize(
    ("event", "base", "result"),
    [
        ({}, {"a": 1}, {"a": 1}),
        ({"a": {"b": 2}}, {"a": {"b": 1, "c": 1}}, {"a": {"b": 2, "c": 1}}),
        ({"a": None}, {"a": {"b": 1}}, {"a": None}),
        ({"r": [{"b": 1}, {"b": 2}]}, {"r": [{"a": 0, "b": 0}]}, {"r": [{"a": 0, "b": 1}, {"a": 0, "b": 2}]}),
        ({"r": [{"b": 1}]}, {"r": [{"b": 0}, {"b": 0}]}, {"r": [{"b": 1}]}),
        ({"r": []}, {"r": [1]}, {"r": []}),
        ("x", {"a": 1}, "x"),
    ],
)
def test_an_event_is_laid_over_another(event: Json, base: Json, result: Json) -> None:
    assert laid_over(event, base) == result


async def test_a_step_can_name_one(experiment: Load) -> None:
    seen: list[Json] = []
    target = FakeTarget(lambda event: (seen.append(event), ("succeeded", event))[1])  # type: ignore[func-returns-value]
    steps = "  - {name: s, invoke: {service_event: sqs, event: {Records: [{body: one}, {body: two}]}}}\n"
    runner = Runner(experiment(steps), target)
    await runner.open()
    await runner.run_all()
    (event,) = seen
    assert isinstance(event, dict) and isinstance(event["Records"], list)
    assert [record["body"] for record in event["Records"] if isinstance(record, dict)] == ["one", "two"]
    assert all(isinstance(record, dict) and record["eventSource"] == "aws:sqs" for record in event["Records"])
    (step,) = runner.lab.experiment.steps if runner.lab.experiment else []
    assert step.action.startswith('invoke F once with the event sqs and {"Records": [{"body": "one"}')


def test_a_misspelt_one(experiment: Load) -> None:
    with pytest.raises(BadExperiment, match="there is no event 's3put'; did you mean 's3-put'"):
        experiment("  - {name: s, invoke: {service_event: s3put}}\n")
