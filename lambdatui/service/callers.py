"""Those who wait for the answers to their invocations."""

from __future__ import annotations

import asyncio
import contextlib
from collections import deque
from collections.abc import AsyncGenerator

from lambdatui.refusal import ServiceRefusal

_MOMENT = 0.02
"""Seconds. A runtime that has answered asks for the next invocation in less; an extension may have more to do."""


class LaboratoryCleared(ServiceRefusal):
    """The functions were removed while an invocation was in flight."""

    def __init__(self) -> None:
        super().__init__("The laboratory was cleared meanwhile.")


class Caller:
    """Whoever invoked; the answer itself is in the journal."""

    def __init__(self, request_id: str, function: str) -> None:
        self.request_id = request_id
        self.function = function
        self.answered = False
        self.finished = False
        """END and REPORT stand in the log."""
        self._answered_at = 0.0
        self._cleared = False
        self._parts: deque[bytes] = deque()
        self._waiting: list[asyncio.Future[None]] = []

    async def until_answered(self) -> None:
        """Raises LaboratoryCleared, as do the others."""
        while not self.answered:
            await self._until_news()

    async def until_finished(self) -> None:
        while not self.finished:
            await self._until_news()

    async def until_at_rest(self) -> None:
        """Until it is finished, or a moment after the answer."""
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout_at(self._answered_at + _MOMENT):
                await self.until_finished()

    async def parts(self) -> AsyncGenerator[bytes, None]:
        """A response that the function streams, as it comes; nothing of one that it does not. Who reads slowly makes
        nobody wait: what is not read yet is part of what the journal will keep."""
        while True:
            while self._parts:
                yield self._parts.popleft()
            if self.answered:
                return
            await self._until_news()

    async def _until_news(self) -> None:
        if self._cleared:
            raise LaboratoryCleared
        news: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._waiting.append(news)
        await news

    # what it is told

    def take(self, part: bytes) -> None:
        self._parts.append(part)
        self._tell()

    def answer(self) -> None:
        self.answered, self._answered_at = True, asyncio.get_running_loop().time()
        self._tell()

    def finish(self) -> None:
        self.answered = self.finished = True
        self._tell()

    def clear(self) -> None:
        self._cleared = True
        self._tell()

    def _tell(self) -> None:
        waiting, self._waiting = self._waiting, []
        for each in waiting:
            if not each.done():
                each.set_result(None)


class Callers:
    """By their request ids; others, those of events from the queue, are passed over."""

    def __init__(self) -> None:
        self._callers: dict[str, Caller] = {}
        self._leaving: dict[str, deque[Caller]] = {}
        """By function, those who have their answer from an environment that has not finished yet, and whom nobody
        follows."""

    def add(self, caller: Caller) -> None:
        self._callers[caller.request_id] = caller

    def sent(self, request_id: str, part: bytes) -> None:
        """The function has sent a part of its response."""
        if caller := self._callers.get(request_id):
            caller.take(part)

    def answered(self, request_id: str) -> None:
        """The answer stands in the journal."""
        if caller := self._callers.get(request_id):
            caller.answer()
            self._leaving.setdefault(caller.function, deque()).append(caller)

    def finished(self, request_id: str) -> None:
        """All of it stands in the journal, its log too."""
        if caller := self._callers.pop(request_id, None):
            caller.finish()
            if (leaving := self._leaving.get(caller.function)) and caller in leaving:
                leaving.remove(caller)

    async def follow(self, function: str) -> None:
        """Wait for an environment of this function that has answered and will be at rest in a moment, one for each who
        waits: in the real service an answer takes longer, and whoever invokes again at once finds it at rest."""
        if leaving := self._leaving.get(function):
            await leaving.popleft().until_at_rest()

    def clear(self) -> None:
        """Whoever waits gets LaboratoryCleared."""
        for caller in self._callers.values():
            caller.clear()
        self._callers.clear()
        self._leaving.clear()
