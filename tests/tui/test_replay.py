"""The screen on a saved journal: it shows what a live one showed at that instant, whichever way it got there."""

from __future__ import annotations

import contextlib
import subprocess
import sys
from collections.abc import AsyncIterator, Callable
from pathlib import Path

import pytest
from textual.pilot import Pilot

from lambdatui.journal import save
from lambdatui.tui.glyphs import ASCII, UNICODE, Glyphs
from lambdatui.tui.replay_app import ReplayApp
from lambdatui.tui.screens.replay import ReplayScreen
from lambdatui.tui.spans import plain
from lambdatui.tui.tape import Tape
from lambdatui.tui.widgets.key_line import KeyLine
from lambdatui.tui.widgets.line_view import LineView
from lambdatui.tui.widgets.transport import clock
from tests.tui import recorded
from tests.tui.recorded import START, Script
from tests.tui.stage import Stage
from tests.tui.test_pictures import LARGE, SMALL, USUAL, Compare


class Replay:
    """The app, and the seconds of whoever watches."""

    def __init__(self, script: Script, glyphs: Glyphs = UNICODE) -> None:
        self.now = 0.0
        self.tape = Tape(script.records, lambda: self.now)
        self.app = ReplayApp(self.tape, glyphs)
        self.pilot: Pilot[int]

    @contextlib.asynccontextmanager
    async def up(self, size: tuple[int, int] = (120, 40)) -> AsyncIterator[Replay]:
        async with self.app.run_test(size=size) as self.pilot:
            await self.settled()
            yield self

    async def settled(self) -> None:
        """Wait until the screen shows what the tape says."""
        self.app.moved()
        for _ in range(500):
            if self.app.folded == self.tape.count:
                break
            await self.pilot.pause(0.01)
        assert self.app.folded == self.tape.count
        for _ in range(3):
            self.app.pulse.now()
            await self.pilot.pause()

    async def press(self, *keys: str) -> None:
        await self.pilot.press(*keys)
        await self.settled()

    async def wait(self, seconds: float) -> None:
        self.now += seconds
        await self.settled()

    def rows(self, selector: str) -> list[str]:
        view = self.app.screen_stack[1].query_one(selector, LineView)
        return [plain(view.row(number)).rstrip() for number in view.rows_visible]

    @property
    def told(self) -> str:
        return self.app.screen_stack[1].query_one(KeyLine).told

    @property
    def transport(self) -> str:
        return self.rows("#transport")[0]


async def test_it_plays_by_itself_to_the_end() -> None:
    async with Replay(recorded.after_timeout()).up() as replay:
        assert " playing" in replay.transport
        await replay.wait(1.8)
        assert any("busy" in row and "2." in row for row in replay.rows("#table")), "the countdown has the tape's clock"
        await replay.wait(60)
        assert " ended" in replay.transport
        assert f"event {len(replay.tape.records)}/{len(replay.tape.records)}" in replay.transport
        assert replay.app.pulse.resting, "nothing moves any more"


@pytest.mark.parametrize("script", [recorded.after_timeout, recorded.all_done], ids=lambda script: script.__name__)
async def test_forth_and_back_it_shows_what_a_live_screen_showed(script: Callable[[], Script]) -> None:
    whole = script()
    async with Replay(whole).up() as replay:
        await replay.press("space")
        await replay.wait(0)
        replay.tape.seek(replay.tape.end)
        await replay.settled()
        for _ in range(12):
            await replay.press("shift+left")
        part = Script()
        part.records = whole.records[: replay.tape.count]
        part.at(replay.tape.time - START)
        live = Stage(part)
        async with live.up((120, 39)):  # there is no slider
            for selector in ("#table", "#log", "#invocation", "#lanes"):
                if selector != "#invocation" or replay.app.model.chosen == live.app.model.chosen:
                    assert replay.rows(selector) == live.rows(selector), selector
            assert replay.app.model.lab.invocations == live.app.model.lab.invocations
            assert replay.app.model.logbook.everything.texts == live.app.model.logbook.everything.texts
            assert replay.app.model.page == live.app.model.page


async def test_the_keys_move_it() -> None:
    async with Replay(recorded.all_done()).up() as replay:
        tape = replay.tape
        await replay.press("space")
        assert not tape.playing
        await replay.press("right", "right")
        assert tape.time == tape.start + 2
        await replay.press("left")
        assert tape.time == tape.start + 1
        await replay.press("enter")
        assert tape.count in tape.steps
        await replay.press("backspace", "ctrl+right", "ctrl+left", "shift+right", "shift+left")
        await replay.press("greater_than_sign")
        assert tape.speed == 2 and "2×" in replay.transport
        await replay.press("less_than_sign", "less_than_sign")
        assert tape.speed == 0.5
        await replay.press("r")
        assert (tape.time, tape.count) == (tape.start, tape.count)


