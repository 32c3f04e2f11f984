"""Log groups and their streams, to choose those whose records are shown."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import ClassVar, Literal

from textual import events
from textual.binding import Binding, BindingType
from textual.message import Message

from lambdatui.tui.model import Model
from lambdatui.tui.spans import Line
from lambdatui.tui.stream_rows import described, heading, stream_row
from lambdatui.tui.widgets.line_view import LineView
from lambdatui.tui.wording import plural


@dataclass(frozen=True)
class Branch:
    """A row: `key` is that of a stream, or the name of a group."""

    kind: Literal["all", "group", "stream"]
    key: str = ""


class StreamTree(LineView):
    """Its rows are made when they come into sight; `is_shown` tells of a stream's key whether its records are shown."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("enter,l", "show", "Show", show=False, id="streams_show", tooltip="Show that stream alone"),
        Binding("space,v", "add", "Add", show=False, id="streams_add", tooltip="Add it to what is shown, or not"),
    ]

    @dataclass
    class Asked(Message):
        """The user wants to see these streams (by their keys), alone; or to add them to those shown, or take them
        away. `streams` is None for all of them."""

        streams: list[str] | None
        alone: bool

    class Moved(Message):
        """The cursor is on another row."""

    def __init__(self, model: Model, is_shown: Callable[[str], bool], *, id: str | None = None) -> None:
        super().__init__(id=id)
        self._model, self._is_shown = model, is_shown
        self._branches: list[Branch] = []
        self._of: tuple[object, ...] = ()
        self._at = Branch("all")
        self._number = 0

    @property
    def at(self) -> Branch:
        """Where the cursor is."""
        return self._at

    def sync(self) -> None:
        book = self._model.logbook
        of = (self._model.opened, len(book.by_number), len(book.streams), len(book.groups))
        if of != self._of:
            self._of = of
            self._branches = [Branch("all")]
            for group, streams in book.groups.items():
                self._branches.append(Branch("group", group))
                self._branches += [Branch("stream", key) for key in streams]
            self._number = self._branches.index(self._at) if self._at in self._branches else 0
            self._at = self._branches[self._number]
        super().sync()

    def row_count(self) -> int:
        return len(self._branches)

    def row(self, number: int) -> Line:
        book, branch = self._model.logbook, self._branches[number]
        match branch.kind:
            case "all":
                shown = all(map(self._is_shown, book.streams))
                return heading("all streams", shown, plural(len(book.everything), "line"), self.cells)
            case "group":
                streams = book.groups.get(branch.key, {})
                shown = bool(streams) and all(map(self._is_shown, streams))
                return heading(branch.key, shown, described(len(streams)), self.cells)
        if (stream := book.streams.get(branch.key)) is None:
            return []
        return stream_row(stream, self._is_shown(branch.key), self._model, self.cells)

    def is_cursor(self, number: int) -> bool:
        return number == self._number

    # -- moving and choosing ------------------------------------------------------------------------------------

    def _go(self, number: int) -> None:
        if self._branches:
            self._number = max(0, min(number, len(self._branches) - 1))
            self._at = self._branches[self._number]
            self.show_row(self._number)
            self.sync()
            self.post_message(self.Moved())

    def action_down(self) -> None:
        self._go(self._number + 1)

    def action_up(self) -> None:
        self._go(self._number - 1)

    def action_scroll_home(self) -> None:
        self._go(0)

    def action_scroll_end(self) -> None:
        self._go(len(self._branches))

    def action_page(self, direction: int) -> None:
        self._go(self._number + direction * max(1, self.size.height // 2))

    def action_show(self) -> None:
        self._ask(alone=True)

    def action_add(self) -> None:
        self._ask(alone=False)

    def _ask(self, alone: bool) -> None:
        match self._at.kind:
            case "all":
                self.post_message(self.Asked(None, alone=True))
            case "group":
                self.post_message(self.Asked(list(self._model.logbook.groups.get(self._at.key, ())), alone))
            case "stream":
                self.post_message(self.Asked([self._at.key], alone))

    def on_click(self, event: events.Click) -> None:
        number = int(self.scroll_offset.y) + event.y
        if number < len(self._branches):
            self._go(number)
            mark = 2 if self._at.kind == "stream" else 0
            self._ask(alone=not mark <= event.x < mark + 3)

    def copy_text(self) -> str:
        """The full name of what the cursor is on."""
        stream = self._model.logbook.streams.get(self._at.key) if self._at.kind == "stream" else None
        return f"{stream.group}:{stream.name}" if stream else self._at.key
