"""Where lines break: between words, and in Chinese and Japanese between characters, which have no spaces.

Textual breaks at spaces only, so a Chinese sentence would start on a line of its own and tear wherever it ends. Closing
signs never begin a line and opening ones never end it.
"""

from __future__ import annotations

import re
from typing import Final

import textual.content
from rich._wrap import divide_line as _divide_at_spaces
from rich.cells import cell_len, get_character_cell_size

_OPENING = "（〔［｛〈《「『【〖"
_CLOSING = "，。、；：！？）〕］｝〉》」』】〗…・ー"
_IDEOGRAPHS = "\u2e80-\u2fdf\u3005-\u3007\u3021-\u3029\u3040-\u30ff\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff"
_CJK: Final = f"{_IDEOGRAPHS}\u3000-\u303f\uff00-\uffef"
_UNIT = re.compile(
    rf"[{_OPENING}]*(?:[{_IDEOGRAPHS}]|[^\s{_OPENING}{_CLOSING}{_IDEOGRAPHS}]+)?[{_CLOSING}]*\s*",
)
_SOFT_BREAK = re.compile(rf"(?<=[{_CJK}])\n[ ]*(?=[{_CJK}])")
_FENCE = re.compile(r"(^ *```.*?^ *```)", re.MULTILINE | re.DOTALL)


def break_offsets(text: str, cells: int) -> list[int]:
    """Indexes at which `text` breaks into pieces of at most so many cells. A word that is wider than that is cut."""
    if cells < 2:
        return []
    return _ascii_offsets(text, cells) if text.isascii() else _wide_offsets(text, cells)


def _ascii_offsets(text: str, cells: int) -> list[int]:
    offsets: list[int] = []
    start, size = 0, len(text)
    while size - start > cells:
        cut = text.rfind(" ", start + 1, start + cells + 1) + 1
        if cut:
            end = text.find(" ", start + cells)
            cut = start + cells if (size if end < 0 else end) - cut > cells else cut
        start = cut or start + cells
        offsets.append(start)
    return offsets


def _wide_offsets(text: str, cells: int) -> list[int]:
    offsets: list[int] = []
    used = 0
    for match in _UNIT.finditer(text):
        unit = match.group()
        visible = cell_len(unit.rstrip())
        if visible > cells:
            used = _fold(unit, match.start(), used, cells, offsets)
            continue
        if used + visible > cells and match.start():
            offsets.append(match.start())
            used = 0
        used += cell_len(unit)
    return offsets


def _fold(unit: str, start: int, used: int, cells: int, offsets: list[int]) -> int:
    """Cut a unit that is too wide for any line; the cells it takes of the last one."""
    for number, character in enumerate(unit):
        size = get_character_cell_size(character)
        if used + size > cells and not character.isspace():
            offsets.append(start + number)
            used = 0
        used += size
    return used


def joined(markdown: str) -> str:
    """`markdown` without the line breaks inside of Chinese sentences, which would be shown as spaces."""
    parts = _FENCE.split(markdown)
    return "".join(part if number % 2 else _SOFT_BREAK.sub("", part) for number, part in enumerate(parts))


def _divide_line(text: str, width: int, fold: bool = True) -> list[int]:
    if text.isascii() or not fold:
        return _divide_at_spaces(text, width, fold)
    return break_offsets(text, width)


def install() -> None:
    """Have all of Textual's texts break so."""
    textual.content.divide_line = _divide_line  # type: ignore[attr-defined]
