"""What environments use, measured while they work, with real processes."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from lambdatui import events as ev
from lambdatui.lab import Environment
from lambdatui.sandbox.storage import Folders
from tests.service.conftest import Laboratory, Opener

GREEDY = """
import os, tempfile, time

held = []

def handler(event, context):
    with open(os.path.join(tempfile.gettempdir(), "file"), "wb") as file:
        file.write(os.urandom(event.get("file_mb", 0) * 2**20))
    held.append(os.urandom(event.get("memory_mb", 0) * 2**20))
    until = time.monotonic() + event.get("spin", 0)
    while time.monotonic() < until:
        pass
    time.sleep(event.get("sleep", 0))
"""


@pytest.fixture
async def laboratory(with_and_without_isolation: None, open_laboratory: Opener) -> Laboratory:
    opened = await open_laboratory(cpu_limit=False)
    assert isinstance(opened, Laboratory)
    return opened


def measured(laboratory: Laboratory) -> list[ev.EnvironmentMeasured]:
    return [each.event for each in laboratory.service.journal.records if isinstance(each.event, ev.EnvironmentMeasured)]


def the_environment(laboratory: Laboratory) -> Environment:
    (environment,) = laboratory.lab.environments.values()
    return environment


async def test_figures_are_told_while_an_invocation_runs(laboratory: Laboratory) -> None:
    await laboratory.create(GREEDY, timeout=60, memory_size=512)
    invoked = asyncio.ensure_future(laboratory.invoke('{"memory_mb": 60, "file_mb": 7, "spin": 2}'))

    def told(event: ev.Event) -> bool:
        return isinstance(event, ev.EnvironmentMeasured) and event.cpu_percent >= 20 and event.tmp_mb == 7

    await laboratory.until(told)
    environment = the_environment(laboratory)
    assert environment.state == "busy"
    assert environment.memory_mb is not None and 60 <= environment.memory_mb <= 110
    invocation = await invoked
    assert environment.frozen and environment.cpu_percent == 0 and environment.tmp_mb == 7
    assert environment.memory_mb is not None and invocation.max_memory_used_mb is not None
    assert 60 <= environment.memory_mb <= invocation.max_memory_used_mb


async def test_many_short_invocations_hardly_tell_anything(laboratory: Laboratory) -> None:
    await laboratory.create("def handler(event, context): pass")
    for _ in range(30):
        await laboratory.invoke()
    first, *more = measured(laboratory)
    assert first.memory_mb > 5 and first.tmp_mb == 0, "what it holds when it is frozen for the first time"
    records = laboratory.service.journal.records
    seconds = records[-1].time - records[0].time
    assert len(more) <= 2 * seconds


async def test_of_a_steady_one_nothing_more_is_told(laboratory: Laboratory) -> None:
    await laboratory.create(GREEDY, timeout=60)
    await laboratory.invoke('{"sleep": 2.2}')
    assert len(measured(laboratory)) <= 3, "its init's, perhaps, the first, and one when the CPU came to rest"


async def test_after_a_reset_there_are_no_processes_but_files(laboratory: Laboratory) -> None:
    await laboratory.create(GREEDY, timeout=1)
    await laboratory.invoke('{"file_mb": 3, "sleep": 60}')
    environment = the_environment(laboratory)
    assert environment.state == "reset"
    assert (environment.memory_mb, environment.cpu_percent, environment.tmp_mb) == (None, None, 3)
    await laboratory.service.reclaim()
    assert environment.tmp_mb is None


def test_files_that_are_too_many_are_not_added_up(tmp_path: Path) -> None:
    for number in range(600):
        (tmp_path / f"{number}").touch()
        if number == 100:
            (tmp_path / "large").write_bytes(bytes(3 * 2**20))
            assert Folders().used_mb(tmp_path) == 3
    assert Folders().used_mb(tmp_path) is None
