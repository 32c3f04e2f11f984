"""The laboratory's process: service, experiment and journal behind the control socket.

    python -m lambdatui.control.server EXPERIMENT [--lang LANGUAGE] [--parameter NAME=VALUE]... [--terminal DESCRIPTOR]
        [--port PORT]

It says `ready PATH` on standard output, the path of its socket, and lives until its standard input ends, a screen says
`stop`, or it is told to by a signal. Whoever holds the other end of its standard input says farewell there with a byte;
where the end comes without, the screen was killed, and the laboratory gives back the terminal. What is wrong with the
experiment it says on standard error, and exits with 2.
"""

from __future__ import annotations

import argparse
import asyncio
import os
import signal
import sys

from lambdatui.control.attendant import Attendant, door, open_doors
from lambdatui.control.roles import Role
from lambdatui.control.terminal import Terminal
from lambdatui.experiment.bundled import find
from lambdatui.experiment.laboratory import laboratory
from lambdatui.experiment.language import language as chosen_language
from lambdatui.experiment.loader import BadExperiment, load
from lambdatui.experiment.runner import Runner
from lambdatui.experiment.schema import ExperimentFile
from lambdatui.experiment.target import TargetError
from lambdatui.garbage import search_once
from lambdatui.journal import Journal
from lambdatui.refusal import ServiceRefusal
from lambdatui.service.event_queue import path_for
from lambdatui.service.service import Settings

_READ_BYTES = 2**16


def main() -> int:
    parser = argparse.ArgumentParser(prog="lambdatui-laboratory")
    parser.add_argument("experiment")
    parser.add_argument("--lang")
    parser.add_argument("--parameter", action="append", default=[], dest="parameters")
    parser.add_argument("--terminal", type=int)
    parser.add_argument("--port", type=int, default=0)
    arguments = parser.parse_args()
    try:
        experiment = load(find(arguments.experiment), dict(each.split("=", 1) for each in arguments.parameters))
        terminal = None if arguments.terminal is None else Terminal(arguments.terminal)
        search_once()
        return asyncio.run(_serve(experiment, arguments.lang, terminal, arguments.port))
    except (BadExperiment, TargetError, ServiceRefusal) as error:
        print(error, file=sys.stderr)
    except OSError as error:
        print(f"the laboratory cannot be opened: {error.strerror or error}", file=sys.stderr)
    return 2


async def _serve(experiment: ExperimentFile, language: str | None, terminal: Terminal | None, port: int) -> int:
    stopped = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
        loop.add_signal_handler(number, stopped.set)
    settings = Settings(**experiment.laboratory.model_dump())
    path = experiment.path
    opening = laboratory(settings, Journal(), queue=path_for(path), port=port, experiment=path)
    async with opening as (service, lab, _):
        runner = Runner(experiment, service, chosen_language(language, os.environ), lab)
        await runner.open()
        service.recover()
        async with open_doors(Attendant(service, lab, runner, stopped.set), service.folder):
            print(f"ready {door(service.folder, Role.OWNER)}", flush=True)
            owner = _Owner(terminal, stopped)
            loop.add_reader(0, owner.read)
            await stopped.wait()
            loop.remove_reader(0)
    return 0


class _Owner:
    """Whoever started the laboratory holds the other end of its standard input. A farewell and the end are all there
    is to read."""

    def __init__(self, terminal: Terminal | None, stopped: asyncio.Event) -> None:
        self._terminal, self._stopped = terminal, stopped
        self._said_farewell = False

    def read(self) -> None:
        if os.read(0, _READ_BYTES):
            self._said_farewell = True
            return
        if self._terminal is not None and not self._said_farewell:
            self._terminal.give_back()
        self._stopped.set()


if __name__ == "__main__":
    sys.exit(main())
