"""OS-only runtimes: the function brings a program named `bootstrap`, and that talks to the Runtime API by itself."""

from __future__ import annotations

import os
import re
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from lambdatui.runtimes.runtime import Folders

_INTERPRETER = re.compile(rb"#![ \t]*([^ \t\n]+)")
"""A carriage return is part of the name: a script with Windows' line ends has an interpreter that does not exist."""


@dataclass(frozen=True)
class Provided:
    """The identifier is that of the system the function was built for; it runs on this machine's own."""

    identifier: str
    reads: tuple[Path, ...] = ()

    @property
    def lambda_version(self) -> str:
        return f"{self.identifier.replace('.', ':')}.v1"

    def variables(self, folders: Folders) -> Mapping[str, str]:
        return {}

    def command(self, folders: Folders, environment: Mapping[str, str]) -> tuple[str, ...]:
        """The code's bootstrap or, where it has none, that of the layers ("Building a custom runtime")."""
        for folder, root, shown in (
            (folders.code, folders.task_root, "/var/task"),
            (folders.layers, folders.layers_root, "/opt"),
        ):
            if folder and (folder / "bootstrap").is_file():
                if refusal := _refusal(folder / "bootstrap", folders):
                    raise OSError(f"fork/exec {shown}/bootstrap: {refusal}")
                return (f"{root}/bootstrap",)
        raise OSError("Couldn't find valid bootstrap(s): [/var/task/bootstrap /opt/bootstrap]")


def _refusal(program: Path, folders: Folders) -> str | None:
    """Why the kernel would not execute it, in its words. Asked beforehand, because within a sandbox it is the sandbox
    that the kernel tells."""
    if not os.access(program, os.X_OK):
        return "permission denied"
    with program.open("rb") as opened:
        start = opened.read(256)
    if script := _INTERPRETER.match(start):
        return None if _on_this_machine(os.fsdecode(script[1]), folders).exists() else "no such file or directory"
    return None if _machine(start) == _own_machine() else "exec format error"


def _on_this_machine(path: str, folders: Folders) -> Path:
    if path.startswith("/opt/") and folders.layers:
        return folders.layers / path.removeprefix("/opt/")
    return folders.code / path.removeprefix("/var/task/") if path.startswith("/var/task/") else Path(path)


def _machine(program: bytes) -> bytes | None:
    """The processor that an ELF program is for; None for another kind."""
    return program[18:20] if program.startswith(b"\x7fELF") else None


def _own_machine() -> bytes | None:
    with open(sys.executable, "rb") as opened:
        return _machine(opened.read(20))
