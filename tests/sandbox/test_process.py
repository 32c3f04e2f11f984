"""Processes of an environment, in each sandbox that this machine has."""

from __future__ import annotations

import asyncio
import os
import shutil
import sys
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import psutil
import pytest

from lambdatui.sandbox.capture import Line, Output
from lambdatui.sandbox.gauges import Gauges
from lambdatui.sandbox.guardian import Guardian
from lambdatui.sandbox.limits import Limits, Pace, Watch
from lambdatui.sandbox.machine import Machine
from lambdatui.sandbox.process import Exit, Process
from lambdatui.sandbox.sandbox import Bubblewrap, Place, ProcessGroup, Program, Sandbox, choose
from lambdatui.sandbox.storage import Folders


@pytest.fixture
def guardian() -> Iterator[Guardian]:
    guardian = Guardian.start()
    yield guardian
    guardian.close()


@pytest.fixture(params=["bubblewrap", "process group"])
async def sandbox(request: pytest.FixtureRequest) -> Sandbox:
    if request.param == "process group":
        return ProcessGroup()
    chosen = await choose()
    if not isinstance(chosen, Bubblewrap):
        pytest.skip("bubblewrap does not work here")
    return chosen


class Running:
    """A Python program in an environment's sandbox, and what came of it."""

    def __init__(self, watch: Watch) -> None:
        self.watch = watch
        self.lines: list[str] = []
        self.exit: Exit | None = None
        self.changed = asyncio.Event()
        self.process: Process

    def printed(self, outputs: list[Output]) -> None:
        self.lines += [each.text for each in outputs if isinstance(each, Line)]
        self.changed.set()

    def exited(self, how: Exit) -> None:
        assert self.exit is None, "told once"
        self.exit = how

    async def until(self, line: str) -> None:
        async with asyncio.timeout(30):
            while line not in self.lines:
                self.changed.clear()
                await self.changed.wait()


class Starter:
    def __init__(self, sandbox: Sandbox, guardian: Guardian, folder: Path) -> None:
        self.sandbox, self.guardian, self.folder = sandbox, guardian, folder
        self.started: list[Running] = []

    async def __call__(self, source: str) -> Running:
        place = Place(self.folder / "code", self.folder / "tmp")
        for path in (place.code, place.tmp):
            path.mkdir(exist_ok=True)
        pace = Pace()
        running = Running(Watch(Limits(1024, None), pace, Gauges(lambda: None, lambda use: None)))
        reads = tuple(Path(path) for path in {sys.prefix, sys.base_prefix})
        program = Program((sys.executable, "-u", "-c", source), {"PATH": os.environ["PATH"]}, reads)
        running.process = await Process.start(
            Machine(self.sandbox, Folders(), pace),
            program,
            place,
            watch=running.watch,
            guardian=self.guardian,
            on_output=running.printed,
            on_exit=running.exited,
        )
        self.started.append(running)
        return running


@pytest.fixture
async def start(sandbox: Sandbox, guardian: Guardian, tmp_path: Path) -> AsyncIterator[Starter]:
    starter = Starter(sandbox, guardian, tmp_path)
    yield starter
    for running in starter.started:
        running.process.kill()
        await running.process.wait()


@pytest.mark.parametrize(
    ("source", "words"),
    [
        ("raise SystemExit(3)", "Runtime exited with error: exit status 3"),
        ("pass", "Runtime exited without providing a reason"),
        ("import os; os.kill(os.getpid(), 9)", "Runtime exited with error: signal: killed"),
        ("import os; os.kill(os.getpid(), 11)", "Runtime exited with error: signal: segmentation fault"),
    ],
)
async def test_an_exit_in_lambdas_words_after_all_output(start: Starter, source: str, words: str) -> None:
    running = await start(f"print('said before', end=''); {source}")
    await running.process.wait()
    assert str(running.exit) == words
    assert running.lines == ["said before"]


async def test_the_code_cannot_be_written_in_bubblewrap_and_tmp_is_private(start: Starter) -> None:
    running = await start(
        "import os; tmp = os.environ.get('TMPDIR', '/tmp'); open(tmp + '/x', 'w');"
        f"print(os.path.exists({str(start.folder)!r}));"
        "open('written', 'w').close(); print('no')"
    )
    await running.process.wait()
    if start.sandbox.name == "bubblewrap":
        assert running.lines[0] == "False", "the host's /tmp is not to be seen"
        assert running.lines[-1].startswith("OSError: [Errno 30] Read-only file system")
    assert (start.folder / "tmp" / "x").exists()


async def test_frozen_it_stands_still_strays_too_and_thawed_it_goes_on(start: Starter) -> None:
    count = "import time\\nfor n in range(10**6): print(n, flush=True); time.sleep(0.005)"
    running = await start(
        f"import subprocess, sys; subprocess.run([sys.executable, '-c', '{count}'], start_new_session=True)"
    )
    await running.until("5")
    running.watch.freeze()
    await asyncio.sleep(0.1)  # what was on its way
    running.process.drain()
    still = len(running.lines)
    await asyncio.sleep(0.3)
    running.process.drain()
    assert len(running.lines) == still
    running.watch.thaw()
    await running.until(str(still + 5))


async def test_killed_while_frozen_nothing_is_left(start: Starter, guardian: Guardian) -> None:
    running = await start(
        "import subprocess, time; subprocess.Popen(['sleep', '62'], start_new_session=True); print('up');time.sleep(60)"
    )
    await running.until("up")
    running.watch.freeze()
    running.process.kill()
    await running.process.wait()
    assert running.exit and running.exit.signal == 9
    async with asyncio.timeout(10):
        while marked(guardian.folder):
            await asyncio.sleep(0.01)


async def test_memory_is_the_high_water_mark(start: Starter) -> None:
    running = await start("x = bytearray(100 * 2**20); del x; print('up'); import time; time.sleep(60)")
    await running.until("up")
    assert 100 <= running.watch.max_memory_mb() < 140


def marked(folder: Path) -> list[psutil.Process]:
    found = []
    for process in psutil.process_iter():
        try:
            if process.status() != psutil.STATUS_ZOMBIE and str(folder) in process.environ().values():
                found.append(process)
        except psutil.Error:
            continue
    return found


def test_the_folder_of_a_dead_laboratory_is_swept_by_the_next_one(guardian: Guardian) -> None:
    dead = Guardian.start()
    dead._process.kill()
    dead._process.wait()
    os.close(dead._pipe)
    assert dead.folder.exists()
    os.close(dead._lock)
    live = Guardian.start()
    try:
        assert not dead.folder.exists()
        assert guardian.folder.exists(), "one that lives is left alone"
    finally:
        live.close()
        shutil.rmtree(dead.folder, ignore_errors=True)
