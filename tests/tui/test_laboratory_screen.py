"""The screen as somebody meets it: keys in, what is seen out, with recorded laboratories behind it."""

from __future__ import annotations

import contextlib
import html
import re
from collections.abc import AsyncIterator

import pytest
from textual.pilot import Pilot

from lambdatui import events as ev
from lambdatui.control.client import CommandFailed
from lambdatui.tui.laboratory_app import LABORATORY_LOST, LaboratoryApp
from tests.tui import recorded
from tests.tui.recorded import START, Player, Script

Screen = Pilot[int]


@contextlib.asynccontextmanager
async def showing(
    script: Script, size: tuple[int, int] = (120, 40)
) -> AsyncIterator[tuple[Screen, Player, LaboratoryApp]]:
    player = Player(*script.records)
    app = LaboratoryApp(player, clock=lambda: script.time)
    async with app.run_test(size=size, notifications=True) as pilot:
        await player.taken()
        await pilot.pause()
        await pilot.pause()
        yield pilot, player, app


def seen(app: LaboratoryApp) -> str:
    """The text on the screen."""
    lines: dict[float, list[tuple[float, str]]] = {}
    for x, y, text in re.findall(r'<text[^>]* x="([\d.]+)" y="([\d.]+)"[^>]*>([^<]*)</text>', app.export_screenshot()):
        lines.setdefault(float(y), []).append((float(x), html.unescape(text).replace("\xa0", " ")))
    return "\n".join("".join(text for _, text in sorted(lines[y])) for y in sorted(lines))


async def until_seen(pilot: Screen, app: LaboratoryApp, text: str) -> None:
    for _ in range(200):
        if text in seen(app):
            return
        await pilot.pause(0.02)
    raise AssertionError(f"{text!r} is not on the screen:\n{seen(app)}")


async def commanded(pilot: Screen, player: Player, count: int) -> None:
    """Wait until so many commands have reached the laboratory."""
    for _ in range(200):
        if len(player.commands) >= count:
            return
        await pilot.pause(0.02)
    raise AssertionError(f"only {player.commands} came")


async def test_the_keys_of_a_laboratory_become_commands() -> None:
    async with showing(recorded.at_start()) as (pilot, player, _):
        for key in ("i", "p", "enter"):
            await pilot.press(key)
        await commanded(pilot, player, 3)
    names = [name for name, _ in player.commands]
    assert names == ["invoke", "invoke", "next"]
    assert player.commands[1][1]["times"] == 3


async def test_a_prediction_is_made_with_a_digit_and_sent() -> None:
    async with showing(recorded.at_start()) as (pilot, player, _):
        await pilot.press("2", "enter")
        await commanded(pilot, player, 1)
    assert any(arguments.get("choice") == 2 for _, arguments in player.commands)


async def test_q_leaves_with_0_and_ctrl_c_with_130() -> None:
    for key, code in (("q", 0), ("ctrl+c", 130)):
        async with showing(recorded.at_start()) as (pilot, _, app):
            await pilot.press(key)
            for _ in range(200):
                if app.return_code is not None:
                    break
                await pilot.pause(0.02)
        assert app.return_code == code


async def test_a_laboratory_that_is_gone_ends_the_screen() -> None:
    async with showing(recorded.at_start()) as (pilot, player, app):
        player.end()
        for _ in range(100):
            if app.return_code is not None:
                break
            await pilot.pause(0.02)
    assert app.return_code == LABORATORY_LOST


async def test_a_refusal_is_shown() -> None:
    async with showing(recorded.at_start()) as (pilot, player, app):
        player.failure = CommandFailed("there is no further step")
        await pilot.press("enter")
        await until_seen(pilot, app, "there is no further step")


@pytest.mark.parametrize("size", [(80, 24), (120, 40), (160, 50)])
async def test_the_panels_are_there_at_every_size(size: tuple[int, int]) -> None:
    async with showing(recorded.at_start(), size) as (pilot, _, app):
        for word in ("Guide", "Environments", "Invocations", "Logs", "TestInvocation", "sleep past the timeout"):
            await until_seen(pilot, app, word)


