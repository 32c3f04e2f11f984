"""Functions over the API, as boto3 sees them; every answer is checked against the service's model by the client."""

from __future__ import annotations

import asyncio
import base64
import contextlib
import hashlib
import io
import itertools
import sys
import urllib.error
import urllib.request
import zipfile
from collections.abc import Callable
from typing import Any

import pytest
from botocore.exceptions import ClientError

from lambdatui import events as ev
from lambdatui.refusal import ResourceConflict
from lambdatui.role import LAMBDA, managed_policy, trusting
from lambdatui.service.deployments import MAX_TAGS
from tests.aws.conftest import Cloud, call, refused
from tests.aws.packages import ROLE, package


async def create(cloud: Cloud, name: str = "F", archive: bytes | None = None, **keys: Any) -> Any:
    code = {"ZipFile": package() if archive is None else archive}
    given = {"Runtime": "python3.11", "Handler": "app.handler", "Role": ROLE, "Code": code}
    return await call(cloud.client().create_function, FunctionName=name, **{**given, **keys})


async def answer(cloud: Cloud, function: str = "F", **parameters: Any) -> str:
    response = await call(cloud.client().invoke, FunctionName=function, **parameters)
    return str((await asyncio.to_thread(response["Payload"].read)).decode())


async def test_a_function_is_created_from_a_package(cloud: Cloud) -> None:
    archive = package("def handler(event, context): return 'uploaded'")

    created = await create(cloud, archive=archive, Description="mine", Tags={"team": "a"})

    arn = "arn:aws:lambda:us-east-1:000000000000:function:F"
    assert created["ResponseMetadata"]["HTTPStatusCode"] == 201
    assert created == {
        "ResponseMetadata": created["ResponseMetadata"],
        "Architectures": ["x86_64"],
        "CodeSha256": base64.b64encode(hashlib.sha256(archive).digest()).decode(),
        "CodeSize": len(archive),
        "Description": "mine",
        "EphemeralStorage": {"Size": 512},
        "FunctionArn": arn,
        "FunctionName": "F",
        "Handler": "app.handler",
        "LastModified": created["LastModified"],
        "LoggingConfig": {"LogFormat": "Text", "LogGroup": "/aws/lambda/F"},
        "MemorySize": 128,
        "PackageType": "Zip",
        "RevisionId": created["RevisionId"],
        "Role": ROLE,
        "Runtime": "python3.11",
        "RuntimeVersionConfig": created["RuntimeVersionConfig"],
        "SnapStart": {"ApplyOn": "None", "OptimizationStatus": "Off"},
        "State": "Pending",
        "StateReason": "The function is being created.",
        "StateReasonCode": "Creating",
        "Timeout": 3,
        "TracingConfig": {"Mode": "PassThrough"},
        "Version": "$LATEST",
    }
    for waiter in ("function_exists", "function_active_v2", "function_updated_v2", "function_active"):
        await call(cloud.client().get_waiter(waiter).wait, FunctionName="F")
    assert await answer(cloud) == '"uploaded"'
    assert cloud.lab.functions["F"].code_location == "uploaded"
    got = await call(cloud.client().get_function, FunctionName=arn)
    assert got["Tags"] == {"team": "a"}
    assert (got["Configuration"]["State"], got["Configuration"]["LastUpdateStatus"]) == ("Active", "Successful")


async def test_the_code_can_be_fetched_for_a_while_by_those_who_were_told_where(cloud: Cloud) -> None:
    archive = package()
    await create(cloud, archive=archive)
    await cloud.create("def handler(event, context): pass", name="Local")

    def fetch(url: str) -> bytes:
        with urllib.request.urlopen(url) as response:
            return bytes(response.read())

    location = (await call(cloud.client().get_function, FunctionName="F"))["Code"]["Location"]
    assert await call(fetch, url=location) == archive
    location = (await call(cloud.client().get_function, FunctionName="Local"))["Code"]["Location"]
    with zipfile.ZipFile(io.BytesIO(await call(fetch, url=location))) as fetched:
        assert fetched.read("app.py") == b"def handler(event, context): pass"
    with pytest.raises(urllib.error.HTTPError, match="403"):
        await call(fetch, url=f"{cloud.endpoint.url}/packages/guessed")


