"""The execution role of a function: who may assume it, and what its policies allow ("Defining Lambda function
permissions with an execution role" in the developer guide; evaluation as in "Policy evaluation logic" of IAM's)."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import TypeAlias

from lambdatui.events import Json
from lambdatui.refusal import InvalidParameter, ResourceNotFound

LAMBDA = "lambda.amazonaws.com"
LOGGING = ("logs:CreateLogGroup", "logs:CreateLogStream", "logs:PutLogEvents")

Document: TypeAlias = Mapping[str, Json]
"""A policy as IAM has it: {"Version": ..., "Statement": [...]}."""


def _allowing(*actions: str) -> Document:
    statement: Json = {"Effect": "Allow", "Action": [*actions], "Resource": "*"}
    return {"Version": "2012-10-17", "Statement": [statement]}


_NETWORK_INTERFACES = (
    *("ec2:CreateNetworkInterface", "ec2:DescribeNetworkInterfaces", "ec2:DescribeSubnets"),
    *("ec2:DeleteNetworkInterface", "ec2:AssignPrivateIpAddresses", "ec2:UnassignPrivateIpAddresses"),
)
_QUEUE = ("sqs:ReceiveMessage", "sqs:DeleteMessage", "sqs:GetQueueAttributes")

MANAGED_POLICIES: Mapping[str, Document] = {
    "AdministratorAccess": _allowing("*"),
    "AmazonS3FullAccess": _allowing("s3:*", "s3-object-lambda:*"),
    "AmazonS3ReadOnlyAccess": _allowing("s3:Get*", "s3:List*", "s3:Describe*"),
    "AWSLambdaBasicExecutionRole": _allowing(*LOGGING),
    "AWSLambdaRole": _allowing("lambda:InvokeFunction"),
    "AWSLambdaSQSQueueExecutionRole": _allowing(*_QUEUE, *LOGGING),
    "AWSLambdaVPCAccessExecutionRole": _allowing(*LOGGING, *_NETWORK_INTERFACES),
    "AWSLambda_FullAccess": _allowing("lambda:*", "logs:DescribeLogGroups", "iam:PassRole", "cloudwatch:*"),
    "AWSXRayDaemonWriteAccess": _allowing("xray:PutTraceSegments", "xray:PutTelemetryRecords", "xray:GetSampling*"),
    "CloudWatchLogsFullAccess": _allowing("logs:*"),
    "CloudWatchLogsReadOnlyAccess": _allowing("logs:Describe*", "logs:Get*", "logs:FilterLogEvents"),
}
"""Those that AWS manages, by name, as far as functions use them ("AWS Managed Policy Reference Guide")."""


@dataclass(frozen=True)
class Role:
    """`trust` is its assume role policy; `policies` those that are attached, by name."""

    name: str
    arn: str
    trust: Document
    policies: Mapping[str, Document]

    def check_trust(self) -> None:
        """Whether Lambda may assume it; raises InvalidParameter."""
        if not _decide([self.trust], "sts:AssumeRole", None, LAMBDA):
            raise InvalidParameter("The role defined for the function cannot be assumed by Lambda.")

    def allows(self, action: str, resource: str) -> bool:
        """Whether a policy allows it and none denies it."""
        return _decide(self.policies.values(), action, resource, None)

    def may_log(self, group_arn: str, *, group_exists: bool) -> bool:
        """Whether its functions' log events are kept. For want of permissions the service drops them silently."""
        needed = LOGGING[1:] if group_exists else LOGGING
        return all(self.allows(action, f"{group_arn}:log-stream:x") for action in needed)


def managed_policy(name: str) -> Document:
    """By its name, or its ARN; raises ResourceNotFound."""
    known = MANAGED_POLICIES.get(name.rpartition("/")[2])
    if known is None:
        raise ResourceNotFound(f"Policy {name} does not exist or is not attachable.")
    return known


def trusting(service: str) -> Document:
    """The assume role policy that lets this service in."""
    statement: Json = {"Effect": "Allow", "Principal": {"Service": service}, "Action": "sts:AssumeRole"}
    return {"Version": "2012-10-17", "Statement": [statement]}


def problems_in(document: Document) -> Iterator[str]:
    """What makes this no policy."""
    statements = _listed(document.get("Statement"))
    if not statements:
        yield "a policy needs a Statement"
    for statement in statements:
        if not isinstance(statement, dict):
            yield "a Statement is a mapping with Effect, Action and Resource"
        elif statement.get("Effect") not in ("Allow", "Deny"):
            yield "the Effect of a Statement is Allow or Deny"
        elif not ({"Action", "NotAction"} & statement.keys()):
            yield "a Statement needs an Action"
        elif "Condition" in statement:
            yield "this version of lambdatui does not support the Condition of a Statement yet"


def _decide(documents: Iterable[Document], action: str, resource: str | None, principal: str | None) -> bool:
    """One Deny outweighs every Allow; without any it is no."""
    effects = {
        statement.get("Effect")
        for document in documents
        for statement in _listed(document.get("Statement"))
        if isinstance(statement, dict) and _applies(statement, action, resource, principal)
    }
    return "Allow" in effects and "Deny" not in effects


def _applies(statement: Mapping[str, Json], action: str, resource: str | None, principal: str | None) -> bool:
    if not _chosen(statement, "Action", action, ignore_case=True):
        return False
    if resource is not None and not _chosen(statement, "Resource", resource):
        return False
    return principal is None or _is_principal(statement.get("Principal"), principal)


def _chosen(statement: Mapping[str, Json], key: str, value: str, ignore_case: bool = False) -> bool:
    """Whether `value` matches one of the patterns of the key, or none of those of its negation (NotAction)."""
    if f"Not{key}" in statement:
        return not _matches(statement[f"Not{key}"], value, ignore_case)
    return _matches(statement.get(key), value, ignore_case)


def _matches(patterns: Json, value: str, ignore_case: bool) -> bool:
    return any(
        _pattern(each, ignore_case).fullmatch(value) is not None for each in _listed(patterns) if isinstance(each, str)
    )


@lru_cache(maxsize=512)
def _pattern(text: str, ignore_case: bool) -> re.Pattern[str]:
    """`*` is any text, `?` any character."""
    expression = "".join({"*": ".*", "?": "."}.get(char, re.escape(char)) for char in text)
    return re.compile(expression, re.DOTALL | (re.IGNORECASE if ignore_case else re.NOFLAG))


def _is_principal(principal: Json, service: str) -> bool:
    if isinstance(principal, dict):
        return service in _listed(principal.get("Service"))
    return principal == "*"


def _listed(value: Json) -> list[Json]:
    if value is None:
        return []
    return value if isinstance(value, list) else [value]
