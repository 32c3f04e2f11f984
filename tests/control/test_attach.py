"""Screens that are attached to somebody's laboratory: real laboratories, real terminals."""

from __future__ import annotations

import contextlib
import os
import pty
import select
import signal
import subprocess
import sys
import termios
from collections.abc import AsyncIterator, Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from lambdatui.control.attendant import door
from lambdatui.control.client import Client, CommandFailed, Launched, launch
from lambdatui.control.roles import Role
from lambdatui.journal import load
from tests.control.test_server import EXPERIMENT, HANDLER, Screen
from tests.test_env import Serve, serve, temporary
from tests.test_nothing_outlives import until

__all__ = ["serve", "temporary"]


@pytest.fixture
def experiment(tmp_path: Path) -> Path:
    (tmp_path / "code").mkdir()
    (tmp_path / "code/app.py").write_text(HANDLER)
    (tmp_path / "experiment.yaml").write_text(EXPERIMENT)
    return tmp_path / "experiment.yaml"


@pytest.fixture
def launched(experiment: Path, temporary: Path) -> Iterator[Launched]:
    launched = launch(str(experiment))
    yield launched
    launched.close()


@contextlib.asynccontextmanager
async def connected(path: Path) -> AsyncIterator[Screen]:
    screen = Screen(await Client.connect(str(path)))
    try:
        yield screen
    finally:
        await screen.close()


async def test_guests_watch_until_they_may_act(launched: Launched) -> None:
    folder = Path(launched.socket_path).parent
    async with connected(door(folder, Role.OWNER)) as owner, connected(door(folder, Role.GUEST)) as guest:
        for command in ("next", "invoke", "restart", "reclaim", "update", "predict", "stop", "save", "let_others_act"):
            with pytest.raises(CommandFailed, match=r"watching|up to the screen that opened"):
                await guest.command(command)
        await owner.command("next")
        await guest.until(lambda lab: lab.experiment and lab.experiment.steps[0].state == "passed")
        name = next(iter(guest.lab.environments))
        for screen, secret in ((owner, "hunter2"), (guest, None)):
            seen: Any = await screen.command("inspect", environment=name, reveal=True)
            assert {each["name"]: each["value"] for each in seen["variables"]}["DB_PASSWORD"] == secret
        with pytest.raises(CommandFailed, match="watching"):
            await guest.command("preview", environment=name, file="x")

        await owner.command("let_others_act", allowed=True)
        await guest.until(lambda lab: lab.others_may_act)
        await guest.command("next")
        for command in ("stop", "save", "let_others_act"):
            with pytest.raises(CommandFailed, match="up to the screen that opened"):
                await guest.command(command)

        await owner.command("let_others_act", allowed=False)
        with pytest.raises(CommandFailed, match="You are watching"):
            await guest.command("invoke")
        await guest.until(lambda lab: len(lab.invocations) == 3)


async def test_the_owner_saves_the_journal(launched: Launched, tmp_path: Path) -> None:
    async with connected(Path(launched.socket_path)) as owner:
        await owner.command("next")
        await owner.command("save", file=str(tmp_path / "saved"))
        records = [*load(tmp_path / "saved")]
        assert type(records[-1].event).__name__ == "StepFinished"
        with pytest.raises(CommandFailed, match="saved cannot be written: File exists"):
            await owner.command("save", file=str(tmp_path / "saved"))


async def test_a_laboratory_without_a_screen_has_doors_too(serve: Serve, temporary: Path) -> None:
    serve()
    (folder,) = temporary.glob("lambdatui-*")
    async with connected(door(folder, Role.GUEST)) as guest:
        await guest.until(lambda lab: lab.endpoint)
        with pytest.raises(CommandFailed, match="You are watching"):
            await guest.command("invoke")
    async with connected(door(folder, Role.OWNER)) as owner:
        with pytest.raises(CommandFailed, match="no experiment here"):
            await owner.command("next")


