"""Checks of what a step should show against what it showed: pure functions over the fold of the journal."""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from functools import cached_property

from lambdatui.events import Json
from lambdatui.experiment.schema import STATUSES, DestinationsExpected, Expect, Range, StatusExpected
from lambdatui.lab import Invocation, Lab, LogEvent, LogStream

_MAX_LINE = 300
_REPORT = re.compile(r"^REPORT |platform\.report")
"""In the line with the figures of an invocation, be it text or JSON."""
Evidence = dict[str, Json] | None


@dataclass(frozen=True)
class Before:
    """How far things were when a step began, so that what it added can be told from the rest."""

    environments: frozenset[str] = frozenset()
    rejections: int = 0
    log_events: int = 0

    @classmethod
    def of(cls, lab: Lab) -> Before:
        return cls(frozenset(lab.environments), len(lab.rejections), lab.log_events)


@dataclass(frozen=True)
class Seen:
    """What there is to see of one step."""

    lab: Lab
    step: int
    before: Before

    @cached_property
    def invocations(self) -> list[Invocation]:
        return [invocation for invocation in self.lab.invocations.values() if invocation.step == self.step]

    @property
    def attempts(self) -> list[Invocation]:
        """All of the invocations' attempts, as each stood at its end."""
        return [attempt for invocation in self.invocations for attempt in invocation.attempts]

    @property
    def streams(self) -> list[LogStream]:
        """Distinct, in order of use; those of environments that may not log do not exist."""
        places = dict.fromkeys((each.log_group, each.log_stream) for each in self.attempts)
        return [stream for place in places if (stream := self.lab.stream(*place))]

    @cached_property
    def log_events(self) -> list[LogEvent]:
        """What was logged for these invocations, and outside any invocation by the environments they ran in; in a step
        without invocations, by all."""
        mine = {invocation.request_id for invocation in self.invocations} | {None}
        return [
            event
            for stream in (self.streams if self.invocations else self.lab.streams)
            for event in stream.events
            if event.number >= self.before.log_events and event.request_id in mine
        ]

    @property
    def payload(self) -> Json:
        """The last answer; text that is no JSON as it is."""
        if not self.invocations or (text := self.invocations[-1].payload) is None:
            return None
        try:
            result: Json = json.loads(text)
        except (ValueError, RecursionError):
            return text
        return result

    @property
    def last(self) -> Evidence:
        """The invocation whose answer is looked at."""
        return {"request_id": self.invocations[-1].request_id} if self.invocations else None

    @property
    def rejection(self) -> str | None:
        rejections = self.lab.rejections[self.before.rejections :]
        return rejections[-1].message if rejections else None


@dataclass(frozen=True)
class Check:
    """One expectation beside what was observed."""

    expect: str
    expected: Json
    actual: Json
    passed: bool
    evidence: Evidence = None
    """What shows it, as in StepFinished."""

    def to_json(self) -> dict[str, Json]:
        return {"expect": self.expect, "expected": self.expected, "actual": self.actual, "passed": self.passed}


def checks(expect: Expect, seen: Seen) -> list[Check]:
    """One for each key that the experiment gives, in the order of the schema; for each pattern of a list."""
    return [
        check
        for key, judge in _JUDGES.items()
        if key in expect.model_fields_set
        for check in judge(key, getattr(expect, key), seen)
    ]


def in_words(expect: Expect) -> list[str]:
    """What will be checked, each in a line."""
    return [f"{check.expect} {_plain(check.expected)}" for check in checks(expect, Seen(Lab(), 0, Before()))]


def _plain(value: Json) -> str:
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)


# -- one judge for each kind of expectation -------------------------------------------------------------------------


def _status(key: str, expected: StatusExpected, seen: Seen) -> Iterator[Check]:
    counts = Counter(invocation.status for invocation in seen.invocations)
    statuses = [status for status in (*STATUSES, "pending", "running") if counts[status]]
    ordered: dict[str, Json] = {status: counts[status] for status in statuses}
    if expected.each:
        actual: Json = next(iter(statuses), None) if len(statuses) < 2 else ordered
        odd = (each for each in seen.invocations if each.status != expected.each)
        yield Check(key, expected.each, actual, actual == expected.each, _first(odd) or seen.last)
    else:
        odd = (each for each in seen.invocations if each.status != "succeeded")
        yield Check(key, {**expected.counts}, ordered, ordered == expected.counts, _first(odd) or seen.last)


def _cold_starts(key: str, expected: int, seen: Seen) -> Iterator[Check]:
    cold = [attempt for attempt in seen.attempts if attempt.cold_start]
    yield _equal(key, expected, len(cold), _first(cold) or seen.last)


def _attempts(key: str, expected: int, seen: Seen) -> Iterator[Check]:
    yield _equal(key, expected, sum(1 for attempt in seen.attempts if attempt.environment), seen.last)


def _destinations(key: str, expected: DestinationsExpected, seen: Seen) -> Iterator[Check]:
    arrived = Counter(each.by for invocation in seen.invocations for each in invocation.forwarded if not each.error)
    kinds = [by for by in DestinationsExpected.model_fields if arrived[by] or by in expected.model_fields_set]
    wanted: dict[str, Json] = {by: getattr(expected, by) for by in kinds}
    actual: dict[str, Json] = {by: arrived[by] for by in kinds}
    yield _equal(key, wanted, actual)


