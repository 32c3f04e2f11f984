"""All keys and all signs."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import VerticalScroll
from textual.content import Content
from textual.screen import ModalScreen
from textual.widgets import Static

from lambdatui.history import Kind
from lambdatui.tui.glyphs import Glyphs
from lambdatui.tui.lanes import strokes_for
from lambdatui.tui.spans import fit, wrap
from lambdatui.tui.timeline_labels import LEGEND

_NAMES = {
    "slash": "/",
    "question_mark": "?",
    "right_square_bracket": "]",
    "left_square_bracket": "[",
    "right_curly_bracket": "}",
    "left_curly_bracket": "{",
    "escape": "esc",
    "full_stop": ".",
    "comma": ",",
    "plus": "+",
    "minus": "-",
    "equals_sign": "=",
    "greater_than_sign": ">",
    "less_than_sign": "<",
}
_ALWAYS = (
    ("j k", "One line down, up; also the arrow keys"),
    ("g G", "To the first line, to the last one"),
    ("ctrl+d ctrl+u", "Half a page down, up"),
    ("h l", "Left and right where lines are cut"),
    ("ctrl+p", "Commands by name, and themes"),
    ("q, ctrl+c", "Quit"),
)
_DIGITS = "Panels; while the Guide asks for a prediction and has the focus, the choices"
_KINDS = {
    Kind.EXTENSION_INIT: "Extensions start and register",
    Kind.RUNTIME_INIT: "The runtime starts",
    Kind.FUNCTION_INIT: "The module of the function is imported",
    Kind.INVOKE: "An invocation, in the colour of how it ended",
    Kind.FROZEN: "Warm, and stopped until the next invocation",
    Kind.RESET: "Without processes: the next invocation pays their start",
    Kind.SHUTDOWN: "Runtime and extensions are told to end",
    Kind.THROTTLED: "An invocation that got no environment",
    Kind.QUEUED: "The event of an asynchronous invocation waits",
    Kind.WAITING: "Created, and not started yet: as many start at once as the computer has cores",
    Kind.FORGOTTEN: "Too long ago to be known",
}
_COLOURS = {
    **{"init": "$secondary", "busy": "$primary", "idle": "$success"},
    **{"warn": "$warning", "bad": "$error", "dim": "$muted"},
}
_SIGN = 17
"""Cells of the column of keys and signs."""
_PENDING = "Accepted, and its environment is still in its init"


class Help(ModalScreen[None]):
    """Closes with the key that opened it, too."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape,question_mark,q,enter", "dismiss", "Close", id="help_close", tooltip="Close the help"),
        Binding("j", "scroll('down')", "Down", show=False, id="help_down", tooltip="One line down"),
        Binding("k", "scroll('up')", "Up", show=False, id="help_up", tooltip="One line up"),
    ]

    def __init__(
        self,
        bindings: Sequence[BindingType],
        panels: Mapping[str, Sequence[BindingType]],
        glyphs: Glyphs,
        sandbox: str,
        endpoint: str | None = None,
    ) -> None:
        """`panels` are keys of single panels, by their names; `sandbox` names what isolates an environment here;
        `endpoint` is where AWS's clients find the laboratory."""
        super().__init__()
        self._explained, self._panels = bindings, panels
        self._glyphs, self._sandbox, self._endpoint = glyphs, sandbox, endpoint

    def compose(self) -> ComposeResult:
        with VerticalScroll(id="help") as frame:
            frame.border_title = "Help"
            frame.border_subtitle = "esc closes"
            yield Static()

    def on_resize(self) -> None:
        self.call_after_refresh(self._lay_out)

    def _lay_out(self) -> None:
        self.query_one(Static).update(self._content(self.query_one("#help").scrollable_content_region.width))

    def action_scroll(self, direction: str) -> None:
        frame = self.query_one("#help")
        frame.scroll_relative(y=1 if direction == "down" else -1, animate=False)

    def _content(self, cells: int) -> Content:
        keys = [
            (_keys(binding), binding.tooltip)
            for binding in self._explained
            if isinstance(binding, Binding) and binding.tooltip and not binding.key.isdigit()
        ]
        keys.append(("1-5", _DIGITS if self._panels else "The tabs"))
        lines = [Content.assemble(("Keys", "bold $primary"))]
        for key, text in (*keys, *_ALWAYS):
            lines += _entry(key, text, "bold", cells)
        if self._endpoint:
            lines += [Content(""), Content.assemble(("The aws CLI and boto3", "bold $primary"))]
            lines += _entry("elsewhere", 'eval "$(lambdatui env)" lets another terminal in', "bold", cells)
            lines += _entry("endpoint", self._endpoint, "bold", cells)
        lines += [Content(""), Content.assemble(("Environments", "bold $primary"))]
        lines += _bindings(self._panels.get("Environments", ()), cells)
        for sign in self._signs():
            lines += _entry(*sign, cells)
        if self._sandbox:
            lines += _entry(
                "isolation", f"Each environment has processes of its own; here: {self._sandbox}", "bold", cells
            )
        lines += [Content(""), Content.assemble(("Invocations", "bold $primary"))]
        lines += _bindings(self._panels.get("Invocations", ()), cells)
        lines += _entry(f"{self._glyphs.init} pending", _PENDING, "$secondary", cells)
        lines += [Content(""), Content.assemble(("Logs", "bold $primary"))]
        lines += _bindings(self._panels.get("Logs", ()), cells)
        lines += [Content(""), Content.assemble(("Timeline", "bold $primary"))]
        lines += _bindings(self._panels.get("Timeline", ()), cells)
        strokes = strokes_for(self._glyphs)
        for kind, word, role in LEGEND:
            lines += _entry(f"{strokes.kinds[kind]} {word}", _KINDS[kind], _COLOURS[role], cells)
        lines += _entry(strokes.cut, "A time in which nothing happened anywhere, shortened", "$muted", cells)
        return Content("\n").join(lines)

    def _signs(self) -> list[tuple[str, str, str]]:
        glyphs = self._glyphs
        return [
            (f"{glyphs.init} waiting", "It was created, and its processes are about to start", "$secondary"),
            (f"{glyphs.init} init", "The runtime starts and the module is imported: a cold start", "$secondary"),
            (f"{glyphs.busy} busy", "An invocation runs; the time left until its deadline counts down", "$primary"),
            (f"{glyphs.idle} frozen", "Warm: its processes are stopped until the next invocation", "$success"),
            ("  ahead", "Provisioned concurrency: initialised, and never invoked yet", "$success"),
            (
                f"{glyphs.timed_out} timed out",
                "Its processes were killed; the next invocation starts them anew",
                "$warning",
            ),
            (f"{glyphs.failed} failed", "The same after a failure of the runtime", "$error"),
            (f"{glyphs.gone} gone", "Ended, with its processes and its /tmp", "$faint"),
        ]


def _keys(binding: Binding) -> str:
    return " ".join(_NAMES.get(key, key) for key in binding.key.split(","))


def _bindings(bindings: Sequence[BindingType], cells: int) -> list[Content]:
    lines: list[Content] = []
    for binding in bindings:
        if isinstance(binding, Binding):
            lines += _entry(_keys(binding), binding.tooltip, "bold", cells)
    return lines


def _entry(sign: str, text: str, style: str, cells: int) -> list[Content]:
    """A sign and what it means, on as many lines as that takes."""
    pieces = wrap(text, max(10, cells - _SIGN))
    return [
        Content.assemble((fit(sign if number == 0 else "", _SIGN), style), piece) for number, piece in enumerate(pieces)
    ]