async def test_uploaded_code_takes_the_place_of_the_folders(cloud: Cloud) -> None:
    await cloud.create("def handler(event, context): return 'of the folder'")
    assert await answer(cloud) == '"of the folder"'
    client = cloud.client()
    before = await call(client.get_function_configuration, FunctionName="F")
    archive = package("def handler(event, context): return 'uploaded'")

    dry = await call(client.update_function_code, FunctionName="F", ZipFile=archive, DryRun=True)
    assert await answer(cloud) == '"of the folder"'
    updated = await call(client.update_function_code, FunctionName="F", ZipFile=archive)

    assert dry["CodeSha256"] == updated["CodeSha256"] == base64.b64encode(hashlib.sha256(archive).digest()).decode()
    assert updated["LastUpdateStatus"] == "InProgress" and updated["RevisionId"] != before["RevisionId"]
    assert await answer(cloud) == '"uploaded"'
    assert cloud.lab.functions["F"].updated_because == "upload"
    await cloud.create("def handler(event, context): return 'other'", name="Other")
    for number in itertools.count():  # until saves are seen again
        for name in ("F", "Other"):
            (cloud.folder / name / "app.py").write_text(f"def handler(event, context): return {number}")
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(1):
                await cloud.until(lambda event: isinstance(event, ev.FunctionUpdated) and event.because == "save")
                break
    assert await answer(cloud) == '"uploaded"', "nobody looks at the folder any more"


async def test_the_configuration_changes_as_far_as_it_is_given(cloud: Cloud) -> None:
    await create(cloud, Environment={"Variables": {"A1": "a"}}, Timeout=5)
    client = cloud.client()

    updated = await call(
        client.update_function_configuration,
        FunctionName="F",
        MemorySize=256,
        EphemeralStorage={"Size": 600},
        LoggingConfig={"LogFormat": "JSON", "SystemLogLevel": "WARN"},
        VpcConfig={"SubnetIds": [], "SecurityGroupIds": []},
        KMSKeyArn="",
    )
    assert (updated["MemorySize"], updated["Timeout"], updated["EphemeralStorage"]) == (256, 5, {"Size": 600})
    assert updated["Environment"] == {"Variables": {"A1": "a"}}
    assert updated["LoggingConfig"] == {
        "LogFormat": "JSON",
        "ApplicationLogLevel": "INFO",
        "SystemLogLevel": "WARN",
        "LogGroup": "/aws/lambda/F",
    }
    assert updated["LastUpdateStatus"] == "InProgress"
    updated = await call(client.update_function_configuration, FunctionName="F", Environment={"Variables": {}})
    assert "Environment" not in updated and updated["MemorySize"] == 256


async def test_what_has_changed_since_is_not_overwritten(cloud: Cloud) -> None:
    created = await create(cloud)
    client = cloud.client()
    old = created["RevisionId"]
    await call(client.update_function_configuration, FunctionName="F", Timeout=5, RevisionId=old)

    for operation, parameters in (
        (client.update_function_configuration, {"Timeout": 6}),
        (client.update_function_code, {"ZipFile": package("x = 1")}),
        (client.publish_version, {}),
    ):
        code, message = await refused(operation, FunctionName="F", RevisionId=old, **parameters)
        assert code == "PreconditionFailedException"
        assert message.startswith("The Revision Id provided does not match the latest Revision Id. Call the Get")


