"""A real screen in a terminal of its own, attached to a laboratory that runs here."""

from __future__ import annotations

import asyncio
import contextlib
import os
import pty
import sys
import termios
from collections.abc import AsyncIterator
from pathlib import Path

from lambdatui import events as ev
from lambdatui.control.attendant import Attendant, door, open_doors
from lambdatui.control.roles import Role
from lambdatui.experiment.loader import load
from lambdatui.experiment.runner import Runner
from lambdatui.service.service import Service

_SCREEN = """
import asyncio, sys
from lambdatui.control.client import Client
from lambdatui.tui.laboratory_app import LaboratoryApp

async def main():
    await LaboratoryApp(await Client.connect(sys.argv[1])).run_async()

asyncio.run(main())
"""


@contextlib.asynccontextmanager
async def live_screen(service: Service) -> AsyncIterator[None]:
    """While it is open, every event of the laboratory is drawn at 120x40."""
    experiment = Path(__file__).parents[2] / "experiments" / "timeout.yaml"
    runner = Runner(load(experiment), service)
    attendant = Attendant(service, runner.lab, runner, lambda: None)
    service.journal.append(ev.ExperimentOpened("Bench", "", str(experiment), "en", ()))
    async with open_doors(attendant, service.folder):
        terminal, inner = pty.openpty()
        termios.tcsetwinsize(terminal, (40, 120))
        process = await asyncio.create_subprocess_exec(
            *(sys.executable, "-c", _SCREEN, str(door(service.folder, Role.OWNER))),
            stdin=inner,
            stdout=inner,
            stderr=inner,
            env={**os.environ, "TERM": "xterm-256color"},
            start_new_session=True,
        )
        loop = asyncio.get_running_loop()
        drawn = asyncio.Event()

        def read() -> None:
            if b"Environments" in os.read(terminal, 2**20):
                drawn.set()

        loop.add_reader(terminal, read)
        try:
            await drawn.wait()
            yield
        finally:
            process.kill()
            await process.wait()
            loop.remove_reader(terminal)
            os.close(terminal)
            os.close(inner)
