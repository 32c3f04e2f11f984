"""The processes of one execution environment: a group of their own, their output on one pipe, stopped and continued."""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from lambdatui.sandbox.capture import Capture, Output
from lambdatui.sandbox.guardian import Guardian
from lambdatui.sandbox.sandbox import Place, Program, Sandbox

_WRAPPERS = 2
"""bubblewrap's own processes around a program: one that waits outside, and the first of the new process numbers."""


@dataclass(frozen=True)
class Exit:
    """How a process ended: `code`, or the number of the `signal`. As text it is worded as Lambda words it."""

    code: int | None
    signal: int | None
    max_memory_mb: int

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
        on_exit: Callable[[Exit], None],
    ) -> None:
        self._process = process
        self._capture = capture
        self._guardian = guardian
        self._wrapped = wrapped
        self._on_exit = on_exit
        self._max_memory_mb = 0
        self._strays: list[int] = []
        self._task = asyncio.create_task(self._watch())

    @classmethod
    async def start(
        cls,
        sandbox: Sandbox,
        program: Program,
        place: Place,
        *,
        guardian: Guardian,
        on_output: Callable[[list[Output]], None],
        on_exit: Callable[[Exit], None],
    ) -> Process:
        """Start it; raises OSError. `on_exit` comes once, after all output, when every process is gone."""
        reading, writing = os.pipe()
        frames = {"_LAMBDA_TELEMETRY_LOG_FD": str(writing)} if program.frames else {}
        variables = {**program.variables, **frames, **guardian.mark()}
        command = sandbox.command(Program(program.argv, variables, program.reads), place)
        try:
            process = await asyncio.create_subprocess_exec(
                *command.argv,
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
        return cls(process, Capture(reading, on_output), guardian, sandbox.wrapped, on_exit)

    def freeze(self) -> None:
        """Stop every process, wherever in its work it is."""
        self._strays = self._signal(signal.SIGSTOP)

    def thaw(self) -> None:
        """The way back is short, because a caller waits: who is stopped is known."""
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(self._process.pid, signal.SIGCONT)
        for pid in self._strays:
            with contextlib.suppress(ProcessLookupError, PermissionError):
                os.kill(pid, signal.SIGCONT)

    def terminate(self) -> None:
        """Ask the program and what it started to end: SIGTERM, but not for bubblewrap's own processes around it, whose
        end would be that of all others at once."""
        for pid in list(_tree(self._process.pid))[_WRAPPERS if self._wrapped else 0 :]:
            with contextlib.suppress(ProcessLookupError, PermissionError):
                os.kill(pid, signal.SIGTERM)

    def kill(self) -> None:
        self.max_memory_mb()
        self._signal(signal.SIGKILL)

    def drain(self, flush: bool = False) -> None:
        """Deliver what was printed up to now, if `flush` also a line that has not ended."""
        self._capture.drain(flush)

    def max_memory_mb(self) -> int:
        """The most memory that its processes held so far: the sum of their high-water marks, in MB rounded up."""
        pids = list(_tree(self._process.pid))
        total = sum(_high_water_kb(pid) for pid in (pids[_WRAPPERS:] if self._wrapped else pids))
        self._max_memory_mb = max(self._max_memory_mb, -(-total // 1024))
        return self._max_memory_mb

    async def wait(self) -> None:
        """Until it is gone and `on_exit` was called."""
        await asyncio.shield(self._task)

    def _signal(self, number: signal.Signals) -> list[int]:
        """Those of its processes that made a session of their own, and so are not in the group."""
        pids = list(_tree(self._process.pid))  # looked for first: orphans have another parent
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(self._process.pid, number)
        strays = []
        for pid in pids:
            with contextlib.suppress(ProcessLookupError, PermissionError):
                if os.getpgid(pid) != self._process.pid:
                    os.kill(pid, number)
                    strays.append(pid)
        return strays

    async def _watch(self) -> None:
        code = await self._process.wait()
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(self._process.pid, signal.SIGKILL)  # what it started and left behind
        self._guardian.forget(self._process.pid)
        self._capture.close()
        if self._wrapped and code > 128:  # as a shell reports it, so does bubblewrap
            code = 128 - code
        self._on_exit(Exit(None, -code, self._max_memory_mb) if code < 0 else Exit(code, None, self._max_memory_mb))


def _tree(pid: int) -> Iterator[int]:
    """The process and its descendants, parents first, from Linux' /proc; elsewhere only itself."""
    waiting = [pid]
    while waiting:
        pid = waiting.pop()
        yield pid
        with contextlib.suppress(OSError):
            for task in os.listdir(f"/proc/{pid}/task"):
                with open(f"/proc/{pid}/task/{task}/children") as file:
                    waiting += map(int, file.read().split())


def _high_water_kb(pid: int) -> int:
    try:
        with open(f"/proc/{pid}/status") as file:
            return next((int(line.split()[1]) for line in file if line.startswith("VmHWM:")), 0)
    except OSError:
        return 0
