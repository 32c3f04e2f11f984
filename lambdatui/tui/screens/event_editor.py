"""The editor of the event that a function is invoked with: it also has what the services of AWS send."""

from __future__ import annotations

from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.screen import ModalScreen
from textual.widgets import OptionList, TextArea
from textual.widgets.option_list import Option

from lambdatui.experiment.service_events import SERVICE_EVENTS, service_event
from lambdatui.tui.screens.editor import Editor


class EventEditor(Editor):
    KEYS = f"{Editor.KEYS} · ctrl+t a service's event"
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("ctrl+t", "choose", "Typical events", id="editor_choose", tooltip="What a service sends", priority=True)
    ]

    def action_choose(self) -> None:
        self.app.push_screen(ServiceEvents(), self._put)

    def _put(self, name: str | None) -> None:
        if name is not None:
            self.query_one(TextArea).text = self.text_of(service_event(name))


class ServiceEvents(ModalScreen[str | None]):
    """The name of the one that is chosen, if any."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape", "dismiss(None)", "Back", id="events_leave", tooltip="Leave the event as it was"),
        Binding("j", "move('down')", "Down", show=False, id="events_down", tooltip="To the next event"),
        Binding("k", "move('up')", "Up", show=False, id="events_up", tooltip="To the one before"),
    ]

    def compose(self) -> ComposeResult:
        with Vertical(id="service-events") as frame:
            frame.border_title = "Typical events"
            frame.border_subtitle = "enter takes it · esc leaves it"
            yield OptionList(*(Option(f"{what}", id=name) for name, what in SERVICE_EVENTS.items()))

    def action_move(self, direction: str) -> None:
        options = self.query_one(OptionList)
        if direction == "down":
            options.action_cursor_down()
        else:
            options.action_cursor_up()

    def on_option_list_option_selected(self, event: OptionList.OptionSelected) -> None:
        self.dismiss(event.option_id)