async def test_two_changes_at_once_are_in_conflict(cloud: Cloud) -> None:
    await create(cloud)
    interpreter = cloud.folder / "python"
    interpreter.write_text(f'#!/bin/sh\nexec {sys.executable} "$@"\n')
    interpreter.chmod(0o755)
    first = asyncio.create_task(cloud.service.configure("F", {"python": str(interpreter)}))
    await asyncio.sleep(0)  # it asks that interpreter what it is

    with pytest.raises(ResourceConflict, match="An update is in progress for resource: arn:"):
        await cloud.service.configure("F", {"timeout": 4})
    with pytest.raises(ResourceConflict):
        cloud.service.upload("F", package("x = 1"))
    await first

    assert (await call(cloud.client().get_function_configuration, FunctionName="F"))["Timeout"] == 3


async def test_versions_are_published_listed_and_deleted(cloud: Cloud) -> None:
    created = await create(cloud, Publish=True)
    assert created["Version"] == "1"
    client = cloud.client()
    same = await call(client.publish_version, FunctionName="F", Description="the same")
    assert (same["Version"], same["FunctionArn"][-2:]) == ("1", ":1")

    updated = await call(client.update_function_code, FunctionName="F", ZipFile=package("x = 2"), Publish=True)
    assert (updated["Version"], updated["FunctionArn"][-2:]) == ("2", ":2")
    code, message = await refused(client.publish_version, FunctionName="F", CodeSha256=created["CodeSha256"])
    assert code == "InvalidParameterValueException" and message.startswith("CodeSHA256 (")
    await call(client.update_function_configuration, FunctionName="F", Timeout=9)
    third = await call(
        client.publish_version, FunctionName="F", CodeSha256=updated["CodeSha256"], Description="the third"
    )
    assert third["Description"] == "the third"

    pages = client.get_paginator("list_versions_by_function").paginate(
        FunctionName="F", PaginationConfig={"PageSize": 3}
    )
    listed = [version["Version"] for each in await call(lambda: list(pages)) for version in each["Versions"]]
    assert listed == ["$LATEST", "1", "2", "3"]

    await cloud.service.point_alias("F", "live", "2", {})
    assert await refused(client.delete_function, FunctionName="F", Qualifier="2") == (
        "ResourceConflictException",
        "Unable to delete version because the following aliases reference it: [live]",
    )
    for qualifier in ("live", "$LATEST"):
        code, _ = await refused(client.delete_function, FunctionName="F", Qualifier=qualifier)
        assert code == "InvalidParameterValueException"
    await call(client.delete_function, FunctionName="F:3")
    await call(client.delete_function, FunctionName="F:3")
    assert [*cloud.lab.functions["F"].versions] == ["1", "2"]
    await call(client.update_function_configuration, FunctionName="F", Timeout=10)
    assert (await call(client.publish_version, FunctionName="F"))["Version"] == "4", "no number is given twice"
    assert (await refused(client.get_function, FunctionName="F", Qualifier="3"))[1].endswith(":function:F:3")


async def test_functions_are_listed_page_by_page(cloud: Cloud) -> None:
    for name in ("C", "A", "B"):
        await create(cloud, name, Publish=True)
    client = cloud.client()

    pages = client.get_paginator("list_functions").paginate(PaginationConfig={"PageSize": 2})
    listed = [each["Functions"] for each in await call(lambda: list(pages))]
    assert [[function["FunctionName"] for function in each] for each in listed] == [["A", "B"], ["C"]]
    assert not {"State", "LastUpdateStatus", "RuntimeVersionConfig"} & listed[0][0].keys()

    every = await call(client.list_functions, FunctionVersion="ALL")
    assert [each["FunctionArn"].split("function:")[1] for each in every["Functions"]] == [
        *("A:$LATEST", "A:1", "B:$LATEST", "B:1", "C:$LATEST", "C:1")
    ]
    assert (await refused(client.list_functions, Marker="mine"))[0] == "InvalidParameterValueException"


