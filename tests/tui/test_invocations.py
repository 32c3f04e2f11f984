"""The Invocations panel: one of them in full, all of them as a table, two compared, and again."""

from __future__ import annotations

import json
import re

import pytest
from textual.widgets import Input, Static, TextArea

from lambdatui import events as ev
from lambdatui.tui.glyphs import ASCII
from lambdatui.tui.json_lines import highlighted, json_lines
from lambdatui.tui.screens.event_editor import EventEditor
from lambdatui.tui.spans import plain, width
from lambdatui.tui.stack_rows import FunctionError
from lambdatui.tui.widgets.invocation_table import InvocationTable
from lambdatui.tui.widgets.invocations import Invocations
from lambdatui.tui.widgets.line_view import LineView
from lambdatui.tui.widgets.tab_line import TabLine
from tests.tui import recorded
from tests.tui.recorded import ENVIRONMENTS, FUNCTION, NASTY, REQUESTS
from tests.tui.stage import Stage

SIZES = [(80, 24), (120, 40), (160, 50)]


def numbers(stage: Stage) -> list[int]:
    """Those in the rows of the table, from the top."""
    return [int(row.replace("▸", " ").split()[0]) for row in stage.rows("#invocation-table")]


def active_tab(stage: Stage) -> str:
    line = stage.screen.query_one("#tabs", TabLine).lines[0]
    return "".join(text for text, role in line if role == "tab-active").strip()


def all_rows(stage: Stage, selector: str) -> str:
    view = stage.screen.query_one(selector, LineView)
    return "\n".join(plain(view.row(number)) for number in range(view.row_count()))


async def commanded(stage: Stage, count: int) -> None:
    """Wait until so many commands have reached the laboratory."""
    for _ in range(200):
        if len(stage.player.commands) >= count:
            return
        await stage.pilot.pause(0.02)
    raise AssertionError(f"only {stage.player.commands} came")


# -- one ------------------------------------------------------------------------------------------------------------


async def test_all_that_is_known_of_one() -> None:
    async with Stage(recorded.failed()).up((80, 24)) as stage:
        await stage.press("tab", "3", "z")
        text = all_rows(stage, "#invocation")
        for words in (
            "✕ failed  cold",
            "╌ 120 ms waiting  ▒ 180 ms init  █ 200.12 ms invoke  201 ms billed",
            "41 of 128 MB",
            "errorType    ZeroDivisionError",
            "by hand, at 22:13:21.000",
            ENVIRONMENTS[0],
            recorded.GROUP,
            f"[$LATEST]{ENVIRONMENTS[0] * 2}",
            f"request {REQUESTS[0]}",
            "[INFO] dividing",
        ):
            assert words in text
        assert '"deep": "say \\"hello\\""' in text
        drawn = next(row for row in text.splitlines() if row.startswith("took"))
        assert drawn.count("▒") > drawn.count("╌") > 0 and drawn.count("█") > drawn.count("▒")
        assert stage.screen.query_one(Invocations).copy_text().count(ENVIRONMENTS[0]) >= 2


async def test_frames_of_the_handlers_own_files_stand_out() -> None:
    error = {"errorMessage": "division by zero", "errorType": "ZeroDivisionError", "stackTrace": [*recorded.TRACE]}
    parsed = FunctionError.parse(json.dumps(error))
    assert parsed is not None
    lines = parsed.lines("▸", 80)
    assert [plain(line)[0] for line in lines[2:]] == ["▸", " ", " ", " ", "▸", " "]
    assert [line[1][1] for line in lines[2:]] == ["strong", "strong", "dim", "dim", "strong", "strong"]
    assert parsed.summary == '{"errorType": "ZeroDivisionError", "errorMessage": "division by zero"}'


def test_the_stack_of_node_says_its_error_once() -> None:
    trace = [
        "TypeError: no",
        "    at Runtime.handler (file:///var/task/index.mjs:3:9)",
        "    at Runtime.run (file:///var/runtime/index.mjs:1173:29)",
    ]
    parsed = FunctionError.parse(json.dumps({"errorType": "TypeError", "errorMessage": "no", "trace": trace}))
    assert parsed is not None and len(parsed.frames) == 2
    assert [line[1][1] for line in parsed.lines("▸", 80)[2:]] == ["strong", "dim"]


@pytest.mark.parametrize("payload", ["", "null", "[]", "{}", '"errorType"', "{", '{"a": 1}', "[" * 100_000])
def test_what_is_no_function_error(payload: str) -> None:
    assert FunctionError.parse(payload) is None


