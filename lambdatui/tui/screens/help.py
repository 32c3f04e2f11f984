"""All keys and all signs."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import VerticalScroll
from textual.content import Content
from textual.screen import ModalScreen
from textual.widgets import Static

from lambdatui.tui.glyphs import Glyphs

_NAMES = {
    "slash": "/",
    "question_mark": "?",
    "right_square_bracket": "]",
    "left_square_bracket": "[",
    "escape": "esc",
}
_ALWAYS = (
    ("j k", "One line down, up; also the arrow keys"),
    ("g G", "To the first line, to the last one"),
    ("ctrl+d ctrl+u", "Half a page down, up"),
    ("h l", "Left and right where lines are cut"),
    ("ctrl+p", "Commands by name, and themes"),
    ("q, ctrl+c", "Quit"),
)


class Help(ModalScreen[None]):
    """Closes with the key that opened it, too."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape,question_mark,q,enter", "dismiss", "Close", id="help_close", tooltip="Close the help"),
        Binding("j", "scroll('down')", "Down", show=False, id="help_down", tooltip="One line down"),
        Binding("k", "scroll('up')", "Up", show=False, id="help_up", tooltip="One line up"),
    ]

    def __init__(self, bindings: Sequence[BindingType], glyphs: Glyphs) -> None:
        super().__init__()
        self._explained, self._glyphs = bindings, glyphs

    def compose(self) -> ComposeResult:
        with VerticalScroll(id="help") as frame:
            frame.border_title = "Help"
            frame.border_subtitle = "esc closes"
            yield Static(self._content())

    def action_scroll(self, direction: str) -> None:
        frame = self.query_one("#help")
        frame.scroll_relative(y=1 if direction == "down" else -1, animate=False)

    def _content(self) -> Content:
        keys = [
            (_NAMES.get(binding.key, binding.key), binding.tooltip)
            for binding in self._explained
            if isinstance(binding, Binding) and binding.tooltip and not binding.key.isdigit()
        ]
        keys.append(("1-4", "Panels; while the Guide asks for a prediction and has the focus, the choices"))
        lines = [Content.assemble(("Keys", "bold $primary"))]
        lines += [_entry(key, text, "bold") for key, text in (*keys, *_ALWAYS)]
        lines += [Content(""), Content.assemble(("Environments", "bold $primary"))]
        lines += [_entry(*sign) for sign in self._signs()]
        return Content("\n").join(lines)

    def _signs(self) -> list[tuple[str, str, str]]:
        glyphs = self._glyphs
        return [
            (f"{glyphs.init} init", "The runtime starts and the module is imported: a cold start", "$secondary"),
            (f"{glyphs.busy} busy", "An invocation runs; the time left until its deadline counts down", "$primary"),
            (f"{glyphs.idle} frozen", "Warm: its processes are stopped until the next invocation", "$success"),
            (
                f"{glyphs.timed_out} timed out",
                "Its processes were killed; the next invocation starts them anew",
                "$warning",
            ),
            (f"{glyphs.failed} failed", "The same after a failure of the runtime", "$error"),
            (f"{glyphs.gone} gone", "Ended, with its processes and its /tmp", "$faint"),
        ]


def _entry(sign: str, text: str, style: str) -> Content:
    return Content.assemble((f"{sign:<15}", style), text)
