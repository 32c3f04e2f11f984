"""What the panels say, at the sizes where room is scarce."""

from __future__ import annotations

import pytest
from textual.widgets import Static, TextArea

from lambdatui import events as ev
from lambdatui.control.client import CommandFailed
from lambdatui.events import Json
from lambdatui.tui.screens.editor import Editor
from lambdatui.tui.widgets.environments import Environments
from lambdatui.tui.widgets.guide import GuidePage
from lambdatui.tui.widgets.panel import Panel
from lambdatui.tui.widgets.tab_line import TabLine
from tests.tui import recorded
from tests.tui.recorded import ENVIRONMENTS, REQUESTS, Script
from tests.tui.stage import Stage

# -- room -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("size", [(79, 24), (70, 24), (80, 18), (60, 16)], ids="{0[0]}x{0[1]}".format)
async def test_where_one_panel_shows_it_has_all_the_room(size: tuple[int, int]) -> None:
    async with Stage(recorded.after_timeout()).up(size) as stage:
        for number in (1, 2, 3, 4, 5):
            shown = [panel for panel in stage.screen.query(Panel) if panel.region.area]
            assert [panel.number for panel in shown] == [number]
            assert shown[0].size.width == size[0] - 2 and shown[0].size.height == size[1] - 4
            await stage.press("tab")


async def test_a_panel_that_comes_into_sight_is_laid_out_for_its_room() -> None:
    async with Stage(recorded.at_start()).up((60, 16)) as stage:
        await stage.press("tab")
        assert recorded.FUNCTION in stage.rows("#table")[0] and "timeout 3 s" in stage.rows("#table")[1]


async def test_a_countdown_keeps_its_unit_beside_a_scrollbar() -> None:
    script = recorded.three_busy()
    script.accepted("4a", "{}", None).cold("5e" * 8, "4a").running("5e" * 8, "4a")
    stage = Stage(script)
    stage.now += 0.8
    async with stage.up((80, 24)):
        assert stage.screen.query_one("#table").virtual_size.height > stage.screen.query_one("#table").size.height
        assert [row for row in stage.rows("#table") if "busy" in row and not row.endswith(" s")] == []
        assert stage.rows("#table")[2].endswith("left")


async def test_all_countdowns_of_a_frame_are_of_the_same_instant() -> None:
    stage = Stage(recorded.three_busy())
    async with stage.up((160, 50)):
        now = stage.now

        def later() -> float:
            nonlocal now
            now += 0.06
            return now

        stage.app.model._clock = later
        stage.screen.sync()
        left = {row.split()[-2] for row in stage.rows("#table") if "busy" in row and "created" not in row}
        shown = {row.split(" left")[0].split()[-2] for row in stage.rows("#invocation") if " left" in row}
        busy = {word for row in stage.rows("#table") if "busy" in row for word in row.split() if word in shown}
        assert len(shown) == 1 and busy == shown, left


async def test_why_is_told_in_full_below_the_cursor() -> None:
    reason = "the configuration has changed, and all environments of the generation before are retired"
    script = recorded.three_busy()
    script.accepted("4a", "{}", None).cold("5e" * 8, "4a", reason).running("5e" * 8, "4a")
    async with Stage(script).up((80, 24)) as stage:
        await stage.press("2", *"jjjj")
        assert " ".join(" ".join(stage.rows("#table")).split()).endswith(f"created: {reason}")
        assert stage.status("#environments") == "enter opens 5e5e5e"
        await stage.press(*"kkkk")
        assert recorded.FUNCTION in stage.rows("#table")[0]


async def test_what_went_otherwise_comes_to_the_front_unless_another_was_chosen() -> None:
    for keys, chosen in (((), "#2"), (("3", "]", "]"), "#3")):
        stage = Stage(recorded.three_busy())
        async with stage.up((80, 24)):
            await stage.press("tab", *keys)
            for number, (environment, request) in enumerate(zip(ENVIRONMENTS, REQUESTS, strict=True)):
                if number == 1:
                    stage.script.timed_out(environment, request)
                else:
                    stage.script.succeeded(environment, request)
            stage.script.add(ev.StepFinished(0, True, (), None))
            await stage.play()
            line = stage.screen.query_one("#tabs", TabLine).lines[0]
            assert [text.strip() for text, role in line if role == "tab-active" and "#" in text] == [chosen]


