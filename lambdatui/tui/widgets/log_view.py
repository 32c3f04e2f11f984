"""Log lines, however many: they are searched in slices between keys, and only those in sight are wrapped and drawn."""

from __future__ import annotations

import re
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import ClassVar

from textual import events
from textual.binding import Binding, BindingType
from textual.message import Message

from lambdatui.tui.line_index import LineIndex
from lambdatui.tui.log_rows import log_row, prefix_width
from lambdatui.tui.logbook import Log
from lambdatui.tui.pulse import PERIOD
from lambdatui.tui.spans import Line
from lambdatui.tui.widgets.line_view import LineView

_SLICE = 0.003
"""Seconds for which lines are searched before keys get their turn."""
_TIME_FROM = 70
"""Cells from which on there is room for the time of day."""


class LogView(LineView):
    """Follows the end until one scrolls up. The list it is given may grow; :meth:`sync` takes in what is new."""

    @dataclass
    class Changed(Message):
        """What the status of the log would say: how many matches, how many new lines, whether it follows."""

        log_view: LogView

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("f", "follow", "Follow", show=False, id="follow", tooltip="Follow the end of the log"),
        Binding("w", "wrap", "Wrap", show=False, id="wrap", tooltip="Wrap long lines, or cut them"),
        Binding("n", "match(1)", "Next match", show=False, id="next_match", tooltip="To the next line that matches"),
        Binding("N", "match(-1)", "Previous match", show=False, id="previous_match", tooltip="To the one before"),
        Binding("x", "context", "Context", show=False, id="context", tooltip="Show also lines that do not match"),
    ]

    def __init__(self, stream_name: Callable[[int], str], *, id: str | None = None) -> None:
        """`stream_name` gives a short name for a stream's number."""
        super().__init__(id=id)
        self.following = True
        self.wrapping = True
        self.pattern: re.Pattern[str] | None = None
        self.only_matches = True
        self._stream_name = stream_name
        self._with_stream = False
        self._index = LineIndex(Log())
        self._cursor: int | None = None
        self._seen = 0
        self._scanning = False

    # -- what is shown ------------------------------------------------------------------------------------------

    def show_lines(self, lines: Log, with_stream: bool) -> None:
        """Show that log from now on, from its end."""
        if lines is not self._index.lines or with_stream != self._with_stream:
            self._with_stream = with_stream
            self._cursor, self.following = None, True
            self._find(lines)
        self.sync()

    def filter_by(self, pattern: re.Pattern[str] | None) -> None:
        """Show only lines that match, or all of them again."""
        if pattern != self.pattern:
            self.pattern = pattern
            self._find(self._index.lines)
            self.sync()

    @property
    def matches(self) -> int:
        return len(self._index.matches)

    @property
    def new(self) -> int:
        """Lines that came since it stopped following."""
        return 0 if self.following else len(self._index.lines) - self._seen

    @property
    def total(self) -> int:
        return len(self._index.lines)

    @property
    def _with_time(self) -> bool:
        return self.cells >= _TIME_FROM

    @property
    def _wrap_at(self) -> int | None:
        if not self.wrapping:
            return None
        return max(2, self.cells - prefix_width(self._with_time, 6 if self._with_stream else 0))

    def _find(self, lines: Log) -> None:
        self._index = LineIndex(lines, self.pattern, self.only_matches, self._wrap_at)
        self._afresh()

    def _show_as_asked(self) -> None:
        """Wrapped for another width or filtered in another way, with the topmost line where it was."""
        rows = self.rows_visible
        top = self._index.at(rows[0])[0] if rows else 0
        self._index.show(self.only_matches, self._wrap_at)
        self._afresh()
        if not self.following:
            row = self._index.row_of(top)
            self._resize(self.row_count())
            self.scroll_to(y=row, animate=False)

    def _afresh(self) -> None:
        self.column = 0
        self._painted.clear()
        self.refresh()

    def _scan(self) -> None:
        """Look for matches in what came; keys have their turn between two slices, the eyes now and then."""
        more = self._index.scan(_SLICE)
        if more and not self._scanning:
            self._scanning = True
            self.call_later(self._scan_on, time.monotonic() + PERIOD)

    def _scan_on(self, repaint_at: float) -> None:
        more = self._index.scan(_SLICE)
        if more and time.monotonic() < repaint_at:
            self.call_later(self._scan_on, repaint_at)
        else:
            self._scanning = False
            self.sync()

    # -- drawing ------------------------------------------------------------------------------------------------

    def row_count(self) -> int:
        return self._index.rows

    def row(self, number: int) -> Line:
        position, piece = self._index.at(number)
        line = self._index.lines[position]
        name = self._stream_name(line.origin.stream) if self._with_stream else ""
        return log_row(line, piece, self.pattern, self._with_time, name, self._index.width)

    def is_cursor(self, number: int) -> bool:
        return self._cursor is not None and self._index.at(number)[0] == self._cursor

    def settle(self, row: int) -> int:
        if self.following:
            self._index.settle_end(self.size.height)
        return self._index.settle(row, self.size.height)

    def place(self) -> None:
        if self.following:
            self._seen = len(self._index.lines)
            self.scroll_to(y=self.max_scroll_y, animate=False)

    def sync(self) -> None:
        if self._index.width != self._wrap_at:
            self._show_as_asked()
        self._scan()
        super().sync()
        self.post_message(self.Changed(self))

    def watch_scroll_y(self, old_value: float, new_value: float) -> None:
        if new_value < old_value and new_value < self.max_scroll_y:
            self._stop_following()
        super().watch_scroll_y(old_value, new_value)
        if self.scroll_y >= self.max_scroll_y and self._cursor is None:
            self._set_following()

    def _stop_following(self) -> None:
        if self.following:
            self.following, self._seen = False, len(self._index.lines)
            self.post_message(self.Changed(self))

    def _set_following(self) -> None:
        if not self.following:
            self.following = True
            self.post_message(self.Changed(self))

    # -- moving -------------------------------------------------------------------------------------------------

    def _set_cursor(self, line: int) -> None:
        self._stop_following()
        self._cursor = line
        self.show_row(self._index.row_of(line))
        self.sync()

    def _move(self, step: int) -> None:
        if not self._index.rows:
            return
        if self._cursor is None:
            if step < 0 or not self.following:
                self._set_cursor(self._index.at(self.rows_visible[-1])[0])
            return
        row = self._index.row_of(self._cursor) + step
        while 0 <= row < self._index.rows and self._index.at(row)[0] == self._cursor:
            row += 1
        if row >= self._index.rows:
            self.action_scroll_end()
        else:
            self._set_cursor(self._index.at(max(0, row))[0])

    def action_down(self) -> None:
        self._move(1)

    def action_up(self) -> None:
        self._move(-1)

    def action_scroll_end(self) -> None:
        self._cursor = None
        self._set_following()
        self.sync()

    def action_scroll_home(self) -> None:
        if self._index.rows:
            self._set_cursor(self._index.at(0)[0])

    def action_page(self, direction: int) -> None:
        rows = self._index.rows
        if not rows:
            return
        here = self.rows_visible[-1] if self._cursor is None else self._index.row_of(self._cursor)
        there = here + direction * max(1, self.size.height // 2)
        if there >= rows:
            self.action_scroll_end()
        else:
            self._set_cursor(self._index.at(max(0, there))[0])

    def action_follow(self) -> None:
        if self.following:
            self._stop_following()
        else:
            self.action_scroll_end()

    def action_wrap(self) -> None:
        self.wrapping = not self.wrapping
        self.sync()

    def action_context(self) -> None:
        self.only_matches = not self.only_matches
        self._show_as_asked()
        self.sync()

    def action_match(self, step: int) -> None:
        here = self._cursor if self._cursor is not None else (len(self._index.lines) if step < 0 else -1)
        found = self._index.match_after(here, step)
        if found is not None:
            self._set_cursor(found)

    def on_click(self, event: events.Click) -> None:
        number = int(self.scroll_offset.y) + event.y
        if number < self._index.rows:
            self._set_cursor(self._index.at(number)[0])

    def copy_text(self) -> str:
        lines = self._index.lines
        at = self._cursor if self._cursor is not None else len(lines) - 1
        return lines.texts[at] if lines else ""
