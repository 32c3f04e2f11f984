"""CloudWatch Logs, as boto3 and the aws CLI see it. Every answer is also checked against the service's own model."""

from __future__ import annotations

import asyncio
import json
import re
import time
from typing import Any

import pytest
from botocore.exceptions import ClientError

from lambdatui.role import LAMBDA, trusting
from tests.aws.conftest import Cloud, call

GROUP = "/aws/lambda/F"
ARN = f"arn:aws:logs:us-east-1:000000000000:log-group:{GROUP}"

SPEAKING = """
    def handler(event, context):
        for number in range(event.get("lines", 1)):
            print(f"line {event.get('first', 0) + number}")
"""


async def refusal(operation: Any, **parameters: Any) -> tuple[str, str]:
    """Code and message of the error."""
    with pytest.raises(ClientError) as refused:
        await call(operation, **parameters)
    error = refused.value.response["Error"]
    return error["Code"], error["Message"]


def now() -> int:
    return round(time.time() * 1000)


async def test_what_a_function_logs(cloud: Cloud) -> None:
    await cloud.create(SPEAKING)
    invocation = await cloud.invoke('{"lines": 3}')
    logs = cloud.client("logs")

    (group,) = (await call(logs.describe_log_groups))["logGroups"]
    assert (group["logGroupName"], group["arn"], group["logGroupArn"]) == (GROUP, f"{ARN}:*", ARN)
    assert group["logGroupClass"] == "STANDARD" and group["metricFilterCount"] == 0 and group["storedBytes"] > 100
    (stream,) = (await call(logs.describe_log_streams, logGroupName=GROUP))["logStreams"]
    assert stream["logStreamName"] == invocation.log_stream
    assert stream["arn"] == f"{ARN}:log-stream:{invocation.log_stream}"
    assert stream["creationTime"] <= stream["firstEventTimestamp"] <= stream["lastEventTimestamp"] <= now()

    page = await call(logs.get_log_events, logGroupName=GROUP, logStreamName=stream["logStreamName"])
    messages = [event["message"] for event in page["events"]]
    assert messages == [f"{line}\n" for line in cloud.lines(invocation)] and "line 2\n" in messages
    assert re.fullmatch(r"f/\d{56}/s", page["nextForwardToken"])
    assert re.fullmatch(r"b/\d{56}/s", page["nextBackwardToken"])
    again = await call(
        logs.get_log_events,
        logGroupIdentifier=ARN,
        logStreamName=stream["logStreamName"],
        nextToken=page["nextForwardToken"],
    )
    assert (again["events"], again["nextForwardToken"]) == ([], page["nextForwardToken"])

    found = await call(logs.filter_log_events, logGroupName=GROUP, filterPattern=f'"{invocation.request_id}" -START')
    assert [event["message"].split()[0] for event in found["events"]] == ["END", "REPORT"]
    assert found["searchedLogStreams"] == [] and "nextToken" not in found
    assert all(re.fullmatch(r"\d{56}", event["eventId"]) for event in found["events"])


async def test_the_calls_of_logs_tail_follow_see_every_line_once(cloud: Cloud) -> None:
    """What `aws logs tail --follow` does: all pages, then again from the newest event's time, without those seen."""
    await cloud.create(SPEAKING, reserved_concurrent_executions=3)
    logs = cloud.client("logs")
    await cloud.invoke('{"lines": 2}')
    seen: dict[str, tuple[str, str]] = {}
    newest = now() - 600_000

    def poll() -> None:
        nonlocal newest
        parameters = {"logGroupName": GROUP, "interleaved": True, "startTime": newest}
        for page in logs.get_paginator("filter_log_events").paginate(**parameters, PaginationConfig={"PageSize": 7}):
            for event in page["events"]:
                seen.setdefault(event["eventId"], (event["logStreamName"], event["message"]))
                newest = max(newest, event["timestamp"])

    async def follow(until: asyncio.Task[Any]) -> None:
        while not until.done():
            await asyncio.to_thread(poll)

    async def invoke_all() -> None:
        for first in range(0, 60, 15):
            events = [json.dumps({"first": 100 * first + 10_000 * n, "lines": 10}) for n in range(3)]
            await asyncio.gather(*(cloud.service.invoke("F", event) for event in events))
        await cloud.service.settled()

    await follow(asyncio.create_task(invoke_all()))
    await asyncio.to_thread(poll)

    in_lab = {stream.name: [f"{event.text}\n" for event in stream.events] for stream in cloud.lab.streams}
    assert len(in_lab) == 3
    by_stream: dict[str, list[str]] = {}
    for identity in sorted(seen):
        stream, message = seen[identity]
        by_stream.setdefault(stream, []).append(message)
    assert by_stream == in_lab


