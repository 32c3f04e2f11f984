"""Log records, however many: they are searched in slices between keys, only those in sight are wrapped and drawn."""

from __future__ import annotations

import re
import time
from bisect import bisect_left
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import ClassVar

from textual import events
from textual.binding import Binding, BindingType
from textual.message import Message

from lambdatui.tui.line_index import LineIndex
from lambdatui.tui.log_file import record_text
from lambdatui.tui.log_rows import STREAM_WIDTH, TROUBLE, log_row, record_role
from lambdatui.tui.logbook import Log, Stream
from lambdatui.tui.model import Model
from lambdatui.tui.pulse import PERIOD
from lambdatui.tui.spans import Line
from lambdatui.tui.stamps import STAMPS, WIDTHS, Stamp, stamp_text
from lambdatui.tui.widgets.line_view import LineView
from lambdatui.tui.wording import short

_SLICE = 0.003
"""Seconds for which records are searched before keys get their turn."""
_CLOCK_FROM = 70
"""Cells from which on there is room for the time of day, unless one has chosen."""
_FOLD = 8
"""Rows of a record that is not unfolded."""
_MAX_COPIED = 20_000


class LogView(LineView):
    """Follows the end until one scrolls up. The log it is given may grow; :meth:`sync` takes in what is new."""

    @dataclass
    class Changed(Message):
        """What the status of the log would say: how many matches, how many new records, whether it follows."""

        log_view: LogView

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("f", "follow", "Follow", show=False, id="follow", tooltip="Follow the end of the log"),
        Binding("w", "wrap", "Wrap", show=False, id="wrap", tooltip="Wrap long lines, or cut them"),
        Binding("n", "match(1)", "Next match", show=False, id="next_match", tooltip="To the next record that matches"),
        Binding("N", "match(-1)", "Previous match", show=False, id="previous_match", tooltip="To the one before"),
        Binding("m", "context", "Matches", show=False, id="context", tooltip="Only the matches, or all records"),
        Binding(
            "v,space", "unfold", "Unfold", show=False, id="unfold", tooltip="Unfold a long record, or JSON; fold it"
        ),
        Binding("T", "stamp", "Times", show=False, id="stamp", tooltip="Times: of day, since START, in UTC, none"),
        Binding("V", "mark", "Select", show=False, id="mark", tooltip="Select records from here on, for c"),
    ]

    def __init__(self, model: Model, *, id: str | None = None) -> None:
        super().__init__(id=id)
        self._model = model
        self.following = True
        self.wrapping = True
        self.pattern: re.Pattern[str] | None = None
        self.only_matches = True
        self._chosen_stamp: Stamp | None = None
        self._with_stream = False
        self._index = LineIndex(Log())
        self._cursor: int | None = None
        self._mark: int | None = None
        self._seen = 0
        self._scanning = False
        self._search = 0
        """Counts the searches for an error: a new one ends those before."""

    # -- what is shown ------------------------------------------------------------------------------------------

    def show_lines(self, lines: Log, with_stream: bool) -> None:
        """Show that log from now on, from its end."""
        if lines is not self.lines or with_stream != self._with_stream:
            self._with_stream = with_stream
            self._cursor = self._mark = None
            self.following = True
            self._find(lines)
        self.sync()

    def filter_by(self, pattern: re.Pattern[str] | None, only_matches: bool = True) -> None:
        """Show only records that match, or all with the matches marked; without a pattern all of them again."""
        if (pattern, only_matches) != (self.pattern, self.only_matches):
            self.pattern, self.only_matches = pattern, only_matches
            self._find(self.lines)
            self.sync()

    @property
    def lines(self) -> Log:
        return self._index.lines

    @property
    def shown(self) -> Sequence[int]:
        """The positions of the records that are shown."""
        return self._index.matches if self._filtered else range(len(self.lines))

    @property
    def matches(self) -> int:
        return len(self._index.matches)

    @property
    def match_number(self) -> int | None:
        """Which of the matches the cursor is on, from 1."""
        return None if self._cursor is None else self._index.match_number(self._cursor)

    @property
    def new(self) -> int:
        """Records that came since it stopped following."""
        return 0 if self.following else len(self.lines) - self._seen

    @property
    def total(self) -> int:
        return len(self.lines)

    @property
    def marked(self) -> int:
        """How many records are selected."""
        return len(self._selected()) if self._mark is not None else 0

    @property
    def here(self) -> int | None:
        """The position one is at: of the cursor, or else the topmost in sight, the last while it follows."""
        if self._cursor is not None or not self._index.rows:
            return self._cursor
        return self._index.at(self._index.rows - 1 if self.following else self.rows_visible[0])[0]

    @property
    def cursor_stream(self) -> Stream | None:
        """Who wrote the record at the cursor."""
        return None if self._cursor is None else self._stream_of(self._cursor)

    @property
    def stamp(self) -> Stamp:
        return self._chosen_stamp or ("clock" if self.cells >= _CLOCK_FROM else "off")

    @property
    def _filtered(self) -> bool:
        return self.pattern is not None and self.only_matches

    @property
    def _wrap_at(self) -> int | None:
        if not self.wrapping:
            return None
        return max(2, self.cells - WIDTHS[self.stamp] - (STREAM_WIDTH + 1 if self._with_stream else 0))

    def _stream_of(self, line: int) -> Stream:
        return self._model.logbook.by_number[self.lines.origin(line).stream]

    def _find(self, lines: Log) -> None:
        unfolded = self._index.unfolded if lines is self.lines else set()
        self._index = LineIndex(lines, self.pattern, self.only_matches, self._wrap_at, _FOLD)
        self._index.unfolded = unfolded
        self._afresh()

    def _show_as_asked(self) -> None:
        """Wrapped for another width or filtered in another way, with the topmost record where it was."""
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
        origin, rows = self.lines.origin(position), self._index.rows_of(position)
        stream = self._stream_of(position)
        since = stream.since_start(self.lines.numbers[position], origin.time) if self.stamp == "start" else None
        stamp = stamp_text(self.stamp, origin.time, since) if piece == 0 else " " * WIDTHS[self.stamp]
        name = short(stream.name, STREAM_WIDTH) if piece == 0 else ""
        folded = rows.note and piece == len(rows.texts)
        role = "dim" if folded else record_role(self.lines.text(position), origin.platform)
        return log_row(rows.row(piece), role, self.pattern, stamp, (name, stream.number) if self._with_stream else None)

    def is_cursor(self, number: int) -> bool:
        if self._cursor is None:
            return False
        line = self._index.at(number)[0]
        return line == self._cursor or (self._mark is not None and self._between(line))

    def _between(self, line: int) -> bool:
        first, last = sorted((self._mark or 0, self._cursor or 0))
        return first <= line <= last

    def settle(self, row: int) -> int:
        if self.following:
            self._index.settle_end(self.size.height)
        return self._index.settle(row, self.size.height)

    def place(self) -> None:
        if self.following:
            self._seen = len(self.lines)
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
            self.following, self._seen = False, len(self.lines)
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

    def go_to(self, line: int) -> None:
        """Put the cursor on that record and a little of what was before it above; on the next one that is shown."""
        shown = self.shown
        if not shown:
            return
        line = shown[min(bisect_left(shown, line), len(shown) - 1)]
        self._stop_following()
        self._cursor = line
        self._resize(self.row_count())
        self.scroll_to(y=max(0, self._index.row_of(line) - self.size.height // 3), animate=False)
        self.sync()

    def go_to_trouble(self, last: bool, otherwise: Callable[[], None]) -> None:
        """To the first or the last record of an error, once it is found; `otherwise` is called when there is none."""
        self._search += 1
        positions: Iterator[int] = iter(reversed(self.shown) if last else self.shown)
        self._look_on(self._search, positions, otherwise)

    def _look_on(self, search: int, positions: Iterator[int], otherwise: Callable[[], None]) -> None:
        until = time.perf_counter() + _SLICE
        while search == self._search and time.perf_counter() < until:
            some = list(islice(positions, 64))
            if not some:
                return otherwise()
            for position in some:
                if TROUBLE.search(self.lines.text(position)):
                    return self.go_to(position)
        if search == self._search:
            self.call_later(self._look_on, search, positions, otherwise)
        return None

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
        if self._mark is not None and self._index.rows:
            self._set_cursor(self._index.at(self._index.rows - 1)[0])
            return
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
        self._mark = None
        if self.following:
            self._stop_following()
        else:
            self.action_scroll_end()

    def action_wrap(self) -> None:
        self.wrapping = not self.wrapping
        self.sync()

    def action_stamp(self) -> None:
        self._chosen_stamp = STAMPS[(STAMPS.index(self.stamp) + 1) % len(STAMPS)]
        self._painted.clear()
        self.refresh()
        self.sync()

    def action_context(self) -> None:
        self.only_matches = not self.only_matches
        self._show_as_asked()
        self.sync()

    def action_unfold(self) -> None:
        line = self.here
        if line is not None and self._index.toggle(line):
            self._stop_following()
            self._cursor = line
            self._afresh()
            self.sync()

    def action_match(self, step: int) -> None:
        here = self._cursor if self._cursor is not None else (len(self.lines) if step < 0 else -1)
        found = self._index.match_after(here, step)
        if found is not None:
            self._set_cursor(found)

    def on_click(self, event: events.Click) -> None:
        number = int(self.scroll_offset.y) + event.y
        if number < self._index.rows:
            self._set_cursor(self._index.at(number)[0])

    # -- copying ------------------------------------------------------------------------------------------------

    def action_mark(self) -> None:
        here = self.here
        if self._mark is not None or here is None:
            self.unmark()
        else:
            self._mark = here
            self._set_cursor(here)

    def unmark(self) -> bool:
        """Nothing is selected any more; whether anything was."""
        was, self._mark = self._mark is not None, None
        if was:
            self.sync()
        return was

    def _selected(self) -> Sequence[int]:
        if self._mark is None or self._cursor is None:
            last = self._cursor if self._cursor is not None else len(self.lines) - 1
            return [last] if last >= 0 else []
        first, last = sorted((self._mark, self._cursor))
        shown = self.shown
        return shown[bisect_left(shown, first) : bisect_left(shown, last + 1)]

    def copy_text(self) -> str:
        """The messages of what is selected, or of the record at the cursor."""
        return "\n".join(self.lines.text(each) for each in self._selected()[:_MAX_COPIED])

    def copy_records(self) -> str:
        """The same, with time and stream."""
        streams = self._model.logbook.by_number
        return "\n".join(record_text(self.lines, each, streams) for each in self._selected()[:_MAX_COPIED])
