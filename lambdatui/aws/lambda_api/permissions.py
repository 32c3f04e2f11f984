"""Resource-based policies of functions ("AddPermission", "RemovePermission" and "GetPolicy" in the API reference)."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import Annotated, Literal, TypeAlias

from pydantic import Field

from lambdatui.aws.call import Call
from lambdatui.aws.inputs import Input, matching
from lambdatui.aws.lambda_api.reference import function_of
from lambdatui.aws.routes import Route
from lambdatui.aws.wire import rest_answer
from lambdatui.events import Json
from lambdatui.refusal import InvalidParameter
from lambdatui.service.http import Response
from lambdatui.service.permissions import Grant
from lambdatui.service.service import Service

_POLICY = "/2015-03-31/functions/{FunctionName}/policy"
_ARN = (
    r"arn:(aws[a-zA-Z0-9-]*):([a-zA-Z0-9\-])+:((eusc-)?[a-z]{2}((-gov)|(-iso([a-z]?)))?-[a-z]+-\d{1})?:(\d{12})?:(.*)"
)

Qualifier: TypeAlias = Annotated[
    str, Field(min_length=1, max_length=128), matching(r"\$(LATEST(\.PUBLISHED)?)|[a-zA-Z0-9-_$]+")
]
OrganizationId: TypeAlias = Annotated[str, Field(min_length=12, max_length=34), matching("o-[a-z0-9]{10,32}")]


class Qualified(Input):
    qualifier: Qualifier | None = None


class Add(Qualified):
    statement_id: Annotated[str, Field(min_length=1, max_length=100), matching("([a-zA-Z0-9-_]+)")]
    action: Annotated[str, Field(max_length=10000), matching("(lambda:[*]|lambda:[a-zA-Z]+|[*])")]
    principal: Annotated[str, Field(max_length=2048), matching(r"[^\s]+")]
    source_arn: Annotated[str, Field(max_length=10000), matching(_ARN)] | None = None
    source_account: Annotated[str, Field(max_length=12), matching(r"\d{12}")] | None = None
    event_source_token: Annotated[str, Field(max_length=256), matching(r"[a-zA-Z0-9._\-]+")] | None = None
    function_url_auth_type: Literal["NONE", "AWS_IAM"] | None = None
    invoked_via_function_url: bool | None = None
    principal_org_id: OrganizationId | None = Field(default=None, alias="PrincipalOrgID")
    revision_id: str | None = None

    def grant(self) -> Grant:
        """Raises InvalidParameter."""
        return Grant(self.statement_id, _principal(self.principal), self.action, self._condition())

    def _condition(self) -> dict[str, Json]:
        equals: dict[str, Json] = {
            "lambda:FunctionUrlAuthType": self.function_url_auth_type,
            "aws:PrincipalOrgID": self.principal_org_id,
            "AWS:SourceAccount": self.source_account,
            "lambda:EventSourceToken": self.event_source_token,
        }
        equals = {key: value for key, value in equals.items() if value is not None}
        condition: dict[str, Json] = {"StringEquals": equals} if equals else {}
        if self.source_arn is not None:
            condition["ArnLike"] = {"AWS:SourceArn": self.source_arn}
        if self.invoked_via_function_url is not None:
            condition["Bool"] = {"lambda:InvokedViaFunctionUrl": str(self.invoked_via_function_url).lower()}
        return condition


class Remove(Qualified):
    statement_id: Annotated[str, Field(min_length=1, max_length=100), matching("([a-zA-Z0-9-_.]+)")]
    revision_id: str | None = None


class Permissions:
    def __init__(self, service: Service) -> None:
        self._permissions = service.permissions

    def routes(self) -> Iterator[Route]:
        yield Route("AddPermission", "POST", _POLICY, self.add)
        yield Route("RemovePermission", "DELETE", f"{_POLICY}/{{StatementId}}", self.remove)
        yield Route("GetPolicy", "GET", _POLICY, self.get)

    async def add(self, call: Call) -> Response:
        given = Add.of(call)
        function = function_of(call)
        if function.qualifier == "$LATEST":
            raise InvalidParameter("We currently do not support adding policies for $LATEST.")
        statement = self._permissions.add(function.name, function.qualifier, given.grant(), given.revision_id)
        return rest_answer(201, {"Statement": _text(statement)})

    async def remove(self, call: Call) -> Response:
        given = Remove.of_query(call)
        self._permissions.remove(*_named(call), given.statement_id, given.revision_id)
        return rest_answer(204)

    async def get(self, call: Call) -> Response:
        policy = self._permissions.get(*_named(call))
        return rest_answer(200, {"Policy": _text(policy.document()), "RevisionId": policy.revision_id})


def _named(call: Call) -> tuple[str, str | None]:
    """$LATEST has the function's own policy. Raises ServiceRefusal."""
    Qualified.of_query(call)
    function = function_of(call)
    return function.name, None if function.qualifier == "$LATEST" else function.qualifier


def _principal(text: str) -> Json:
    """A service, an account, somebody in it, or everybody, in the form that policies have."""
    if re.fullmatch(r"[a-z0-9.-]+\.amazonaws\.com(\.cn)?", text):
        return {"Service": text}
    if re.fullmatch(r"\d{12}", text):
        return {"AWS": f"arn:aws:iam::{text}:root"}
    if re.fullmatch(r"arn:aws[a-z-]*:(iam|sts)::\d{12}:[^\s*]+", text):
        return {"AWS": text}
    if text == "*":
        return text
    raise InvalidParameter("The provided principal was invalid. Please check the principal and try again.")


def _text(value: object) -> str:
    return json.dumps(value, separators=(",", ":"))
