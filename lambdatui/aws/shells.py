"""Environment variables as shells set and unset them."""

from __future__ import annotations

import json
import shlex
from collections.abc import Callable, Mapping
from typing import TypeAlias

Variables: TypeAlias = Mapping[str, str | None]
"""What is None shall not be set."""


def _posix(variables: Variables) -> str:
    return "\n".join(
        f"unset {name}" if value is None else f"export {name}={shlex.quote(value)}" for name, value in variables.items()
    )


def _fish(variables: Variables) -> str:
    return "\n".join(
        f"set -e {name}" if value is None else f"set -gx {name} '{_escaped(value)}'"
        for name, value in variables.items()
    )


def _escaped(value: str) -> str:
    return value.replace("\\", "\\\\").replace("'", "\\'")


def _json(variables: Variables) -> str:
    return json.dumps(variables, indent=2)


WRITERS: Mapping[str, Callable[[Variables], str]] = {"sh": _posix, "fish": _fish, "json": _json}
"""By the name of the shell; JSON is for those who are none, with null for what shall not be set."""
