"""The last line: the keys that matter most, as many as there is room for; for some seconds, what has to be told."""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass

from textual import events
from textual.timer import Timer

from lambdatui.tui.sanitise import clean_line
from lambdatui.tui.spans import Line, width, wrap
from lambdatui.tui.widgets.line_view import LineStrip

_ROLES = {"error": "bad", "warning": "warn"}
_LONG, _SHORT = 8.0, 3.0
"""Seconds for which trouble is told, and anything else."""
_NEXT = 2.0
"""Seconds after which what waits has its turn."""
_MAX_ROWS = 4


@dataclass(frozen=True)
class Key:
    """A key as it is shown; `action` is what a click on it does. `rank`: the lowest are shown where room is scarce."""

    key: str
    label: str
    action: str
    rank: float

    def line(self) -> Line:
        return [(f" {self.key} ", "key"), (f"{self.label} ", "dim")]


KEYS = (
    Key("enter", "next", "next", 0),
    Key("i", "invoke", "invoke", 1),
    Key("p", "three at once", "burst", 2),
    Key("r", "restart", "restart", 5),
    Key("/", "filter", "filter", 6),
    Key("f", "follow", "log('follow')", 8),
    Key("tab", "panels", "cycle(1)", 7),
    Key("z", "zoom", "zoom", 9),
    Key("5", "timeline", "digit(5)", 4.5),
    Key("e", "event", "edit_event", 10),
    Key("u", "configuration", "configure", 11),
    Key("?", "help", "help", 3),
    Key("q", "quit", "app.leave", 4),
)


class KeyLine(LineStrip):
    """Keys in their order; what does not fit is in the help. News take their place, one at a time, and cover nothing
    that one works with."""

    def __init__(self, keys: Sequence[Key] = KEYS, *, id: str | None = None) -> None:
        super().__init__(id=id)
        self._known = keys
        self._places: list[tuple[int, int, str]] = []
        self._alone = False
        self._news: deque[tuple[str, str]] = deque()
        self._timer: Timer | None = None

    def show_keys(self, alone: bool) -> None:
        """`alone`: one panel has all the room, and a key leads to the others."""
        if alone != self._alone:
            self._alone = alone
            self._lay_out()

    @property
    def told(self) -> str:
        """What is being told."""
        return self._news[0][0] if self._news else ""

    def tell(self, message: str, level: str = "info") -> None:
        """Show `message` for some seconds; `level` is 'error', 'warning' or another word."""
        news = clean_line(message), _ROLES.get(level, "text")
        if news in self._news:
            return
        self._news.append(news)
        if len(self._news) == 1:
            self._show_news()
        elif self._timer is not None:
            self._timer.stop()
            self._timer = self.set_timer(_NEXT, self._next)

    def forget(self) -> None:
        """What was to be told is of no interest any more."""
        if self._news:
            self._news.clear()
            if self._timer is not None:
                self._timer.stop()
            self._timer = None
            self._lay_out()

    def _show_news(self) -> None:
        long = self._news[0][1] != "text"
        self._timer = self.set_timer(_NEXT if len(self._news) > 1 else _LONG if long else _SHORT, self._next)
        self._lay_out()

    def _next(self) -> None:
        self._news.popleft()
        if self._news:
            self._show_news()
        else:
            self._timer = None
            self._lay_out()

    def on_resize(self) -> None:
        self._lay_out()

    def _lay_out(self) -> None:
        self._places = []
        if self._news:
            text, role = self._news[0]
            self.show([[(f" {piece}", role)] for piece in wrap(text, max(2, self.cells - 2))[:_MAX_ROWS]])
        else:
            self.show([self._keys()])
        self.styles.height = len(self.lines)

    def _keys(self) -> Line:
        shown: list[Key] = []
        room = self.cells
        for key in sorted(self._known, key=self._rank):
            if width(key.line()) > room:
                break
            room -= width(key.line())
            shown.append(key)
        line: Line = []
        for key in (each for each in self._known if each in shown):
            start = width(line)
            line += key.line()
            self._places.append((start, width(line), key.action))
        return line

    def _rank(self, key: Key) -> float:
        return 1.5 if self._alone and key.label == "panels" else key.rank

    async def on_click(self, event: events.Click) -> None:
        for start, end, action in self._places:
            if start <= event.x < end:
                await self.screen.run_action(action)
