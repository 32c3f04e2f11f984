"""Log events in pages: of one stream in both directions, of many at once by a search. Pure.

The events of a stream are in order, so that a page is found by bisection, however long the stream is.
"""

from __future__ import annotations

import heapq
import re
from bisect import bisect_left
from collections.abc import Callable, Iterable, Iterator
from itertools import islice
from typing import NamedTuple, TypeAlias

from lambdatui.aws.logs_api.tokens import decode, encode, groups
from lambdatui.lab import LogEvent, LogStream
from lambdatui.service.log_groups import EVENT_OVERHEAD_BYTES

MOST_EVENTS = 10_000
"""On a page, and also that a search looks at for one: it shall not keep the laboratory from its work. The service, too,
has pages with few events, or none, that are not the last."""
MOST_BYTES = 2**20
"""Of a page."""

_Order: TypeAlias = tuple[int, int]
"""As in LogEvent.order."""


def message(event: LogEvent) -> str:
    """Whatever an environment writes ends with its newline."""
    return event.text if event.put_at is not None else f"{event.text}\n"


def ingestion_time(event: LogEvent) -> int:
    """Milliseconds since the epoch."""
    return event.timestamp if event.put_at is None else round(event.put_at * 1000)


def event_id(order: _Order) -> str:
    """56 digits, unique, and in the order of the events: the time in its upper bits, as in the service's."""
    timestamp, number = order
    return f"{timestamp << 144 | number:056}"


def _order(digits: str) -> _Order:
    number = int(digits)
    return number >> 144, number & (1 << 144) - 1


# -- one stream -----------------------------------------------------------------------------------------------------


class StreamPage(NamedTuple):
    """Some events, the oldest first, and where to go on from them; at an end of the stream, that is where one was."""

    events: list[LogEvent]
    forward: str
    backward: str


_STREAM_TOKEN = re.compile(r"([fb])/(\d{56,64})/s", re.ASCII)


def read(
    stream: LogStream, start: int, end: int | None, token: str | None, from_head: bool, limit: int | None
) -> StreamPage:
    """Events from `start` on and before `end`, in milliseconds; the token goes on in its own direction. Raises
    InvalidLogsParameter."""
    first = _index(stream, (start, 0))
    last = len(stream.events) if end is None else max(first, _index(stream, (end, 0)))
    if token is not None:
        direction, digits = groups(token, _STREAM_TOKEN)
        from_head, place = direction == "f", _order(digits)
        if from_head:
            first = min(max(first, _index(stream, place)), last)
        else:
            last = max(min(last, _index(stream, place)), first)
    elif from_head or not stream.events:
        place = start, 0
    else:
        place = _after(stream.events[-1].order) if end is None else (end, 0)
    wanted = range(first, last) if from_head else reversed(range(first, last))
    events = _fitting((stream.events[index] for index in wanted), limit)
    if not events:
        return StreamPage(events, f"f/{event_id(place)}/s", f"b/{event_id(place)}/s")
    if not from_head:
        events.reverse()
    return StreamPage(events, f"f/{event_id(_after(events[-1].order))}/s", f"b/{event_id(events[0].order)}/s")


def _after(order: _Order) -> _Order:
    timestamp, number = order
    return timestamp, number + 1


def _fitting(events: Iterable[LogEvent], limit: int | None) -> list[LogEvent]:
    """As many as there may be on a page."""
    taken: list[LogEvent] = []
    size = 0
    for event in islice(events, limit or MOST_EVENTS):
        size += _size(event)
        if size > MOST_BYTES and taken:
            break
        taken.append(event)
    return taken


def _size(event: LogEvent) -> int:
    text = event.text
    return (len(text) if text.isascii() else len(text.encode(errors="replace"))) + EVENT_OVERHEAD_BYTES


def _index(stream: LogStream, order: _Order) -> int:
    """Of the first event that is not before this."""
    return bisect_left(stream.events, order, key=lambda event: event.order)


# -- many streams ---------------------------------------------------------------------------------------------------


class Found(NamedTuple):
    """A log event, and where it is."""

    stream: LogStream
    event: LogEvent


class Search(NamedTuple):
    """Which events are asked for: from `start` to `end`, both included, in milliseconds."""

    streams: list[LogStream]
    matches: Callable[[str], bool]
    start: int = 0
    end: int | None = None
    oldest_first: bool = True


_SEARCH_TOKEN = re.compile(r"([01])\n(\d{1,19})\n(\d{1,19})", re.ASCII)


def find(search: Search, token: str | None, limit: int | None) -> tuple[list[Found], str | None]:
    """A page of them, of all streams in the order of their time, and the token for the next page, which says the
    direction. Raises InvalidLogsParameter."""
    place = (search.start, 0) if search.oldest_first else None
    if token is not None:
        oldest_first, timestamp, number = map(int, decode(token, _SEARCH_TOKEN))
        search, place = search._replace(oldest_first=oldest_first == 1), (timestamp, number)
    found: list[Found] = []
    size = 0
    for looked_at, each in enumerate(_from(search, place)):
        here = each.event.order
        if looked_at == MOST_EVENTS or len(found) == (limit or MOST_EVENTS):
            return found, _token(search, here)
        if search.matches(message(each.event)):
            size += _size(each.event)
            if size > MOST_BYTES and found:
                return found, _token(search, here)
            found.append(each)
    return found, None


def _token(search: Search, here: _Order) -> str:
    """Of the page that begins here."""
    return encode(int(search.oldest_first), *here)


def _from(search: Search, place: _Order | None) -> Iterator[Found]:
    """The events of all streams from this place on, that one included; None is the newest end."""
    after_end = None if search.end is None else (search.end + 1, 0)
    parts = [_part(stream, search, place, after_end) for stream in search.streams]
    return heapq.merge(*parts, key=lambda found: found.event.order, reverse=not search.oldest_first)


def _part(stream: LogStream, search: Search, place: _Order | None, after_end: _Order | None) -> Iterator[Found]:
    first = _index(stream, (search.start, 0))
    last = len(stream.events) if after_end is None else _index(stream, after_end)
    if search.oldest_first:
        assert place
        wanted = range(max(first, _index(stream, place)), last)
    else:
        if place is not None:
            last = min(last, _index(stream, _after(place)))
        wanted = range(last - 1, first - 1, -1)
    return (Found(stream, stream.events[index]) for index in wanted)
