"""What the laboratory tells of the inside of an environment, when it is asked to `inspect` it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from lambdatui.events import Json


@dataclass(frozen=True)
class Process:
    """`of` is the external extension that it belongs to, '' for the runtime; `own_pid` the number it has for itself."""

    of: str
    pid: int
    own_pid: int
    command: str
    state: str
    resident_kb: int
    threads: int


@dataclass(frozen=True)
class Variable:
    """Without a value it is kept secret: `why` is 'credential', or 'masked', if one has not asked for it."""

    name: str
    value: str | None
    why: str | None


@dataclass(frozen=True)
class File:
    """Of /tmp. `kind` is 'file', 'folder', 'link' or 'other'."""

    name: str
    kind: str
    size: int
    modified_at: float


@dataclass(frozen=True)
class Preview:
    """The beginning of a file; `text` is None where it is none."""

    text: str | None
    size: int
    complete: bool


@dataclass(frozen=True)
class Inside:
    processes: tuple[Process, ...]
    variables: tuple[Variable, ...]
    files: tuple[File, ...]
    files_complete: bool

    @classmethod
    def of(cls, told: Json) -> Inside:
        """From the answer to `inspect`."""
        given: Any = told
        return cls(
            tuple(Process(**each) for each in given["processes"]),
            tuple(Variable(**each) for each in given["variables"]),
            tuple(File(**each) for each in given["files"]),
            given["files_complete"],
        )


def preview_of(told: Json) -> Preview:
    """From the answer to `preview`."""
    given: Any = told
    return Preview(**given)
