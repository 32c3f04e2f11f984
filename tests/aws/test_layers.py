"""Layers, as boto3 sees them, and what functions find of them at /opt."""

from __future__ import annotations

import asyncio
import base64
import hashlib
import io
import json
import re
import urllib.request
import zipfile
from typing import Any

from tests.aws.conftest import Cloud, call, refused
from tests.aws.packages import ROLE, package

LAYERS = "arn:aws:lambda:us-east-1:000000000000:layer:"


async def publish(cloud: Cloud, layer: str, archive: bytes, **keys: Any) -> Any:
    return await call(cloud.client().publish_layer_version, LayerName=layer, Content={"ZipFile": archive}, **keys)


def words(say: str) -> bytes:
    return package(f"SAY = {say!r}", "python/words.py")


async def test_a_layer_is_published_found_fetched_and_deleted(cloud: Cloud) -> None:
    client, archive = cloud.client(), words("one")

    made = await publish(cloud, "words", archive, Description="d", CompatibleRuntimes=["python3.11"], LicenseInfo="MIT")
    assert made["ResponseMetadata"]["HTTPStatusCode"] == 201
    assert (made["LayerArn"], made["LayerVersionArn"], made["Version"]) == (f"{LAYERS}words", f"{LAYERS}words:1", 1)
    assert (made["Description"], made["LicenseInfo"], made["CompatibleRuntimes"]) == ("d", "MIT", ["python3.11"])
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}\+0000", made["CreatedDate"])
    digest = base64.b64encode(hashlib.sha256(archive).digest()).decode()
    assert (made["Content"]["CodeSha256"], made["Content"]["CodeSize"]) == (digest, len(archive))
    assert cloud.lab.layers[f"{LAYERS}words:1"].code_size == len(archive)

    got = await call(client.get_layer_version, LayerName=f"{LAYERS}words", VersionNumber=1)
    by_arn = await call(client.get_layer_version_by_arn, Arn=f"{LAYERS}words:1")
    assert got["CreatedDate"] == by_arn["CreatedDate"] == made["CreatedDate"]
    for answer in (got, by_arn):
        with await asyncio.to_thread(urllib.request.urlopen, answer["Content"]["Location"]) as fetched:
            assert fetched.read() == archive

    for _ in range(2):
        gone = await call(client.delete_layer_version, LayerName="words", VersionNumber=1)
        assert gone["ResponseMetadata"]["HTTPStatusCode"] == 204
    assert not cloud.lab.layers
    assert (await publish(cloud, "words", archive))["Version"] == 2


async def test_layers_and_their_versions_are_listed_the_latest_first(cloud: Cloud) -> None:
    client = cloud.client()
    await publish(cloud, "a", words("1"), CompatibleRuntimes=["python3.11"], CompatibleArchitectures=["arm64"])
    await publish(cloud, "a", words("2"), CompatibleRuntimes=["nodejs22.x"])
    await publish(cloud, "b", words("1"), CompatibleRuntimes=["nodejs22.x"])

    async def latest(**wanted: Any) -> list[tuple[str, int]]:
        found = (await call(client.list_layers, **wanted))["Layers"]
        return [(each["LayerName"], each["LatestMatchingVersion"]["Version"]) for each in found]

    assert await latest() == [("a", 2), ("b", 1)]
    assert await latest(CompatibleRuntime="python3.11") == [("a", 1)]
    assert await latest(CompatibleArchitecture="arm64", CompatibleRuntime="nodejs22.x") == []
    first = await call(client.list_layer_versions, LayerName="a", MaxItems=1)
    second = await call(client.list_layer_versions, LayerName="a", Marker=first["NextMarker"])
    assert [each["Version"] for page in (first, second) for each in page["LayerVersions"]] == [2, 1]
    assert (await call(client.list_layer_versions, LayerName="none"))["LayerVersions"] == []


