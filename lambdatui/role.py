"""The execution role of a function: who may assume it, and what its policies allow ("Defining Lambda function
permissions with an execution role" in the developer guide)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

from lambdatui.events import Json
from lambdatui.policy import Document, Effect, Principal, Question, decide, together
from lambdatui.refusal import InvalidParameter, ResourceNotFound

LAMBDA = "lambda.amazonaws.com"
LOGGING = ("logs:CreateLogGroup", "logs:CreateLogStream", "logs:PutLogEvents")


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
        lambda_itself = frozenset({Principal("Service", LAMBDA)})
        if decide([self.trust], Question("sts:AssumeRole", principals=lambda_itself)) is not Effect.ALLOW:
            raise InvalidParameter("The role defined for the function cannot be assumed by Lambda.")

    def allows(self, action: str, resource: str) -> bool:
        """Whether a policy allows it and none denies it."""
        return self.decide(Question(action, resource)) is Effect.ALLOW

    def decide(self, question: Question, session: str = "", on_resource: Document | None = None) -> Effect:
        """What its policies say, and that of the resource, if it has one (`on_resource`). `session` is the ARN under
        which the role acts."""
        own = decide(self.policies.values(), question)
        if on_resource is None:
            return own
        names = frozenset({Principal("AWS", self.arn), Principal("AWS", session)})
        return together(own, decide([on_resource], replace(question, principals=names)))

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
