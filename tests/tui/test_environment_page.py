"""The page of an environment, and the rows that lead to it."""

from __future__ import annotations

from typing import Any

import pytest

from lambdatui import events as ev
from lambdatui.control.client import CommandFailed
from lambdatui.events import Json
from lambdatui.tui.environment_rows import environment_row
from lambdatui.tui.glyphs import ASCII, UNICODE, Glyphs
from lambdatui.tui.screens.environment import EnvironmentScreen, PageView
from lambdatui.tui.spans import Line, plain
from lambdatui.tui.widgets import environments
from lambdatui.tui.widgets.life import Life
from tests.tui import recorded
from tests.tui.recorded import ENVIRONMENTS, NASTY, REQUESTS, START, Player, Script
from tests.tui.stage import Stage

PROCESS: dict[str, Json] = {
    **{"of": "", "pid": 5021, "own_pid": 3, "command": "python3 -m awslambdaric timeout.lambda_handler"},
    **{"state": "sleeping", "resident_kb": 41200, "threads": 1},
}
EXTENSION: dict[str, Json] = {
    **{"of": "telemetry", "pid": 5030, "own_pid": 3, "command": "/opt/extensions/telemetry", "state": "stopped"},
    **{"resident_kb": 9200, "threads": 3},
}


def variables(revealed: bool) -> list[Json]:
    told = [
        ("AWS_SECRET_ACCESS_KEY", None, "credential"),
        ("DB_PASSWORD", "hunter2" if revealed else None, "masked"),
        ("GREETING", f"hello {NASTY}", None),
    ]
    return [{"name": name, "value": value, "why": why} for name, value, why in told]


class Transparent(Player):
    """A recorded laboratory whose environments can be looked into."""

    async def command(self, name: str, **arguments: Json) -> Json:
        await super().command(name, **arguments)
        if name == "inspect":
            files: list[Json] = [
                {"name": "cache", "kind": "folder", "size": 60, "modified_at": START + 2},
                {"name": "cache/model.bin", "kind": "file", "size": 25_600_000, "modified_at": START + 2},
                {"name": f"notes {NASTY}", "kind": "file", "size": 40, "modified_at": START + 2},
            ]
            seen = variables(arguments["reveal"] is True)
            return {"processes": [PROCESS, EXTENSION], "variables": seen, "files": files, "files_complete": False}
        if name == "preview" and str(arguments["file"]).startswith("notes"):
            return {"text": f"said in /tmp\n{NASTY}", "size": 40_000, "complete": False}
        if name == "preview":
            return {"text": None, "size": 25_600_000, "complete": False}
        return None

    @property
    def looks(self) -> int:
        return sum(name == "inspect" for name, _ in self.commands)


def staged(script: Script, glyphs: Glyphs = UNICODE) -> Stage:
    stage = Stage(script, glyphs)
    stage.player = stage.app._laboratory = Transparent(*script.records)
    stage.now += 0.5
    return stage


def looks(stage: Stage) -> int:
    assert isinstance(stage.player, Transparent)
    return stage.player.looks


def rows(stage: Stage) -> list[str]:
    view = stage.app.screen.query_one(PageView)
    return [plain(view.row(number)).rstrip() for number in view.rows_visible]


def said(stage: Stage) -> str:
    return "\n".join(rows(stage))


def measured() -> Script:
    script = recorded.three_busy()
    for number, environment in enumerate(ENVIRONMENTS):
        script.add(ev.EnvironmentMeasured(environment, 42 + 37 * number, 7, 3 * number))
    return script


async def test_what_is_used_stands_in_the_row_and_near_a_limit_it_is_marked() -> None:
    async with staged(measured()).up((160, 50)) as stage:
        title, first, *_ = (row for row in stage.rows("#table") if "mem" in row.split() or "busy" in row)
        assert title.split()[-5:] == ["mem", "cpu", "/tmp", "init", "left"]
        assert "42 MB" in first and "7%" in first
        table = stage.screen.query_one("#table")
        lines = [table.row(number) for number in table.rows_visible]  # type: ignore[attr-defined]
        roles = {text.strip(): role for line in lines for text, role in line if text.strip().endswith(" MB")}
        assert (roles["42 MB"], roles["116 MB"], roles["6 MB"]) == ("text", "urgent", "text")


@pytest.mark.parametrize("size", [(80, 24), (120, 40), (160, 50)], ids="{0[0]}x{0[1]}".format)
async def test_rows_and_their_heads_have_the_same_width(size: tuple[int, int]) -> None:
    async with staged(measured()).up(size) as stage:
        view = stage.screen.query_one("#table")
        drawn = [row for row in stage.rows("#table") if row.startswith("state") or "busy" in row]
        assert all(len(row) <= view.scrollable_content_region.width for row in drawn)
        assert all(row.endswith(("left", " s", UNICODE.bar_left)) for row in drawn)
        assert len({row.index("cold") for row in drawn if "cold" in row} | {drawn[0].index("start")}) == 1


