"""What is written on a timeline: beside its rows, on its invocations, and below it."""

from __future__ import annotations

from collections.abc import Sequence

from lambdatui.history import INITS, Kind, Span
from lambdatui.tui.glyphs import environment_state
from lambdatui.tui.lanes import Labels, Strokes
from lambdatui.tui.model import Model
from lambdatui.tui.spans import Line, fit, width
from lambdatui.tui.wording import milliseconds, short

_WIDE = 20
LEGEND: tuple[tuple[Kind, str, str], ...] = (
    (Kind.EXTENSION_INIT, "extension init", "init"),
    (Kind.RUNTIME_INIT, "runtime init", "init"),
    (Kind.FUNCTION_INIT, "function init", "init"),
    (Kind.INVOKE, "invoke", "busy"),
    (Kind.FROZEN, "frozen", "idle"),
    (Kind.RESET, "reset", "warn"),
    (Kind.SHUTDOWN, "shutdown", "warn"),
    (Kind.THROTTLED, "throttled", "bad"),
    (Kind.QUEUED, "in the queue", "init"),
    (Kind.WAITING, "waiting", "init"),
    (Kind.FORGOTTEN, "forgotten", "dim"),
)
"""What there is to see, the words for it and their roles."""


def lane_label(kind: str, name: str, model: Model, strokes: Strokes, cells: int, chosen: bool) -> Line:
    """The start of a row: of an environment its state, its id and how many invocations it has had; with a pointer,
    if an invocation in it is `chosen`."""
    pointer = model.glyphs.pointer if chosen else " "
    if kind != "environment":
        of = Kind.THROTTLED if kind == "throttled" else Kind.QUEUED
        word = "throttled" if of is Kind.THROTTLED else "in queue"
        return [(fit(f"{strokes.kinds[of]}{pointer}{word}", cells), "bad" if of is Kind.THROTTLED else "init")]
    environment = model.lab.environments[name]
    glyph, (word, role) = environment_state(environment, model.glyphs)
    state = f"{glyph} {word:<10}" if cells > _WIDE else glyph
    runs = f" {model.glyphs.times}{environment.invocations}"
    plain = "gone" if environment.state == "ended" else "text"
    name = short(environment.id)
    rest = cells - len(state) - 1 - len(name)
    return [(state, role), (pointer, "key"), (name, "key" if chosen else plain), (fit(runs, rest), "dim")]


def invocation_labels(model: Model) -> Labels:
    """What can be written on an invocation."""
    glyphs = model.glyphs
    signs = {"succeeded": glyphs.passed, "failed": glyphs.failed, "timed_out": glyphs.timed_out}

    def labels(span: Span) -> Sequence[str]:
        invocation = model.lab.invocations.get(span.request_id or "")
        if invocation is None:
            return ()
        number = f"#{invocation.number}"
        if span.kind is Kind.QUEUED:
            following = span.attempt + (span.outcome == "function error")
            return (f"{number} waits for attempt {following}", number)
        sign = signs.get(span.outcome or "", glyphs.busy)
        word = (span.outcome or "running").replace("_", " ")
        attempt = f" attempt {span.attempt}" if span.attempt > 1 else ""
        attempts = (each for each in invocation.attempts if each.attempt == span.attempt)
        duration = next((each.duration_ms for each in attempts), None)
        took = f" {milliseconds(duration)}" if duration is not None else ""
        told = (f"{sign} {number}{attempt} {word}{took}", f"{sign} {number}{attempt} {word}", f"{sign} {number}", sign)
        return told if not attempt else (*told[:2], f"{sign} {number}{attempt}", *told[2:])

    return labels


def legend(kinds: set[Kind], strokes: Strokes, cells: int) -> Line:
    """The signs that can be seen, and the words for them, as many as there is room for."""
    line: Line = []
    inits = kinds & INITS
    for kind, word, role in LEGEND:
        if kind not in kinds and not (kind in (Kind.RUNTIME_INIT, Kind.FUNCTION_INIT) and inits):
            continue
        item: Line = [(f"{strokes.kinds[kind]} ", role), (f"{word}  ", "dim")]
        if width(line) + width(item) > cells:
            break
        line += item
    rest: Line = [(f"{strokes.cut} ", "dim"), ("idle time left out", "dim")]
    return [*line, *rest] if line and width(line) + width(rest) <= cells else line