async def test_it_can_let_others_act_from_the_start(serve: Serve, temporary: Path, experiment: Path) -> None:
    serve(experiment, "--others-may-act")
    (folder,) = temporary.glob("lambdatui-*")
    async with connected(door(folder, Role.GUEST)) as guest:
        await guest.command("next")
        await guest.until(lambda lab: lab.experiment and lab.experiment.steps[0].state == "passed")


# -- in a terminal --------------------------------------------------------------------------------------------------


class Terminal:
    """`lambdatui attach` in a terminal of its own."""

    def __init__(self, *arguments: object) -> None:
        self._terminal, inner = pty.openpty()
        termios.tcsetwinsize(self._terminal, (40, 120))
        self.process = subprocess.Popen(
            [sys.executable, "-m", "lambdatui", *map(str, arguments)],
            env={**os.environ, "TERM": "xterm-256color", "LANG": "C.UTF-8"},
            stdin=inner,
            stdout=inner,
            stderr=inner,
            start_new_session=True,
        )
        os.close(inner)
        self.seen = b""

    def until(self, happened: Callable[[], object], what: str) -> None:
        def read_and_look() -> object:
            with contextlib.suppress(OSError):  # nobody has the other end any more
                while select.select([self._terminal], [], [], 0)[0] and (data := os.read(self._terminal, 65536)):
                    self.seen += data
            return happened()

        until(read_and_look, what)

    def until_seen(self, text: bytes) -> None:
        self.until(lambda: text in self.seen, f"{text!r}")

    def ended(self) -> int:
        self.until(lambda: self.process.poll() is not None, "the end of the screen")
        assert b"Traceback" not in self.seen
        return self.process.returncode

    def press(self, keys: bytes) -> None:
        os.write(self._terminal, keys)

    def close(self) -> None:
        if self.process.poll() is None:
            self.process.kill()
            self.process.wait()
        os.close(self._terminal)


@pytest.fixture
def terminal(temporary: Path) -> Iterator[Callable[..., Terminal]]:
    with contextlib.ExitStack() as stack:

        def start(*arguments: object) -> Terminal:
            started = Terminal(*arguments)
            stack.callback(started.close)
            return started

        yield start


def test_who_leaves_ends_nothing(serve: Serve, experiment: Path, terminal: Callable[..., Terminal]) -> None:
    process = serve(experiment)
    screen = terminal("attach", experiment)
    screen.until_seen(b"You are watching.")
    screen.press(b"i")
    screen.until_seen(b"can let others act")
    screen.press(b"q")
    assert screen.ended() == 0
    assert process.poll() is None
    again = terminal("attach")
    again.until_seen(b"You are watching.")


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGKILL])
def test_the_end_of_the_laboratory_is_told(
    serve: Serve, experiment: Path, terminal: Callable[..., Terminal], number: signal.Signals
) -> None:
    process = serve(experiment)
    screen = terminal("attach")
    screen.until_seen(b"You are watching.")
    process.send_signal(number)
    assert screen.ended() == 0
    screen.until_seen(b"lambdatui: the laboratory has ended")


def test_the_owner_of_a_screen_lets_others_act(
    experiment: Path, terminal: Callable[..., Terminal], temporary: Path
) -> None:
    owner = terminal(experiment)
    owner.until_seen(b"predict")
    guest = terminal("attach", experiment)
    guest.until_seen(b"You are watching.")
    owner.press(b"A")
    guest.until_seen(b"You may act now.")
    guest.press(b"i")
    owner.until_seen(b"succeeded")
    owner.press(b"q")
    assert (owner.ended(), guest.ended()) == (0, 0)
    until(lambda: not list(temporary.iterdir()), "the end of all files")


def test_nothing_to_attach_to(terminal: Callable[..., Terminal]) -> None:
    screen = terminal("attach")
    assert screen.ended() == 2
    screen.until_seen(b"lambdatui: no laboratory is running")
