"""What the Invocations panel says about one invocation, above its log lines."""

from __future__ import annotations

import re

from lambdatui.lab import Invocation
from lambdatui.tui.glyphs import invocation_state
from lambdatui.tui.model import Model
from lambdatui.tui.sanitise import clean_line, clean_lines
from lambdatui.tui.spans import Line, crop, flow, wrap
from lambdatui.tui.wording import milliseconds, pretty, seconds, short

_LABEL = 8
_KEY = re.compile(r'\s*"(?:[^"\\]|\\.)*"(?=:)')
_URGENT = 1.0


def invocation_rows(invocation: Invocation, model: Model, cells: int) -> list[Line]:
    """State, durations, event and result."""
    rows = flow(_state(invocation, model), cells)
    rows += flow(_durations(invocation), cells)
    rows += _payload("event", pretty(invocation.event, None), "text", cells)
    if invocation.payload is not None:
        bad = invocation.function_error is not None or invocation.status == "throttled"
        rows += _payload("result", pretty(invocation.payload), "bad" if bad else "text", cells)
    return rows


def _state(invocation: Invocation, model: Model) -> list[Line]:
    glyph, (word, role) = invocation_state(invocation, model.glyphs)
    items: list[Line] = [[(f"{glyph} {word}", role)]]
    if invocation.status == "running" and invocation.deadline is not None:
        left = max(0.0, invocation.deadline - model.clock())
        items.append([(f"{seconds(left)} left", "urgent" if left <= _URGENT else "busy")])
    if invocation.cold_start is not None:
        items.append([("cold start", "init") if invocation.cold_start else ("warm start", "idle")])
    if invocation.environment:
        items.append([("env ", "dim"), (short(invocation.environment), "text")])
    if len(model.lab.functions) > 1:
        items.append([(clean_line(invocation.function), "text")])
    if invocation.throttle_reason:
        items.append([(clean_line(invocation.throttle_reason), "bad")])
    if invocation.error_type:
        items.append([(clean_line(invocation.error_type), "bad")])
    if invocation.invocation_type != "RequestResponse":
        items.append([(clean_line(invocation.invocation_type), "dim")])
    return items


def _durations(invocation: Invocation) -> list[Line]:
    items: list[Line] = []

    def add(name: str, value: str) -> None:
        items.append([(f"{name} ", "dim"), (value, "text")])

    if invocation.started_at is not None:
        queued = (invocation.started_at - invocation.accepted_at) * 1000 - (invocation.init_duration_ms or 0.0)
        add("queue", milliseconds(max(0.0, queued)))
    if invocation.init_duration_ms is not None:
        add("init", milliseconds(invocation.init_duration_ms))
    if invocation.duration_ms is not None:
        add("duration", f"{invocation.duration_ms:.2f} ms")
    if invocation.billed_duration_ms is not None:
        add("billed", f"{invocation.billed_duration_ms} ms")
    if invocation.max_memory_used_mb is not None:
        add("max memory", f"{invocation.max_memory_used_mb} of {invocation.memory_size_mb} MB")
    return items


def _payload(label: str, text: str, role: str, cells: int) -> list[Line]:
    rows: list[Line] = []
    for line in clean_lines(text):
        for number, piece in enumerate(wrap(line, max(2, cells - _LABEL))):
            head = (f"{label:<{_LABEL}}" if not rows else " " * _LABEL, "dim")
            key = _KEY.match(piece) if number == 0 else None
            end = key.end() if key else 0
            rows.append([span for span in (head, (piece[:end], "key"), (piece[end:], role)) if span[0]])
    return [crop(row, cells) for row in rows]
