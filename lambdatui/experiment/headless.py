"""A laboratory without a screen, until its experiment has run from the first step to the last, or until it is told to
end: opens the service, closes it again."""

from __future__ import annotations

import asyncio
import os
import signal
from collections.abc import AsyncIterator, Callable, Coroutine, Iterable, Sequence
from contextlib import AbstractAsyncContextManager, AsyncExitStack, asynccontextmanager
from typing import TYPE_CHECKING, TypeAlias, TypeVar

from lambdatui.events import ExperimentFinished, Record
from lambdatui.experiment.language import Language
from lambdatui.experiment.runner import Runner
from lambdatui.experiment.schema import ExperimentFile
from lambdatui.experiment.target import TargetError
from lambdatui.journal import Journal
from lambdatui.lab import Lab
from lambdatui.refusal import ServiceRefusal

if TYPE_CHECKING:
    from lambdatui.service.service import Service

_READ_BYTES = 2**16
_T = TypeVar("_T")
Doors: TypeAlias = "Callable[[Service, Lab, Runner | None], AbstractAsyncContextManager[None]]"
"""Lets screens in while it is entered."""
Reader = Callable[[Sequence[Record]], None]
"""Takes the records that have come since the last time. What it raises ends the run."""


class Interrupted(Exception):
    """A signal, its `number`, asked to end; everything is closed."""

    def __init__(self, number: int) -> None:
        super().__init__(signal.Signals(number).name)
        self.number = number


async def run(experiment: ExperimentFile, language: Language, readers: Sequence[Reader]) -> Lab:
    """What the run showed, as it was before the laboratory was closed.

    However it ends, nothing of the laboratory is left. Raises TargetError where the laboratory cannot be opened,
    Interrupted, and what a reader raises.
    """
    journal = Journal()
    return await _attended(_run(experiment, language, journal), journal, readers)


def as_told(records: Iterable[Record]) -> Lab:
    """The fold of a journal as it was when its experiment was over: what follows is the laboratory being closed."""
    lab = Lab()
    for record in records:
        lab.apply(record)
        if isinstance(record.event, ExperimentFinished):
            break
    return lab


async def serve(
    experiment: ExperimentFile | None,
    language: Language,
    port: int,
    readers: Sequence[Reader],
    ready: Callable[[str], None],
    doors: Doors,
    *,
    until_eof: bool,
) -> None:
    """A laboratory with the functions of an experiment, or none, whose steps do not run. `ready` gets the address of
    its endpoint when they are there, and `doors` lets screens in.

    It goes on until standard input ends, if that is wanted. Raises as :func:`run` does.
    """
    journal = Journal()
    await _attended(_serve(experiment, language, port, journal, ready, doors, until_eof), journal, readers)


async def _attended(work: Coroutine[None, None, _T], journal: Journal, readers: Sequence[Reader]) -> _T:
    """Do the work while readers follow the journal, until a signal breaks it off."""
    followers = [_Follower(journal, reader) for reader in readers]
    running = asyncio.ensure_future(work)
    following = [asyncio.ensure_future(follower.follow()) for follower in followers]
    received: list[int] = []
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        loop.add_signal_handler(number, _interrupt, number, received, running)
    try:
        await asyncio.wait([running, *following], return_when=asyncio.FIRST_COMPLETED)
    finally:
        for task in (running, *following):
            task.cancel()
        await asyncio.gather(running, *following, return_exceptions=True)
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            loop.remove_signal_handler(number)
    if received:
        raise Interrupted(received[0])
    for task in following:
        if not task.cancelled() and (error := task.exception()):
            raise error
    for follower in followers:
        follower.catch_up()
    return running.result()


@asynccontextmanager
async def open_target(
    experiment: ExperimentFile | None, journal: Journal, port: int = 0
) -> AsyncIterator[tuple[Service, Lab]]:
    """The local service behind its endpoint, with the surroundings that the experiment asks for, and the fold of its
    journal. Raises TargetError."""
    from lambdatui.experiment.laboratory import laboratory
    from lambdatui.service.service import Settings

    async with AsyncExitStack() as stack:
        try:
            settings = Settings(**experiment.laboratory.model_dump()) if experiment else Settings()
            path = experiment.path if experiment else None
            opening = laboratory(settings, journal, port=port, experiment=path)
            opened = await stack.enter_async_context(opening)
        except OSError as error:
            raise TargetError(f"the laboratory cannot be opened: {error.strerror or error}") from error
        except ServiceRefusal as error:
            raise TargetError(f"the laboratory cannot be opened: {error}") from error
        yield opened.service, opened.lab


async def _run(experiment: ExperimentFile, language: Language, journal: Journal) -> Lab:
    async with open_target(experiment, journal) as (target, lab):
        runner = Runner(experiment, target, language, lab)
        await runner.open()
        await runner.run_all()
        return as_told(journal.records)


async def _serve(
    experiment: ExperimentFile | None,
    language: Language,
    port: int,
    journal: Journal,
    ready: Callable[[str], None],
    doors: Doors,
    until_eof: bool,
) -> None:
    async with open_target(experiment, journal, port) as (target, lab):
        runner = Runner(experiment, target, language, lab) if experiment else None
        if runner:
            await runner.open()
        assert lab.endpoint
        async with doors(target, lab, runner):
            ready(lab.endpoint)
            await (_end_of_stdin() if until_eof else asyncio.Event().wait())


async def _end_of_stdin() -> None:
    """Whatever is sent there is not for us."""
    loop = asyncio.get_running_loop()
    ended = asyncio.Event()

    def read() -> None:
        if not os.read(0, _READ_BYTES):
            ended.set()

    try:
        loop.add_reader(0, read)
    except OSError:  # what nobody waits for, as /dev/null, has ended
        return
    try:
        await ended.wait()
    finally:
        loop.remove_reader(0)


def _interrupt(number: int, received: list[int], running: asyncio.Future[_T]) -> None:
    if received:  # the closing takes somebody too long; the guardian of the service clears away what is left
        signal.signal(number, signal.SIG_DFL)
        signal.raise_signal(number)
    received.append(number)
    running.cancel()


class _Follower:
    """Brings a reader up to date whenever there is something new, outside the service's own flow."""

    def __init__(self, journal: Journal, reader: Reader) -> None:
        self._journal = journal
        self._reader = reader
        self._position = 0

    async def follow(self) -> None:
        async for _ in self._journal.follow():
            self.catch_up()

    def catch_up(self) -> None:
        batch = self._journal.records[self._position :]
        self._position += len(batch)
        if batch:
            self._reader(batch)
