"""Hints, evidence, the code and the score in the Guide, and the languages it speaks."""

from __future__ import annotations

import re
import string

import pytest
from textual.widgets import Static

from lambdatui import events as ev
from lambdatui.events import Json
from lambdatui.tui.code_rows import CodeRow, code_rows
from lambdatui.tui.screens.code import CodeScreen
from lambdatui.tui.words import CATALOGUE
from tests.tui import recorded
from tests.tui.recorded import FUNCTION, REQUESTS, Script
from tests.tui.stage import Stage


def code_shown(stage: Stage) -> str:
    return str(stage.app.screen.query_one("#code-text", Static).content)


# -- hints ----------------------------------------------------------------------------------------------------------


async def test_a_hint_is_asked_for_and_told_when_the_laboratory_has_noted_it() -> None:
    async with Stage(recorded.at_start()).up() as stage:
        assert " h  a hint  2" in stage.guide and "so it is" not in stage.guide
        await stage.press("h")
        assert stage.player.commands == [("hint", {"step": 0})]
        stage.script.add(ev.HintTaken(0))
        await stage.play()
        assert "Hint 1  Nobody set a timeout, so it is 3 s." in stage.guide and " h  another hint" in stage.guide
        stage.script.add(ev.HintTaken(0))
        await stage.play()
        assert "Hint 2" in stage.guide and " h " not in stage.guide
        await stage.press("h")
        assert stage.told == "There is no further hint." and len(stage.player.commands) == 1


async def test_there_are_no_hints_to_what_has_run_or_has_none() -> None:
    async with Stage(recorded.after_timeout()).up() as stage:
        await stage.press("h")
        assert stage.told.startswith("This step has run") and not stage.player.commands
        await stage.press("enter", "h")
        assert [name for name, _ in stage.player.commands] == []


# -- what was predicted and observed --------------------------------------------------------------------------------


async def test_a_prediction_is_revealed_against_what_happened() -> None:
    wrong = (
        recorded.at_start().at(1).add(ev.PredictionMade(0, 1), ev.StepStarted(0), ev.StepFinished(0, True, (), None))
    )
    for script, lines in (
        (recorded.after_timeout(), ["✓ Your prediction: 2 an error after 3 s"]),
        (wrong, ["✕ Your prediction: 1 the result", "✓ What happens: 2 an error after 3 s"]),
    ):
        async with Stage(script).up() as stage:
            assert [line for line in stage.guide.splitlines() if line in lines] == lines


async def test_evidence_is_pointed_at_in_the_logs_and_among_the_invocations() -> None:
    async with Stage(recorded.after_timeout()).up() as stage:
        assert " y  shows where" in stage.guide
        await stage.press("y")
        assert re.search("▸ .*Task timed out after 3.00 seconds", stage.guide)
        assert "Task timed out after 3.00 seconds" in stage.screen.query_one("#log").copy_text()  # type: ignore[attr-defined]
        await stage.press("y")
        assert "▸ invocation #2" in stage.guide and stage.app.model.chosen == REQUESTS[1]
        await stage.press("y")
        assert "Task timed out" in stage.guide, "and round again"
        assert stage.panel == 1, "both are in sight"


async def test_evidence_comes_into_sight_where_only_one_panel_is() -> None:
    async with Stage(recorded.after_timeout()).up((70, 20)) as stage:
        await stage.press("y")
        assert stage.panel == 4
        await stage.press("y")
        assert stage.panel == 3


async def test_without_evidence_it_is_said() -> None:
    async with Stage(recorded.at_start()).up() as stage:
        await stage.press("y")
        assert stage.told == "Nothing to show yet: run the step first."


async def test_the_end_tells_the_score() -> None:
    script = recorded.at_start().add(ev.HintTaken(0), ev.PredictionMade(0, 3)).at(1)
    for step in (0, 1):
        script.add(ev.StepStarted(step), ev.StepFinished(step, True, (), None))
    async with Stage(script.add(ev.ExperimentFinished(True))).up() as stage:
        await stage.press("enter")
        for words in (
            *("✕ you said nothing", "it was an error after 3 s", "You predicted 0 of 1 right. With one hint."),
            "Try this next: Reuse of execution environments",
        ):
            assert words in stage.guide


# -- the code -------------------------------------------------------------------------------------------------------


