"""The processes of an environment as one thing that can be stopped, continued and killed."""

from __future__ import annotations

import contextlib
import os
import signal
from collections.abc import Iterable

from lambdatui.sandbox.tree import Tree


class Group:
    """A process group, and those of its members' descendants that made a session of their own."""

    def __init__(self, pid: int) -> None:
        self.pid = pid
        self._tree = Tree(pid)
        self._strays: list[int] = []

    def processes(self) -> list[tuple[int, int]]:
        """All of them, parents first, each with the number of its threads."""
        return self._tree.look()

    def stop(self) -> None:
        """Stop every process, wherever in its work it is."""
        self._strays = self._signal(signal.SIGSTOP)

    def go_on(self) -> None:
        """The way back is short, because a caller waits: who is stopped is known."""
        _kill_group(self.pid, signal.SIGCONT)
        _kill(self._strays, signal.SIGCONT)

    def kill(self) -> None:
        self._signal(signal.SIGKILL)

    def kill_the_rest(self) -> None:
        """When the first of them has gone: what it started and left behind."""
        _kill_group(self.pid, signal.SIGKILL)
        self._tree.close()

    def _signal(self, number: signal.Signals) -> list[int]:
        pids = [pid for pid, _ in self.processes()]  # looked for first: orphans have another parent
        _kill_group(self.pid, number)
        strays = [pid for pid in pids if _is_stray(pid, self.pid)]
        _kill(strays, number)
        return strays


def _is_stray(pid: int, group: int) -> bool:
    try:
        return os.getpgid(pid) != group
    except OSError:
        return False


def _kill_group(group: int, number: signal.Signals) -> None:
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(group, number)


def _kill(pids: Iterable[int], number: signal.Signals) -> None:
    for pid in pids:
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.kill(pid, number)
