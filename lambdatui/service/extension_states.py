"""Which call of the Extensions API is allowed when: the states of one extension as a table, without I/O.

Source: aws-lambda-runtime-interface-emulator, `internal/lambda/core/externalagent_states.go`, the service's own core.
"""

from __future__ import annotations

from typing import Literal, TypeAlias

State: TypeAlias = Literal["Started", "Registered", "Ready", "Running", "InitError", "ExitError"]
"""The names that the service tells in its error messages."""

Input: TypeAlias = Literal["register", "next", "init error", "exit error", "event"]
"""Four calls of the extension, and an event handed to it."""

TRANSITIONS: dict[State, dict[Input, State]] = {
    "Started": {"register": "Registered"},
    "Registered": {"next": "Ready", "init error": "InitError", "exit error": "ExitError"},
    "Ready": {"event": "Running", "exit error": "ExitError"},
    "Running": {"next": "Ready", "exit error": "ExitError"},
    "InitError": {"init error": "InitError"},  # only the first one counts
    "ExitError": {"exit error": "ExitError"},
}

ASKED_FOR: dict[Input, str] = {
    "register": "Registered",
    "next": "Ready",
    "init error": "InitError",
    "exit error": "Exited",  # so the service words it
    "event": "Running",
}
"""The state that an input means to reach, for the message if it may not."""


class IllegalTransitionError(Exception):
    """The service's own sentence about a call that the state does not allow."""


class ExtensionStates:
    """One extension, from its start on."""

    def __init__(self) -> None:
        self.state: State = "Started"

    def take(self, given: Input, label: str) -> State:
        """The state that follows. Raises IllegalTransitionError, in whose message the extension is called `label`, and
        then nothing has changed."""
        following = TRANSITIONS[self.state].get(given)
        if following is None:
            raise IllegalTransitionError(
                f"State transition from {self.state} to {ASKED_FOR[given]} failed for extension {label}."
                " Error: State transition is not allowed"
            )
        self.state = following
        return following
