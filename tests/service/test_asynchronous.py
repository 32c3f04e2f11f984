"""Asynchronous invocation with real functions; a minute of the service passes in a tenth of a second."""

from __future__ import annotations

import asyncio
import json
import re
import subprocess
import sys
import time
from pathlib import Path

import pytest

from lambdatui import events as ev
from lambdatui.events import Json
from lambdatui.journal import Journal
from lambdatui.lab import Invocation
from lambdatui.refusal import InvalidParameter, RequestTooLarge, ValidationFailed
from lambdatui.role import LAMBDA, trusting
from lambdatui.service.event_queue import EventQueue, QueuedEvent
from lambdatui.service.permissions import Grant
from lambdatui.service.retries import Course
from lambdatui.service.service import Settings, open_service
from tests.service.conftest import Laboratory, Opener

FAILS = "def handler(event, context):\n    print('try', context.aws_request_id)\n    raise ValueError('boom')"
ECHO = "def handler(event, context):\n    return event"


@pytest.fixture
async def slower(open_laboratory: Opener) -> Laboratory:
    """Where a minute is long enough for a busy machine to begin with an event before it is a minute old."""
    laboratory = await open_laboratory(time_scale=100.0)
    assert isinstance(laboratory, Laboratory)
    return laboratory


@pytest.fixture
async def fast(open_laboratory: Opener) -> Laboratory:
    laboratory = await open_laboratory(time_scale=600.0)
    assert isinstance(laboratory, Laboratory)
    return laboratory


async def leave(laboratory: Laboratory, payload: str = "{}", function: str = "F") -> Invocation:
    """An event, seen through to its end."""
    request_id = await laboratory.service.invoke(function, payload, invocation_type="Event")
    await laboratory.service.settled()
    return laboratory.lab.invocations[request_id]


def of_kind(laboratory: Laboratory, kind: type[ev.Event]) -> list[ev.Event]:
    return [record.event for record in laboratory.service.journal.records if isinstance(record.event, kind)]


async def test_the_caller_gets_nothing_but_that_it_was_accepted(fast: Laboratory) -> None:
    await fast.create(ECHO)
    request_id = await fast.service.invoke("F", '{"a": 1}', invocation_type="Event")
    invocation = fast.lab.invocations[request_id]
    assert (invocation.status, invocation.environment, invocation.done) == ("pending", None, False)
    await fast.service.settled()
    assert (invocation.status, invocation.payload, invocation.condition) == ("succeeded", '{"a": 1}', "Success")
    assert invocation.done


async def test_a_function_that_fails_is_tried_three_times_with_one_request_id(fast: Laboratory) -> None:
    await fast.create(FAILS)
    invocation = await leave(fast)
    assert [each.status for each in invocation.attempts] == ["failed"] * 3
    assert [each.cold_start for each in invocation.attempts] == [True, False, False]
    assert (invocation.condition, invocation.attempt) == ("RetriesExhausted", 3)
    lines = [event.text for event in fast.lab.logs_of(invocation.request_id)]
    assert [line for line in lines if line.startswith("try")] == [f"try {invocation.request_id}"] * 3
    assert sum(line.startswith("REPORT") for line in lines) == 3
    queued = [event for event in of_kind(fast, ev.EventQueued) if isinstance(event, ev.EventQueued)]
    assert [event.because for event in queued] == ["accepted", "function error", "function error"]
    assert [event.delay for event in queued] == pytest.approx([0, 0.1, 0.2], abs=0.05)


async def test_attempts_can_be_in_different_environments(fast: Laboratory) -> None:
    await fast.create(FAILS, maximum_retry_attempts=1)
    request_id = await fast.service.invoke("F", "{}", invocation_type="Event")
    await fast.until(lambda event: isinstance(event, ev.EventQueued) and event.because == "function error")
    await fast.service.edit("F", "app.py", "def handler(event, context):\n    print('mended')\n    return 1")
    await fast.service.settled()
    invocation = fast.lab.invocations[request_id]
    assert [each.status for each in invocation.attempts] == ["failed", "succeeded"]
    assert len({each.log_stream for each in invocation.attempts}) == 2
    lines = [event.text for event in fast.lab.logs_of(request_id)]
    assert lines.index(f"try {request_id}") < lines.index("mended")


async def test_throttled_events_wait_and_are_lost_for_nobody(fast: Laboratory) -> None:
    await fast.create(
        "import time\ndef handler(event, context):\n    time.sleep(0.1)", reserved_concurrent_executions=1
    )
    await asyncio.gather(*(leave(fast) for _ in range(4)))
    assert [(each.status, each.attempt) for each in fast.lab.invocations.values()] == [("succeeded", 1)] * 4
    assert len(fast.lab.environments) == 1
    throttled = [e for e in of_kind(fast, ev.EventQueued) if isinstance(e, ev.EventQueued) and e.reason]
    assert {each.because for each in throttled} == {"throttled"}
    assert {each.reason for each in throttled} == {"ReservedFunctionConcurrentInvocationLimitExceeded"}


