"""The Timeline panel: what is on it, its cursor and its window."""

from __future__ import annotations

import pytest
from textual.events import MouseScrollDown, MouseScrollUp

from lambdatui import events as ev
from lambdatui.tui.widgets.timeline import TimelineView
from tests.tui import recorded
from tests.tui.recorded import ENVIRONMENTS, REQUESTS, Script
from tests.tui.stage import Stage


def view(stage: Stage) -> TimelineView:
    return stage.screen.query_one(TimelineView)


def lane(stage: Stage, environment: str) -> str:
    return next(row for row in stage.rows("#lanes") if environment[:6] in row)


async def test_three_rows_for_three_cold_starts_and_a_reuse_in_one_of_them() -> None:
    async with Stage(recorded.reused()).up((120, 40)) as stage:
        lanes = [lane(stage, each) for each in ENVIRONMENTS]
        assert all("✓ #" in each and "▒" in each for each in lanes)
        assert [each.count("✓") for each in lanes] == [1, 2, 1]
        assert "✓ #2" in lanes[1] and lanes[1].index("─") < lanes[1].index("✓ #4") < lanes[1].rindex("//")
        assert "✕" in stage.rows("#lanes")[0], "the throttled one is in the row of the function"
        assert "//1:00" in stage.rows("#ruler")[0] and "now" in stage.rows("#ruler")[0]
        legend = stage.rows("#legend")[0]
        assert all(word in legend for word in ("runtime init", "invoke", "frozen", "throttled", "//"))


@pytest.mark.parametrize("size", [(80, 24), (120, 40), (160, 50)])
async def test_it_is_reached_by_its_number_and_left_by_escape(size: tuple[int, int]) -> None:
    async with Stage(recorded.reused()).up(size) as stage:
        panel = stage.screen.query_one("#timeline")
        assert bool(panel.display) == (size[1] >= 34)
        await stage.press("tab", "5")
        assert stage.panel == 5 and panel.region.area
        assert (panel.size.width == size[0] - 2) and view(stage).has_focus
        await stage.press("escape")
        assert stage.panel == 1 and bool(panel.display) == (size[1] >= 34)


async def test_the_cursor_chooses_for_all_panels() -> None:
    async with Stage(recorded.reused()).up((120, 40)) as stage:
        await stage.press("tab", "5", "k", "k", "k", "k")
        assert stage.app.model.chosen == "5b"
        await stage.press("j")
        assert stage.app.model.chosen in REQUESTS
        await stage.press("j", "comma", "comma")
        assert stage.app.model.chosen == REQUESTS[1] and "▸" in lane(stage, ENVIRONMENTS[1])
        assert ENVIRONMENTS[1][:6] in stage.rows("#invocation")[0]
        assert all("number 2" in row or "number" not in row for row in stage.rows("#log"))
        await stage.press("full_stop")
        assert stage.app.model.chosen == "4a"
        await stage.press("3", "left_square_bracket", "5")
        assert stage.app.model.chosen == REQUESTS[2] and "▸" in lane(stage, ENVIRONMENTS[2])


async def test_a_click_chooses() -> None:
    async with Stage(recorded.reused()).up((120, 40)) as stage:
        rows = stage.rows("#lanes")
        number = next(n for n, row in enumerate(rows) if ENVIRONMENTS[1][:6] in row)
        await stage.pilot.click("#lanes", offset=(rows[number].index("#4"), number))
        await stage.settled()
        assert stage.app.model.chosen == "4a" and stage.panel == 5
        await stage.pilot.click("#lanes", offset=(rows[number].index("#2"), number))
        await stage.settled()
        assert stage.app.model.chosen == REQUESTS[1]


def window(stage: Stage) -> tuple[float, int]:
    """Seconds per cell, and the first cell."""
    seen = view(stage).window
    assert seen is not None
    return seen.axis.scale, seen.left


async def test_zoom_pan_and_follow() -> None:
    async with Stage(recorded.reused()).up((120, 40)) as stage:
        await stage.press("tab", "5")
        scale, left = window(stage)
        assert view(stage).following and left == 0, "all of it is in sight"
        await stage.press("plus", "plus")
        assert window(stage)[0] < scale and not view(stage).following
        assert "f follows now" in stage.title("#timeline")
        before = window(stage)[1]
        await stage.press("h")
        assert window(stage)[1] < before
        await stage.press(*["l"] * 10)
        assert view(stage).following, "who comes to the end follows"
        await stage.press("h", "0")
        assert window(stage) == (scale, 0)
        await stage.press("minus", "f")
        assert window(stage) == (scale, 0) and view(stage).following


