"""Log records on disk: their texts in a file without a name, a window of them in memory, numbers in arrays.

A million records take some 20 bytes each in memory, however long they are. The file is unlinked as soon as it is open,
so nothing is left of it when the screen ends, in whatever way it ends.
"""

from __future__ import annotations

import os
import tempfile
import weakref
from array import array
from bisect import bisect_left, bisect_right
from collections import OrderedDict
from collections.abc import Iterator, Set
from itertools import compress
from typing import NamedTuple

_PAGE_RECORDS = 256
_PAGE_CHARACTERS = 64 * 1024
"""A page is written when it has so many records or so many characters."""
_WINDOW = 4 * 1024 * 1024
"""Characters of the pages that are kept in memory for having been read last."""
_END = "\0"
"""Between two records of a page: no clean text has it."""


class Origin(NamedTuple):
    """When (seconds since the epoch) and by whom records were written; `stream` counts the streams from 0, `platform`
    is the service itself."""

    time: float
    platform: bool
    stream: int


class LogStore:
    """Records, numbered from 0 in the order of their arrival. Their texts are clean, see `sanitise`.

    Where there is no room on the disk they stay in memory.
    """

    def __init__(self, file: int | None = None) -> None:
        """`file` is the descriptor of a file to write to, for the store to close."""
        self._file = file
        self._of_record = array("I")
        """Index of each record's origin: records that came together share it."""
        self._times = array("d")
        self._latest = array("d")
        """The highest of the times so far: those of events that somebody puts may be of the past."""
        self._writers = array("I")
        """Twice the stream, and 1 more for the service."""
        self._firsts, self._offsets = array("I"), array("Q", [0])
        """Of each page, its first record and where it begins in the file; and where the next one will."""
        self._window: OrderedDict[int, list[str]] = OrderedDict()
        self._window_size = 0
        self._homeless: dict[int, list[str]] = {}
        """Pages that could not be written."""
        self._tail: list[str] = []
        self._tail_first = self._tail_size = 0
        self._page: tuple[int, list[str]] = (0, [])
        """The page that was looked at last, and its first record."""
        if file is not None:
            weakref.finalize(self, os.close, file)

    def __len__(self) -> int:
        return len(self._of_record)

    def add(self, texts: list[str], origin: Origin) -> None:
        self._of_record.extend([len(self._times)] * len(texts))
        self._times.append(origin.time)
        self._latest.append(max(origin.time, self._latest[-1] if self._latest else origin.time))
        self._writers.append(2 * origin.stream + origin.platform)
        for text in texts:
            self._tail.append(text)
            self._tail_size += len(text)
            if len(self._tail) == _PAGE_RECORDS or self._tail_size >= _PAGE_CHARACTERS:
                self._turn_page()

    def text(self, number: int) -> str:
        first, page = self._page
        if not 0 <= number - first < len(page):
            if number >= self._tail_first:
                return self._tail[number - self._tail_first]
            at = bisect_right(self._firsts, number) - 1
            first, page = self._page = self._firsts[at], self._read(at)
        return page[number - first]

    def origin(self, number: int) -> Origin:
        at = self._of_record[number]
        return Origin(self._times[at], bool(self._writers[at] & 1), self._writers[at] >> 1)

    def written_by(self, streams: Set[int], first: int, end: int) -> Iterator[int]:
        """Which of the records from `first` to before `end` are of one of the streams."""
        writers = {writer for stream in streams for writer in (2 * stream, 2 * stream + 1)}
        of_records = map(self._writers.__getitem__, self._of_record[first:end])
        return compress(range(first, end), map(writers.__contains__, of_records))

    def not_before(self, time: float) -> int:
        """A number such that no record below it is of that time or later."""
        return bisect_left(self._of_record, bisect_left(self._latest, time))

    # -- pages --------------------------------------------------------------------------------------------------

    def _turn_page(self) -> None:
        number, start = len(self._firsts), self._offsets[-1]
        data = _END.join(self._tail).encode()
        self._firsts.append(self._tail_first)
        try:
            if self._file is None:
                self._file = self._open()
            if os.pwrite(self._file, data, start) < len(data):
                raise OSError("There is no room for all of it.")
            self._offsets.append(start + len(data))
        except OSError:
            self._homeless[number] = self._tail
            self._offsets.append(start)
        self._tail_first += len(self._tail)
        self._tail, self._tail_size = [], 0

    def _open(self) -> int:
        with tempfile.TemporaryFile() as file:
            descriptor = os.dup(file.fileno())
        weakref.finalize(self, os.close, descriptor)
        return descriptor

    def _read(self, number: int) -> list[str]:
        if (page := self._homeless.get(number)) is not None:
            return page
        if (page := self._window.get(number)) is None:
            assert self._file is not None
            start, end = self._offsets[number : number + 2]
            page = os.pread(self._file, end - start, start).decode().split(_END)
            self._window[number] = page
            self._window_size += end - start
            while self._window_size > _WINDOW and len(self._window) > 1:
                oldest, _ = self._window.popitem(last=False)
                self._window_size -= self._offsets[oldest + 1] - self._offsets[oldest]
        self._window.move_to_end(number)
        return page
