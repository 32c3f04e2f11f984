"""The Logs panel: a tab per log stream and one for all of them, the lines, and the filter."""

from __future__ import annotations

import re

from textual.app import ComposeResult
from textual.containers import Vertical
from textual.message import Message
from textual.widgets import Input

from lambdatui.tui.model import Model
from lambdatui.tui.widgets.log_view import LogView
from lambdatui.tui.widgets.tab_line import Tab, TabLine
from lambdatui.tui.wording import plural, short

_ALL = ""


class Logs(Vertical):
    """Says its status by :class:`Described`, for the border of the panel."""

    class Described(Message):
        """How many lines and matches, and whether the end is followed."""

        def __init__(self, text: str) -> None:
            super().__init__()
            self.text = text

    def __init__(self, model: Model, *, id: str | None = None) -> None:
        super().__init__(id=id)
        self._model = model
        self._stream = _ALL
        self._opened = 0
        self._problem = ""
        self._described = ""

    def compose(self) -> ComposeResult:
        yield TabLine(id="streams")
        yield LogView(self._stream_name, id="log")
        yield Input(placeholder="filter: a regular expression", id="filter", compact=True)

    @property
    def view(self) -> LogView:
        return self.query_one(LogView)

    def _stream_name(self, number: int) -> str:
        names = list(self._model.logbook.numbers)
        return _label(names[number]) if number < len(names) else ""

    def sync(self) -> None:
        book = self._model.logbook
        if self._opened != self._model.opened or self._stream not in book.streams:
            self._opened, self._stream = self._model.opened, _ALL
        tabs = [Tab(_ALL, f"all {len(book.streams)}")]
        for stream in book.streams:
            number = book.numbers[stream]
            tabs.append(
                Tab(stream, _label(stream), ("▪" if self._model.glyphs.busy != "*" else "", f"stream-{number % 6}"))
            )
        self.query_one(TabLine).show_tabs(tabs, self._stream)
        every = self._stream == _ALL
        self.view.show_lines(book.everything if every else book.streams[self._stream], with_stream=every)

    def choose(self, stream: str) -> None:
        """Show that stream."""
        self._stream = stream
        self.sync()

    def on_tab_line_chosen(self, message: TabLine.Chosen) -> None:
        message.stop()
        self.choose(message.key)

    def move_tab(self, step: int) -> None:
        names = [_ALL, *self._model.logbook.streams]
        self.choose(names[(names.index(self._stream) + step) % len(names)])

    # -- the filter ---------------------------------------------------------------------------------------------

    def open_filter(self) -> None:
        field = self.query_one(Input)
        field.display = True
        field.focus()

    def close_filter(self) -> bool:
        """Take the filter away; whether there was one."""
        field = self.query_one(Input)
        was_open = bool(field.display)
        if was_open:
            field.value = ""
            field.display = False
            self.view.focus()
        return was_open

    def on_input_changed(self, message: Input.Changed) -> None:
        message.stop()
        self._problem, pattern = "", None
        if message.value:
            flags = re.NOFLAG if message.value != message.value.lower() else re.IGNORECASE
            try:
                pattern = re.compile(message.value, flags)
            except re.error as error:
                at = "" if error.pos is None else f" at {error.pos + 1}"
                self._problem = f"{error.msg}{at}"
            except (RecursionError, OverflowError):
                self._problem = "this is too much for a regular expression"
        message.input.set_class(bool(self._problem), "-invalid")
        if not self._problem:
            self.view.filter_by(pattern)
        self._describe()

    def on_input_submitted(self, message: Input.Submitted) -> None:
        message.stop()
        if message.value:
            self.view.focus()
        else:
            self.close_filter()

    def on_log_view_changed(self, message: LogView.Changed) -> None:
        message.stop()
        self._describe()

    def _describe(self) -> None:
        view, parts = self.view, []
        if self._problem:
            parts.append(self._problem)
        elif view.pattern is not None:
            parts.append(f"{view.matches} of {plural(view.total, 'line')} match")
        else:
            parts.append(plural(view.total, "line"))
        if not view.wrapping:
            parts.append("cut")
        if view.following:
            parts.append("following")
        else:
            parts.append(f"+{view.new} new" if view.new else "f follows")
        text = f" {self._model.glyphs.dot} ".join(parts)
        if text != self._described:
            self._described = text
            self.post_message(self.Described(text))


def _label(stream: str) -> str:
    return short(stream.rpartition(":")[2])
