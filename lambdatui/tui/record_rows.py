"""The rows of one log record: wrapped or cut, folded when there are many, pretty when it is JSON and unfolded.

However long a record is, only its beginning is looked at.
"""

from __future__ import annotations

import json
from typing import NamedTuple

from lambdatui.tui.sanitise import MAX_LINE
from lambdatui.tui.spans import wrap
from lambdatui.tui.wording import MAX_SHOWN_CHARACTERS, plural, pretty


class RecordRows(NamedTuple):
    """`note` is the last row: what is not shown; '' where all is."""

    texts: list[str]
    note: str

    @property
    def height(self) -> int:
        return len(self.texts) + bool(self.note)

    def row(self, piece: int) -> str:
        return self.texts[piece] if piece < len(self.texts) else self.note


def record_rows(text: str, cells: int | None, at_most: int | None = None) -> RecordRows:
    """`text` wrapped at so many cells, or each of its lines on a row of its own; in `at_most` rows."""
    if "\n" not in text and len(text) <= (MAX_LINE if cells is None else cells):
        return RecordRows([text], "")
    shown = MAX_SHOWN_CHARACTERS if at_most is None else 4 * at_most * (cells or MAX_LINE)
    rows, ends = _rows(text[:shown], cells, at_most)
    if len(text) <= shown and (at_most is None or len(rows) <= at_most):
        return RecordRows(rows, "")
    if at_most is None:
        return RecordRows(rows, f"[{plural(len(text) - shown, 'more character')}]")
    rows = rows[: at_most - 1]
    return RecordRows(rows, f"[{_rest(text, ends[len(rows) - 1])}: v unfolds]")


def _rows(text: str, cells: int | None, at_most: int | None) -> tuple[list[str], list[int]]:
    """The rows, one more than `at_most` is enough, and where each ends in the text."""
    rows: list[str] = []
    ends: list[int] = []
    end = 0
    for line in text.split("\n"):
        pieces = [line] if cells is None and len(line) <= MAX_LINE else _pieces(line, cells)
        for piece in pieces:
            end += len(piece)
            rows.append(piece)
            ends.append(end)
        end += 1
        if at_most is not None and len(rows) > at_most:
            break
    return rows, ends


def _pieces(line: str, cells: int | None) -> list[str]:
    if cells is not None:
        return wrap(line, cells)
    return [line[start : start + MAX_LINE] for start in range(0, len(line), MAX_LINE)]


def _rest(text: str, end: int) -> str:
    lines = text.count("\n", end)
    return plural(lines, "more line") if lines else plural(len(text) - end, "more character")


def pretty_record(text: str) -> str:
    """A record that is JSON, or ends in a JSON object, on many lines; others as they are."""
    for start in (0, text.find("{")):
        if text[start : start + 1] in ("{", "[") and len(text) <= MAX_SHOWN_CHARACTERS:
            try:
                json.loads(text[start:])
            except (ValueError, RecursionError):
                continue
            before = text[:start].rstrip()
            return f"{before}\n{pretty(text[start:])}" if before else pretty(text)
    return text
