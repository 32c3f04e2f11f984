"""An environment's /tmp: files of its own, as many MB as the function's ephemeral storage.

A tmpfs has a size, and writing past it fails with "No space left on device", as in the service. It must survive the
processes of an environment, which a reset replaces; so it is mounted in a mount namespace that a process of the
laboratory's own keeps, and programs are started in there. Nothing is mounted where others see it, and whatever kills
the laboratory, the mounts go with the last process in the namespace.
"""

from __future__ import annotations

import asyncio
import contextlib
import errno
import os
import shutil
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Protocol

_SECONDS_FOR_THE_TRIAL = 5.0
_LOOK_AT_MOST = 10_000
"""Files and folders, so that a look at a /tmp that has a million does not hold the laboratory."""
_GLANCE_AT_MOST = 500
"""The same where one looks again and again."""


class Storage(Protocol):
    """Where the folders are that environments have as their /tmp."""

    name: str

    async def prepare(self, folder: Path, size_mb: int) -> None:
        """Make the folder, still empty, hold no more than so much; done again, this changes nothing. Removing the
        folder ends it. Raises OSError."""

    def command(self, argv: tuple[str, ...], cwd: Path) -> tuple[str, ...]:
        """What runs this program, there, so that it finds the folders."""

    def excess_mb(self, folder: Path, size_mb: int) -> int:
        """By how much a folder holds more than it may."""

    def used_mb(self, folder: Path) -> int | None:
        """What it holds now; None where it would take long to tell."""

    def outside(self, folder: Path) -> Path:
        """Where the laboratory itself finds what is in the folder."""

    async def close(self) -> None: ...


class Folders:
    """Plain folders, of no particular size: what is too much can only be told afterwards."""

    name = "folders"

    async def prepare(self, folder: Path, size_mb: int) -> None:
        folder.chmod(0o1777)

    def command(self, argv: tuple[str, ...], cwd: Path) -> tuple[str, ...]:
        return argv

    def excess_mb(self, folder: Path, size_mb: int) -> int:
        total, _ = _sizes(folder, _LOOK_AT_MOST)
        return max(total // 2**20 - size_mb, 0)

    def used_mb(self, folder: Path) -> int | None:
        total, complete = _sizes(folder, _GLANCE_AT_MOST)
        return round(total / 2**20) if complete else None

    def outside(self, folder: Path) -> Path:
        return folder

    async def close(self) -> None:
        pass


def _sizes(folder: Path, at_most: int) -> tuple[int, bool]:
    """The bytes of so many files and folders, and whether these were all."""
    total, left, waiting = 0, at_most, [str(folder)]
    while waiting and left > 0:
        with contextlib.suppress(OSError), os.scandir(waiting.pop()) as entries:
            for entry in entries:
                left -= 1
                total += entry.stat(follow_symlinks=False).st_blocks * 512
                if entry.is_dir(follow_symlinks=False):
                    waiting.append(entry.path)
                if left <= 0:
                    break
    return total, left > 0


class Tmpfs:
    """Each folder a tmpfs of its size, in the namespace of a keeper."""

    name = "tmpfs"

    def __init__(self, keeper: asyncio.subprocess.Process, enter: tuple[str, ...]) -> None:
        self._keeper = keeper
        self._enter = enter
        self._turn = asyncio.Lock()

    @classmethod
    async def start(cls, variables: Mapping[str, str]) -> Tmpfs | None:
        """With these environment variables for the keeper; None where there can be no namespace of one's own."""
        nsenter = shutil.which("nsenter")
        if not nsenter or not sys.platform.startswith("linux"):
            return None
        keeper = await asyncio.create_subprocess_exec(
            *(sys.executable, "-I", "-S", "-c", _KEEPER),
            env=dict(variables),
            cwd="/",
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.DEVNULL,
            start_new_session=True,
        )
        kept = cls(keeper, ())
        try:
            async with asyncio.timeout(_SECONDS_FOR_THE_TRIAL):
                answer = await kept._hear()
                if answer in _ENTER:
                    kept._enter = (nsenter, *_ENTER[answer], "--target", str(keeper.pid), "--")
                    return kept
        except (OSError, TimeoutError):
            pass
        await kept.close()
        return None

    async def prepare(self, folder: Path, size_mb: int) -> None:
        async with self._turn:
            assert self._keeper.stdin
            self._keeper.stdin.write(f"{size_mb} {folder}\n".encode())
            await self._keeper.stdin.drain()
            answer = await self._hear()
            if not answer:
                raise OSError(errno.ESRCH, "the process that keeps every /tmp has gone")
            if answer != "0":
                raise OSError(int(answer), f"no /tmp of {size_mb} MB can be had: {os.strerror(int(answer))}")

    def command(self, argv: tuple[str, ...], cwd: Path) -> tuple[str, ...]:
        if cwd == Path("/"):  # where one finds oneself in another namespace
            return (*self._enter, *argv)
        return (*self._enter, "sh", "-c", 'cd "$0" && exec "$@"', str(cwd), *argv)

    def excess_mb(self, folder: Path, size_mb: int) -> int:
        return 0

    def used_mb(self, folder: Path) -> int | None:
        try:
            held = os.statvfs(self.outside(folder))
        except OSError:
            return None
        return round((held.f_blocks - held.f_bfree) * held.f_frsize / 2**20)

    def outside(self, folder: Path) -> Path:
        return Path(f"/proc/{self._keeper.pid}/root{folder}")

    async def close(self) -> None:
        assert self._keeper.stdin
        self._keeper.stdin.close()
        with contextlib.suppress(OSError):
            await self._keeper.stdin.wait_closed()
        await self._keeper.wait()

    async def _hear(self) -> str:
        assert self._keeper.stdout
        return (await self._keeper.stdout.readline()).decode().strip()


_ENTER = {
    "mount": ("--mount",),
    "user": ("--user", "--preserve-credentials", "--mount"),
}
"""How to get into the keeper's namespaces, by what it says it has."""

# In a user namespace one is whom one was outside, so that files and processes have the owner they would have anyway;
# the right to mount lasts until the next exec, which the keeper never does.
_KEEPER = r"""
import ctypes, os, signal, sys
for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP, signal.SIGQUIT):
    signal.signal(number, signal.SIG_IGN)
libc = ctypes.CDLL(None, use_errno=True)
NEWNS, NEWUSER, REC, SLAVE, NOSUID, NODEV = 0x20000, 0x10000000, 0x4000, 0x80000, 2, 4
user, group = os.geteuid(), os.getegid()
def write(path, text):
    with open(path, "w") as file:
        file.write(text)
def mount(kind, target, flags, options):
    if libc.mount(b"lambdatui", os.fsencode(target), kind, flags, options):
        return ctypes.get_errno()
    return 0
def enter():
    if libc.unshare(NEWNS) == 0:
        return "mount"
    if libc.unshare(NEWNS | NEWUSER) == 0:
        write("/proc/self/setgroups", "deny")
        write("/proc/self/uid_map", f"{user} {user} 1")
        write("/proc/self/gid_map", f"{group} {group} 1")
        return "user"
    return "none"
how = enter()
if how != "none" and mount(None, "/", REC | SLAVE, None):
    how = "none"
print(how, flush=True)
for line in sys.stdin:
    size, folder = line.rstrip("\n").split(" ", 1)
    done = os.path.ismount(folder)
    print(0 if done else mount(b"tmpfs", folder, NOSUID | NODEV, f"size={size}m,mode=1777".encode()), flush=True)
"""