async def test_groups_and_streams_of_ones_own(cloud: Cloud) -> None:
    logs = cloud.client("logs")
    group: dict[str, Any] = {"logGroupName": "mine"}
    stream = {**group, "logStreamName": "a"}

    await call(logs.create_log_group, **group, tags={"team": "blue"})
    assert await refusal(logs.create_log_group, **group) == (
        "ResourceAlreadyExistsException",
        "The specified log group already exists",
    )
    await call(logs.create_log_stream, **stream)
    assert await refusal(logs.create_log_stream, **stream) == (
        "ResourceAlreadyExistsException",
        "The specified log stream already exists",
    )
    (empty,) = (await call(logs.describe_log_streams, **group))["logStreams"]
    assert empty.keys() == {"logStreamName", "creationTime", "arn", "storedBytes"}

    await call(logs.put_retention_policy, **group, retentionInDays=7)
    (described,) = (await call(logs.describe_log_groups))["logGroups"]
    assert (described["retentionInDays"], described["storedBytes"]) == (7, 0)
    code, message = await refusal(logs.put_retention_policy, **group, retentionInDays=2)
    assert code == "InvalidParameterException" and "Value '2' at 'retentionInDays'" in message
    await call(logs.delete_retention_policy, **group)
    (described,) = (await call(logs.describe_log_groups))["logGroups"]
    assert "retentionInDays" not in described

    arn = described["logGroupArn"]
    await call(logs.tag_resource, resourceArn=arn, tags={"stage": "test"})
    assert (await call(logs.list_tags_for_resource, resourceArn=arn))["tags"] == {"team": "blue", "stage": "test"}
    await call(logs.untag_resource, resourceArn=arn, tagKeys=["team", "other"])
    assert cloud.lab.log_groups["mine"].tags == {"stage": "test"}

    await call(logs.delete_log_stream, **stream)
    no_stream = ("ResourceNotFoundException", "The specified log stream does not exist.")
    assert await refusal(logs.delete_log_stream, **stream) == no_stream
    assert await refusal(logs.get_log_events, **stream) == no_stream
    assert await refusal(logs.filter_log_events, **group, logStreamNames=["a"]) == no_stream
    events = [{"timestamp": now(), "message": "m"}]
    assert await refusal(logs.put_log_events, **stream, logEvents=events) == no_stream

    await call(logs.delete_log_group, **group)
    assert cloud.lab.log_groups == {}
    no_group = ("ResourceNotFoundException", "The specified log group does not exist.")
    for operation, parameters in [
        (logs.delete_log_group, group),
        (logs.create_log_stream, stream),
        (logs.describe_log_streams, group),
        (logs.get_log_events, stream),
        (logs.filter_log_events, group),
        (logs.put_log_events, {**stream, "logEvents": events}),
        (logs.delete_retention_policy, group),
        (logs.tag_resource, {"resourceArn": arn, "tags": {"a": "b"}}),
        (logs.list_tags_for_resource, {"resourceArn": arn}),
    ]:
        assert await refusal(operation, **parameters) == no_group


async def test_events_of_ones_own(cloud: Cloud) -> None:
    logs = cloud.client("logs")
    stream = {"logGroupName": "mine", "logStreamName": "a"}
    await call(logs.create_log_group, logGroupName="mine")
    await call(logs.create_log_stream, **stream)
    moment, day = now(), 24 * 3600 * 1000

    def events(*times: int) -> list[dict[str, Any]]:
        return [{"timestamp": each, "message": f"at {each - moment}"} for each in times]

    await call(logs.put_log_events, **stream, logEvents=events(moment - 10, moment))
    await call(logs.put_log_events, **stream, logEvents=events(moment - 5))
    page = await call(logs.get_log_events, **stream)
    assert [event["message"] for event in page["events"]] == ["at -10", "at -5", "at 0"]
    assert all(event["ingestionTime"] >= moment for event in page["events"])
    (described,) = (await call(logs.describe_log_streams, logGroupName="mine"))["logStreams"]
    assert (described["firstEventTimestamp"], described["lastEventTimestamp"]) == (moment - 10, moment)

    async def put(*times: int) -> Any:
        return (await call(logs.put_log_events, **stream, logEvents=events(*times))).get("rejectedLogEventsInfo")

    assert await put(moment - 20 * day, moment - 15 * day, moment) == {"tooOldLogEventEndIndex": 2}
    assert await put(moment, moment + 3 * 3600 * 1000) == {"tooNewLogEventStartIndex": 1}
    await call(logs.put_retention_policy, logGroupName="mine", retentionInDays=1)
    assert await put(moment - 15 * day, moment - 2 * day, moment) == {
        "tooOldLogEventEndIndex": 1,
        "expiredLogEventEndIndex": 2,
    }
    await call(logs.delete_retention_policy, logGroupName="mine")

    wrong = [
        ((moment, moment - 1), "Log events in a single PutLogEvents request must be in chronological order."),
        (
            (moment - 2 * day, moment),
            "The batch of log events in a single PutLogEvents request cannot span more than 24 hours.",
        ),
    ]
    for times, message in wrong:
        refused = await refusal(logs.put_log_events, **stream, logEvents=events(*times))
        assert refused == ("InvalidParameterException", message)
    much = [{"timestamp": moment, "message": "x" * 2**20}]
    assert await refusal(logs.put_log_events, **stream, logEvents=much) == (
        "InvalidParameterException",
        "Upload too large: 1048602 bytes exceeds limit of 1048576",
    )
    found = await call(logs.filter_log_events, logGroupName="mine", startTime=moment - 5, endTime=moment)
    assert [event["message"] for event in found["events"]] == ["at -5", "at 0", "at 0", "at 0", "at 0"]
    got = await call(logs.get_log_events, **stream, startTime=moment - 5, endTime=moment)
    assert [event["message"] for event in got["events"]] == ["at -5"]


