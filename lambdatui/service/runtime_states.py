"""Which call of the Runtime API is allowed when: the states of one runtime process as a table, without I/O.

Source: aws-lambda-runtime-interface-emulator, `internal/lambda/core/states.go`, the service's own core.
"""

from __future__ import annotations

from typing import Literal, TypeAlias

State: TypeAlias = Literal[
    "Started",
    "InitError",
    "Ready",
    "Running",
    "InvocationResponse",
    "InvocationErrorResponse",
    "RuntimeResponseSentState",
]
"""The names that the service tells in its error messages."""

Input: TypeAlias = Literal["next", "response", "error", "init error", "invoked", "sent"]
"""Four calls of the runtime; an invocation handed to it; its answer passed on to the caller."""

TRANSITIONS: dict[State, dict[Input, State]] = {
    "Started": {"next": "Ready", "init error": "InitError"},
    "InitError": {},
    "Ready": {"next": "Ready", "invoked": "Running"},
    "Running": {
        "next": "Running",  # the same event once more
        "response": "InvocationResponse",
        "error": "InvocationErrorResponse",
    },
    "InvocationResponse": {"sent": "RuntimeResponseSentState"},
    "InvocationErrorResponse": {"sent": "RuntimeResponseSentState"},
    "RuntimeResponseSentState": {"next": "Ready"},
}

ASKED_FOR: dict[Input, State] = {
    "next": "Ready",
    "response": "InvocationResponse",
    "error": "InvocationErrorResponse",
    "init error": "InitError",
    "invoked": "Running",
    "sent": "RuntimeResponseSentState",
}
"""The state that an input means to reach, for the message if it may not."""


class IllegalTransitionError(Exception):
    """The service's own sentence about a call that the state does not allow."""


class RuntimeStates:
    """One runtime process, from its start on."""

    def __init__(self) -> None:
        self.state: State = "Started"

    def take(self, given: Input) -> State:
        """The state that follows; raises IllegalTransitionError, and then nothing has changed."""
        following = TRANSITIONS[self.state].get(given)
        if following is None:
            raise IllegalTransitionError(
                f"State transition from {self.state} to {ASKED_FOR[given]} failed for runtime."
                " Error: State transition is not allowed"
            )
        self.state = following
        return following
