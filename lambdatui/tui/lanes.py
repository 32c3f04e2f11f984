"""Draws the timeline: what an environment has done in a window of time, as a line of cells.

Pure: from spans and a window to a line with roles. What is going on - an init, an invocation, a shutdown - is at least
one cell wide however short it was; what shares that cell with it moves aside by at most one, and where there is no room
even so, the cell shows what ended worst. All else is a thin line behind.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from itertools import groupby
from typing import TypeAlias

from rich.cells import cell_len

from lambdatui.history import INITS, Kind, Span
from lambdatui.time_axis import BREAK, Axis, elapsed, gap
from lambdatui.tui.glyphs import ASCII as ASCII_GLYPHS
from lambdatui.tui.glyphs import Glyphs
from lambdatui.tui.spans import Line

TICKS_APART = 10
AHEAD = 5
"""Cells kept free to the right of now, for the word."""
_CUT = 2
"""Cells of a break before the sign for it."""
Labels: TypeAlias = Callable[[Span], Sequence[str]]
"""What can be written on an invocation, the longest first."""


@dataclass(frozen=True)
class Strokes:
    """The signs that lanes are made of: :data:`UNICODE`, or :data:`ASCII` where the locale knows no better."""

    kinds: dict[Kind, str]
    seam: str
    """The end of an invocation that another one follows at once."""
    gone: str
    cut: str
    now: str
    tick: str
    chosen: str
    solid: bool
    """Invocations are blocks, and what is written on them is written on their colour."""


UNICODE = Strokes(
    {
        **{Kind.WAITING: "·", Kind.EXTENSION_INIT: "░", Kind.RUNTIME_INIT: "▒", Kind.FUNCTION_INIT: "▓"},
        **{Kind.INVOKE: "█", Kind.IDLE: "─", Kind.FROZEN: "─", Kind.RESET: "┈", Kind.SHUTDOWN: "▚"},
        **{Kind.FORGOTTEN: "?", Kind.THROTTLED: "✕", Kind.QUEUED: "╌"},
    },
    *("▌", "†", "//", "│", "▏", "▸"),
    solid=True,
)
ASCII = Strokes(
    {
        **{Kind.WAITING: ",", Kind.EXTENSION_INIT: "e", Kind.RUNTIME_INIT: "r", Kind.FUNCTION_INIT: "f"},
        **{Kind.INVOKE: "=", Kind.IDLE: "-", Kind.FROZEN: "-", Kind.RESET: ".", Kind.SHUTDOWN: "s"},
        **{Kind.FORGOTTEN: "?", Kind.THROTTLED: "x", Kind.QUEUED: "~"},
    },
    *(">", "+", "//", "|", "|", ":"),
    solid=False,
)

_ROLES = {
    **dict.fromkeys((Kind.WAITING, *INITS, Kind.QUEUED), "init"),
    **dict.fromkeys((Kind.IDLE, Kind.FROZEN), "idle"),
    **{Kind.RESET: "warn", Kind.SHUTDOWN: "warn", Kind.THROTTLED: "bad", Kind.FORGOTTEN: "dim"},
}
_OUTCOMES = {"succeeded": "good", "timed_out": "warn", "failed": "bad"}
_QUIET = {Kind.IDLE, Kind.FROZEN, Kind.RESET, Kind.FORGOTTEN, Kind.WAITING}
_WORST = {"failed": 3, "timed_out": 2, "error": 1, "timeout": 1}
_CHOSEN = 4


def strokes_for(glyphs: Glyphs) -> Strokes:
    """Those that go with these signs."""
    return ASCII if glyphs is ASCII_GLYPHS else UNICODE


@dataclass(frozen=True)
class Window:
    """The `cells` cells of `axis` from `left` on, at the instant `now`."""

    axis: Axis
    left: int
    cells: int
    now: float

    @property
    def first(self) -> float:
        return self.axis.time(self.left)

    @property
    def last(self) -> float:
        return self.axis.time(self.left + self.cells)

    def at(self, time: float) -> float:
        return self.axis.cell(time) - self.left


class _Canvas:
    """One row of cells; what is outside of the window is not drawn."""

    def __init__(self, cells: int) -> None:
        self.chars, self._roles = [" "] * cells, ["text"] * cells

    def fill(self, start: int, end: int, char: str, role: str) -> None:
        start, end = max(0, start), min(len(self.chars), end)
        if start < end:
            self.chars[start:end] = [char] * (end - start)
            self._roles[start:end] = [role] * (end - start)

    def write(self, start: int, text: str, role: str) -> None:
        for number, char in enumerate(text, start):
            self.fill(number, number + 1, char, role)

    def free(self, start: int, end: int) -> bool:
        return start >= 0 and end <= len(self.chars) and not "".join(self.chars[start:end]).strip()

    def line(self) -> Line:
        pairs = zip(self.chars, self._roles, strict=True)
        return [("".join(char for char, _ in group), role) for role, group in groupby(pairs, lambda pair: pair[1])]


def life(
    spans: Iterable[Span], window: Window, strokes: Strokes, labels: Labels, chosen: Span | None, end: float | None
) -> Line:
    """The row of an environment that ended at `end`; `spans` have to be in order."""
    canvas, spans = _Canvas(window.cells), list(spans)
    _background(canvas, spans, window, strokes)
    _breaks(canvas, window, strokes)
    _now(canvas, window, strokes)
    free = _Lane(canvas, window, strokes, labels, chosen).draw(spans)
    if end is not None and window.first <= end <= window.last:
        at = max(round(window.at(end)), free)
        canvas.write(at, strokes.gone, "gone")
    return canvas.line()


def instants(spans: Iterable[Span], window: Window, strokes: Strokes, labels: Labels, chosen: Span | None) -> Line:
    """A row of a function: its throttled invocations, as marks."""
    canvas = _Canvas(window.cells)
    _breaks(canvas, window, strokes)
    _now(canvas, window, strokes)
    _Lane(canvas, window, strokes, labels, chosen).draw(list(spans))
    return canvas.line()


def queue(spans: Iterable[Span], window: Window, strokes: Strokes, labels: Labels) -> Line:
    """A row of a function: its events that wait in the queue, which overlap."""
    canvas = _Canvas(window.cells)
    _breaks(canvas, window, strokes)
    _now(canvas, window, strokes)
    for span in spans:
        over = window.now if span.end is None else span.end
        if over >= window.first and span.start <= window.last:
            start, end = round(window.at(span.start)), round(window.at(over))
            label = next((each for each in labels(span) if len(each) < end - start), "")
            canvas.fill(start, end, strokes.kinds[Kind.QUEUED], "init")
            canvas.write(max(start, 0), label, "init")
    return canvas.line()


def ruler(window: Window, strokes: Strokes) -> Line:
    """The row above: ticks, what was left out, and now."""
    canvas, now = _Canvas(window.cells), round(window.at(window.now))
    for cut in window.axis.breaks(window.left, window.left + window.cells):
        # One that goes on tells no length: it would soon be wrong, for nothing is drawn while nothing happens.
        label = strokes.cut if cut.end >= window.now else f"{strokes.cut}{gap(cut.end - cut.start)}"
        canvas.write(round(cut.cell) - window.left + _CUT, label[: BREAK - _CUT], "dim")
    for tick in window.axis.ticks(window.left, window.left + window.cells, TICKS_APART):
        at, label = tick.cell - window.left, f"{strokes.tick}{elapsed(tick.seconds)}"
        if canvas.free(at, at + len(label) + 1) and not at - AHEAD < now <= at + len(label):
            canvas.write(at, label, "dim")
    if canvas.free(now, now + 1):
        canvas.write(now, f"{strokes.now}now", "key")
    return canvas.line()


def _background(canvas: _Canvas, spans: list[Span], window: Window, strokes: Strokes) -> None:
    """The thin lines. Of thousands of spans, only those are looked at that reach another cell."""
    at, until = (round(window.at(spans[0].start)) if spans else 0), float("-inf")
    for span in spans:
        end = window.now if span.end is None else span.end
        if end < until:
            continue
        over = round(window.at(end))
        if span.kind in _QUIET:
            canvas.fill(at, max(at + 1, over), strokes.kinds[span.kind], _ROLES[span.kind])
        at, until = over, window.axis.time(window.left + over + 0.5)


def _breaks(canvas: _Canvas, window: Window, strokes: Strokes) -> None:
    for cut in window.axis.breaks(window.left, window.left + window.cells):
        canvas.write(round(cut.cell) - window.left + _CUT, strokes.cut, "dim")


def _now(canvas: _Canvas, window: Window, strokes: Strokes) -> None:
    canvas.write(round(window.at(window.now)), strokes.now, "key")


class _Lane:
    """Puts pieces - an init of several parts, an invocation - on a canvas, from left to right."""

    def __init__(self, canvas: _Canvas, window: Window, strokes: Strokes, labels: Labels, chosen: Span | None) -> None:
        self._canvas, self._window, self._strokes = canvas, window, strokes
        self._labels, self._chosen = labels, chosen
        self._free = -(10**9)
        """The first cell after all that was drawn."""
        self._crowded = float("-inf")
        """What ends before this instant gets no cell of its own."""
        self._worst = 0
        self._seam: tuple[int, str] | None = None
        """The last cell of an invocation, and its role."""

    def draw(self, spans: list[Span]) -> int:
        """Returns the first cell after all that was drawn."""
        number = 0
        while number < len(spans):
            span = spans[number]
            number += 1
            if span.kind in _QUIET:
                continue
            if span.end is not None and span.end < self._crowded:
                if self._rank(span) > self._worst:
                    self._overlay(span)
                continue
            if span.kind in INITS:
                parts = [span]
                while number < len(spans) and spans[number].kind in INITS:
                    parts.append(spans[number])
                    number += 1
                self._init(parts)
            else:
                self._piece(span)
        return self._free

    def _take(self, start: float, end: float | None) -> tuple[int, int]:
        """The cells of a piece."""
        at, over = self._window.at(start), self._window.at(self._window.now if end is None else end)
        first = max(round(at), self._free)
        self._free = max(first + 1, round(over))
        self._crowded = self._window.axis.time(self._window.left + self._free - 1.5)
        self._worst = 0
        return first, self._free

    def _init(self, parts: list[Span]) -> None:
        first, last = self._take(parts[0].start, parts[-1].end)
        self._seam = None
        for part in sorted(parts, key=self._length, reverse=True)[:1]:
            self._canvas.fill(first, last, self._strokes.kinds[part.kind], "init")
        for part in parts if last - first > 1 else ():
            start = round(self._window.at(part.start))
            end = round(self._window.at(self._window.now if part.end is None else part.end))
            self._canvas.fill(max(first, start), min(last, end), self._strokes.kinds[part.kind], "init")
        if parts[-1].outcome in _WORST:
            self._overlay(parts[-1])

    def _length(self, span: Span) -> float:
        return (self._window.now if span.end is None else span.end) - span.start

    def _piece(self, span: Span) -> None:
        before, seam = self._free, self._seam
        first, last = self._take(span.start, span.end)
        if seam and first == before:
            self._canvas.write(seam[0], self._strokes.seam, seam[1])
        role = self._role(span)
        char = self._strokes.kinds[span.kind]
        self._seam = None
        if span.kind is Kind.INVOKE:
            self._worst = self._rank(span)
            if last - first == 1:
                char = self._short(span)
            elif last <= self._window.cells:
                self._seam = last - 1, role
        wide = self._strokes.solid and span.kind is Kind.INVOKE and last - first > 1
        self._canvas.fill(first, last, char, f"bar-{role}" if wide else role)
        if span.kind is Kind.INVOKE and last - first > 2:
            start, end = max(0, first), min(last, self._window.cells)
            label = next((each for each in self._labels(span) if cell_len(each) + 2 <= end - start), "")
            self._canvas.write(start + 1, label, f"on-{role}" if wide else role)
            if label and span is self._chosen:
                self._canvas.write(start, self._strokes.chosen, f"on-{role}" if wide else role)

    def _short(self, span: Span) -> str:
        """The sign of an invocation of a single cell: what it ended as, where that has to be seen."""
        signs = self._labels(span) if span.outcome in ("failed", "timed_out") else ()
        return signs[-1] if signs else self._strokes.seam

    def _overlay(self, span: Span) -> None:
        """Show it in the cell of the piece before, or what went wrong at the end of a piece."""
        self._worst = self._rank(span)
        if span.kind is Kind.INVOKE:
            self._canvas.write(self._free - 1, self._short(span), self._role(span))
        elif span.kind in INITS:
            self._canvas.write(self._free - 1, self._strokes.kinds[Kind.THROTTLED], "bad")

    def _rank(self, span: Span) -> int:
        return _CHOSEN if span is self._chosen else _WORST.get(span.outcome or "", 0)

    def _role(self, span: Span) -> str:
        if span is self._chosen:
            return "chosen"
        return _OUTCOMES.get(span.outcome or "", "busy") if span.kind is Kind.INVOKE else _ROLES[span.kind]
