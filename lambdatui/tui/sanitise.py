"""The one gate for foreign text: what handlers print and return, errors, file names, texts of an experiment.

A terminal obeys control characters, so a handler's output could retitle the window, clear the screen or write the
clipboard. Here C0 (but tab and newline), DEL, C1, the characters that reorder or hide text (bidirectional controls)
and lone surrogates, which no terminal can be sent, are taken out. Colour sequences go whole, because what would be
left of them is noise; of every other sequence the harmless rest stays to be seen.
"""

from __future__ import annotations

import re
from typing import Final

MAX_LINE: Final = 2000
"""Longer lines are continued on the next one, so that drawing a line stays cheap however long it is."""

_COLOUR = re.compile("(?:\x1b\\[|\x9b)[0-9;:]*m")
_FORBIDDEN = re.compile(
    "[\x00-\x08\x0b-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028\u2029\u202a-\u202e\u2066-\u2069\ufff9-\ufffb]"
)
_SURROGATE = re.compile("[\ud800-\udfff]")
_TAB_SIZE = 4


def clean(text: str) -> str:
    """`text` with nothing in it that a terminal would obey. Newlines and tabs stay."""
    if text.isprintable():
        return text
    text = _COLOUR.sub("", text.replace("\r\n", "\n"))
    return _SURROGATE.sub("\ufffd", _FORBIDDEN.sub("", text))


def clean_lines(text: str, max_line: int = MAX_LINE) -> list[str]:
    """`text` as lines to draw: clean, without newlines and tabs, none longer than `max_line`; at least one."""
    if len(text) <= max_line and text.isprintable():
        return [text]
    lines = [line.expandtabs(_TAB_SIZE) for line in clean(text).split("\n")]
    return [piece for line in lines for piece in _pieces(line, max_line)]


def clean_line(text: str) -> str:
    """`text` on a single line."""
    return " ".join(clean(text).split())


def _pieces(line: str, size: int) -> list[str]:
    return [line[start : start + size] for start in range(0, len(line), size)] or [""]
