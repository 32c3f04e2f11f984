"""Reserved and provisioned concurrency, as boto3 sees them."""

from __future__ import annotations

import json
import re

import pytest

from lambdatui import events as ev
from tests.aws.conftest import Cloud, call, refused

ARN = "arn:aws:lambda:us-east-1:000000000000:function:F"


@pytest.fixture
async def published(cloud: Cloud) -> Cloud:
    """F has the version 1."""
    await cloud.create(
        """
        import os
        def handler(event, context): return os.environ["AWS_LAMBDA_INITIALIZATION_TYPE"]
        """
    )
    await cloud.service.publish("F")
    return cloud


async def test_concurrency_is_reserved_shown_and_released(published: Cloud) -> None:
    client = published.client()
    put, get = client.put_function_concurrency, client.get_function_concurrency

    answer = await call(put, FunctionName="F", ReservedConcurrentExecutions=0)
    assert answer["ReservedConcurrentExecutions"] == 0
    assert published.lab.functions["F"].configuration["reserved_concurrent_executions"] == 0
    assert (await call(get, FunctionName=ARN))["ReservedConcurrentExecutions"] == 0
    assert (await refused(client.invoke, FunctionName="F"))[0] == "TooManyRequestsException"

    gone = await call(client.delete_function_concurrency, FunctionName="F")
    assert gone["ResponseMetadata"]["HTTPStatusCode"] == 204
    assert "ReservedConcurrentExecutions" not in await call(get, FunctionName="F")
    assert json.loads((await call(client.invoke, FunctionName="F"))["Payload"].read()) == "on-demand"


async def test_what_cannot_be_reserved_is_refused(published: Cloud) -> None:
    client = published.client()
    put, one = client.put_function_concurrency, {"ReservedConcurrentExecutions": 1}
    for parameters, code, message in (
        ({"FunctionName": "F", "ReservedConcurrentExecutions": 901}, "InvalidParameterValueException", "[100]"),
        ({"FunctionName": "F:1", **one}, "InvalidParameterValueException", "permitted on Lambda functions only"),
        ({"FunctionName": "G", **one}, "ResourceNotFoundException", "Function not found"),
    ):
        got = await refused(put, **parameters)
        assert got[0] == code and message in got[1]
    assert published.lab.functions["F"].configuration["reserved_concurrent_executions"] is None


async def test_environments_are_provisioned_until_they_are_not(published: Cloud) -> None:
    client, named = published.client(), {"FunctionName": "F", "Qualifier": "1"}
    get = client.get_provisioned_concurrency_config

    put = await call(client.put_provisioned_concurrency_config, **named, ProvisionedConcurrentExecutions=2)
    assert put["ResponseMetadata"]["HTTPStatusCode"] == 202
    assert (put["Status"], put["RequestedProvisionedConcurrentExecutions"]) == ("IN_PROGRESS", 2)
    assert put["AllocatedProvisionedConcurrentExecutions"] == 0
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\+0000", put["LastModified"])

    await published.until(lambda event: isinstance(event, ev.ProvisionedConcurrencyChanged) and event.status == "READY")
    ready = await call(get, **named)
    assert ready["Status"] == "READY" and "StatusReason" not in ready
    counts = ("Requested", "Available", "Allocated")
    assert [ready[f"{each}ProvisionedConcurrentExecutions"] for each in counts] == [2, 2, 2]
    answer = await call(client.invoke, FunctionName="F:1")
    assert json.loads(answer["Payload"].read()) == "provisioned-concurrency"

    for _ in range(2):
        gone = await call(client.delete_provisioned_concurrency_config, **named)
        assert gone["ResponseMetadata"]["HTTPStatusCode"] == 204
    code = "ProvisionedConcurrencyConfigNotFoundException"
    assert await refused(get, **named) == (code, "No Provisioned Concurrency Config found for this function")
    assert (await call(client.list_provisioned_concurrency_configs, FunctionName="F"))[
        "ProvisionedConcurrencyConfigs"
    ] == []


async def test_an_init_that_fails_is_told_as_the_reason(cloud: Cloud) -> None:
    await cloud.create("raise ValueError('no')")
    await cloud.service.publish("F")
    client, named = cloud.client(), {"FunctionName": "F", "Qualifier": "1"}
    await call(client.put_provisioned_concurrency_config, **named, ProvisionedConcurrentExecutions=1)
    await cloud.until(lambda event: isinstance(event, ev.ProvisionedConcurrencyChanged) and event.status == "FAILED")

    got = await call(client.get_provisioned_concurrency_config, **named)

    assert (got["Status"], got["StatusReason"]) == ("FAILED", "FUNCTION_ERROR_INIT_FAILURE")
    assert got["AvailableProvisionedConcurrentExecutions"] == 0


async def test_what_is_provisioned_is_listed_by_pages(published: Cloud) -> None:
    await published.service.update("F", {"memory_size": 256})
    await published.service.publish("F")
    published.service.aliases.create("F", "live", "2", {})
    for qualifier in ("1", "live"):
        published.service.concurrency.provision("F", qualifier, 1)
    operation = published.client().list_provisioned_concurrency_configs

    first = await call(operation, FunctionName="F", MaxItems=1)
    second = await call(operation, FunctionName="F", Marker=first["NextMarker"])

    arns = [each["FunctionArn"] for page in (first, second) for each in page["ProvisionedConcurrencyConfigs"]]
    assert arns == [f"{ARN}:1", f"{ARN}:live"] and "NextMarker" not in second


async def test_what_cannot_be_provisioned_is_refused(published: Cloud) -> None:
    client, aliases = published.client(), published.service.aliases
    put, get = client.put_provisioned_concurrency_config, client.get_provisioned_concurrency_config
    aliases.create("F", "live", "1", {})
    aliases.create("F", "latest", "$LATEST", {})
    published.service.concurrency.provision("F", "live", 1)
    one = {"ProvisionedConcurrentExecutions": 1}
    for operation, parameters, code, message in (
        (put, {"Qualifier": "$LATEST", **one}, "InvalidParameterValueException", "unpublished function versions"),
        (put, {"Qualifier": "latest", **one}, "InvalidParameterValueException", "unpublished function versions"),
        (put, {"Qualifier": "1", **one}, "ResourceConflictException", "pointed by a Provisioned Concurrency alias"),
        (put, {"Qualifier": "live", "ProvisionedConcurrentExecutions": 901}, "InvalidParameterValueException", "[900]"),
        (put, {"Qualifier": "other", **one}, "ResourceNotFoundException", f"Cannot find alias arn: {ARN}:other"),
        (put, {"Qualifier": "7", **one}, "ResourceNotFoundException", f"Function not found: {ARN}:7"),
        (get, {"Qualifier": "$LATEST"}, "InvalidParameterValueException", "must be an alias or a published version"),
        (get, {"Qualifier": "1"}, "ProvisionedConcurrencyConfigNotFoundException", "No Provisioned"),
        (
            client.put_function_concurrency,
            {"ReservedConcurrentExecutions": 0},
            "InvalidParameterValueException",
            "should not be lower than function's total provisioned concurrency [1]",
        ),
    ):
        got = await refused(operation, FunctionName="F", **parameters)
        assert got[0] == code and message in got[1]
