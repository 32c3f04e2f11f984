from __future__ import annotations

from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lambdatui import events as ev
from lambdatui.events import Json
from lambdatui.experiment.expectations import Before, Seen, checks, contains
from lambdatui.experiment.runner import Runner
from lambdatui.experiment.schema import Expect, ExperimentFile
from lambdatui.lab import Lab
from tests.experiment.fake import FakeTarget

ERROR: Json = {"errorType": "Sandbox.Timedout", "errorMessage": "RequestId: 1 Error: Task timed out after 3.00 seconds"}


def answer(event: Json) -> tuple[str, Json]:
    """One event fails, one is throttled."""
    if event == "fail":
        return "timed_out", ERROR
    return ("throttled", None) if event == "throttle" else ("succeeded", {"count": 3, "list": [{"a": 1, "b": 2}]})


@pytest.mark.parametrize(
    ("event", "expectation", "actual", "passed"),
    [
        ("go", "status: succeeded", "succeeded", True),
        ("fail", "status: succeeded", "timed_out", False),
        ("go", "status: {succeeded: 2}", {"succeeded": 2}, True),
        ("throttle", "status: {succeeded: 1, throttled: 1}", {"throttled": 2}, False),
        ("go", "cold_starts: 1", 1, True),
        ("throttle", "cold_starts: 1", 0, False),
        ("go", "new_environments: 2", 1, False),
        ("go", "log_streams: 1", 1, True),
        ("throttle", "log_streams: 0", 0, True),
        ("go", "log: START RequestId", "START RequestId: request-1 Version: $LATEST", True),
        ("go", "log: ^INIT_START", "INIT_START Runtime Version: python:3.11", True),
        ("go", "log: nothing", None, False),
        ("go", "no_log: nothing", None, True),
        ("go", "no_log: END", "END RequestId: request-1", False),
        ("go", "duration_ms: {min: 12, max: 13}", 12.5, True),
        ("go", "duration_ms: {max: 12}", 12.5, False),
        ("go", "billed_duration_ms: {min: 13}", 13, True),
        ("throttle", "duration_ms: {min: 0}", None, False),
        ("go", "payload: {list: [{a: 1}]}", {"count": 3, "list": [{"a": 1, "b": 2}]}, True),
        ("throttle", "payload: Rate", "Rate Exceeded.", False),
        ("fail", "error_type: Sandbox.Timedout", "Sandbox.Timedout", True),
        ("go", "error_type: Sandbox.Timedout", None, False),
        ("fail", r"error_message: after 3\.00", "RequestId: 1 Error: Task timed out after 3.00 seconds", True),
        ("go", "error_message: x", None, False),
    ],
)
async def test_an_expectation(
    experiment: Callable[[str], ExperimentFile], event: str, expectation: str, actual: Json, passed: bool
) -> None:
    steps = f"  - {{name: s, invoke: {{event: {event}, times: 2}}, expect: {{{expectation}}}}}\n"
    runner = Runner(experiment(steps), FakeTarget(answer))
    await runner.open()
    assert await runner.run_all() is passed
    assert runner.lab.experiment
    (check,) = runner.lab.experiment.steps[0].checks
    assert (check["expect"], check["actual"], check["passed"]) == (expectation.split(":")[0], actual, passed)


@pytest.mark.parametrize(
    ("event", "expectation", "shown_by"),
    [
        ("go", "status: succeeded", ("request-3", None)),
        ("fail", "status: succeeded", ("request-1", None)),
        ("go", "cold_starts: 1", ("request-1", None)),
        ("go", "new_environments: 1", ("request-1", None)),
        ("go", "log: ^START", ("request-1", "START RequestId: request-1 Version: $LATEST")),
        ("go", "log: INIT_START", (None, "INIT_START Runtime Version: python:3.11")),
        ("go", "log: nothing", None),
        ("go", "no_log: END", ("request-1", "END RequestId: request-1")),
        ("go", "duration_ms: {max: 12}", ("request-1", None)),
        ("fail", "error_type: Sandbox.Timedout", ("request-3", None)),
    ],
)
async def test_what_shows_it(
    experiment: Callable[[str], ExperimentFile],
    event: str,
    expectation: str,
    shown_by: tuple[str | None, str | None] | None,
) -> None:
    steps = f"  - {{name: s, invoke: {{event: {event}, times: 2}}, expect: {{{expectation}}}}}\n"
    runner = Runner(experiment(steps), FakeTarget(answer))
    await runner.open()
    await runner.run_all()
    assert runner.lab.experiment
    (evidence,) = runner.lab.experiment.steps[0].evidence
    assert (evidence and (evidence["request_id"], evidence.get("line"))) == shown_by


