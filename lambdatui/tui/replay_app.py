"""The screen on a saved journal: the same fold, at the pace of a tape."""

from __future__ import annotations

import asyncio
import contextlib
import sys
from collections.abc import AsyncIterator
from pathlib import Path

from lambdatui.control.client import CommandFailed
from lambdatui.control.roles import Role, refusal
from lambdatui.events import Json, Record
from lambdatui.journal import load
from lambdatui.tui.glyphs import Glyphs
from lambdatui.tui.laboratory_app import LaboratoryApp
from lambdatui.tui.pulse import PERIOD
from lambdatui.tui.screens.laboratory import LaboratoryScreen
from lambdatui.tui.screens.replay import ReplayScreen
from lambdatui.tui.tape import Tape

_RECORDS_AT_ONCE = 500
"""So many are folded before the tape may have been moved elsewhere."""


class Film:
    """The laboratory that a tape tells of. Whenever the tape was moved back its records come again from the first one;
    to fold 100,000 takes 2 to 3 seconds, in which keys are answered."""

    def __init__(self, tape: Tape) -> None:
        self._tape = tape
        self._moved = asyncio.Event()

    def moved(self) -> None:
        """The tape is elsewhere, or plays at another speed."""
        self._moved.set()

    async def events(self) -> AsyncIterator[list[Record]]:
        """Without end."""
        position = 0
        while True:
            self._moved.clear()
            count = self._tape.count
            if count < position:
                position = 0
            if position < count:
                batch = [*self._tape.records[position : min(count, position + _RECORDS_AT_ONCE)]]
                position += len(batch)
                yield batch
            else:
                with contextlib.suppress(TimeoutError):
                    await asyncio.wait_for(self._moved.wait(), self._tape.until_next)

    async def command(self, name: str, **arguments: Json) -> Json:
        raise CommandFailed(refusal(Role.AUDIENCE, name, False))


class ReplayApp(LaboratoryApp):
    """Its clock is that of the tape, which plays as soon as there is something to see."""

    def __init__(self, tape: Tape, glyphs: Glyphs | None = None) -> None:
        self._tape, self._film = tape, Film(tape)
        super().__init__(self._film, clock=lambda: tape.time, glyphs=glyphs, role=Role.AUDIENCE)

    def main_screen(self) -> LaboratoryScreen:
        return ReplayScreen(self.model, self, self._tape, self.moved)

    def on_mount(self) -> None:
        self._tape.play()  # Textual calls that of the base class, too

    def moved(self) -> None:
        self._film.moved()
        self.pulse.now()

    def _beat(self) -> float | None:
        period = super()._beat()
        return min(period or PERIOD, PERIOD) if self._tape.playing else None


def open_replay(journal: Path) -> int:
    """Show a saved journal; the exit code. Raises ValueError where it is none, in a sentence with its name and the
    line, and OSError."""
    records = [*load(journal)]
    if not records:
        raise ValueError(f"{journal}: an empty file is no journal")
    app = ReplayApp(Tape(records))
    app.run()
    sys.stdout.flush()
    return app.return_code or 0
