"""The table of all invocations, however many: sorted, filtered, and with the screen's selection as its cursor."""

from __future__ import annotations

import re
import time
from dataclasses import dataclass

from textual import events
from textual.message import Message

from lambdatui.lab import Invocation
from lambdatui.tui.glyphs import ASCII
from lambdatui.tui.invocation_columns import (
    COLUMNS,
    Column,
    column_at,
    columns_that_fit,
    head_row,
    invocation_row,
)
from lambdatui.tui.invocation_index import InvocationIndex
from lambdatui.tui.model import Model
from lambdatui.tui.pulse import PERIOD
from lambdatui.tui.spans import Line, crop, plain
from lambdatui.tui.widgets.line_view import LineStrip, LineView

_SLICE = 0.003
"""Seconds for which invocations are put into order before keys get their turn."""
_SEARCHED = 2000
"""Characters of an event and of a result that the filter sees."""


class Heads(LineStrip):
    """The heads of the columns, which do not scroll."""

    @dataclass
    class Clicked(Message):
        cell: int

    def on_click(self, event: events.Click) -> None:
        self.post_message(self.Clicked(event.x))


class InvocationTable(LineView):
    """The newest first, unless another order is asked for."""

    @dataclass
    class Moved(Message):
        """The user has put the cursor on another invocation."""

        request_id: str

    class Opened(Message):
        """The user wants to see the one under the cursor."""

    class Changed(Message):
        """The heads or the status would be others."""

    def __init__(self, model: Model, *, id: str | None = None) -> None:
        super().__init__(id=id)
        self._model = model
        self._sorted_by = "#"
        self._index = InvocationIndex(lambda: model.lab.invocations, self._order, self._searched)
        self._index.descending = True
        self._opened = 0
        self._shown: str | None = None
        self._pattern: re.Pattern[str] | None = None
        self._scanning = False
        self.columns: list[tuple[Column, int]] = []

    # -- order and filter ---------------------------------------------------------------------------------------

    def _lay_out(self) -> None:
        """A name of a function may have a version or an alias behind it."""
        longest = 0
        for function in self._model.lab.functions.values():
            qualifiers = [*function.aliases, *function.versions]
            longest = max(longest, len(function.name) + max((len(each) + 1 for each in qualifiers), default=0))
        self.columns = columns_that_fit(self.cells, longest)

    @property
    def heads(self) -> Line:
        up, down = ("^", "v") if self._model.glyphs is ASCII else ("↑", "↓")
        return crop(head_row(self.columns, self._sorted_by, down if self._index.descending else up), self.cells)

    @property
    def matches(self) -> int | None:
        """How many there are to see, None without a filter."""
        return None if self._pattern is None else len(self._index)

    def _column(self, name: str) -> Column:
        return next(column for column in COLUMNS if column.name == name)

    def _order(self, invocation: Invocation) -> float | str | None:
        return self._column(self._sorted_by).order(invocation, self._model)

    def _searched(self, invocation: Invocation) -> str:
        shown = [column.span(invocation, self._model)[0] for column in COLUMNS]
        payload = (invocation.payload or "")[:_SEARCHED]
        names = invocation.request_id, invocation.environment or "", invocation.log_stream or ""
        return " ".join((*shown, *names, invocation.event[:_SEARCHED], payload))

    def sort_by(self, name: str, descending: bool | None = None) -> None:
        """By the column of that name; without a direction, the numbers from the greatest on, the same column once more
        the other way round."""
        if descending is None:
            again, number = name == self._sorted_by, self._column(name).right or name == "time"
            descending = not self._index.descending if again else number
        self._sorted_by = name
        self._index.sort_by(self._order, descending)
        self._shown = None
        self.sync()

    def sort_by_next(self) -> None:
        names = [column.name for column, _ in self.columns] or ["#"]
        at = names.index(self._sorted_by) if self._sorted_by in names else -1
        self.sort_by(names[(at + 1) % len(names)])

    def turn_round(self) -> None:
        self.sort_by(self._sorted_by)

    def sort_at(self, cell: int) -> None:
        """By the column that is at that cell."""
        if (name := column_at(self.columns, cell)) is not None:
            self.sort_by(name)

    def filter_by(self, pattern: re.Pattern[str] | None) -> None:
        self._pattern = pattern
        self._index.filter_by(pattern)
        self._shown = None
        self.sync()

    # -- what is seen -------------------------------------------------------------------------------------------

    def row_count(self) -> int:
        return max(1, len(self._index))

    def row(self, number: int) -> Line:
        if number >= len(self._index):
            return crop([(self._nothing, "dim")], self.cells)
        invocation = self._model.lab.invocations[self._index[number]]
        marked = invocation.request_id == self._model.marked
        return crop(invocation_row(invocation, self._model, self.columns, marked), self.cells)

    @property
    def _nothing(self) -> str:
        if self._scanning:
            return "Looking ..."
        return "No invocation yet: i invokes the function." if self._pattern is None else "None of them matches."

    def is_cursor(self, number: int) -> bool:
        return number < len(self._index) and self._index[number] == self._model.chosen

    def sync(self) -> None:
        if self._opened != self._model.opened:
            self._opened = self._model.opened
            self._index.look_again()
        self._index.touch(self._model.touched)
        self._model.touched.clear()
        if not self.display:
            return
        self._lay_out()
        if self._index.scan(_SLICE) and not self._scanning:
            self._scanning = True
            self.call_later(self._scan_on, time.monotonic() + PERIOD)
        super().sync()
        self.post_message(self.Changed())

    def _scan_on(self, repaint_at: float) -> None:
        """Keys have their turn between two slices, the eyes now and then."""
        if self._index.scan(_SLICE) and time.monotonic() < repaint_at:
            self.call_later(self._scan_on, repaint_at)
        else:
            self._scanning = False
            self.sync()

    def place(self) -> None:
        """What was chosen elsewhere comes into sight."""
        if self._shown != self._model.chosen and (row := self._index.row_of(self._model.chosen or "")) is not None:
            self._shown = self._model.chosen
            self.show_row(row)

    # -- moving -------------------------------------------------------------------------------------------------

    def _go(self, row: int) -> None:
        if len(self._index):
            request_id = self._index[max(0, min(len(self._index) - 1, row))]
            if request_id != self._model.chosen:
                self.post_message(self.Moved(request_id))

    def _step(self, by: int) -> None:
        at = self._index.row_of(self._model.chosen or "")
        self._go(int(self.scroll_offset.y) if at is None else at + by)

    def action_down(self) -> None:
        self._step(1)

    def action_up(self) -> None:
        self._step(-1)

    def action_page(self, direction: int) -> None:
        self._step(direction * max(1, self.size.height // 2))

    def action_scroll_home(self) -> None:
        self._go(0)

    def action_scroll_end(self) -> None:
        self._go(len(self._index) - 1)

    def on_click(self, event: events.Click) -> None:
        row = int(self.scroll_offset.y) + event.y
        if row < len(self._index):
            self._go(row)
            if event.chain == 2:
                self.post_message(self.Opened())

    def copy_text(self) -> str:
        """All rows there are to see, with their heads, columns apart by tabs."""
        columns = [column for column, _ in self.columns]
        rows = ["\t".join(column.name for column in columns)]
        for number in range(len(self._index)):
            invocation = self._model.lab.invocations[self._index[number]]
            rows.append("\t".join(plain([column.span(invocation, self._model)]).strip() for column in columns))
        return "\n".join(rows)
