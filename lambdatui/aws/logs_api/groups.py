"""Log groups: made, described, kept for some days, tagged, deleted."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Annotated, Literal

from pydantic import Field

from lambdatui.aws.call import Call, Operation
from lambdatui.aws.inputs import matching
from lambdatui.aws.logs_api.inputs import (
    DescribeLimit,
    GroupIdentifier,
    GroupName,
    LogsInput,
    Token,
    mutually_exclusive,
    name_of,
)
from lambdatui.aws.logs_api.pages import page
from lambdatui.aws.wire import json_answer
from lambdatui.events import Json
from lambdatui.lab import Lab, LogGroup
from lambdatui.refusal import InvalidLogsParameter, NotImplementedHere, ResourceNotFound
from lambdatui.service.http import Response
from lambdatui.service.log_groups import LogGroups

TagKey = Annotated[str, Field(min_length=1, max_length=128)]
TagValue = Annotated[str, Field(max_length=256)]
Tags = Annotated[dict[TagKey, TagValue], Field(min_length=1, max_length=50)]
LogGroupClass = Literal["STANDARD", "INFREQUENT_ACCESS", "DELIVERY"]


class _Create(LogsInput):
    log_group_name: Annotated[str, Field(min_length=1), matching(r"[\.\-_/#A-Za-z0-9]+")]
    kms_key_id: str | None = None
    tags: Tags | None = None
    log_group_class: LogGroupClass = "STANDARD"
    deletion_protection_enabled: bool = False


class _Describe(LogsInput):
    log_group_name_prefix: GroupName | None = None
    log_group_name_pattern: str | None = None
    log_group_identifiers: Annotated[list[GroupIdentifier], Field(min_length=1, max_length=50)] | None = None
    log_group_class: LogGroupClass | None = None
    next_token: Token | None = None
    limit: DescribeLimit | None = None


class _Named(LogsInput):
    log_group_name: GroupName


class _Retain(_Named):
    retention_in_days: int


class _Resource(LogsInput):
    resource_arn: Annotated[str, Field(min_length=1, max_length=1011), matching(r"[\w+=/:,.@-]*")]


class _Tag(_Resource):
    tags: Tags


class _Untag(_Resource):
    tag_keys: Annotated[list[TagKey], Field(max_length=50)]


class Groups:
    def __init__(self, log_groups: LogGroups, lab: Lab) -> None:
        self._log_groups = log_groups
        self._lab = lab

    def operations(self) -> Iterator[tuple[str, Operation]]:
        yield "CreateLogGroup", self.create
        yield "DescribeLogGroups", self.describe
        yield "DeleteLogGroup", self.delete
        yield "PutRetentionPolicy", self.put_retention
        yield "DeleteRetentionPolicy", self.delete_retention
        yield "TagResource", self.tag
        yield "UntagResource", self.untag
        yield "ListTagsForResource", self.list_tags

    async def create(self, call: Call) -> Response:
        given = _Create.of(call)
        self._check(call, "logs:CreateLogGroup", given.log_group_name)
        if len(given.log_group_name) > 512:
            raise InvalidLogsParameter(
                "Invalid LogGroup or LogStream, both must have length less than or equal to 512."
            )
        if given.log_group_class != "STANDARD" or given.kms_key_id or given.deletion_protection_enabled:
            raise NotImplementedHere(
                "Log groups of the laboratory are of the class STANDARD, without keys and protection."
            )
        self._log_groups.create_group(given.log_group_name, given.tags or {})
        return json_answer()

    async def describe(self, call: Call) -> Response:
        given = _Describe.of(call)
        self._check(call, "logs:DescribeLogGroups", "")
        prefix, pattern, identifiers = (
            given.log_group_name_prefix,
            given.log_group_name_pattern,
            given.log_group_identifiers,
        )
        mutually_exclusive(("LogGroup name prefix", "LogGroup name pattern"), prefix, pattern)
        mutually_exclusive(("LogGroup identifiers", "LogGroup name prefix"), identifiers, prefix or pattern)
        names = None if identifiers is None else {name_of(each, self._log_groups.arn) for each in identifiers}
        groups = [
            group
            for group in self._lab.log_groups.values()
            if group.name.startswith(prefix or "")
            and (pattern or "") in group.name
            and (names is None or group.name in names)
            and given.log_group_class in (None, "STANDARD")
        ]
        shown, token = page(groups, lambda group: (0, group.name), given.next_token, given.limit)
        return json_answer(
            {"logGroups": [self._described(group, brief=bool(pattern)) for group in shown], "nextToken": token}
        )

    async def delete(self, call: Call) -> Response:
        name = _Named.of(call).log_group_name
        self._check(call, "logs:DeleteLogGroup", name)
        self._log_groups.delete_group(name)
        return json_answer()

    async def put_retention(self, call: Call) -> Response:
        given = _Retain.of(call)
        self._check(call, "logs:PutRetentionPolicy", given.log_group_name)
        self._log_groups.retain(given.log_group_name, given.retention_in_days)
        return json_answer()

    async def delete_retention(self, call: Call) -> Response:
        name = _Named.of(call).log_group_name
        self._check(call, "logs:DeleteRetentionPolicy", name)
        self._log_groups.retain(name, None)
        return json_answer()

    async def tag(self, call: Call) -> Response:
        given = _Tag.of(call)
        self._log_groups.tag(self._resource(call, "logs:TagResource", given), given.tags)
        return json_answer()

    async def untag(self, call: Call) -> Response:
        given = _Untag.of(call)
        self._log_groups.tag(self._resource(call, "logs:UntagResource", given), {}, without=given.tag_keys)
        return json_answer()

    async def list_tags(self, call: Call) -> Response:
        name = self._resource(call, "logs:ListTagsForResource", _Resource.of(call))
        group = self._lab.log_groups.get(name)
        if group is None:
            raise ResourceNotFound("The specified log group does not exist.")
        return json_answer({"tags": group.tags})

    def _resource(self, call: Call, action: str, given: _Resource) -> str:
        name = name_of(given.resource_arn, self._log_groups.arn)
        self._check(call, action, name)
        return name

    def _check(self, call: Call, action: str, name: str) -> None:
        call.caller.check(action, f"{self._log_groups.arn}{name}:log-stream:")

    def _described(self, group: LogGroup, brief: bool) -> dict[str, Json]:
        arn = f"{self._log_groups.arn}{group.name}"
        members: dict[str, Json] = {
            "logGroupName": group.name,
            "creationTime": round(group.created_at * 1000),
            "metricFilterCount": 0,
            "arn": f"{arn}:*",
            "logGroupArn": arn,
            "logGroupClass": "STANDARD",
            "retentionInDays": group.retention_in_days,
        }
        if not brief:
            members["storedBytes"] = sum(stream.stored_bytes for stream in group.streams.values())
            members["deletionProtectionEnabled"] = False
        return {name: value for name, value in members.items() if value is not None}
