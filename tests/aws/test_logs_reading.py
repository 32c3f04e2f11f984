"""Pages of log events: whatever the events, the limits and the range, paging shows each of them once and in order."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lambdatui.aws.logs_api import reading
from lambdatui.aws.logs_api.filter_pattern import filter_pattern
from lambdatui.aws.logs_api.reading import Found, Search, event_id, find, read
from lambdatui.lab import LogEvent, LogStream
from lambdatui.refusal import InvalidLogsParameter

_TIMES = st.lists(st.integers(0, 20), max_size=30)
_LIMIT = st.integers(1, 7)
_BOUND = st.none() | st.integers(0, 21)


def stream_of(times: list[int], name: str = "s", first: int = 0) -> LogStream:
    """Events at these times, in milliseconds, in the order of their arrival."""
    stream = LogStream("g", name, 0.0)
    for number, time in enumerate(times, first):
        stream.add(LogEvent(time / 1000, f"{name} {number}", None, False, number))
    return stream


@given(_TIMES)
def test_events_are_kept_in_the_order_of_time_and_arrival(times: list[int]) -> None:
    events = stream_of(times).events
    assert [event.number for event in events] == sorted(range(len(times)), key=lambda number: times[number])


@given(_TIMES, _LIMIT, _BOUND, _BOUND, st.booleans())
def test_a_stream_is_read_to_its_end_and_back(
    times: list[int], limit: int, start: int | None, end: int | None, from_head: bool
) -> None:
    stream = stream_of(times)
    wanted = [
        event for event in stream.events if event.timestamp >= (start or 0) and (end is None or event.timestamp < end)
    ]

    def walk(token: str | None, forward: bool) -> tuple[list[LogEvent], str]:
        """All events in one direction, until the token stays the same."""
        seen: list[LogEvent] = []
        while True:
            page = read(stream, start or 0, end, token, from_head, limit)
            assert len(page.events) <= limit
            assert page.events == sorted(page.events, key=lambda event: event.order)
            seen = [*seen, *page.events] if forward else [*page.events, *seen]
            following = page.forward if forward else page.backward
            if following == token:
                return seen, page.backward if forward else page.forward
            token = following

    seen, turned = walk(None, from_head)
    assert seen == wanted
    assert walk(turned, not from_head)[0] == wanted


@given(_TIMES, _TIMES, st.booleans())
def test_who_waits_at_the_end_gets_what_comes(before: list[int], after: list[int], from_head: bool) -> None:
    stream = stream_of(before)
    page = read(stream, 0, None, None, from_head, None)
    assert page.events == stream.events
    for number, time in enumerate(after, len(before)):
        stream.add(LogEvent((time + 20) / 1000, "new", None, False, number))
    following = read(stream, 0, None, page.forward, True, None)
    assert {event.number for event in following.events} == set(range(len(before), len(before) + len(after)))


def test_a_page_of_a_stream_has_a_megabyte_at_most() -> None:
    stream = LogStream("g", "s", 0.0)
    for number in range(5):
        stream.add(LogEvent(number / 1000, "x" * 300_000, None, False, number))
    stream.add(LogEvent(1.0, "ü" * 2**20, None, False, 5))
    first = read(stream, 0, None, None, True, None)
    assert [event.number for event in first.events] == [0, 1, 2]
    assert [event.number for event in read(stream, 0, None, first.forward, True, None).events] == [3, 4]
    assert [event.number for event in read(stream, 0, None, None, False, None).events] == [5]  # no page is empty


@pytest.mark.parametrize("token", ["x", f"f/{1:055}/s", f"g/{1:056}/s", f"f/{1:056}/s "])
def test_what_is_no_token_of_a_stream(token: str) -> None:
    with pytest.raises(InvalidLogsParameter, match=r"The specified nextToken is invalid\."):
        read(stream_of([1]), 0, None, token, True, None)


@given(st.lists(_TIMES, max_size=4), _LIMIT, _BOUND, _BOUND, st.booleans(), st.sampled_from(["", "s0", "-1"]))
def test_a_search_finds_each_event_of_all_streams_once(
    times: list[list[int]], limit: int, start: int | None, end: int | None, oldest_first: bool, pattern: str
) -> None:
    streams = [stream_of(each, f"s{number}", number * 1000) for number, each in enumerate(times)]
    matches = filter_pattern(pattern)
    search = Search(streams, matches, start or 0, end, oldest_first)
    found: list[Found] = []
    token: str | None = None
    while True:
        page, token = find(search, token, limit)
        assert len(page) <= limit
        found += page
        if token is None:
            break
    orders = [each.event.order for each in found]
    wanted = [
        event.order
        for stream in streams
        for event in stream.events
        if event.timestamp >= (start or 0) and (end is None or event.timestamp <= end) and matches(f"{event.text}\n")
    ]
    assert orders == sorted(wanted, reverse=not oldest_first)
    identities = [event_id(order) for order in orders]
    assert identities == sorted(set(identities), reverse=not oldest_first)
    assert all(len(identity) == 56 for identity in identities)


def test_a_search_looks_at_some_events_at_a_time_and_begins_where_it_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    stream = stream_of(list(range(10_000)))
    monkeypatch.setattr(reading, "MOST_EVENTS", 100)
    looked_at = 0

    def matches(_: str) -> bool:
        nonlocal looked_at
        looked_at += 1
        return False

    found, token = find(Search([stream], matches), None, None)
    assert (found, looked_at) == ([], 100) and token
    find(Search([stream], matches, start=9_990), None, None)
    assert looked_at == 110
    find(Search([stream], matches), token, None)
    assert looked_at == 210


def test_a_page_of_a_search_has_a_megabyte_at_most() -> None:
    stream = LogStream("g", "s", 0.0)
    for number in range(5):
        stream.add(LogEvent(number / 1000, "x" * 300_000, None, False, number))
    search = Search([stream], lambda _: True)
    first, token = find(search, None, None)
    second, end = find(search, token, None)
    assert ([each.event.number for each in first], [each.event.number for each in second]) == ([0, 1, 2], [3, 4])
    assert token and end is None


@pytest.mark.parametrize("token", ["x", "%", "MQ==", "MQoxCg=="])
def test_what_is_no_token_of_a_search(token: str) -> None:
    with pytest.raises(InvalidLogsParameter, match=r"The specified nextToken is invalid\."):
        find(Search([], lambda _: True), token, None)
