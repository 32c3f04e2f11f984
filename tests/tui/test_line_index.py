"""Wrapping where one looks: the same rows as wrapping everything, at a small part of the cost."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lambdatui.tui import line_index
from lambdatui.tui.line_index import LineIndex
from lambdatui.tui.log_store import LogStore, Origin
from lambdatui.tui.logbook import Log
from lambdatui.tui.record_rows import RecordRows, record_rows
from lambdatui.tui.spans import wrap

ORIGIN = Origin(0.0, False, 0)
WIDTH, HEIGHT = 12, 7


class Growing(Log):
    """All records of a store of its own."""

    def __init__(self, *texts: str) -> None:
        self.store = LogStore()
        super().__init__(self.store)
        self.write(*texts)

    def write(self, *texts: str) -> None:
        first = len(self.store)
        self.store.add(list(texts), ORIGIN)
        self.extend(range(first, len(self.store)))


def wrapped(lines: Log, pattern: re.Pattern[str] | None, width: int) -> list[tuple[int, int]]:
    """All rows, as a line and which of its pieces."""
    return [
        (number, piece)
        for number, text in enumerate(lines.texts)
        if pattern is None or pattern.search(text)
        for piece in range(len(wrap(text, width)))
    ]


class View:
    """What is in sight, as a log view has it."""

    def __init__(self, index: LineIndex) -> None:
        self.index, self.top = index, 0

    def scroll(self, row: int) -> list[tuple[int, int]]:
        self.top = self.index.settle(max(0, min(row, self.index.rows - HEIGHT)), HEIGHT)
        rows = range(self.top, min(self.index.rows, self.top + HEIGHT))
        return [self.index.at(each) for each in rows]


TEXTS = st.lists(st.sampled_from(["", "a", "a word and another", "x" * 40, "逾時 " * 9, "b " * 30]), max_size=8)


@given(
    st.lists(TEXTS, min_size=1, max_size=60),
    st.sampled_from([None, "a", "逾"]),
    st.lists(st.one_of(st.sampled_from([-1, 1, -HEIGHT, HEIGHT]), st.floats(0, 1)), max_size=30),
)
def test_what_is_in_sight_is_what_wrapping_everything_shows(
    batches: list[list[str]], searched: str | None, moves: list[int | float]
) -> None:
    pattern = re.compile(searched) if searched else None
    lines, moves = Growing(), list(moves)
    index = LineIndex(lines, pattern, width=WIDTH)
    view = View(index)
    for batch in batches:
        lines.write(*batch * 9)
        index.scan(60)
        everything = wrapped(lines, pattern, WIDTH)
        if moves:
            move = moves.pop()
            seen = view.scroll(round(move * index.rows) if isinstance(move, float) else view.top + move)
            if seen:
                start = everything.index(seen[0])
                assert seen == everything[start : start + len(seen)]
                assert index.at(index.row_of(seen[0][0])) == (seen[0][0], 0)
    index.settle_end(HEIGHT)
    end = view.scroll(index.rows)
    assert end == everything[len(everything) - len(end) :]
    assert len(end) == min(HEIGHT, len(everything))


def test_scrolling_up_shows_the_row_before_wherever_it_is() -> None:
    lines = Growing(*("b " * 30 for _ in range(1000)))
    index = LineIndex(lines, width=WIDTH)
    everything = wrapped(lines, None, WIDTH)
    index.settle_end(HEIGHT)
    view = View(index)
    seen = view.scroll(index.rows)
    for _ in range(1500):
        before = everything.index(seen[0])
        seen = view.scroll(view.top - 1)
        assert seen[0] == everything[before - 1]


def test_a_width_costs_no_more_in_a_long_log(monkeypatch: pytest.MonkeyPatch) -> None:
    measured: list[str] = []

    def counted(text: str, width: int | None, at_most: int | None) -> RecordRows:
        measured.append(text)
        return record_rows(text, width, at_most)

    monkeypatch.setattr(line_index, "record_rows", counted)
    index = LineIndex(Growing(*(f"line {number} and more" for number in range(200_000))), re.compile("1"), width=WIDTH)
    while index.scan(0.01):
        pass
    for only_matches, width in ((True, 20), (False, 30), (False, 9)):
        index.show(only_matches, width)
        index.settle_end(HEIGHT)
        index.settle(index.rows // 2, HEIGHT)
    assert len(measured) < 3 * 1000
    assert len(index.matches) == sum("1" in text for text in index.lines.texts)