@pytest.mark.parametrize("trace", ["text", 3, None, [1, None, {}, ["f.py", 3, "f"], ["f.py", 3, "f", "x = 1"], NASTY]])
def test_any_stack_can_be_shown(trace: object) -> None:
    parsed = FunctionError.parse(json.dumps({"errorMessage": NASTY, "stackTrace": trace}))
    assert parsed is not None
    for line in parsed.lines("▸", 20):
        assert width(line) <= 24 and not {"\x1b", "\x07", "\x9b", "\u202e"} & set(plain(line))


def test_json_in_its_roles() -> None:
    assert [role for text, role in highlighted('"a": [1.5e3, -2, null, true, "x: 1"],') if role != "dim"] == [
        *("name", "number", "number", "constant", "constant", "string")
    ]
    lines = json_lines('{"a": "' + "日本語 text " * 9 + '"}', 20)
    assert len(lines) > 5 and all(width(line) <= 20 for line in lines)
    assert {role for line in lines for _, role in line} == {"name", "dim", "string"}
    assert json_lines("plain text, 1 of them", 80) == [[("plain text, 1 of them", "text")]]


async def test_who_invoked() -> None:
    script = recorded.at_start()
    for number, (step, source) in enumerate(
        ((0, ""), (None, ""), (None, "endpoint"), (None, "function URL"), (0, "destination"), (None, "recovered"))
    ):
        script.add(ev.InvocationAccepted(f"r{number}", FUNCTION, "3", "Event", "{}", step, "live", source))
    async with Stage(script).up((80, 24)) as stage:
        await stage.press("tab", "3", "z")
        told = []
        for _ in range(6):
            rows = all_rows(stage, "#invocation").splitlines()
            told.append(next(row for row in rows if row.startswith("who")).removeprefix("who").split(", at")[0].strip())
            assert any(f"{FUNCTION}:live → version 3" in row for row in rows)
            await stage.press("]")
        assert told == [
            "step 1, sleep past the timeout",
            "by hand",
            "the endpoint",
            "a function URL",
            "step 1, sleep past the timeout, by a destination",
            "recovered",
        ]


async def test_attempts_are_listed() -> None:
    request, environment = REQUESTS[0], ENVIRONMENTS[0]
    accepted = ev.InvocationAccepted(request, FUNCTION, "$LATEST", "Event", "{}", 0)
    script = recorded.at_start().at(1).add(accepted, ev.EventQueued(request, "accepted", 0.0))
    script.add(ev.AttemptStarted(request, 1)).cold(environment, request).at(1.1).running(environment, request)
    script.at(4.1).timed_out(environment, request).add(ev.EventQueued(request, "function error", 60.0)).at(64.1)
    script.add(ev.AttemptStarted(request, 2), ev.InvocationPlaced(request, environment, False))
    script.running(environment, request, init_ms=None).at(66)
    async with Stage(script).up((80, 24)) as stage:
        await stage.press("tab", "3", "z")
        rows = all_rows(stage, "#invocation").splitlines()
        at = next(number for number, row in enumerate(rows) if row.startswith("tries"))
        assert "1  ◷ timed out" in rows[at] and "3000.00 ms" in rows[at]
        assert "2  ● running" in rows[at + 1]
        assert "invoke so far" in "\n".join(rows)


async def test_a_streamed_response_is_split_at_its_first_byte() -> None:
    environment, request = ENVIRONMENTS[0], REQUESTS[0]
    script = recorded.at_start().at(1).accepted(request, step=None).cold(environment, request)
    script.at(1.061).running(environment, request).at(1.161).add(ev.InvocationStreamed(request)).at(1.461)
    script.add(ev.InvocationAnswered(request, "succeeded", '"all of it"', None))
    script.add(ev.InvocationFinished(request, environment, "succeeded", 400.0, 400, 61.0, 128, 41, None))
    async with Stage(script).up((80, 24)) as stage:
        await stage.press("tab", "3", "z")
        text = all_rows(stage, "#invocation")
        assert "█ 100 ms first byte" in text and "▓ 300 ms streaming" in text and "400.00 ms invoke" in text
        drawn = text.split("took")[1].splitlines()[0]
        assert drawn.count("▓") > drawn.count("█") > drawn.count("▒") > 0


