"""The Textual app: takes in the laboratory's events, repaints at a bearable rate, and sends commands."""

from __future__ import annotations

import asyncio
import os
import time
from collections.abc import AsyncIterator, Callable, Iterable
from typing import Any, ClassVar, Protocol

from textual.app import App, SystemCommand
from textual.binding import Binding, BindingType
from textual.drivers.linux_driver import LinuxDriver
from textual.screen import Screen

from lambdatui.control.client import CommandFailed, ConnectionEnded
from lambdatui.control.roles import Role
from lambdatui.events import Json, Record
from lambdatui.tui.glyphs import ASCII, Glyphs, for_locale
from lambdatui.tui.model import Model
from lambdatui.tui.pulse import Pulse
from lambdatui.tui.sanitise import clean_line
from lambdatui.tui.screens.code import CodeScreen
from lambdatui.tui.screens.laboratory import LaboratoryScreen
from lambdatui.tui.terminal import TerminalDriver
from lambdatui.tui.theme import DARK, LIGHT
from lambdatui.tui.widgets.line_view import LineScreen
from lambdatui.tui.wrapping import install

LABORATORY_LOST = 1
"""The return code when the laboratory ended before the screen."""
_SLICE = 0.003
"""Seconds for which events are taken in before keys get their turn."""


class Laboratory(Protocol):
    """The laboratory as the screen knows it: :class:`lambdatui.control.client.Client`, or a recorded one."""

    def events(self) -> AsyncIterator[list[Record]]: ...

    async def command(self, name: str, **arguments: Json) -> Json: ...


class LaboratoryApp(App[int]):
    """The return code is 0, 130 after ctrl+c, or LABORATORY_LOST."""

    TITLE = "lambdatui"
    CSS_PATH = "styles.tcss"
    ENABLE_COMMAND_PALETTE = True
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("q", "leave", "Quit", id="quit", tooltip="End the laboratory and leave"),
        Binding(
            "ctrl+c", "leave(130)", "Quit", show=False, priority=True, id="interrupt", tooltip="The same, anywhere"
        ),
    ]

    def __init__(
        self,
        laboratory: Laboratory,
        clock: Callable[[], float] = time.time,
        glyphs: Glyphs | None = None,
        role: Role = Role.OWNER,
    ) -> None:
        """`clock` gives seconds since the epoch; `glyphs` are otherwise those the locale knows."""
        install()
        # Without colours Textual would turn them into greys that nobody can read.
        super().__init__(ansi_color=True if os.environ.get("NO_COLOR") is not None else None)
        if self.driver_class is LinuxDriver:  # a browser's is another
            self.driver_class = TerminalDriver
        self._laboratory = laboratory
        self.model = Model(clock, glyphs or for_locale(), role)
        self.pulse = Pulse(self._beat)
        self.folded = 0
        """How many records the model has taken in."""
        self.register_theme(DARK)
        self.register_theme(LIGHT)
        self.theme = DARK.name

    def get_theme_variable_defaults(self) -> dict[str, str]:
        """Our own names, for themes that do not have them."""
        return DARK.variables

    def get_system_commands(self, screen: Screen[Any]) -> Iterable[SystemCommand]:
        """Textual's own, but for its picture of the screen, which is saved without asking and loads a font."""
        yield from (command for command in super().get_system_commands(screen) if command.title != "Screenshot")
        if isinstance(screen, LaboratoryScreen):
            yield SystemCommand("Save page (H)", "What has happened so far, as HTML", screen.action_save_page)
            yield SystemCommand("Save picture (P)", "This screen, as SVG", screen.action_save_picture)

    def on_mount(self) -> None:
        if self.model.glyphs is ASCII:
            self.add_class("-ascii")
        self.push_screen(self.main_screen())
        self.run_worker(self._follow(), name="follow", exit_on_error=True)

    def main_screen(self) -> LaboratoryScreen:
        return LaboratoryScreen(self.model, self)

    def on_unmount(self) -> None:
        self.pulse.stop()

    async def _follow(self) -> None:
        async for records in self._laboratory.events():
            pause_at = time.perf_counter() + _SLICE
            if records[0].number == 0:
                self.model.rewind()
            for record in records:
                self.model.apply(record)
                self.folded = record.number + 1
                if time.perf_counter() >= pause_at:
                    await asyncio.sleep(0)
                    pause_at = time.perf_counter() + _SLICE
            self.pulse.mark()
        self.exit(LABORATORY_LOST, return_code=LABORATORY_LOST)

    def _beat(self) -> float | None:
        own = (LineScreen, CodeScreen)
        screens = [screen for screen in self.screen_stack if isinstance(screen, own) and screen.is_mounted]
        for screen in screens[-1:]:  # it covers those below, which catch up when it goes
            screen.sync()
        return self.model.period

    def order(self, command: str, **arguments: Json) -> None:
        """Send a command; a refusal is shown."""
        self.run_worker(self._order(command, arguments), name=command, exit_on_error=True)

    async def _order(self, command: str, arguments: dict[str, Json]) -> None:
        if refusal := await self.ask(command, **arguments):
            if command == "next":
                self.model.starting = False
            self.model.news.append(("error", refusal))
            self.pulse.now()

    async def ask(self, command: str, **arguments: Json) -> str:
        """Send a command; the sentence by which it was refused, or ''."""
        try:
            await self._laboratory.command(command, **arguments)
        except CommandFailed as refusal:
            return clean_line(str(refusal))
        except ConnectionEnded:
            pass  # the end of the events tells it
        return ""

    async def inquire(self, command: str, **arguments: Json) -> Json:
        """What the laboratory answers; raises CommandFailed. None where there is no laboratory any more."""
        try:
            return await self._laboratory.command(command, **arguments)
        except ConnectionEnded:
            return None

    def action_leave(self, code: int = 0) -> None:
        self.exit(code, return_code=code)
