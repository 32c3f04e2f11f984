"""Who lives in an execution environment, the runtime and its extensions, and how far each of them has come: no I/O."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from enum import StrEnum

from lambdatui import events as ev

MAX_EXTENSIONS = 10
"""Of a function, external and internal ones together ("Lambda Extensions API")."""

EXTERNAL_BUDGET, INTERNAL_BUDGET, RUNTIME_SHARE = 2.0, 0.5, 0.3
"""Seconds that the shutdown may take with an external extension, or with internal ones only ("Lambda execution
environment lifecycle"); and what the runtime may have of the first of them."""


class Presence(StrEnum):
    """Of a process."""

    ABSENT = "absent"  # not asked for yet, or gone
    ASKED = "asked for"
    RUNNING = "running"


@dataclass
class Extension:
    """An internal one has no process of its own: it lives in the runtime's."""

    name: str
    external: bool
    process: Presence = Presence.ABSENT
    events: tuple[str, ...] = ()
    state: str = "Started"
    """As EXTENSION lines and the API's messages name it."""
    error_type: str | None = None
    registered: bool = False
    at_next: bool = False

    def fact(self, environment: str) -> ev.ExtensionInitFinished:
        return ev.ExtensionInitFinished(environment, self.name, self.state, self.events, self.error_type)


class Crew:
    """Those of one generation of processes: a reset makes a new one."""

    def __init__(self, external: Sequence[str]) -> None:
        self.runtime = Presence.ABSENT
        self.runtime_at_next = False
        self.runtime_asked = False
        """It was asked for at some time, whatever has become of it."""
        self.extensions = {name: Extension(name, True) for name in external}
        self.fatal: str | None = None
        """The first error that somebody reported of himself: it is what the end of a process is put down to."""

    def __iter__(self) -> Iterator[Extension]:
        return iter(self.extensions.values())

    @property
    def external(self) -> list[Extension]:
        return [each for each in self if each.external]

    @property
    def alive(self) -> bool:
        """There is a process, or one was asked for."""
        return self.runtime != Presence.ABSENT or any(each.process != Presence.ABSENT for each in self)

    @property
    def may_start_runtime(self) -> bool:
        """Every external extension runs and has registered."""
        ready = all(each.process == Presence.RUNNING and each.registered for each in self.external)
        return ready and not self.runtime_asked

    @property
    def at_next(self) -> bool:
        """All of them wait for what comes next."""
        return self.runtime_at_next and all(each.at_next for each in self)

    @property
    def budget(self) -> float:
        """Seconds for the shutdown; 0 where nobody would notice it."""
        return (EXTERNAL_BUDGET if self.external else INTERNAL_BUDGET) if self.extensions else 0.0

    @property
    def runtime_budget(self) -> float:
        return RUNTIME_SHARE if self.external else self.budget

    def register(self, name: str, external: bool, events: tuple[str, ...]) -> None:
        extension = self.extensions.setdefault(name, Extension(name, external))
        extension.registered, extension.events, extension.state = True, events, "Registered"

    def arrive(self, name: str) -> None:
        """It asks for the next event."""
        self.extensions[name].at_next, self.extensions[name].state = True, "Ready"

    def depart(self) -> tuple[str, ...]:
        """An invocation comes: those that get INVOKE, and with the runtime are not waiting any more."""
        self.runtime_at_next = False
        going = [each for each in self if "INVOKE" in each.events]
        for each in going:
            each.at_next, each.state = False, "Running"
        return tuple(each.name for each in going)

    def blame(self, name: str, call: str, error_type: str) -> None:
        """It reported an error of its init, or with which it exits."""
        extension = self.extensions[name]
        extension.state, extension.error_type = ("InitError" if call == "init" else "ExitError"), error_type
        self.fatal = self.fatal or f"Extension.{extension.state}"

    def cannot_launch(self, name: str, error_type: str) -> None:
        self.extensions[name].state, self.extensions[name].error_type = "LaunchError", error_type

    def leave(self, name: str) -> None:
        """Its process is gone."""
        self.extensions[name].process = Presence.ABSENT

    def running(self, *, told: bool) -> tuple[str, ...]:
        """External extensions with a process that get SHUTDOWN (`told`), or that do not."""
        return tuple(
            each.name
            for each in self.external
            if each.process == Presence.RUNNING and ("SHUTDOWN" in each.events) == told
        )
