"""Whatever CloudWatch Logs' model allows is answered, and never by a failure; and what the service knows of log groups
is what the journal tells of them."""

from __future__ import annotations

import contextlib
import time
from typing import Any

from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from lambdatui.aws.logs_api.api import LogsApi
from lambdatui.refusal import ResourceAlreadyExists
from lambdatui.service.log_groups import RETENTIONS, LogGroups
from tests.aws.conftest import Cloud
from tests.aws.generated import LOGS_MODEL, carried_out, inputs
from tests.aws.model import problems_in

ARN = "arn:aws:logs:us-east-1:000000000000:log-group:"
GROUPS, STREAMS = ["g", "/aws/lambda/F"], ["a", "b", "2026/11/25/[$LATEST]0"]
NOW = round(time.time() * 1000)
TIMES = st.integers(NOW - 2 * 24 * 3600 * 1000, NOW)


def in_order(events: list[dict[str, Any]]) -> list[dict[str, Any]]:
    return sorted(events, key=lambda event: int(event["timestamp"]))


KNOWN = {
    "logGroupName": st.sampled_from(GROUPS),
    "logGroupIdentifier": st.sampled_from([*GROUPS, *(f"{ARN}{name}" for name in GROUPS)]),
    "resourceArn": st.sampled_from([f"{ARN}{name}" for name in GROUPS]),
    "logStreamName": st.sampled_from(STREAMS),
    "logStreamNames": st.lists(st.sampled_from(STREAMS), min_size=1, max_size=3),
    "logStreamNamePrefix": st.sampled_from(["a", "2026/"]),
    "logEvents": st.lists(
        st.fixed_dictionaries({"timestamp": TIMES, "message": st.text(min_size=1, max_size=9)}), min_size=1, max_size=5
    ).map(in_order),
    "timestamp": TIMES,
    "retentionInDays": st.sampled_from(RETENTIONS),
    "logGroupClass": st.just("STANDARD"),
    "filterPattern": st.sampled_from(["", "a ?b -c", "{ $.a = 1 }", "[a, ...]", "%x|y%"]),
    "nextToken": st.sampled_from([f"f/{NOW << 144:056}/s", f"b/{NOW << 144:056}/s", f"f/{9**70}/s"]),
}
OPERATIONS = (
    *("CreateLogGroup", "DescribeLogGroups", "DeleteLogGroup", "PutRetentionPolicy", "DeleteRetentionPolicy"),
    *("TagResource", "UntagResource", "ListTagsForResource", "CreateLogStream", "DescribeLogStreams"),
    *("DeleteLogStream", "PutLogEvents", "PutLogEvents", "GetLogEvents", "GetLogEvents", "FilterLogEvents"),
)


def stock(log_groups: LogGroups) -> None:
    """Make what is missing."""
    for group in GROUPS:
        with contextlib.suppress(ResourceAlreadyExists):
            log_groups.create_group(group, {})
        for stream in STREAMS:
            with contextlib.suppress(ResourceAlreadyExists):
                log_groups.create_stream(group, stream)


def with_one_name(step: tuple[str, dict[str, Any]]) -> tuple[str, dict[str, Any]]:
    """Of the members of which the service takes one only, seldom more."""
    name, members = step
    for one, other in (("logGroupName", "logGroupIdentifier"), ("logStreamNames", "logStreamNamePrefix")):
        if one in members and len(members) % 5:
            members = {key: value for key, value in members.items() if key != other}
    return name, members


@settings(max_examples=300, deadline=None, phases=[Phase.generate], suppress_health_check=list(HealthCheck))
@given(st.one_of([st.tuples(st.just(name), inputs(name, KNOWN, LOGS_MODEL)) for name in OPERATIONS]).map(with_one_name))
async def test_no_input_makes_an_operation_fail(cloud: Cloud, step: tuple[str, dict[str, Any]]) -> None:
    stock(cloud.service.log_groups)
    operation = LOGS_MODEL.operation_model(step[0])

    response = await carried_out(LogsApi(cloud.service, cloud.lab), operation, step[1])

    assert not list(problems_in(operation, response))
    known = cloud.service.log_groups
    assert all(known.has(stream.group, stream.name) for stream in cloud.lab.streams)
    for group in GROUPS:
        assert all((cloud.lab.stream(group, name) is not None) == known.has(group, name) for name in STREAMS)