async def test_lists_come_in_pages(cloud: Cloud) -> None:
    logs = cloud.client("logs")
    names = [f"group-{number:02}" for number in range(60)]
    for name in reversed(names):
        cloud.service.log_groups.create_group(name, {})
    for number in range(5):
        cloud.service.log_groups.create_stream(names[0], f"s{number}")

    def groups(**parameters: Any) -> list[list[str]]:
        pages = logs.get_paginator("describe_log_groups").paginate(**parameters)
        return [[group["logGroupName"] for group in page["logGroups"]] for page in pages]

    assert await asyncio.to_thread(groups) == [names[:50], names[50:]]
    assert await asyncio.to_thread(groups, logGroupNamePrefix="group-1", PaginationConfig={"PageSize": 5}) == [
        names[10:15],
        names[15:20],
    ]
    assert await asyncio.to_thread(groups, logGroupNamePattern="-03") == [["group-03"]]
    assert await asyncio.to_thread(groups, logGroupNamePattern="GROUP") == [[]]
    assert await asyncio.to_thread(groups, logGroupIdentifiers=[names[7], "other"]) == [[names[7]]]
    (brief,) = (await call(logs.describe_log_groups, logGroupNamePattern="-03"))["logGroups"]
    assert "storedBytes" not in brief

    moment = now()
    for number, offset in [(3, -30), (1, -20), (4, -10)]:
        entries = [{"timestamp": moment + offset, "message": "m"}]
        await call(logs.put_log_events, logGroupName=names[0], logStreamName=f"s{number}", logEvents=entries)

    def streams(**parameters: Any) -> list[list[str]]:
        pages = logs.get_paginator("describe_log_streams").paginate(logGroupName=names[0], **parameters)
        return [[stream["logStreamName"] for stream in page["logStreams"]] for page in pages]

    two = {"PageSize": 2}
    by_time = await asyncio.to_thread(streams, orderBy="LastEventTime", descending=True, PaginationConfig=two)
    assert by_time == [["s4", "s1"], ["s3", "s2"], ["s0"]]
    assert await asyncio.to_thread(streams, PaginationConfig=two) == [["s0", "s1"], ["s2", "s3"], ["s4"]]
    assert await asyncio.to_thread(streams, logStreamNamePrefix="s4") == [["s4"]]


