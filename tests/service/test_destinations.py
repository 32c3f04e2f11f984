"""Destinations in AWS, against a server that speaks as AWS does (moto), in a process of its own."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator
from typing import Any

import boto3
import pytest

from lambdatui.service.destinations import DeliveryFailed, Message, ToService, send, target_of
from tests.service.conftest import Laboratory, Opener
from tests.service.test_asynchronous import ECHO, FAILS, leave

ACCOUNT = "123456789012"


@pytest.fixture(scope="module")
def endpoint() -> Iterator[str]:
    program = (
        "import sys\nfrom moto.server import ThreadedMotoServer\n"
        "server = ThreadedMotoServer('127.0.0.1', 0, verbose=False)\nserver.start()\n"
        "print(server.get_host_and_port()[1], flush=True)\nsys.stdin.read()"
    )
    with subprocess.Popen(
        [sys.executable, "-c", program], stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL
    ) as process:
        assert process.stdout
        try:
            yield f"http://127.0.0.1:{int(process.stdout.readline())}"
        finally:
            process.kill()


@pytest.fixture
def aws(endpoint: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """What the laboratory's own environment says."""
    monkeypatch.setenv("AWS_ENDPOINT_URL", endpoint)
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "testing")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "testing")
    monkeypatch.setenv("AWS_REGION", "eu-west-1")


def client(service: str) -> Any:
    return boto3.session.Session().client(service, region_name="us-east-1")


class Queue:
    """An SQS queue."""

    def __init__(self, name: str) -> None:
        self._sqs = client("sqs")
        self._url = self._sqs.create_queue(QueueName=name)["QueueUrl"]
        self.arn = f"arn:aws:sqs:us-east-1:{ACCOUNT}:{name}"

    def received(self) -> Any:
        """The one message in it."""
        answer = self._sqs.receive_message(QueueUrl=self._url, MessageAttributeNames=["All"], WaitTimeSeconds=5)
        (message,) = answer["Messages"]
        return message


@pytest.fixture
async def fast(open_laboratory: Opener) -> Laboratory:
    laboratory = await open_laboratory(time_scale=600.0)
    assert isinstance(laboratory, Laboratory)
    return laboratory


async def test_a_queue(aws: None, fast: Laboratory) -> None:
    records, letters = Queue("records"), Queue("letters")
    await fast.create(
        FAILS,
        maximum_retry_attempts=0,
        destination_config={"on_failure": {"destination": records.arn}},
        dead_letter_config={"target_arn": letters.arn},
    )
    invocation = await leave(fast, '{"a": 1}')
    assert [(each.by, each.error) for each in invocation.forwarded] == [("dead_letter", None), ("on_failure", None)]
    record = json.loads(records.received()["Body"])
    assert record["requestContext"]["requestId"] == invocation.request_id
    assert record["responsePayload"]["errorMessage"] == "boom"
    letter = letters.received()
    assert letter["Body"] == '{"a": 1}'
    attributes = letter["MessageAttributes"]
    assert {name: (each["DataType"], each["StringValue"]) for name, each in attributes.items()} == {
        "RequestID": ("String", invocation.request_id),
        "ErrorCode": ("Number", "200"),
        "ErrorMessage": ("String", "boom"),
    }


async def test_a_topic(aws: None, fast: Laboratory) -> None:
    queue, sns = Queue("subscriber"), client("sns")
    topic = sns.create_topic(Name="results")["TopicArn"]
    sns.subscribe(TopicArn=topic, Protocol="sqs", Endpoint=queue.arn)
    await fast.create(ECHO, destination_config={"on_success": {"destination": topic}})
    invocation = await leave(fast, '"hello"')
    assert invocation.forwarded[0].error is None
    record = json.loads(json.loads(queue.received()["Body"])["Message"])
    assert (record["requestPayload"], record["responsePayload"]) == ("hello", "hello")


async def test_an_event_bus(aws: None, fast: Laboratory) -> None:
    queue, events = Queue("matched"), client("events")
    bus = events.create_event_bus(Name="orders")["EventBusArn"]
    pattern = {"detail-type": ["Lambda Function Invocation Result - Success"], "source": ["lambda"]}
    events.put_rule(Name="all", EventBusName="orders", EventPattern=json.dumps(pattern))
    events.put_targets(Rule="all", EventBusName="orders", Targets=[{"Id": "1", "Arn": queue.arn}])
    await fast.create(ECHO, destination_config={"on_success": {"destination": bus}})
    invocation = await leave(fast, "7")
    assert invocation.forwarded[0].error is None
    event = json.loads(queue.received()["Body"])
    assert event["detail"]["responsePayload"] == 7
    assert event["resources"] == ["arn:aws:lambda:us-east-1:000000000000:function:F:$LATEST", bus]


MESSAGE = Message("{}", {}, "", ())


def sqs(name: str) -> ToService:
    target = target_of(f"arn:aws:sqs:us-east-1:{ACCOUNT}:{name}", "arn:aws:lambda:us-east-1:000000000000:function:")
    assert isinstance(target, ToService)
    return target


async def test_a_queue_that_does_not_exist(aws: None) -> None:
    with pytest.raises(DeliveryFailed, match="does not exist"):
        await send(MESSAGE, sqs("nowhere"))


async def test_an_endpoint_that_does_not_answer(aws: None, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_ENDPOINT_URL_SQS", "http://127.0.0.1:9")
    with pytest.raises(DeliveryFailed, match=r"Could not connect to the endpoint URL: .http://127\.0\.0\.1:9"):
        await send(MESSAGE, sqs("nowhere"))


async def test_without_boto3_it_is_said_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "boto3", None)
    with pytest.raises(DeliveryFailed, match=r"needs boto3, .*: pip install 'lambdatui\[aws\]'"):
        await send(MESSAGE, sqs("any"))