async def test_a_long_reason_is_told_in_full() -> None:
    reason = "ReservedFunctionConcurrentInvocationLimitExceeded"
    script = recorded.at_start().at(1).accepted(REQUESTS[0]).add(ev.InvocationThrottled(REQUESTS[0], reason, "no"))
    async with Stage(script).up((80, 24)) as stage:
        assert reason in "".join(row.strip() for row in stage.rows("#invocation"))


async def test_isolation_is_said_at_every_size() -> None:
    async with Stage(recorded.at_start()).up((80, 24)) as stage:
        assert "bubblewrap" in stage.title("#environments")
        await stage.press("question_mark")
        text = str(stage.app.screen.query_one("#help Static", Static).content)
        assert all(word in text for word in ("bubblewrap", "waiting", "pending"))


async def test_the_help_says_how_another_terminal_comes_in() -> None:
    script = recorded.at_start().add(ev.EndpointOpened("http://127.0.0.1:8000"))
    async with Stage(script).up((80, 24)) as stage:
        await stage.press("question_mark")
        text = str(stage.app.screen.query_one("#help Static", Static).content)
        assert 'eval "$(lambdatui env)"' in text and "http://127.0.0.1:8000" in text


# -- the Guide ------------------------------------------------------------------------------------------------------


LONG: tuple[dict[str, Json], ...] = (
    {
        "name": "a long step",
        "say": "There is much to read before the question comes. " * 10,
        "action": "invoke",
        "predict": {"ask": "What happens?", "choices": ["this", "that"], "answer": 2},
        "expects": [],
        "explain": "There is much to read about what happened, too. " * 10,
    },
)


def in_sight(stage: Stage, name: str) -> bool:
    page = stage.screen.query_one(GuidePage)
    return page.region.contains_region(page.query_one(f".{name}").region)


async def test_a_digit_brings_the_question_into_sight() -> None:
    async with Stage(Script().opened(LONG)).up((80, 24)) as stage:
        assert not in_sight(stage, "prediction") and "more" in stage.status("#guide")
        await stage.press("2")
        assert in_sight(stage, "prediction") and "I say 2" in stage.prompt


async def test_what_was_observed_comes_into_sight_from_its_first_line() -> None:
    stage = Stage(Script().opened(LONG))
    async with stage.up((80, 24)):
        await stage.press("1")
        stage.script.add(ev.PredictionMade(0, 1), ev.StepStarted(0))
        await stage.play()
        stage.script.add(ev.StepFinished(0, True, (), None))
        await stage.play()
        page = stage.screen.query_one(GuidePage)
        assert page.query_one(".outcome").region.y == page.region.y


async def test_enter_is_answered_before_the_laboratory_answers() -> None:
    stage = Stage(recorded.at_start())
    async with stage.up((80, 24)):
        await stage.press("2", "enter", "enter")
        assert "starting" in stage.prompt
        stage.script.add(ev.PredictionMade(0, 2))
        await stage.play()
        assert "starting" in stage.prompt
        stage.script.add(ev.StepStarted(0))
        await stage.play()
        assert "running" in stage.prompt
    assert [name for name, _ in stage.player.commands] == ["next"]


async def test_a_step_that_was_refused_can_be_tried_again() -> None:
    stage = Stage(recorded.at_start())
    stage.player.failure = CommandFailed("There is no further step.")
    async with stage.up((80, 24)):
        await stage.press("enter")
        assert "run" in stage.prompt and stage.told == "There is no further step."


# -- news and refusals ----------------------------------------------------------------------------------------------


async def test_news_are_told_one_at_a_time_where_they_cover_nothing() -> None:
    stage = Stage(recorded.at_start())
    async with stage.up((80, 24)):
        stage.script.add(ev.Noticed("warning", "a first " + "and long one " * 9), ev.Noticed("info", "a second one"))
        await stage.play()
        assert stage.told.startswith("a first") and "".join(stage.rows("#keys")).count("and long one") == 9
        assert not stage.app._notifications
        assert stage.screen.query_one("#main").region.bottom == stage.screen.query_one("#keys").region.y
        for _ in range(400):
            if stage.told == "a second one":
                break
            await stage.pilot.pause(0.02)
        assert "a second one" in stage.rows("#keys")[0]


