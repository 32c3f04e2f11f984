"""The columns of the table of invocations: what each says, how wide it is, and in which order it sorts."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeAlias

from lambdatui.lab import Invocation
from lambdatui.tui.glyphs import invocation_state
from lambdatui.tui.invocation_rows import came_by, target
from lambdatui.tui.model import Model
from lambdatui.tui.spans import Line, Span, fit
from lambdatui.tui.wording import clock_time, short

Order: TypeAlias = float | str
MARK = 2
"""Cells before the first column, for the mark."""
_GAP = 2
_WHO = 60
"""Cells that who invoked may take, where there are so many."""


@dataclass(frozen=True)
class Column:
    """`rank`: the lowest are there where room is scarce. `order` is None where there is nothing to sort by yet: such
    rows are the last in either direction."""

    name: str
    size: int
    rank: int
    span: Callable[[Invocation, Model], Span]
    order: Callable[[Invocation, Model], Order | None]
    right: bool = False


def _milliseconds(value: float | None) -> Span:
    """In figures that stand below each other."""
    if value is None:
        return "", "text"
    return (f"{value:.1f} ms" if value < 99_999 else f"{value / 1000:.0f} s"), "text"


def _status(invocation: Invocation, model: Model) -> Span:
    glyph, (word, role) = invocation_state(invocation, model.glyphs)
    return f"{glyph} {word}", role


def _start(invocation: Invocation, _: Model) -> Span:
    if invocation.cold_start is None:
        return "", "dim"
    return ("cold", "init") if invocation.cold_start else ("warm", "idle")


def _memory(invocation: Invocation, _: Model) -> Span:
    used = invocation.max_memory_used_mb
    return ("" if used is None else f"{used} MB"), "text"


def _billed(invocation: Invocation, _: Model) -> Span:
    return ("" if invocation.billed_duration_ms is None else f"{invocation.billed_duration_ms} ms"), "text"


COLUMNS = (
    Column("#", 5, 0, lambda i, m: (str(i.number), "dim"), lambda i, m: i.number, right=True),
    Column("time", 8, 6, lambda i, m: (clock_time(i.accepted_at), "dim"), lambda i, m: i.accepted_at),
    Column("function", 10, 4, lambda i, m: (target(i), "text"), lambda i, m: target(i)),
    Column("status", 11, 1, _status, lambda i, m: _status(i, m)[0]),
    Column("start", 5, 2, _start, lambda i, m: _start(i, m)[0] or None),
    Column("duration", 10, 3, lambda i, m: _milliseconds(i.duration_ms), lambda i, m: i.duration_ms, right=True),
    Column("init", 9, 5, lambda i, m: _milliseconds(i.init_duration_ms), lambda i, m: i.init_duration_ms, right=True),
    Column("billed", 8, 9, _billed, lambda i, m: i.billed_duration_ms, right=True),
    Column("memory", 7, 8, _memory, lambda i, m: i.max_memory_used_mb, right=True),
    Column("env", 6, 7, lambda i, m: (short(i.environment or ""), "text"), lambda i, m: i.environment),
    Column("who", 12, 10, lambda i, m: (came_by(i, m), "dim"), lambda i, m: came_by(i, m)),
)


def columns_that_fit(cells: int, longest: int) -> list[tuple[Column, int]]:
    """The columns for that width, in their order, each with its cells. `longest` is what the name of a function takes,
    which grows first."""
    shown: set[str] = set()
    left = cells - MARK
    for column in sorted(COLUMNS, key=lambda each: each.rank):
        if column.size + _GAP > left:
            break
        shown.add(column.name)
        left -= column.size + _GAP
    columns: list[tuple[Column, int]] = []
    for column in (each for each in COLUMNS if each.name in shown):
        wanted = {"function": longest, "who": _WHO}.get(column.name, column.size)
        more = max(0, min(left, wanted - column.size))
        left -= more
        columns.append((column, column.size + more))
    return columns


def head_row(columns: list[tuple[Column, int]], sorted_by: str, arrow: str) -> Line:
    """The names of the columns; an arrow beside the one that the rows are in the order of."""
    row: Line = [(" " * MARK, "dim")]
    for column, cells in columns:
        mine = column.name == sorted_by
        text = f"{arrow}{column.name}" if mine and column.right else f"{column.name}{arrow}" if mine else column.name
        row += [(fit(text, cells, right=column.right), "key" if mine else "dim"), (" " * _GAP, "text")]
    return row


def invocation_row(invocation: Invocation, model: Model, columns: list[tuple[Column, int]], marked: bool) -> Line:
    """One row; `marked` is the one that others are compared with."""
    row: Line = [(f"{model.glyphs.pointer} " if marked else " " * MARK, "key")]
    ellipsis = model.glyphs.ellipsis
    for column, cells in columns:
        text, role = column.span(invocation, model)
        row += [(fit(text, cells, right=column.right, ellipsis=ellipsis), role), (" " * _GAP, "text")]
    return row


def column_at(columns: list[tuple[Column, int]], cell: int) -> str | None:
    """The name of the column that is at that cell of a row."""
    start = MARK
    for column, cells in columns:
        if start <= cell < start + cells + _GAP:
            return column.name
        start += cells + _GAP
    return None
