"""Instants on an axis that shortens what is quiet."""

from __future__ import annotations

from itertools import accumulate, pairwise

from hypothesis import given
from hypothesis import strategies as st

from lambdatui.time_axis import BREAK, SCALES, Axis, scale_that_fits

GAPS = st.lists(st.tuples(st.floats(0.01, 100), st.floats(0.01, 1000)), max_size=10).map(
    lambda pairs: list(pairwise(accumulate((length for pair in pairs for length in pair), initial=1000.0)))[1::2]
)
"""Quiet times, with others before and after each."""
AXES = st.builds(Axis, st.just(1000.0), st.sampled_from(SCALES), GAPS)


@given(AXES, st.floats(1000, 9000), st.floats(1000, 9000))
def test_time_goes_to_the_right(axis: Axis, one: float, other: float) -> None:
    first, second = sorted((one, other))
    assert axis.cell(first) <= axis.cell(second) + 1e-6


@given(AXES, st.floats(1000, 9000))
def test_cells_and_instants_belong_together(axis: Axis, time: float) -> None:
    assert abs(axis.time(axis.cell(time)) - time) < 1e-5


@given(AXES)
def test_a_break_has_its_cells_and_tells_its_length(axis: Axis) -> None:
    for each in axis.breaks(0, 10**9):
        assert abs(axis.cell(each.end) - axis.cell(each.start) - BREAK) < 1e-6
        assert each.end - each.start > BREAK * axis.scale


@given(AXES, st.integers(0, 400))
def test_ticks_are_round_apart_and_never_in_a_break(axis: Axis, first: int) -> None:
    ticks = list(axis.ticks(first, first + 120, 10))
    inside = [(each.cell, each.cell + BREAK) for each in axis.breaks(first, first + 120)]
    for tick in ticks:
        assert first <= tick.cell < first + 120
        assert tick.cell == round(axis.cell(1000.0 + tick.seconds))
        assert not any(start + 1 < tick.cell < end - 1 for start, end in inside)
    for one, other in pairwise(ticks):
        assert other.cell - one.cell >= min(9, BREAK - 1)


@given(GAPS, st.floats(0.1, 5000), st.integers(20, 200))
def test_what_fits_fits(quiet: list[tuple[float, float]], length: float, cells: int) -> None:
    scale = scale_that_fits(1000.0, 1000.0 + length, quiet, cells, 0.0)
    assert scale == SCALES[-1] or Axis(1000.0, scale, quiet).cell(1000.0 + length) <= cells


def test_ticks_of_three_seconds() -> None:
    axis = Axis(0.0, 0.05, [(2.0, 60.0)])
    assert [(tick.cell, tick.seconds) for tick in axis.ticks(0, 75, 10)] == [
        *((0, 0.0), (10, 0.5), (20, 1.0), (30, 1.5)),
        *((49, 60.0), (59, 60.5), (69, 61.0)),
    ]
