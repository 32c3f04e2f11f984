"""A laboratory behind its endpoint, and real boto3 clients of it."""

from __future__ import annotations

import asyncio
import json
import os
import sys
from collections.abc import AsyncIterator, Callable
from functools import cache
from pathlib import Path
from typing import Any

import boto3
import pytest
from botocore.config import Config
from botocore.exceptions import ClientError

from lambdatui.aws.address import Address
from lambdatui.aws.endpoint import Endpoint, open_endpoint
from lambdatui.journal import Journal
from lambdatui.service.service import Service, Settings, open_service
from tests.aws.model import check_answer
from tests.service.conftest import Laboratory

_AWS = Path(sys.executable).with_name("aws")


class Cloud(Laboratory):
    """A laboratory as its clients see it."""

    def __init__(self, service: Service, folder: Path) -> None:
        super().__init__(service, folder)
        self.endpoint: Endpoint

    def client(self, service: str = "lambda", **options: Any) -> Any:
        """A boto3 client with the laboratory's keys, which checks every answer against the service's model, and
        sends whatever it is told to, once: what is refused shall be seen."""
        key = self.endpoint.keys.own
        given: dict[str, Any] = {
            "endpoint_url": self.endpoint.url,
            "region_name": "us-east-1",
            "aws_access_key_id": key.access_key_id,
            "aws_secret_access_key": key.secret_access_key,
            "config": Config(
                retries={"total_max_attempts": 1},
                read_timeout=60,
                inject_host_prefix=False,
                parameter_validation=False,
            ),
        }
        client = _session().client(service, **{**given, **options})
        client.meta.events.register("before-parse", check_answer)
        return client

    @property
    def variables(self) -> dict[str, str]:
        """The environment of a terminal that has evaluated what `lambdatui env` prints, and of whose own configuration
        nothing is left."""
        own = self.endpoint.keys.own
        address = Address(self.endpoint.url, "us-east-1", own.access_key_id, own.secret_access_key, 0, 0.0)
        set_ = {name: value for name, value in address.variables({}).items() if value is not None}
        return {"PATH": os.environ["PATH"], "AWS_CONFIG_FILE": os.devnull, **set_}

    async def aws(self, *words: str) -> Any:
        """What the aws command prints, as JSON. Raises AssertionError with what it complains of."""
        process = await asyncio.create_subprocess_exec(
            *(sys.executable, str(_AWS), *words),
            env=self.variables,
            cwd=self.folder,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
        )
        printed, complaint = await process.communicate()
        assert process.returncode == 0, complaint.decode()
        return json.loads(printed or "null")


@cache
def _session() -> Any:
    """One for all, because it is slow to read the services' models."""
    return boto3.session.Session()


async def call(operation: Callable[..., Any], **parameters: Any) -> Any:
    """What a blocking client answers, while the laboratory goes on."""
    return await asyncio.to_thread(operation, **parameters)


async def refused(operation: Callable[..., Any], **parameters: Any) -> tuple[str, str]:
    """The code and the message of the error that a client gets."""
    with pytest.raises(ClientError) as error:
        await call(operation, **parameters)
    return error.value.response["Error"]["Code"], error.value.response["Error"]["Message"]


@pytest.fixture
async def open_cloud(tmp_path: Path) -> AsyncIterator[Callable[..., Any]]:
    opened: list[Cloud] = []

    async def open_(**settings: Any) -> Cloud:
        service = await open_service(Settings(**settings), Journal())
        cloud = Cloud(service, tmp_path)
        cloud.endpoint = await open_endpoint(service, cloud.lab)
        opened.append(cloud)
        return cloud

    yield open_
    for cloud in opened:
        await cloud.endpoint.close()
        await cloud.service.close()


@pytest.fixture
async def cloud(open_cloud: Callable[..., Any]) -> Cloud:
    opened = await open_cloud()
    assert isinstance(opened, Cloud)
    return opened