# -- all ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("size", SIZES, ids="{0[0]}x{0[1]}".format)
async def test_the_table_opens_one_and_takes_it_back(size: tuple[int, int]) -> None:
    async with Stage(recorded.many()).up(size) as stage:
        await stage.press("tab", "3", "v")
        assert active_tab(stage) == "all 31" and numbers(stage)[:3] == [31, 30, 29]
        await stage.press("j", "j", "enter")
        assert active_tab(stage) == "✓ #29" and stage.screen.query_one("#invocation").has_focus
        assert '{"n": 27}' in " ".join(all_rows(stage, "#invocation").split()).replace("{ ", "{").replace(" }", "}")
        await stage.press("escape")
        assert active_tab(stage) == "all 31" and stage.screen.query_one("#invocation-table").has_focus
        await stage.press("escape")
        assert stage.panel == 1
        await stage.press("tab", "tab")
        assert stage.panel == 3 and stage.screen.query_one("#invocation-table").has_focus
        await stage.press("v")
        assert active_tab(stage) == "✓ #29"
    assert stage.player.commands == [], "enter was not the next step's"


async def test_it_sorts_by_keys_and_by_its_heads() -> None:
    async with Stage(recorded.many()).up((160, 50)) as stage:
        await stage.press("tab", "3", "v", "z")
        assert "↓#" in stage.rows("#invocation-heads")[0]
        await stage.press("S")
        assert numbers(stage)[:3] == [1, 2, 3] and "↑#" in stage.rows("#invocation-heads")[0]
        heads = stage.rows("#invocation-heads")[0]
        await stage.pilot.click("#invocation-heads", offset=(heads.index("duration") + 2, 0))
        await stage.settled()
        assert "↓duration" in stage.rows("#invocation-heads")[0]
        took = [float(row.split(" ms")[0].split()[-1]) for row in stage.rows("#invocation-table")]
        assert took == sorted(took, reverse=True) and numbers(stage)[0] == 1
        await stage.press("s")
        assert "↓init" in stage.rows("#invocation-heads")[0] and numbers(stage)[:2] == [1, 31]
        await stage.press("S")
        assert numbers(stage)[:2] == [1, 2], "what has none is the last either way"


async def test_the_filter_sees_columns_events_and_results() -> None:
    async with Stage(recorded.many()).up((80, 24)) as stage:
        await stage.press("tab", "3", "slash")
        for text, found in (("division", [1]), ('"n": 2[89]', [31, 30]), ("endpoint|failed", None), ("zzz", [])):
            stage.screen.query_one("#invocation-filter", Input).value = text
            await stage.settled()
            if found == []:
                assert "None of them matches" in stage.rows("#invocation-table")[0]
            elif found is not None:
                assert numbers(stage) == found
                assert stage.status("#invocations") == f"{len(found)} of 31 match"
        stage.screen.query_one("#invocation-filter", Input).value = "("
        await stage.settled()
        assert "missing )" in stage.status("#invocations")
        stage.screen.query_one("#invocation-filter", Input).value = "division"
        await stage.settled()
        await stage.press("enter")
        assert stage.screen.query_one("#invocation-table").has_focus and numbers(stage) == [1]
        await stage.press("escape")
        assert len(numbers(stage)) > 1 and stage.panel == 3


async def test_the_table_grows_with_what_happens() -> None:
    stage = Stage(recorded.three_busy())
    async with stage.up((120, 40)):
        await stage.press("tab", "3", "v", "S")
        assert ["running" in row for row in stage.rows("#invocation-table")] == [True] * 3
        stage.script.at(2).succeeded(ENVIRONMENTS[1], REQUESTS[1])
        stage.script.accepted("4a").add(ev.InvocationThrottled("4a", "x", "no"))
        await stage.play()
        words = ("running", "succeeded", "running", "throttled")
        assert [word in row for word, row in zip(words, stage.rows("#invocation-table"), strict=True)] == [True] * 4
        stage.script.opened()
        await stage.play()
        assert "i invokes the function" in stage.rows("#invocation-table")[0]


async def test_thousands_are_put_into_order_in_slices() -> None:
    script, count = recorded.at_start().at(1), 2000
    for number in range(count):
        request = f"{number:08x}"
        script.accepted(request, json.dumps({"n": number}), None).add(ev.InvocationThrottled(request, "x", "no"))
    async with Stage(script).up((120, 40)) as stage:
        await stage.press("tab", "3", "v")
        table = stage.screen.query_one(InvocationTable)
        for pattern, found in (("throttled", count), ('"n": 1...}', 1000)):
            table.filter_by(re.compile(pattern))
            assert table.matches != found, "a slice is over before all were looked at"
            for _ in range(500):
                if table.matches == found:
                    break
                await stage.pilot.pause(0.01)
            await stage.settled()
            assert f"{found} of {count} match" in stage.status("#invocations")
        assert numbers(stage)[:2] == [2000, 1999]


# -- the selection --------------------------------------------------------------------------------------------------