async def test_the_lines_that_matter_stand_on_the_page_and_follow_a_save() -> None:
    stage = Stage(recorded.at_start())
    async with stage.up():
        assert '6  time.sleep(event["seconds"])' in stage.guide and "saw your save" not in stage.guide
        edited = {"timeout.py": "import time\n\n\n\n" + recorded.SAVED["timeout.py"]}
        stage.script.at(5).add(ev.FunctionUpdated(FUNCTION, 2, "save", ("timeout.py",), {}, "b", "a", edited))
        await stage.play()
        assert "10  time.sleep(2)" in stage.guide and "saw your save at 22:13:25" in stage.guide


async def test_the_code_is_shown_live_with_what_has_changed() -> None:
    stage = Stage(recorded.at_start())
    async with stage.up((80, 24)):
        await stage.press("d")
        assert "unchanged" in code_shown(stage) and re.search(r"▸ 6   +time\.sleep", code_shown(stage))
        stage.script.at(5).add(ev.FunctionUpdated(FUNCTION, 2, "save", ("timeout.py",), {}, "b", "a", recorded.SAVED))
        await stage.play()
        shown = code_shown(stage)
        assert "saw your save at 22:13:25" in shown and "lines: 3 new, 1 gone" in shown
        assert re.search(r"^ +- +time\.sleep\(event", shown, re.M) and re.search(
            r"^▸ +6 \+ +time\.sleep\(2", shown, re.M
        )
        await stage.press("d")
        assert not isinstance(stage.app.screen, CodeScreen)


async def test_files_are_gone_through() -> None:
    configuration: dict[str, Json] = {}
    script = Script().add(
        ev.ExperimentOpened("t", "", "t.yaml", "en", ()),
        ev.FunctionCreated(FUNCTION, "arn", 1, configuration, "a", "x", {"a.py": "first = 1", "b.mjs": "let second"}),
    )
    async with Stage(script).up() as stage:
        await stage.press("d")
        assert "first = 1" in code_shown(stage)
        await stage.press("tab")
        assert "let second" in code_shown(stage) and "first" not in code_shown(stage)
        await stage.press("escape")
        stage.script.add(ev.FunctionDeleted(FUNCTION, None))
        await stage.play()
        await stage.press("d")
        assert stage.told == "There is no code to show."


async def test_code_is_foreign_text() -> None:
    script = recorded.at_start()
    script.add(
        ev.FunctionUpdated(FUNCTION, 2, "save", (), {}, "b", "a", {"timeout.py": f"sleep( {recorded.NASTY}\n[b]x"})
    )
    async with Stage(script).up() as stage:
        await stage.press("d")
        assert "[b]x" in code_shown(stage)
        drawn = stage.drawn()
    assert not re.search("[\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e]", drawn)


def test_rows_tell_what_is_new_and_what_has_gone() -> None:
    assert code_rows(None, ["a"]) == [CodeRow(" ", 1, "a")]
    rows = code_rows(["a", "b", "c"], ["a", "x", "c", "d"])
    assert [(row.mark, row.number, row.text) for row in rows] == [
        *((" ", 1, "a"), ("-", None, "b"), ("+", 2, "x"), (" ", 3, "c"), ("+", 4, "d")),
    ]


# -- languages ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("key", CATALOGUE)
def test_the_catalogue_says_the_same_in_both_languages(key: str) -> None:
    english, chinese = CATALOGUE[key]
    fields = [sorted(name for _, name, _, _ in string.Formatter().parse(text) if name) for text in (english, chinese)]
    assert fields[0] == fields[1]
    assert english.isascii() or set(english) & set("…·")
    assert re.search("[\u4e00-\u9fff]", chinese)


async def test_the_guide_speaks_chinese() -> None:
    script = Script()
    script.add(ev.ExperimentOpened("標題", "", "t.yaml", "zh-Hant", recorded.CHINESE))
    async with Stage(script).up() as stage:
        assert stage.prompt.split() == ["1-3", "預測", "enter", "執行"]
        assert "第 1 步，共 1 步" in stage.title("#guide")
        script.add(ev.PredictionMade(0, 1), ev.StepStarted(0), ev.StepFinished(0, True, (), None))
        await stage.play()
        assert "你的預測：1 3 秒後得到結果" in stage.guide and "實際結果：2" in stage.guide
        await stage.press("enter")
        assert "1 題預測，你答對了 0 題。 沒有看提示。" in stage.guide