async def test_a_throttled_event_can_get_too_old(slower: Laboratory) -> None:
    letters = slower.folder / "letters.jsonl"
    await slower.create(
        "import time\ndef handler(event, context):\n    time.sleep(1)",
        reserved_concurrent_executions=1,
        maximum_event_age_in_seconds=60,
        dead_letter_config={"target_arn": f"file:{letters}"},
    )
    await asyncio.gather(*(leave(slower, json.dumps(number)) for number in range(2)))
    first, second = slower.lab.invocations.values()
    assert (first.condition, second.condition) == ("Success", "EventAgeExceeded")
    assert (second.status, second.environment) == ("throttled", None)
    letter = json.loads(letters.read_text())
    assert letter["Body"] == second.event
    assert letter["MessageAttributes"]["ErrorCode"] == {"Type": "Number", "Value": "429"}


async def test_a_failed_event_can_be_too_old_for_its_retry(slower: Laboratory) -> None:
    await slower.create(FAILS, maximum_event_age_in_seconds=60)
    invocation = await leave(slower)
    assert (invocation.condition, invocation.attempt, invocation.status) == ("EventAgeExceeded", 1, "failed")


async def test_without_concurrency_nothing_is_attempted(fast: Laboratory) -> None:
    records, letters = fast.folder / "records.jsonl", fast.folder / "letters.jsonl"
    await fast.create(
        ECHO,
        reserved_concurrent_executions=0,
        destination_config={"on_failure": {"destination": f"file:{records}"}},
        dead_letter_config={"target_arn": f"file:{letters}"},
    )
    invocation = await leave(fast, '"x"')
    assert (invocation.condition, invocation.status) == ("ZeroReservedConcurrency", "throttled")
    assert not fast.lab.environments and not of_kind(fast, ev.AttemptStarted)
    record = json.loads(records.read_text())
    assert record.keys() == {"version", "timestamp", "requestContext", "requestPayload"}
    assert record["requestContext"]["approximateInvokeCount"] == 0
    assert "zero reserved" in json.loads(letters.read_text())["MessageAttributes"]["ErrorMessage"]["Value"]


async def test_the_records_of_a_failure(fast: Laboratory) -> None:
    records, letters = fast.folder / "records.jsonl", fast.folder / "letters.jsonl"
    await fast.create(
        FAILS,
        maximum_retry_attempts=0,
        destination_config={"on_failure": {"destination": f"file:{records}"}},
        dead_letter_config={"target_arn": f"file:{letters}"},
    )
    invocation = await leave(fast, '{"a": "é"}')
    assert [each.by for each in invocation.forwarded] == ["dead_letter", "on_failure"]
    record = json.loads(records.read_text())
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z", record.pop("timestamp"))
    assert record == {
        "version": "1.0",
        "requestContext": {
            "requestId": invocation.request_id,
            "functionArn": "arn:aws:lambda:us-east-1:000000000000:function:F:$LATEST",
            "condition": "RetriesExhausted",
            "approximateInvokeCount": 1,
        },
        "requestPayload": {"a": "é"},
        "responseContext": {"statusCode": 200, "executedVersion": "$LATEST", "functionError": "Unhandled"},
        "responsePayload": json.loads(invocation.payload or ""),
    }
    assert json.loads(letters.read_text()) == {
        "Body": '{"a": "é"}',
        "MessageAttributes": {
            "RequestID": {"Type": "String", "Value": invocation.request_id},
            "ErrorCode": {"Type": "Number", "Value": "200"},
            "ErrorMessage": {"Type": "String", "Value": "boom"},
        },
    }


@pytest.mark.parametrize("arn", ["function:Next", "arn:aws:lambda:us-east-1:000000000000:function:Next:live"])
async def test_a_success_is_told_to_another_function(fast: Laboratory, arn: str) -> None:
    await fast.create(ECHO, destination_config={"on_success": {"destination": arn}})
    await fast.create(ECHO, "Next")
    await fast.service.publish("Next")
    await fast.service.point_alias("Next", "live", "1", {})
    await leave(fast, "[1, 2]")
    first, second = fast.lab.invocations.values()
    assert (second.function, second.invocation_type, second.status) == ("Next", "Event", "succeeded")
    record = json.loads(second.event)
    assert (record["requestContext"]["condition"], record["responsePayload"]) == ("Success", [1, 2])
    assert record["responseContext"] == {"statusCode": 200, "executedVersion": "$LATEST"}
    assert [(each.by, each.to, each.error) for each in first.forwarded] == [("on_success", arn, None)]
    assert second.version == ("1" if arn.endswith("live") else "$LATEST")
    assert (first.source, second.source) == ("", "destination")


