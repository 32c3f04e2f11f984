"""What the Invocations panel says about one invocation, above its log lines."""

from __future__ import annotations

from itertools import islice

from lambdatui.lab import Invocation
from lambdatui.tui.duration_bar import bar, figures, parts
from lambdatui.tui.glyphs import invocation_state
from lambdatui.tui.json_lines import json_lines
from lambdatui.tui.model import Model
from lambdatui.tui.sanitise import clean_line
from lambdatui.tui.spans import Line, Span, flow, wrap
from lambdatui.tui.stack_rows import FunctionError
from lambdatui.tui.wording import clock_time, seconds, short

LABEL = 8
"""Cells of the column that says what is what."""
_URGENT = 1.0
_MAX_BAR = 72
_MEMORY_BAR = 20


def invocation_rows(invocation: Invocation, model: Model, cells: int, roomy: bool) -> list[Line]:
    """State, event, result and durations; where the panel is `roomy` on several lines, with all that is known of it."""
    room = max(2, cells - LABEL)
    rows = flow(_state(invocation, model, roomy), cells)
    if roomy:
        rows += _took(invocation, model, room)
    rows += _labelled("event", json_lines(invocation.event, room, 2 if roomy else None))
    if invocation.payload is not None:
        rows += _labelled("result", _result(invocation, model, room, roomy))
    if invocation.error_details:
        rows += _labelled("error", json_lines(invocation.error_details, room, 2 if roomy else None))
    return rows + (_particulars(invocation, model, room) if roomy else _took(invocation, model, room, brief=True))


def label(text: str) -> Span:
    """The start of a row."""
    return f"{text:<{LABEL}}", "dim"


def came_by(invocation: Invocation, model: Model, brief: bool = False) -> str:
    """Who invoked."""
    if invocation.step is not None:
        step = f"step {invocation.step + 1}"
        names = [each.name for each in islice(model.steps, invocation.step, invocation.step + 1)]
        text = step if brief or not names else f"{step}, {clean_line(names[0])}"
        return f"{text}, by a destination" if invocation.source == "destination" and not brief else text
    words = {"endpoint": "the endpoint", "function URL": "a function URL", "destination": "a destination"}
    if brief:
        words = {"function URL": "URL", "destination": "dest."}
    return words.get(invocation.source, clean_line(invocation.source)) if invocation.source else "by hand"


def target(invocation: Invocation) -> str:
    """The function and, unless it is $LATEST, its version or the alias that led there."""
    name, version = clean_line(invocation.function), clean_line(invocation.version)
    if invocation.qualifier and invocation.qualifier != invocation.version:
        return f"{name}:{clean_line(invocation.qualifier)}"
    return name if version == "$LATEST" else f"{name}:{version}"


def _labelled(name: str, lines: list[Line]) -> list[Line]:
    return [[label("" if number else name), *line] for number, line in enumerate(lines)]


def _state(invocation: Invocation, model: Model, roomy: bool) -> list[Line]:
    glyph, (word, role) = invocation_state(invocation, model.glyphs)
    items: list[Line] = [[(f"{glyph} {word}", role)]]
    if invocation.status == "running" and invocation.deadline is not None:
        left = max(0.0, invocation.deadline - model.clock())
        items.append([(f"{seconds(left)} left", "urgent" if left <= _URGENT else "busy")])
    if invocation.cold_start is not None:
        items.append([("cold", "init") if invocation.cold_start else ("warm", "idle")])
    if invocation.environment and not roomy:
        items.append([("env ", "dim"), (short(invocation.environment), "text")])
    if len(model.lab.functions) > 1 and not roomy:
        items.append([(target(invocation), "text")])
    if invocation.throttle_reason:
        items.append([(clean_line(invocation.throttle_reason), "bad")])
    if invocation.error_type and invocation.status != "timed_out":
        items.append([(clean_line(invocation.error_type), "bad")])
    if invocation.error_code:
        items.append([("broken off by ", "dim"), (clean_line(invocation.error_code), "bad")])
    if invocation.invocation_type != "RequestResponse":
        items.append([(clean_line(invocation.invocation_type), "dim")])
    items += _way(invocation, model)
    return items if roomy else [*items, [(came_by(invocation, model, brief=True), "dim")]]


