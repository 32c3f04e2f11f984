"""Functions that invoke themselves, by way of the endpoint and of boto3."""

from __future__ import annotations

import json
from typing import Any

import pytest
from botocore.exceptions import ClientError

from lambdatui import events as ev
from lambdatui.service.trace import MAX_VISITS, Trace
from tests.aws.conftest import Cloud
from tests.aws.test_invoke import invoke

ARN = "arn:aws:lambda:us-east-1:000000000000:function:"

AGAIN = """
    import json, os, boto3
    client = boto3.client("lambda")
    def handler(event, context):
        trace = os.environ["_X_AMZN_TRACE_ID"]
        if event["more"] == 0:
            return [trace]
        more = json.dumps({**event, "more": event["more"] - 1})
        answer = client.invoke(FunctionName=event["names"][event["more"] % len(event["names"])], Payload=more)
        return [trace, *json.loads(answer["Payload"].read())]
"""


async def test_a_trace_leads_through_all_functions(cloud: Cloud) -> None:
    for name in ("F", "G"):
        await cloud.create(AGAIN, name=name, timeout=60, memory_size=1769)
    event = json.dumps({"more": 2, "names": ["G", "F"]})
    answer = await invoke(cloud.client(), Payload=event)
    traces = [Trace.parse(header) for header in json.loads(answer["Payload"])]
    assert len({trace.root for trace in traces}) == 1
    assert [(trace.visits(f"{ARN}F"), trace.visits(f"{ARN}G")) for trace in traces] == [(1, 0), (1, 1), (2, 1)]


async def test_an_event_loop_is_stopped(cloud: Cloud) -> None:
    loop = """
        import boto3
        client = boto3.client("lambda")
        def handler(event, context):
            client.invoke(FunctionName="F", InvocationType="Event", Payload=str(event + 1))
    """
    await cloud.create(loop, timeout=60, memory_size=1769)
    await invoke(cloud.client(), InvocationType="Event", Payload="1")
    await cloud.until(lambda event: isinstance(event, ev.EventConcluded) and event.condition == "RecursiveInvocation")
    ran = [each for each in cloud.lab.invocations.values() if each.environment]
    assert [each.event for each in ran] == [str(number) for number in range(1, MAX_VISITS + 1)]


async def test_a_loop_of_those_who_wait_is_refused(cloud: Cloud) -> None:
    await cloud.create("def handler(event, context): pass")
    client = cloud.client()
    trace = Trace()

    def send_on(request: Any, **_: Any) -> None:
        request.headers["X-Amzn-Trace-Id"] = str(trace)

    client.meta.events.register("before-sign.lambda", send_on)
    for _ in range(MAX_VISITS - 1):
        trace = trace.through(f"{ARN}F")
    await invoke(client)
    trace = trace.through(f"{ARN}F")
    with pytest.raises(ClientError) as refused:
        await invoke(client)
    response = refused.value.response
    assert response["Error"]["Code"] == "RecursiveInvocationException"
    assert response["ResponseMetadata"]["HTTPStatusCode"] == 400
    assert "A loop was stopped" in cloud.lab.notices[-1].message
    assert len(cloud.lab.invocations) == 1