def ended(count: int) -> Script:
    """So many that have ended, and one that is busy, which is older than all of them."""
    script = recorded.at_start().at(1).accepted("r0").cold("aa" * 8, "r0").running("aa" * 8, "r0", timeout=900)
    for number in range(1, count + 1):
        name = f"{number:02}" * 8
        script.at(1 + number).accepted(f"r{number}").cold(name, f"r{number}").running(name, f"r{number}")
        script.succeeded(name, f"r{number}").add(ev.EnvironmentEnded(name, "reclaimed"))
    return script


async def test_many_that_have_ended_fold_into_a_row_below_those_that_live() -> None:
    async with staged(ended(7)).up((80, 24)) as stage:
        await stage.press("tab", "z")
        listed = [row for row in stage.rows("#table") if "busy" in row or "gone" in row or "ended" in row]
        listed = [row for row in listed if not row.strip().startswith(("ended", "created"))]
        assert [row.split()[1] for row in listed] == ["busy", "gone", "gone", "5"]
        assert listed[-1] == "† 5 more ended, enter shows them"
        await stage.press("G", *"jjjjj", "enter")
        listed = [row for row in stage.rows("#table") if "gone" in row or "ended, enter" in row]
        assert len([row for row in listed if "gone" in row]) == 7 and listed[0] == "† 7 ended, enter folds them"
        await stage.press("enter")
        assert "† 5 more ended, enter shows them" in stage.rows("#table")


async def test_a_few_that_have_ended_are_shown() -> None:
    async with staged(ended(3)).up((80, 24)) as stage:
        await stage.press("tab", "z")
        assert sum("† gone" in row for row in stage.rows("#table")) == 3


async def test_enter_opens_the_environment_under_the_cursor_and_esc_goes_back() -> None:
    async with staged(measured()).up((80, 24)) as stage:
        await stage.press("2", "j", "j")
        assert stage.status("#environments") == f"enter opens {ENVIRONMENTS[1][:6]}"
        await stage.press("enter")
        assert isinstance(stage.app.screen, EnvironmentScreen)
        assert ENVIRONMENTS[1] in said(stage) and "79 of 128 MB" in said(stage) and "3 of 512 MB" in said(stage)
        await stage.press("n")
        assert ENVIRONMENTS[2] in said(stage)
        await stage.press("n", "N", "N", "escape")
        assert not isinstance(stage.app.screen, EnvironmentScreen) and stage.panel == 2


async def test_each_tab_says_what_is_inside() -> None:
    async with staged(measured()).up((120, 40)) as stage:
        await stage.press("2", "j", "enter", "]")
        assert rows(stage)[0].split()[:4] == ["#1", "●", "running", "cold"]
        await stage.press("]")
        head, runtime, extension = rows(stage)
        assert head.split() == ["pid", "inside", "state", "memory", "threads", "command"]
        assert runtime.split()[:6] == ["5021", "3", "sleeping", "40", "MB", "1"]
        assert extension.endswith("telemetry: /opt/extensions/telemetry")
        await stage.press("]")
        assert "AWS_SECRET_ACCESS_KEY  ········  never shown" in said(stage)
        assert "········  v shows it" in said(stage) and "hello" in said(stage)
        await stage.press("v")
        assert "hunter2" in said(stage) and "never shown" in said(stage)
        await stage.press("v")
        assert "hunter2" not in said(stage)
        await stage.press("5", "j", "j", "enter")
        assert "24 MB that are no text" in said(stage)
        await stage.press("j", "enter")
        assert "no text" not in said(stage), "also from within"
        await stage.press("enter", "j", "j", "enter")
        assert "said in /tmp" in said(stage) and "39 KB in all" in said(stage) and "no text" not in said(stage)
        assert "The first 3 names that were found." in said(stage)
        await stage.press("enter")
        assert "said in /tmp" not in said(stage)


async def test_nothing_that_is_foreign_reaches_the_terminal_as_it_is() -> None:
    stage = staged(recorded.hostile())
    async with stage.up((80, 24)):
        await stage.press("2", "enter")
        for key in "12345":
            await stage.press(key, "G", "enter") if key == "5" else await stage.press(key)
            drawn = stage.drawn()
            assert not any(each in drawn for each in ("\x1b", "\x07", "\x9b", "\u202e", "\u200d", "\ud83d"))


async def test_it_follows_what_happens_and_looks_again_only_when_it_may_be_old() -> None:
    async with staged(measured()).up((80, 24)) as stage:
        await stage.press("2", "k", "enter")
        assert looks(stage) == 1
        await stage.settled()
        assert looks(stage) == 1, "a moment ago"
        stage.now += 1.1
        await stage.settled()
        assert looks(stage) == 2
        stage.script.at(2).succeeded(ENVIRONMENTS[0], REQUESTS[0])
        await stage.play()
        assert looks(stage) == 3 and "frozen" in plain(stage.app.screen.query_one("#top").lines[0])  # type: ignore[attr-defined]
        stage.now += 60
        await stage.settled()
        assert looks(stage) == 3, "it stands still"
        stage.script.at(62).add(ev.EnvironmentEnded(ENVIRONMENTS[0], "idle for 300 s"))
        await stage.play()
        assert "idle for 300 s" in said(stage) and looks(stage) == 3
        await stage.press("3")
        assert said(stage) == "It went with the environment."


