"""What isolates an execution environment on this machine: bubblewrap where it works, else a process group.

Chosen by trying, never by version: distributions restrict user namespaces in ways that no version number tells.
"""

from __future__ import annotations

import asyncio
import os
import shutil
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from lambdatui.sandbox.storage import Folders, Storage

_SECONDS_FOR_THE_TRIAL = 5.0


@dataclass(frozen=True)
class Program:
    """What runs: its command, all of its environment variables, and the host's paths that it must be able to read.
    With `frames`, it may hand over whole log records as :mod:`lambdatui.sandbox.capture` understands them."""

    argv: tuple[str, ...]
    variables: Mapping[str, str]
    reads: tuple[Path, ...] = ()
    frames: bool = True


@dataclass(frozen=True)
class Place:
    """The host's folders that an environment works in: the function's code, its own /tmp, and its layers, if any.
    `hosts` is to be its /etc/hosts, where sandbox.localdomain is `address`."""

    code: Path
    tmp: Path
    layers: Path | None = None
    hosts: Path | None = None
    address: str = "127.0.0.1"


@dataclass(frozen=True)
class Roots:
    """Where the function finds its code and its layers, and where sandbox.localdomain is found."""

    task: str
    layers: str
    address: str


@dataclass(frozen=True)
class Command:
    argv: tuple[str, ...]
    variables: Mapping[str, str]
    cwd: Path


class Sandbox(Protocol):
    @property
    def name(self) -> str: ...

    @property
    def wrapped(self) -> bool:
        """Whether the process started is not the program itself but one around it."""

    def roots(self, place: Place) -> Roots: ...

    def command(self, program: Program, place: Place) -> Command: ...


class ProcessGroup:
    """No isolation: code and layers where they lie, and TMPDIR in place of /tmp."""

    name = "process group"
    wrapped = False

    def roots(self, place: Place) -> Roots:
        return Roots(str(place.code), str(place.layers or "/opt"), "127.0.0.1")

    def command(self, program: Program, place: Place) -> Command:
        return Command(program.argv, {**program.variables, "TMPDIR": str(place.tmp)}, place.code)


class Bubblewrap:
    """The host read-only, the code at /var/task, layers at /opt, a /tmp of its own, and process numbers of its own."""

    name = "bubblewrap"
    wrapped = True

    def __init__(self, executable: str) -> None:
        self._executable = executable

    def roots(self, place: Place) -> Roots:
        return Roots("/var/task", "/opt", place.address)

    def command(self, program: Program, place: Place) -> Command:
        argv = [self._executable, "--unshare-pid", "--die-with-parent", *_root()]
        argv += ["--ro-bind", str(place.code), "/var/task", "--bind", str(place.tmp), "/tmp"]
        argv += ["--ro-bind", str(place.layers), "/opt"] if place.layers else ["--dir", "/opt"]
        argv += ["--ro-bind", str(place.hosts), "/etc/hosts"] if place.hosts else []
        for path in program.reads:
            if _is_hidden(path):
                argv += ["--ro-bind", str(path), str(path)]
        # What is not a mount of the host's is a tmpfs, in memory that nobody counts: /dev/shm, too, which Lambda lacks.
        argv += ["--remount-ro", "/dev", "--remount-ro", "/"]
        argv += ["--chdir", "/var/task", "--", *program.argv]
        return Command(tuple(argv), program.variables, Path("/"))


def _root() -> list[str]:
    """A root of bubblewrap's own, with the host's folders in it, so that /var/task can be made."""
    argv = ["--tmpfs", "/"]
    for entry in sorted(Path("/").iterdir()):
        if entry.name not in ("proc", "dev", "tmp", "var", "opt"):
            argv += _bound(entry)
    argv += ["--proc", "/proc", "--dev", "/dev", "--dir", "/var"]
    for entry in sorted(Path("/var").iterdir()):
        if entry.name != "task":
            argv += _bound(entry)
    return argv


def _bound(entry: Path) -> list[str]:
    if entry.is_symlink():
        return ["--symlink", os.readlink(entry), str(entry)]
    return ["--ro-bind-try", str(entry), str(entry)] if os.access(entry, os.R_OK) else []


def _is_hidden(path: Path) -> bool:
    """Whether the function's /tmp, /var/task or /opt covers this path of the host."""
    return any(path.is_relative_to(covering) for covering in ("/tmp", "/var/task", "/opt"))


async def choose() -> Sandbox:
    """The best that works here."""
    executable = shutil.which("bwrap")
    if executable:
        candidate = Bubblewrap(executable)
        if await works(candidate, Folders()):
            return candidate
    return ProcessGroup()


async def works(sandbox: Sandbox, storage: Storage) -> bool:
    """Whether a program can be started in it, with a /tmp from there."""
    with tempfile.TemporaryDirectory(prefix="lambdatui-trial-") as folder:
        place = Place(Path(folder, "code"), Path(folder, "tmp"))
        place.code.mkdir()
        place.tmp.mkdir()
        true = shutil.which("true") or "/bin/true"
        command = sandbox.command(Program((true,), {}), place)
        try:
            await storage.prepare(place.tmp, 1)
            process = await asyncio.create_subprocess_exec(
                *storage.command(command.argv, command.cwd),
                cwd=command.cwd,
                stdin=asyncio.subprocess.DEVNULL,
                stdout=asyncio.subprocess.DEVNULL,
                stderr=asyncio.subprocess.DEVNULL,
            )
        except OSError:
            return False
        try:
            return await asyncio.wait_for(process.wait(), _SECONDS_FOR_THE_TRIAL) == 0
        except TimeoutError:
            process.kill()
            await process.wait()
            return False
