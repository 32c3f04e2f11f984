"""Those who wait for the answers to their invocations."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import AsyncGenerator

from lambdatui.refusal import ServiceRefusal


class LaboratoryCleared(ServiceRefusal):
    """The functions were removed while an invocation was in flight."""

    def __init__(self) -> None:
        super().__init__("The laboratory was cleared meanwhile.")


class Caller:
    """Whoever invoked; the answer itself is in the journal. Only one at a time may wait for something here."""

    def __init__(self, request_id: str) -> None:
        self.request_id = request_id
        self.answered = False
        self.finished = False
        """END and REPORT stand in the log."""
        self._cleared = self._given_up = False
        self._parts: deque[bytes] = deque()
        self._news: asyncio.Future[None] | None = None

    async def until_answered(self) -> None:
        """Raises LaboratoryCleared, as do the others."""
        while not self.answered:
            await self._until_news()

    async def until_finished(self, within: float | None = None) -> None:
        """For so many seconds at most."""
        timer = asyncio.get_running_loop().call_later(within, self._give_up) if within is not None else None
        self._given_up = False
        while not self.finished and not self._given_up:
            await self._until_news()
        if timer:
            timer.cancel()

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
        self._news = asyncio.get_running_loop().create_future()
        await self._news

    # what it is told

    def take(self, part: bytes) -> None:
        self._parts.append(part)
        self._tell()

    def answer(self) -> None:
        self.answered = True
        self._tell()

    def finish(self) -> None:
        self.answered = self.finished = True
        self._tell()

    def clear(self) -> None:
        self._cleared = True
        self._tell()

    def _give_up(self) -> None:
        self._given_up = True
        self._tell()

    def _tell(self) -> None:
        if self._news and not self._news.done():
            self._news.set_result(None)


class Callers:
    """By their request ids; others, those of events from the queue, are passed over."""

    def __init__(self) -> None:
        self._callers: dict[str, Caller] = {}

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

    def finished(self, request_id: str) -> None:
        """All of it stands in the journal, its log too."""
        if caller := self._callers.pop(request_id, None):
            caller.finish()

    def clear(self) -> None:
        """Whoever waits gets LaboratoryCleared."""
        for caller in self._callers.values():
            caller.clear()
        self._callers.clear()
