"""Which rows a growing log makes, filtered and wrapped, at a cost that does not grow with the log.

Wrapping is exact only where one looks. Lines stand in blocks; a block that nobody has looked at counts one row a line,
which is the least it can have, and its rows are counted when it comes into sight. A change of width forgets them all
and costs next to nothing. Filtering has to see every line: :meth:`LineIndex.scan` does so a slice at a time.
"""

from __future__ import annotations

import re
import time
from bisect import bisect_right

from lambdatui.tui.logbook import Log
from lambdatui.tui.spans import wrapped_height

_BLOCK = 128
"""Lines. Looking at one of them costs measuring all."""
_LINES_PER_LOOK_AT_THE_CLOCK = 64


class LineIndex:
    """Rows of `lines`: only those that match `pattern`, if `only_matches`; wrapped at `width` cells, if given."""

    def __init__(
        self,
        lines: Log,
        pattern: re.Pattern[str] | None = None,
        only_matches: bool = True,
        width: int | None = None,
    ) -> None:
        self.lines, self.pattern = lines, pattern
        self.matches: list[int] = []
        """Indexes of the lines that match, as far as they have been scanned."""
        self._scanned = 0
        self.show(only_matches, width)

    def show(self, only_matches: bool, width: int | None) -> None:
        """Change what is shown of the same lines, and how wide; what was found by the pattern stays."""
        self.only_matches, self.width = only_matches, width
        self._counted = 0
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
        """Look for matches for so long; whether any lines are left."""
        if self.pattern is None:
            return False
        texts, search, until = self.lines.texts, self.pattern.search, time.perf_counter() + seconds
        while self._scanned < len(texts) and time.perf_counter() < until:
            end = min(len(texts), self._scanned + _LINES_PER_LOOK_AT_THE_CLOCK)
            self.matches += [number for number in range(self._scanned, end) if search(texts[number])]
            self._scanned = end
        return self._scanned < len(texts)

    # -- rows ---------------------------------------------------------------------------------------------------

    @property
    def rows(self) -> int:
        """How many rows there are, as far as is known."""
        return self._count if self.width is None else self._block_starts()[-1]

    def settle(self, row: int, height: int) -> int:
        """Count the rows that are in sight when `row` is the topmost of `height`; its number now. What comes into
        sight at the top may have more rows than it was thought to have, and then all below it move down."""
        if self.width is None or not 0 <= row < self.rows:
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
        if self.width is None:
            return
        block = len(self._block_starts()) - 1
        while block > 0 and height > 0:
            block -= 1
            self._measure(block)
            height -= self._heights[block]

    def at(self, row: int) -> tuple[int, int]:
        """The line (its index) that row shows, and which of its wrapped pieces."""
        position, piece = row, 0
        if self.width is not None:
            block = bisect_right(self._block_starts(), row) - 1
            offsets, inside = self._measure(block), row - self._starts[block]
            line = bisect_right(offsets, inside) - 1
            position, piece = block * _BLOCK + line, inside - offsets[line]
        return (self.matches[position] if self._filtered else position), piece

    def row_of(self, line: int) -> int:
        """The first row that shows a line, or where it would be."""
        position = bisect_right(self.matches, line - 1) if self._filtered else line
        if self.width is None:
            return position
        starts = self._block_starts()
        block = position // _BLOCK
        if block >= len(self._heights):
            return starts[-1]
        return starts[block] + self._measure(block)[position - block * _BLOCK]

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
        assert self.width is not None
        offsets = self._offsets.setdefault(block, [0])
        first = block * _BLOCK
        texts, matches = self.lines.texts, self.matches if self._filtered else None
        for position in range(first + len(offsets) - 1, min(first + _BLOCK, self._counted)):
            text = texts[position if matches is None else matches[position]]
            offsets.append(offsets[-1] + wrapped_height(text, self.width))
        if self._heights[block] != offsets[-1]:
            self._heights[block] = offsets[-1]
            del self._starts[block + 1 :]
            self._block_starts()
        return offsets
