"""However a laboratory ends, no process and no file of it is left: real laboratories, killed in every way."""

from __future__ import annotations

import contextlib
import os
import pty
import select
import shutil
import signal
import subprocess
import sys
import tempfile
import termios
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import psutil
import pytest

EXPERIMENT = """
title: Nothing outlives us
functions:
  F:
    handler: app.handler
    timeout: 60
    code: {code}
    layers: [./layer]
steps:
  - name: one that freezes
    invoke: {{event: {{}}}}
  - name: one that goes on
    invoke: {{event: {{"sleep": 60}}}}
"""
HANDLER = """
import subprocess, time

def handler(event, context):
    subprocess.Popen(["sleep", "61"], start_new_session=True)
    time.sleep(event.get("sleep", 0))
"""
EXTENSION = f"""#!{sys.executable}
import os, signal, time, urllib.request
signal.signal(signal.SIGTERM, signal.SIG_IGN)
api = "http://" + os.environ["AWS_LAMBDA_RUNTIME_API"] + "/2020-01-01/extension"
headers = {{"Lambda-Extension-Name": "stubborn"}}
answer = urllib.request.urlopen(urllib.request.Request(api + "/register", b'{{"events": ["SHUTDOWN"]}}', headers))
headers = {{"Lambda-Extension-Identifier": answer.headers["Lambda-Extension-Identifier"]}}
urllib.request.urlopen(urllib.request.Request(api + "/event/next", headers=headers))
time.sleep(60)
"""


@pytest.fixture
def experiment(tmp_path: Path) -> Path:
    (tmp_path / "code").mkdir()
    extension = tmp_path / "layer/extensions/stubborn"
    extension.parent.mkdir(parents=True)
    extension.write_text(EXTENSION)
    extension.chmod(0o755)
    (tmp_path / "code/app.py").write_text(HANDLER)
    file = tmp_path / "experiment.yaml"
    file.write_text(EXPERIMENT.format(code="./code"))
    return file


@pytest.fixture
def temporary() -> Iterator[Path]:
    """Where laboratories put their folders, which must be empty in the end; a short path, as a socket's must be."""
    folder = Path(tempfile.mkdtemp(prefix="outlive-", dir="/tmp"))
    yield folder
    for process in processes_with(str(folder)):
        with contextlib.suppress(psutil.Error):
            process.kill()
    shutil.rmtree(folder, ignore_errors=True)


def processes_with(word: str, name: str = "") -> list[psutil.Process]:
    """Processes of this name that have this word in their environment variables, zombies aside."""
    found = []
    for process in psutil.process_iter():
        with contextlib.suppress(psutil.Error):
            if (
                process.status() != psutil.STATUS_ZOMBIE
                and name in process.name()
                and any(word in value for value in process.environ().values())
            ):
                found.append(process)
    return found


def until(happened: Callable[[], object], what: str) -> None:
    deadline = time.monotonic() + 30
    while not happened():
        assert time.monotonic() < deadline, f"waited in vain for {what}"
        time.sleep(0.02)


def variables(folder: Path) -> dict[str, str]:
    return {**os.environ, "TMPDIR": str(folder), "LANG": "C.UTF-8", "TERM": "xterm-256color"}


def functions(folder: Path) -> list[psutil.Process]:
    """What the handler started, once for each invocation."""
    return processes_with(str(folder), "sleep")


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP, signal.SIGKILL])
def test_a_run(experiment: Path, temporary: Path, number: signal.Signals) -> None:
    process = subprocess.Popen(
        [sys.executable, "-m", "lambdatui", "run", str(experiment)],
        env=variables(temporary),
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
    )
    until(lambda: len(functions(temporary)) >= 2, "the second invocation")
    process.send_signal(number)
    _, errors = process.communicate(timeout=30)
    assert process.returncode == (-9 if number == signal.SIGKILL else 128 + number)
    assert b"Traceback" not in errors
    until(lambda: not processes_with(str(temporary)), "the end of all processes")
    until(lambda: not list(temporary.iterdir()), "the end of all files")


