"""What is told of measurements, and when they are made."""

from __future__ import annotations

import itertools

from hypothesis import given
from hypothesis import strategies as st

from lambdatui.sandbox.gauges import TELL_EVERY, Gauges, Use


def test_only_what_has_changed_is_told() -> None:
    told: list[Use] = []
    tmp: list[int | None] = [0]
    gauges = Gauges(lambda: tmp[0], told.append)
    gauges.begin(10.0, 5.0)
    gauges.take(11.0, 40 * 1024, 5.5)
    gauges.take(12.0, 40.9 * 1024, 6.02)
    assert told == [Use(40, 50, 0)], "a little more memory and CPU than before is nothing new"
    gauges.take(13.0, 42 * 1024, 6.52)
    tmp[0] = 3
    gauges.take(14.0, 42 * 1024, 7.02)
    tmp[0] = None
    gauges.take(15.0, 42 * 1024, 7.02)
    assert told[1:] == [Use(42, 50, 0), Use(42, 50, 3), Use(42, 0, None)]


def test_work_ends_with_a_measurement_unless_it_was_short_and_one_is_fresh() -> None:
    gauges = Gauges(lambda: 0, lambda use: None)
    gauges.begin(0.0, 0.0)
    assert not gauges.due(0.1) and gauges.last_due(0.1), "nothing is known yet"
    gauges.take(0.1, 1, 0.0)
    gauges.begin(0.2, 0.0)
    assert not gauges.last_due(0.21)
    assert gauges.due(0.2 + TELL_EVERY)
    gauges.take(0.8, 1, 0.0)
    assert not gauges.due(0.9) and gauges.last_due(0.9), "it has changed since, perhaps"


@given(st.lists(st.tuples(st.floats(0.001, 0.2), st.booleans()), max_size=200))
def test_however_often_it_is_invoked_no_more_than_two_a_second_are_made(work: list[tuple[float, bool]]) -> None:
    """Work of at most 0.2 s, one after the other: measured when it is due, or at its end."""
    gauges = Gauges(lambda: 0, lambda use: None)
    now, taken = 0.0, []
    for length, looked_at in work:
        gauges.begin(now, 0.0)
        now += length
        if gauges.last_due(now) if looked_at else gauges.due(now):
            gauges.take(now, 1, 0.0)
            taken.append(now)
    assert all(later - earlier >= TELL_EVERY for earlier, later in itertools.pairwise(taken))
