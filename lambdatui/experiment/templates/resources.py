"""What resources that a stack would make are called: their names, what a reference to them gives, and their ARNs
("Resource and property types reference" in the CloudFormation user guide, under "Return values")."""

from __future__ import annotations

from typing import NamedTuple


class _Kind(NamedTuple):
    name: str
    """The property that names it."""
    arn: str
    refers: str = "{name}"
    """What Ref gives."""
    attributes: tuple[tuple[str, str], ...] = ()


_LAMBDA = _Kind("FunctionName", "arn:aws:lambda:{region}:{account}:function:{name}")
_TABLE = _Kind("TableName", "arn:aws:dynamodb:{region}:{account}:table/{name}")
_STATES = "arn:aws:states:{region}:{account}:stateMachine:{name}"
_SNS = "arn:aws:sns:{region}:{account}:{name}"
_SQS = "https://sqs.{region}.amazonaws.com/{account}/{name}"
_SECRET = "arn:aws:secretsmanager:{region}:{account}:secret:{name}"
_KINDS = {
    "AWS::DynamoDB::Table": _TABLE._replace(
        attributes=(("StreamArn", f"{_TABLE.arn}/stream/2024-01-01T00:00:00.000"),)
    ),
    "AWS::Events::EventBus": _Kind("Name", "arn:aws:events:{region}:{account}:event-bus/{name}"),
    "AWS::IAM::Role": _Kind("RoleName", "arn:aws:iam::{account}:role/{name}"),
    "AWS::Kinesis::Stream": _Kind("Name", "arn:aws:kinesis:{region}:{account}:stream/{name}"),
    "AWS::KMS::Key": _Kind("", "arn:aws:kms:{region}:{account}:key/{name}"),
    "AWS::Lambda::Function": _LAMBDA,
    "AWS::Logs::LogGroup": _Kind("LogGroupName", "arn:aws:logs:{region}:{account}:log-group:{name}:*"),
    "AWS::S3::Bucket": _Kind(
        "BucketName",
        "arn:aws:s3:::{name}",
        attributes=(
            ("DomainName", "{name}.s3.amazonaws.com"),
            ("RegionalDomainName", "{name}.s3.{region}.amazonaws.com"),
        ),
    ),
    "AWS::SecretsManager::Secret": _Kind("Name", _SECRET, _SECRET),
    "AWS::Serverless::Function": _LAMBDA,
    "AWS::Serverless::SimpleTable": _TABLE,
    "AWS::Serverless::StateMachine": _Kind("Name", _STATES, _STATES, (("Name", "{name}"),)),
    "AWS::SNS::Topic": _Kind("TopicName", _SNS, _SNS, (("TopicArn", _SNS), ("TopicName", "{name}"))),
    "AWS::SQS::Queue": _Kind(
        "QueueName", "arn:aws:sqs:{region}:{account}:{name}", _SQS, (("QueueName", "{name}"), ("QueueUrl", _SQS))
    ),
    "AWS::SSM::Parameter": _Kind("Name", "arn:aws:ssm:{region}:{account}:parameter/{name}"),
    "AWS::StepFunctions::StateMachine": _Kind("StateMachineName", _STATES, _STATES, (("Name", "{name}"),)),
}


def name_property(kind: str) -> str | None:
    """The property by which a resource of this type can be given its name."""
    return _KINDS[kind].name if kind in _KINDS else None


def reference(kind: str, name: str, region: str, account: str) -> str:
    """What Ref gives for it; of types that are not known here, its name."""
    refers = _KINDS[kind].refers if kind in _KINDS else "{name}"
    return _filled(refers, name, region, account)


def attribute(kind: str, key: str, name: str, region: str, account: str) -> str | None:
    """What Fn::GetAtt gives for it; None where that is not known."""
    known = _KINDS.get(kind)
    if known is None:
        return None
    form = dict([("Arn", known.arn), *known.attributes]).get(key)
    return None if form is None else _filled(form, name, region, account)


def _filled(form: str, name: str, region: str, account: str) -> str:
    return form.replace("{region}", region).replace("{account}", account).replace("{name}", name)