def _new_environments(key: str, expected: int, seen: Seen) -> Iterator[Check]:
    new = seen.lab.environments.keys() - seen.before.environments
    yield _equal(key, expected, len(new), _first(each for each in seen.attempts if each.environment in new))


def _log_streams(key: str, expected: int, seen: Seen) -> Iterator[Check]:
    yield _equal(key, expected, len(seen.streams))


def _log(key: str, expected: list[str], seen: Seen) -> Iterator[Check]:
    for pattern in expected:
        line, evidence = _first_line(pattern, seen)
        yield Check(key, pattern, line, line is not None, evidence)


def _no_log(key: str, expected: list[str], seen: Seen) -> Iterator[Check]:
    for pattern in expected:
        line, evidence = _first_line(pattern, seen)
        yield Check(key, pattern, line, line is None, evidence)


def _range(key: str, expected: Range, seen: Seen) -> Iterator[Check]:
    measured = [value for each in seen.attempts if (value := getattr(each, key)) is not None]
    low, high = min(measured, default=None), max(measured, default=None)
    bounds: dict[str, Json] = {
        end: int(bound) if bound.is_integer() else bound
        for end, bound in (("min", expected.min), ("max", expected.max))
        if bound is not None
    }
    passed = low is not None and high is not None and _within(low, expected) and _within(high, expected)
    yield Check(key, bounds, low if low == high else {"min": low, "max": high}, passed, _report(key, seen))


def _payload(key: str, expected: Json, seen: Seen) -> Iterator[Check]:
    actual = seen.payload
    yield Check(key, expected, actual, bool(seen.invocations) and contains(actual, expected), seen.last)


def _error_type(key: str, expected: str, seen: Seen) -> Iterator[Check]:
    broken_off_by = seen.invocations[-1].error_code if seen.invocations else None
    yield _equal(key, expected, broken_off_by or _member(seen.payload, "errorType"), seen.last)


def _error_message(key: str, expected: str, seen: Seen) -> Iterator[Check]:
    message = _member(seen.payload, "errorMessage")
    passed = isinstance(message, str) and re.search(expected, message) is not None
    yield Check(key, expected, message, passed, seen.last)


def _rejected(key: str, expected: str, seen: Seen) -> Iterator[Check]:
    message = seen.rejection
    yield Check(key, expected, message, message is not None and re.search(expected, message) is not None)


_JUDGES: dict[str, Callable[..., Iterator[Check]]] = {
    "status": _status,
    "cold_starts": _cold_starts,
    "attempts": _attempts,
    "destinations": _destinations,
    "new_environments": _new_environments,
    "log_streams": _log_streams,
    "log": _log,
    "no_log": _no_log,
    "duration_ms": _range,
    "billed_duration_ms": _range,
    "payload": _payload,
    "error_type": _error_type,
    "error_message": _error_message,
    "rejected": _rejected,
}


def _equal(key: str, expected: Json, actual: Json, evidence: Evidence = None) -> Check:
    return Check(key, expected, actual, actual == expected, evidence)


def _first(invocations: Iterable[Invocation]) -> Evidence:
    for each in invocations:
        return {"request_id": each.request_id}
    return None


def _first_line(pattern: str, seen: Seen) -> tuple[str | None, Evidence]:
    """The first log event that matches, and in it the line where it does."""
    for event in seen.log_events:
        if match := re.search(pattern, event.text):
            begin, end = event.text.rfind("\n", 0, match.start()) + 1, event.text.find("\n", match.end())
            text, line = event.text, event.text[begin : end if end >= 0 else None]
            return text if len(text) <= _MAX_LINE else f"{text[:_MAX_LINE]}…", _logged(event, line)
    return None, None


def _logged(event: LogEvent, line: str) -> Evidence:
    return {"request_id": event.request_id, "time": event.time, "line": line[:_MAX_LINE]}


def _report(key: str, seen: Seen) -> Evidence:
    """The line with the largest of these figures."""
    measured = [each for each in seen.attempts if getattr(each, key) is not None]
    if not measured:
        return seen.last
    longest = max(measured, key=lambda each: getattr(each, key))
    request = longest.request_id
    of_it = [
        each for each in seen.log_events if each.request_id == request and each.platform and _REPORT.search(each.text)
    ]
    return _logged(of_it[-1], of_it[-1].text) if of_it else {"request_id": request}


def _within(value: float, bounds: Range) -> bool:
    return (bounds.min is None or bounds.min <= value) and (bounds.max is None or value <= bounds.max)


def _member(payload: Json, key: str) -> Json:
    return payload.get(key) if isinstance(payload, dict) else None


def contains(actual: Json, expected: Json) -> bool:
    """Whether `actual` has all that `expected` has: of a mapping these keys, of a list these items in this order and
    no others, and otherwise the same value (in JSON, true is not 1)."""
    if isinstance(expected, dict):
        return isinstance(actual, dict) and all(
            key in actual and contains(actual[key], value) for key, value in expected.items()
        )
    if isinstance(expected, list):
        return (
            isinstance(actual, list)
            and len(actual) == len(expected)
            and all(contains(mine, theirs) for mine, theirs in zip(actual, expected, strict=True))
        )
    return isinstance(actual, bool) == isinstance(expected, bool) and actual == expected