async def test_the_slider_is_pointed_at() -> None:
    async with Replay(recorded.all_done()).up() as replay:
        await replay.press("space")
        slider = replay.transport
        first, last = slider.index("●"), slider.rindex("─")
        await replay.pilot.click("#transport", offset=(last, 0))
        await replay.settled()
        assert replay.tape.time == replay.tape.end
        await replay.pilot.click("#transport", offset=(first, 0))
        await replay.settled()
        assert replay.tape.time == replay.tape.start


async def test_what_would_act_is_refused_with_a_sentence() -> None:
    async with Replay(recorded.after_timeout()).up() as replay:
        for key in ("i", "p", "x", "e", "u", "t"):
            await replay.press(key)
            assert "This is a replay" in replay.told, key
            assert isinstance(replay.app.screen, ReplayScreen)


async def test_a_field_has_its_keys_for_itself() -> None:
    async with Replay(recorded.after_timeout()).up() as replay:
        await replay.press("space", "slash", "t", "i", "space", "left", "o")
        assert not replay.tape.playing
        assert replay.tape.time == replay.tape.start
        await replay.press("escape", "right")
        assert replay.tape.time == replay.tape.start + 1


async def test_the_chosen_invocation_stays_chosen() -> None:
    async with Replay(recorded.after_timeout()).up() as replay:
        replay.tape.seek(replay.tape.end)
        await replay.settled()
        await replay.press("right_square_bracket")
        chosen = replay.app.model.chosen
        assert chosen is not None
        await replay.press("shift+left", "shift+left")
        assert replay.app.model.chosen == chosen


@pytest.mark.parametrize("size", [SMALL, USUAL, LARGE], ids="{0[0]}x{0[1]}".format)
def test_a_picture(snap_compare: Compare, size: tuple[int, int]) -> None:
    replay = Replay(recorded.all_done())

    async def prepare(pilot: Pilot[int]) -> None:
        replay.pilot = pilot
        await replay.settled()
        await replay.press("space", "enter", "ctrl+right")

    assert snap_compare(replay.app, terminal_size=size, run_before=prepare)


def test_a_picture_in_ascii(snap_compare: Compare) -> None:
    replay = Replay(recorded.all_done(), ASCII)

    async def prepare(pilot: Pilot[int]) -> None:
        replay.pilot = pilot
        await replay.press("space", "enter")

    assert snap_compare(replay.app, terminal_size=SMALL, run_before=prepare)


@pytest.mark.parametrize(
    ("seconds", "total", "text"),
    [(0, 45, "0:00.0"), (12.46, 45, "0:12.4"), (61, 700, " 1:01.0"), (3723, 4000, "1:02:03"), (59, 4000, "0:00:59")],
)
def test_instants(seconds: float, total: float, text: str) -> None:
    assert clock(seconds, total) == text


# -- files ----------------------------------------------------------------------------------------------------------


def replayed(path: Path) -> tuple[int, str]:
    """In a terminal: the exit code and what is told."""
    program = "import pty, sys; sys.exit(pty.spawn(sys.argv[1:]) >> 8)"
    command = [sys.executable, "-c", program, sys.executable, "-m", "lambdatui", "replay", str(path)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, stdin=subprocess.DEVNULL)
    return done.returncode, done.stdout


@pytest.mark.parametrize(
    ("change", "line", "sentence"),
    [
        (lambda lines: [*lines[:3], lines[3][:20]], 4, "this is no line of a journal, or is not all of one"),
        (lambda lines: [lines[0].replace("LaboratoryOpened", "LaboratoryFounded")], 1, "no event of this version"),
        (lambda lines: [lines[0], "[1]"], 2, "no event of this version"),
        (lambda lines: [lines[0], lines[2]], 2, "this is record 2, where 1 has to be"),
        (lambda lines: ["\udcff"], 1, "this is no line of a journal"),
    ],
    ids=["cut", "version", "list", "gap", "bytes"],
)
def test_a_broken_line_is_named(
    tmp_path: Path, change: Callable[[list[str]], list[str]], line: int, sentence: str
) -> None:
    path = tmp_path / "journal"
    with path.open("w") as file:
        save(recorded.at_start().accepted("r").records, file)
    path.write_text("\n".join(change(path.read_text().splitlines())), errors="surrogateescape")
    code, told = replayed(path)
    assert code == 2
    assert told.startswith(f"lambdatui: {path}:{line}: {sentence}")
    assert len(told.splitlines()) == 1


def test_no_journal(tmp_path: Path) -> None:
    (tmp_path / "empty").touch()
    assert replayed(tmp_path / "empty") == (2, f"lambdatui: {tmp_path}/empty: an empty file is no journal\n")
    assert replayed(tmp_path / "no")[1] == f"lambdatui: {tmp_path}/no cannot be read: No such file or directory\n"