async def test_functions_have_layers_the_later_over_the_earlier(cloud: Cloud) -> None:
    client = cloud.client()
    below, above = [(await publish(cloud, name, words(name)))["LayerVersionArn"] for name in ("below", "above")]
    code = {"ZipFile": package("import words\ndef handler(event, context): return words.SAY")}
    named = {"FunctionName": "F"}
    given = {"Runtime": "python3.11", "Handler": "app.handler", "Role": ROLE, "Code": code}

    async def said() -> Any:
        return json.loads((await call(client.invoke, **named))["Payload"].read())

    made = await call(client.create_function, **named, **given, Layers=[below, above])
    assert [each["Arn"] for each in made["Layers"]] == [below, above]
    assert made["Layers"][0]["CodeSize"] == len(words("below"))
    assert await said() == "above"
    await call(client.update_function_configuration, **named, Layers=[above, below])
    assert await said() == "below"

    await call(client.delete_layer_version, LayerName="below", VersionNumber=1)
    await call(client.update_function_configuration, **named, MemorySize=256)
    assert await said() == "below"  # who has it keeps it
    operation = client.update_function_configuration
    await call(operation, **named, Layers=[])
    assert await refused(operation, **named, Layers=[below]) == (
        "InvalidParameterValueException",
        f"Layer version {below} does not exist.",
    )
    newer = (await publish(cloud, "above", words("newer")))["LayerVersionArn"]
    assert "Two different versions of the same layer" in (await refused(operation, **named, Layers=[above, newer]))[1]
    assert (await refused(operation, **named, Layers=["/etc"]))[0] == "ValidationException"


async def test_an_extension_of_a_layer_runs(cloud: Cloud) -> None:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        entry = zipfile.ZipInfo("extensions/says")
        entry.external_attr = 0o755 << 16
        archive.writestr(entry, "#!/bin/sh\necho the extension was here\nexit 1\n")
    arn = (await publish(cloud, "extension", buffer.getvalue()))["LayerVersionArn"]
    await cloud.create("def handler(event, context): pass", layers=(arn,))

    invocation = await cloud.invoke()

    assert invocation.status == "failed" and "the extension was here" in cloud.lines(invocation)


async def test_what_is_no_layer_is_refused(cloud: Cloud) -> None:
    client = cloud.client()
    get, missing = client.get_layer_version, ("ResourceNotFoundException", "The resource you requested does not exist.")
    for content in (b"no zip", words("x")[:-30], package("", "../out.py")):
        code, message = await refused(client.publish_layer_version, LayerName="L", Content={"ZipFile": content})
        assert code == "InvalidParameterValueException" and message.startswith("Could not unzip uploaded file.")
    in_s3 = {"S3Bucket": "bucket", "S3Key": "key"}
    assert "no S3" in (await refused(client.publish_layer_version, LayerName="L", Content=in_s3))[1]
    assert await refused(get, LayerName="L", VersionNumber=1) == missing
    assert await refused(get, LayerName=LAYERS.replace("000", "111") + "L", VersionNumber=1) == missing
    assert await refused(client.get_layer_version_by_arn, Arn=f"{LAYERS}L:1") == missing
    assert "less than 1" in (await refused(get, LayerName="L", VersionNumber=0))[1]
    assert not cloud.lab.layers


async def test_the_account_counts_code_and_reserves(cloud: Cloud) -> None:
    settings = cloud.client().get_account_settings
    before = (await call(settings))["AccountUsage"]
    assert before == {"TotalCodeSize": 0, "FunctionCount": 0}
    archive = words("x")
    await publish(cloud, "words", archive)
    await cloud.create("def handler(event, context): pass", reserved_concurrent_executions=10)

    after = await call(settings)

    source = len((cloud.folder / "F" / "app.py").read_bytes())
    assert after["AccountUsage"] == {"TotalCodeSize": len(archive) + source, "FunctionCount": 1}
    assert after["AccountLimit"] == {
        "TotalCodeSize": 80530636800,
        "CodeSizeUnzipped": 262144000,
        "CodeSizeZipped": 52428800,
        "ConcurrentExecutions": 1000,
        "UnreservedConcurrentExecutions": 990,
    }
