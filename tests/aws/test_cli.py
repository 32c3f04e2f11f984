"""The aws command, as a user types it."""

from __future__ import annotations

from tests.aws.conftest import Cloud
from tests.aws.packages import ROLE, package


async def test_a_function_from_its_package_to_its_end(cloud: Cloud) -> None:
    (cloud.folder / "code.zip").write_bytes(package("def handler(event, context): return event['name']"))
    (cloud.folder / "new.zip").write_bytes(package("def handler(event, context): return 'new'"))
    name = ("--function-name", "Hello")

    created = await cloud.aws(
        "lambda",
        *("create-function", *name, "--runtime", "python3.11", "--handler", "app.handler"),
        *("--role", ROLE, "--zip-file", "fileb://code.zip"),
    )
    assert created["State"] == "Pending"
    await cloud.aws("lambda", "wait", "function-active-v2", *name)
    await cloud.aws("lambda", "invoke", *name, "--payload", '{"name": "you"}', "out.json")
    assert (cloud.folder / "out.json").read_text() == '"you"'
    updated = await cloud.aws("lambda", "update-function-code", *name, "--zip-file", "fileb://new.zip", "--publish")
    assert updated["Version"] == "1"
    await cloud.aws("lambda", "invoke", *name, "--qualifier", "1", "out.json")
    assert (cloud.folder / "out.json").read_text() == '"new"'
    await cloud.aws("lambda", "delete-function", *name)
    assert (await cloud.aws("lambda", "list-functions")) == {"Functions": []}
    assert not cloud.lab.functions
