"""A /tmp of its own size, in each way that this machine has."""

from __future__ import annotations

import asyncio
import os
import shutil
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from lambdatui.sandbox.machine import Machine
from lambdatui.sandbox.sandbox import Place, Program
from lambdatui.sandbox.storage import Tmpfs


@pytest.fixture
async def machine() -> AsyncIterator[Machine]:
    machine = await Machine.open(os.environ)
    yield machine
    await machine.close()


@pytest.fixture
def tmpfs(machine: Machine) -> Tmpfs:
    if not isinstance(machine.storage, Tmpfs):
        pytest.skip("no tmpfs can be had here")
    return machine.storage


async def output(machine: Machine, place: Place, script: str) -> str:
    program = Program(("sh", "-c", f'cd "${{TMPDIR:-/tmp}}"; {script}'), {"PATH": os.environ["PATH"]})
    command = machine.sandbox.command(program, place)
    process = await asyncio.create_subprocess_exec(
        *machine.storage.command(command.argv, command.cwd),
        env=dict(command.variables),
        cwd=command.cwd,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
    )
    told, _ = await process.communicate()
    return told.decode().strip()


async def test_each_has_its_size_survives_processes_and_goes_with_its_folder(
    machine: Machine, tmpfs: Tmpfs, tmp_path: Path
) -> None:
    places = [Place(tmp_path, tmp_path / "a"), Place(tmp_path, tmp_path / "b")]
    for place, size in zip(places, (1, 3), strict=True):
        place.tmp.mkdir()
        await tmpfs.prepare(place.tmp, size)
    full = [await output(machine, place, "head -c 9000000 /dev/zero > x; wc -c < x") for place in places]
    assert [told.splitlines()[-1] for told in full] == [str(2**20), str(3 * 2**20)]
    assert all("No space left on device" in told for told in full)
    await tmpfs.prepare(places[0].tmp, 1)
    assert await output(machine, places[0], "wc -c < x; stat -c %u x") == f"{2**20}\n{os.geteuid()}", (
        "as it was, and ours"
    )
    mounts = Path(f"/proc/{tmpfs._keeper.pid}/mounts")
    assert mounts.read_text().count(str(tmp_path)) == 2
    assert str(tmp_path) not in Path("/proc/self/mounts").read_text(), "others see nothing of it"
    shutil.rmtree(places[0].tmp)
    assert mounts.read_text().count(str(tmp_path)) == 1


async def test_what_cannot_be_made_is_told(tmpfs: Tmpfs, tmp_path: Path) -> None:
    with pytest.raises(OSError, match="no /tmp of 5 MB can be had: No such file or directory"):
        await tmpfs.prepare(tmp_path / "nowhere", 5)
    tmpfs._keeper.kill()
    with pytest.raises(OSError):
        await tmpfs.prepare(tmp_path, 5)


async def test_nothing_else_can_be_written_in_bubblewrap(machine: Machine, tmp_path: Path) -> None:
    if machine.sandbox.name != "bubblewrap":
        pytest.skip("bubblewrap does not work here")
    place = Place(tmp_path, tmp_path / "tmp")
    place.tmp.mkdir()
    told = await output(machine, place, "touch x; for each in / /dev /dev/shm /var; do touch $each/file; done; ls /tmp")
    assert told.count("Read-only file system") == 4
    assert told.splitlines()[-1] == "x"
