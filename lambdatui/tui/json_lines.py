"""JSON as lines of spans: pretty, with names, texts, numbers and constants each in a role of their own."""

from __future__ import annotations

import re
from functools import lru_cache

from lambdatui.tui.sanitise import clean_lines
from lambdatui.tui.spans import Line, wrap
from lambdatui.tui.wording import pretty

_TOKEN = re.compile(
    r'(?P<name>"(?:[^"\\]|\\.)*")(?=\s*:)'
    r'|(?P<string>"(?:[^"\\]|\\.)*")'
    r"|(?P<number>-?\d+(?:\.\d+)?(?:[eE][+-]?\d+)?\b)"
    r"|(?P<constant>\b(?:true|false|null|NaN|Infinity)\b)"
)
_KEPT = 32
"""Texts whose lines are kept: those in sight, while countdowns beside them are drawn anew."""


def highlighted(line: str) -> Line:
    """A line of pretty JSON in its roles. Punctuation is dim; so no bracket is louder than what it encloses."""
    row: Line = []
    end = 0
    for match in _TOKEN.finditer(line):
        row += [(line[end : match.start()], "dim"), (match.group(), match.lastgroup or "text")]
        end = match.end()
    row.append((line[end:], "dim"))
    return [span for span in row if span[0]]


@lru_cache(_KEPT)
def json_lines(payload: str, cells: int, indent: int | None = 2) -> list[Line]:
    """`payload` on as many lines as it takes, each of at most so many cells; in one piece where `indent` is None. What
    is no JSON is shown as it is."""
    text = pretty(payload, indent)
    is_json = text != payload or payload.lstrip()[:1] in tuple('{["-0123456789tfn')
    lines: list[Line] = []
    for line in clean_lines(text):
        lines += wrapped(highlighted(line) if is_json else [(line, "text")], cells)
    return lines


def wrapped(line: Line, cells: int) -> list[Line]:
    """`line` broken between words into pieces of at most so many cells."""
    pieces = wrap("".join(text for text, _ in line), max(2, cells))
    if len(pieces) == 1:
        return [line]
    rows: list[Line] = []
    spans = iter(line)
    text, role = next(spans)
    for piece in pieces:
        row: Line = []
        missing = len(piece)
        while missing:
            if not text:
                text, role = next(spans)
            part, text = text[:missing], text[missing:]
            row.append((part, role))
            missing -= len(part)
        rows.append(row)
    return rows
