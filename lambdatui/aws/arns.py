"""What a caller may write for a function: its name, a partial or a full ARN, each with or without a qualifier."""

from __future__ import annotations

import re
from typing import NamedTuple

from lambdatui.refusal import AccessDenied, InvalidParameter, ResourceNotFound, ValidationFailed

_REFERENCE = re.compile(
    r"(arn:(?P<partition>aws[a-zA-Z-]*):lambda:)?((?P<region>[a-z]{2}(-gov)?-[a-z]+-\d):)?((?P<account>\d{12}):)?"
    r"(function:)?(?P<name>[a-zA-Z0-9-_]{1,64})(:(?P<qualifier>\$LATEST|[a-zA-Z0-9-_]{1,128}))?"
)

_REGION = r"(eusc-)?[a-z]{2}((-gov)|(-iso([a-z]?)))?-[a-z]+-\d{1}"
_PATTERNS = {
    "functionName": (
        rf"(arn:(aws[a-zA-Z-]*)?:lambda:)?({_REGION}:)?(\d{{12}}:)?(function:)?([a-zA-Z0-9-_\.]+)"
        r"(:(\$LATEST(\.PUBLISHED)?|[a-zA-Z0-9-_]+))?"
    ),
    "resource": (
        rf"arn:(aws[a-zA-Z-]*):lambda:{_REGION}:\d{{12}}:"
        r"(function:[a-zA-Z0-9-_]+(:(\$LATEST|[a-zA-Z0-9-_]+))?|code-signing-config:csc-[a-z0-9]{17}|"
        r"event-source-mapping:[0-9a-fA-F]{8}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{12})"
    ),
}
"""What the service says that it must be, by the member."""


class FunctionReference(NamedTuple):
    """`qualifier` is a version, an alias or $LATEST, None where it was not said."""

    name: str
    qualifier: str | None
    account: str | None
    region: str | None


def function_reference(text: str, qualifier: str | None = None, member: str = "functionName") -> FunctionReference:
    """`text` as one of the forms, with the qualifier that was given beside it; as a `resource` only a full ARN. Raises
    ServiceRefusal."""
    match = _REFERENCE.fullmatch(text)
    if match is None or (member == "resource" and not (match["account"] and match["region"])):
        raise ValidationFailed(
            f"1 validation error detected: Value '{text}' at '{member}' failed to satisfy constraint: Member must "
            f"satisfy regular expression pattern: {_PATTERNS[member]}"
        )
    own = match["qualifier"]
    if own and qualifier and own != qualifier:
        raise InvalidParameter("The derived qualifier from the function name does not match the specified qualifier.")
    return FunctionReference(match["name"], own or qualifier, match["account"], match["region"])


def check_reachable(function: FunctionReference, ours: str, caller: str, action: str) -> None:
    """Whether it may be one of those whose ARNs begin with `ours`: raises AccessDenied for another account's, for this
    `caller`, an ARN, and his `action`; ResourceNotFound for those of another region."""
    _, _, _, region, account, *_ = ours.split(":")
    if function.account not in (None, account):
        arn = f"arn:aws:lambda:{function.region or region}:{function.account}:function:{function.name}"
        raise AccessDenied(
            f"User: {caller} is not authorized to perform: {action} on resource: {arn} "
            f"because no resource-based policy allows the {action} action"
        )
    if function.region not in (None, region):
        raise ResourceNotFound(f"Functions from '{function.region}' are not reachable in this region ('{region}')")
