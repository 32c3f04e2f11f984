"""What the operations of CloudWatch Logs take, and how they name log groups."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Annotated, Self, TypeAlias

from pydantic import ConfigDict, Field
from pydantic.alias_generators import to_camel

from lambdatui.aws.call import Call
from lambdatui.aws.inputs import Input, matching
from lambdatui.refusal import InvalidLogsParameter, InvalidRequestContent, SerializationFailed, ValidationFailed

GroupName: TypeAlias = Annotated[str, Field(min_length=1, max_length=512), matching(r"[\.\-_/#A-Za-z0-9]+")]
GroupIdentifier: TypeAlias = Annotated[str, Field(min_length=1, max_length=2048), matching(r"[\w#+=/:,.@-]*")]
"""A log group's name, or its ARN without `:*`."""
StreamName: TypeAlias = Annotated[str, Field(min_length=1, max_length=512), matching(r"[^:*]*")]
StreamNames: TypeAlias = Annotated[list[StreamName], Field(min_length=1, max_length=100)]
Timestamp: TypeAlias = Annotated[int, Field(ge=0)]
"""Milliseconds since the epoch."""
Token: TypeAlias = Annotated[str, Field(min_length=1)]
Pattern: TypeAlias = Annotated[str, Field(max_length=1024)]
DescribeLimit: TypeAlias = Annotated[int, Field(ge=1, le=50)]
EventsLimit: TypeAlias = Annotated[int, Field(ge=1, le=10000)]


class LogsInput(Input):
    """Members are in camel case on the wire."""

    model_config = ConfigDict(alias_generator=to_camel)
    refusal = InvalidLogsParameter

    @classmethod
    def of(cls, call: Call) -> Self:
        """Out of the body. Raises ServiceRefusal."""
        try:
            members = call.members()
        except InvalidRequestContent as refusal:
            raise SerializationFailed(str(refusal)) from None
        return cls.read(members, strict=True)


class OfGroup(LogsInput):
    """One log group, by its name or else by its identifier."""

    log_group_name: GroupName | None = None
    log_group_identifier: GroupIdentifier | None = None

    def group(self, arn: str) -> str:
        """Its name, where ARNs of log groups begin with `arn`. Raises ServiceRefusal."""
        match self.log_group_name, self.log_group_identifier:
            case None, None:
                raise ValidationFailed("Either LogGroup name or LogGroup ARN is required.")
            case str() as name, None:
                return name
            case None, str() as identifier:
                return name_of(identifier, arn)
        raise ValidationFailed("LogGroup name and LogGroup ARN are mutually exclusive parameters.")


def name_of(identifier: str, arn: str) -> str:
    """The log group's name; of one in another account or region it is the whole ARN, which nobody here has."""
    return identifier.removeprefix(arn)


def mutually_exclusive(names: Iterable[str], *values: object) -> None:
    """Raises InvalidLogsParameter where more than one was given."""
    if sum(value is not None for value in values) > 1:
        raise InvalidLogsParameter(f"{' and '.join(names)} are mutually exclusive parameters.")
