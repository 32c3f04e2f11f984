"""Lines of text with roles, before they become colours: what the panels are made of, and easy to test."""

from __future__ import annotations

from collections.abc import Iterable
from itertools import pairwise
from typing import TypeAlias

from rich.cells import cell_len, set_cell_size

from lambdatui.tui.wrapping import break_offsets

Span: TypeAlias = tuple[str, str]
"""A text and its role, one of :data:`ROLES`."""
Line: TypeAlias = list[Span]

ROLES = (
    *("text", "dim", "strong", "key", "button", "good", "warn", "bad", "urgent", "name"),
    *("init", "busy", "idle", "gone", "match", "platform", "tab", "tab-active"),
    *("string", "number", "constant", "chosen"),
    *(f"{part}-{role}" for part in ("bar", "on") for role in ("good", "warn", "bad", "busy", "chosen")),
    *(f"stream-{number}" for number in range(6)),
)
"""What a text is, for the style sheet to colour (as component class `line--<role>`)."""


def width(line: Line) -> int:
    """In cells of the terminal, where a Chinese character takes two."""
    return sum(cell_len(text) for text, _ in line)


def fit(text: str, cells: int, right: bool = False, ellipsis: str = "…") -> str:
    """`text` in exactly that many cells: padded, or cut with an ellipsis."""
    missing = cells - cell_len(text)
    if missing < 0:
        return set_cell_size(text, max(0, cells - 1)) + ellipsis if cells > 0 else ""
    return " " * missing + text if right else text + " " * missing


def crop(line: Line, cells: int) -> Line:
    """`line` in at most that many cells, with an ellipsis where something is cut."""
    if width(line) <= cells:
        return line
    cropped: Line = []
    for text, role in line:
        left = cells - width(cropped)
        if cell_len(text) >= left:
            return [*cropped, (fit(text, left) if cell_len(text) > left else fit(text + " ", left), role)]
        cropped.append((text, role))
    return cropped


def spread(left: Line, right: Line, cells: int) -> Line:
    """`left` at the left margin and `right` at the right one; `left` gives way."""
    left = crop(left, max(0, cells - width(right) - 1))
    return [*left, (" " * max(1, cells - width(left) - width(right)), "text"), *right]


def wrap(text: str, cells: int) -> list[str]:
    """`text` in pieces of at most so many cells, broken between words where that can be."""
    offsets = break_offsets(text, cells)
    return [text[start:end] for start, end in pairwise([0, *offsets, len(text)])]


def flow(items: Iterable[Line], cells: int, gap: str = "  ") -> list[Line]:
    """`items` one after the other, on as many lines as that takes; an item of a single span may need several."""
    lines: list[Line] = []
    for item in items:
        if lines and width(lines[-1]) + len(gap) + width(item) <= cells:
            lines[-1] = [*lines[-1], (gap, "text"), *item]
        elif len(item) == 1:
            lines += [[(piece, item[0][1])] for piece in wrap(item[0][0], cells)]
        else:
            lines.append(crop(item, cells))
    return lines


def plain(line: Line) -> str:
    """Only the text."""
    return "".join(text for text, _ in line)
