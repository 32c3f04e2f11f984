"""An execution environment from inside: its life, what it uses, its invocations, processes, variables and files."""

from __future__ import annotations

from collections.abc import Callable
from typing import ClassVar, Protocol

from textual import events
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical

from lambdatui.control.client import CommandFailed
from lambdatui.events import Json
from lambdatui.lab import Environment
from lambdatui.tui import environment_page as page
from lambdatui.tui.clipboard import copy
from lambdatui.tui.environment_page import Entry, Page
from lambdatui.tui.inside import Inside, Preview, preview_of
from lambdatui.tui.model import Model
from lambdatui.tui.sanitise import clean_line
from lambdatui.tui.screens.help import Help
from lambdatui.tui.spans import Line, crop, spread
from lambdatui.tui.widgets.key_line import Key, KeyLine
from lambdatui.tui.widgets.life import Life
from lambdatui.tui.widgets.line_view import LineScreen, LineStrip, LineView
from lambdatui.tui.widgets.tab_line import Tab, TabLine
from lambdatui.tui.wording import plural

_LOOK_EVERY = 1.0
"""Seconds between two looks inside an environment that works."""
_TABS = ("overview", "invocations", "processes", "variables", "/tmp")
_WORKING = frozenset({"created", "init", "busy", "shutdown"})
_GONE = "It went with the environment."
_KEYS = (
    Key("[ ]", "tabs", "tab(1)", 2),
    Key("enter", "opens", "open", 3),
    Key("v", "secrets", "reveal", 6),
    Key("c", "copy", "copy", 4),
    Key("n N", "next, previous", "neighbour(1)", 5),
    Key("?", "help", "help", 1),
    Key("esc", "back", "back", 0),
)


class Inquirer(Protocol):
    """Asks the laboratory."""

    async def inquire(self, command: str, **arguments: Json) -> Json:
        """What it answers; raises CommandFailed. None where there is no laboratory any more."""


