"""What the Invocations panel says about one invocation, above its log lines."""

from __future__ import annotations

import re

from lambdatui.lab import Invocation
from lambdatui.tui.glyphs import invocation_state
from lambdatui.tui.model import Model
from lambdatui.tui.sanitise import clean_line, clean_lines
from lambdatui.tui.spans import Line, Span, crop, flow, wrap
from lambdatui.tui.wording import milliseconds, pretty, seconds, short

LABEL = 7
"""Cells of the column that says what is what."""
_KEY = re.compile(r'\s*"(?:[^"\\]|\\.)*"(?=:)')
_URGENT = 1.0
_WORTH_TELLING = 10.0
"""Milliseconds below which nobody cares for how long an invocation was waiting."""


def invocation_rows(invocation: Invocation, model: Model, cells: int, roomy: bool) -> list[Line]:
    """State, event, result and durations; the result on several lines where the panel is `roomy`."""
    rows = flow(_state(invocation, model), cells)
    rows += _payload("event", pretty(invocation.event, None), "text", cells)
    if invocation.payload is not None:
        bad = invocation.function_error is not None or invocation.status == "throttled"
        bad = bad and invocation.error_code is None  # what was sent before the error came is as good as ever
        rows += _payload("result", pretty(invocation.payload, 2 if roomy else None), "bad" if bad else "text", cells)
    took = flow(_durations(invocation), max(2, cells - LABEL))
    return rows + [[label("took" if number == 0 else ""), *line] for number, line in enumerate(took)]


def label(text: str) -> Span:
    """The start of a row."""
    return f"{text:<{LABEL}}", "dim"


def _state(invocation: Invocation, model: Model) -> list[Line]:
    glyph, (word, role) = invocation_state(invocation, model.glyphs)
    items: list[Line] = [[(f"{glyph} {word}", role)]]
    if invocation.status == "running" and invocation.deadline is not None:
        left = max(0.0, invocation.deadline - model.clock())
        items.append([(f"{seconds(left)} left", "urgent" if left <= _URGENT else "busy")])
    if invocation.cold_start is not None:
        items.append([("cold", "init") if invocation.cold_start else ("warm", "idle")])
    if invocation.environment:
        items.append([("env ", "dim"), (short(invocation.environment), "text")])
    if len(model.lab.functions) > 1:
        items.append([(clean_line(invocation.function), "text")])
    if invocation.throttle_reason:
        items.append([(clean_line(invocation.throttle_reason), "bad")])
    if invocation.error_type and invocation.status != "timed_out":
        items.append([(clean_line(invocation.error_type), "bad")])
    if invocation.error_code:
        items.append([("broken off by ", "dim"), (clean_line(invocation.error_code), "bad")])
    if invocation.invocation_type != "RequestResponse":
        items.append([(clean_line(invocation.invocation_type), "dim")])
    return items + _way(invocation, model)


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


def _durations(invocation: Invocation) -> list[Line]:
    items: list[Line] = []
    if invocation.first_byte_ms is not None:
        items.append([(milliseconds(invocation.first_byte_ms), "text"), (" first byte", "dim")])
    if invocation.duration_ms is None:
        return items
    if invocation.started_at is not None:
        queued = (invocation.started_at - invocation.accepted_at) * 1000 - (invocation.init_duration_ms or 0.0)
        if queued >= _WORTH_TELLING:
            items.append([(milliseconds(queued), "text"), (" waiting", "dim")])
    if invocation.init_duration_ms is not None:
        items.append([(milliseconds(invocation.init_duration_ms), "text"), (" init", "dim")])
    items.append([(f"{invocation.duration_ms:.2f} ms", "text"), (" invoke", "dim")])
    if invocation.billed_duration_ms is not None:
        items.append([(f"{invocation.billed_duration_ms} ms", "text"), (" billed", "dim")])
    if invocation.max_memory_used_mb is not None:
        items.append([(f"{invocation.max_memory_used_mb}/{invocation.memory_size_mb} MB", "text"), (" memory", "dim")])
    return items


def _payload(name: str, text: str, role: str, cells: int) -> list[Line]:
    rows: list[Line] = []
    for line in clean_lines(text):
        for number, piece in enumerate(wrap(line, max(2, cells - LABEL))):
            key = _KEY.match(piece) if number == 0 else None
            end = key.end() if key else 0
            row: Line = [label("" if rows else name), (piece[:end], "name"), (piece[end:], role)]
            rows.append([span for span in row if span[0]])
    return [crop(row, cells) for row in rows]