async def test_functions_that_are_each_others_destination_stop_after_sixteen_rounds(fast: Laboratory) -> None:
    letters = fast.folder / "letters.jsonl"
    for name, other in (("F", "G"), ("G", "F")):
        to = {"destination": f"function:{other}"}
        await fast.create(
            "def handler(event, context):\n    pass",
            name,
            destination_config={"on_success": to, "on_failure": to},
            dead_letter_config={"target_arn": f"file:{letters}"},
        )
    await leave(fast)
    conditions = [each.condition for each in fast.lab.invocations.values()]
    assert conditions == ["Success"] * 32 + ["RecursiveInvocation"]
    assert json.loads(letters.read_text())["MessageAttributes"]["ErrorCode"]["Value"] == "400"


@pytest.mark.parametrize(
    ("destination", "error"),
    [
        ("function:Nobody", "Function not found: arn:aws:lambda:us-east-1:000000000000:function:Nobody:$LATEST"),
        ("arn:aws:lambda:eu-west-1:123456789012:function:F", "no way to lambda from this laboratory"),
        ("file:/nowhere/at/all", "/nowhere/at/all cannot be written: No such file or directory"),
    ],
)
async def test_a_destination_that_cannot_be_reached_is_told(fast: Laboratory, destination: str, error: str) -> None:
    await fast.create(ECHO, destination_config={"on_success": {"destination": destination}})
    (told,) = (await leave(fast)).forwarded
    assert told.error and error in told.error


async def test_a_destination_needs_a_permission_of_the_role_that_is_named(fast: Laboratory) -> None:
    await fast.service.create_role("mine", trusting(LAMBDA), {})
    await fast.create(ECHO, "Next")
    await fast.create(ECHO, role="mine", destination_config={"on_success": {"destination": "function:Next"}})
    (told,) = (await leave(fast)).forwarded
    arn = "arn:aws:lambda:us-east-1:000000000000:function:Next"
    assert told.error == f"the role mine does not allow lambda:InvokeFunction on {arn}"
    await fast.service.attach_role_policy("mine", "AWSLambdaRole")
    (told,) = (await leave(fast)).forwarded
    assert told.error is None


async def test_a_function_may_let_in_who_makes_it_a_destination(fast: Laboratory) -> None:
    await fast.service.create_role("mine", trusting(LAMBDA), {})
    await fast.create(ECHO, "Next")
    await fast.create(ECHO, role="mine", destination_config={"on_success": {"destination": "function:Next"}})
    role: Json = {"AWS": "arn:aws:iam::000000000000:role/mine"}
    fast.service.permissions.add("Next", None, Grant("mine", role, "lambda:InvokeFunction", {}))

    (told,) = (await leave(fast)).forwarded

    assert told.error is None


async def test_a_record_too_large_for_a_function_does_not_arrive(fast: Laboratory) -> None:
    await fast.create(
        "def handler(event, context):\n    return 'x' * 2**20",
        destination_config={"on_success": {"destination": "function:G"}},
    )
    await fast.create(ECHO, "G")
    invocation = await leave(fast)
    assert invocation.condition == "Success"
    assert "too large for the Event invocation type" in (invocation.forwarded[0].error or "")
    assert len(fast.lab.invocations) == 1


@pytest.mark.parametrize("start", ["function:", "arn:aws:lambda:us-east-1:000000000000:function:"])
async def test_a_function_cannot_be_its_own_destination(fast: Laboratory, start: str) -> None:
    with pytest.raises(InvalidParameter, match="as a destination for itself"):
        await fast.create(ECHO, destination_config={"on_failure": {"destination": f"{start}F"}})


async def test_an_event_of_an_earlier_laboratory_waits_for_its_version(open_laboratory: Opener, tmp_path: Path) -> None:
    left = EventQueue(tmp_path / "queue.sqlite")
    left.put(QueuedEvent("left-behind", "F", "1", "1", "{}", "", Course(time.time(), time.time())))
    left.close()
    laboratory = await open_laboratory(queue=tmp_path / "queue.sqlite")
    await laboratory.create(ECHO)
    laboratory.service.recover()
    await laboratory.service.publish("F")
    concluded = await laboratory.until(lambda event: isinstance(event, ev.EventConcluded))
    assert concluded == ev.EventConcluded("left-behind", "Success", 1)


