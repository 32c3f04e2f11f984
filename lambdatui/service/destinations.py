"""Where it is told what became of an asynchronous invocation: the records, and their way to queues, topics, buses and
files.

The records are those of "Retaining records of asynchronous invocations". A function of the laboratory is a
destination too; that is an invocation like any other and not done here.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import TypeAlias

from lambdatui.events import InvocationAnswered, Json
from lambdatui.function import parse_json
from lambdatui.service.retries import Conclude, Condition

MAX_ERROR_MESSAGE_BYTES = 1024
"""Of a dead letter's ErrorMessage attribute."""
_DEAD_LETTER_ERRORS = {
    Condition.ZERO_RESERVED_CONCURRENCY: (
        *("429", "Function not invoked. Function is configured with zero reserved concurrent executions"),
    ),
    Condition.RECURSIVE_INVOCATION: (
        *("400", "The function was invoked in a recursive loop, and Lambda stopped its invocation."),
    ),
}
_NO_BOTO3 = "sending to AWS needs boto3, which is not installed here: pip install 'lambdatui[aws]'"


class DeliveryFailed(Exception):
    """A destination did not get its record; the text is one sentence."""


# -- where to -------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class ToFunction:
    """Of the laboratory, or what is taken for one."""

    name: str
    qualifier: str | None


@dataclass(frozen=True)
class ToFile:
    """One line of JSON for each record."""

    path: Path


@dataclass(frozen=True)
class ToService:
    """A queue ('sqs'), a topic ('sns') or an event bus ('events') wherever the AWS SDK's own variables lead
    (AWS_ENDPOINT_URL and its relatives, credentials)."""

    service: str
    region: str
    account: str
    resource: str
    arn: str


Target: TypeAlias = ToFunction | ToFile | ToService

ACTIONS = {"sqs": "sqs:SendMessage", "sns": "sns:Publish", "events": "events:PutEvents"}
"""What the function's execution role must allow for each service; "lambda:InvokeFunction" for a function."""


def target_of(destination: str, functions_arn: str) -> Target:
    """A destination as a configuration has it; `functions_arn` is what the ARNs of the laboratory's functions begin
    with."""
    if destination.startswith("file:"):
        return ToFile(Path(destination.removeprefix("file:")))
    if destination.startswith((functions_arn, "function:")):
        name = destination.removeprefix(functions_arn).removeprefix("function:")
        name, _, qualifier = name.partition(":")
        return ToFunction(name, qualifier or None)
    _, _, service, region, account, resource = destination.split(":", 5)
    return ToService(service, region, account, resource, destination)


# -- what -----------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Outcome:
    """What became of an event. `answer` is that of the last attempt, None where the function never ran."""

    request_id: str
    function_arn: str
    """With the qualifier it was invoked by, or $LATEST."""
    version: str
    payload: str
    end: Conclude
    answer: InvocationAnswered | None


@dataclass(frozen=True)
class Message:
    """`attributes` are values with their types, 'String' or 'Number'; `detail_type` and `resources` are for an event
    bus."""

    body: str
    attributes: Mapping[str, tuple[str, str]]
    detail_type: str
    resources: tuple[str, ...]

    def to_line(self) -> str:
        """As JSON text: the record; of a dead letter its body and its attributes."""
        if not self.attributes:
            return self.body
        attributes = {name: {"Type": kind, "Value": value} for name, (kind, value) in self.attributes.items()}
        return json.dumps({"Body": self.body, "MessageAttributes": attributes}, ensure_ascii=False)


