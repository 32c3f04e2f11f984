"""The table's order is that of a sort of all that match, whatever happened in whichever order."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from lambdatui.lab import Invocation
from lambdatui.tui.invocation_index import InvocationIndex

COLUMNS: dict[str, Callable[[Invocation], float | str | None]] = {
    "number": lambda each: each.number,
    "duration": lambda each: each.duration_ms,
    "status": lambda each: each.status,
}
PATTERNS = (None, re.compile("succeeded"), re.compile("failed|running"), re.compile("nothing at all"))


def invocation(number: int) -> Invocation:
    return Invocation(f"r{number}", "F", "$LATEST", "RequestResponse", "{}", None, float(number), number)


changes = st.lists(
    st.one_of(
        st.tuples(st.just("new"), st.none()),
        st.tuples(st.just("took"), st.tuples(st.integers(0, 20), st.none() | st.floats(0, 100))),
        st.tuples(st.just("ended"), st.tuples(st.integers(0, 20), st.sampled_from(["running", "succeeded", "failed"]))),
        st.tuples(st.just("sort"), st.tuples(st.sampled_from([*COLUMNS]), st.booleans())),
        st.tuples(st.just("filter"), st.sampled_from(PATTERNS)),
        st.tuples(st.just("scan"), st.none()),
        st.tuples(st.just("cleared"), st.none()),
    )
)


@given(changes)
def test_it_is_sorted_and_filtered_as_all_of_them_would_be(changes: list[tuple[str, Any]]) -> None:
    invocations: dict[str, Invocation] = {}
    index = InvocationIndex(lambda: invocations, COLUMNS["number"], lambda each: each.status)
    column, descending = "number", False
    pattern: re.Pattern[str] | None = None
    for change, value in changes:
        match change, value:
            case "new", _:
                made = invocation(len(invocations) + 1)
                invocations[made.request_id] = made
                index.touch([made.request_id])
            case (("took" | "ended"), (at, what)) if invocations:
                changed = [*invocations.values()][at % len(invocations)]
                setattr(changed, "duration_ms" if change == "took" else "status", what)
                index.touch([changed.request_id])
            case "sort", (column, descending):
                index.sort_by(COLUMNS[column], descending)
            case "filter", pattern:
                index.filter_by(pattern)
            case "scan", _:
                index.scan(60)
            case "cleared", _:
                invocations.clear()
                index.look_again()
    assert not index.scan(60)
    order = COLUMNS[column]
    matching = [each for each in invocations.values() if pattern is None or pattern.search(each.status)]
    known = [each for each in matching if order(each) is not None]
    unknown = [each for each in matching if order(each) is None]
    known.sort(key=lambda each: (order(each) or 0.0, each.number), reverse=descending)
    unknown.sort(key=lambda each: each.number, reverse=descending)
    expected = [each.request_id for each in (*known, *unknown)]
    assert [index[row] for row in range(len(index))] == expected
    assert [index.row_of(request_id) for request_id in expected] == [*range(len(expected))]
    assert index.row_of("another") is None


def test_a_slice_of_no_time_leaves_the_rest_for_later() -> None:
    invocations = {each.request_id: each for each in map(invocation, range(1, 1001))}
    index = InvocationIndex(lambda: invocations, COLUMNS["number"], lambda each: each.status)
    index.look_again()
    assert index.scan(0.0) and len(index) == 0
    while index.scan(1e-6):
        assert 0 < len(index) < 1000
    assert len(index) == 1000
