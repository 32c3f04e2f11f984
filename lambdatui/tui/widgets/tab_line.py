"""A line of tabs, as many as there are; what does not fit is reached by moving on."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from textual import events
from textual.message import Message

from lambdatui.tui.spans import Line, Span, width
from lambdatui.tui.widgets.line_view import LineStrip


@dataclass(frozen=True)
class Tab:
    """`key` tells it from others; `mark` comes before the label in its own role."""

    key: str
    label: str
    mark: Span = ("", "text")

    def line(self, active: bool) -> Line:
        role = "tab-active" if active else "tab"
        sign, colour = self.mark
        return [(" ", role), *([(f"{sign} ", role if active else colour)] if sign else []), (f"{self.label} ", role)]


class TabLine(LineStrip):
    """Shows tabs and which of them is active; clicking asks for another."""

    @dataclass
    class Chosen(Message):
        """The user wants the tab with that key."""

        tab_line: TabLine
        key: str

        @property
        def control(self) -> TabLine:
            return self.tab_line

    def __init__(self, *, id: str | None = None, arrows: tuple[str, str] = ("‹", "›")) -> None:
        super().__init__(id=id)
        self._arrows = arrows
        self._places: list[tuple[int, int, str]] = []
        self._tabs: list[Tab] = []
        self._active: str | None = None
        self._pinned: list[Tab] = []
        self._near: str | None = None

    def on_resize(self) -> None:
        self.show_tabs(self._tabs, self._active, self._pinned, self._near)

    def show_tabs(
        self, tabs: list[Tab], active: str | None, pinned: Sequence[Tab] = (), near: str | None = None
    ) -> None:
        """Show as many of the tabs as fit, the active one among them; before them, in any case, those that are
        `pinned`. While one of these is active, the tabs around that of the key `near` are shown."""
        self._tabs, self._active, self._pinned, self._near = tabs, active, list(pinned), near
        before = [tab.line(tab.key == active) for tab in pinned]
        cells = self.cells - sum(map(width, before))
        around = near if any(tab.key == active for tab in pinned) else active
        at = next((number for number, tab in enumerate(tabs) if tab.key == around), 0)
        widths = [width(tab.line(False)) for tab in tabs]
        first, last = at, at + 1 if tabs else at
        room = cells - 4 - sum(widths[first:last])
        while (last < len(tabs) and widths[last] <= room) or (first > 0 and widths[first - 1] <= room):
            if last < len(tabs) and widths[last] <= room:
                room -= widths[last]
                last += 1
            else:
                first -= 1
                room -= widths[first]
        line: Line = []
        self._places = []
        for tab, spans in zip(pinned, before, strict=True):
            self._places.append((width(line), width(line) + width(spans), tab.key))
            line += spans
        line.append((f"{self._arrows[0]} " if first else "", "dim"))
        for tab in tabs[first:last]:
            start = width(line)
            line += tab.line(tab.key == active)
            self._places.append((start, width(line), tab.key))
        line.append((f" {self._arrows[1]}" if last < len(tabs) else "", "dim"))
        self.show([[span for span in line if span[0]]])

    def on_click(self, event: events.Click) -> None:
        for start, end, key in self._places:
            if start <= event.x < end:
                self.post_message(self.Chosen(self, key))
