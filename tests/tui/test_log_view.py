"""The log: it follows, stays where one scrolled to, and keys have their turn however much is written."""

from __future__ import annotations

import asyncio

from lambdatui import events as ev
from lambdatui.tui.widgets.log_view import LogView
from lambdatui.tui.widgets.tab_line import TabLine
from tests.tui import recorded
from tests.tui.recorded import ENVIRONMENTS, REQUESTS, Script
from tests.tui.stage import Stage


def chatty(records: int, each: int = 100) -> Script:
    """An invocation that prints so many times so many lines, some of which wrap."""
    script = recorded.three_busy()
    for record in range(records):
        lines = [f"line {record * each + line} of the log {'lorem ipsum ' * (line % 9)}" for line in range(each)]
        script.log(ENVIRONMENTS[0], *lines, request=REQUESTS[0])
    return script


def view(stage: Stage) -> LogView:
    return stage.screen.query_one("#log", LogView)


async def test_the_first_lines_are_followed_to_their_end_where_they_overflow() -> None:
    async with Stage(chatty(1)).up((80, 24)) as stage:
        assert "line 99" in " ".join(stage.rows("#log"))
        assert "following" in stage.status("#logs")


async def test_what_one_looks_at_stays_through_a_zoom_and_while_more_is_written() -> None:
    stage = Stage(chatty(20))
    async with stage.up((120, 40)):
        await stage.press("4", "g", *["ctrl+d"] * 9)
        number = view(stage).rows_visible[0]
        top = stage.rows("#log")[0]
        before = stage.script.records[-1]
        assert "following" not in stage.status("#logs")
        stage.script.add(before.event)
        await stage.play()
        assert stage.rows("#log")[0] == top and "+100 new" in stage.status("#logs")
        line = view(stage)._index.at(number)[0]
        await stage.press("z")
        assert view(stage)._index.at(view(stage).rows_visible[0])[0] <= line
        assert line in {view(stage)._index.at(row)[0] for row in view(stage).rows_visible}


async def test_it_goes_on_following_through_a_zoom() -> None:
    async with Stage(chatty(20)).up((120, 40)) as stage:
        await stage.press("4", "z")
        assert "line 1999" in " ".join(stage.rows("#log")) and "following" in stage.status("#logs")
        await stage.press("z")
        assert "line 1999" in " ".join(stage.rows("#log")) and "following" in stage.status("#logs")


async def test_a_wheel_turned_up_shows_the_rows_before() -> None:
    async with Stage(chatty(20)).up((80, 24)) as stage:
        await stage.press("4")
        for _ in range(200):
            before = stage.rows("#log")
            view(stage).scroll_relative(y=-1, animate=False)
            assert stage.rows("#log")[1:] == before[:-1]


async def test_keys_have_their_turn_while_events_are_taken_in() -> None:
    stage = Stage(recorded.three_busy())
    async with stage.up((80, 24)):
        turns, done = 0, asyncio.Event()

        def turn() -> None:
            nonlocal turns
            turns += 1
            if len(stage.app.model.logbook.everything) < 200_000:  # it began anew, with another book
                asyncio.get_running_loop().call_soon(turn)
            else:
                done.set()

        stage.player.play(*chatty(2000).records)  # one batch
        turn()
        await done.wait()
    assert turns > 20


async def test_a_filter_finds_all_matches_a_slice_at_a_time() -> None:
    async with Stage(chatty(1000)).up((120, 40)) as stage:
        await stage.press("slash", *"line 777")
        expected = sum("line 777" in text for text in stage.app.model.logbook.everything.texts)
        for _ in range(500):
            if f"{expected} of" in stage.status("#logs"):
                break
            await stage.pilot.pause(0.01)
        assert f"{expected} of 100006 lines match" in stage.status("#logs")


async def test_tabs_that_were_hidden_are_all_there_when_their_panel_comes() -> None:
    async with Stage(recorded.three_busy()).up((70, 20)) as stage:
        await stage.press("tab", "tab")
        line = stage.rows("#tabs")[0]
        assert all(f"#{number}" in line for number in (1, 2, 3)), line
        await stage.press("tab")
        assert stage.screen.query_one("#streams", TabLine).lines[0][-1][0].strip() != "›"
        assert all(name[:6] in stage.rows("#streams")[0] for name in ENVIRONMENTS)


async def test_a_broken_filter_says_why_and_leaves_the_log_where_it_is() -> None:
    async with Stage(chatty(5)).up((80, 24)) as stage:
        await stage.press("slash", "(", "[")
        assert "line 499" in " ".join(stage.rows("#log"))
        assert stage.status("#logs").startswith("unterminated character set at 2")


async def test_a_carriage_return_starts_a_line() -> None:
    """awslambdaric separates the lines of a warning so."""
    script = recorded.three_busy().log(ENVIRONMENTS[0], "LAMBDA_WARNING: one\rtwo\r", request=REQUESTS[0])
    async with Stage(script).up((120, 40)) as stage:
        rows = stage.rows("#log")
        assert rows[-2].endswith("one") and rows[-1].endswith("two")


async def test_log_events_that_somebody_puts_are_shown_until_somebody_deletes_them() -> None:
    stage = Stage(recorded.three_busy())
    async with stage.up((120, 40)):
        before = stage.rows("#log")
        stage.script.add(
            ev.LogGroupCreated("audit", {}),
            ev.LogStreamCreated("audit", "mine"),
            ev.LogEventsPut("audit", "mine", (1_700_000_000_000, 1_700_000_000_001), ("by hand", "two\nlines")),
        )
        await stage.play()
        rows = stage.rows("#log")[-3:]
        assert [row[20:] for row in rows] == ["by hand", "two", "lines"], "a record with a newline is one record"
        assert [row[13:19].strip() for row in rows] == ["mine", "mine", ""]
        await stage.press("4", "[")  # the last stream
        assert [row[13:].strip() for row in stage.rows("#log")] == ["by hand", "two", "lines"]
        stage.script.add(ev.LogStreamDeleted("audit", "mine"))
        await stage.play()
        assert stage.rows("#log") == before and "mine" not in stage.rows("#streams")[0]


async def test_a_log_group_that_is_deleted_takes_the_lines_of_its_invocations_with_it() -> None:
    stage = Stage(recorded.three_busy())
    async with stage.up((120, 40)):
        environment = recorded.ENVIRONMENTS[0]
        assert any("START" in row for row in stage.rows("#invocation"))
        stage.script.add(ev.LogGroupDeleted(recorded.GROUP))
        await stage.play()
        assert stage.rows("#log") == [] and "START" not in " ".join(stage.rows("#invocation"))
        stage.script.log(environment, "again")
        await stage.play()
        assert [row.split()[1:] for row in stage.rows("#log")] == [[environment[:6], "again"]]