def an_event_in_three_attempts() -> Lab:
    """The first is a cold start and fails, the second is throttled, and succeeds in an environment of its own."""
    events: list[ev.Event] = [
        ev.InvocationAccepted("1", "F", "$LATEST", "Event", "{}", 0),
        ev.EventQueued("1", "accepted", 0.0),
    ]
    for attempt, environment, status in ((1, "a", "failed"), (2, None, ""), (2, "b", "succeeded")):
        events.append(ev.AttemptStarted("1", attempt))
        if environment is None:
            events.append(ev.EventQueued("1", "throttled", 1.0, "ConcurrentInvocationLimitExceeded"))
            continue
        events += [
            ev.EnvironmentCreated(environment, "F", "$LATEST", 1, "", "g", f"stream {environment}", ""),
            ev.InvocationPlaced("1", environment, True),
            ev.LogWritten(environment, "g", f"stream {environment}", "1", True, (f"line {environment}",)),
            ev.InvocationAnswered("1", status, f'"{environment}"', None if status == "succeeded" else "Unhandled"),
            ev.InvocationFinished("1", environment, status, 10.0 * attempt, 10, None, 128, 40, None),
        ]
        if status == "failed":
            events.append(ev.EventQueued("1", "function error", 60.0))
    events += [
        ev.EventConcluded("1", "Success", 2),
        ev.EventForwarded("1", "on_success", "function:G", "{}"),
        ev.EventForwarded("1", "dead_letter", "file:x", "{}", "the disk is full"),
    ]
    lab = Lab()
    for number, event in enumerate(events):
        lab.apply(ev.Record(number, float(number), event))
    return lab


@pytest.mark.parametrize(
    ("expectation", "actual", "passed"),
    [
        ({"status": {"each": "succeeded"}}, "succeeded", True),
        ({"attempts": 2}, 2, True),
        ({"attempts": 3}, 2, False),
        ({"cold_starts": 2}, 2, True),
        ({"log_streams": 2}, 2, True),
        ({"log": ["line a"]}, "line a", True),
        ({"log": ["line b"]}, "line b", True),
        ({"duration_ms": {"min": 10.0, "max": 20.0}}, {"min": 10.0, "max": 20.0}, True),
        ({"payload": "b"}, "b", True),
        ({"destinations": {"on_success": 1}}, {"on_success": 1}, True),
        ({"destinations": {"on_failure": 1}}, {"on_success": 1, "on_failure": 0}, False),
        ({"destinations": {"on_success": 1, "dead_letter": 1}}, {"on_success": 1, "dead_letter": 0}, False),
    ],
)
def test_an_expectation_of_an_asynchronous_invocation(expectation: dict[str, Json], actual: Json, passed: bool) -> None:
    lab = an_event_in_three_attempts()
    (check,) = checks(Expect.model_validate(expectation), Seen(lab, 0, Before()))
    assert (check.actual, check.passed) == (actual, passed)
    assert [event.text for event in lab.logs_of("1")] == ["line a", "line b"]
    assert lab.invocations["1"].done


async def test_only_what_the_step_itself_showed_counts(experiment: Callable[[str], ExperimentFile]) -> None:
    target = FakeTarget()
    steps = "  - {name: a, invoke: {}}\n  - {name: b, invoke: {}, expect: {no_log: [INIT_START, request-1]}}\n"
    runner = Runner(experiment(steps), target)
    await runner.open()
    await runner.step()
    await target.invoke("F", '"by hand"', step=None)
    assert await runner.run_all()


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=3),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=2), inner, max_size=3),
    max_leaves=8,
)


@given(JSON)
def test_everything_contains_itself(value: Json) -> None:
    assert contains(value, value)


@given(st.dictionaries(st.text(max_size=2), JSON), st.text(max_size=2), JSON)
def test_a_mapping_contains_less_of_itself(value: dict[str, Json], key: str, more: Json) -> None:
    assert contains({**value, key: more}, {each: value[each] for each in value if each != key})
    assert not contains({each: value[each] for each in value if each != key}, {key: more})


@pytest.mark.parametrize(("actual", "expected"), [(1, True), (True, 1), ([1, 2], [1]), ("1", 1), ({}, []), (None, {})])
def test_what_is_not_the_same(actual: Json, expected: Json) -> None:
    assert not contains(actual, expected)
