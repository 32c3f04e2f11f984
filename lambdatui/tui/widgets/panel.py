"""A frame with a number, a title and a status around a part of the screen."""

from __future__ import annotations

from typing import Protocol

from textual.app import ComposeResult
from textual.containers import Vertical
from textual.content import Content
from textual.widget import Widget

from lambdatui.tui.sanitise import clean_line


class Body(Protocol):
    """What a panel contains."""

    def sync(self) -> None:
        """Show what has changed."""

    def copy_text(self) -> str:
        """What `c` copies."""


class Panel(Vertical):
    """The numbered frame; its number is the key that focuses it."""

    def __init__(self, number: int, title: str, body: Widget, focus_on: str, *, id: str) -> None:
        """`focus_on` is the selector of the widget that takes the focus, the first of them that can."""
        super().__init__(id=id, classes="panel")
        self.number = number
        self._title, self._body, self._focus_on = title, body, focus_on
        self.entitle("")

    def compose(self) -> ComposeResult:
        yield self._body

    @property
    def target(self) -> Widget:
        """The widget that takes the focus and the keys."""
        candidates = list(self.query(self._focus_on))
        return next((each for each in candidates if all(node.display for node in each.ancestors)), candidates[-1])

    def entitle(self, more: str) -> None:
        """Put the title, and something after it, into the upper border."""
        title = Content.assemble((f"{self.number}", "bold"), f" {self._title}", f" · {more}" if more else "")
        if self.border_title != title.markup:
            self.border_title = title  # not as markup: it would not come through whole, as in `[$LATEST]`

    def tell(self, status: str) -> None:
        """Put `status` into the lower border; foreign text in it is not taken for markup."""
        self.border_subtitle = Content(clean_line(status))
