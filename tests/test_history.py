"""Histories tile a life whatever happens; activity and arrivals."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lambdatui import events as ev
from lambdatui import history
from lambdatui.events import Record
from lambdatui.history import Activity, Arrivals, History, Kind, Span
from lambdatui.lab import Lab

ENVIRONMENT = "e"


def finished(request: str, status: str = "succeeded") -> ev.Event:
    return ev.InvocationFinished(request, ENVIRONMENT, status, 1.0, 1, None, 128, 1, None)


def events_of(request: str) -> list[ev.Event]:
    return [
        ev.InvocationPlaced(request, ENVIRONMENT, False),
        ev.InvocationStarted(request, ENVIRONMENT, 0.0),
        finished(request),
        finished(request, "failed"),
        ev.InitStarted(ENVIRONMENT, "invoke", True, request),
        ev.InitFinished(ENVIRONMENT, "invoke", True, "success", 1.0, None),
    ]


ANY_EVENT: list[ev.Event] = [
    *events_of("1"),
    *events_of("2"),
    ev.InitStarted(ENVIRONMENT, "init", False, None),
    ev.InitPhaseFinished(ENVIRONMENT, "extension", 0.0),
    ev.InitPhaseFinished(ENVIRONMENT, "extension", 5.0),
    ev.InitPhaseFinished(ENVIRONMENT, "runtime", 5.0),
    ev.InitPhaseFinished(ENVIRONMENT, "function", 5.0),
    ev.InitFinished(ENVIRONMENT, "init", False, "success", 1.0, None),
    ev.InitFinished(ENVIRONMENT, "init", False, "error", 1.0, "x"),
    ev.EnvironmentFrozen(ENVIRONMENT),
    ev.EnvironmentThawed(ENVIRONMENT),
    ev.EnvironmentShutdown(ENVIRONMENT, "timeout"),
    ev.EnvironmentReset(ENVIRONMENT, "timeout"),
]
STEPS = st.lists(
    st.tuples(st.sampled_from([0.0, 0.0002, 0.01, 3.0, -1.0]), st.sampled_from(ANY_EVENT)), min_size=1, max_size=60
)
"""Events in an order that makes no sense, and a clock that may go back."""


def assert_tiled(spans: Sequence[Span], start: float) -> None:
    assert spans[0].start == start
    assert all(one.end == following.start for one, following in pairwise(spans))
    assert all(span.end is None or span.end >= span.start for span in spans)


@given(STEPS, st.sampled_from([8, history.MAX_SPANS]))
def test_spans_tile_the_life(steps: list[tuple[float, ev.Event]], bound: int) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(history, "MAX_SPANS", bound)
        patch.setattr(history, "_FORGET", bound // 4)
        life, time = History(100.0), 100.0
        for passed, event in steps:
            time += passed
            life.apply(time, event)
            assert_tiled(life.spans, 100.0)
            assert life.end is None and len(life.spans) <= bound
        life.apply(time, ev.EnvironmentEnded(ENVIRONMENT, "idle"))
        assert life.end is not None and not life.active
        ended = list(life.spans)
        life.apply(time + 1, ev.EnvironmentFrozen(ENVIRONMENT))
        assert life.spans == ended
        assert_tiled(ended, 100.0)


@given(STEPS, st.floats(90, 300), st.floats(0, 100))
def test_between_leaves_out_nothing_that_is_there(
    steps: list[tuple[float, ev.Event]], start: float, length: float
) -> None:
    life, time = History(100.0), 100.0
    for passed, event in steps:
        time += passed
        life.apply(time, event)
    there = [each for each in life.spans if each.start <= start + length and (each.end is None or each.end >= start)]
    assert set(there) <= set(life.between(start, start + length))


def played(*events: tuple[float, ev.Event]) -> History:
    life = History(0.0)
    for time, event in events:
        life.apply(time, event)
    return life


def told(life: History) -> list[tuple[str, float, float | None, str | None, str | None]]:
    return [(str(span.kind), span.start, span.end, span.request_id, span.outcome) for span in life.spans]


COLD = (
    (0.1, ev.InvocationPlaced("1", ENVIRONMENT, True)),
    (0.2, ev.InitStarted(ENVIRONMENT, "init", False, None)),
    (0.2, ev.InitPhaseFinished(ENVIRONMENT, "extension", 0.0)),
    (1.2, ev.InitPhaseFinished(ENVIRONMENT, "runtime", 1000.0)),
    (1.7, ev.InitPhaseFinished(ENVIRONMENT, "function", 500.0)),
    (1.7, ev.InitFinished(ENVIRONMENT, "init", False, "success", 1500.0, None)),
    (1.7, ev.InvocationStarted("1", ENVIRONMENT, 5.0)),
)


def test_a_cold_start_and_a_reuse() -> None:
    warm: tuple[tuple[float, ev.Event], ...] = (
        (2.0, finished("1")),
        (2.0003, ev.EnvironmentFrozen(ENVIRONMENT)),
        (9.0, ev.InvocationPlaced("2", ENVIRONMENT, False)),
        (9.0, ev.EnvironmentThawed(ENVIRONMENT)),
        (9.0, ev.InvocationStarted("2", ENVIRONMENT, 12.0)),
    )
    assert told(played(*COLD, *warm)) == [
        ("waiting", 0.0, 0.2, None, None),
        ("runtime init", 0.2, 1.2, None, None),
        ("function init", 1.2, 1.7, None, "success"),
        ("invoke", 1.7, 2.0, "1", "succeeded"),
        ("frozen", 2.0, 9.0, None, None),
        ("invoke", 9.0, None, "2", None),
    ]


def test_an_invocation_that_is_told_to_end_is_over_in_the_shutdown() -> None:
    end: tuple[tuple[float, ev.Event], ...] = (
        (4.7, ev.EnvironmentShutdown(ENVIRONMENT, "timeout")),
        (4.8, finished("1", "timed_out")),
        (5.0, ev.EnvironmentReset(ENVIRONMENT, "timeout")),
        (7.0, ev.InvocationPlaced("2", ENVIRONMENT, False)),
        (7.0, ev.InitStarted(ENVIRONMENT, "invoke", True, "2")),
        (7.0, ev.InvocationStarted("2", ENVIRONMENT, 10.0)),
        (7.2, ev.InitPhaseFinished(ENVIRONMENT, "extension", 200.0)),
        (7.5, ev.InitPhaseFinished(ENVIRONMENT, "runtime", 300.0)),
        (7.6, ev.InitFinished(ENVIRONMENT, "invoke", True, "error", 600.0, "x")),
        (7.6, finished("2", "failed")),
        (7.6, ev.EnvironmentReset(ENVIRONMENT, "failure")),
        (8.0, ev.EnvironmentEnded(ENVIRONMENT, "idle")),
    )
    assert told(played(*COLD, *end))[3:] == [
        ("invoke", 1.7, 4.7, "1", "timed_out"),
        ("shutdown", 4.7, 5.0, None, None),
        ("reset", 5.0, 7.0, None, None),
        ("extension init", 7.0, 7.2, "2", None),
        ("runtime init", 7.2, 7.5, "2", None),
        ("function init", 7.5, 7.6, "2", "failed"),
        ("reset", 7.6, 8.0, None, None),
    ]


def test_an_attempt_says_which_it_is() -> None:
    life = played(*COLD, (2.0, finished("1", "failed")), (2.1, ev.EnvironmentFrozen(ENVIRONMENT)))
    life.apply(3.0, ev.InvocationPlaced("1", ENVIRONMENT, False), attempt=2)
    life.apply(3.0, ev.InvocationStarted("1", ENVIRONMENT, 6.0))
    assert [(span.attempt, span.outcome) for span in life.spans if span.kind is Kind.INVOKE] == [
        (1, "failed"),
        (2, None),
    ]


def test_arrivals() -> None:
    arrivals = Arrivals()
    arrivals.apply(1.0, ev.EventQueued("1", "accepted", 0.0), 1)
    arrivals.apply(1.1, ev.AttemptStarted("1", 1), 1)
    arrivals.apply(1.2, ev.EventQueued("1", "throttled", 1.0, "x"), 1)
    arrivals.apply(1.3, ev.InvocationThrottled("2", "x", "no"), 1)
    arrivals.apply(2.2, ev.AttemptStarted("1", 1), 1)
    arrivals.apply(2.5, ev.EventQueued("1", "function error", 60.0), 1)
    assert [(span.start, span.request_id) for span in arrivals.throttled] == [(1.2, "1"), (1.3, "2")]
    assert [(span.start, span.end, span.outcome) for span in arrivals.queued] == [
        (1.0, 1.1, "accepted"),
        (1.2, 2.2, "throttled"),
        (2.5, None, "function error"),
    ]


def test_it_is_quiet_when_nothing_is_under_way() -> None:
    activity = Activity()
    for time, by in ((10.0, 1), (11.0, 1), (12.0, -1), (13.0, -1), (13.001, 1), (14.0, -1), (20.0, 0), (25.0, 1)):
        activity.change(time, by)
    assert activity.start == 10.0 and activity.busy and activity.last == 25.0
    assert activity.quiet == [(14.0, 20.0), (20.0, 25.0)]


def test_what_is_forgotten_is_said() -> None:
    life = played(*COLD)
    for number in range(history.MAX_SPANS):
        life.apply(10.0 + number, finished(f"{number}"))
        life.apply(10.0 + number, ev.EnvironmentFrozen(ENVIRONMENT))
        life.apply(10.5 + number, ev.InvocationStarted(f"{number + 1}", ENVIRONMENT, 0.0))
    assert len(life.spans) <= history.MAX_SPANS and life.spans[0].kind is Kind.FORGOTTEN
    assert_tiled(life.spans, 0.0)


def test_the_lab_keeps_them() -> None:
    lab = Lab()
    function = ev.FunctionCreated("F", "arn", 1, {}, "sha", "inline")
    created = ev.EnvironmentCreated(ENVIRONMENT, "F", "$LATEST", 1, "sha", "g", "s", "first invocation")
    accepted = [ev.InvocationAccepted(request, "F", "$LATEST", "Event", "{}", None) for request in ("1", "2")]
    start: list[tuple[float, ev.Event]] = [(0.0, function), (0.0, created), *((0.0, each) for each in accepted)]
    end: list[tuple[float, ev.Event]] = [
        (2.0, finished("1")),
        (2.0, ev.EnvironmentFrozen(ENVIRONMENT)),
        (3.0, ev.InvocationThrottled("2", "x", "no")),
        (4.0, ev.EnvironmentEnded(ENVIRONMENT, "idle")),
    ]
    for number, (time, event) in enumerate([*start, *COLD, *end]):
        lab.apply(Record(number, time, event))
    kinds = [span.kind for span in lab.environments[ENVIRONMENT].history.spans]
    assert kinds == [Kind.WAITING, Kind.RUNTIME_INIT, Kind.FUNCTION_INIT, Kind.INVOKE, Kind.FROZEN]
    assert [span.request_id for span in lab.functions["F"].arrivals.throttled] == ["2"]
    assert lab.activity.quiet == [(2.0, 3.0), (3.0, 4.0)] and not lab.activity.busy
