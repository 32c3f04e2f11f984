"""Two invocations compared: their figures, and the lines in which event, result and log differ."""

from __future__ import annotations

import re
from collections.abc import Callable
from difflib import SequenceMatcher
from typing import TypeAlias

from lambdatui.lab import Invocation
from lambdatui.tui.duration_bar import bar, parts
from lambdatui.tui.glyphs import ASCII, invocation_state
from lambdatui.tui.invocation_rows import LABEL, came_by, label, target
from lambdatui.tui.json_lines import wrapped
from lambdatui.tui.model import Model
from lambdatui.tui.sanitise import clean_lines
from lambdatui.tui.spans import Line, Span, fit
from lambdatui.tui.wording import clock_time, pretty, short

_SIDE_BY_SIDE = 96
"""Cells from which on the two stand beside each other."""
_MAX_LINES = 400
"""Of each text: finding differences takes a time that grows with the square of it."""
_VALUE = 15
_MAX_BAR = 60
_PASSING = re.compile(
    r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}"
    r"|\d{4}-\d\d-\d\d[T ]\d\d:\d\d:\d\d[.,\d]*Z?|\d+(?:\.\d+)? (?:ms|MB)\b"
)
"""What differs in the log of any two invocations: ids, instants and figures of the REPORT line."""

Pair: TypeAlias = tuple[str | None, str | None, bool]
"""A line of the first, one of the second, and whether they are taken for the same."""


def comparison_rows(first: Invocation, second: Invocation, model: Model, cells: int) -> list[Line]:
    """Side by side, or where there is little room one below the other."""
    rows, both = _figures(first, second, model, cells), (first, second)
    between = " | " if model.glyphs is ASCII else " │ "
    for name, one, other in (("event", first.event, second.event), ("result", first.payload, second.payload)):
        rows += [[], *_section(name, paired(_lines(one), _lines(other)), cells, both, between)]
    log, other_log = (model.logbook.of_request(each.request_id).texts for each in (first, second))
    pairs = paired(log, other_log, lambda text: _PASSING.sub("", text.replace(first.request_id, second.request_id)))
    return [*rows, [], *_section("log", pairs, cells, both, between)]


def _lines(payload: str | None) -> list[str]:
    return [] if payload is None else clean_lines(pretty(payload))


def paired(first: list[str], second: list[str], seen_as: Callable[[str], str] = str) -> list[Pair]:
    """The lines of both, with those beside each other that are the same when `seen_as` the comparison sees them."""
    first, second = first[:_MAX_LINES], second[:_MAX_LINES]
    matcher = SequenceMatcher(None, [seen_as(each) for each in first], [seen_as(each) for each in second], False)
    pairs: list[Pair] = []
    for kind, start, end, other_start, other_end in matcher.get_opcodes():
        left, right = first[start:end], second[other_start:other_end]
        for number in range(max(len(left), len(right))):
            one = left[number] if number < len(left) else None
            other = right[number] if number < len(right) else None
            pairs.append((one, other, kind == "equal"))
    return pairs


# -- figures ----------------------------------------------------------------------------------------------------------


def _figures(first: Invocation, second: Invocation, model: Model, cells: int) -> list[Line]:
    both = first, second
    states = [invocation_state(each, model.glyphs) for each in both]
    rows: list[Line] = [
        _figure("", [(f"#{each.number}", "strong") for each in both], f"#{second.number} less #{first.number}"),
        _figure("status", [(f"{glyph} {word}", role) for glyph, (word, role) in states]),
        _figure("start", [_start(each) for each in both]),
        *_durations(first, second, model),
        _measured("billed", first.billed_duration_ms, second.billed_duration_ms, "ms", 0),
        _measured("memory", first.max_memory_used_mb, second.max_memory_used_mb, "MB", 0),
        _figure("env", [(short(each.environment or "", 8), "text") for each in both]),
        _figure("of", [(target(each), "text") for each in both]),
        _figure("who", [(came_by(each, model, brief=True), "text") for each in both]),
        _figure("at", [(clock_time(each.accepted_at, milliseconds=True), "text") for each in both]),
    ]
    return [*rows, [], *_bars(first, second, model, cells)]


def _figure(name: str, values: list[Span], difference: str = "") -> Line:
    return [label(name), *((f"{fit(text, _VALUE)}  ", role) for text, role in values), (difference, "dim")]


