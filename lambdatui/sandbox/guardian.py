"""The guardian: a tiny process that outlives the laboratory by a moment, to leave nothing behind.

The laboratory holds one end of a pipe. However it dies, kill -9 included, the pipe ends, and the guardian kills every
process that belongs to it, frozen ones too, and removes its folder. A process belongs to the laboratory if the guardian
was told its group, or carries the laboratory's mark in its environment variables, which children inherit.
"""

from __future__ import annotations

import contextlib
import fcntl
import os
import shutil
import signal
import stat
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

MARK = "LAMBDATUI_LABORATORY"
"""The environment variable that marks the laboratory's processes; its value is the laboratory's folder."""

_PREFIX = "lambdatui-"
_LOCK = "lock"


def remove_tree(folder: Path) -> None:
    """Remove a folder with all that is in it, folders that a function has locked included."""
    shutil.rmtree(folder, ignore_errors=True)
    if folder.exists():
        for parent, folders, _ in os.walk(folder):
            for name in folders:
                path = os.path.join(parent, name)
                if not os.path.islink(path):
                    with contextlib.suppress(OSError):
                        os.chmod(path, 0o700)
        shutil.rmtree(folder, ignore_errors=True)


class Guardian:
    """`folder` is the laboratory's own, readable by its user only, for all that it writes."""

    def __init__(self, folder: Path, process: subprocess.Popen[bytes], pipe: int, lock: int) -> None:
        self.folder = folder
        self._process = process
        self._pipe = pipe
        self._lock = lock

    @classmethod
    def start(cls) -> Guardian:
        """Make the folder, sweep those that dead laboratories left, and start the process."""
        base = _base()
        _sweep(base)
        folder = Path(tempfile.mkdtemp(prefix=_PREFIX, dir=base))
        lock = os.open(folder / _LOCK, os.O_CREAT | os.O_RDWR | os.O_CLOEXEC, 0o600)
        fcntl.flock(lock, fcntl.LOCK_EX)
        reading, writing = os.pipe()
        process = subprocess.Popen(
            [sys.executable, "-I", "-S", "-c", _PROGRAM, str(folder), MARK],
            stdin=reading,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
            cwd="/",
        )
        os.close(reading)
        return cls(folder, process, writing, lock)

    def mark(self) -> dict[str, str]:
        """The variables that every process of the laboratory carries."""
        return {MARK: str(self.folder)}

    def watch(self, pgid: int) -> None:
        self._say(f"+{pgid}\n")

    def forget(self, pgid: int) -> None:
        """The group has ended; its number may be somebody else's soon."""
        self._say(f"-{pgid}\n")

    def close(self) -> None:
        """Let it do its work now. Closing twice does nothing."""
        if self._process.returncode is not None:
            return
        os.close(self._pipe)
        self._process.wait()
        os.close(self._lock)
        remove_tree(self.folder)

    def _say(self, line: str) -> None:
        with contextlib.suppress(BrokenPipeError):  # somebody killed the guardian: the laboratory goes on without
            os.write(self._pipe, line.encode())


def living() -> Iterator[Path]:
    """The folders of the laboratories that this user has running. One that belongs to another user, or that others can
    look into, is none: anybody can make a folder of such a name where all may write."""
    for folder in _base().glob(f"{_PREFIX}*"):
        with contextlib.suppress(OSError):
            status = folder.lstat()
            private = stat.S_ISDIR(status.st_mode) and not stat.S_IMODE(status.st_mode) & 0o077
            if private and status.st_uid == os.geteuid() and _is_locked(folder):
                yield folder


def _base() -> Path:
    base = tempfile.gettempdir()
    return Path(base if len(base) <= 60 else "/tmp")  # the path of a Unix socket must fit into 100 bytes or so


def _is_locked(folder: Path) -> bool:
    lock = os.open(folder / _LOCK, os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC)
    try:
        fcntl.flock(lock, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    finally:
        os.close(lock)
    return False


def _sweep(base: Path) -> None:
    """Remove the folders of laboratories that were killed together with their guardians."""
    for folder in base.glob(f"{_PREFIX}*"):
        try:
            lock = os.open(folder / _LOCK, os.O_RDWR | os.O_CLOEXEC)
        except OSError:
            continue  # somebody else's, or one that is only just being made
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            continue
        else:
            kill_marked(folder)
            remove_tree(folder)
        finally:
            os.close(lock)


def kill_marked(folder: Path) -> None:
    """SIGKILL for every process that carries the mark of the laboratory with this folder."""
    wanted = f"{MARK}={folder}".encode()
    for entry in Path("/proc").glob("[0-9]*/environ"):
        with contextlib.suppress(OSError):
            if wanted in entry.read_bytes().split(b"\0"):
                os.kill(int(entry.parent.name), signal.SIGKILL)


# It imports nothing that is slow, knows nothing of this package, and so works while the package is being reinstalled.
_PROGRAM = r"""
import os, signal, sys
for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP, signal.SIGQUIT):
    signal.signal(number, signal.SIG_IGN)
folder, mark = sys.argv[1:]
groups, rest = set(), b""
while data := os.read(0, 65536):
    *lines, rest = (rest + data).split(b"\n")
    for line in lines:
        (groups.add if line[:1] == b"+" else groups.discard)(int(line[1:]))
wanted = f"{mark}={folder}".encode()
def kill(call, number):
    try:
        call(number, signal.SIGKILL)
    except OSError:
        pass
for group in groups:
    kill(os.killpg, group)
found = True
for _ in range(50):  # as long as one is found: it may have had children meanwhile
    found = False
    for name in os.listdir("/proc") if os.path.isdir("/proc") else ():
        if name.isdigit() and int(name) != os.getpid():
            try:
                with open(f"/proc/{name}/environ", "rb") as file:
                    marked = wanted in file.read().split(b"\0")
            except OSError:
                continue
            if marked:
                found = True
                kill(os.kill, int(name))
    if not found:
        break
import shutil
shutil.rmtree(folder, ignore_errors=True)
if os.path.isdir(folder):
    for parent, folders, _ in os.walk(folder):
        for path in (os.path.join(parent, name) for name in folders):
            if not os.path.islink(path):
                try:
                    os.chmod(path, 0o700)
                except OSError:
                    pass
    shutil.rmtree(folder, ignore_errors=True)
"""
