"""StartLiveTail: log events as they arrive, every second those of the second that is over."""

from __future__ import annotations

import asyncio
import uuid
from collections.abc import AsyncGenerator, Callable, Iterator
from dataclasses import dataclass
from typing import Annotated

from pydantic import Field

from lambdatui import events as ev
from lambdatui.aws import event_stream
from lambdatui.aws.call import Call, Operation
from lambdatui.aws.logs_api.filter_pattern import filter_pattern
from lambdatui.aws.logs_api.filter_values import InvalidFilterPattern
from lambdatui.aws.logs_api.inputs import GroupIdentifier, LogsInput, Pattern, StreamNames, mutually_exclusive, name_of
from lambdatui.events import Json, Record
from lambdatui.journal import Journal
from lambdatui.lab import Lab
from lambdatui.refusal import InvalidLogsParameter, ResourceNotFound, ServiceRefusal
from lambdatui.service.http import Streamed
from lambdatui.service.log_groups import LogGroups

PERIOD = 1.0
"""Seconds between two updates."""
LONGEST_SESSION = 3 * 3600.0
"""Seconds after which a session is over."""
MOST_EVENTS = 500
"""In an update; of more, every second one is left out, or every third."""


class SessionTimeout(ServiceRefusal):
    """The session was open for three hours."""

    code = "SessionTimeoutException"


class _Start(LogsInput):
    log_group_identifiers: Annotated[list[GroupIdentifier], Field(min_length=1, max_length=10)]
    log_stream_names: StreamNames | None = None
    log_stream_name_prefixes: StreamNames | None = None
    log_event_filter_pattern: Pattern = ""


class LiveTail:
    def __init__(self, log_groups: LogGroups, lab: Lab, journal: Journal) -> None:
        self._log_groups = log_groups
        self._lab = lab
        self._journal = journal

    def operations(self) -> Iterator[tuple[str, Operation]]:
        yield "StartLiveTail", self.start

    async def start(self, call: Call) -> Streamed:
        given = _Start.of(call)
        arn = self._log_groups.arn
        names, prefixes = given.log_stream_names, given.log_stream_name_prefixes
        mutually_exclusive(("logStreamNames", "logStreamNamePrefixes"), names, prefixes)
        if (names or prefixes) and len(given.log_group_identifiers) > 1:
            raise InvalidLogsParameter("Log streams can be chosen only in a single log group.")
        for identifier in given.log_group_identifiers:
            if not identifier.startswith("arn:"):
                raise InvalidLogsParameter(f"The log group identifier {identifier} is not an ARN.")
            call.caller.check("logs:StartLiveTail", f"{identifier}:log-stream:")
            if name_of(identifier, arn) not in self._lab.log_groups:
                raise ResourceNotFound("The specified log group does not exist.")
        groups = frozenset(name_of(each, arn) for each in given.log_group_identifiers)
        try:
            matches = filter_pattern(given.log_event_filter_pattern)
        except InvalidFilterPattern as refusal:
            raise InvalidFilterPattern(f"Invalid filter pattern: {refusal}") from None
        wanted = _Wanted(call.caller.account, groups, names, tuple(prefixes or ()), matches)
        started: dict[str, Json] = {
            "requestId": str(uuid.uuid4()),
            "sessionId": str(uuid.uuid4()),
            **given.model_dump(by_alias=True, exclude_unset=True),
        }
        headers = (("Content-Type", event_stream.CONTENT_TYPE),)
        return Streamed(200, self._session(started, wanted, len(self._journal.records)), headers)

    async def _session(self, started: dict[str, Json], wanted: _Wanted, place: int) -> AsyncGenerator[bytes, None]:
        """From this record of the journal on."""
        yield event_stream.event("initial-response", {})
        yield event_stream.event("sessionStart", started)
        clock = asyncio.get_running_loop().time
        begin = due = clock()
        while due < begin + LONGEST_SESSION:
            due = max(due + PERIOD, clock())  # a client that reads slowly makes it late
            await asyncio.sleep(due - clock())
            records = self._journal.records[place:]
            place += len(records)
            yield event_stream.event("sessionUpdate", _update(list(wanted.among(records))))
        yield event_stream.error(SessionTimeout("The session was open for three hours."))


@dataclass(frozen=True)
class _Wanted:
    """The events of which a session hears: of all streams where neither names nor prefixes were given."""

    account: str
    groups: frozenset[str]
    names: list[str] | None
    prefixes: tuple[str, ...]
    matches: Callable[[str], bool]

    def among(self, records: list[Record]) -> Iterator[Json]:
        for record in records:
            event = record.event
            if isinstance(event, ev.LogWritten | ev.LogEventsPut) and self._covers(event.log_group, event.log_stream):
                arrived = round(record.time * 1000)
                for timestamp, message in _entries(event, arrived):
                    if self.matches(message):
                        yield {
                            "logStreamName": event.log_stream,
                            "logGroupIdentifier": f"{self.account}:{event.log_group}",
                            "message": message,
                            "timestamp": timestamp,
                            "ingestionTime": arrived,
                        }

    def _covers(self, group: str, stream: str) -> bool:
        if group not in self.groups or (self.names is not None and stream not in self.names):
            return False
        return not self.prefixes or stream.startswith(self.prefixes)


def _entries(event: ev.LogWritten | ev.LogEventsPut, arrived: int) -> Iterator[tuple[int, str]]:
    if isinstance(event, ev.LogEventsPut):
        return zip(event.timestamps, event.messages, strict=True)
    return ((arrived, f"{line}\n") for line in event.lines)


def _update(results: list[Json]) -> dict[str, Json]:
    step = -(-len(results) // MOST_EVENTS) or 1
    metadata: dict[str, Json] = {"sampled": step > 1}
    return {"sessionMetadata": metadata, "sessionResults": results[::step]}
