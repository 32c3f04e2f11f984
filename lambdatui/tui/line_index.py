"""Which rows a growing list of log lines makes, filtered and wrapped, found out a slice at a time.

A hundred thousand lines are scanned within a fraction of a second, but not within the time between two keys; so
:meth:`LineIndex.advance` takes a slice and says whether there is more.
"""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Sequence

from lambdatui.tui.logbook import LogLine
from lambdatui.tui.spans import wrapped_height


class LineIndex:
    """Rows of `lines`: only those that match `pattern`, if `only_matches`; wrapped at `width` cells, if given."""

    def __init__(
        self,
        lines: Sequence[LogLine],
        pattern: re.Pattern[str] | None = None,
        only_matches: bool = True,
        width: int | None = None,
    ) -> None:
        self.lines, self.pattern, self.only_matches, self.width = lines, pattern, only_matches, width
        self.matches: list[int] = []
        """Indexes of the lines that match, as far as they have been scanned."""
        self.scanned = 0
        self._starts: list[int] = []
        self._wrapped_rows = 0

    @property
    def _filtered(self) -> bool:
        return self.pattern is not None and self.only_matches

    @property
    def rows(self) -> int:
        """How many rows there are so far."""
        if self.width is not None:
            return self._wrapped_rows
        return len(self.matches) if self._filtered else len(self.lines)

    def advance(self, budget: int) -> bool:
        """Scan at most so many lines; whether any are left."""
        if self.pattern is None and self.width is None:
            self.scanned = len(self.lines)
            return False
        end = min(len(self.lines), self.scanned + budget)
        for number in range(self.scanned, end):
            text = self.lines[number].text
            if self.pattern is not None and self.pattern.search(text):
                self.matches.append(number)
            elif self._filtered:
                continue
            if self.width is not None:
                self._starts.append(self._wrapped_rows)
                self._wrapped_rows += wrapped_height(text, self.width)
        self.scanned = end
        return end < len(self.lines)

    def at(self, row: int) -> tuple[int, int]:
        """The line (its index) that row shows, and which of its wrapped pieces."""
        position, piece = row, 0
        if self.width is not None:
            position = bisect_right(self._starts, row) - 1
            piece = row - self._starts[position]
        return (self.matches[position] if self._filtered else position), piece

    def row_of(self, line: int) -> int:
        """The first row that shows a line, or where it would be."""
        position = bisect_right(self.matches, line - 1) if self._filtered else line
        if self.width is not None:
            return self._starts[position] if position < len(self._starts) else self._wrapped_rows
        return position

    def match_after(self, line: int, step: int) -> int | None:
        """The match (its line) after `line`, or before it where `step` is -1, around the end."""
        if not self.matches:
            return None
        position = bisect_right(self.matches, line) if step > 0 else bisect_right(self.matches, line - 1) - 1
        return self.matches[position % len(self.matches)]
