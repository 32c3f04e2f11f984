"""The timeline as SVG: what each execution environment did, and when.

Pure: from the fold of a journal to pictures. What a bar means is told by its pattern and a sign or a word as much as by
its colour, so that it can be read in print without any.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from importlib.resources import files
from typing import NamedTuple

from lambdatui.experiment.handout.markup import Html, el, join
from lambdatui.experiment.handout.words import Words
from lambdatui.history import INITS, Kind, Span
from lambdatui.lab import Environment, Function, Lab
from lambdatui.time_axis import BREAK, Axis, elapsed, gap

ROWS = 34
"""Of one picture, which has to fit on a sheet of paper; where there are more there are several pictures."""
_WIDTH, _LEFT, _RIGHT = 840.0, 118.0, 14.0
_CELL = 4.5
"""The axis counts in cells; so wide is one."""
_CELLS = int((_WIDTH - _LEFT - _RIGHT) / _CELL)
_TAIL = 3
"""Cells after the last event, in which what goes on is seen to go on."""
_TICKS_APART = 17
_ROW, _HEAD, _BAR = 25.0, 27.0, 15.0
_TOP = 46.0
_LETTER = 6.6
"""The width of a letter on a bar, at most."""
_LEAST = 2.0
"""The width of the shortest bar."""
_LANES = 6
"""Rows for the events in the queue of a function, which overlap."""
_SIGNS = {"succeeded": "✓", "failed": "✕", "timed_out": "◷"}
_RANKS = {"failed": 2, "timed_out": 1}
_BARS = {
    **{Kind.EXTENSION_INIT: "extension", Kind.RUNTIME_INIT: "runtime", Kind.FUNCTION_INIT: "function"},
    **{Kind.SHUTDOWN: "shutdown", Kind.FORGOTTEN: "forgotten"},
}
_LINES = {Kind.FROZEN: "frozen", Kind.IDLE: "frozen", Kind.RESET: "reset", Kind.WAITING: "wait"}
_NAMES = {
    **{kind: kind.value for kind in INITS},
    **{Kind.IDLE: "frozen", Kind.QUEUED: "queued", Kind.WAITING: "wait"},
}
"""What words call a kind, where that is not its value."""

STYLE = files(__package__).joinpath("timeline.css").read_text(encoding="utf-8")


class _Row(NamedTuple):
    label: Html
    drawn: Sequence[Html]
    lead: bool = False
    """The name of a function, which has no row of its own."""


def timelines(lab: Lab, words: Words, title: str, now: float | None = None) -> list[Html]:
    """One SVG, or several of :data:`ROWS` rows each, for the same page: the first has the patterns and styles of all.
    None where there is nothing to draw.

    `now`, in seconds since the epoch, is how far that reaches which is still under way.
    """
    activity = lab.activity
    if activity.start is None:
        return []
    end = max(activity.last, now or 0.0) if activity.busy else activity.last
    canvas = _Canvas(lab, words, _axis(activity.start, end, activity.quiet), end)
    rows = [row for function in _functions(lab) for row in canvas.rows(*function)]
    parts = list(_parts(rows))
    return [canvas.picture(part, title, number, len(parts)) for number, part in enumerate(parts, 1)]


def _functions(lab: Lab) -> Iterator[tuple[str, Function | None, list[Environment]]]:
    """Also those that were deleted, as long as environments remember them."""
    names = dict.fromkeys([*lab.functions, *(each.function for each in lab.environments.values())])
    for name in names:
        environments = [each for each in lab.environments.values() if each.function == name]
        function = lab.functions.get(name)
        if environments or (function and (function.arrivals.throttled or function.arrivals.queued)):
            yield name, function, environments


def _parts(rows: Sequence[_Row]) -> Iterator[list[_Row]]:
    """A name is not torn from what it names, and stands above each part."""
    part: list[_Row] = []
    lead: _Row | None = None
    for number, row in enumerate(rows):
        lead = row if row.lead else lead
        if len(part) >= ROWS or (row.lead and len(part) >= ROWS - 1 and number + 1 < len(rows)):
            yield part
            part = [lead] if lead and not row.lead else []
        part.append(row)
    if part:
        yield part


def _axis(start: float, end: float, quiet: Sequence[tuple[float, float]]) -> Axis:
    """At the scale at which everything fills the picture: the wider a cell, the fewer it takes."""
    fine, coarse = 1e-6, max(end - start, 1e-3) / (_CELLS - _TAIL) * 1.001
    for _ in range(50):
        middle = (fine + coarse) / 2
        if Axis(start, middle, quiet).cell(end) > _CELLS - _TAIL:
            fine = middle
        else:
            coarse = middle
    return Axis(start, coarse, quiet)


class _Canvas:
    def __init__(self, lab: Lab, words: Words, axis: Axis, end: float) -> None:
        self._lab, self._words, self._axis, self._end = lab, words, axis, end
        self._seen: set[Kind | str] = set()
        self._signed = 0.0
        """Where in the row the last sign stands above a bar that is too short to have it inside."""

    # -- rows -------------------------------------------------------------------------------------------------------

    def rows(self, name: str, function: Function | None, environments: list[Environment]) -> Iterator[_Row]:
        yield _Row(_text(0, 19, _fitting(name, 60), "strong"), (), lead=True)
        if function and function.arrivals.queued:
            yield from self._queue(function.arrivals.queued)
        for environment in environments:
            label = [
                _text(12, 16, environment.id[:6], "mono small"),
                _text(66, 16, f"×{environment.invocations}", "soft small"),
            ]
            yield _Row(Html("".join(label)), self._life(environment))
        if function and function.arrivals.throttled:
            self._seen.add(Kind.THROTTLED)
            yield _Row(_text(12, 16, self._words["throttled"], "soft small"), self._marks(function.arrivals.throttled))

    def _life(self, environment: Environment) -> list[Html]:
        lines: list[Html] = []
        bars: list[Html] = []
        reached, worst = -1.0, 0
        self._signed = 0.0
        for span in environment.history.spans:
            x, width = self._place(span)
            rank = _RANKS.get(span.outcome or "", 0)
            if width <= _LEAST and x + width <= reached + 0.5 and rank <= worst:
                continue  # nothing of it could be seen
            self._seen.add(Kind.FROZEN if span.kind is Kind.IDLE else span.kind)
            if kind := _LINES.get(span.kind):
                lines.append(self._titled("path", span, d=f"M{x:.1f} 12.5h{width:.1f}", class_=f"line {kind}"))
            elif span.kind is Kind.INVOKE:
                bars.append(self._invoke(span, x, width))
                reached, worst = x + width, rank
            else:
                fill = f"url(#tl-{_BARS[span.kind]})"
                edge = "plain" if span.kind in (Kind.SHUTDOWN, Kind.FORGOTTEN) else "init"
                bars.append(self._titled("rect", span, **_box(x, width), fill=fill, class_=edge))
                reached, worst = x + width, rank
                if span.outcome in ("error", "timeout"):
                    bars.append(_text(x + width, 17, "✕", "mark", anchor="middle"))
        if environment.ended_at is not None:
            self._seen.add("ended")
            x = self._x(environment.ended_at)
            lines.append(el("path", d=f"M{x:.1f} 6v13", class_="end"))
        return [*lines, *bars]

    def _invoke(self, span: Span, x: float, width: float) -> Html:
        outcome = span.outcome if span.outcome and span.outcome in _SIGNS else "busy"
        self._seen.add(outcome)
        pieces = [self._titled("rect", span, **_box(x, width), class_=outcome)]
        if outcome in ("failed", "timed_out") and width > 4:
            pieces.append(el("rect", **_box(x, width), fill=f"url(#tl-{outcome})"))
        label = next((each for each in self._labels(span) if len(each) * _LETTER + 8 <= width), "")
        if label:
            pieces.append(_text(x + 5, 16.5, label, "on"))
        elif outcome in _RANKS and x > self._signed + 2 * _LETTER:
            pieces.append(_text(x + width / 2, 5.5, _SIGNS[outcome], f"over {outcome}", "middle"))
            self._signed = x
        return join(pieces)

    def _labels(self, span: Span) -> list[str]:
        """The longest first."""
        sign = _SIGNS.get(span.outcome or "", "●")
        invocation = self._lab.invocations.get(span.request_id or "")
        if invocation is None:
            return [sign]
        attempt = f".{span.attempt}" if span.attempt > 1 else ""
        short = f"{sign} #{invocation.number}{attempt}"
        duration = next((each.duration_ms for each in invocation.attempts if each.attempt == span.attempt), None)
        return [*([f"{short} {elapsed(round(duration / 1000, 3))}"] if duration else []), short, sign]

    def _marks(self, spans: Iterable[Span]) -> list[Html]:
        marks: list[Html] = []
        reached = -1.0
        for span in spans:
            if (x := self._x(span.start)) > reached + 2:
                marks.append(self._titled("text", span, "✕", x=f"{x:.1f}", y=17, text_anchor="middle", class_="mark"))
                reached = x
        return marks

    def _queue(self, spans: Iterable[Span]) -> Iterator[_Row]:
        self._seen.add(Kind.QUEUED)
        lanes: list[tuple[float, list[Html]]] = []
        for span in spans:
            x, width = self._place(span)
            number = next((number for number, (reached, _) in enumerate(lanes) if reached <= x), len(lanes))
            if number == len(lanes) and number < _LANES:
                lanes.append((0.0, []))
            number = min(number, _LANES - 1)
            reached, drawn = lanes[number]
            if x + width <= reached:
                continue
            invocation = self._lab.invocations.get(span.request_id or "")
            label = f"#{invocation.number}" if invocation else ""
            drawn.append(self._titled("rect", span, **_box(x, width), rx=3, class_="queue"))
            if label and len(label) * _LETTER + 8 <= width:
                drawn.append(_text(x + 5, 16.5, label, "soft small"))
            lanes[number] = (x + width, drawn)
        for number, (_, drawn) in enumerate(lanes):
            yield _Row(_text(12, 16, self._words["queued"] if number == 0 else "", "soft small"), drawn)

    def _titled(self, tag: str, span: Span, *children: str, **attributes: str | int | float) -> Html:
        """Says what it is under the mouse."""
        words = [self._words.get(_NAMES.get(span.kind, span.kind.value), span.kind.value)]
        invocation = self._lab.invocations.get(span.request_id or "")
        if span.kind is Kind.INVOKE and invocation:
            words = [f"#{invocation.number}", self._words.get(span.outcome or "busy", span.outcome or "")]
        length = (self._end if span.end is None else span.end) - span.start
        told = f"{' '.join(words)} · {elapsed(round(length, 3))}" if length else " ".join(words)
        return el(tag, el("title", told), *children, **attributes)

    # -- places -----------------------------------------------------------------------------------------------------

    def _x(self, time: float) -> float:
        return _LEFT + _CELL * self._axis.cell(time)

    def _place(self, span: Span) -> tuple[float, float]:
        """Where it begins, and its width; what goes on reaches to the edge."""
        x = self._x(span.start)
        end = _WIDTH - _RIGHT if span.end is None else self._x(span.end)
        return x, max(end - x, _LEAST)

    # -- the picture ------------------------------------------------------------------------------------------------

    def picture(self, rows: Sequence[_Row], title: str, number: int, of: int) -> Html:
        body: list[Html] = []
        y = _TOP
        for row in rows:
            body.append(el("g", row.label, row.drawn, transform=f"translate(0 {y:g})"))
            y += _HEAD if row.lead else _ROW
        legend, height = self._legend(y + 22)
        part = f" ({self._words['part'].format(number, of)})" if of > 1 else ""
        name = f"timeline-{number}"
        return el(
            "svg",
            el("title", f"{self._words['timeline of'].format(title)}{part}", id=f"{name}-title"),
            el("desc", self._description(), id=f"{name}-desc"),
            [el("style", Html(STYLE)), self._patterns()] if number == 1 else None,
            self._ruler(y + 4),
            body,
            legend,
            xmlns="http://www.w3.org/2000/svg",
            viewBox=f"0 0 {_WIDTH:g} {height:g}",
            class_="tl",
            role="img",
            aria_labelledby=f"{name}-title",
            aria_describedby=f"{name}-desc",
        )

    def _description(self) -> str:
        words, lab = self._words, self._lab
        ended = [
            *filter(None, (self._outcomes(status) for status in ("succeeded", "failed", "timed_out", "throttled")))
        ]
        length = elapsed(round(self._end - self._axis.start, 1))
        facts = [
            f"{words['environments']}: {len(lab.environments)}",
            f"{words['invocations']}: {len(lab.invocations)}",
            *ended,
            f"{words['time']}: {length}",
        ]
        return f"{words['what to see']} {'; '.join(facts)}."

    def _outcomes(self, status: str) -> str:
        count = sum(1 for each in self._lab.invocations.values() if each.status == status)
        return f"{self._words[status]}: {count}" if count else ""

    def _ruler(self, bottom: float) -> Html:
        axis, drawn = self._axis, list[Html]()
        for cut in axis.breaks(0, _CELLS):
            x, width = _LEFT + _CELL * cut.cell, BREAK * _CELL
            drawn.append(el("rect", x=f"{x:.1f}", y=24, width=width, height=f"{bottom - 24:g}", class_="break"))
            drawn.append(_text(x + width / 2, 36, gap(cut.end - cut.start), "soft small", anchor="middle"))
            middle = x + width / 2
            drawn.append(el("path", d=f"M{middle - 6:.1f} 45l3-5 3 5 3-5 3 5", class_="zig"))
        cuts = [cut.cell for cut in axis.breaks(0, _CELLS)]
        for tick in axis.ticks(0, _CELLS - 4, _TICKS_APART):
            x = _LEFT + _CELL * tick.cell
            drawn.append(el("path", d=f"M{x:.1f} 40V{bottom:g}", class_="grid"))
            if not any(cell - 5 < tick.cell < cell + BREAK + 5 for cell in cuts):
                anchor = "middle" if tick.cell else "start"
                drawn.append(_text(x if tick.cell else x + 4, 36, elapsed(tick.seconds), "soft small", anchor))
        reached = 0.0
        for number, step in enumerate(self._lab.experiment.steps if self._lab.experiment else (), 1):
            if step.started_at is None:
                continue
            x = max(self._x(step.started_at), _LEFT)
            drawn.append(el("path", d=f"M{x:.1f} 16V{bottom:g}", class_="step"))
            at = max(x, reached)
            drawn.append(el("rect", x=f"{at - 8:.1f}", y=2, width=16, height=15, rx=7.5, class_="badge"))
            drawn.append(_text(at, 13.5, str(number), "", anchor="middle"))
            reached = at + 18
        if reached:
            drawn.append(_text(0, 13.5, self._words["step"], "soft small"))
        return el("g", drawn)

    def _patterns(self) -> Html:
        def pattern(name: str, size: int, *inside: Html) -> Html:
            return el("pattern", *inside, id=f"tl-{name}", width=size, height=size, patternUnits="userSpaceOnUse")

        return el(
            "defs",
            pattern("extension", 4, el("circle", cx=2, cy=2, r="0.9", class_="dot")),
            pattern("runtime", 5, el("path", d="M-1 6L6-1M-1 1L1-1M4 6L6 4", class_="ink")),
            pattern("function", 4, el("path", d="M0 0L4 4M4 0L0 4", class_="ink")),
            pattern("shutdown", 4, el("path", d="M0 2h4", class_="wear")),
            pattern("forgotten", 8, el("path", d="M0 8L8 0", class_="wear")),
            pattern("failed", 8, el("path", d="M-2 10L10-2M-2 2L2-2M6 10L10 6", class_="stripe")),
            pattern("timed_out", 7, el("path", d="M3.5 0v7", class_="stripe")),
        )

    def _legend(self, y: float) -> tuple[Html, float]:
        """What can be seen, and the words for it; and how high the picture has become."""
        drawn: list[Html] = []
        x = 0.0
        for sign, word in self._entries():
            width = 34 + sum(12.5 if ord(char) > 0x2E7F else _LETTER for char in word) + 14
            if x + width > _WIDTH:
                x, y = 0.0, y + 22
            drawn.append(el("g", sign, _text(32, 16, word, "soft small"), transform=f"translate({x:.1f} {y - 12:g})"))
            x += width
        return el("g", drawn), y + 16

    def _entries(self) -> Iterator[tuple[Html, str]]:
        words, seen = self._words, self._seen
        box = _box(0, 26)
        for kind in (Kind.EXTENSION_INIT, Kind.RUNTIME_INIT, Kind.FUNCTION_INIT, Kind.SHUTDOWN, Kind.FORGOTTEN):
            if kind in seen:
                edge = "plain" if kind in (Kind.SHUTDOWN, Kind.FORGOTTEN) else "init"
                fill = f"url(#tl-{_BARS[kind]})"
                yield el("rect", **box, fill=fill, class_=edge), words[kind.value]
        for outcome, sign in (*_SIGNS.items(), ("busy", "●")):
            if outcome in seen:
                stripes = el("rect", **box, fill=f"url(#tl-{outcome})") if outcome in _RANKS else Html()
                bar = el("rect", **box, class_=outcome)
                word = words["running"] if outcome == "busy" else words[outcome]
                yield Html(f"{bar}{stripes}{_text(13, 16.5, sign, 'on', anchor='middle')}"), word
        for kind in (Kind.FROZEN, Kind.RESET, Kind.WAITING):
            if kind in seen:
                yield el("path", d="M0 12.5h26", class_=f"line {_LINES[kind]}"), words[_NAMES.get(kind, kind.value)]
        if Kind.QUEUED in seen:
            yield el("rect", **box, rx=3, class_="queue"), words["queued"]
        if Kind.THROTTLED in seen:
            yield _text(13, 17, "✕", "mark", anchor="middle"), words["throttled"]
        if "ended" in seen:
            yield el("path", d="M13 6v13", class_="end"), words["ended"]
        if self._axis.breaks(0, _CELLS):
            yield el("path", d="M7 15l3-5 3 5 3-5 3 5", class_="zig"), words["cut"]


def _box(x: float, width: float) -> dict[str, str | float]:
    return {"x": f"{x:.1f}", "y": (_ROW - _BAR) / 2, "width": f"{width:.1f}", "height": _BAR}


def _text(x: float, y: float, of: str, class_: str, anchor: str | None = None) -> Html:
    return el("text", of, x=f"{x:.1f}", y=f"{y:g}", class_=class_ or None, text_anchor=anchor)


def _fitting(name: str, letters: int) -> str:
    return name if len(name) <= letters else f"{name[: letters - 1]}…"
