"""The gallery: the bundled experiments as a course, and how far one has come in it."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Iterable, Mapping
from typing import ClassVar

from textual import events
from textual.app import App, ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.widgets import Static

from lambdatui.experiment.course import Lesson
from lambdatui.experiment.language import Language
from lambdatui.experiment.progress import Result
from lambdatui.tui.glyphs import ASCII, Glyphs, for_locale
from lambdatui.tui.sanitise import clean_line
from lambdatui.tui.spans import Line, fit, spread, wrap
from lambdatui.tui.theme import DARK, LIGHT
from lambdatui.tui.widgets.line_view import LineScreen, LineStrip, LineView
from lambdatui.tui.words import say
from lambdatui.tui.wrapping import install

_ROOMY = 130
"""Cells from which on what an experiment is about stands beside its title."""
_TITLE = 44


class Lessons(LineView):
    """A row for each experiment, with a cursor."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("enter", "open", "Open", show=False, id="gallery_open", tooltip="Open the experiment"),
    ]

    def __init__(self, language: Language, glyphs: Glyphs, results: Mapping[str, Result], at: str | None) -> None:
        """`at` is the one that was opened last: the cursor goes there, or if that is done, to the next that is not;
        without any, to the first that is not."""
        super().__init__(id="lessons")
        self._language, self._glyphs, self._results, self._at = language, glyphs, results, at
        self.lessons: list[Lesson] = []
        self.cursor = 0

    @property
    def chosen(self) -> Lesson | None:
        return self.lessons[self.cursor] if self.lessons else None

    def add(self, lesson: Lesson) -> None:
        self.lessons.append(lesson)
        if lesson.name == self._at or (self._at is None and lesson.name not in self._results):
            done = lesson.name in self._results
            self._move_to(len(self.lessons) - 1)
            self._at = lesson.following or "" if done else ""
        self.sync()

    def row_count(self) -> int:
        return len(self.lessons)

    def is_cursor(self, number: int) -> bool:
        return number == self.cursor

    def row(self, number: int) -> Line:
        lesson, cells = self.lessons[number], self.cells
        pointer = self._glyphs.pointer if number == self.cursor else " "
        left: Line = [(f" {pointer} ", "key"), (f"{number + 1:>2}  ", "dim")]
        title, role = clean_line(lesson.title), "strong" if number == self.cursor else "text"
        if cells >= _ROOMY:
            left += [(fit(title, _TITLE), role), (f"  {clean_line(lesson.summary)}", "dim")]
        else:
            left.append((title, role))
        minutes = say(self._language, "minutes", minutes=lesson.minutes) if lesson.minutes else ""
        right: Line = [self._progress(lesson), (fit(minutes, 9, right=True), "dim"), (" ", "text")]
        return spread(left, right, cells)

    def _progress(self, lesson: Lesson) -> tuple[str, str]:
        result = self._results.get(lesson.name)
        return fit(f"{self._glyphs.passed} {result.score}" if result else "", 7), "good"

    def _move_to(self, number: int) -> None:
        if self.lessons:
            self.cursor, self._at = max(0, min(number, len(self.lessons) - 1)), ""
            self.show_row(self.cursor)
            self.sync()
            assert isinstance(self.screen, GalleryScreen)
            self.screen.refresh_about()

    def action_down(self) -> None:
        self._move_to(self.cursor + 1)

    def action_up(self) -> None:
        self._move_to(self.cursor - 1)

    def action_page(self, direction: int) -> None:
        self._move_to(self.cursor + direction * max(1, self.size.height // 2))

    def action_scroll_home(self) -> None:
        self._move_to(0)

    def action_scroll_end(self) -> None:
        self._move_to(len(self.lessons) - 1)

    def action_open(self) -> None:
        if self.chosen is not None:
            self.app.exit(self.chosen.name)

    def on_click(self, event: events.Click) -> None:
        """The first chooses, another one opens."""
        number = int(self.scroll_offset.y) + event.y
        if number == self.cursor:
            self.action_open()
        elif number < len(self.lessons):
            self._move_to(number)


class GalleryScreen(LineScreen):
    """The list, and below it what is to be said about the experiment at the cursor."""

    HORIZONTAL_BREAKPOINTS = [(0, "-tiny-w"), (60, "-narrow")]  # noqa: RUF012
    AUTO_FOCUS = "#lessons"

    def __init__(
        self,
        lessons: Iterable[Lesson],
        results: Mapping[str, Result],
        language: Language,
        glyphs: Glyphs,
        at: str | None,
    ) -> None:
        super().__init__()
        self._lessons, self._results, self._language, self._glyphs = lessons, results, language, glyphs
        self._view = Lessons(language, glyphs, results, at)

    def compose(self) -> ComposeResult:
        yield LineStrip(id="top")
        yield Static(say(self._language, "gallery about"), id="gallery-about")
        yield self._view
        with Vertical(id="lesson"):
            yield LineStrip(id="lesson-lines")
        yield LineStrip(id="keys")

    def on_mount(self) -> None:
        self.query_one("#lesson").border_title = say(self._language, "loading")
        self.run_worker(self._load(), exit_on_error=True)

    async def _load(self) -> None:
        """One after the other, with room for keys between them."""
        for lesson in self._lessons:
            self._view.add(lesson)
            self.refresh_about()
            await asyncio.sleep(0)

    def on_resize(self) -> None:
        self.call_after_refresh(self.refresh_about)

    def refresh_about(self) -> None:
        say_, lesson, cells = self._say, self._view.chosen, max(2, self.size.width - 6)
        count = len(self._view.lessons)
        done = sum(each.name in self._results for each in self._view.lessons)
        name: Line = [(" lambdatui ", "key"), (f" {say_('gallery')}", "strong")]
        self.query_one("#top", LineStrip).show(
            [spread(name, [(f"{say_('done of', done=done, count=count)} ", "dim")], max(2, self.size.width - 1))]
        )
        keys: Line = []
        for key, word in (("enter", "gallery keys"), ("j k", "move"), ("q", "quit")):
            keys += [(f" {key} ", "key"), (f"{say_(word)} ", "dim")]
        self.query_one("#keys", LineStrip).show([keys])
        if lesson is None:
            return
        self.query_one("#lesson").border_title = clean_line(lesson.title)
        lines: list[Line] = [[(piece, "text")] for piece in wrap(clean_line(lesson.summary), cells)[:2]]
        strip = self.query_one("#lesson-lines", LineStrip)
        strip.show([*lines, self._achieved(lesson)])
        strip.styles.height = len(strip.lines)

    def _achieved(self, lesson: Lesson) -> Line:
        result = self._results.get(lesson.name)
        if result is None:
            return [(self._say("not done"), "dim")]
        told = self._say("done at", right=result.right, asked=result.asked, date=result.date)
        return [(f"{self._glyphs.passed} {told if result.asked else result.date}", "good")]

    def _say(self, key: str, **values: object) -> str:
        return say(self._language, key, **values)


class GalleryApp(App[str]):
    """Its result is the name of the experiment to open, or None where one leaves; 130 is returned after ctrl+c."""

    TITLE = "lambdatui"
    CSS_PATH = "styles.tcss"
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("q,escape", "leave", "Quit", id="quit", tooltip="Leave"),
        Binding("ctrl+c", "leave(130)", "Quit", show=False, priority=True, id="interrupt", tooltip="The same"),
    ]

    def __init__(
        self,
        lessons: Iterable[Lesson],
        results: Mapping[str, Result],
        language: Language,
        at: str | None = None,
        glyphs: Glyphs | None = None,
    ) -> None:
        install()
        super().__init__(ansi_color=True if os.environ.get("NO_COLOR") is not None else None)
        self._glyphs = glyphs or for_locale()
        self._gallery = GalleryScreen(lessons, results, language, self._glyphs, at)
        self.register_theme(DARK)
        self.register_theme(LIGHT)
        self.theme = DARK.name

    def get_theme_variable_defaults(self) -> dict[str, str]:
        return DARK.variables

    def on_mount(self) -> None:
        if self._glyphs is ASCII:
            self.add_class("-ascii")
        self.push_screen(self._gallery)

    def action_leave(self, code: int = 0) -> None:
        self.exit(None, return_code=code)


def choose(language: Language, at: str | None = None) -> tuple[str | None, int]:
    """Show the gallery with the cursor at an experiment; the name that was chosen, or None and how it was left."""
    from lambdatui.experiment.course import course
    from lambdatui.experiment.progress import results

    app = GalleryApp(course(language), results(), language, at)
    return app.run(), app.return_code or 0