async def test_what_is_refused(fast: Laboratory) -> None:
    await fast.create(ECHO)
    size = 2**20 + 1
    message = f"{size} byte payload is too large for the Event invocation type (limit 1048576 bytes)"
    with pytest.raises(RequestTooLarge, match=re.escape(message)):
        await fast.service.invoke("F", f'"{"x" * (size - 2)}"', invocation_type="Event")
    with pytest.raises(ValidationFailed, match="at 'invocationType' failed to satisfy constraint"):
        await fast.service.invoke("F", "{}", invocation_type="event")
    assert not fast.lab.invocations
    assert (await leave(fast, f'"{"x" * (size - 3)}"')).status == "succeeded"


async def test_a_dry_run_runs_nothing(fast: Laboratory) -> None:
    await fast.create(ECHO)
    request_id = await fast.service.invoke("F", "{}", invocation_type="DryRun")
    invocation = fast.lab.invocations[request_id]
    assert (invocation.status, invocation.done, invocation.payload) == ("succeeded", True, "")
    assert not fast.lab.environments


async def test_how_it_is_invoked_changes_without_new_environments(fast: Laboratory) -> None:
    await fast.create(FAILS)
    await leave(fast)
    await fast.service.update("F", {"maximum_retry_attempts": 0})
    invocation = await leave(fast)
    assert (invocation.attempt, invocation.condition) == (1, "RetriesExhausted")
    assert len(fast.lab.environments) == 1
    await fast.service.update("F", {"dead_letter_config": {"target_arn": "file:/nowhere/x"}})
    assert (await leave(fast)).cold_start is True, "which is of the function itself"


async def test_a_clear_forgets_what_is_queued(fast: Laboratory) -> None:
    await fast.create("import time\ndef handler(event, context):\n    time.sleep(60)", timeout=60)
    await fast.service.invoke("F", "{}", invocation_type="Event")
    await fast.until(lambda event: isinstance(event, ev.InvocationStarted))
    await fast.service.clear()
    await fast.service.settled()
    assert not of_kind(fast, ev.EventConcluded)


KILLED = """
import asyncio, sys
from pathlib import Path
from lambdatui import events as ev
from lambdatui.function import Code, Configuration
from lambdatui.events import Json
from lambdatui.journal import Journal
from lambdatui.service.service import Settings, open_service

async def main():
    journal = Journal()
    service = await open_service(Settings(), journal, Path(sys.argv[1]))
    for name in ("F", "Gone"):
        await service.create(name, Configuration("app.handler", timeout=60), Code(source=sys.argv[2], name="app.py"))
    await service.invoke("Gone", '{"sleep": true}', invocation_type="Event")
    failing = await service.invoke("F", '{"fail": true}', invocation_type="Event")
    running = await service.invoke("F", '{"sleep": true}', invocation_type="Event")
    seen = set()
    async for records in journal.follow():
        for record in records:
            if isinstance(record.event, ev.EventQueued | ev.InvocationStarted):
                seen.add((type(record.event).__name__, record.event.request_id))
            if isinstance(record.event, ev.EventQueued) and record.event.because == "function error":
                seen.add("failed")
        if "failed" in seen and ("InvocationStarted", running) in seen:
            print(failing, running, flush=True)

asyncio.run(main())
"""
PATIENT = """
import time
def handler(event, context):
    if event.get("fail"): raise ValueError
    if event.get("sleep"): time.sleep(60)
"""


async def test_what_was_queued_when_the_laboratory_was_killed_is_delivered_by_the_next(tmp_path: Path) -> None:
    path = tmp_path / "queue.sqlite"
    killed = subprocess.Popen([sys.executable, "-c", KILLED, str(path), PATIENT], stdout=subprocess.PIPE)
    assert killed.stdout
    failing, running = (await asyncio.to_thread(killed.stdout.readline)).decode().split()
    killed.kill()
    killed.communicate()

    service = await open_service(Settings(time_scale=600.0), Journal(), path)
    laboratory = Laboratory(service, tmp_path)
    try:
        await laboratory.create(ECHO)
        service.recover()
        await service.settled()
        invocations = laboratory.lab.invocations
        assert invocations.keys() == {failing, running}
        await laboratory.until(lambda event: isinstance(event, ev.InvocationAnswered) and event.request_id == running)
        assert invocations[running].payload == '{"sleep": true}', "it is run again, from the beginning"
        assert invocations[running].attempt == 1
        assert invocations[failing].due_at, "its retry is due a minute after it failed"
        warning = laboratory.lab.notices[0]
        assert warning.level == "warning" and "function:Gone" in warning.message
    finally:
        await service.close()
    assert list(tmp_path.glob("queue*")) == []