async def test_what_is_chosen_here_is_chosen_everywhere() -> None:
    async with Stage(recorded.after_timeout()).up((120, 40)) as stage:
        await stage.press("tab", "3", "v", "S", "g")
        assert stage.app.model.chosen == REQUESTS[0]
        await stage.press("j")
        assert stage.app.model.chosen == REQUESTS[1]
        assert "▸" in next(row for row in stage.rows("#lanes") if ENVIRONMENTS[1][:6] in row)
        line = stage.screen.query_one("#streams", TabLine).lines[0]
        assert [text.strip() for text, role in line if role == "tab-active"][-1] == ENVIRONMENTS[1][:6]
        await stage.press("5", "j")
        assert stage.app.model.chosen == REQUESTS[2]
        table = stage.screen.query_one(InvocationTable)
        assert table.is_cursor(2) and not table.is_cursor(1)


# -- again, and compared --------------------------------------------------------------------------------------------


async def test_again_is_the_same_event_qualifier_and_type() -> None:
    accepted = ev.InvocationAccepted("r1", FUNCTION, "3", "Event", '{"n": 1}', None, "live")
    async with Stage(recorded.at_start().add(accepted)).up((80, 24)) as stage:
        await stage.press("a")
        assert stage.player.commands == [], "it is this panel's key"
        await stage.press("tab", "3", "a")
        await commanded(stage, 1)
        await stage.press("e")
        assert isinstance(stage.app.screen, EventEditor) and "#1" in str(
            stage.app.screen.query_one("#editor").border_title
        )
        stage.app.screen.query_one(TextArea).text = '{"n": 2}'
        await stage.press("ctrl+s")
        await commanded(stage, 2)
    same = {"function": FUNCTION, "invocation_type": "Event", "qualifier": "live"}
    assert stage.player.commands == [
        ("invoke", {**same, "event": '{"n": 1}'}),
        ("invoke", {**same, "event": '{"n": 2}'}),
    ]
    assert stage.app.model.events_edited == {FUNCTION: '{"n": 2}'}


@pytest.mark.parametrize("size", SIZES, ids="{0[0]}x{0[1]}".format)
async def test_two_are_compared(size: tuple[int, int]) -> None:
    async with Stage(recorded.many()).up(size) as stage:
        await stage.press("tab", "3", "d")
        assert "Mark an invocation" in stage.told
        await stage.press("m")
        assert "#31 is marked" in stage.title("#invocations") and "d compares" in stage.status("#invocations")
        await stage.press("v", "G", "d", "z")
        assert active_tab(stage) == "#31 → #1"
        text = all_rows(stage, "#comparison")
        assert "#1 less #31" in text and "✓ succeeded" in text and "✕ failed" in text and "took" in text
        if size[0] > 100:
            assert any("- " in row and "│ +" in row for row in text.splitlines())
        else:
            assert "│" not in text and "- #31  + #1" in text
        assert all(width(stage.screen.query_one("#comparison", LineView).row(n)) <= size[0] for n in range(9))
        await stage.press("escape")
        assert active_tab(stage) == "all 31"
        await stage.press("m", "m")
        assert stage.app.model.marked is None


async def test_logs_that_differ_in_ids_and_times_only_are_the_same() -> None:
    async with Stage(recorded.many()).up((120, 40)) as stage:
        await stage.press("tab", "3", "m", "[", "d")
        text = all_rows(stage, "#comparison")
        assert "the same but for ids, times and figures" in text and "1 of 3 lines differ" in text


async def test_foreign_text_is_clean_in_every_view() -> None:
    script = recorded.hostile()
    script.accepted("r2", NASTY, None).add(ev.InvocationThrottled("r2", NASTY, NASTY))
    async with Stage(script, ASCII).up((120, 40)) as stage:
        for keys in (("tab", "3", "z"), ("v",), ("m", "j", "d"), ("escape", "escape")):
            await stage.press(*keys)
            assert not {"\x1b", "\x07", "\x9b", "\u202e", "│", "→"} & set(stage.drawn().replace("\x1b[", ""))


async def test_the_help_has_the_keys_of_the_panel() -> None:
    async with Stage(recorded.at_start()).up((120, 40)) as stage:
        await stage.press("question_mark")
        text = str(stage.app.screen.query_one("#help Static", Static).content)
        assert all(binding.tooltip.split(",")[0].split(":")[0] in text for binding in Invocations.BINDINGS)  # type: ignore[union-attr]


async def test_nothing_yet() -> None:
    async with Stage(recorded.at_start()).up((80, 24)) as stage:
        await stage.press("tab", "3", *"ammdsSv", "j", "k", "g", "G", "c", "escape", "escape")
        assert stage.app.model.chosen is None and stage.player.commands == []