def record(outcome: Outcome, now: float) -> Message:
    """For an on-success or on-failure destination; `now` in seconds since the epoch."""
    success = outcome.end.condition is Condition.SUCCESS
    body: dict[str, Json] = {
        "version": "1.0",
        "timestamp": datetime.fromtimestamp(now, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z"),
        "requestContext": {
            "requestId": outcome.request_id,
            "functionArn": outcome.function_arn,
            "condition": str(outcome.end.condition),
            "approximateInvokeCount": outcome.end.attempts,
        },
        "requestPayload": _parsed(outcome.payload),
    }
    if answer := outcome.answer:
        context: dict[str, Json] = {"statusCode": 200, "executedVersion": outcome.version}
        if answer.function_error:
            context["functionError"] = answer.function_error
        body |= {"responseContext": context, "responsePayload": _parsed(answer.payload)}
    detail_type = f"Lambda Function Invocation Result - {'Success' if success else 'Failure'}"
    return Message(json.dumps(body, ensure_ascii=False), {}, detail_type, (outcome.function_arn,))


def dead_letter(outcome: Outcome) -> Message:
    """For a dead-letter queue: the event as it was, and why it is there."""
    code, message = "429", "Rate Exceeded."
    if outcome.answer:
        code, result = "200", _parsed(outcome.answer.payload)
        message = str(result.get("errorMessage", "")) if isinstance(result, dict) else ""
    code, message = _DEAD_LETTER_ERRORS.get(outcome.end.condition, (code, message))
    attributes = {"RequestID": ("String", outcome.request_id), "ErrorCode": ("Number", code)}
    if message:
        shortened = message.encode(errors="replace")[:MAX_ERROR_MESSAGE_BYTES].decode(errors="ignore")
        attributes["ErrorMessage"] = ("String", shortened)
    return Message(outcome.payload, attributes, "", ())


def _parsed(text: str) -> Json:
    try:
        return parse_json(text)
    except (ValueError, RecursionError):
        return text


# -- on its way -----------------------------------------------------------------------------------------------------


async def send(message: Message, target: ToFile | ToService) -> None:
    """Raises DeliveryFailed."""
    if isinstance(target, ToFile):
        _append(message, target.path)
    else:
        await asyncio.to_thread(_call, message, target)  # boto3 waits for the network


def _append(message: Message, path: Path) -> None:
    try:
        with path.open("a", encoding="utf-8", errors="backslashreplace") as file:
            file.write(f"{message.to_line()}\n")
    except OSError as error:
        raise DeliveryFailed(f"{path} cannot be written: {error.strerror}") from None


def _call(message: Message, target: ToService) -> None:
    try:
        import boto3
        from botocore.config import Config
        from botocore.exceptions import BotoCoreError, ClientError
    except ImportError:
        raise DeliveryFailed(_NO_BOTO3) from None
    config = Config(connect_timeout=3, read_timeout=5, retries={"total_max_attempts": 2})
    try:
        client = boto3.session.Session().client(target.service, region_name=target.region, config=config)
        attributes = {
            name: {"DataType": kind, "StringValue": value} for name, (kind, value) in message.attributes.items()
        }
        match target.service:
            case "sqs":
                queue = client.get_queue_url(QueueName=target.resource, QueueOwnerAWSAccountId=target.account)
                client.send_message(QueueUrl=queue["QueueUrl"], MessageBody=message.body, MessageAttributes=attributes)
            case "sns":
                client.publish(TopicArn=target.arn, Message=message.body, MessageAttributes=attributes)
            case "events":
                _put(client.put_events(Entries=[_entry(message, target)]))
            case service:
                raise DeliveryFailed(f"there is no way to {service} from this laboratory")
    except (BotoCoreError, ClientError, ValueError) as error:
        raise DeliveryFailed(str(error)) from None


def _entry(message: Message, target: ToService) -> dict[str, object]:
    return {
        "Source": "lambda",
        "DetailType": message.detail_type,
        "Detail": message.body,
        "Resources": [*message.resources, target.arn],
        "EventBusName": target.arn,
    }


def _put(answer: Mapping[str, list[Mapping[str, str]]]) -> None:
    if answer["FailedEntryCount"]:
        raise DeliveryFailed(answer["Entries"][0].get("ErrorMessage", "the event bus refused it"))
