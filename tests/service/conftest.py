"""A laboratory with real processes, and a few words to talk with it."""

from __future__ import annotations

import asyncio
import textwrap
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any

import pytest

from lambdatui import events as ev
from lambdatui.function import Code, Configuration
from lambdatui.journal import Journal
from lambdatui.lab import Invocation, Lab
from lambdatui.sandbox import machine
from lambdatui.sandbox.sandbox import ProcessGroup, Sandbox
from lambdatui.sandbox.storage import Folders, Storage
from lambdatui.service.service import Service, Settings, open_service


class Laboratory:
    """A service, and all that it states."""

    def __init__(self, service: Service, folder: Path) -> None:
        self.service = service
        self.folder = folder
        self.lab = Lab()
        service.journal.read_with(self.lab.apply)

    async def create(self, source: str, name: str = "F", **configuration: Any) -> None:
        """A function whose module is `source`, in a folder of its own."""
        folder = self.folder / name
        folder.mkdir(exist_ok=True)
        (folder / "app.py").write_text(textwrap.dedent(source))
        await self.service.create(name, Configuration("app.handler", **configuration), Code(folder))

    async def invoke(self, payload: str = "{}", function: str = "F", qualifier: str | None = None) -> Invocation:
        """One invocation, with its END and REPORT."""
        request_id = await self.service.invoke(function, payload, qualifier=qualifier)
        await self.service.settled()
        return self.lab.invocations[request_id]

    def lines(self, invocation: Invocation) -> list[str]:
        """What stands in its stream."""
        stream = self.lab.stream(invocation.log_group, invocation.log_stream)
        assert stream
        return [event.text for event in stream.events]

    async def until(self, happened: Callable[[ev.Event], bool], start: int = 0) -> ev.Event:
        """The first event from this number on, past or to come, of which this is true."""
        async with asyncio.timeout(30):
            async for records in self.service.journal.follow(start):
                for record in records:
                    if happened(record.event):
                        return record.event
        raise AssertionError


Opener = Callable[..., Any]


@pytest.fixture
async def open_laboratory(tmp_path: Path) -> AsyncIterator[Opener]:
    opened: list[Service] = []

    async def open_(queue: Path | None = None, **settings: Any) -> Laboratory:
        service = await open_service(Settings(**settings), Journal(), queue)
        opened.append(service)
        return Laboratory(service, tmp_path)

    yield open_
    for service in opened:
        await service.close()


@pytest.fixture
async def laboratory(open_laboratory: Opener) -> Laboratory:
    opened = await open_laboratory()
    assert isinstance(opened, Laboratory)
    return opened


@pytest.fixture(params=["as it is", "process group and folders"])
def with_and_without_isolation(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """Laboratories that are opened then have what this machine has, and once more the least that any has."""
    if request.param != "as it is":
        monkeypatch.setattr(machine, "choose", _process_group)
        monkeypatch.setattr(machine, "_storage_for", _folders)


async def _process_group() -> Sandbox:
    return ProcessGroup()


async def _folders(*_: object) -> Storage:
    return Folders()
