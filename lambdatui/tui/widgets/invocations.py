"""The Invocations panel: a tab for all of them as a table and one per invocation; two of them compared."""

from __future__ import annotations

import re
from dataclasses import dataclass
from itertools import islice
from typing import ClassVar, Literal, TypeAlias

from textual.actions import SkipAction
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.message import Message
from textual.widgets import Input

from lambdatui.lab import Invocation
from lambdatui.tui.glyphs import invocation_state
from lambdatui.tui.model import Model
from lambdatui.tui.widgets.comparison import Comparison
from lambdatui.tui.widgets.invocation_table import Heads, InvocationTable
from lambdatui.tui.widgets.invocation_view import InvocationView
from lambdatui.tui.widgets.line_view import LineView
from lambdatui.tui.widgets.tab_line import Tab, TabLine

_MANY_TABS = 60
"""So many tabs around the chosen one are considered for drawing."""
_ALL, _COMPARED = "all", "compared"
"""Keys of tabs; those of all others are request ids."""
Shown: TypeAlias = Literal["one", "all", "compared"]


def _key(key: str, action: str, description: str, tooltip: str) -> Binding:
    name = "invocations_" + action.replace("(", "_").replace(")", "")
    return Binding(key, action, description, show=False, id=name, tooltip=tooltip)