def _is_laboratory(process: psutil.Process) -> bool:
    with contextlib.suppress(psutil.Error):
        return "lambdatui.control.server" in process.cmdline()
    return False


class Screen:
    """`lambdatui EXPERIMENT` in a terminal of its own."""

    def __init__(self, experiment: Path, temporary: Path) -> None:
        self.temporary = temporary
        self.terminal, inner = pty.openpty()
        termios.tcsetwinsize(self.terminal, (24, 80))
        self.before = termios.tcgetattr(inner)
        self.inner = inner
        self.process = subprocess.Popen(
            [sys.executable, "-m", "lambdatui", str(experiment)],
            env=variables(temporary),
            stdin=inner,
            stdout=inner,
            stderr=inner,
            start_new_session=True,
        )
        self.seen = b""

    def read(self) -> None:
        while select.select([self.terminal], [], [], 0)[0]:
            self.seen += os.read(self.terminal, 65536)

    def until(self, happened: Callable[[], object], what: str) -> None:
        def read_and_look() -> object:
            self.read()
            return happened()

        until(read_and_look, what)

    def press(self, keys: bytes) -> None:
        os.write(self.terminal, keys)

    def laboratory(self) -> psutil.Process:
        return next(each for each in psutil.Process(self.process.pid).children() if _is_laboratory(each))

    def close(self) -> None:
        if self.process.poll() is None:
            self.process.kill()
            self.process.wait()
        os.close(self.terminal)
        os.close(self.inner)


@pytest.fixture
def screen(experiment: Path, temporary: Path) -> Iterator[Screen]:
    screen = Screen(experiment, temporary)
    try:
        screen.until(lambda: b"one that freezes" in screen.seen, "the screen")
        screen.press(b"\r")
        screen.until(lambda: b"on to step 2" in screen.seen, "the first invocation")
        screen.press(b"\r")
        screen.until(lambda: len(functions(temporary)) >= 2, "the second invocation")
        yield screen
    finally:
        screen.close()


@pytest.mark.parametrize(
    ("how", "code"),
    [
        ("q", 0),
        ("ctrl+c", 130),
        ("SIGTERM", 143),
        ("SIGHUP", 129),
        ("the laboratory is killed", 1),
        ("the screen is killed", -9),
    ],
)
def test_a_screen(screen: Screen, temporary: Path, how: str, code: int) -> None:
    match how:
        case "q":
            screen.press(b"q")
        case "ctrl+c":
            screen.press(b"\x03")
        case "the laboratory is killed":
            screen.laboratory().kill()
        case "the screen is killed":
            screen.process.kill()
        case name:
            screen.process.send_signal(signal.Signals[name])
    screen.until(lambda: screen.process.poll() is not None, "the end of the screen")
    screen.until(lambda: not processes_with(str(temporary)), "the end of all processes")
    screen.until(lambda: not list(temporary.iterdir()), "the end of all files")
    assert screen.process.returncode == code
    assert b"Traceback" not in screen.seen
    screen.read()
    assert termios.tcgetattr(screen.inner) == screen.before, "the terminal is as it was"
    for mode in (b"1049", b"1000", b"1003", b"1006", b"2004"):
        assert screen.seen.rfind(b"\x1b[?%sl" % mode) > screen.seen.rfind(b"\x1b[?%sh" % mode), mode
    assert screen.seen.rfind(b"\x1b[?25h") > screen.seen.rfind(b"\x1b[?25l"), "the cursor is shown"
    if how == "the laboratory is killed":
        assert b"laboratory was ended by SIGKILL" in screen.seen


def test_a_screen_whose_terminal_goes_without_a_word(screen: Screen, temporary: Path) -> None:
    os.close(screen.inner)
    os.close(screen.terminal)
    screen.inner, screen.terminal = pty.openpty()  # for the fixture to close
    until(lambda: screen.process.poll() is not None, "the end of the screen")
    until(lambda: not processes_with(str(temporary)), "the end of all processes")
    until(lambda: not list(temporary.iterdir()), "the end of all files")