async def test_too_small_is_said_and_not_fatal() -> None:
    async with showing(recorded.at_start(), (40, 10)) as (pilot, _, app):
        assert "Guide" not in seen(app)
        await pilot.resize_terminal(120, 40)
        await until_seen(pilot, app, "Guide")


async def test_foreign_text_never_reaches_the_terminal_raw() -> None:
    async with showing(recorded.hostile(), (160, 50)) as (_, _, app):
        picture = app.export_screenshot()
    assert not re.search("[\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]", picture)


async def test_what_an_environment_goes_through_is_seen() -> None:
    request, environment = recorded.REQUESTS[0], recorded.ENVIRONMENTS[0]
    script = recorded.at_start().at(1).accepted(request).cold(environment, request).running(environment, request)
    async with showing(script) as (pilot, player, app):
        await until_seen(pilot, app, "busy")
        await until_seen(pilot, app, "cold")
        await until_seen(pilot, app, "3.0 s")
        before = len(script.records)
        script.at(4).timed_out(environment, request)
        player.play(*script.records[before:])
        await until_seen(pilot, app, "timed out")
        await until_seen(pilot, app, "reset")
    assert script.time == START + 4


async def test_the_way_of_an_event_is_seen() -> None:
    request, environment = recorded.REQUESTS[0], recorded.ENVIRONMENTS[0]
    accepted = ev.InvocationAccepted(request, recorded.FUNCTION, "$LATEST", "Event", "{}", 0)
    script = recorded.at_start().at(1).add(accepted, ev.EventQueued(request, "accepted", 0.0))
    script.add(ev.AttemptStarted(request, 1)).cold(environment, request).running(environment, request)
    script.at(4).timed_out(environment, request).add(ev.EventQueued(request, "function error", 60.0))
    async with showing(script, (120, 50)) as (pilot, player, app):
        for words in ("1 queued", "queued", "again in 60 s", "Task timed out"):
            await until_seen(pilot, app, words)
        before = len(script.records)
        script.at(64).add(ev.AttemptStarted(request, 2), ev.InvocationPlaced(request, environment, False))
        script.running(environment, request, init_ms=None).at(67).timed_out(environment, request)
        script.add(ev.EventConcluded(request, "RetriesExhausted", 2))
        script.add(ev.EventForwarded(request, "on_failure", "function:Failed", "{}"))
        script.add(ev.EventForwarded(request, "dead_letter", "file:/x", "{}", "the disk is full"))
        player.play(*script.records[before:])
        for words in ("attempt 2", "RetriesExhausted", "on failure function:Failed", "dead letter the disk is full"):
            await until_seen(pilot, app, words)
        assert "queued" not in seen(app)
        assert seen(app).count(f"START RequestId: {request}") >= 2, "the log has both attempts"


async def test_a_streamed_response_shows_its_first_byte_and_what_broke_it_off() -> None:
    environment, request = recorded.ENVIRONMENTS[0], recorded.REQUESTS[0]
    script = recorded.at_start().at(1).accepted(request, step=None).cold(environment, request)
    script.at(1.1).running(environment, request).at(1.35).add(ev.InvocationStreamed(request))
    async with showing(script) as (pilot, _, app):
        await until_seen(pilot, app, "250 ms first byte")
    script.at(1.5).add(ev.InvocationAnswered(request, "succeeded", "half of it", None, "Function.Oops", "{}"))
    script.add(ev.InvocationFinished(request, environment, "succeeded", 400.0, 400, 61.0, 128, 41, None))
    async with showing(script) as (pilot, _, app):
        await until_seen(pilot, app, "broken off by Function.Oops")
        await until_seen(pilot, app, "half of it")
        await until_seen(pilot, app, "250 ms first byte")
