"""The course of an event: waits by name, and against any sequence of results."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lambdatui.service import retries
from lambdatui.service.retries import Attempt, Conclude, Condition, Course, Policy, Wait

DEFAULT = Policy(maximum_retry_attempts=2, maximum_event_age=21600, reserved_concurrency=None)
NEW = Course(accepted_at=1000.0, due_at=1000.0)


def waited(result: Wait | Conclude) -> Course:
    assert isinstance(result, Wait)
    return result.course


def test_two_retries_after_one_and_two_minutes() -> None:
    first = waited(retries.ran(NEW, DEFAULT, 1001, succeeded=False))
    assert first.due_at == 1061
    second = waited(retries.ran(first, DEFAULT, 1062, succeeded=False))
    assert second.due_at == 1182
    assert retries.due(second, DEFAULT, 1182, 0) == Attempt(3)
    assert retries.ran(second, DEFAULT, 1183, succeeded=False) == Conclude(Condition.RETRIES_EXHAUSTED, 3)
    assert retries.ran(second, DEFAULT, 1183, succeeded=True) == Conclude(Condition.SUCCESS, 3)


def test_a_throttled_event_comes_back_later_and_later_and_uses_up_no_retry() -> None:
    course, now, waits = NEW, NEW.due_at, list[float]()
    for _ in range(11):
        course = waited(retries.throttled(course, DEFAULT, now))
        waits.append(course.due_at - now)
        now = course.due_at
    assert waits == [1, 2, 4, 8, 16, 32, 64, 128, 256, 300, 300]
    assert retries.due(course, DEFAULT, now, 0) == Attempt(1)
    after_a_run = waited(retries.ran(course, DEFAULT, now, succeeded=False))
    assert waited(retries.throttled(after_a_run, DEFAULT, now)).due_at - now == 1


def test_a_retry_that_would_come_too_late_is_not_waited_for() -> None:
    policy = replace(DEFAULT, maximum_event_age=90)
    course = waited(retries.ran(NEW, policy, 1030, succeeded=False))
    assert retries.ran(course, policy, 1090, succeeded=False) == Conclude(Condition.EVENT_AGE_EXCEEDED, 2)
    assert retries.ran(NEW, policy, 1031, succeeded=False) == Conclude(Condition.EVENT_AGE_EXCEEDED, 1)
    assert retries.due(course, policy, 1091, 0) == Conclude(Condition.EVENT_AGE_EXCEEDED, 1)


def test_what_is_not_attempted_at_all() -> None:
    zero = replace(DEFAULT, reserved_concurrency=0)
    assert retries.due(NEW, zero, 1000, 0) == Conclude(Condition.ZERO_RESERVED_CONCURRENCY, 0)
    assert retries.due(NEW, DEFAULT, 1000, 15) == Attempt(1)
    assert retries.due(NEW, DEFAULT, 1000, 16) == Conclude(Condition.RECURSIVE_INVOCATION, 0)


@pytest.mark.parametrize(("scale", "wait"), [(1, 60), (60, 1), (600, 0.1)])
def test_waits_and_ages_are_scaled(scale: float, wait: float) -> None:
    policy = replace(DEFAULT, time_scale=scale, maximum_event_age=600)
    assert waited(retries.ran(NEW, policy, 1000, succeeded=False)).due_at == pytest.approx(1000 + wait)
    assert isinstance(retries.due(NEW, policy, 1000 + 599 / scale, 0), Attempt)
    assert isinstance(retries.due(NEW, policy, 1000 + 601 / scale, 0), Conclude)


@given(
    st.integers(0, 2),
    st.integers(60, 21600),
    st.sampled_from([1.0, 7.0, 1000.0]),
    st.lists(st.tuples(st.sampled_from(["fails", "throttled", "works"]), st.floats(0, 900)), max_size=200),
)
def test_every_event_comes_to_its_end(allowed: int, age: int, scale: float, results: list[tuple[str, float]]) -> None:
    policy = Policy(allowed, age, None, scale)
    course, now, ran = NEW, NEW.due_at, 0
    for result, took in results:
        following: retries.Next = retries.due(course, policy, now, 0)
        if isinstance(following, Attempt):
            assert following.number == ran + 1 <= allowed + 1
            now += took
            if result == "throttled":
                following = retries.throttled(course, policy, now)
            else:
                ran += 1
                following = retries.ran(course, policy, now, succeeded=result == "works")
        if isinstance(following, Conclude):
            assert following.attempts == ran
            if following.condition is Condition.RETRIES_EXHAUSTED:
                assert ran == allowed + 1
            else:
                assert following.condition in (Condition.SUCCESS, Condition.EVENT_AGE_EXCEEDED)
            return
        assert isinstance(following, Wait)
        assert now < following.course.due_at <= NEW.accepted_at + age / scale
        course, now = following.course, following.course.due_at
    assert len(results) < 200, "nothing goes on for ever"
