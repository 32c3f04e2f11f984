"""Aliases, as boto3 sees them."""

from __future__ import annotations

import pytest

from lambdatui import events as ev
from tests.aws.conftest import Cloud, call, refused

ARN = "arn:aws:lambda:us-east-1:000000000000:function:F"


@pytest.fixture
async def published(cloud: Cloud) -> Cloud:
    """F has the versions 1 and 2."""
    await cloud.create("def handler(event, context): return context.function_version")
    await cloud.service.publish("F")
    await cloud.service.update("F", {"memory_size": 256})
    await cloud.service.publish("F")
    return cloud


async def test_an_alias_is_made_changed_found_and_deleted(published: Cloud) -> None:
    client, named = published.client(), {"FunctionName": "F", "Name": "live"}

    made = await call(client.create_alias, **named, FunctionVersion="1", Description="what all use")
    del made["ResponseMetadata"]
    revision_id = made.pop("RevisionId")
    assert made == {
        "AliasArn": f"{ARN}:live",
        "Name": "live",
        "FunctionVersion": "1",
        "Description": "what all use",
    }

    routing = {"AdditionalVersionWeights": {"2": 0.25}}
    changed = await call(client.update_alias, **named, RoutingConfig=routing, RevisionId=revision_id)
    assert (changed["FunctionVersion"], changed["RoutingConfig"]) == ("1", routing)
    assert changed["Description"] == "what all use" and changed["RevisionId"] != revision_id
    assert (await call(client.get_alias, **named))["RevisionId"] == changed["RevisionId"]
    assert published.lab.functions["F"].aliases["live"].weights == {"2": 0.25}

    straight = await call(client.update_alias, **named, FunctionVersion="2", RoutingConfig={})
    assert straight["FunctionVersion"] == "2" and "RoutingConfig" not in straight
    answer = await call(client.invoke, FunctionName=f"{ARN}:live")
    assert (answer["Payload"].read(), answer["ExecutedVersion"]) == (b'"2"', "2")

    for _ in range(2):
        gone = await call(client.delete_alias, **named)
        assert gone["ResponseMetadata"]["HTTPStatusCode"] == 204
    assert not published.lab.functions["F"].aliases
    assert await refused(client.get_alias, **named) == (
        "ResourceNotFoundException",
        f"Cannot find alias arn: {ARN}:live",
    )


async def test_aliases_are_listed_by_pages_and_by_version(published: Cloud) -> None:
    client = published.client()
    for name, version, weights in (("a", "1", {"2": 0.5}), ("b", "2", {}), ("c", "1", {})):
        published.service.aliases.create("F", name, version, weights)

    first = await call(client.list_aliases, FunctionName="F", MaxItems=2)
    second = await call(client.list_aliases, FunctionName="F", Marker=first["NextMarker"])
    of_two = await call(client.list_aliases, FunctionName="F", FunctionVersion="2")

    assert [[alias["Name"] for alias in each["Aliases"]] for each in (first, second, of_two)] == [
        ["a", "b"],
        ["c"],
        ["a", "b"],
    ]
    assert "NextMarker" not in second


async def test_what_is_no_alias_is_refused(published: Cloud) -> None:
    published.service.aliases.create("F", "live", "1", {})
    client = published.client()
    create, update = client.create_alias, client.update_alias
    new = {"Name": "new", "FunctionVersion": "1"}
    for operation, parameters, code, message in (
        (create, {"Name": "live", "FunctionVersion": "1"}, "ResourceConflictException", f"already exists: {ARN}:live"),
        (create, {**new, "Name": "12"}, "ValidationException", "Value '12' at 'name' failed"),
        (create, {**new, "FunctionVersion": "x"}, "ValidationException", "at 'functionVersion'"),
        (create, {**new, "FunctionVersion": "9"}, "ResourceNotFoundException", f"Function not found: {ARN}:9"),
        (create, {**new, "Description": "x" * 257}, "ValidationException", "length less than or equal to 256"),
        (update, new, "ResourceNotFoundException", f"Cannot find alias arn: {ARN}:new"),
        (update, {"Name": "live", "RevisionId": "old"}, "PreconditionFailedException", "does not match"),
        (client.get_alias, {"Name": "new"}, "ResourceNotFoundException", "Cannot find alias arn"),
        (client.list_aliases, {"Marker": "no"}, "InvalidParameterValueException", "Invalid pagination token."),
    ):
        got = await refused(operation, FunctionName="F", **parameters)
        assert got[0] == code and message in got[1]
    assert published.lab.functions["F"].aliases.keys() == {"live"}


async def test_weights_that_do_not_go_together_are_refused(published: Cloud) -> None:
    client = published.client()
    for version, weights, code, message in (
        ("1", {"2": 1.5}, "ValidationException", "Member must have value less than or equal to 1"),
        ("1", {"1": 0.5}, "InvalidParameterValueException", "already included in routing configuration"),
        ("1", {"9": 0.5}, "ResourceNotFoundException", f"Function not found: {ARN}:9"),
        ("$LATEST", {"1": 0.5}, "InvalidParameterValueException", "$LATEST is not supported"),
        ("$LATEST", {"1": 0.5, "2": 0.1}, "InvalidParameterValueException", "cannot be greater than 1"),
    ):
        parameters = {"Name": "live", "FunctionVersion": version}
        routing = {"AdditionalVersionWeights": weights}
        got = await refused(client.create_alias, FunctionName="F", **parameters, RoutingConfig=routing)
        assert got[0] == code and message in got[1]


async def test_with_an_alias_goes_what_was_kept_by_its_name(published: Cloud) -> None:
    client, named = published.client(), {"FunctionName": "F", "Qualifier": "live"}
    published.service.aliases.create("F", "live", "1", {})
    await call(client.put_function_event_invoke_config, **named, MaximumRetryAttempts=0)
    await call(client.put_provisioned_concurrency_config, **named, ProvisionedConcurrentExecutions=1)
    await call(
        client.add_permission, **named, StatementId="s", Action="lambda:InvokeFunction", Principal="s3.amazonaws.com"
    )

    await call(client.delete_alias, FunctionName="F", Name="live")
    await published.until(lambda event: isinstance(event, ev.EnvironmentEnded))
    published.service.aliases.create("F", "live", "2", {})

    code = "ResourceNotFoundException"
    assert (await refused(client.get_function_event_invoke_config, **named))[0] == code
    assert (await refused(client.get_policy, **named))[0] == code
    assert (await refused(client.get_provisioned_concurrency_config, **named))[0].startswith("Provisioned")
    function = published.lab.functions["F"]
    assert not function.policies and not function.event_invoke_configs
