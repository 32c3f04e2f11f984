"""The execution roles of a template: those that it has, and those that SAM makes of a function's Policies."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from lambdatui.events import Json
from lambdatui.experiment.document import Place
from lambdatui.experiment.templates.intrinsics import Scope, Unresolvable
from lambdatui.experiment.templates.properties import Findings, Properties
from lambdatui.policy import problems_in
from lambdatui.role import MANAGED_POLICIES

Role = dict[str, Json]
"""As an experiment file has it."""

_SAM_POLICIES: Mapping[str, str] = {
    "EventBridgePutEventsPolicy": "events:PutEvents",
    "LambdaInvokePolicy": "lambda:InvokeFunction",
    "SNSPublishMessagePolicy": "sns:Publish",
    "SQSSendMessagePolicy": "sqs:SendMessage",
}
"""Of SAM's policy templates, those that allow something that a function's role is asked for here."""


def role_of_resource(properties: Properties, scope: Scope, findings: Findings) -> Role:
    """An AWS::IAM::Role."""
    policies: list[Json] = []
    for item, place in properties.items("ManagedPolicyArns"):
        policies += _managed(item, place, scope, findings)
    for item, place in properties.items("Policies"):
        document = item.get("PolicyDocument") if isinstance(item, dict) else None
        policies += _inline(document, (*place, "PolicyDocument"), scope, findings)
    role: Role = {"policies": policies}
    trust = properties.resolved("AssumeRolePolicyDocument")
    if isinstance(trust, dict) and not any(problems_in(trust)):
        role["assume_role_policy_document"] = trust
    return role


def role_by_sam(properties: Properties, scope: Scope, findings: Findings, sends: list[str]) -> Role | None:
    """The role that SAM makes for a function; None for one that may do no more than log. `sends` are the actions of
    its destinations and dead letters, which SAM allows it too."""
    policies: list[Json] = []
    for item, place in properties.items("Policies"):
        if isinstance(item, dict) and "Statement" in item:
            policies += _inline(item, place, scope, findings)
        elif isinstance(item, dict) and not any(key == "Ref" or key.startswith("Fn::") for key in item):
            policies += [_allowing(_SAM_POLICIES[name]) for name in item if name in _SAM_POLICIES]
        else:
            policies += _managed(item, place, scope, findings)
    if not policies:
        return None
    return {"policies": ["AWSLambdaBasicExecutionRole", *policies, *map(_allowing, sends)]}


def _allowing(action: str) -> Json:
    return {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": [action], "Resource": "*"}]}


def _managed(item: Json, place: Place, scope: Scope, findings: Findings) -> Iterator[str]:
    try:
        name = scope.value(item, place)
    except Unresolvable as error:
        findings.notice(error.place, f"this policy is left out: {error}")
        return
    if isinstance(name, str) and name.rpartition("/")[2] in MANAGED_POLICIES:
        yield name
    elif name is not None:
        findings.notice(place, f"the policy {str(name).rpartition('/')[2]} is not known here, and allows nothing")


def _inline(document: Json, place: Place, scope: Scope, findings: Findings) -> Iterator[Json]:
    try:
        policy = scope.value(document, place)
    except Unresolvable as error:
        findings.notice(error.place, f"this policy is left out: {error}")
        return
    if not isinstance(policy, dict):
        return
    if problem := next(problems_in(policy), None):
        findings.notice(place, f"this policy is left out: {problem}")
    else:
        yield policy
