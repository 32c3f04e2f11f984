"""How often one looks, how much CPU there is, and what a machine says of itself."""

from __future__ import annotations

import os
from collections.abc import AsyncIterator

import pytest

from lambdatui import cli
from lambdatui.sandbox.enforcement import measures
from lambdatui.sandbox.limits import LOOK_EVERY, Pace, cores_for
from lambdatui.sandbox.machine import Machine
from lambdatui.sandbox.sandbox import ProcessGroup
from lambdatui.sandbox.storage import Folders


def test_the_more_environments_work_the_less_often_each_is_looked_at() -> None:
    pace = Pace()
    pace.begin()
    assert pace.next_in(0.0001) == LOOK_EVERY
    for _ in range(299):
        pace.begin()
    for _ in range(100):
        delay = pace.next_in(0.0002)
    assert 300 * 0.0002 / delay == pytest.approx(0.1, rel=0.01), "a tenth of a core for all of them"
    for _ in range(299):
        pace.end()
    assert pace.next_in(0.0002) == LOOK_EVERY


def test_as_many_cores_as_the_memory_brings(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "cpu_count", lambda: 4)
    assert cores_for(1769) == 1.0
    assert cores_for(128) == pytest.approx(1 / 13.8, rel=0.01)
    assert cores_for(3 * 1769) == 3.0
    assert cores_for(10240) is None, "more than there is"


@pytest.fixture
async def machine() -> AsyncIterator[Machine]:
    yield Machine(ProcessGroup(), Folders(), Pace())


async def test_a_machine_with_little_says_so_and_what_would_help(machine: Machine) -> None:
    told = {measure.limit: measure for measure in measures(machine)}
    assert told["isolation"].brief == "process group" and "bubblewrap" in told["isolation"].better
    assert told["/tmp"].brief == "/tmp measured" and "nsenter" in told["/tmp"].better
    assert told["memory"].brief == "memory watched"
    assert told["CPU"].brief == "CPU by pauses"
    without = {measure.limit: measure for measure in measures(machine, cpu_limit=False)}
    assert without["CPU"].brief == "CPU not limited"


def test_the_doctor_names_every_limit(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        cli.main(["doctor"])
    assert ended.value.code == 0
    lines = capsys.readouterr().out.splitlines()
    assert [line.split()[0] for line in lines if not line.startswith(" ")] == [
        *("isolation", "memory", "CPU", "/tmp", "descriptors", "processes")
    ]
