"""The facts in order: append, save, load, follow.

The journal is the one place where events get their number and their time. Followers read from it at their own pace:
a late or slow one catches up from what is kept here and never delays the laboratory.
"""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import AsyncIterator, Callable, Iterable, Iterator
from pathlib import Path
from typing import TextIO

from lambdatui.events import Event, Record


class Journal:
    """All records so far. `clock` gives seconds since the epoch."""

    def __init__(self, clock: Callable[[], float] = time.time) -> None:
        self.records: list[Record] = []
        self._clock = clock
        self._readers: list[Callable[[Record], None]] = []
        self._waiting: set[asyncio.Future[None]] = set()

    def append(self, event: Event) -> Record:
        record = Record(len(self.records), self._clock(), event)
        self.records.append(record)
        for reader in self._readers:
            reader(record)
        if self._waiting:
            waiting, self._waiting = self._waiting, set()
            for future in waiting:
                if not future.done():
                    future.set_result(None)
        return record

    def read_with(self, reader: Callable[[Record], None]) -> None:
        """Call `reader` for every record, those there are and those to come, at once when they are appended."""
        for record in self.records:
            reader(record)
        self._readers.append(reader)

    async def follow(self, start: int = 0) -> AsyncIterator[list[Record]]:
        """Records from number `start`, in batches: whatever has come since the last one, without end."""
        position = start
        while True:
            if position == len(self.records):
                future = asyncio.get_running_loop().create_future()
                self._waiting.add(future)
                await future
            batch = self.records[position:]
            position += len(batch)
            yield batch


def save(records: Iterable[Record], file: TextIO) -> None:
    """Write these to `file`, one JSON object a line."""
    for record in records:
        file.write(json.dumps(record.to_json()) + "\n")
    file.flush()


def load(path: Path) -> Iterator[Record]:
    """The records of a saved journal. A line that is none raises ValueError, naming file and line."""
    with path.open("rb") as lines:
        for number, line in enumerate(lines, 1):
            try:
                record = Record.from_json(json.loads(line))
            except (json.JSONDecodeError, UnicodeDecodeError):
                raise ValueError(f"{path}:{number}: this is no line of a journal, or is not all of one") from None
            except (ValueError, RecursionError) as error:
                raise ValueError(f"{path}:{number}: {error}") from None
            if record.number != number - 1:
                raise ValueError(f"{path}:{number}: this is record {record.number}, where {number - 1} has to be")
            yield record
