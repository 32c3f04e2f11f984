from __future__ import annotations

from pathlib import Path

import pytest
from textual.widgets import Input, Static

from lambdatui.tui.screens.save_as import SaveAs
from tests.tui import recorded
from tests.tui.stage import Stage


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return tmp_path


def dialog(stage: Stage) -> SaveAs:
    assert isinstance(stage.app.screen, SaveAs)
    return stage.app.screen


def refusal(stage: Stage) -> str:
    return str(dialog(stage).query_one("#save-told", Static).render())


async def test_the_page_of_what_has_happened_so_far(folder: Path) -> None:
    stage = Stage(recorded.after_timeout())
    async with stage.up():
        await stage.press("H")
        assert dialog(stage).query_one(Input).value == "timeout.html"
        assert refusal(stage) == f"in {folder}"
        await stage.press("enter")
        assert stage.told == f"Saved as {folder / 'timeout.html'}"
    source = (folder / "timeout.html").read_text()
    assert "Lambda timeout" in source and "So far: 1 of 2." in source
    assert "[INFO] going to sleep, number 3" in source  # the screen keeps the logs apart


async def test_nothing_is_overwritten(folder: Path) -> None:
    (folder / "timeout.html").write_text("mine")
    stage = Stage(recorded.after_timeout())
    async with stage.up():
        await stage.press("H")
        assert dialog(stage).query_one(Input).value == "timeout-2.html"
        dialog(stage).query_one(Input).value = "timeout.html"
        await stage.press("enter")
        assert "already" in refusal(stage)
        dialog(stage).query_one(Input).value = "nowhere/x.html"
        await stage.press("enter")
        assert refusal(stage) == f"There is no folder {folder / 'nowhere'}."
        for name, why in (("  ", "A name is needed."), (".", "already"), ("a\0b", "cannot be saved")):
            dialog(stage).query_one(Input).value = name
            await stage.press("enter")
            assert why in refusal(stage)
        await stage.press("escape")
        assert stage.app.screen is stage.screen and stage.told == ""
    assert (folder / "timeout.html").read_text() == "mine" and len(list(folder.iterdir())) == 1


async def test_a_picture_of_the_screen(folder: Path) -> None:
    stage = Stage(recorded.three_busy())
    async with stage.up():
        await stage.press("P")
        await stage.press(*"-a", "enter")
        assert stage.told == f"Saved as {folder / 'timeout.svg-a'}"
    picture = (folder / "timeout.svg-a").read_text()
    assert picture.startswith("<svg") and "Environments" in picture
    assert "Save&#160;a&#160;picture" not in picture and "url(h" not in picture and "@font-face" not in picture


async def test_from_the_palette(folder: Path) -> None:
    stage = Stage(recorded.three_busy())
    async with stage.up():
        commands = {each.title: each for each in stage.app.get_system_commands(stage.screen)}
        assert "Screenshot" not in commands
        commands["Save page (H)"].callback()
        await stage.settled()
        assert dialog(stage).query_one(Input).value == "timeout.html"
