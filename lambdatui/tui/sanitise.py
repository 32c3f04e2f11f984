"""The one gate for foreign text: what handlers print and return, errors, file names, texts of an experiment.

A terminal obeys control characters, so a handler's output could retitle the window, clear the screen or write the
clipboard. Here C0 (but tab and newline), DEL, C1, the characters that reorder or hide text (bidirectional controls)
and lone surrogates, which no terminal can be sent, are taken out. Colour sequences go whole, because what would be
left of them is noise; of every other sequence the harmless rest stays to be seen. What has no width, or joins
characters into signs whose width terminals do not agree on, goes too, and so do heaps of accents: a row that is
wider than we think would push the frame aside.
"""

from __future__ import annotations

import re
from typing import Final
from unicodedata import normalize

MAX_LINE: Final = 2000
"""Longer lines are continued on the next one, so that drawing a line stays cheap however long it is."""

_COLOUR = re.compile("(?:\x1b\\[|\x9b)[0-9;:]*m")
_FORBIDDEN = re.compile(
    "[\x00-\x08\x0b-\x1f\x7f-\x9f\xad\u061c\u180e\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufe00-\ufe0f\ufeff"
    "\ufff9-\ufffb\U0001f3fb-\U0001f3ff\U000e0000-\U000e0fff]"
)
_ACCENT = "[\u0300-\u036f\u0483-\u0489\u0591-\u05bd\u064b-\u065f\u1ab0-\u1aff\u1dc0-\u1dff\u20d0-\u20ff\ufe20-\ufe2f]"
_ACCENTS = re.compile(f"^{_ACCENT}+|({_ACCENT}){_ACCENT}+", re.MULTILINE)
_FLAGS = {0x1F1E6 + number: chr(ord("A") + number) for number in range(26)}
"""Letters that pair up to flags, in some terminals."""
_SURROGATE = re.compile("[\ud800-\udfff]")
_TAB_SIZE = 4


def clean(text: str) -> str:
    """`text` with nothing in it that a terminal would obey. Newlines and tabs stay. A carriage return is a newline, as
    awslambdaric means it in its warnings."""
    if text.isascii() and text.isprintable():
        return text
    text = _FORBIDDEN.sub("", _COLOUR.sub("", text.replace("\r\n", "\n").replace("\r", "\n")))
    if text.isascii():
        return text
    return _ACCENTS.sub(r"\1", normalize("NFC", _SURROGATE.sub("\ufffd", text.translate(_FLAGS))))


def clean_lines(text: str, max_line: int = MAX_LINE) -> list[str]:
    """`text` as lines to draw: clean, without newlines and tabs, none longer than `max_line`; at least one."""
    if len(text) <= max_line and text.isascii() and text.isprintable():
        return [text]
    lines = [line.expandtabs(_TAB_SIZE) for line in clean(text).split("\n")]
    return [piece for line in lines for piece in _pieces(line, max_line)]


def clean_record(text: str) -> str:
    """`text` as a log keeps it: clean and without tabs, its lines as they are."""
    if text.isascii() and text.isprintable():
        return text
    return clean(text).expandtabs(_TAB_SIZE)


def clean_line(text: str) -> str:
    """`text` on a single line."""
    return " ".join(clean(text).split())


def _pieces(line: str, size: int) -> list[str]:
    return [line[start : start + size] for start in range(0, len(line), size)] or [""]
