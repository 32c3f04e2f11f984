"""The last line: the keys that matter most, as many as there is room for."""

from __future__ import annotations

from dataclasses import dataclass

from textual import events

from lambdatui.tui.spans import Line, width
from lambdatui.tui.widgets.line_view import LineStrip


@dataclass(frozen=True)
class Key:
    """A key as it is shown; `action` is what a click on it does. `rank`: the lowest are shown where room is scarce."""

    key: str
    label: str
    action: str
    rank: int

    def line(self) -> Line:
        return [(f" {self.key} ", "key"), (f"{self.label} ", "dim")]


KEYS = (
    Key("enter", "next", "next", 0),
    Key("i", "invoke", "invoke", 1),
    Key("p", "three at once", "burst", 2),
    Key("r", "restart", "restart", 5),
    Key("/", "filter", "filter", 6),
    Key("f", "follow", "log('follow')", 8),
    Key("1-4", "panels", "cycle(1)", 7),
    Key("z", "zoom", "zoom", 9),
    Key("e", "event", "edit_event", 10),
    Key("u", "configuration", "configure", 11),
    Key("?", "help", "help", 3),
    Key("q", "quit", "app.leave", 4),
)


class KeyLine(LineStrip):
    """Keys in their order; what does not fit is in the help."""

    def __init__(self, *, id: str | None = None) -> None:
        super().__init__(id=id)
        self._places: list[tuple[int, int, str]] = []

    def on_resize(self) -> None:
        shown: list[Key] = []
        room = self.cells
        for key in sorted(KEYS, key=lambda each: each.rank):
            if width(key.line()) > room:
                break
            room -= width(key.line())
            shown.append(key)
        line: Line = []
        self._places = []
        for key in (each for each in KEYS if each in shown):
            start = width(line)
            line += key.line()
            self._places.append((start, width(line), key.action))
        self.show([line])

    async def on_click(self, event: events.Click) -> None:
        for start, end, action in self._places:
            if start <= event.x < end:
                await self.screen.run_action(action)