async def test_the_cursor_brings_its_invocation_into_sight() -> None:
    async with Stage(recorded.reused()).up((120, 40)) as stage:
        await stage.press("tab", "5", *["plus"] * 3)
        await stage.press("j", "j", "comma")
        assert "✓ #" in lane(stage, ENVIRONMENTS[1])


async def test_idle_time_in_full() -> None:
    async with Stage(recorded.reused()).up((120, 40)) as stage:
        await stage.press("tab", "5", "b")
        assert "//" not in "".join((*stage.rows("#ruler"), *stage.rows("#lanes")))
        await stage.press("b")
        assert "//1:00" in stage.rows("#ruler")[0]


async def test_the_wheel_zooms_where_the_mouse_is() -> None:
    async with Stage(recorded.reused()).up((120, 40)) as stage:
        scale, _ = window(stage)
        await stage.pilot._post_mouse_events([MouseScrollUp], "#lanes", offset=(60, 2), button=0)
        await stage.settled()
        assert window(stage)[0] < scale
        await stage.pilot._post_mouse_events([MouseScrollDown], "#lanes", offset=(60, 2), button=0)
        await stage.settled()
        assert window(stage)[0] == scale


async def test_now_moves_until_idle_time_is_cut_off_and_then_all_rests() -> None:
    script = recorded.three_busy().at(2)
    for environment, request in zip(ENVIRONMENTS, REQUESTS, strict=True):
        script.succeeded(environment, request)
    stage = Stage(script)
    async with stage.up((120, 40)):
        ended = stage.rows("#ruler")[0].index("now")
        assert not stage.app.pulse.resting
        stage.now += 0.2
        await stage.settled()
        assert stage.rows("#ruler")[0].index("now") > ended
        stage.now += 60
        await stage.settled()
        assert stage.app.pulse.resting and "//  " in stage.rows("#ruler")[0]


async def test_retries_are_seen() -> None:
    request, environment = REQUESTS[0], ENVIRONMENTS[0]
    accepted = ev.InvocationAccepted(request, recorded.FUNCTION, "$LATEST", "Event", "{}", 0)
    script = recorded.at_start().at(1).add(accepted, ev.EventQueued(request, "accepted", 0.0))
    script.add(ev.AttemptStarted(request, 1)).cold(environment, request).at(1.1).running(environment, request)
    script.at(4.1).timed_out(environment, request).add(ev.EventQueued(request, "function error", 60.0)).at(64.1)
    script.add(ev.AttemptStarted(request, 2), ev.InvocationPlaced(request, environment, False))
    script.running(environment, request, init_ms=None).at(66)
    async with Stage(script).up((120, 40)) as stage:
        assert "#1" in next(row for row in stage.rows("#lanes") if "in queue" in row)
        assert "◷ #1" in lane(stage, environment) and "● #1 attempt 2" in lane(stage, environment)
        await stage.press("tab", "5", "comma")
        assert "▸◷ #1" in lane(stage, environment), "each attempt can be chosen"


async def test_environments_that_were_gone_before_the_window_take_no_row() -> None:
    script = recorded.all_done().at(13).accepted("5b").cold("5e" * 8, "5b", "the code has changed", 2)
    async with Stage(script.running("5e" * 8, "5b").at(15)).up((120, 40)) as stage:
        assert ENVIRONMENTS[2][:6] in "".join(stage.rows("#lanes"))
        await stage.press("tab", "5", *["plus"] * 3, *["l"] * 5)
        assert ENVIRONMENTS[2][:6] not in "".join(stage.rows("#lanes"))


async def test_nothing_yet() -> None:
    async with Stage(recorded.at_start()).up((120, 40)) as stage:
        assert "i invokes the function" in stage.rows("#lanes")[0]
        await stage.press("tab", "5", *"jk,.hl+-0fb")
        assert stage.app.model.chosen is None


async def test_foreign_names_are_clean() -> None:
    script = Script().opened()
    function = "F" + recorded.NASTY
    script.add(ev.FunctionCreated(function, "arn", 1, {}, recorded.CODE, "inline"))
    script.add(ev.InvocationAccepted("1", function, "$LATEST", "RequestResponse", "{}", None))
    script.add(ev.InvocationThrottled("1", "x", "no"))
    async with Stage(script).up((120, 40)) as stage:
        assert not {"\x1b", "\x07", "\x9b", "\u202e"} & set(stage.drawn())
