"""Puts the screen on the stage: with recorded laboratories, at a time that stands still until a test moves it."""

from __future__ import annotations

import contextlib
from collections.abc import AsyncIterator

from textual.pilot import Pilot
from textual.widget import Widget

from lambdatui.tui.glyphs import UNICODE, Glyphs
from lambdatui.tui.laboratory_app import LaboratoryApp
from lambdatui.tui.screens.laboratory import LaboratoryScreen
from lambdatui.tui.spans import plain
from lambdatui.tui.widgets.guide import Guide, GuidePage
from lambdatui.tui.widgets.key_line import KeyLine
from lambdatui.tui.widgets.line_view import LineView
from lambdatui.tui.widgets.panel import Panel
from tests.tui.recorded import Player, Script


class Stage:
    """The app and the laboratory behind it. `now` is the clock."""

    def __init__(self, script: Script, glyphs: Glyphs = UNICODE) -> None:
        self.script = script
        self.now = script.time
        self.player = Player(*script.records)
        self.app = LaboratoryApp(self.player, clock=lambda: self.now, glyphs=glyphs)
        self.pilot: Pilot[int]
        self._played = len(script.records)

    @contextlib.asynccontextmanager
    async def up(self, size: tuple[int, int] = (120, 40)) -> AsyncIterator[Stage]:
        async with self.app.run_test(size=size) as self.pilot:
            await self.settled()
            yield self

    async def settled(self) -> None:
        """Wait until all that was played is on the screen."""
        await self.player.taken()
        for _ in range(3):
            self.app.pulse.now()
            await self.pilot.pause()
            await self.screen.query_one(GuidePage).settled()
        await self.pilot.pause()

    async def press(self, *keys: str) -> None:
        await self.pilot.press(*keys)
        await self.settled()

    async def play(self) -> None:
        """Play what was added to the script, up to its time."""
        records = self.script.records[self._played :]
        self._played = len(self.script.records)
        self.now = max(self.now, self.script.time)
        self.player.play(*records)
        await self.settled()

    # -- what is seen -------------------------------------------------------------------------------------------

    @property
    def screen(self) -> LaboratoryScreen:
        return next(screen for screen in self.app.screen_stack if isinstance(screen, LaboratoryScreen))

    @property
    def panel(self) -> int:
        """The number of the panel that the keys go to."""
        return next(panel.number for panel in self.screen.query(Panel) if panel.has_class("current"))

    def rows(self, selector: str) -> list[str]:
        """The rows of a line view, as far as they are on the screen."""
        view = self.screen.query_one(selector, LineView)
        return [plain(view.row(number)).rstrip() for number in view.rows_visible]

    def title(self, selector: str) -> str:
        return str(self.screen.query_one(selector, Widget).border_title)

    def status(self, selector: str) -> str:
        """What stands in the lower border."""
        return str(self.screen.query_one(selector, Widget).border_subtitle)

    @property
    def guide(self) -> str:
        return self.screen.query_one(Guide).copy_text()

    @property
    def prompt(self) -> str:
        return self.rows("#prompt")[0].strip()

    @property
    def told(self) -> str:
        """What is told in the last line, '' where the keys are there."""
        return self.screen.query_one(KeyLine).told

    def drawn(self) -> str:
        """Every character that the terminal is sent for the whole screen."""
        strips = self.app.screen._compositor.render_strips()
        return "\n".join("".join(segment.text for segment in strip) for strip in strips)
