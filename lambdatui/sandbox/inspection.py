"""A look from outside at processes and at files: what a person wants to know, not what limits need.

Files are a function's, and it may move them about meanwhile, or lay links that lead elsewhere: no link is followed.
"""

from __future__ import annotations

import contextlib
import os
import stat
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

_PROCESSES_AT_MOST = 100
_FILES_AT_MOST = 500
_PREVIEW_BYTES = 2**14
_COMMAND_CHARACTERS = 1000


@dataclass(frozen=True)
class ProcessSeen:
    """`state` is a word, as in psutil; `resident_kb` counts for each what several share; `own_pid` is the number that
    the process has for itself."""

    pid: int
    own_pid: int
    command: str
    state: str
    resident_kb: int
    threads: int


@dataclass(frozen=True)
class FileSeen:
    """`name` is relative to the folder that was looked at, `kind` 'file', 'folder', 'link' or 'other'; `modified_at` is
    in seconds since the epoch."""

    name: str
    kind: str
    size: int
    modified_at: float


@dataclass(frozen=True)
class Preview:
    """The beginning of a file; `text` is None where it is no text."""

    text: str | None
    size: int
    complete: bool


def processes(pids: Iterable[int]) -> list[ProcessSeen]:
    """Those that are still there, at most a hundred."""
    import psutil

    seen: list[ProcessSeen] = []
    for pid in pids:
        with contextlib.suppress(psutil.Error):
            process = psutil.Process(pid)
            with process.oneshot():
                command = " ".join(process.cmdline()) or f"[{process.name()}]"
                resident = process.memory_info().rss // 1024
                state, threads = str(process.status()), process.num_threads()
            seen.append(ProcessSeen(pid, _own_pid(pid), command[:_COMMAND_CHARACTERS], state, resident, threads))
        if len(seen) == _PROCESSES_AT_MOST:
            break
    return seen


def _own_pid(pid: int) -> int:
    """The innermost one, where process numbers are the sandbox's own."""
    with contextlib.suppress(OSError), open(f"/proc/{pid}/status", "rb", buffering=0) as file:
        _, _, rest = file.read().partition(b"\nNSpid:")
        if rest:
            return int(rest.split(b"\n", 1)[0].split()[-1])
    return pid


def files(folder: Path) -> tuple[list[FileSeen], bool]:
    """In order of their names, and whether these are all."""
    with contextlib.suppress(OSError), _opened(folder, ()) as descriptor:
        found: list[FileSeen] = []
        for seen in _walk(descriptor, ""):
            if len(found) == _FILES_AT_MOST:
                return sorted(found, key=lambda each: each.name), False
            found.append(seen)
        return sorted(found, key=lambda each: each.name), True
    return [], True


def _walk(folder: int, before: str) -> Iterator[FileSeen]:
    with os.scandir(folder) as entries:
        for entry in entries:
            with contextlib.suppress(OSError):
                told = os.stat(entry.name, dir_fd=folder, follow_symlinks=False)
                kind = _KINDS.get(stat.S_IFMT(told.st_mode), "other")
                yield FileSeen(before + entry.name, kind, told.st_size, told.st_mtime)
                if kind == "folder":
                    inner = os.open(entry.name, _FOLDER, dir_fd=folder)
                    try:
                        yield from _walk(inner, f"{before}{entry.name}/")
                    finally:
                        os.close(inner)


_KINDS = {stat.S_IFREG: "file", stat.S_IFDIR: "folder", stat.S_IFLNK: "link"}
_FOLDER = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC
_FILE = os.O_RDONLY | os.O_NONBLOCK | os.O_NOFOLLOW | os.O_CLOEXEC  # a pipe that nobody writes to would block


def preview(folder: Path, name: str) -> Preview:
    """The beginning of the file of that name; raises OSError."""
    *parents, last = [part for part in name.split("/") if part not in ("", ".", "..")] or [""]
    with _opened(folder, parents) as descriptor:
        file = os.open(last, _FILE, dir_fd=descriptor)
        try:
            told = os.fstat(file)
            if not stat.S_ISREG(told.st_mode):
                raise OSError(0, "it is no file")
            data = os.read(file, _PREVIEW_BYTES)
        finally:
            os.close(file)
    return Preview(_text(data), told.st_size, told.st_size <= len(data))


def _text(data: bytes) -> str | None:
    if b"\0" in data:
        return None
    text = data.decode(errors="replace")
    return None if text.count("\ufffd") > len(text) // 10 else text


@contextlib.contextmanager
def _opened(folder: Path, parents: Iterable[str]) -> Iterator[int]:
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        for name in parents:
            inner = os.open(name, _FOLDER, dir_fd=descriptor)
            os.close(descriptor)
            descriptor = inner
        yield descriptor
    finally:
        os.close(descriptor)
