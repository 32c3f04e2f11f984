"""Which call of the Runtime API is allowed when: the states of one runtime process as a table, without I/O.

Source: aws-lambda-runtime-interface-emulator, `internal/lambda/core/states.go`, the service's own core.
"""

from __future__ import annotations

from enum import Enum


class State(Enum):
    """Where the runtime stands; the values are the names that the service tells in its error messages."""

    STARTED = "Started"
    INIT_ERROR = "InitError"
    READY = "Ready"
    RUNNING = "Running"
    INVOCATION_RESPONSE = "InvocationResponse"
    INVOCATION_ERROR_RESPONSE = "InvocationErrorResponse"
    RESPONSE_SENT = "RuntimeResponseSentState"


class Input(Enum):
    """What moves it. The value is the state that is asked for, again by the service's name."""

    NEXT = "Ready"
    RESPONSE = "InvocationResponse"
    ERROR = "InvocationErrorResponse"
    INIT_ERROR = "InitError"
    INVOKED = "Running"
    """An invocation was handed to the runtime."""
    SENT = "RuntimeResponseSentState"
    """The answer went on to the caller."""


TRANSITIONS: dict[State, dict[Input, State]] = {
    State.STARTED: {Input.NEXT: State.READY, Input.INIT_ERROR: State.INIT_ERROR},
    State.INIT_ERROR: {},
    State.READY: {Input.NEXT: State.READY, Input.INVOKED: State.RUNNING},
    State.RUNNING: {
        Input.NEXT: State.RUNNING,  # the same event once more
        Input.RESPONSE: State.INVOCATION_RESPONSE,
        Input.ERROR: State.INVOCATION_ERROR_RESPONSE,
    },
    State.INVOCATION_RESPONSE: {Input.SENT: State.RESPONSE_SENT},
    State.INVOCATION_ERROR_RESPONSE: {Input.SENT: State.RESPONSE_SENT},
    State.RESPONSE_SENT: {Input.NEXT: State.READY},
}


class IllegalTransitionError(Exception):
    """The service's own sentence about a call that the state does not allow."""


class RuntimeStates:
    """One runtime process, from its start on."""

    def __init__(self) -> None:
        self.state = State.STARTED

    def take(self, given: Input) -> State:
        """The state that follows; raises IllegalTransitionError, and then nothing has changed."""
        following = TRANSITIONS[self.state].get(given)
        if following is None:
            raise IllegalTransitionError(
                f"State transition from {self.state.value} to {given.value} failed for runtime."
                " Error: State transition is not allowed"
            )
        self.state = following
        return following
