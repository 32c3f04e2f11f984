"""Moving in a saved journal: whatever is done, the tape is somewhere that makes sense."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lambdatui import events as ev
from lambdatui.events import Event, Record
from lambdatui.tui.tape import SPEEDS, Tape

ACCEPTED = ev.InvocationAccepted("r", "F", "$LATEST", "RequestResponse", "{}", None)


class Wall:
    now = 0.0

    def __call__(self) -> float:
        return self.now


def taped(*happenings: tuple[float, Event]) -> tuple[Tape, Wall]:
    wall = Wall()
    return Tape([Record(number, *each) for number, each in enumerate(happenings)], wall), wall


def example() -> tuple[Tape, Wall]:
    return taped(
        (100.0, ev.Noticed("info", "a")),
        (101.0, ev.StepStarted(0)),
        (101.0, ACCEPTED),
        (103.0, ev.StepStarted(1)),
        (104.0, ACCEPTED),
        (110.0, ev.ExperimentFinished(True)),
    )


def test_it_plays_at_its_speed_and_stops_at_the_end() -> None:
    tape, wall = example()
    assert (tape.time, tape.count, tape.playing, tape.until_next) == (100.0, 1, False, None)
    tape.play()
    assert tape.until_next == 1.0
    wall.now = 1.0
    assert (tape.time, tape.count) == (101.0, 3)
    tape.change_speed(1)
    assert tape.until_next == 1.0
    wall.now = 2.5
    assert (tape.time, tape.count, tape.playing) == (104.0, 5, True)
    wall.now = 50.0
    assert (tape.time, tape.count, tape.playing) == (110.0, 6, False)
    assert tape.until_next is None
    tape.play()
    assert (tape.time, tape.count, tape.playing) == (100.0, 1, True)


def test_a_pause_lasts() -> None:
    tape, wall = example()
    tape.play()
    wall.now = 1.5
    tape.pause()
    wall.now = 9.0
    assert (tape.time, tape.count) == (101.5, 3)
    tape.play()
    wall.now = 10.0
    assert tape.time == 102.5


def test_events_are_stepped_through_one_by_one_even_those_of_one_instant() -> None:
    tape, _ = example()
    counts = []
    for step in (1, 1, 1, -1, -1, -1, -1):
        tape.step_events(step)
        counts.append((tape.count, tape.time))
    assert counts == [(2, 101.0), (3, 101.0), (4, 103.0), (3, 101.0), (2, 101.0), (1, 100.0), (1, 100.0)]


def test_steps_and_invocations_are_jumped_to() -> None:
    tape, wall = example()
    tape.step_invocations(1)
    assert tape.count == 3
    tape.step_invocations(1)
    assert tape.count == 5
    tape.step_steps(-1)
    assert (tape.count, tape.playing) == (4, False)
    tape.play()
    tape.step_steps(-1)
    assert (tape.count, tape.playing) == (3, True), "what happened in the same instant goes on at once"
    tape.step_steps(1)
    wall.now += 0.5
    assert tape.time == 103.5
    tape.step_steps(1)
    assert (tape.count, tape.playing) == (6, False)


def test_the_clock_may_have_been_set_back() -> None:
    tape, _ = taped((100.0, ACCEPTED), (90.0, ACCEPTED), (101.0, ACCEPTED))
    tape.seek(100.0)
    assert tape.count == 2
    tape.step_events(1)
    assert tape.time == 101.0


def test_nothing_is_no_tape() -> None:
    with pytest.raises(ValueError, match="nothing in it"):
        Tape([])


MOVES = st.one_of(
    st.tuples(st.just("wait"), st.floats(0, 20)),
    st.tuples(st.just("seek"), st.floats(0, 200)),
    st.tuples(
        st.sampled_from(["step_events", "step_invocations", "step_steps", "change_speed"]), st.sampled_from([-1, 1])
    ),
    st.tuples(st.sampled_from(["play", "pause"])),
)


@given(st.lists(st.floats(0, 10), min_size=1, max_size=8), st.lists(MOVES, max_size=20))
def test_what_has_happened_is_what_the_clock_says(
    times: list[float], moves: list[tuple[str, *tuple[float, ...]]]
) -> None:
    tape, wall = taped(*((100 + time, ACCEPTED) for time in times))
    for name, *arguments in moves:
        if name == "wait":
            before = tape.count, tape.time
            wall.now += arguments[0]
            assert (tape.count, tape.time) >= before
        else:
            getattr(tape, name)(*arguments)
        assert tape.speed in SPEEDS
        assert tape.start <= tape.time <= tape.end
        assert 1 <= tape.count <= len(tape.records)
        assert tape.time_at(tape.count) <= tape.time
        assert tape.count == len(tape.records) or tape.time <= tape.time_at(tape.count + 1)
