"""Where an instant stands on a timeline, in which long times without any event are broken off.

Time is measured in cells, of a terminal or of a picture. It runs evenly, but a time in which nothing happened anywhere
takes no more than :data:`BREAK` cells, however long it was; where it is cut, a timeline says so, and how long it was.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable, Iterator, Sequence
from itertools import accumulate
from math import ceil
from typing import NamedTuple

BREAK = 9
"""Cells."""
SCALES = tuple(
    round(digit * 10.0**power, 3) for power in range(-3, 3) for digit in (1, 2, 5) if digit * 10.0**power <= 600
)
"""Seconds a cell, those that people can reckon with."""
_STEPS = (*SCALES[:10], 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1800, 3600, 7200, 14400, 43200, 86400)
"""Seconds between two ticks."""
_SMALL = 1e-6


class Tick(NamedTuple):
    cell: int
    seconds: float
    """Since the start of the axis."""


class Break(NamedTuple):
    """A time in which nothing happened, from `start` to `end`, in :data:`BREAK` cells from `cell` on."""

    start: float
    end: float
    cell: float


class Axis:
    """Begins with cell 0 at `start`, with so many seconds a cell. `quiet` are the times in which nothing happened."""

    def __init__(self, start: float, scale: float, quiet: Iterable[tuple[float, float]]) -> None:
        self.start, self.scale = start, scale
        longest = BREAK * scale
        cut = [(begin, end) for begin, end in quiet if end - begin > longest and begin >= start]
        saved = [0.0, *accumulate((end - begin) / scale - BREAK for begin, end in cut)]
        self._breaks = [
            Break(begin, end, (begin - start) / scale - before)
            for (begin, end), before in zip(cut, saved, strict=False)
        ]
        self._saved = saved

    def cell(self, time: float) -> float:
        """Where that instant is."""
        number = bisect_right(self._breaks, time, key=lambda each: each.start)
        if number and time < self._breaks[number - 1].end:
            begin, end, cell = self._breaks[number - 1]
            return cell + BREAK * (time - begin) / (end - begin)
        return (time - self.start) / self.scale - self._saved[number]

    def time(self, cell: float) -> float:
        """The instant that is there."""
        number = bisect_right(self._breaks, cell, key=lambda each: each.cell)
        if number and cell < self._breaks[number - 1].cell + BREAK:
            begin, end, first = self._breaks[number - 1]
            return begin + (end - begin) * (cell - first) / BREAK
        return self.start + (cell + self._saved[number]) * self.scale

    def breaks(self, first: float, last: float) -> Sequence[Break]:
        """Those that have a part between the two cells."""
        begin = bisect_right(self._breaks, first - BREAK, key=lambda each: each.cell)
        return self._breaks[begin : bisect_right(self._breaks, last, key=lambda each: each.cell)]

    def ticks(self, first: int, last: int, apart: int) -> Iterator[Tick]:
        """Round instants from cell `first` to before `last`, at least `apart` cells from one another; none in a
        break."""
        step = next((step for step in _STEPS if step >= apart * self.scale), _STEPS[-1])
        begin = first
        for each in self.breaks(first, last):
            yield from self._ticks_between(begin, int(each.cell), step)
            begin = max(begin, ceil(each.cell + BREAK))
        yield from self._ticks_between(begin, last, step)

    def _ticks_between(self, first: int, last: int, step: float) -> Iterator[Tick]:
        number = max(0, ceil((self.time(first) - self.start) / step - _SMALL))
        while (cell := round(self.cell(self.start + number * step))) < last:
            if cell >= first:
                yield Tick(cell, number * step)
            number += 1


def scale_that_fits(start: float, end: float, quiet: Sequence[tuple[float, float]], cells: int, least: float) -> float:
    """The finest of :data:`SCALES`, from `least` on, at which everything from `start` to `end` has room in so many
    cells."""
    fine = (scale for scale in SCALES if scale >= least)
    return next((scale for scale in fine if Axis(start, scale, quiet).cell(end) <= cells), SCALES[-1])


def elapsed(value: float) -> str:
    """250 ms, 1.5 s, 2:05, 1:02:05: as exact as it has to be to tell ticks apart."""
    if value < 0.9995:
        return f"{value * 1000:.0f} ms" if value else "0"
    if value < 60:
        return f"{value:.3f}".rstrip("0").rstrip(".") + " s"
    minutes, rest = divmod(round(value, 3), 60)
    hours, minutes = divmod(int(minutes), 60)
    seconds = f"{rest:06.3f}".rstrip("0").rstrip(".")
    return f"{hours}:{minutes:02}:{seconds}" if hours else f"{minutes}:{seconds}"


def gap(length: float) -> str:
    """The length of a break, in few letters."""
    if length >= 3600:
        return f"{length / 3600:.1f} h" if length < 36000 else f"{length / 3600:.0f} h"
    if 0.1 <= length < 9.95:
        return f"{length:.1f}".removesuffix(".0") + " s"
    return elapsed(round(length, 2 if length < 1 else 0))
