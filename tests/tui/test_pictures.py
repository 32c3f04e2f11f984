"""The screen as pictures: its main states at each of the sizes it is made for. `--snapshot-update` takes them anew."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from textual.pilot import Pilot
from textual.widgets import Input

from lambdatui import events as ev
from lambdatui.tui.glyphs import ASCII
from tests.tui import recorded
from tests.tui.recorded import Script
from tests.tui.stage import Stage

SMALL, USUAL, LARGE = (80, 24), (120, 40), (160, 50)
Compare = Callable[..., bool]


def looks_the_same(compare: Compare, stage: Stage, size: tuple[int, int], keys: tuple[str, ...] = ()) -> bool:
    async def prepare(pilot: Pilot[Any]) -> None:
        stage.pilot = pilot
        await stage.settled()
        for key in keys:
            await stage.press(key)
        for each in stage.app.screen.query(Input):
            each.cursor_blink = False
        await pilot.pause()

    return compare(stage.app, terminal_size=size, run_before=prepare)


def later(script: Script, seconds: float) -> Stage:
    stage = Stage(script)
    stage.now += seconds
    return stage


@pytest.mark.parametrize("size", [SMALL, USUAL, LARGE], ids="{0[0]}x{0[1]}".format)
@pytest.mark.parametrize(
    "script",
    [recorded.at_start, recorded.cold_init, recorded.three_busy, recorded.after_timeout, recorded.reloaded],
    ids=lambda script: script.__name__,
)
def test_states(snap_compare: Compare, script: Callable[[], Script], size: tuple[int, int]) -> None:
    assert looks_the_same(snap_compare, later(script(), 0.8 if script is recorded.three_busy else 0.0), size)


@pytest.mark.parametrize("size", [SMALL, LARGE], ids="{0[0]}x{0[1]}".format)
@pytest.mark.parametrize("script", [recorded.chinese, recorded.hostile], ids=lambda script: script.__name__)
def test_texts(snap_compare: Compare, script: Callable[[], Script], size: tuple[int, int]) -> None:
    assert looks_the_same(snap_compare, Stage(script()), size)


def test_a_step_that_could_not_be_carried_out(snap_compare: Compare) -> None:
    assert looks_the_same(snap_compare, Stage(recorded.step_error()), USUAL)


@pytest.mark.parametrize("size", [SMALL, USUAL, LARGE], ids="{0[0]}x{0[1]}".format)
def test_the_end(snap_compare: Compare, size: tuple[int, int]) -> None:
    assert looks_the_same(snap_compare, Stage(recorded.all_done()), size, ("enter",))


@pytest.mark.parametrize("size", [SMALL, USUAL], ids="{0[0]}x{0[1]}".format)
@pytest.mark.parametrize(
    "keys",
    [("question_mark",), ("u",), ("z",), ("slash", *"time"), ("2", "j")],
    ids=["help", "configuration", "zoomed", "filter", "cursor"],
)
def test_keys(snap_compare: Compare, keys: tuple[str, ...], size: tuple[int, int]) -> None:
    assert looks_the_same(snap_compare, Stage(recorded.after_timeout()), size, keys)


@pytest.mark.parametrize("size", [SMALL, USUAL, LARGE], ids="{0[0]}x{0[1]}".format)
def test_the_timeline(snap_compare: Compare, size: tuple[int, int]) -> None:
    assert looks_the_same(snap_compare, Stage(recorded.reused()), size, ("tab", "5", "comma"))


@pytest.mark.parametrize("size", [(70, 20), (59, 15)], ids="{0[0]}x{0[1]}".format)
def test_little_room(snap_compare: Compare, size: tuple[int, int]) -> None:
    assert looks_the_same(snap_compare, Stage(recorded.three_busy()), size)


@pytest.mark.parametrize("size", [SMALL, USUAL], ids="{0[0]}x{0[1]}".format)
def test_without_colours(snap_compare: Compare, monkeypatch: pytest.MonkeyPatch, size: tuple[int, int]) -> None:
    monkeypatch.setenv("NO_COLOR", "1")
    assert looks_the_same(snap_compare, Stage(recorded.after_timeout()), size)


def test_ascii(snap_compare: Compare) -> None:
    assert looks_the_same(snap_compare, Stage(recorded.after_timeout(), ASCII), SMALL)


@pytest.mark.parametrize("size", [SMALL, USUAL, LARGE], ids="{0[0]}x{0[1]}".format)
@pytest.mark.parametrize(
    "keys",
    [("L", "j", "j", "j"), ("z", "L", "j", "j", "j", "space"), ("z", *"kkkkkvT"), ("z", "s", *"error", "enter")],
    ids=["tree", "interleaved", "unfolded", "search"],
)
def test_logs(snap_compare: Compare, keys: tuple[str, ...], size: tuple[int, int]) -> None:
    assert looks_the_same(snap_compare, Stage(recorded.logging()), size, ("tab", "4", *keys))


@pytest.mark.parametrize("size", [SMALL, USUAL, LARGE], ids="{0[0]}x{0[1]}".format)
def test_the_code(snap_compare: Compare, size: tuple[int, int]) -> None:
    assert looks_the_same(snap_compare, Stage(recorded.reloaded()), size, ("d",))


@pytest.mark.parametrize("size", [SMALL, USUAL, LARGE], ids="{0[0]}x{0[1]}".format)
def test_a_hint(snap_compare: Compare, size: tuple[int, int]) -> None:
    assert looks_the_same(snap_compare, Stage(recorded.at_start().add(ev.HintTaken(0))), size, ("2", "G"))


@pytest.mark.parametrize("size", [SMALL, USUAL, LARGE], ids="{0[0]}x{0[1]}".format)
def test_evidence(snap_compare: Compare, size: tuple[int, int]) -> None:
    assert looks_the_same(snap_compare, Stage(recorded.after_timeout()), size, ("y",))
