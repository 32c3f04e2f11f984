"""The external extensions that a function's layers bring: every file directly in /opt/extensions."""

from __future__ import annotations

import errno
import os
from pathlib import Path


def names(layers: Path | None) -> tuple[str, ...]:
    """By their files' names, which are those that they must register with; in the order in which they are started."""
    folder = layers / "extensions" if layers else None
    if folder is None or not folder.is_dir():
        return ()
    return tuple(sorted(file.name for file in folder.iterdir() if file.is_file()))


def check(layers: Path, name: str) -> None:
    """Raises OSError where the kernel would refuse to execute it. Asked beforehand, because within bubblewrap the
    refusal looks like the exit of a program that was started."""
    file = layers / "extensions" / name
    if not os.access(file, os.X_OK):
        raise PermissionError(errno.EACCES, "permission denied")
    with file.open("rb") as program:
        start = program.readline(256)
    if start.startswith(b"#!"):
        interpreter = os.fsdecode(start[2:].split()[0]) if start[2:].split() else ""
        if not interpreter.startswith(("/opt/", "/tmp/", "/var/task/")) and not Path(interpreter).is_file():
            raise FileNotFoundError(errno.ENOENT, "no such file or directory")
    elif not start.startswith(b"\x7fELF"):
        raise OSError(errno.ENOEXEC, "exec format error")