class PageView(LineView):
    """The rows of a tab, with a cursor."""

    def __init__(self, *, id: str | None = None) -> None:
        super().__init__(id=id)
        self._page: Page = []
        self._cursor = 0

    def show_page(self, shown: Page, anew: bool) -> None:
        """`anew`: it is another than before, and begins at its top."""
        self._page = shown
        if anew:
            self._cursor, self.column = 0, 0
            self.scroll_to(y=0, animate=False)
        self._cursor = max(0, min(self._cursor, len(shown) - 1))
        self.sync()

    def find(self, opens: str) -> None:
        """Put the cursor on the first row that opens this."""
        self._move_to(next((at for at, entry in enumerate(self._page) if entry.opens == opens), self._cursor))

    @property
    def entry(self) -> Entry | None:
        """The one under the cursor."""
        return self._page[self._cursor] if self._cursor < len(self._page) else None

    def row_count(self) -> int:
        return len(self._page)

    def row(self, number: int) -> Line:
        return crop(self._page[number].line, self.cells + self.column)

    def is_cursor(self, number: int) -> bool:
        return number == self._cursor

    def _move_to(self, number: int) -> None:
        self._cursor = max(0, min(number, len(self._page) - 1))
        self.sync()
        self.show_row(self._cursor)

    def action_down(self) -> None:
        self._move_to(self._cursor + 1)

    def action_up(self) -> None:
        self._move_to(self._cursor - 1)

    def action_page(self, direction: int) -> None:
        self._move_to(self._cursor + direction * max(1, self.size.height // 2))

    def action_scroll_home(self) -> None:
        self._move_to(0)

    def action_scroll_end(self) -> None:
        self._move_to(len(self._page) - 1)

    async def on_click(self, event: events.Click) -> None:
        """The second click on a row opens it."""
        number = int(self.scroll_offset.y) + event.y
        again = number == self._cursor
        if number < len(self._page):
            self._move_to(number)
            if again:
                await self.screen.run_action("open")


def _key(key: str, action: str, description: str, tooltip: str, id: str) -> Binding:
    return Binding(key, action, description, show=False, id=f"environment_{id}", tooltip=tooltip)


class EnvironmentScreen(LineScreen):
    """Follows what happens to the environment, and asks the laboratory for what no event tells."""

    AUTO_FOCUS = "#inside"
    BINDINGS: ClassVar[list[BindingType]] = [
        _key("right_square_bracket,tab", "tab(1)", "Next tab", "The next tab", "next_tab"),
        _key("left_square_bracket,shift+tab", "tab(-1)", "Previous tab", "The one before", "previous_tab"),
        *(
            _key(str(number), f"show_tab({number})", name.capitalize(), f"To {name}", f"tab_{number}")
            for number, name in enumerate(_TABS, 1)
        ),
        _key("enter", "open", "Open", "Look at the invocation, or into the file", "enter"),
        _key("v", "reveal", "Secrets", "Show values that look secret, or cover them", "reveal"),
        _key("c", "copy", "Copy", "Copy what is selected, or the value in the row", "copy"),
        _key("n", "neighbour(1)", "Next", "The next environment", "following"),
        _key("N", "neighbour(-1)", "Previous", "The one before", "preceding"),
        _key("question_mark", "help", "Help", "All keys and signs", "help"),
        _key("escape", "back", "Back", "Back to the laboratory", "back"),
    ]

    def __init__(self, model: Model, inquirer: Inquirer, environment: str, choose: Callable[[str], None]) -> None:
        """`choose` is told the request id of an invocation that the user wants to look at."""
        super().__init__()
        self._model, self._inquirer, self._choose = model, inquirer, choose
        self._tab = 0
        self._revealed = False
        self._turn_to(environment)

    _preview: Preview | str | None

    def _turn_to(self, environment: str) -> None:
        self._subject = environment
        self._inside: Inside | None = None
        self._refusal = ""
        self._file, self._preview = "", None
        self._asking = False
        self._asked_at = float("-inf")
        self._looked_at: tuple[object, ...] | None = None
        self._shown: tuple[object, ...] | None = None

    def compose(self) -> ComposeResult:
        yield LineStrip(id="top")
        with Vertical(classes="panel", id="life-panel"):
            yield Life(self._model, id="life")
        with Vertical(classes="panel current", id="inside-panel"):
            yield TabLine(id="tabs")
            yield PageView(id="inside")
        yield KeyLine(_KEYS, id="keys")

    def on_mount(self) -> None:
        self.query_one("#life-panel").border_title = "Life"

    def on_screen_resume(self) -> None:
        self.sync()

    def on_resize(self) -> None:
        self.call_after_refresh(self.sync)

    @property
    def environment(self) -> Environment | None:
        """None after a restart, which has swept it away."""
        return self._model.lab.environments.get(self._subject)

    def sync(self) -> None:
        """Show what is known now, and ask for more where that may be old."""
        self._model.tick()
        if (environment := self.environment) is None:
            if self.is_current:
                self.dismiss()
            return
        self._look(environment)
        top, life, keys = self.query_one("#top", LineStrip), self.query_one(Life), self.query_one(KeyLine)
        left, right = page.headline(environment, self._model)
        top.show([spread(left, right, top.cells)])
        life.show_life(environment)
        self.query_one("#life-panel").border_title = f"Life · {life.scale}" if life.scale else "Life"
        tabs = [Tab(str(number), f"{number} {name}") for number, name in enumerate(_TABS, 1)]
        self.query_one(TabLine).show_tabs(tabs, str(self._tab + 1))
        shown = self._subject, self._tab
        self.query_one(PageView).show_page(self._page(environment), anew=shown != self._shown)
        self._shown = shown
        for level, message in self._model.news:
            if message:
                keys.tell(message, level)
        self._model.news.clear()

    def _page(self, environment: Environment) -> Page:
        model, cells = self._model, self.query_one(PageView).cells
        match self._tab:
            case 0:
                return page.overview(environment, model, cells)
            case 1:
                placed = page.InvocationsPage(environment, model)
                return placed if len(placed) else [Entry([("No invocation was placed here yet.", "dim")])]
        if environment.state == "ended":
            return [Entry([(_GONE, "dim")])]
        if self._inside is None:
            return [Entry([(self._refusal, "bad") if self._refusal else ("The laboratory is asked ...", "dim")])]
        match self._tab:
            case 2:
                return page.processes(self._inside, cells)
            case 3:
                return page.variables(self._inside, model, cells, self._revealed)
        return page.files(self._inside, model, cells, self._file, self._preview)

    # -- looking inside -----------------------------------------------------------------------------------------

    def _look(self, environment: Environment) -> None:
        """Again when something has happened, and from time to time while it works; never while all is at rest."""
        state = environment.state, environment.frozen, environment.invocations, environment.tmp_mb, self._revealed
        old = environment.state in _WORKING and self._model.clock() - self._asked_at >= _LOOK_EVERY
        if environment.state == "ended" or self._asking or (state == self._looked_at and not old):
            return
        self._asking, self._asked_at, self._looked_at = True, self._model.clock(), state
        self.run_worker(self._ask(self._subject), name="inspect", exit_on_error=True)

    async def _ask(self, name: str) -> None:
        try:
            told = await self._inquirer.inquire("inspect", environment=name, reveal=self._revealed)
            inside, refusal = (None if told is None else Inside.of(told)), ""
        except CommandFailed as failure:
            inside, refusal = None, clean_line(str(failure))
        if name == self._subject:
            self._inside, self._refusal, self._asking = inside, refusal, False
            if self.is_current:
                self.sync()

    async def _read(self, name: str, file: str) -> None:
        try:
            told = await self._inquirer.inquire("preview", environment=name, file=file)
            preview: Preview | str | None = None if told is None else preview_of(told)
        except CommandFailed as failure:
            preview = clean_line(str(failure))
        if (name, file) == (self._subject, self._file):
            self._preview = preview
            self.sync()

    # -- keys ---------------------------------------------------------------------------------------------------

    def action_tab(self, step: int) -> None:
        self._tab = (self._tab + step) % len(_TABS)
        self.sync()

    def action_show_tab(self, number: int) -> None:
        self._tab = number - 1
        self.sync()

    def on_tab_line_chosen(self, message: TabLine.Chosen) -> None:
        message.stop()
        self.action_show_tab(int(message.key))

    def action_open(self) -> None:
        entry = self.query_one(PageView).entry
        if entry is None or not entry.opens:
            return
        if self._tab == _TABS.index("invocations"):
            self.dismiss()
            self._choose(entry.opens)
            return
        self._file, self._preview = ("" if entry.opens == self._file else entry.opens), None
        if self._file:
            self.run_worker(self._read(self._subject, self._file), name="preview", exit_on_error=True)
        self.sync()
        self.query_one(PageView).find(entry.opens)

    def action_reveal(self) -> None:
        self._revealed = not self._revealed
        self._tab = _TABS.index("variables")
        self.sync()

    def action_neighbour(self, step: int) -> None:
        """Of the same function, in the order in which they were made."""
        if (here := self.environment) is None:
            return
        names = [each.id for each in self._model.lab.environments.values() if each.function == here.function]
        self._turn_to(names[(names.index(self._subject) + step) % len(names)])
        self.sync()

    def action_help(self) -> None:
        self.app.push_screen(Help(self.BINDINGS, {}, self._model.glyphs, ""))

    async def action_copy(self) -> None:
        entry = self.query_one(PageView).entry
        text = self.get_selected_text() or (entry.copied if entry else "")
        if not text:
            return
        await copy(text, self.app)
        self.query_one(KeyLine).tell(f"{plural(text.count(chr(10)) + 1, 'line')} copied.")

    def action_back(self) -> None:
        self.dismiss()