async def test_a_refusal_is_told_and_a_restart_leads_back() -> None:
    async with staged(measured()).up((80, 24)) as stage:
        stage.player.failure = CommandFailed("There is no environment a1b2c3, or it has ended.")
        await stage.press("2", "enter", "3")
        assert said(stage) == "There is no environment a1b2c3, or it has ended."
        stage.script.at(3).opened()
        await stage.play()
        assert stage.app.screen is stage.screen


async def test_enter_on_an_invocation_leads_to_it() -> None:
    async with staged(recorded.all_done()).up((120, 40)) as stage:
        await stage.press("2", "j", "enter", "2")
        assert [row.split()[0] for row in rows(stage)] == ["#4", "#1"], "the last one first"
        await stage.press("j", "enter")
        assert stage.app.screen is stage.screen and stage.panel == 3
        assert stage.app.model.chosen == REQUESTS[0]


async def test_the_help_has_the_keys_of_the_page() -> None:
    async with staged(measured()).up((80, 24)) as stage:
        await stage.press("2", "enter", "question_mark")
        text = str(stage.app.screen.query_one("#help Static").content)  # type: ignore[attr-defined]
        assert "Look at the invocation, or into the file" in text and "The next environment" in text
        assert "] tab" in text and "The tabs" in text and "bracket" not in text


async def test_the_value_in_the_row_is_copied(monkeypatch: pytest.MonkeyPatch) -> None:
    copied: list[str] = []

    async def keep(text: str, _: object) -> None:
        copied.append(text)

    monkeypatch.setattr("lambdatui.tui.screens.environment.copy", keep)
    async with staged(measured()).up((80, 24)) as stage:
        await stage.press("2", "j", "enter", "G", "k", "c")
        assert copied == [f"2023/11/14/[$LATEST]{ENVIRONMENTS[0] * 2}"]


async def test_a_long_life_fits_and_is_drawn_quickly() -> None:
    script = recorded.at_start().at(1).accepted("r").cold("aa" * 8, "r").running("aa" * 8, "r")
    for number in range(1500):
        script.at(2 + number * 10).succeeded("aa" * 8, f"r{number}" if number else "r")
        script.at(8 + number * 10).accepted(f"r{number + 1}")
        script.add(ev.InvocationPlaced(f"r{number + 1}", "aa" * 8, False), ev.EnvironmentThawed("aa" * 8))
        script.running("aa" * 8, f"r{number + 1}", init_ms=None)
    async with staged(script).up((80, 24)) as stage:
        await stage.press("tab", "enter", "2")
        assert "now" in plain(stage.app.screen.query_one(Life).lines[0])
        assert rows(stage)[0].startswith("#1501 ")
        await stage.press("G")
        assert rows(stage)[-1].startswith("#1 ")


async def test_of_three_hundred_only_those_in_sight_are_laid_out(monkeypatch: pytest.MonkeyPatch) -> None:
    script, made = recorded.at_start().at(1), 0

    def counted(*arguments: Any, **more: Any) -> Line:
        nonlocal made
        made += 1
        return environment_row(*arguments, **more)

    for number in range(300):
        name = f"{number:04x}" * 4
        script.accepted(f"r{number}").cold(name, f"r{number}").running(name, f"r{number}")
    async with staged(script).up((80, 24)) as stage:
        await stage.press("tab")
        monkeypatch.setattr(environments, "environment_row", counted)
        stage.screen.query_one("#table", environments.Environments).action_down()
        assert 0 < made <= 4 * stage.screen.query_one("#table").size.height


# -- pictures -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("size", [(80, 24), (120, 40), (160, 50)], ids="{0[0]}x{0[1]}".format)
@pytest.mark.parametrize("keys", [("1",), ("3",), ("4",), ("5", "j", "j", "j", "enter")], ids=lambda keys: keys[0])
def test_pictures(snap_compare: Any, keys: tuple[str, ...], size: tuple[int, int]) -> None:
    _compare(snap_compare, staged(measured()), keys, size)


@pytest.mark.parametrize("how", ["no colour", "ascii", "frozen"])
def test_plain_pictures(snap_compare: Any, monkeypatch: pytest.MonkeyPatch, how: str) -> None:
    if how == "no colour":
        monkeypatch.setenv("NO_COLOR", "1")
    script = recorded.all_done() if how == "frozen" else measured()
    _compare(snap_compare, staged(script, ASCII if how == "ascii" else UNICODE), ("1",), (80, 24))


def _compare(compare: Any, stage: Stage, keys: tuple[str, ...], size: tuple[int, int]) -> None:
    async def prepare(pilot: Any) -> None:
        stage.pilot = pilot
        await stage.settled()
        await stage.press("2", "j", "enter")
        for key in keys:
            await stage.press(key)

    assert compare(stage.app, terminal_size=size, run_before=prepare)
