"""The processes of one execution environment: a group of their own, their output on one pipe, held to their limits."""

from __future__ import annotations

import asyncio
import contextlib
import os
import resource
import signal
import sys
from collections.abc import Callable
from dataclasses import dataclass

from lambdatui.sandbox.capture import Capture, Output
from lambdatui.sandbox.group import Group
from lambdatui.sandbox.guardian import Guardian
from lambdatui.sandbox.limits import DESCRIPTORS, Breach, Watch
from lambdatui.sandbox.machine import Machine
from lambdatui.sandbox.sandbox import Place, Program
from lambdatui.sandbox.tree import tree

_WRAPPERS = 2
"""bubblewrap's own processes around a program: one that waits outside, and the first of the new process numbers."""


@dataclass(frozen=True)
class Exit:
    """How a process ended: `code`, or the number of the `signal`, and the limit for which it was killed, if it was. As
    text it is worded as Lambda words it."""

    code: int | None
    signal: int | None
    max_memory_mb: int
    breach: Breach | None = None

    def __str__(self) -> str:
        if self.signal is None and not self.code:
            return "Runtime exited without providing a reason"
        return f"Runtime exited with error: {self.cause}"

    @property
    def cause(self) -> str:
        """The same as it is worded for an extension."""
        if self.signal is not None:
            return f"signal: {_GO_SIGNALS.get(self.signal, f'signal {self.signal}')}"
        return f"exit status {self.code}" if self.code else "exit code 0"


_GO_SIGNALS: dict[int, str] = {
    signal.SIGHUP: "hangup",
    signal.SIGINT: "interrupt",
    signal.SIGQUIT: "quit",
    signal.SIGILL: "illegal instruction",
    signal.SIGTRAP: "trace/breakpoint trap",
    signal.SIGABRT: "aborted",
    signal.SIGBUS: "bus error",
    signal.SIGFPE: "floating point exception",
    signal.SIGKILL: "killed",
    signal.SIGUSR1: "user defined signal 1",
    signal.SIGSEGV: "segmentation fault",
    signal.SIGUSR2: "user defined signal 2",
    signal.SIGPIPE: "broken pipe",
    signal.SIGALRM: "alarm clock",
    signal.SIGTERM: "terminated",
}


class Process:
    """A running program and all that it started."""

    def __init__(
        self,
        process: asyncio.subprocess.Process,
        capture: Capture,
        guardian: Guardian,
        wrapped: bool,
        watch: Watch,
        on_exit: Callable[[Exit], None],
    ) -> None:
        self._process = process
        self._capture = capture
        self._guardian = guardian
        self._wrapped = wrapped
        self._on_exit = on_exit
        self._group = Group(process.pid)
        self._breach: Breach | None = None
        self._watch = watch
        watch.add(self._group, _WRAPPERS if wrapped else 0, self._breached)
        self._task = asyncio.create_task(self._wait_for_exit())

    @classmethod
    async def start(
        cls,
        machine: Machine,
        program: Program,
        place: Place,
        *,
        watch: Watch,
        guardian: Guardian,
        on_output: Callable[[list[Output]], None],
        on_exit: Callable[[Exit], None],
    ) -> Process:
        """Start it; raises OSError. `watch` is the environment's, which stops and continues it; `on_exit` comes once,
        after all output, when every process is gone."""
        reading, writing = os.pipe()
        frames = {"_LAMBDA_TELEMETRY_LOG_FD": str(writing)} if program.frames else {}
        variables = {**program.variables, **frames, **guardian.mark()}
        command = machine.sandbox.command(Program(program.argv, variables, program.reads), place)
        try:
            process = await asyncio.create_subprocess_exec(
                *machine.storage.command(command.argv, command.cwd),
                env=dict(command.variables),
                cwd=command.cwd,
                stdin=asyncio.subprocess.DEVNULL,
                stdout=writing,
                stderr=writing,
                pass_fds=(writing,),
                start_new_session=True,
            )
        except BaseException:
            os.close(reading)
            raise
        finally:
            os.close(writing)
        guardian.watch(process.pid)
        _limit_descriptors(process.pid)
        capture, wrapped = Capture(reading, on_output), machine.sandbox.wrapped
        return cls(process, capture, guardian, wrapped, watch, on_exit)

    @property
    def pids(self) -> list[int]:
        """Of the program and what it started, without bubblewrap's own around it."""
        return [pid for pid, _ in self._group.processes()][_WRAPPERS if self._wrapped else 0 :]

    def terminate(self) -> None:
        """Ask the program and what it started to end: SIGTERM, but not for bubblewrap's own processes around it, whose
        end would be that of all others at once."""
        for pid in self.pids:
            with contextlib.suppress(ProcessLookupError, PermissionError):
                os.kill(pid, signal.SIGTERM)

    def kill(self) -> None:
        self._watch.remove(self._group)
        self._group.kill()

    def drain(self, flush: bool = False) -> None:
        """Deliver what was printed up to now, if `flush` also a line that has not ended."""
        self._capture.drain(flush)

    async def wait(self) -> None:
        """Until it is gone and `on_exit` was called."""
        await asyncio.shield(self._task)

    def _breached(self, breach: Breach) -> None:
        self._breach = breach
        self.kill()

    async def _wait_for_exit(self) -> None:
        code = await self._process.wait()
        self._watch.remove(self._group)
        self._group.kill_the_rest()
        self._guardian.forget(self._process.pid)
        try:
            self._capture.close()
        finally:
            self._tell_exit(code)

    def _tell_exit(self, code: int) -> None:
        if self._wrapped and code > 128:  # as a shell reports it, so does bubblewrap
            code = 128 - code
        memory = self._watch.max_memory_mb()
        self._on_exit(Exit(code if code >= 0 else None, -code if code < 0 else None, memory, self._breach))


def _limit_descriptors(pid: int) -> None:
    """For the process and all that come after it: who is started meanwhile inherits the limit, or is found here."""
    if sys.platform == "linux":
        for each, _ in tree(pid):
            with contextlib.suppress(OSError):
                resource.prlimit(each, resource.RLIMIT_NOFILE, (DESCRIPTORS, DESCRIPTORS))
