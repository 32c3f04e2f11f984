"""The Logs panel: which streams it shows, search and filter, jumps, times, folding, copying and saving."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from textual.widgets import Input

from lambdatui import events as ev
from lambdatui.tui import clipboard
from lambdatui.tui.log_jumps import parse_jump
from lambdatui.tui.record_rows import pretty_record, record_rows
from lambdatui.tui.screens.laboratory import LaboratoryScreen
from lambdatui.tui.widgets.log_view import LogView
from lambdatui.tui.widgets.logs import Logs
from lambdatui.tui.widgets.stream_tree import StreamTree
from tests.tui import recorded
from tests.tui.recorded import ENVIRONMENTS, NASTY, REQUESTS, START
from tests.tui.stage import Stage

SMALL, LARGE = (80, 24), (160, 50)


def streams_in_sight(stage: Stage) -> set[str]:
    view = stage.screen.query_one(LogView)
    return {view._stream_of(position).name.rpartition("]")[2][:6] for position in range(view.total)}


def cursor_row(stage: Stage) -> str:
    view = stage.screen.query_one(LogView)
    return next(
        row for number, row in zip(view.rows_visible, stage.rows("#log"), strict=True) if view.is_cursor(number)
    )


async def write(stage: Stage, text: str) -> None:
    field = stage.screen.query_one("#ask", Input)
    field.value = text
    await stage.press("enter")


# -- streams --------------------------------------------------------------------------------------------------------


async def test_the_tree_lies_over_the_log_where_there_is_little_room_and_shows_one_stream() -> None:
    async with Stage(recorded.logging()).up(SMALL) as stage:
        await stage.press("4", "L")
        assert not stage.screen.query_one(LogView).display
        assert "/aws/lambda/TestInvocation" in stage.rows("#branches")[1]
        await stage.press("j", "j")
        assert "timed out a1b2c3d4" in stage.rows("#branches")[2] and "$LATEST" in stage.rows("#branches")[2]
        await stage.press("enter")
        assert stage.screen.query_one(LogView).display and stage.panel == 4
        assert streams_in_sight(stage) == {"a1b2c3"} and "[$LATEST]a1b2c3d4" in stage.title("#logs")
        assert not stage.player.commands, "enter was not the next step"


async def test_the_tree_lies_beside_the_log_and_streams_are_added_and_taken_away() -> None:
    async with Stage(recorded.logging()).up(LARGE) as stage:
        await stage.press("4", "z", "L", "j", "j", "l", "L", "L", "j", "space")
        assert stage.screen.query_one(LogView).display
        assert streams_in_sight(stage) == {"a1b2c3", "91bc00"} and "2 of 4 streams" in stage.title("#logs")
        assert stage.rows("#branches")[3].strip().startswith("[x]")
        stage.script.log(ENVIRONMENTS[1], "one more").log(ENVIRONMENTS[2], "not this")
        await stage.play()
        assert stage.rows("#log")[-1].endswith("one more")
        await stage.press("space")
        assert streams_in_sight(stage) == {"a1b2c3"}
        await stage.press("g", "enter")
        assert len({*streams_in_sight(stage)}) == 4
        await stage.press("escape")
        assert not stage.screen.query_one("#tree").display


async def test_a_group_is_shown_with_all_of_its_streams_and_streams_that_come_are_in_the_tree() -> None:
    async with Stage(recorded.logging()).up((120, 40)) as stage:
        await stage.press("4", "L", *["j"] * 5)
        stage.script.add(ev.LogStreamCreated("/ecs/audit", "cashier/2"), ev.LogGroupCreated("/empty", {}))
        await stage.play()
        rows = stage.rows("#branches")
        assert any("no streams" in row and "/empty" in row for row in rows) and "2 streams" in rows[5]
        await stage.press("enter")
        assert [row.rsplit("  ", 1)[-1].strip() for row in stage.rows("#log")] == ["drawer opened", "drawer closed"]


# -- search, filter and jumps ---------------------------------------------------------------------------------------


async def test_a_search_hides_nothing_and_counts_and_a_filter_hides() -> None:
    async with Stage(recorded.logging()).up((120, 40)) as stage:
        await stage.press("4", "z")
        everything = stage.rows("#log")
        await stage.press("s", *"start", "enter")
        assert stage.rows("#log") == everything and "match 4/4" in stage.status("#logs")
        await stage.press("N", "N")
        assert "match 2/4" in stage.status("#logs") and "START RequestId: 2f0c1d2e" in cursor_row(stage)
        await stage.press("slash")
        assert len(stage.rows("#log")) == 4
        await stage.press("enter", "m")
        assert len(stage.rows("#log")) == len(everything)


async def test_jumps_lead_to_times_errors_and_starts() -> None:
    async with Stage(recorded.logging()).up((120, 40)) as stage:
        await stage.press("4", "z", "left_curly_bracket")
        assert "START RequestId: 2f0c1d2e" in cursor_row(stage) and "22:13:26" in cursor_row(stage)
        await stage.press("left_curly_bracket")
        assert "START RequestId: 3f0c1d2e" in cursor_row(stage)
        await stage.press("right_curly_bracket", "right_curly_bracket")
        assert "22:13:26" in cursor_row(stage) and "no START after" in stage.told
        for typed, there in (
            ("22:13:24", "Task timed out"),
            ("first error", "1f0c1d2e"),
            ("last error", "ZeroDivisionError"),
            ("-5s", "START RequestId: 1f0c1d2e"),
            ("+ 3000ms", "Task timed out"),
            ("2023-11-14T22:13:26Z", "START RequestId: 2f0c1d2e"),
        ):
            await stage.press("J")
            await write(stage, typed)
            assert there in cursor_row(stage), typed
        await stage.press("J")
        await write(stage, "noon")
        assert "not a time" in stage.status("#logs")
        await stage.press("escape")
        assert not stage.screen.query_one("#ask").display
        await stage.press("tab", "4", "S")
        assert "START RequestId: 1f0c1d2e" in cursor_row(stage), "the chosen invocation"


@given(st.text(max_size=12))
def test_whatever_is_typed_is_a_jump_or_a_sentence(text: str) -> None:
    try:
        jump = parse_jump(text, START)
    except ValueError as problem:
        assert "12:03:11" in str(problem)
    else:
        assert isinstance(jump, float) or jump in ("first error", "last error")


# -- what a record looks like ---------------------------------------------------------------------------------------


async def test_times_go_through_their_kinds() -> None:
    async with Stage(recorded.logging()).up((120, 40)) as stage:
        await stage.press("4", "z")
        assert stage.rows("#log")[0].startswith("22:13:21.100 a1b2c3 START")
        await stage.press("T")
        assert [row.split()[0] for row in stage.rows("#log")[6:8]] == ["+3.000", "+3.000"]
        await stage.press("T")
        assert stage.rows("#log")[0].startswith("2023-11-14T22:13:21.100Z a1b2c3 START")
        await stage.press("T")
        assert stage.rows("#log")[0].startswith("a1b2c3 START")


async def test_a_long_record_is_folded_and_json_is_pretty_when_it_is_unfolded() -> None:
    async with Stage(recorded.logging()).up((120, 40)) as stage:
        await stage.press("4", "z", "J")
        await write(stage, "last error")
        text = "\n".join(stage.rows("#log"))
        assert "[8 more lines: v unfolds]" in text and "part_5" not in text
        await stage.press("v")
        text = "\n".join(stage.rows("#log"))
        assert "more lines" not in text and "part_5" in text
        await stage.press("k", "v")
        assert any(row.endswith('"message": "order taken",') for row in stage.rows("#log"))
        await stage.press("v")
        assert any('"order taken", "order"' in row for row in stage.rows("#log"))


@given(st.text(max_size=60), st.integers(2, 20) | st.none(), st.integers(2, 9))
def test_folded_rows_are_the_first_of_all_rows(text: str, cells: int | None, at_most: int) -> None:
    every, folded = record_rows(text, cells), record_rows(text, cells, at_most)
    assert not every.note and "".join(every.texts) == text.replace("\n", "")
    if folded.note:
        assert every.height > at_most == folded.height and folded.texts == every.texts[: at_most - 1]
    else:
        assert folded == every


def test_a_huge_record_is_looked_at_in_its_beginning() -> None:
    rows = record_rows("x" * 10_000_000, 50, 8)
    assert rows.height == 8 and rows.note == f"[{10_000_000 - 350} more characters: v unfolds]"
    assert len("".join(record_rows("y" * 10_000_000, None).texts)) < 100_000


@given(st.dictionaries(st.text(max_size=5), st.integers() | st.text(max_size=5), max_size=3))
def test_json_stays_what_it_is(record: dict[str, int | str]) -> None:
    text = json.dumps(record)
    assert json.loads(pretty_record(text)) == record
    assert pretty_record(f"INFO {text}").startswith("INFO\n{" if record else "INFO\n{}")


# -- copying and saving ---------------------------------------------------------------------------------------------


async def test_records_are_copied_as_selected_and_with_time_and_stream(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(clipboard, "_TOOLS", ())
    async with Stage(recorded.logging()).up((120, 40)) as stage:
        await stage.press("4", "z", "g", "V", "j", "j")
        assert "3 lines selected" in stage.status("#logs")
        await stage.press("c")
        assert stage.app.clipboard.splitlines()[1:] == [
            "[INFO] going to sleep, number 1",
            f"START RequestId: {REQUESTS[1]} Version: $LATEST",
        ]
        await stage.press("escape", "C")
        stream = f"2023/11/14/[$LATEST]{ENVIRONMENTS[1] * 2}"
        assert (
            stage.app.clipboard == f"2023-11-14T22:13:21.100Z {stream} START RequestId: {REQUESTS[1]} Version: $LATEST"
        )


async def test_what_is_shown_is_saved_and_a_file_is_not_lost_by_it(tmp_path: Path) -> None:
    path = tmp_path / "some.log"
    async with Stage(recorded.logging()).up((120, 40)) as stage:
        await stage.press("4", "slash", *"drawer", "enter", "ctrl+s")
        await write(stage, str(path))
        assert stage.told.startswith("2 lines saved to")
        assert path.read_text() == (
            "2023-11-14T22:13:26.000Z cashier/1 drawer opened\n2023-11-14T22:13:27.000Z cashier/1 drawer closed\n"
        )
        path.write_text("precious")
        await stage.press("ctrl+s")
        await write(stage, str(path))
        assert "enter again replaces it" in stage.status("#logs") and path.read_text() == "precious"
        await stage.press("enter")
        assert path.read_text().startswith("2023")
        await stage.press("ctrl+s")
        await write(stage, str(tmp_path / "none" / "some.log"))
        assert "No such file" in stage.status("#logs")


# -- hostile texts --------------------------------------------------------------------------------------------------

CORPUS = (
    NASTY,
    "\x1b]52;c;b3duZWQ=\x07 clipboard",
    "\x1b]8;;http://evil.example\x1b\\link\x1b]8;;\x1b\\",
    "\x1b]0;title\x1b\\",
    "\x9d0;title in 8 bits\x9c",
    "\x9b2J\x9b1;1H home",
    "\x1b[?1049h\x1b[?25l\x1b[6n\x1b[c asks the terminal",
    "\x1bP+q544e\x1b\\ DCS \x90$qm\x9c",
    "\x1b_apc\x1b\\ \x1b^pm\x1b\\ \x1bX sos\x1b\\ \x98sos\x9c",
    "\x1bc reset \x1b#8 \x1b(0 lqk \x0e\x0f",
    "\u202egnp.exe\u202c \u2066isolate\u2069 \u200f\u061c",
    "zero\u200bwidth\u2060\ufeff\u00adsoft",
    "Z" + "\u0301" * 5000 + "algo \u20dd\ufe0f",
    "x" * 300_000,
    "逾" * 100_000,
    "\t" * 500 + "tabs",
    "\ud83d lone \udc00 surrogates",
    "\x08" * 200 + "\x7f\x00 nul and backspace",
    "line\x0bvertical\x0cform\x85next\u2028separated\u2029",
    '{"a": "\\u001b]0;json\\u0007", "b": "\\u009b2J\\u202e"}',
    "[bold]markup[/] [@click=app.quit]click[/] [$LATEST] \\[",
)
FORBIDDEN = {chr(code) for code in (*range(32), *range(0x7F, 0xA0), *range(0x202A, 0x202F), *range(0x2066, 0x206A))} | {
    *("\u200b", "\u200f", "\u061c", "\ufeff", "\xad", "\u2060", "\u2028", "\u2029")
}


@pytest.mark.parametrize("size", [SMALL, (120, 40), LARGE], ids="{0[0]}x{0[1]}".format)
async def test_nothing_that_is_logged_disturbs_the_terminal(size: tuple[int, int]) -> None:
    script = recorded.three_busy()
    for text in CORPUS:
        script.log(ENVIRONMENTS[0], text, request=REQUESTS[0])
    for number, text in enumerate(CORPUS):
        name = text[:300]
        script.add(
            ev.LogStreamCreated(f"{name}{number}", name), ev.LogEventsPut(f"{name}{number}", name, (1,), (text,))
        )
    async with Stage(script).up(size) as stage:
        seen: set[str] = set()
        await stage.press("4", "z", "g")
        for key in (
            *["v", "ctrl+d"] * 12,
            "w",
            "g",
            *["ctrl+d"] * 6,
            "l",
            "T",
            "L",
            *["ctrl+d"] * 6,
            "enter",
            "L",
            "L",
        ):
            await stage.pilot.press(key)
            await stage.pilot.pause()
            drawn = stage.drawn()
            seen |= set(drawn)
            assert not set(drawn) & (FORBIDDEN - {"\n"}), key
            strips = stage.app.screen._compositor.render_strips()
            assert {strip.cell_length for strip in strips} == {size[0]}, key
            assert all(ord(character) < 0xD800 or ord(character) > 0xDFFF for character in seen)
        assert "逾" in seen


def test_no_key_of_the_log_means_something_else_there_and_all_are_in_the_help() -> None:
    mine = [each for widget in (Logs, LogView, StreamTree) for each in widget.BINDINGS]
    of_screen = {key: each for each in LaboratoryScreen.BINDINGS for key in each.key.split(",")}  # type: ignore[union-attr]
    same = {"f", "w", "n", "N"}
    overlap = {key for each in mine for key in each.key.split(",")} & set(of_screen)  # type: ignore[union-attr]
    assert overlap - {"enter"} == same
    assert all(each.tooltip and each.id for each in mine)  # type: ignore[union-attr]
