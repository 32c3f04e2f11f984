"""Resource-based policies: who may use a function by the function's own word ("Viewing resource-based IAM policies in
Lambda")."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass

from lambdatui import events as ev
from lambdatui.events import Json
from lambdatui.journal import Journal
from lambdatui.policy import Document
from lambdatui.refusal import PolicyLengthExceeded, PreconditionFailed, ResourceConflict, ResourceNotFound
from lambdatui.service.deployments import LATEST, Deployments
from lambdatui.service.qualified import ResourcePolicy

MAX_POLICY_BYTES = 20480
"""Of one policy ("Lambda quotas")."""


@dataclass(frozen=True)
class Grant:
    """Who (`principal`, in the form that policies have) may do what, on which condition; `sid` names the statement."""

    sid: str
    principal: Json
    action: str
    condition: Mapping[str, Json]

    def statement(self, resource: str) -> dict[str, Json]:
        statement: dict[str, Json] = {
            "Sid": self.sid,
            "Effect": "Allow",
            "Principal": self.principal,
            "Action": self.action,
            "Resource": resource,
        }
        return {**statement, "Condition": dict(self.condition)} if self.condition else statement


class Permissions:
    """Of all functions; each of their versions and aliases has a policy of its own, by its qualifier, None for the
    function's. Every method raises ServiceRefusal where the service would."""

    def __init__(self, deployments: Deployments, journal: Journal) -> None:
        self._deployments = deployments
        self._journal = journal

    def add(
        self, function: str, qualifier: str | None, grant: Grant, revision_id: str | None = None
    ) -> Mapping[str, Json]:
        """The statement that is new in the policy."""
        policy, sid = self._policy(function, qualifier), grant.sid
        _check_revision(policy, revision_id)
        if policy and sid in policy.statements:
            raise ResourceConflict(
                f"The statement id ({sid}) provided already exists. Please provide a new statement id, or remove "
                "the existing statement."
            )
        arn = f"{self._deployments.arn}{function}"
        statement = grant.statement(f"{arn}:{qualifier}" if qualifier else arn)
        self._keep(function, qualifier, {**(policy.statements if policy else {}), sid: statement})
        return statement

    def remove(self, function: str, qualifier: str | None, sid: str, revision_id: str | None = None) -> None:
        if function not in self._deployments:
            raise ResourceNotFound(f"No policy found for: {self._deployments.arn}{function}")
        policy = self._policy(function, qualifier)
        if policy is None:
            raise ResourceNotFound("No policy is associated with the given resource.")
        if sid not in policy.statements:
            raise ResourceNotFound(f"Statement {sid} is not found in resource policy.")
        _check_revision(policy, revision_id)
        self._keep(function, qualifier, {name: each for name, each in policy.statements.items() if name != sid})

    def get(self, function: str, qualifier: str | None) -> ResourcePolicy:
        policy = self._policy(function, qualifier)
        if policy is None:
            raise ResourceNotFound("The resource you requested does not exist.")
        return policy

    def document(self, function: str, qualifier: str | None) -> Document | None:
        """What is to be asked beside the policies of whoever wants to use the function; None where there is nothing,
        or no such function."""
        if function not in self._deployments:
            return None
        policy = self._deployments.policies(function).get(None if qualifier == LATEST else qualifier)
        return policy.document() if policy else None

    def _policy(self, function: str, qualifier: str | None) -> ResourcePolicy | None:
        policies = self._deployments.policies(function)
        if qualifier is not None and not self._deployments.has_qualifier(function, qualifier):
            what = "Function not found:" if qualifier.isdecimal() else "Cannot find alias arn:"
            raise ResourceNotFound(f"{what} {self._deployments.arn}{function}:{qualifier}")
        return policies.get(qualifier)

    def _keep(self, function: str, qualifier: str | None, statements: Mapping[str, Mapping[str, Json]]) -> None:
        policy, policies = ResourcePolicy(statements), self._deployments.policies(function)
        if (size := len(json.dumps(policy.document()).encode())) > MAX_POLICY_BYTES:
            raise PolicyLengthExceeded(f"The final policy size ({size}) is bigger than the limit ({MAX_POLICY_BYTES}).")
        if statements:
            policies[qualifier] = policy
        else:
            del policies[qualifier]
        self._journal.append(ev.PolicyChanged(function, qualifier, tuple(dict(each) for each in statements.values())))


def _check_revision(policy: ResourcePolicy | None, revision_id: str | None) -> None:
    if revision_id is not None and (policy is None or policy.revision_id != revision_id):
        raise PreconditionFailed(
            "The Revision Id provided does not match the latest Revision Id. "
            "Call the GetPolicy API to retrieve the latest Revision Id"
        )
