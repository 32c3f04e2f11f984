"""What a runtime is to the service: a program that asks the Runtime API for invocations, and how it is started."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol


class RuntimeNotInstalled(Exception):
    """Nothing here can run the function; the text is one sentence that says what to install."""


@dataclass(frozen=True)
class Folders:
    """Where a function's code and its layers, if any, lie on this machine, and where the function itself finds them."""

    code: Path
    layers: Path | None
    task_root: str
    layers_root: str


class Runtime(Protocol):
    """One that can be started here. What it starts gets the folder of the function's code as working directory."""

    @property
    def identifier(self) -> str:
        """Lambda's, as 'python3.11'."""

    @property
    def lambda_version(self) -> str:
        """As INIT_START has it. The service counts its builds of a runtime; here it is what the machine has."""

    @property
    def reads(self) -> tuple[Path, ...]:
        """What it must be able to read."""

    def variables(self, folders: Folders) -> Mapping[str, str]:
        """Environment variables beside those that every function has; the customer's own win over them."""

    def command(self, folders: Folders, environment: Mapping[str, str]) -> tuple[str, ...]:
        """What starts it for a function with these variables of its own. Raises OSError where the service could not
        start it either, with its words."""


_WRAPPED = """
[ -f "$0" ] || { echo "$0: does not exist"; exit 127; }
[ -x "$0" ] || { echo "$0: is not an executable"; exit 126; }
exec "$0" "$@"
"""


def wrapped(command: tuple[str, ...], folders: Folders, environment: Mapping[str, str]) -> tuple[str, ...]:
    """The command of a managed runtime, handed to the script that the function names with AWS_LAMBDA_EXEC_WRAPPER
    ("Modifying the runtime environment")."""
    wrapper = environment.get("AWS_LAMBDA_EXEC_WRAPPER")
    if not wrapper:
        return command
    for root, here in (("/opt", folders.layers_root), ("/var/task", folders.task_root)):
        if wrapper.startswith(f"{root}/"):
            wrapper = here + wrapper.removeprefix(root)
    return ("/bin/sh", "-c", _WRAPPED, wrapper, *command)
