"""The code of a function, as it is now: in colours, the lines that matter marked, and what the last edit changed."""

from __future__ import annotations

from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import ScrollableContainer
from textual.content import Content
from textual.screen import ModalScreen
from textual.widgets import Static

from lambdatui.highlight import highlighted
from lambdatui.lab import Function
from lambdatui.tui.code_rows import CodeRow, code_rows
from lambdatui.tui.model import Model
from lambdatui.tui.sanitise import clean, clean_line
from lambdatui.tui.spans import fit
from lambdatui.tui.wording import clock_time

_MARKS = {"+": "bold $success", "-": "bold $error", " ": "$muted"}


class CodeScreen(ModalScreen[None]):
    """Follows what is saved; :meth:`sync` takes in what is new."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape,q,d", "dismiss", "Close", show=False),
        Binding("tab,right_square_bracket", "file(1)", "Next file", show=False, id="code_next_file"),
        Binding("shift+tab,left_square_bracket", "file(-1)", "File before", show=False, id="code_file_before"),
        Binding("j", "scroll(1)", "Down", show=False, id="code_down"),
        Binding("k", "scroll(-1)", "Up", show=False, id="code_up"),
    ]

    def __init__(self, model: Model, function: str, file: str | None = None) -> None:
        """`file` is the one to begin with; otherwise the handler's."""
        super().__init__()
        self._model, self._function, self._file = model, function, file
        self._made_of: object = None

    def compose(self) -> ComposeResult:
        with ScrollableContainer(id="code"):
            yield Static(id="code-text")

    def on_mount(self) -> None:
        self.sync()
        rows, cursor = self._rows(), self._matter()
        first = next((at for at, row in enumerate(rows) if row.number in cursor or row.mark != " "), 0)
        frame = self.query_one("#code")
        self.call_after_refresh(frame.scroll_to, y=max(0, first - frame.size.height // 3), animate=False)

    @property
    def _code(self) -> Function | None:
        return self._model.lab.functions.get(self._function)

    @property
    def shown(self) -> str | None:
        """The file that is shown."""
        files = self._code.files if self._code else {}
        return self._file if self._file in files else next(iter(files), None)

    def sync(self) -> None:
        code, file = self._code, self.shown
        made_of = (code.code_sha256, code.updated_at, file) if code else None
        if made_of == self._made_of:
            return
        self._made_of = made_of
        frame, say = self.query_one("#code"), self._model.say
        frame.border_title = f"{say('code of', function=clean_line(self._function))}: {clean_line(file or '')}"
        several = code is not None and len(code.files) > 1
        frame.border_subtitle = say("code keys" if several else "escape closes")
        rows = self._rows()
        self.query_one("#code-text", Static).update(self._content(rows))

    def _rows(self) -> list[CodeRow]:
        code, file = self._code, self.shown
        if code is None or file is None:
            return []
        before = None if code.previous_files is None else code.previous_files.get(file)
        return code_rows(None if before is None else _lines(before), _lines(code.files[file]))

    def _matter(self) -> set[int]:
        """Numbers of the lines that matter to the step on the page."""
        step, code, file = self._model.step, self._code, self.shown
        highlight = step.highlight if step else None
        if highlight is None or code is None or file is None or highlight.get("function") != self._function:
            return set()
        return set(highlighted(highlight, code.files[file].split("\n"))) if highlight.get("file") == file else set()

    def _content(self, rows: list[CodeRow]) -> Content:
        from textual.highlight import highlight  # takes its time, which the first paint need not wait for

        model, matter = self._model, self._matter()
        text = "\n".join(row.text for row in rows if row.number is not None)
        now = iter(highlight(text, path=self.shown or "").split("\n", allow_blank=True))
        places, longest = len(str(len(rows))), max((len(row.text) for row in rows), default=0)
        lines = [self._news(rows), Content("")]
        for row in rows:
            chosen = row.number in matter
            number = fit("" if row.number is None else str(row.number), places, right=True)
            pointer = (f"{model.glyphs.pointer if chosen else ' '} ", "bold $primary")
            gutter = Content.assemble(pointer, (f"{number} {row.mark} ", _MARKS[row.mark]))
            line = Content.styled(row.text, "$error") if row.number is None else next(now, Content(""))
            line = line.pad_right(max(0, longest - len(row.text)))
            lines.append(gutter + (line.stylize("on $panel") if chosen else line))
        return Content("\n").join(lines)

    def _news(self, rows: list[CodeRow]) -> Content:
        """What was seen of it last."""
        code, say = self._code, self._model.say
        if code is None or not rows:
            return Content.styled(say("no code"), "$muted")
        if code.previous_files is None or code.updated_at is None:
            return Content.styled(say("as it was"), "$muted")
        added, removed = (sum(row.mark == mark for row in rows) for mark in "+-")
        told = say("changed", added=added, removed=removed)
        saw = say("saw save", time=clock_time(code.updated_at)) if code.updated_because == "save" else ""
        return Content.assemble(
            (f"{self._model.glyphs.passed} {saw}  " if saw else "", "$success"), (told, "$foreground")
        )

    def action_file(self, step: int) -> None:
        files = list(self._code.files) if self._code else []
        if self.shown in files:
            self._file = files[(files.index(self.shown) + step) % len(files)]
            self.query_one("#code").scroll_home(animate=False)
            self.sync()

    def action_scroll(self, rows: int) -> None:
        self.query_one("#code").scroll_relative(y=rows, animate=False)


def _lines(text: str) -> list[str]:
    """Fit to be shown, without the newline at the end."""
    return [line.expandtabs(4) for line in clean(text.removesuffix("\n")).split("\n")]
