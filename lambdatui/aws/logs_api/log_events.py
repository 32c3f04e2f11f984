"""Log events: put into a stream, read from one, searched for in many."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Annotated

from pydantic import Field

from lambdatui.aws.call import Call, Operation
from lambdatui.aws.logs_api.filter_pattern import filter_pattern
from lambdatui.aws.logs_api.inputs import (
    EventsLimit,
    GroupName,
    LogsInput,
    OfGroup,
    Pattern,
    StreamName,
    StreamNames,
    Timestamp,
    Token,
    mutually_exclusive,
)
from lambdatui.aws.logs_api.reading import Found, Search, event_id, find, ingestion_time, message, read
from lambdatui.aws.wire import json_answer
from lambdatui.events import Json
from lambdatui.lab import Lab, LogEvent, LogGroup, LogStream
from lambdatui.refusal import InvalidLogsParameter, ResourceNotFound
from lambdatui.service.http import Response
from lambdatui.service.log_groups import LogEntry, LogGroups

NEWEST_FIRST_FROM = 1_704_067_200_000
"""1 January 2024: a search that begins earlier cannot go backwards (FilterLogEvents in the API reference)."""


class _Entry(LogsInput):
    timestamp: Timestamp
    message: Annotated[str, Field(min_length=1)]


class _Put(LogsInput):
    log_group_name: GroupName
    log_stream_name: StreamName
    log_events: Annotated[list[_Entry], Field(min_length=1, max_length=10000)]


class _Get(OfGroup):
    log_stream_name: StreamName
    start_time: Timestamp = 0
    end_time: Timestamp | None = None
    next_token: Token | None = None
    limit: EventsLimit | None = None
    start_from_head: bool = False


class _Filter(OfGroup):
    log_stream_names: StreamNames | None = None
    log_stream_name_prefix: StreamName | None = None
    start_time: Timestamp = 0
    end_time: Timestamp | None = None
    filter_pattern: Pattern = ""
    next_token: Token | None = None
    limit: EventsLimit | None = None
    start_from_head: bool = True


class LogEvents:
    def __init__(self, log_groups: LogGroups, lab: Lab) -> None:
        self._log_groups = log_groups
        self._lab = lab

    def operations(self) -> Iterator[tuple[str, Operation]]:
        yield "PutLogEvents", self.put
        yield "GetLogEvents", self.get
        yield "FilterLogEvents", self.filter

    async def put(self, call: Call) -> Response:
        given = _Put.of(call)
        group, stream = given.log_group_name, given.log_stream_name
        call.caller.check("logs:PutLogEvents", f"{self._log_groups.arn}{group}:log-stream:{stream}")
        entries = [LogEntry(entry.timestamp, entry.message) for entry in given.log_events]
        rejected = self._log_groups.put(group, stream, entries)
        info: dict[str, Json] = {
            "tooOldLogEventEndIndex": rejected.too_old_end,
            "expiredLogEventEndIndex": rejected.expired_end,
            "tooNewLogEventStartIndex": rejected.too_new_start,
        }
        told: Json = {name: index for name, index in info.items() if index is not None}
        token = f"{self._lab.log_events:056}"  # nobody needs it any more, and still it is there
        return json_answer({"nextSequenceToken": token, "rejectedLogEventsInfo": told or None})

    async def get(self, call: Call) -> Response:
        given = _Get.of(call)
        name = given.group(self._log_groups.arn)
        call.caller.check("logs:GetLogEvents", f"{self._log_groups.arn}{name}:log-stream:{given.log_stream_name}")
        stream = _stream(self._group(name), given.log_stream_name)
        page = read(stream, given.start_time, given.end_time, given.next_token, given.start_from_head, given.limit)
        return json_answer(
            {
                "events": [_told(event) for event in page.events],
                "nextForwardToken": page.forward,
                "nextBackwardToken": page.backward,
            }
        )

    async def filter(self, call: Call) -> Response:
        """Events of several streams are always mixed by their time, whatever `interleaved` is."""
        given = _Filter.of(call)
        name = given.group(self._log_groups.arn)
        call.caller.check("logs:FilterLogEvents", f"{self._log_groups.arn}{name}:log-stream:")
        names, prefix = given.log_stream_names, given.log_stream_name_prefix
        mutually_exclusive(("logStreamNames", "logStreamNamePrefix"), names, prefix)
        if not given.start_from_head and given.start_time < NEWEST_FIRST_FROM:
            raise InvalidLogsParameter("startFromHead can be false only if startTime is on or after 2024-01-01.")
        matches = filter_pattern(given.filter_pattern)
        group = self._group(name)
        streams = (
            [stream for stream in group.streams.values() if stream.name.startswith(prefix or "")]
            if names is None
            else [_stream(group, each) for each in dict.fromkeys(names)]
        )
        search = Search(streams, matches, given.start_time, given.end_time, given.start_from_head)
        found, token = find(search, given.next_token, given.limit)
        return json_answer(
            {"events": [_told_of_group(each) for each in found], "searchedLogStreams": [], "nextToken": token}
        )

    def _group(self, name: str) -> LogGroup:
        if name not in self._lab.log_groups:
            raise ResourceNotFound("The specified log group does not exist.")
        return self._lab.log_groups[name]


def _stream(group: LogGroup, name: str) -> LogStream:
    if name not in group.streams:
        raise ResourceNotFound("The specified log stream does not exist.")
    return group.streams[name]


def _told(event: LogEvent) -> dict[str, Json]:
    return {"timestamp": event.timestamp, "message": message(event), "ingestionTime": ingestion_time(event)}


def _told_of_group(found: Found) -> dict[str, Json]:
    return {"logStreamName": found.stream.name, **_told(found.event), "eventId": event_id(found.event.order)}