def _start(invocation: Invocation) -> Span:
    if invocation.cold_start is None:
        return "", "dim"
    return ("cold", "init") if invocation.cold_start else ("warm", "idle")


def _durations(first: Invocation, second: Invocation, model: Model) -> list[Line]:
    took = [{part.word: part.ms for part in parts(each, model)} for each in (first, second)]
    words = ("waiting", "init", "first byte", "streaming", "invoke", "invoke so far")
    return [
        _measured(word.removesuffix(" so far").replace("first byte", "byte 1"), took[0].get(word), took[1].get(word))
        for word in words
        if any(word in each for each in took)
    ]


def _measured(name: str, first: float | None, second: float | None, unit: str = "ms", digits: int = 2) -> Line:
    values: list[Span] = [("" if each is None else f"{each:.{digits}f} {unit}", "text") for each in (first, second)]
    difference = ""
    if first is not None and second is not None and first != second:
        difference = f"{second - first:+.{digits}f} {unit}"
    return _figure(name, values, difference)


def _bars(first: Invocation, second: Invocation, model: Model, cells: int) -> list[Line]:
    """Both on one scale."""
    both = [parts(each, model) for each in (first, second)]
    wholes = [sum(part.ms for part in each if part.word not in ("first byte", "streaming")) for each in both]
    room = min(_MAX_BAR, cells - LABEL - 8)
    rows: list[Line] = []
    for invocation, of, whole in zip((first, second), both, wholes, strict=True):
        drawn = bar(of, max(len(of), round(room * whole / max(wholes)))) if max(wholes) > 0 else []
        rows.append([label("" if rows else "took"), (f"{f'#{invocation.number}':<6}", "strong"), *drawn])
    return rows


# -- texts ------------------------------------------------------------------------------------------------------------


def _section(name: str, pairs: list[Pair], cells: int, both: tuple[Invocation, Invocation], between: str) -> list[Line]:
    if not pairs:
        return [[label(name), ("none", "dim")]]
    if all(same and one == other for one, other, same in pairs):
        rows: list[Line] = [[label(name), ("the same", "good")]]
        return [*rows, *_one_below_the_other(pairs, cells)]
    differing = sum(not same for _, _, same in pairs)
    told = f"{differing} of {len(pairs)} lines differ" if differing else "the same but for ids, times and figures"
    rows = [[label(name), (told, "warn" if differing else "good")]]
    if cells >= _SIDE_BY_SIDE:
        return [*rows, *_side_by_side(pairs, cells, between)]
    signs: Line = [("- ", "bad"), (f"#{both[0].number}  ", "dim"), ("+ ", "good"), (f"#{both[1].number}", "dim")]
    return [[*rows[0], ("  ", "text"), *(signs if differing else [])], *_one_below_the_other(pairs, cells)]


def _side_by_side(pairs: list[Pair], cells: int, between: str) -> list[Line]:
    size = (cells - 3) // 2
    rows: list[Line] = []
    for one, other, same in pairs:
        left = _pieces(one, "  " if same or one is None else "- ", "text" if same else "bad", size)
        right = _pieces(other, "  " if same or other is None else "+ ", "text" if same else "good", size)
        for number in range(max(len(left), len(right))):
            beside = left[number] if number < len(left) else ("", "text")
            row: Line = [(fit(beside[0], size), beside[1]), (between, "dim")]
            rows.append([*row, right[number]] if number < len(right) else row)
    return rows


def _one_below_the_other(pairs: list[Pair], cells: int) -> list[Line]:
    rows: list[Line] = []
    held: list[Line] = []
    for one, other, same in pairs:
        if same:
            rows += [*held, *([span] for span in _pieces(other, "  ", "text", cells))]
            held = []
        else:
            rows += [[span] for span in _pieces(one, "- ", "bad", cells)]
            held += [[span] for span in _pieces(other, "+ ", "good", cells)]
    return [*rows, *held]


def _pieces(text: str | None, sign: str, role: str, cells: int) -> list[Span]:
    """A line of text behind its sign, on as many lines as that takes."""
    if text is None:
        return []
    pieces = [row[0][0] for row in wrapped([(text, role)], cells - 2) if row] or [""]
    return [((sign if number == 0 else "  ") + piece, role) for number, piece in enumerate(pieces)]
