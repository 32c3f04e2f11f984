"""What the services of AWS send to a function: a typical event of each, to invoke it with by hand and in experiments.

The shapes are those of the pages about each service in the Lambda developer guide, and of the services' own guides
("Event message structure" in S3's, "Lambda trigger event" in Cognito's).
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path

from lambdatui.events import Json

SERVICE_EVENTS: Mapping[str, str] = {
    "alb": "Application Load Balancer: a request",
    "api-gateway-authorizer": "API Gateway: a request to be authorized",
    "api-gateway-http": "API Gateway: a request to an HTTP API (payload 2.0)",
    "api-gateway-rest": "API Gateway: a request to a REST API",
    "api-gateway-websocket": "API Gateway: a message on a WebSocket",
    "appsync": "AppSync: a GraphQL field to be resolved",
    "cloudformation": "CloudFormation: a custom resource to be created",
    "cloudwatch-alarm": "CloudWatch: an alarm",
    "cloudwatch-logs": "CloudWatch Logs: what a subscription filter lets through",
    "cognito-post-confirmation": "Cognito: a user has signed up",
    "cognito-pre-sign-up": "Cognito: a user signs up",
    "cognito-pre-token-generation": "Cognito: a token is about to be made",
    "dynamodb-stream": "DynamoDB: an item put, changed and removed",
    "eventbridge": "EventBridge: an event that a rule matches",
    "eventbridge-schedule": "EventBridge: it is time, by a rule's schedule",
    "firehose": "Data Firehose: records to be transformed",
    "function-url": "Lambda: a request to a function URL",
    "kafka": "Amazon MSK: records of a Kafka topic",
    "kinesis": "Kinesis: records of a data stream",
    "s3-delete": "S3: an object was deleted",
    "s3-put": "S3: an object was put",
    "ses": "SES: a mail was received",
    "sns": "SNS: a notification",
    "sqs": "SQS: messages of a queue",
}
"""Their names, and what has happened."""


def service_event(name: str) -> Json:
    """The event of that name. Raises KeyError."""
    if name not in SERVICE_EVENTS:
        raise KeyError(name)
    event: Json = json.loads(Path(__file__).with_name(f"{name}.json").read_text(encoding="utf-8"))
    return event


def laid_over(event: Json, base: Json) -> Json:
    """`base` with what `event` says instead: mappings key by key, lists item by item. Items beyond those of `base`
    are laid over its last, so that two records say no more than what sets them apart."""
    if isinstance(event, dict) and isinstance(base, dict):
        return {**base, **{key: laid_over(each, base.get(key)) for key, each in event.items()}}
    if isinstance(event, list) and isinstance(base, list) and base:
        return [laid_over(each, base[min(index, len(base) - 1)]) for index, each in enumerate(event)]
    return event
