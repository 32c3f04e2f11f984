"""The Invocations panel: a tab per invocation; of the chosen one its state, event, result, durations and log."""

from __future__ import annotations

from textual.app import ComposeResult
from textual.containers import Vertical

from lambdatui.lab import Invocation
from lambdatui.tui.glyphs import invocation_state
from lambdatui.tui.invocation_rows import LABEL, invocation_rows, label
from lambdatui.tui.line_index import LineIndex
from lambdatui.tui.log_rows import log_row, record_role
from lambdatui.tui.logbook import Log
from lambdatui.tui.model import Model
from lambdatui.tui.spans import Line, plain
from lambdatui.tui.widgets.line_view import LineView
from lambdatui.tui.widgets.tab_line import Tab, TabLine

_ROOMY = 16
"""Rows from which on there is room for a result on several lines."""
_MANY_TABS = 60
"""So many tabs around the chosen one are considered for drawing."""


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


class Invocations(Vertical):
    """The first of a burst comes to the front by itself, and at the end of a step the one that went otherwise than the
    rest, unless the user has chosen another since."""

    def __init__(self, model: Model, *, id: str | None = None) -> None:
        super().__init__(id=id)
        self._model = model
        self._front: str | None = None
        self._exceptional: str | None = None

    def compose(self) -> ComposeResult:
        yield TabLine(id="tabs")
        yield InvocationView(self._model, id="invocation")

    @property
    def view(self) -> InvocationView:
        return self.query_one(InvocationView)

    def sync(self) -> None:
        invocations = self._model.lab.invocations
        self._choose_by_itself()
        keys = list(invocations)
        chosen = self._model.chosen
        at = keys.index(chosen) if chosen in invocations else 0
        near = keys[max(0, at - _MANY_TABS // 2) : at + _MANY_TABS // 2]
        tabs = []
        for key in near:
            glyph, (_, role) = invocation_state(invocations[key], self._model.glyphs)
            tabs.append(Tab(key, f"#{invocations[key].number}", (glyph, role)))
        self.query_one(TabLine).show_tabs(tabs, chosen)
        self.view.show_invocation(invocations.get(chosen or ""))

    def _choose_by_itself(self) -> None:
        model = self._model
        if self._front != model.front:
            self._front = model.chosen = model.front
        if self._exceptional != model.odd:
            self._exceptional = model.odd
            if self._exceptional is not None and model.chosen == self._front:
                model.chosen = self._exceptional

    def choose(self, request_id: str) -> None:
        self._model.chosen = request_id
        self.sync()

    def move_tab(self, step: int) -> None:
        keys = list(self._model.lab.invocations)
        if keys:
            at = keys.index(self._model.chosen) if self._model.chosen in self._model.lab.invocations else 0
            self.choose(keys[(at + step) % len(keys)])

    def on_tab_line_chosen(self, message: TabLine.Chosen) -> None:
        message.stop()
        self.choose(message.key)
