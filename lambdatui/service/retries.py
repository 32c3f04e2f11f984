"""How often and when the event of an asynchronous invocation is attempted: no I/O, no clock.

The rules are those of "How Lambda handles errors and retries with asynchronous invocation". An error of the function
costs a retry; a throttle costs none, and the event comes back later and later until it is too old.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from enum import StrEnum
from typing import TypeAlias

from lambdatui.service.trace import MAX_VISITS

RETRY_WAITS = (60.0, 120.0)
"""Seconds before the first retry and before the second."""
FIRST_BACKOFF = 1.0
MAX_BACKOFF = 300.0
"""Seconds that a throttled event waits at first, doubled each time, and at most."""


class Condition(StrEnum):
    """How an event's way ends, by the names that destination records have."""

    SUCCESS = "Success"
    RETRIES_EXHAUSTED = "RetriesExhausted"
    EVENT_AGE_EXCEEDED = "EventAgeExceeded"
    ZERO_RESERVED_CONCURRENCY = "ZeroReservedConcurrency"
    RECURSIVE_INVOCATION = "RecursiveInvocation"


@dataclass(frozen=True)
class Policy:
    """What a function's configuration says, and how many times faster than real (`time_scale`) these waits and ages
    pass. How long the function itself takes is never scaled."""

    maximum_retry_attempts: int
    maximum_event_age: float
    """Seconds."""
    reserved_concurrency: int | None
    time_scale: float = 1.0


@dataclass(frozen=True)
class Course:
    """How far an event has come. Times are seconds since the epoch."""

    accepted_at: float
    due_at: float
    attempts: int = 0
    """How often the function has run for it, from beginning to end."""
    throttles: int = 0
    """In a row."""


@dataclass(frozen=True)
class Attempt:
    """Hand it to the function now, for the `number`-th time from 1."""

    number: int


@dataclass(frozen=True)
class Wait:
    """Until `course.due_at`."""

    course: Course


@dataclass(frozen=True)
class Conclude:
    """Nothing more is attempted."""

    condition: Condition
    attempts: int


Next: TypeAlias = Attempt | Wait | Conclude


def due(course: Course, policy: Policy, now: float, visits: int) -> Attempt | Conclude:
    """Its time has come. `visits`: how often the function has run for the request that led to this event."""
    if visits >= MAX_VISITS:
        return Conclude(Condition.RECURSIVE_INVOCATION, course.attempts)
    if policy.reserved_concurrency == 0:
        return Conclude(Condition.ZERO_RESERVED_CONCURRENCY, course.attempts)
    if now > _too_old_at(course, policy):
        return Conclude(Condition.EVENT_AGE_EXCEEDED, course.attempts)
    return Attempt(course.attempts + 1)


def throttled(course: Course, policy: Policy, now: float) -> Wait | Conclude:
    """There was no environment for it."""
    backoff = min(FIRST_BACKOFF * 2.0 ** min(course.throttles, 16), MAX_BACKOFF)
    return _wait(replace(course, throttles=course.throttles + 1), policy, now, backoff)


def ran(course: Course, policy: Policy, now: float, *, succeeded: bool) -> Wait | Conclude:
    """The function ran, and returned or failed: an exception, a timeout, an exit."""
    course = replace(course, attempts=course.attempts + 1, throttles=0)
    if succeeded:
        return Conclude(Condition.SUCCESS, course.attempts)
    if course.attempts > policy.maximum_retry_attempts:
        return Conclude(Condition.RETRIES_EXHAUSTED, course.attempts)
    return _wait(course, policy, now, RETRY_WAITS[min(course.attempts, len(RETRY_WAITS)) - 1])


def _wait(course: Course, policy: Policy, now: float, seconds: float) -> Wait | Conclude:
    """What could not start before the event is too old is not waited for."""
    due_at = now + seconds / policy.time_scale
    if due_at > _too_old_at(course, policy):
        return Conclude(Condition.EVENT_AGE_EXCEEDED, course.attempts)
    return Wait(replace(course, due_at=due_at))


def _too_old_at(course: Course, policy: Policy) -> float:
    return course.accepted_at + policy.maximum_event_age / policy.time_scale
