"""The gallery: what is listed, where the cursor is, and how one leaves it."""

from __future__ import annotations

import contextlib
from collections.abc import AsyncIterator, Callable
from typing import Any

import pytest
from textual.pilot import Pilot

from lambdatui.experiment.course import Lesson
from lambdatui.experiment.language import Language
from lambdatui.experiment.progress import Result
from lambdatui.tui.gallery import GalleryApp, Lessons
from lambdatui.tui.glyphs import ASCII, UNICODE
from lambdatui.tui.spans import plain
from lambdatui.tui.widgets.line_view import LineStrip

NAMES = ("timeout", "reuse", "cold-start", *(f"more-{number}" for number in range(16)))
LESSONS = [
    Lesson(name, f"About {name}", f"What one learns from {name}", 8, 6, following)
    for name, following in zip(NAMES, [*NAMES[1:], NAMES[0]], strict=True)
]
DONE = {"timeout": Result("2026-01-31", 6, 0, 6, 5, 1), "reuse": Result("2026-02-01", 6, 0, 0, 0, 0)}


def app(at: str | None = None, language: Language = "en", glyphs: Any = UNICODE) -> GalleryApp:
    return GalleryApp(iter(LESSONS), DONE, language, at, glyphs)


@contextlib.asynccontextmanager
async def up(of: GalleryApp, size: tuple[int, int] = (80, 24)) -> AsyncIterator[Pilot[Any]]:
    async with of.run_test(size=size) as pilot:
        while len(of.screen.query_one(Lessons).lessons) < len(LESSONS):
            await pilot.pause()
        await pilot.pause()
        yield pilot


def rows(of: GalleryApp) -> list[str]:
    view = of.screen.query_one(Lessons)
    return [plain(view.row(number)) for number in range(view.row_count())]


async def test_each_experiment_has_a_row_with_what_was_achieved() -> None:
    gallery = app()
    async with up(gallery):
        assert rows(gallery)[0].split() == ["1", "About", "timeout", "✓", "5/6", "8", "min"]
        assert rows(gallery)[1].split() == ["2", "About", "reuse", "✓", "8", "min"]
        assert rows(gallery)[2].split() == ["▸", "3", "About", "cold-start", "8", "min"], "the first that is not done"
        assert {len(row) for row in rows(gallery)} == {gallery.screen.query_one(Lessons).cells}
        assert "2 of 19 done" in plain(gallery.screen.query_one("#top", LineStrip).lines[0])


async def test_the_cursor_is_where_one_was_or_at_what_comes_next() -> None:
    for at, chosen in (("more-3", "more-3"), ("timeout", "cold-start"), ("nonesuch", "timeout")):
        gallery = app(at)
        async with up(gallery):
            lesson = gallery.screen.query_one(Lessons).chosen
            assert lesson and lesson.name == chosen


async def test_the_keys_move_and_enter_opens() -> None:
    gallery = app()
    async with up(gallery) as pilot:
        await pilot.press("G", "k", "k", "j", "enter")
    assert gallery.return_value == "more-14" and gallery.return_code == 0


async def test_what_it_is_about_follows_the_cursor() -> None:
    gallery = app()
    async with up(gallery) as pilot:
        await pilot.press("g")
        told = [plain(line) for line in gallery.screen.query_one("#lesson-lines", LineStrip).lines]
        assert told == ["What one learns from timeout", "✓ 5 of 6 right, 2026-01-31"]


async def test_a_click_chooses_and_another_one_opens() -> None:
    gallery = app()
    async with up(gallery) as pilot:
        await pilot.click("#lessons", offset=(10, 5))
        assert gallery.screen.query_one(Lessons).cursor == 5
        await pilot.click("#lessons", offset=(10, 5))
    assert gallery.return_value == NAMES[5]


@pytest.mark.parametrize(("key", "code"), [("q", 0), ("escape", 0), ("ctrl+c", 130)])
async def test_leaving(key: str, code: int) -> None:
    gallery = app()
    async with up(gallery) as pilot:
        await pilot.press(key)
    assert gallery.return_value is None and gallery.return_code == code


@pytest.mark.parametrize("size", [(80, 24), (120, 40), (160, 50)], ids="{0[0]}x{0[1]}".format)
def test_pictures(snap_compare: Callable[..., bool], size: tuple[int, int]) -> None:
    assert snap_compare(app(), terminal_size=size, run_before=_settled)


def test_picture_in_chinese(snap_compare: Callable[..., bool]) -> None:
    assert snap_compare(app(language="zh-Hant"), terminal_size=(80, 24), run_before=_settled)


def test_picture_in_ascii(snap_compare: Callable[..., bool]) -> None:
    assert snap_compare(app(glyphs=ASCII), terminal_size=(80, 24), run_before=_settled)


async def _settled(pilot: Pilot[Any]) -> None:
    while len(pilot.app.screen.query_one(Lessons).lessons) < len(LESSONS):
        await pilot.pause()
    await pilot.pause()
