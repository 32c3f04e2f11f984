"""What policies with principals and conditions say, and two of them together."""

from __future__ import annotations

import itertools

import pytest

from lambdatui.events import Json
from lambdatui.policy import Effect, Principal, Question, decide, together

ROLE = "arn:aws:iam::000000000000:role/r"
INVOKE = "lambda:InvokeFunction"


@pytest.mark.parametrize(
    ("principal", "meant"),
    [
        ("*", True),
        ({"AWS": "*"}, True),
        ({"AWS": ROLE}, True),
        ({"AWS": ["arn:aws:iam::000000000000:role/s", ROLE]}, True),
        ({"AWS": "arn:aws:iam::000000000000:root"}, False),
        ({"Service": ROLE}, False),
        ({"Service": "s3.amazonaws.com"}, False),
        (None, False),
    ],
)
def test_who_is_meant(principal: Json, meant: bool) -> None:
    statement: Json = {"Effect": "Allow", "Action": INVOKE, "Resource": "F", "Principal": principal}
    question = Question(INVOKE, "F", frozenset({Principal("AWS", ROLE)}))

    assert (decide([{"Statement": [statement]}], question) is Effect.ALLOW) is meant


@pytest.mark.parametrize(
    ("condition", "holds"),
    [
        ({"StringEquals": {"lambda:FunctionUrlAuthType": "NONE"}}, True),
        ({"StringEquals": {"lambda:FunctionUrlAuthType": ["AWS_IAM", "NONE"]}}, True),
        ({"StringEquals": {"lambda:FunctionUrlAuthType": "AWS_IAM"}}, False),
        ({"StringEquals": {"AWS:SourceAccount": "000000000000"}}, False),
        ({"ArnLike": {"AWS:SourceArn": "arn:aws:s3:::b*"}}, True),
        ({"ArnLike": {"AWS:SourceArn": "arn:aws:s3:::c*"}}, False),
        ({"ArnLike": {"AWS:SourceArn": "*"}, "Bool": {"lambda:InvokedViaFunctionUrl": "true"}}, False),
        ({"NumericLessThan": {"lambda:FunctionUrlAuthType": "NONE"}}, False),
        ({}, True),
    ],
)
def test_what_holds_in_a_context(condition: Json, holds: bool) -> None:
    statement: Json = {"Effect": "Allow", "Action": "*", "Resource": "*", "Principal": "*", "Condition": condition}
    context = {"lambda:functionurlauthtype": "NONE", "aws:sourcearn": "arn:aws:s3:::bucket"}
    question = Question(INVOKE, "F", frozenset(), context)

    assert (decide([{"Statement": [statement]}], question) is Effect.ALLOW) is holds


def test_either_may_allow_and_each_may_deny() -> None:
    for one, other in itertools.product(Effect, repeat=2):
        both = together(one, other)
        assert (both is Effect.DENY) == (Effect.DENY in (one, other))
        assert (both is Effect.ALLOW) == (Effect.ALLOW in (one, other) and Effect.DENY not in (one, other))
