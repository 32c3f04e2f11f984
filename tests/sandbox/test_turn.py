"""Running, paused and frozen, for every order of events."""

from __future__ import annotations

import hypothesis.strategies as st
import pytest
from hypothesis import settings
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from lambdatui.sandbox.turn import PERIOD, Signal, State, Turn


class Turns(RuleBasedStateMachine):
    """A process that uses its CPU when it may, and is stopped or not as the signals say."""

    def __init__(self) -> None:
        super().__init__()
        self.turn = Turn(0.25)
        self.now, self.used = 0.0, 0.0
        self.stopped = False
        self.granted: tuple[float, float] | None = None
        self.longest = 0.0

    def carry_out(self, signal: Signal | None) -> None:
        if signal:
            assert self.stopped == (signal == Signal.CONTINUE), "never a signal for nothing"
            self.stopped = signal == Signal.STOP

    @rule(seconds=st.floats(0, 0.2), busy=st.floats(0, 2))
    def pass_time(self, seconds: float, busy: float) -> None:
        self.now += seconds
        if not self.stopped:
            self.used += busy * seconds
            self.longest = max(self.longest, busy * seconds)

    @rule()
    def look(self) -> None:
        self.carry_out(self.turn.look(self.now, self.used))

    @precondition(lambda self: self.turn.state == State.PAUSED)
    @rule()
    def pause_until_its_end(self) -> None:
        self.now = max(self.now, self.turn.resumes_at) + 1e-9
        self.look()
        assert self.turn.state == State.RUNNING

    @precondition(lambda self: self.turn.state != State.FROZEN)
    @rule()
    def freeze(self) -> None:
        self.carry_out(self.turn.freeze())
        assert self.stopped
        self.granted = None

    @precondition(lambda self: self.turn.state == State.FROZEN)
    @rule()
    def thaw(self) -> None:
        self.carry_out(self.turn.thaw())
        self.turn.grant(self.now, self.used)
        self.granted, self.longest = (self.now, self.used), 0.0
        assert not self.stopped

    @invariant()
    def stands_still_or_not_as_its_state_says(self) -> None:
        assert self.stopped == (self.turn.state != State.RUNNING)

    @invariant()
    def has_no_more_than_its_share(self) -> None:
        if self.granted and self.turn.state == State.PAUSED:
            began, used = self.granted
            earned = (max(self.now, self.turn.resumes_at) - began) * 0.25 + 0.25 * PERIOD
            assert self.used - used <= earned + 1e-6


TestTurns = Turns.TestCase
TestTurns.settings = settings(max_examples=50, deadline=None)


def test_an_init_has_all_there_is() -> None:
    turn = Turn(0.1)
    assert turn.look(1.0, 50.0) is None
    assert turn.state == State.RUNNING


def test_what_was_used_too_much_is_made_up_for() -> None:
    turn = Turn(0.1)
    turn.grant(0.0, 0.0)
    assert turn.look(0.005, 0.005) == Signal.STOP
    assert turn.resumes_at == pytest.approx(0.005 + (0.005 - 0.0005 - 0.1 * PERIOD) / 0.1)
    assert turn.look(turn.resumes_at + 1e-9, 0.005) == Signal.CONTINUE
    assert turn.look(turn.resumes_at + 0.01, 0.005) is None, "it waits for something else"


def test_frozen_it_stays_stopped_though_its_pause_is_over() -> None:
    turn = Turn(0.1)
    turn.grant(0.0, 0.0)
    assert turn.look(0.005, 0.005) == Signal.STOP
    assert turn.freeze() is None
    assert turn.look(1.0, 0.005) is None
    assert turn.thaw() == Signal.CONTINUE
