"""The configuration of function URLs, as boto3 sees it."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.request import urlopen

import pytest
from botocore.exceptions import ClientError

from lambdatui import events as ev
from tests.aws.conftest import Cloud, call

HANDLER = "def handler(event, context): return 'hello'"


async def refusal(operation: Any, **parameters: Any) -> tuple[str, int, str]:
    with pytest.raises(ClientError) as refused:
        await call(operation, **parameters)
    response = refused.value.response
    message = response["Error"]["Message"] or response["Message"]
    return response["Error"]["Code"], response["ResponseMetadata"]["HTTPStatusCode"], message


async def with_alias(cloud: Cloud) -> Any:
    """A client, and a function F whose alias `live` leads to its version 1."""
    await cloud.create(HANDLER)
    await cloud.service.publish("F")
    await cloud.service.point_alias("F", "live", "1", {})
    return cloud.client()


async def test_the_life_of_a_url(cloud: Cloud) -> None:
    await cloud.create(HANDLER)
    client = cloud.client()
    cors = {"AllowOrigins": ["https://example.com"], "AllowMethods": ["GET"], "MaxAge": 60, "AllowCredentials": True}

    created = await call(client.create_function_url_config, FunctionName="F", AuthType="NONE", Cors=cors)
    got = await call(client.get_function_url_config, FunctionName="F")
    updated = await call(client.update_function_url_config, FunctionName="F", AuthType="AWS_IAM")

    assert created["FunctionUrl"].startswith("http://127.0.0.1:")
    assert created["FunctionArn"] == "arn:aws:lambda:us-east-1:000000000000:function:F"
    assert (created["AuthType"], created["InvokeMode"], created["Cors"]) == ("NONE", "BUFFERED", cors)
    assert "LastModifiedTime" not in created
    age = datetime.now(UTC) - datetime.fromisoformat(created["CreationTime"])
    assert timedelta(seconds=-1) < age < timedelta(seconds=60)
    assert all(got[name] == created[name] for name in created if name != "ResponseMetadata")
    assert (updated["AuthType"], updated["Cors"], updated["FunctionUrl"]) == ("AWS_IAM", cors, got["FunctionUrl"])
    assert updated["LastModifiedTime"] > updated["CreationTime"]
    told = cloud.lab.functions["F"].urls[None]
    assert (told.url, told.configuration["auth_type"]) == (created["FunctionUrl"], "AWS_IAM")

    deleted = await call(client.delete_function_url_config, FunctionName="F")

    assert deleted["ResponseMetadata"]["HTTPStatusCode"] == 204
    assert not cloud.lab.functions["F"].urls
    assert cloud.service.journal.records[-1].event == ev.FunctionUrlDeleted("F", None)


async def test_a_function_and_its_alias_have_a_url_each(cloud: Cloud) -> None:
    client = await with_alias(cloud)
    own = await call(client.create_function_url_config, FunctionName="F", AuthType="NONE")
    alias = await call(client.create_function_url_config, FunctionName="F", Qualifier="live", AuthType="AWS_IAM")

    assert alias["FunctionArn"] == f"{own['FunctionArn']}:live"
    assert alias["FunctionUrl"] != own["FunctionUrl"]
    listed = await call(client.list_function_url_configs, FunctionName="F")
    assert [each["FunctionArn"] for each in listed["FunctionUrlConfigs"]] == [own["FunctionArn"], alias["FunctionArn"]]
    first = await call(client.list_function_url_configs, FunctionName="F", MaxItems=1)
    second = await call(client.list_function_url_configs, FunctionName="F", MaxItems=1, Marker=first["NextMarker"])
    assert first["FunctionUrlConfigs"] + second["FunctionUrlConfigs"] == listed["FunctionUrlConfigs"]
    assert "NextMarker" not in second
    got = await call(client.get_function_url_config, FunctionName=alias["FunctionArn"])
    assert got["AuthType"] == "AWS_IAM"


async def test_there_is_one_for_each(cloud: Cloud) -> None:
    await cloud.create(HANDLER)
    client = cloud.client()
    await call(client.create_function_url_config, FunctionName="F", AuthType="NONE")

    refused = await refusal(client.create_function_url_config, FunctionName="F", AuthType="NONE")

    arn = cloud.service.arn_of("F")
    message = (
        f"Failed to create function url config for [functionArn = {arn}]. "
        "Error message:  FunctionUrlConfig exists for this Lambda function"
    )
    assert refused == ("ResourceConflictException", 409, message)


@pytest.mark.parametrize("qualifier", ["1", "2", "$LATEST"])
async def test_a_version_has_none(cloud: Cloud, qualifier: str) -> None:
    client = await with_alias(cloud)

    for operation, more in (
        (client.create_function_url_config, {"AuthType": "NONE"}),
        (client.get_function_url_config, {}),
        (client.update_function_url_config, {"AuthType": "NONE"}),
        (client.delete_function_url_config, {}),
    ):
        code, status, message = await refusal(operation, FunctionName="F", Qualifier=qualifier, **more)
        assert (code, status) == ("ValidationException", 400)
        assert f"Value '{qualifier}' at 'qualifier' failed to satisfy constraint" in message


async def test_what_is_not_there(cloud: Cloud) -> None:
    client = await with_alias(cloud)
    gone = ("ResourceNotFoundException", 404, "The resource you requested does not exist.")
    no_function = ("ResourceNotFoundException", 404, "Function does not exist")

    assert await refusal(client.get_function_url_config, FunctionName="F") == gone
    assert await refusal(client.get_function_url_config, FunctionName="Other") == gone
    assert await refusal(client.get_function_url_config, FunctionName="F", Qualifier="other") == gone
    assert await refusal(client.update_function_url_config, FunctionName="F", AuthType="NONE") == gone
    assert await refusal(client.delete_function_url_config, FunctionName="F") == gone
    for name, more in (("Other", {}), ("F", {"Qualifier": "other"})):
        refused = await refusal(client.create_function_url_config, FunctionName=name, AuthType="NONE", **more)
        assert refused == no_function
    assert await refusal(client.list_function_url_configs, FunctionName="Other") == no_function


async def test_values_that_there_are_not(cloud: Cloud) -> None:
    await cloud.create(HANDLER)
    create = cloud.client().create_function_url_config

    code, status, message = await refusal(
        create, FunctionName="F", AuthType="COGNITO", InvokeMode="UNKNOWN", Cors={"MaxAge": 86401}
    )
    assert (code, status) == ("ValidationException", 400)
    assert message == (
        "3 validation errors detected: Value 'COGNITO' at 'authType' failed to satisfy constraint: Member must satisfy "
        "enum value set: [AWS_IAM, NONE]; Value 'UNKNOWN' at 'invokeMode' failed to satisfy constraint: Member must "
        "satisfy enum value set: [RESPONSE_STREAM, BUFFERED]; Value '86401' at 'cors.maxAge' failed to satisfy "
        "constraint: Member must have value less than or equal to 86400"
    )
    code, _, message = await refusal(
        create, FunctionName="F", AuthType="NONE", Cors={"AllowMethods": ["GET", "OPTIONS"]}
    )
    assert code == "ValidationException"
    assert "Value '[GET, OPTIONS]' at 'cors.allowMethods'" in message
    assert not cloud.lab.functions["F"].urls


async def test_urls_go_with_the_alias_and_the_function_that_they_lead_to(cloud: Cloud) -> None:
    client = await with_alias(cloud)
    of_alias = await call(client.create_function_url_config, FunctionName="F", Qualifier="live", AuthType="NONE")
    of_function = await call(client.create_function_url_config, FunctionName="F", AuthType="NONE")

    await call(client.delete_alias, FunctionName="F", Name="live")

    with pytest.raises(OSError):
        await asyncio.to_thread(urlopen, of_alias["FunctionUrl"])
    assert (await asyncio.to_thread(urlopen, of_function["FunctionUrl"])).status == 200

    await call(client.delete_function, FunctionName="F")

    with pytest.raises(OSError):
        await asyncio.to_thread(urlopen, of_function["FunctionUrl"])
