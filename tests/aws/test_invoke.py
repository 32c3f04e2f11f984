"""Invoke, as boto3 sees it."""

from __future__ import annotations

import json

import pytest
from botocore.exceptions import ClientError

from lambdatui.role import LAMBDA, trusting
from tests.aws.conftest import Cloud, call


async def test_a_function_answers(cloud: Cloud) -> None:
    await cloud.create("def handler(event, context):\n    return {'hello': event['name']}")

    answer = await call(cloud.client().invoke, FunctionName="F", Payload=json.dumps({"name": "you"}))

    assert (answer["StatusCode"], answer["ExecutedVersion"]) == (200, "$LATEST")
    assert json.loads(answer["Payload"].read()) == {"hello": "you"}
    assert answer["ResponseMetadata"]["RequestId"] in cloud.lab.invocations


async def test_what_is_signed_with_another_secret_is_refused(cloud: Cloud) -> None:
    await cloud.create("def handler(event, context): pass")

    with pytest.raises(ClientError) as refused:
        await call(cloud.client(aws_secret_access_key="guessed").invoke, FunctionName="F")

    assert refused.value.response["Error"]["Code"] == "InvalidSignatureException"
    assert not cloud.lab.invocations


async def test_a_function_invokes_another_without_any_configuration(cloud: Cloud) -> None:
    await cloud.create("def handler(event, context): return 'called'", name="Called")
    caller = """
        import boto3
        def handler(event, context):
            return boto3.client("lambda").invoke(FunctionName="Called")["Payload"].read().decode()
    """
    await cloud.create(caller, name="Caller", timeout=30, memory_size=1769)

    answer = await call(cloud.client().invoke, FunctionName="Caller")

    assert json.loads(answer["Payload"].read()) == '"called"'


async def test_a_role_that_does_not_allow_it_invokes_nothing(cloud: Cloud) -> None:
    await cloud.service.create_role("logger", trusting(LAMBDA), {})
    caller = """
        import boto3
        def handler(event, context):
            boto3.client("lambda").invoke(FunctionName="F", Qualifier="1")
    """
    await cloud.create(caller, role="logger", timeout=30, memory_size=1769)

    answer = await call(cloud.client().invoke, FunctionName="F")

    assert json.loads(answer["Payload"].read())["errorMessage"] == (
        "An error occurred (AccessDeniedException) when calling the Invoke operation: "
        "User: arn:aws:sts::000000000000:assumed-role/logger/F is not authorized to perform: lambda:InvokeFunction "
        "on resource: arn:aws:lambda:us-east-1:000000000000:function:F:1 "
        "because no identity-based policy allows the lambda:InvokeFunction action"
    )
