"""The line that tells where a replay is: its state, its speed, and a slider from the start to the end."""

from __future__ import annotations

from dataclasses import dataclass

from textual import events
from textual.message import Message

from lambdatui.tui.glyphs import UNICODE, Glyphs
from lambdatui.tui.spans import Line, fit, width
from lambdatui.tui.tape import Tape
from lambdatui.tui.widgets.line_view import LineStrip

_LEAST_SLIDER = 8


@dataclass(frozen=True)
class _Signs:
    playing: str
    paused: str
    gone: str
    left: str
    knob: str
    step_gone: str
    step_left: str
    times: str


_UNICODE = _Signs("▶", "‖", "━", "─", "●", "┿", "┼", "×")
_ASCII = _Signs(">", "=", "#", "-", "O", "|", "|", "x")


class Transport(LineStrip):
    """Where steps of the experiment begin, the slider has a mark. A click on it asks for that instant."""

    @dataclass
    class Sought(Message):
        """Somebody pointed at an instant, in seconds since the epoch."""

        instant: float

    def __init__(self, tape: Tape, glyphs: Glyphs, *, id: str | None = None) -> None:
        super().__init__(id=id)
        self._tape = tape
        self._signs = _UNICODE if glyphs is UNICODE else _ASCII
        self._slider = range(0)

    def on_resize(self) -> None:
        self.sync()

    def sync(self) -> None:
        self.lines = [self._line()]
        super().sync()

    def _line(self) -> Line:
        tape, signs = self._tape, self._signs
        total = tape.end - tape.start
        ended = tape.time >= tape.end
        word = "playing" if tape.playing else "ended" if ended else "paused"
        left: Line = [
            (f" {signs.playing if tape.playing else signs.paused} {word:<7}", "key" if tape.playing else "strong"),
            (fit(f"{tape.speed:g}{signs.times}", 5, right=True), "text"),
            (f"  {clock(tape.time - tape.start, total)} ", "strong"),
        ]
        count = len(tape.records)
        right: Line = [(f" {clock(total, total)}", "dim"), (f"  event {tape.count:>{len(str(count))}}/{count} ", "dim")]
        room = self.cells - width(left) - width(right)
        if room < _LEAST_SLIDER:
            right, room = right[:1], self.cells - width(left) - width(right[:1]) - 1
        self._slider = range(width(left), width(left) + room)
        return [*left, *self._drawn(room), *right]

    def _drawn(self, cells: int) -> Line:
        if cells <= 0:
            return []
        signs, at = self._signs, self._cell(self._tape.time, cells)
        steps = {self._cell(self._tape.time_at(count), cells) for count in self._tape.steps}
        gone = "".join(signs.step_gone if cell in steps else signs.gone for cell in range(at))
        left = "".join(signs.step_left if cell in steps else signs.left for cell in range(at + 1, cells))
        return [(gone, "busy"), (signs.knob, "key"), (left, "dim")]

    def _cell(self, time: float, cells: int) -> int:
        total = self._tape.end - self._tape.start
        return round((time - self._tape.start) / total * (cells - 1)) if total else 0

    def on_click(self, event: events.Click) -> None:
        if event.x in self._slider and len(self._slider) > 1:
            share = self._slider.index(event.x) / (len(self._slider) - 1)
            self.post_message(self.Sought(self._tape.start + share * (self._tape.end - self._tape.start)))


def clock(seconds: float, total: float) -> str:
    """An instant of a tape that lasts `total` seconds: as wide for each of its instants."""
    tenths = int(seconds * 10 + 1e-6)
    minutes, rest = divmod(tenths, 600)
    hours, minutes = divmod(minutes, 60)
    if total >= 3600:
        return f"{hours}:{minutes:02}:{rest // 10:02}"
    return f"{minutes:{len(str(int(total // 60)))}}:{rest // 10:02}.{rest % 10}"