async def test_a_refused_configuration_stays_to_be_corrected() -> None:
    stage = Stage(recorded.at_start())
    stage.player.failure = CommandFailed("Value '901' at 'timeout' failed to satisfy constraint")
    async with stage.up((80, 24)):
        await stage.press("u")
        text = '{"timeout": 901}'
        stage.app.screen.query_one(TextArea).text = text
        await stage.press("ctrl+s")
        assert isinstance(stage.app.screen, Editor)
        assert stage.app.screen.query_one(TextArea).text == text
        assert "Value '901'" in str(stage.app.screen.query_one("#editor-problem", Static).content)
        stage.player.failure = None
        await stage.press("ctrl+s")
        assert stage.app.screen.id == stage.screen.id and not stage.app.screen.query(TextArea)
    assert [arguments["changes"] for _, arguments in stage.player.commands] == [{"timeout": 901}] * 2


async def test_the_urls_of_a_function_are_shown_to_be_copied() -> None:
    stage = Stage(recorded.at_start())
    address = "http://127.0.0.1:45678/"
    async with stage.up((80, 24)):
        stage.script.add(
            ev.FunctionUrlCreated(recorded.FUNCTION, None, address, {"auth_type": "NONE", "invoke_mode": "BUFFERED"}),
            ev.FunctionUrlCreated(recorded.FUNCTION, "live", "http://127.0.0.1:45679/", {"auth_type": "AWS_IAM"}),
            ev.FunctionUrlDeleted(recorded.FUNCTION, "live"),
            ev.FunctionUrlChanged(recorded.FUNCTION, None, {"auth_type": "AWS_IAM", "invoke_mode": "BUFFERED"}),
        )
        await stage.play()
        await stage.press("tab")
        assert [row for row in stage.rows("#table") if "url " in row] == [f"url {address}  AWS_IAM"]
        assert stage.screen.query_one(Environments).copy_text() == address


async def test_what_a_function_has_by_a_qualifier_is_with_its_versions() -> None:
    name = recorded.FUNCTION
    allow: tuple[dict[str, Json], ...] = ({"Sid": "s3-may"},)
    script = recorded.at_start().add(
        ev.AliasPointed(name, "live", "$LATEST", {}),
        ev.PolicyChanged(name, "live", allow),
        ev.PolicyChanged(name, None, allow),
        ev.EventInvokeConfigChanged(name, "live", {"maximum_retry_attempts": 0}),
    )
    stage = Stage(script)
    async with stage.up((240, 40)):
        row = stage.rows("#table")[2]
        assert all(each in row for each in ("policy of live s3-may", "policy s3-may", "events by live configured"))
        script.add(ev.AliasDeleted(name, "live"))
        await stage.play()
        row = stage.rows("#table")[2]
        assert "live" not in row and "policy s3-may" in row


async def test_what_was_uploaded_is_told_from_what_lies_in_a_folder_and_what_is_deleted_vanishes() -> None:
    name, other = recorded.FUNCTION, "Uploaded"
    script = recorded.at_start()
    configuration = {"handler": "app.handler"}
    stage = Stage(script)
    async with stage.up((120, 40)):
        script.add(
            ev.FunctionUpdated(name, 2, "upload", (), {**configuration}, "a" * 64, recorded.CODE),
            ev.FunctionCreated(other, f"arn:{other}", 1, {**configuration}, "b" * 64, "uploaded"),
        )
        await stage.play()
        rows = stage.rows("#table")
        assert [any(f"uploaded {digest * 8}" in row for row in rows) for digest in "ab"] == [True, True]
        assert any("an upload at" in row for row in rows) and any(other in row for row in rows)
        script.add(ev.FunctionDeleted(other))
        await stage.play()
        assert not any(other in row for row in stage.rows("#table"))