class Invocations(Vertical):
    """The first of a burst comes to the front by itself, and at the end of a step the one that went otherwise than the
    rest, unless the user has chosen another since."""

    BINDINGS: ClassVar[list[BindingType]] = [
        _key("v", "table", "All", "All invocations as a table, or the chosen one"),
        _key("enter", "open", "Open", "Of the table: open the invocation"),
        _key("s", "sort", "Sort", "Sort the table by its next column"),
        _key("S", "turn_round", "Turn round", "The other way round"),
        _key("slash", "filter", "Filter", "Filter the table by a regular expression"),
        _key("a", "again", "Again", "Invoke again: the same event, version or alias, and type"),
        _key("e", "edit", "Edit", "Edit its event, and invoke with that"),
        _key("m,space", "mark", "Mark", "Mark it, to compare another with it; or take the mark away"),
        _key("d", "compare", "Differences", "Compare it with the one that is marked"),
        _key("escape", "back", "Back", "Leave the comparison, the filter, the invocation"),
    ]

    @dataclass
    class Chosen(Message):
        """The user has chosen an invocation here."""

        request_id: str

    @dataclass
    class Again(Message):
        """The user wants the same once more; with another event, if it is to be `edited`."""

        invocation: Invocation
        edited: bool

    @dataclass
    class Described(Message):
        """What is to be said in the panel's borders."""

        title: str
        status: str

    @dataclass
    class Told(Message):
        """A sentence for the user."""

        text: str

    def __init__(self, model: Model, *, id: str | None = None) -> None:
        super().__init__(id=id)
        self._model = model
        self._front: str | None = None
        self._exceptional: str | None = None
        self._shown: Shown = "one"
        self._before: Shown = "one"
        """Where esc leads back to."""
        self._problem = ""
        self._described: Invocations.Described | None = None

    def compose(self) -> ComposeResult:
        yield TabLine(id="tabs")
        yield InvocationView(self._model, id="invocation")
        yield Heads(id="invocation-heads")
        yield InvocationTable(self._model, id="invocation-table")
        yield Comparison(self._model, id="comparison")
        yield Input(placeholder="filter: a regular expression", id="invocation-filter", compact=True)

    def on_mount(self) -> None:
        self._arrange()

    @property
    def view(self) -> InvocationView:
        return self.query_one(InvocationView)

    @property
    def table(self) -> InvocationTable:
        return self.query_one(InvocationTable)

    @property
    def comparison(self) -> Comparison:
        return self.query_one(Comparison)

    @property
    def front(self) -> LineView:
        """What is shown, and takes the focus."""
        return {"one": self.view, "all": self.table, "compared": self.comparison}[self._shown]

    @property
    def chosen(self) -> Invocation | None:
        return self._model.lab.invocations.get(self._model.chosen or "")

    # -- what is shown ------------------------------------------------------------------------------------------

    def sync(self) -> None:
        self._choose_by_itself()
        if self._shown == "compared" and self.comparison.both is None:
            self.show("one")
        self._show_tabs()
        self.view.show_invocation(self.chosen)
        self.table.sync()
        self.comparison.sync()
        self._describe()

    def _show_tabs(self) -> None:
        invocations = self._model.lab.invocations
        at = self.chosen.number - 1 if self.chosen else 0
        near = islice(invocations.values(), max(0, at - _MANY_TABS // 2), at + _MANY_TABS // 2)
        pinned = [Tab(_ALL, f"all {len(invocations)}")] if invocations else []
        if (both := self.comparison.both) is not None:
            pinned.append(Tab(_COMPARED, f"#{both[0].number} {self._model.glyphs.arrow} #{both[1].number}"))
        tabs: list[Tab] = []
        for invocation in near:
            glyph, (_, role) = invocation_state(invocation, self._model.glyphs)
            tabs.append(Tab(invocation.request_id, f"#{invocation.number}", (glyph, role)))
        active = {"one": self._model.chosen, "all": _ALL, "compared": _COMPARED}[self._shown]
        self.query_one(TabLine).show_tabs(tabs, active, pinned, self._model.chosen)

    def show(self, what: Shown) -> None:
        """One invocation, all of them or two compared."""
        if what != self._shown:
            had_focus = self.front.has_focus
            self._shown = what
            self._arrange()
            if had_focus:
                self.front.focus()

    def _arrange(self) -> None:
        for view in (self.view, self.table, self.comparison):
            view.display = view is self.front
            view.set_class(view is self.front, "front")
        table = self._shown == "all"
        self.query_one(Heads).display = table
        self.query_one(Input).display = table and bool(self.query_one(Input).value)
        self.call_after_refresh(self.sync)

    def _choose_by_itself(self) -> None:
        model = self._model
        if self._front != model.front or model.chosen is None:
            self._front = model.chosen = model.front
        if self._exceptional != model.odd:
            self._exceptional = model.odd
            if self._exceptional is not None and model.chosen == self._front:
                model.chosen = self._exceptional

    def _describe(self) -> None:
        model, dot = self._model, f" {self._model.glyphs.dot} "
        marked = model.lab.invocations.get(model.marked or "")
        title = f"#{marked.number} is marked" if marked else ""
        keys = {
            "one": ["a again", "e edit", "m mark", "v all"],
            "all": ["enter opens", "s sort", "/ filter", "m mark"],
            "compared": ["esc back"],
        }[self._shown]
        if marked and self._shown != "compared":
            keys = ["m unmark", "choose another, d compares"] if marked is self.chosen else ["d compare", *keys[:2]]
        if not model.lab.invocations:
            keys = []
        if self._shown == "all" and self._problem:
            keys = [self._problem]
        elif self._shown == "all" and (matches := self.table.matches) is not None:
            keys = [f"{matches} of {len(model.lab.invocations)} match"]
        described = self.Described(title, dot.join(keys))
        if described != self._described:
            self._described = described
            self.post_message(described)

    # -- choosing -----------------------------------------------------------------------------------------------

    def choose(self, request_id: str) -> None:
        self._model.chosen = request_id
        self.post_message(self.Chosen(request_id))
        self.sync()

    def move_tab(self, step: int) -> None:
        keys = [_ALL, *([_COMPARED] if self.comparison.both else []), *self._model.lab.invocations]
        now = {"one": self._model.chosen or _ALL, "all": _ALL, "compared": _COMPARED}[self._shown]
        if len(keys) > 1:
            first = len(keys) - len(self._model.lab.invocations)
            at = first + self.chosen.number - 1 if now == self._model.chosen and self.chosen else keys.index(now)
            self._show_tab(keys[(at + step) % len(keys)])

    def _show_tab(self, key: str) -> None:
        if key in (_ALL, _COMPARED):
            self.show("all" if key == _ALL else "compared")
        else:
            self._before = "one"
            self.show("one")
            self.choose(key)

    def on_tab_line_chosen(self, message: TabLine.Chosen) -> None:
        message.stop()
        self._show_tab(message.key)

    def on_invocation_table_moved(self, message: InvocationTable.Moved) -> None:
        message.stop()
        self.choose(message.request_id)

    def on_invocation_table_opened(self, message: InvocationTable.Opened) -> None:
        message.stop()
        self.action_open()

    def on_invocation_table_changed(self, message: InvocationTable.Changed) -> None:
        message.stop()
        self.query_one(Heads).show([self.table.heads])
        self._describe()

    def on_heads_clicked(self, message: Heads.Clicked) -> None:
        message.stop()
        self.table.sort_at(message.cell)

    # -- keys ---------------------------------------------------------------------------------------------------

    def action_table(self) -> None:
        self.show("one" if self._shown == "all" else "all")

    def action_open(self) -> None:
        """Elsewhere than in the table the key is the next step's."""
        if self._shown != "all" or self.chosen is None:
            raise SkipAction
        self.show("one")
        self._before = "all"

    def action_sort(self) -> None:
        if self._shown == "all":
            self.table.sort_by_next()
        else:
            self.show("all")

    def action_turn_round(self) -> None:
        if self._shown == "all":
            self.table.turn_round()
        else:
            self.show("all")

    def action_again(self) -> None:
        if self.chosen is not None:
            self.post_message(self.Again(self.chosen, edited=False))

    def action_edit(self) -> None:
        if self.chosen is None:
            raise SkipAction  # the event of the first one
        self.post_message(self.Again(self.chosen, edited=True))

    def action_mark(self) -> None:
        if (chosen := self.chosen) is None:
            return
        self._model.marked = None if self._model.marked == chosen.request_id else chosen.request_id
        self.sync()

    def action_compare(self) -> None:
        marked = self._model.lab.invocations.get(self._model.marked or "")
        if marked is None:
            self.post_message(self.Told("Mark an invocation with m first, to compare another with it."))
        elif self.chosen is None or self.chosen is marked:
            self.post_message(self.Told(f"Choose the invocation to compare #{marked.number} with."))
        else:
            if self._shown != "compared":
                self._before = self._shown
            self.show("compared")
            self.comparison.compare(marked.request_id, self.chosen.request_id)

    def action_back(self) -> None:
        if self._shown == "compared":
            self.comparison.pair = None
            self.show(self._before)
            self._before = "one"
        elif self._shown == "all" and self.query_one(Input).display:
            self._close_filter()
        elif self._shown == "one" and self._before == "all":
            self._before = "one"
            self.show("all")
        else:
            raise SkipAction

    # -- the filter ---------------------------------------------------------------------------------------------

    def action_filter(self) -> None:
        self.show("all")
        field = self.query_one(Input)
        field.display = True
        field.focus()

    def _close_filter(self) -> None:
        field = self.query_one(Input)
        field.value = ""
        field.display = False
        self.table.focus()

    def on_input_changed(self, message: Input.Changed) -> None:
        message.stop()
        self._problem, pattern = "", None
        if message.value:
            flags = re.NOFLAG if message.value != message.value.lower() else re.IGNORECASE
            try:
                pattern = re.compile(message.value, flags)
            except re.error as error:
                self._problem = error.msg
            except (RecursionError, OverflowError):
                self._problem = "this is too much for a regular expression"
        message.input.set_class(bool(self._problem), "-invalid")
        if not self._problem:
            self.table.filter_by(pattern)
        self._describe()

    def on_input_submitted(self, message: Input.Submitted) -> None:
        message.stop()
        if message.value:
            self.table.focus()
        else:
            self._close_filter()

    def copy_text(self) -> str:
        return self.front.copy_text()