async def test_what_is_asked_for_wrongly(cloud: Cloud) -> None:
    logs = cloud.client("logs")
    await call(logs.create_log_group, logGroupName="g")
    await call(logs.create_log_stream, logGroupName="g", logStreamName="s")
    stream = {"logGroupName": "g", "logStreamName": "s"}
    invalid = "InvalidParameterException"
    bad_token = (invalid, "The specified nextToken is invalid.")
    over = "1 validation error detected: Value '10001' at 'limit' failed to satisfy constraint: Member must have value "
    mistakes: list[tuple[Any, dict[str, Any], tuple[str, str]]] = [
        (logs.get_log_events, {**stream, "nextToken": "x"}, bad_token),
        (logs.filter_log_events, {"logGroupName": "g", "nextToken": "x"}, bad_token),
        (logs.describe_log_groups, {"nextToken": "x"}, bad_token),
        (logs.get_log_events, {**stream, "limit": 10001}, (invalid, f"{over}less than or equal to 10000")),
        (
            logs.filter_log_events,
            {"logGroupName": "g", "limit": 10001},
            (invalid, f"{over}less than or equal to 10000"),
        ),
        (
            logs.filter_log_events,
            {"logGroupName": "g", "filterPattern": "a:b"},
            (invalid, "Invalid character(s) in term ':'"),
        ),
        (
            logs.create_log_group,
            {"logGroupName": "x" * 513},
            (invalid, "Invalid LogGroup or LogStream, both must have length less than or equal to 512."),
        ),
        (
            logs.create_log_group,
            {"logGroupName": "aws/x"},
            (invalid, "Log groups starting with AWS/ are reserved for AWS."),
        ),
        (
            logs.describe_log_groups,
            {"logGroupNamePrefix": "a", "logGroupNamePattern": "b"},
            (invalid, "LogGroup name prefix and LogGroup name pattern are mutually exclusive parameters."),
        ),
        (
            logs.describe_log_streams,
            {"logGroupName": "g", "logGroupIdentifier": "g"},
            ("ValidationException", "LogGroup name and LogGroup ARN are mutually exclusive parameters."),
        ),
        (
            logs.describe_log_streams,
            {"logGroupName": "g", "logStreamNamePrefix": "a", "orderBy": "LastEventTime"},
            (invalid, "Cannot order by LastEventTime with a logStreamNamePrefix."),
        ),
    ]
    for operation, parameters, expected in mistakes:
        assert await refusal(operation, **parameters) == expected
    code, message = await refusal(logs.create_log_stream, logGroupName="g", logStreamName="a:b")
    assert code == invalid and message.startswith("1 validation error detected: Value 'a:b' at 'logStreamName' failed")
    code, message = await refusal(logs.describe_metric_filters)
    assert (code, message) == (
        "NotImplementedException",
        "The laboratory does not implement logs:DescribeMetricFilters.",
    )
    code, _ = await refusal(cloud.client("logs", aws_secret_access_key="guessed").describe_log_groups)
    assert code == "InvalidSignatureException"


WRITING = """
    import boto3, time
    def handler(event, context):
        logs, stream = boto3.client("logs"), {"logGroupName": event["group"], "logStreamName": "of F"}
        try:
            logs.create_log_stream(**stream)
            logs.put_log_events(**stream, logEvents=[{"timestamp": int(time.time() * 1000), "message": "by hand"}])
        except logs.exceptions.ClientError as error:
            return error.response["Error"]
"""


async def test_a_function_writes_where_its_role_allows(cloud: Cloud) -> None:
    cloud.service.log_groups.create_group("audit", {})
    cloud.service.log_groups.create_group("other", {})
    statement: Any = {"Effect": "Allow", "Action": "logs:*", "Resource": "arn:aws:logs:*:*:log-group:audit:*"}
    await cloud.service.create_role("auditor", trusting(LAMBDA), {"audit": {"Statement": [statement]}})
    await cloud.create(WRITING, role="auditor", timeout=30, memory_size=1769)

    written = await cloud.invoke('{"group": "audit"}')
    denied = await cloud.invoke('{"group": "other"}')

    assert written.payload == "null"
    (stream,) = cloud.lab.log_groups["audit"].streams.values()
    assert (stream.name, [event.text for event in stream.events]) == ("of F", ["by hand"])
    assert json.loads(denied.payload or "") == {
        "Code": "AccessDeniedException",
        "Message": "User: arn:aws:sts::000000000000:assumed-role/auditor/F is not authorized to perform: "
        "logs:CreateLogStream on resource: arn:aws:logs:us-east-1:000000000000:log-group:other:log-stream:of F "
        "because no identity-based policy allows the logs:CreateLogStream action",
    }
    assert cloud.lab.log_groups["other"].streams == {}
    assert cloud.lab.stream(written.log_group, written.log_stream) is None  # that the role does not allow


async def test_what_was_deleted_under_a_function_comes_back_if_its_role_allows(cloud: Cloud) -> None:
    await cloud.create(SPEAKING)
    first = await cloud.invoke()
    logs = cloud.client("logs")

    await call(logs.delete_log_group, logGroupName=GROUP)
    assert cloud.lab.logs_of(first.request_id) == []
    second = await cloud.invoke()

    assert second.log_stream == first.log_stream
    assert cloud.lines(second)[0].startswith("START")


async def test_the_aws_cli_reads_logs(cloud: Cloud) -> None:
    await cloud.create(SPEAKING)
    invocation = await cloud.invoke('{"lines": 12}')

    streams, got, filtered = await asyncio.gather(
        cloud.aws("logs", "describe-log-streams", "--log-group-name", GROUP),
        cloud.aws(
            "logs", "get-log-events", "--log-group-name", GROUP, "--log-stream-name", invocation.log_stream or ""
        ),
        cloud.aws(
            "logs", "filter-log-events", "--log-group-name", GROUP, "--filter-pattern", "line -11", "--page-size", "4"
        ),
    )

    assert [stream["logStreamName"] for stream in streams["logStreams"]] == [invocation.log_stream]
    assert [event["message"] for event in got["events"]] == [f"{line}\n" for line in cloud.lines(invocation)]
    assert [event["message"] for event in filtered["events"]] == [f"line {number}\n" for number in range(11)]
