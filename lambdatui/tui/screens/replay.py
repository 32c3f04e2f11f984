"""The main screen, fed by a saved journal: the same panels, and below them where one is in it."""

from __future__ import annotations

from collections.abc import Callable
from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.widgets import Input

from lambdatui.tui.model import Model
from lambdatui.tui.screens.laboratory import Commander, LaboratoryScreen
from lambdatui.tui.tape import Tape
from lambdatui.tui.widgets.key_line import Key, KeyLine
from lambdatui.tui.widgets.transport import Transport

_SECONDS = 1.0
"""As far as the arrow keys move."""
_WHILE_WRITING = ("play", "seek", "step_events", "step_invocations", "step_steps")
"""What keys do that a field needs for itself."""

_ABSENT = {"i", "p", "e", "u", "x", "t", "W", "A"}
"""Keys of the laboratory's screen that act on a laboratory."""


def _key(key: str, action: str, name: str, description: str, tooltip: str) -> Binding:
    return Binding(key, action, description, show=False, priority=True, id=f"replay_{name}", tooltip=tooltip)


class ReplayScreen(LaboratoryScreen):
    """`moved` is told whenever somebody has moved the tape."""

    BINDINGS: ClassVar[list[BindingType]] = [
        _key("space", "play", "play", "Play", "Play, or pause"),
        _key("right", "seek(1)", "on", "On", "One second on"),
        _key("left", "seek(-1)", "back", "Back", "One second back"),
        _key("shift+right", "step_events(1)", "event_on", "Event on", "One event on, and pause"),
        _key("shift+left", "step_events(-1)", "event_back", "Event back", "One event back, and pause"),
        _key("ctrl+right", "step_invocations(1)", "invocation_on", "Next invocation", "To the next invocation"),
        _key("ctrl+left", "step_invocations(-1)", "invocation_back", "Invocation before", "To the one before"),
        _key("enter", "step_steps(1)", "step_on", "Next step", "To the next step of the experiment"),
        _key(
            "backspace",
            "step_steps(-1)",
            "step_back",
            "Step before",
            "To the beginning of this step, or the one before",
        ),
        _key("greater_than_sign", "speed(1)", "faster", "Faster", "Faster, up to 60 times"),
        _key("less_than_sign", "speed(-1)", "slower", "Slower", "Slower, down to a quarter"),
        Binding("r", "restart", "Start", show=False, id="replay_restart", tooltip="Again, from the start"),
        *(
            each
            for each in LaboratoryScreen.BINDINGS
            if isinstance(each, Binding) and each.key not in {"enter", "r", *_ABSENT}
        ),
    ]
    KEYS = (
        Key("space", "play, pause", "play", 0),
        Key("←→", "a second", "seek(1)", 1),
        Key("shift", "event", "step_events(1)", 4),
        Key("ctrl", "invocation", "step_invocations(1)", 6),
        Key("enter", "next step", "step_steps(1)", 2),
        Key("<>", "speed", "speed(1)", 3),
        Key("r", "start", "restart", 7),
        Key("tab", "panels", "cycle(1)", 8),
        Key("z", "zoom", "zoom", 9),
        Key("?", "help", "help", 4.5),
        Key("q", "quit", "app.leave", 5),
    )
    PURPOSE = "The replay goes on meanwhile."

    def __init__(self, model: Model, commander: Commander, tape: Tape, moved: Callable[[], None]) -> None:
        super().__init__(model, commander)
        self._tape, self._moved = tape, moved

    def compose(self) -> ComposeResult:
        for widget in super().compose():
            if isinstance(widget, KeyLine):
                yield Transport(self._tape, self._model.glyphs, id="transport")
            yield widget

    def sync(self) -> None:
        super().sync()
        self.query_one(Transport).sync()

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """A field gets its arrows, spaces and enter."""
        if action in _WHILE_WRITING and (isinstance(self.focused, Input) or not self.is_current):
            return False
        return super().check_action(action, parameters)

    # -- moving -------------------------------------------------------------------------------------------------

    def action_play(self) -> None:
        if self._tape.playing:
            self._tape.pause()
        else:
            self._tape.play()
        self._moved()

    def action_seek(self, direction: int) -> None:
        self._tape.seek(self._tape.time + direction * _SECONDS)
        self._moved()

    def action_step_events(self, step: int) -> None:
        self._tape.step_events(step)
        self._moved()

    def action_step_invocations(self, step: int) -> None:
        self._tape.step_invocations(step)
        self._moved()

    def action_step_steps(self, step: int) -> None:
        self._tape.step_steps(step)
        self._moved()

    def action_speed(self, step: int) -> None:
        self._tape.change_speed(step)
        self._moved()

    def action_restart(self) -> None:
        self._tape.seek(self._tape.start)
        self._moved()

    def on_transport_sought(self, message: Transport.Sought) -> None:
        self._tape.seek(message.instant)
        self._moved()
