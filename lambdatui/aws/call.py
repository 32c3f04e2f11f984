"""One request to an operation of an AWS API, whose sender is known."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import TypeAlias

from lambdatui.events import Json
from lambdatui.function import parse_json
from lambdatui.policy import Document, Effect, Question
from lambdatui.refusal import AccessDenied, InvalidRequestContent
from lambdatui.role import Role
from lambdatui.service.http import Request, Response, Streamed


@dataclass(frozen=True)
class Caller:
    """Who signed. `role` is None for the laboratory's own keys, which may do everything."""

    account: str
    user_id: str
    arn: str
    role: Role | None = None

    def check(
        self,
        action: str,
        resource: str,
        on_resource: Document | None = None,
        context: Mapping[str, str] | None = None,
    ) -> None:
        """Whether its policies allow the action, `lambda:InvokeFunction` say, or the resource's own, if there is one;
        raises AccessDenied. `context` is that of :class:`lambdatui.policy.Question`."""
        if self.role is None:
            return
        question = Question(action, resource, context=context or {})
        effect, why = self.role.decide(question, self.arn, on_resource), "with an explicit deny in a policy"
        if effect is Effect.IMPLICIT_DENY:
            why = f"because no identity-based policy allows the {action} action"
        if effect is not Effect.ALLOW:
            raise AccessDenied(f"User: {self.arn} is not authorized to perform: {action} on resource: {resource} {why}")


@dataclass(frozen=True)
class Call:
    """`parameters` are those of the path, decoded; `query` has the first value of each name, decoded."""

    caller: Caller
    request: Request
    parameters: Mapping[str, str]
    query: Mapping[str, str]

    def members(self) -> dict[str, Json]:
        """The body, an object of JSON; nothing is an empty one. Raises InvalidRequestContent."""
        if not self.request.body.strip():
            return {}
        try:
            body = parse_json(self.request.body.decode())
        except (ValueError, RecursionError) as error:
            message = f"Could not parse request body into json: Could not parse payload into json: {error}"
            raise InvalidRequestContent(message) from None
        if not isinstance(body, dict):
            raise InvalidRequestContent("Could not parse request body into json: an object is expected")
        return body


Operation: TypeAlias = Callable[[Call], Awaitable[Response | Streamed]]
"""Carries out a call; what it refuses it raises as a ServiceRefusal."""