def _way(invocation: Invocation, model: Model) -> list[Line]:
    """How far the event of an asynchronous invocation has come."""
    items: list[Line] = []
    if invocation.attempt > 1:
        items.append([("attempt ", "dim"), (str(invocation.attempt), "text")])
    if invocation.due_at is not None and invocation.status != "pending":
        items.append([(f"again in {seconds(invocation.due_at - model.clock())}", "busy")])
    if invocation.condition is not None and invocation.condition != "Success":
        items.append([(clean_line(invocation.condition), "bad")])
    for told in invocation.forwarded:
        name = "dead letter" if told.by == "dead_letter" else told.by.replace("_", " ")
        items.append([(f"{name} ", "dim"), (clean_line(told.error or told.to), "bad" if told.error else "text")])
    return items


def _particulars(invocation: Invocation, model: Model, room: int) -> list[Line]:
    """Who invoked what, where it ran, and every name in full, to be copied."""
    by_alias = invocation.qualifier and invocation.qualifier != invocation.version
    led_to = f" {model.glyphs.arrow} version {clean_line(invocation.version)}" if by_alias else ""
    facts = [
        ("who", f"{came_by(invocation, model)}, at {clock_time(invocation.accepted_at, milliseconds=True)}"),
        ("of", f"{target(invocation)}{led_to}"),
        ("env", clean_line(invocation.environment or "")),
        ("group", clean_line(invocation.log_group or "")),
        ("stream", clean_line(invocation.log_stream or "")),
        ("request", clean_line(invocation.request_id)),
    ]
    rows: list[Line] = []
    for name, text in facts:
        rows += _labelled(name, [[(piece, "text")] for piece in wrap(text, room)] if text else [])
    if invocation.earlier:
        rows += _labelled("tries", [_attempt(each, model) for each in invocation.attempts])
    return rows


def _attempt(invocation: Invocation, model: Model) -> Line:
    glyph, (word, role) = invocation_state(invocation, model.glyphs)
    started = clock_time(invocation.started_at) if invocation.started_at is not None else ""
    took = f"{invocation.duration_ms:.2f} ms" if invocation.duration_ms is not None else ""
    row: Line = [(f"{invocation.attempt}  ", "dim"), (f"{f'{glyph} {word}':<12}", role)]
    return [*row, (f"  {started}  {short(invocation.environment or ''):<6}", "text"), (f"  {took:>12}", "text")]


def _result(invocation: Invocation, model: Model, room: int, roomy: bool) -> list[Line]:
    assert invocation.payload is not None
    # What was sent before the error came is as good as ever.
    bad = (invocation.function_error is not None or invocation.status == "throttled") and not invocation.error_code
    error = FunctionError.parse(invocation.payload) if bad else None
    if error is not None and roomy:
        return error.lines(model.glyphs.pointer, room)
    payload = error.summary if error is not None and error.frames else invocation.payload
    lines = json_lines(payload, room, 2 if roomy else None)
    if not bad:
        return lines
    return [[(text, role if role == "name" else "bad") for text, role in line] for line in lines]


def _took(invocation: Invocation, model: Model, room: int, brief: bool = False) -> list[Line]:
    """The figures of the REPORT line, and what came before it."""
    of = parts(invocation, model)
    if brief and invocation.duration_ms is None:
        of = [part for part in of if part.word == "first byte"]
    drawn = [] if brief else bar(of, min(room - 2, _MAX_BAR))
    items = figures(of, with_strokes=not brief)
    if invocation.billed_duration_ms is not None:
        items.append([(f"{invocation.billed_duration_ms} ms", "text"), (" billed", "dim")])
    used, size = invocation.max_memory_used_mb, invocation.memory_size_mb
    if brief and used is not None:
        items.append([(f"{used}/{size} MB", "text"), (" memory", "dim")])
    rows = _labelled("took", [*([drawn] if drawn else []), *flow(items, room)])
    if used is not None and size and not brief:
        full = min(_MEMORY_BAR, max(1, round(_MEMORY_BAR * used / size)))
        gauge: Line = [(model.glyphs.bar * full, "busy"), (model.glyphs.bar_left * (_MEMORY_BAR - full), "dim")]
        rows += _labelled("memory", [[*gauge, (f"  {used} of {size} MB", "text")]])
    return rows
