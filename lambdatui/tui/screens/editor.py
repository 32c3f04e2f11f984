"""A small editor for JSON: the event to send, or a function's configuration."""

from __future__ import annotations

import json
from collections.abc import Awaitable, Callable
from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.content import Content
from textual.screen import ModalScreen
from textual.widgets import Static, TextArea

from lambdatui.events import Json
from lambdatui.tui.sanitise import clean, clean_line


class Editor(ModalScreen[None]):
    """Hands over the text, which is JSON then, and stays until it is taken."""

    KEYS = "ctrl+s takes it · esc leaves it"
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("ctrl+s", "save", "Save", id="editor_save", tooltip="Take this text", priority=True),
        Binding("escape", "leave", "Back", id="editor_leave", tooltip="Leave it as it was", priority=True),
    ]

    def __init__(self, title: str, text: str, take: Callable[[str], Awaitable[str]]) -> None:
        """`take` gets the text and says in a sentence why it does not take it, or ''."""
        super().__init__()
        self._title, self._text, self._take = clean_line(title), text, take

    @staticmethod
    def parsed(text: str) -> Json:
        value: Json = json.loads(text)
        return value

    @staticmethod
    def text_of(value: Json) -> str:
        return json.dumps(value, indent=2, ensure_ascii=False)

    def compose(self) -> ComposeResult:
        with Vertical(id="editor") as frame:
            frame.border_title = Content(self._title).markup
            frame.border_subtitle = self.KEYS
            yield TextArea(self._readable(), show_line_numbers=False, tab_behavior="indent", id="editor-text")
            yield Static(id="editor-problem")

    def _readable(self) -> str:
        try:
            return clean(self.text_of(self.parsed(self._text)))
        except ValueError:
            return clean(self._text)

    def on_text_area_changed(self) -> None:
        self._check()

    def _check(self) -> bool:
        problem = ""
        try:
            self.parsed(self.query_one(TextArea).text)
        except json.JSONDecodeError as error:
            problem = f"line {error.lineno}, column {error.colno}: {error.msg}"
        except RecursionError:
            problem = "this is nested too deeply"
        self._tell(problem)
        return not problem

    def _tell(self, problem: str) -> None:
        self.query_one("#editor-problem", Static).update(Content(clean_line(problem)))

    def action_save(self) -> None:
        if self._check():
            self.run_worker(self._hand_over(self.query_one(TextArea).text), exclusive=True)

    async def _hand_over(self, text: str) -> None:
        if problem := await self._take(text):
            self._tell(problem)
        else:
            self.dismiss()

    def action_leave(self) -> None:
        self.dismiss()
