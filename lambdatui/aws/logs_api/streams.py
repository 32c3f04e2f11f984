"""Log streams: made, described, deleted."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Literal

from lambdatui.aws.call import Call, Operation
from lambdatui.aws.logs_api.inputs import DescribeLimit, GroupName, LogsInput, OfGroup, StreamName, Token
from lambdatui.aws.logs_api.pages import page
from lambdatui.aws.wire import json_answer
from lambdatui.events import Json
from lambdatui.lab import Lab, LogStream
from lambdatui.refusal import InvalidLogsParameter, ResourceNotFound
from lambdatui.service.http import Response
from lambdatui.service.log_groups import LogGroups


class _Describe(OfGroup):
    log_stream_name_prefix: StreamName | None = None
    order_by: Literal["LogStreamName", "LastEventTime"] = "LogStreamName"
    descending: bool = False
    next_token: Token | None = None
    limit: DescribeLimit | None = None


class _Named(LogsInput):
    log_group_name: GroupName
    log_stream_name: StreamName


class Streams:
    def __init__(self, log_groups: LogGroups, lab: Lab) -> None:
        self._log_groups = log_groups
        self._lab = lab

    def operations(self) -> Iterator[tuple[str, Operation]]:
        yield "CreateLogStream", self.create
        yield "DescribeLogStreams", self.describe
        yield "DeleteLogStream", self.delete

    async def create(self, call: Call) -> Response:
        group, stream = self._named(call, "logs:CreateLogStream")
        self._log_groups.create_stream(group, stream)
        return json_answer()

    async def delete(self, call: Call) -> Response:
        group, stream = self._named(call, "logs:DeleteLogStream")
        self._log_groups.delete_stream(group, stream)
        return json_answer()

    async def describe(self, call: Call) -> Response:
        given = _Describe.of(call)
        name = given.group(self._log_groups.arn)
        call.caller.check("logs:DescribeLogStreams", f"{self._log_groups.arn}{name}:log-stream:")
        by_time, prefix = given.order_by == "LastEventTime", given.log_stream_name_prefix
        if by_time and prefix:
            raise InvalidLogsParameter("Cannot order by LastEventTime with a logStreamNamePrefix.")
        group = self._lab.log_groups.get(name)
        if group is None:
            raise ResourceNotFound("The specified log group does not exist.")
        streams = [stream for stream in group.streams.values() if stream.name.startswith(prefix or "")]

        def key(stream: LogStream) -> tuple[int, str]:
            return stream.events[-1].timestamp if by_time and stream.events else 0, stream.name

        shown, token = page(streams, key, given.next_token, given.limit, descending=given.descending)
        return json_answer({"logStreams": [self._described(stream) for stream in shown], "nextToken": token})

    def _named(self, call: Call, action: str) -> tuple[str, str]:
        given = _Named.of(call)
        group, stream = given.log_group_name, given.log_stream_name
        call.caller.check(action, f"{self._log_groups.arn}{group}:log-stream:{stream}")
        return group, stream

    def _described(self, stream: LogStream) -> dict[str, Json]:
        """The bytes of a stream are not told any more, those of its group are."""
        members: dict[str, Json] = {
            "logStreamName": stream.name,
            "creationTime": round(stream.created_at * 1000),
            "arn": f"{self._log_groups.arn}{stream.group}:log-stream:{stream.name}",
            "storedBytes": 0,
        }
        if stream.events and stream.last_arrival is not None:
            members["firstEventTimestamp"] = stream.events[0].timestamp
            members["lastEventTimestamp"] = stream.events[-1].timestamp
            members["lastIngestionTime"] = round(stream.last_arrival * 1000)
        return members