async def test_a_deleted_function_is_gone_when_its_invocations_have_finished(cloud: Cloud) -> None:
    source = """
        import os, time
        def handler(event, context):
            print("here", flush=True)
            while not os.path.exists("gate"):
                time.sleep(0.01)
            return "finished"
    """
    await create(cloud, archive=package(source), Timeout=60, Publish=True)
    client = cloud.client()
    in_flight = asyncio.create_task(cloud.service.invoke("F", "{}"))
    await cloud.service.provision("F", "1", 1)
    await cloud.until(lambda event: isinstance(event, ev.LogWritten) and "here" in event.lines)
    code_sha256 = cloud.lab.functions["F"].code_sha256

    await call(client.delete_function, FunctionName="F")

    assert "F" not in cloud.lab.functions
    arn = "arn:aws:lambda:us-east-1:000000000000:function:F"
    assert await refused(client.get_function, FunctionName="F") == (
        "ResourceNotFoundException",
        f"Function not found: {arn}:$LATEST",
    )
    assert await refused(client.delete_function, FunctionName="F") == (
        "ResourceNotFoundException",
        f"Function not found: {arn}",
    )
    await create(cloud, archive=package("def handler(event, context): return 'another'"))
    assert await answer(cloud) == '"another"'
    (cloud.service.folder / "code" / code_sha256 / "gate").touch()
    assert cloud.lab.invocations[await in_flight].payload == '"finished"'
    await cloud.service.settled()
    ended = {each.ended_because for each in cloud.lab.environments.values() if each.state == "ended"}
    assert ended == {"the function was deleted"}
    await call(client.delete_function, FunctionName="F")
    await cloud.service.settled()
    assert not [each for each in cloud.lab.environments.values() if each.state != "ended"]
    assert not [*(cloud.service.folder / "code").iterdir()], "its code has gone with it"


async def test_an_event_for_a_function_that_was_deleted_comes_to_an_end(open_cloud: Callable[..., Any]) -> None:
    cloud = await open_cloud(time_scale=60.0)
    await create(cloud, archive=package("def handler(event, context): raise ValueError"))
    request_id = await cloud.service.invoke("F", "{}", invocation_type="Event")
    await cloud.until(lambda event: isinstance(event, ev.EventQueued) and event.because == "function error")

    await call(cloud.client().delete_function, FunctionName="F")
    await cloud.service.settled()

    assert cloud.lab.invocations[request_id].condition == "FunctionDeleted"
    assert cloud.lab.invocations[request_id].done


async def test_tags_are_the_functions(cloud: Cloud) -> None:
    arn = (await create(cloud, Tags={"a": "1"}))["FunctionArn"]
    client = cloud.client()

    await call(client.tag_resource, Resource=arn, Tags={"b": "2", "a": ""})
    assert (await call(client.list_tags, Resource=arn))["Tags"] == {"a": "", "b": "2"}
    await call(client.untag_resource, Resource=arn, TagKeys=["a", "c", "b"])
    assert (await call(client.list_tags, Resource=arn))["Tags"] == {}
    assert cloud.lab.functions["F"].tags == {}

    many = {str(number): "" for number in range(MAX_TAGS + 1)}
    assert (await refused(client.tag_resource, Resource=arn, Tags=many))[0] == "InvalidParameterValueException"
    assert (await refused(client.tag_resource, Resource=arn, Tags={"aws:x": ""}))[0] == "InvalidParameterValueException"
    assert (await refused(client.list_tags, Resource=f"{arn}:1"))[0] == "InvalidParameterValueException"
    assert await refused(client.list_tags, Resource=f"{arn}2") == (
        "ResourceNotFoundException",
        f"Function not found: {arn}2",
    )


