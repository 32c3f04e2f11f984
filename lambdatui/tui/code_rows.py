"""A file of a function's code as rows: what it says now, and between that what an edit took away."""

from __future__ import annotations

from collections.abc import Sequence
from difflib import SequenceMatcher
from typing import NamedTuple


class CodeRow(NamedTuple):
    """`mark` is '+' for a line that is new, '-' for one that has gone and has no `number` any more."""

    mark: str
    number: int | None
    text: str


def code_rows(before: Sequence[str] | None, now: Sequence[str]) -> list[CodeRow]:
    """The lines of a file against those of the time before; None: it was not there, or nothing has changed since."""
    if before is None:
        return [CodeRow(" ", number, text) for number, text in enumerate(now, 1)]
    rows: list[CodeRow] = []
    for kind, first, last, start, end in SequenceMatcher(None, before, now, autojunk=False).get_opcodes():
        if kind != "equal":
            rows += [CodeRow("-", None, text) for text in before[first:last]]
        mark = " " if kind == "equal" else "+"
        rows += [CodeRow(mark, number, now[number - 1]) for number in range(start + 1, end + 1)]
    return rows
