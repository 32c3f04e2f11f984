"""Which rows a growing log makes, filtered, wrapped and folded, at a cost that does not grow with the log.

Rows are exact only where one looks. Lines, as a log's records are called here, stand in blocks; a block that nobody has
looked at counts one row a line, which is the least it can have, and its rows are counted when it comes into sight. A
change of width forgets them all and costs next to nothing. Filtering has to see every line: :meth:`LineIndex.scan` does
so a slice at a time.
"""

from __future__ import annotations

import re
import time
from array import array
from bisect import bisect_left, bisect_right
from collections.abc import Sequence

from lambdatui.tui.logbook import Log
from lambdatui.tui.record_rows import RecordRows, pretty_record, record_rows

_BLOCK = 128
"""Lines. Looking at one of them costs measuring all."""
_LINES_PER_LOOK_AT_THE_CLOCK = 64
_REMEMBERED = 512
"""Lines whose rows are kept for being drawn again."""


class LineIndex:
    """Rows of `lines`: only those that match `pattern`, if `only_matches`; wrapped at `width` cells, if given; no line
    in more than `fold` rows, if given."""

    def __init__(
        self,
        lines: Log,
        pattern: re.Pattern[str] | None = None,
        only_matches: bool = True,
        width: int | None = None,
        fold: int | None = None,
    ) -> None:
        self.lines, self.pattern, self._fold = lines, pattern, fold
        self.unfolded: set[int] = set()
        self.matches = array("I")
        """Indexes of the lines that match, as far as they have been scanned."""
        self._scanned = 0
        self.show(only_matches, width)

    def show(self, only_matches: bool, width: int | None) -> None:
        """Change what is shown of the same lines, and how wide; what was found by the pattern stays."""
        self.only_matches, self.width = only_matches, width
        self._counted = 0
        self._rows: dict[int, RecordRows] = {}
        self._heights: list[int] = []
        """Rows of each block."""
        self._starts = [0]
        """The first row of each block, as far as it was asked for, and the first behind it."""
        self._offsets: dict[int, list[int]] = {}
        """Of a measured block, the first row of each line, counted from that of the block, and the first behind it."""

    @property
    def _filtered(self) -> bool:
        return self.pattern is not None and self.only_matches

    def scan(self, seconds: float) -> bool:
        """Look for lines and for matches for so long; whether any are left."""
        until = time.perf_counter() + seconds
        more = self.lines.catch_up(until)
        if self.pattern is None:
            return more
        search, count = self.pattern.search, len(self.lines)
        while self._scanned < count and time.perf_counter() < until:
            end = min(count, self._scanned + _LINES_PER_LOOK_AT_THE_CLOCK)
            texts = enumerate(self.lines.texts_from(self._scanned, end), self._scanned)
            self.matches.extend(number for number, text in texts if search(text))
            self._scanned = end
        return more or self._scanned < count

    # -- rows ---------------------------------------------------------------------------------------------------

    @property
    def rows(self) -> int:
        """How many rows there are, as far as is known."""
        return self._block_starts()[-1]

    def settle(self, row: int, height: int) -> int:
        """Count the rows that are in sight when `row` is the topmost of `height`; its number now. What comes into
        sight at the top may have more rows than it was thought to have, and then all below it move down."""
        if not 0 <= row < self.rows:
            return row
        block = bisect_right(self._block_starts(), row) - 1
        left = self._block_starts()[block + 1] - row
        self._measure(block)
        row = self._block_starts()[block + 1] - left
        while block + 1 < len(self._heights) and self._block_starts()[block + 1] < row + height:
            block += 1
            self._measure(block)
        return row

    def settle_end(self, height: int) -> None:
        """Count the last `height` rows."""
        block = len(self._block_starts()) - 1
        while block > 0 and height > 0:
            block -= 1
            self._measure(block)
            height -= self._heights[block]

    def at(self, row: int) -> tuple[int, int]:
        """The line (its index) that row shows, and which of its rows."""
        block = bisect_right(self._block_starts(), row) - 1
        offsets, inside = self._measure(block), row - self._starts[block]
        line = bisect_right(offsets, inside) - 1
        position = block * _BLOCK + line
        return (self.matches[position] if self._filtered else position), inside - offsets[line]

    def rows_of(self, line: int) -> RecordRows:
        """All rows of a line."""
        if (rows := self._rows.get(line)) is None:
            if len(self._rows) >= _REMEMBERED:
                self._rows.clear()
            text = self.lines.text(line)
            if line in self.unfolded:
                rows = record_rows(pretty_record(text), self.width)
            else:
                rows = record_rows(text, self.width, self._fold)
            self._rows[line] = rows
        return rows

    def row_of(self, line: int) -> int:
        """The first row that shows a line, or where it would be."""
        position = bisect_left(self.matches, line) if self._filtered else line
        starts = self._block_starts()
        block = position // _BLOCK
        if block >= len(self._heights):
            return starts[-1]
        return starts[block] + self._measure(block)[min(position, self._counted) - block * _BLOCK]

    def toggle(self, line: int) -> bool:
        """Unfold a line, or fold it again; whether that changes anything."""
        before = self.rows_of(line)
        self.unfolded ^= {line}
        del self._rows[line]
        block = (bisect_left(self.matches, line) if self._filtered else line) // _BLOCK
        self._offsets.pop(block, None)
        if block < len(self._heights):
            self._measure(block)
        return self.rows_of(line) != before

    def match_number(self, line: int) -> int | None:
        """From 1, which of the matches that line is, if it is one."""
        at = bisect_left(self.matches, line)
        return at + 1 if at < len(self.matches) and self.matches[at] == line else None

    def match_after(self, line: int, step: int) -> int | None:
        """The match (its line) after `line`, or before it where `step` is -1, around the end."""
        if not self.matches:
            return None
        position = bisect_right(self.matches, line) if step > 0 else bisect_right(self.matches, line - 1) - 1
        return self.matches[position % len(self.matches)]

    # -- blocks -------------------------------------------------------------------------------------------------

    @property
    def _count(self) -> int:
        """How many lines there are to show."""
        return len(self.matches) if self._filtered else len(self.lines)

    def _block_starts(self) -> list[int]:
        """Up to date with what came and what was measured."""
        count = self._count
        if count > self._counted:
            first = self._counted // _BLOCK
            del self._heights[first:], self._starts[first + 1 :]
            for block in range(first, -(-count // _BLOCK)):
                offsets = self._offsets.get(block, [0])
                size = min(_BLOCK, count - block * _BLOCK)
                self._heights.append(offsets[-1] + size - (len(offsets) - 1))
            self._counted = count
        starts = self._starts
        for height in self._heights[len(starts) - 1 :]:
            starts.append(starts[-1] + height)
        return starts

    def _measure(self, block: int) -> list[int]:
        """Count the rows of a block; the offsets of its lines."""
        offsets = self._offsets.setdefault(block, [0])
        first = block * _BLOCK
        lines: Sequence[int] = self.matches if self._filtered else range(self._counted)
        for position in range(first + len(offsets) - 1, min(first + _BLOCK, self._counted)):
            offsets.append(offsets[-1] + self.rows_of(lines[position]).height)
        if self._heights[block] != offsets[-1]:
            self._heights[block] = offsets[-1]
            del self._starts[block + 1 :]
            self._block_starts()
        return offsets