@pytest.mark.parametrize(
    ("keys", "code", "message"),
    [
        ({"Timeout": 901}, "ValidationException", "less than or equal to 900"),
        ({"MemorySize": 127}, "ValidationException", "greater than or equal to 128"),
        ({"MemorySize": 10241}, "InvalidParameterValueException", "'MemorySize' value failed"),
        ({"Runtime": "python2.7"}, "InvalidParameterValueException", "Value python2.7 at 'runtime' failed"),
        ({"Handler": "a b"}, "ValidationException", "regular expression pattern"),
        ({"Role": "mine"}, "ValidationException", "'role'"),
        ({"Environment": {"Variables": {"AWS_REGION": "x"}}}, "InvalidParameterValueException", "reserved keys"),
        ({"Environment": {"Variables": {"A1": "x" * 4100}}}, "InvalidParameterValueException", "4KB limit"),
        ({"Code": {"S3Bucket": "bucket", "S3Key": "key"}}, "InvalidParameterValueException", "no S3"),
        ({"Code": {"ImageUri": "image"}}, "InvalidParameterValueException", "no container images"),
        ({"Code": {}}, "InvalidParameterValueException", "Please provide a source"),
        ({"Code": {"ZipFile": b"no zip"}}, "InvalidParameterValueException", "Could not unzip uploaded file"),
        ({"PackageType": "Image"}, "InvalidParameterValueException", "no container images"),
        ({"TracingConfig": {"Mode": "Active"}}, "InvalidParameterValueException", "does not have TracingConfig"),
        ({"SnapStart": {"ApplyOn": "PublishedVersions"}}, "InvalidParameterValueException", "does not have SnapStart"),
        ({"Tags": {"aws:x": ""}}, "InvalidParameterValueException", "System tags"),
    ],
)
async def test_what_no_function_can_be_made_of_is_refused(
    cloud: Cloud, keys: dict[str, Any], code: str, message: str
) -> None:
    with pytest.raises(ClientError) as caught:
        await create(cloud, **keys)

    assert caught.value.response["Error"]["Code"] == code
    assert message in caught.value.response["Error"]["Message"]
    assert not cloud.lab.functions


async def test_a_name_is_taken_once_and_need_not_be_alone(cloud: Cloud) -> None:
    arn = "arn:aws:lambda:us-east-1:000000000000:function:F"
    await create(cloud, arn)
    client = cloud.client()

    with pytest.raises(ClientError, match="Function already exist: F"):
        await create(cloud)
    for name in ("F", arn, f"{arn}:$LATEST", "000000000000:function:F", "function:F"):
        assert (await call(client.get_function_configuration, FunctionName=name))["FunctionName"] == "F"
    code, message = await refused(client.get_function, FunctionName="function:F:1", Qualifier="2")
    assert (code, message[:22]) == ("InvalidParameterValueException", "The derived qualifier ")
    elsewhere = arn.replace("000000000000", "111111111111")
    assert (await refused(client.get_function, FunctionName=elsewhere))[0] == "AccessDeniedException"
    elsewhere = arn.replace("us-east-1", "eu-west-1")
    assert (await refused(client.get_function, FunctionName=elsewhere))[0] == "ResourceNotFoundException"


async def test_any_role_will_do_where_an_experiment_has_none(cloud: Cloud) -> None:
    await create(cloud)
    await answer(cloud)
    await cloud.service.settled()
    assert cloud.lab.streams, "it may log"

    await cloud.service.create_role("one", trusting(LAMBDA), {"AWSLambdaRole": managed_policy("AWSLambdaRole")})

    with pytest.raises(ClientError, match="The role defined for the function cannot be assumed by Lambda"):
        await create(cloud, "G", Role="arn:aws:iam::000000000000:role/other")
    await create(cloud, "G", Role="arn:aws:iam::000000000000:role/one")
    assert await answer(cloud) == "1", "what was taken for granted stays"


async def test_nobody_but_those_who_may_change_functions_does(cloud: Cloud) -> None:
    caller = """
        import boto3
        def handler(event, context):
            try:
                boto3.client("lambda").delete_function(FunctionName="F")
            except Exception as error:
                return str(error)
    """
    await cloud.service.create_role("invoker", trusting(LAMBDA), {"AWSLambdaRole": managed_policy("AWSLambdaRole")})
    await cloud.create(caller, name="F", role="invoker", timeout=30, memory_size=1769)

    assert "is not authorized to perform: lambda:DeleteFunction on resource: arn" in await answer(cloud)
    assert "F" in cloud.lab.functions
