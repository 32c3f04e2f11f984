"""One invocation: what is known of it, and its log lines below."""

from __future__ import annotations

from lambdatui.lab import Invocation
from lambdatui.tui.invocation_rows import LABEL, invocation_rows, label
from lambdatui.tui.line_index import LineIndex
from lambdatui.tui.log_rows import log_row, record_role
from lambdatui.tui.logbook import Log
from lambdatui.tui.model import Model
from lambdatui.tui.spans import Line, plain
from lambdatui.tui.widgets.line_view import LineView

_ROOMY = 16
"""Rows from which on there is room for all that is known."""


class InvocationView(LineView):
    """One invocation."""

    def __init__(self, model: Model, *, id: str | None = None) -> None:
        super().__init__(id=id)
        self._model = model
        self._invocation: Invocation | None = None
        self._head: list[Line] = []
        self._made_of: object = None
        self._nothing = Log()
        self._log = LineIndex(self._nothing)

    def show_invocation(self, invocation: Invocation | None) -> None:
        lines = self._model.logbook.of_request(invocation.request_id) if invocation else self._nothing
        if invocation is not self._invocation or lines is not self._log.lines:
            self._invocation, self._made_of = invocation, None
            self._log = LineIndex(lines, width=self._log_width)
            self.column = 0
            self.scroll_to(y=0, animate=False)
        self.sync()

    def sync(self) -> None:
        invocation = self._invocation
        if invocation is None:
            self._head = [[("No invocation yet.", "dim")]]
        else:
            # A payload may be long and is formatted once, unless a countdown or the width changes what is said.
            moving = invocation.status == "running" or invocation.due_at is not None
            state = (invocation.status, invocation.done, invocation.attempt, len(invocation.forwarded), self.size)
            made_of = None if moving else state
            if made_of is None or made_of != self._made_of:
                self._made_of = made_of
                self._head = invocation_rows(invocation, self._model, self.cells, self.size.height >= _ROOMY)
        if self._log.width != self._log_width:
            self._log.show(True, self._log_width)
        super().sync()

    def row_count(self) -> int:
        return len(self._head) + self._log.rows

    def row(self, number: int) -> Line:
        if number < len(self._head):
            return self._head[number]
        number -= len(self._head)
        line, piece = self._log.at(number)
        text = self._log.rows_of(line).row(piece)
        row = log_row(text, record_role(text, self._log.lines.origin(line).platform))
        return [label("log" if number == 0 else ""), *row]

    def settle(self, row: int) -> int:
        head, height = len(self._head), self.size.height
        if row >= head:
            return head + self._log.settle(row - head, height)
        self._log.settle(0, height)
        return row

    @property
    def _log_width(self) -> int:
        return max(2, self.cells - LABEL)

    def copy_text(self) -> str:
        """The whole record, its log lines unwrapped."""
        return "\n".join([*(plain(line).rstrip() for line in self._head), *self._log.lines.texts])
