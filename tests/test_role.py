"""What policies allow."""

from __future__ import annotations

import pytest

from lambdatui.events import Json
from lambdatui.policy import Document, problems_in
from lambdatui.refusal import InvalidParameter, ResourceNotFound
from lambdatui.role import LAMBDA, Role, managed_policy, trusting

GROUP = "arn:aws:logs:us-east-1:000000000000:log-group:/aws/lambda/F"


def role(*statements: dict[str, Json], trust: Document | None = None) -> Role:
    return Role("r", "arn", trust or trusting(LAMBDA), {"p": {"Statement": [*statements]}})


def allow(action: Json, resource: Json = "*", effect: str = "Allow") -> dict[str, Json]:
    return {"Effect": effect, "Action": action, "Resource": resource}


@pytest.mark.parametrize(
    ("statements", "allowed"),
    [
        ([], False),
        ([allow("logs:PutLogEvents")], True),
        ([allow(["s3:*", "LOGS:put*"])], True),
        ([allow("logs:PutLogEvent?")], True),
        ([allow("logs:Put")], False),
        ([allow("*", "arn:aws:logs:*:*:log-group:/aws/lambda/F*")], True),
        ([allow("*", "arn:aws:logs:*:*:log-group:/aws/lambda/G*")], False),
        ([allow("*"), allow("logs:*", effect="Deny")], False),
        ([{"Effect": "Allow", "NotAction": "s3:*", "Resource": "*"}], True),
        ([{"Effect": "Allow", "NotAction": "logs:*", "Resource": "*"}], False),
        ([{"Effect": "Allow", "Action": "*", "NotResource": "arn:aws:logs:*"}], False),
    ],
)
def test_what_is_allowed(statements: list[dict[str, Json]], allowed: bool) -> None:
    assert role(*statements).allows("logs:PutLogEvents", GROUP) is allowed


def test_a_group_that_exists_need_not_be_created() -> None:
    streams = role(allow(["logs:CreateLogStream", "logs:PutLogEvents"]))
    assert not streams.may_log(GROUP, group_exists=False)
    assert streams.may_log(GROUP, group_exists=True)


@pytest.mark.parametrize("service", [LAMBDA, "ec2.amazonaws.com"])
def test_who_is_trusted(service: str) -> None:
    if service == LAMBDA:
        role(trust=trusting(service)).check_trust()
    else:
        with pytest.raises(InvalidParameter, match="cannot be assumed by Lambda"):
            role(trust=trusting(service)).check_trust()


def test_managed_policies_are_known_by_name_and_arn() -> None:
    by_arn = managed_policy("arn:aws:iam::aws:policy/service-role/AWSLambdaBasicExecutionRole")
    assert by_arn == managed_policy("AWSLambdaBasicExecutionRole")
    with pytest.raises(ResourceNotFound):
        managed_policy("NoSuchPolicy")


@pytest.mark.parametrize(
    ("document", "problem"),
    [
        ({}, "needs a Statement"),
        ({"Statement": "x"}, "is a mapping"),
        ({"Statement": {"Effect": "Maybe", "Action": "*"}}, "is Allow or Deny"),
        ({"Statement": {"Effect": "Allow"}}, "needs an Action"),
        ({"Statement": {"Effect": "Allow", "Action": "*", "Condition": {}}}, "does not support the Condition"),
    ],
)
def test_what_is_no_policy(document: Document, problem: str) -> None:
    assert any(problem in each for each in problems_in(document))
