"""The treatment of asynchronous invocations, as boto3 sees it."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from tests.aws.conftest import Cloud, call, refused

FUNCTIONS = "arn:aws:lambda:us-east-1:000000000000:function:"
FAILS = "def handler(event, context): raise ValueError('no')"


@pytest.fixture
async def published(open_cloud: Callable[..., Any]) -> Cloud:
    """F has the version 1 and the alias live, and fails; G gets what is sent to it."""
    cloud: Cloud = await open_cloud(time_scale=6000.0)
    await cloud.create(FAILS)
    await cloud.service.publish("F")
    cloud.service.aliases.create("F", "live", "1", {})
    await cloud.create("def handler(event, context): pass", name="G")
    return cloud


async def test_a_config_is_put_changed_and_deleted(published: Cloud) -> None:
    client = published.client()
    put, get = client.put_function_event_invoke_config, client.get_function_event_invoke_config
    update = client.update_function_event_invoke_config
    to_g = {"OnFailure": {"Destination": f"{FUNCTIONS}G"}}
    for qualifier in ({}, {"Qualifier": "live"}, {"Qualifier": "1"}):
        named = {"FunctionName": "F", **qualifier}
        answer = await call(put, **named, MaximumRetryAttempts=0, DestinationConfig=to_g)
        del answer["ResponseMetadata"]
        assert abs(answer.pop("LastModified") - datetime.now(UTC)) < timedelta(minutes=1)
        assert answer == {
            "FunctionArn": f"{FUNCTIONS}F:{qualifier.get('Qualifier', '$LATEST')}",
            "MaximumRetryAttempts": 0,
            "DestinationConfig": {"OnSuccess": {}, **to_g},
        }

        changed = await call(update, **named, MaximumEventAgeInSeconds=60)
        assert (changed["MaximumRetryAttempts"], changed["MaximumEventAgeInSeconds"]) == (0, 60)
        assert (await call(get, **named))["DestinationConfig"] == {"OnSuccess": {}, **to_g}

        again = await call(put, **named, DestinationConfig={"OnFailure": {"Destination": ""}})
        assert "MaximumRetryAttempts" not in again and again["DestinationConfig"]["OnFailure"] == {}

    await call(client.delete_function_event_invoke_config, FunctionName="F", Qualifier="live")
    code, message = await refused(get, FunctionName="F", Qualifier="live")
    assert (code, message) == (
        "ResourceNotFoundException",
        f"The function {FUNCTIONS}F:live doesn't have an EventInvokeConfig",
    )
    listed = await call(client.list_function_event_invoke_configs, FunctionName="F", MaxItems=1)
    rest = await call(client.list_function_event_invoke_configs, FunctionName="F", Marker=listed["NextMarker"])
    arns = [each["FunctionArn"] for page in (listed, rest) for each in page["FunctionEventInvokeConfigs"]]
    assert arns == [f"{FUNCTIONS}F:$LATEST", f"{FUNCTIONS}F:1"]
    assert published.lab.functions["F"].event_invoke_configs.keys() == {"1"}


async def test_an_event_is_treated_as_the_qualifier_that_it_came_by_wants(published: Cloud) -> None:
    client = published.client()
    put = client.put_function_event_invoke_config
    await call(put, FunctionName="F", MaximumRetryAttempts=0)
    destination = {"OnFailure": {"Destination": f"{FUNCTIONS}G"}}
    await call(put, FunctionName="F", Qualifier="live", MaximumRetryAttempts=1, DestinationConfig=destination)

    for name in ("F", "F:live", "F:1"):
        await call(client.invoke, FunctionName=name, InvocationType="Event")
        await published.service.settled()

    own, by_alias, to_g, by_version = published.lab.invocations.values()
    assert [each.attempt for each in (own, by_alias, by_version)] == [1, 2, 3]
    assert (to_g.function, json.loads(to_g.event)["requestContext"]["functionArn"]) == ("G", f"{FUNCTIONS}F:live")


async def test_what_an_experiment_says_holds_for_latest_and_is_shown(published: Cloud) -> None:
    await published.create(
        FAILS, "H", maximum_retry_attempts=1, destination_config={"on_failure": {"destination": "function:G"}}
    )
    get = published.client().get_function_event_invoke_config

    answer = await call(get, FunctionName="H")
    await published.service.update("H", {"maximum_retry_attempts": 0})
    changed = await call(get, FunctionName="H", Qualifier="$LATEST")

    assert (answer["MaximumRetryAttempts"], changed["MaximumRetryAttempts"]) == (1, 0)
    assert answer["DestinationConfig"]["OnFailure"] == {"Destination": f"{FUNCTIONS}G"}
    assert (await refused(get, FunctionName="G"))[0] == "ResourceNotFoundException"


async def test_what_cannot_hold_is_refused(published: Cloud) -> None:
    client = published.client()
    put, update = client.put_function_event_invoke_config, client.update_function_event_invoke_config
    invalid, missing = "InvalidParameterValueException", "ResourceNotFoundException"

    def to(arn: str) -> dict[str, Any]:
        return {"FunctionName": "F", "DestinationConfig": {"OnSuccess": {"Destination": arn}}}

    for operation, parameters, code, message in (
        (
            put,
            {"FunctionName": "F"},
            invalid,
            "You must specify at least one of error handling or destination setting.",
        ),
        (put, {"FunctionName": "F", "MaximumRetryAttempts": 3}, "ValidationException", "less than or equal to 2"),
        (put, {"FunctionName": "X", "MaximumRetryAttempts": 1}, missing, "The function doesn't exist."),
        (put, {"FunctionName": "F:no", "MaximumRetryAttempts": 1}, missing, "The function doesn't exist."),
        (update, {"FunctionName": "F", "MaximumRetryAttempts": 1}, missing, "doesn't have an EventInvokeConfig"),
        (put, to(f"{FUNCTIONS}F"), invalid, "You can't specify the function as a destination for itself."),
        (put, to(f"{FUNCTIONS}X"), invalid, f"The destination ARN {FUNCTIONS}X is invalid."),
        (
            put,
            to("arn:aws:s3:::bucket"),
            invalid,
            "DestinationConfig(onSuccess=OnSuccess(destination=arn:aws:s3:::bucket)",
        ),
        (put, to("file:/tmp/x"), "ValidationException", "at 'destinationConfig.onSuccess.destination'"),
        (client.list_function_event_invoke_configs, {"FunctionName": "X"}, missing, "The function doesn't exist."),
    ):
        got = await refused(operation, **parameters)
        assert got[0] == code and message in got[1]
