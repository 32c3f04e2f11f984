"""The screen where there are no steps: functions to play with."""

from __future__ import annotations

import json

from textual.widgets import OptionList, TextArea

from lambdatui import events as ev
from lambdatui.experiment.service_events import SERVICE_EVENTS, service_event
from tests.tui import recorded
from tests.tui.recorded import Script
from tests.tui.stage import Stage

ABOUT = "The handler `app.handler`.\n\nWhat you can do:\n\n- `i` invokes the function."


def playground(event: str | None = None) -> Stage:
    script = Script().opened()
    events = {recorded.FUNCTION: event} if event else {}
    script.records.pop()
    created = Script().opened().records[-1].event
    script.add(ev.ExperimentOpened("app.py", ABOUT, "app.py", "en", (), events), created)
    return Stage(script)


async def test_the_guide_says_what_one_can_do() -> None:
    async with playground().up() as stage:
        assert "app.py" in stage.guide and "invokes the function" in stage.guide
        assert stage.prompt == "i  invoke   e  its event"
        await stage.press("enter")
        assert stage.told == "There are no steps here: i invokes the function, e edits its event."
        assert stage.player.commands == []


async def test_at_first_a_function_is_invoked_with_its_own_event() -> None:
    async with playground('{"a": 1}').up() as stage:
        await stage.press("i")
        assert stage.player.commands == [("invoke", {"function": recorded.FUNCTION, "event": '{"a": 1}', "times": 1})]


async def test_a_typical_event_is_chosen_from_the_list() -> None:
    names = list(SERVICE_EVENTS)
    async with playground().up() as stage:
        await stage.press("e", "ctrl+t", "j", "j", "k", "enter")
        text = stage.app.screen.query_one(TextArea).text
        assert json.loads(text) == service_event(names[1])
        await stage.press("ctrl+t", "escape")
        assert stage.app.screen.query_one(TextArea).text == text, "esc leaves it as it was"
        await stage.press("ctrl+s", "i")
        ((_, arguments),) = stage.player.commands
        assert json.loads(str(arguments["event"])) == service_event(names[1])


async def test_the_list_fits_a_small_terminal() -> None:
    async with playground().up((60, 16)) as stage:
        await stage.press("e", "ctrl+t")
        options = stage.app.screen.query_one(OptionList)
        assert options.region.width <= 58 and options.region.height >= 8
        assert "S3: an object was put" in str(options.get_option("s3-put").prompt)
