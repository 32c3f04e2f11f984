"""The aws command, as a user types it."""

from __future__ import annotations

import asyncio
import json
import os
import sys
from pathlib import Path
from typing import Any

from tests.aws.conftest import Cloud
from tests.aws.packages import ROLE, package

AWS = Path(sys.executable).parent / "aws"


async def aws(cloud: Cloud, *words: str) -> Any:
    """What `aws lambda ...` prints, as JSON. Raises AssertionError with what it complains of."""
    key = cloud.endpoint.keys.own
    variables = {
        "PATH": os.environ["PATH"],
        "AWS_ENDPOINT_URL_LAMBDA": cloud.endpoint.url,
        "AWS_ACCESS_KEY_ID": key.access_key_id,
        "AWS_SECRET_ACCESS_KEY": key.secret_access_key,
        "AWS_DEFAULT_REGION": "us-east-1",
    }
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, str(AWS), "lambda", *words),
        env=variables,
        cwd=cloud.folder,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    printed, complaint = await process.communicate()
    assert process.returncode == 0, complaint.decode()
    return json.loads(printed or "null")


async def test_a_function_from_its_package_to_its_end(cloud: Cloud) -> None:
    (cloud.folder / "code.zip").write_bytes(package("def handler(event, context): return event['name']"))
    (cloud.folder / "new.zip").write_bytes(package("def handler(event, context): return 'new'"))
    name = ("--function-name", "Hello")

    created = await aws(
        cloud,
        *("create-function", *name, "--runtime", "python3.11", "--handler", "app.handler"),
        *("--role", ROLE, "--zip-file", "fileb://code.zip"),
    )
    assert created["State"] == "Pending"
    await aws(cloud, "wait", "function-active-v2", *name)
    await aws(cloud, "invoke", *name, "--payload", '{"name": "you"}', "out.json")
    assert (cloud.folder / "out.json").read_text() == '"you"'
    updated = await aws(cloud, "update-function-code", *name, "--zip-file", "fileb://new.zip", "--publish")
    assert updated["Version"] == "1"
    await aws(cloud, "invoke", *name, "--qualifier", "1", "out.json")
    assert (cloud.folder / "out.json").read_text() == '"new"'
    await aws(cloud, "delete-function", *name)
    assert (await aws(cloud, "list-functions")) == {"Functions": []}
    assert not cloud.lab.functions
