"""The Logs panel: a tab per log stream and one for all of them, their tree, the records, and the prompts."""

from __future__ import annotations

import re
from pathlib import Path
from typing import ClassVar, Literal

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal, Vertical
from textual.message import Message
from textual.widgets import Input

from lambdatui.tui.clipboard import copy
from lambdatui.tui.log_file import save_log
from lambdatui.tui.log_jumps import EXAMPLES, parse_jump
from lambdatui.tui.logbook import Log, Stream
from lambdatui.tui.model import Model
from lambdatui.tui.sanitise import clean_line
from lambdatui.tui.spans import width
from lambdatui.tui.stream_rows import names, tail
from lambdatui.tui.widgets.line_view import LineStrip
from lambdatui.tui.widgets.log_view import LogView
from lambdatui.tui.widgets.stream_tree import StreamTree
from lambdatui.tui.widgets.tab_line import Tab, TabLine
from lambdatui.tui.wording import plural, short

_ALL, _SOME = "", "some"
"""Keys of tabs; those of streams have a colon."""
_MANY_TABS = 60
"""So many tabs around the chosen one are considered for drawing."""
_LOW = 10
"""Rows up to which every one counts."""
_KEYS = "L streams, s search, J jump, v unfold, T times"
_ROOMY = 100
"""Cells from which on the tree has its place beside the records."""


class Logs(Vertical):
    """Says its title and status by :class:`Described`, for the border of the panel, and news by :class:`Told`."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("L", "streams", "Streams", show=False, id="log_streams", tooltip="Log groups and streams, to choose"),
        Binding("s", "search", "Search", show=False, id="log_search", tooltip="Mark matches, without hiding the rest"),
        Binding("J", "ask('jump')", "Jump", show=False, id="log_jump", tooltip=f"Jump to a time: {EXAMPLES}"),
        Binding(
            "right_curly_bracket",
            "start(1)",
            "Next START",
            show=False,
            id="log_next_start",
            tooltip="To the next START",
        ),
        Binding("left_curly_bracket", "start(-1)", "START", show=False, id="log_start", tooltip="To the one before"),
        Binding(
            "S",
            "chosen_start",
            "Its START",
            show=False,
            id="log_its_start",
            tooltip="To START of the chosen invocation",
        ),
        Binding(
            "C", "copy_records", "Copy all", show=False, id="log_copy", tooltip="Copy records with time and stream"
        ),
        Binding("ctrl+s", "ask('save')", "Save", show=False, id="log_save", tooltip="Save what is shown to a file"),
    ]

    class Described(Message):
        """Whose records are shown; how many lines and matches there are, and whether the end is followed."""

        def __init__(self, title: str, text: str) -> None:
            super().__init__()
            self.title, self.text = title, text

    class Told(Message):
        """Something has to be told."""

        def __init__(self, text: str) -> None:
            super().__init__()
            self.text = text

    def __init__(self, model: Model, *, id: str | None = None) -> None:
        super().__init__(id=id)
        self._model = model
        self._chosen: frozenset[str] = frozenset()
        """Keys of streams; empty for all of them, also those to come."""
        self._selection: tuple[frozenset[str], Log] | None = None
        self._opened = 0
        self._asked: Literal["jump", "save"] = "jump"
        self._replace: Path | None = None
        """The file that was there already when it was asked for."""
        self._problem = ""
        self._described = ("", "")

    def compose(self) -> ComposeResult:
        yield TabLine(id="streams")
        with Horizontal(id="log-body"):
            with Vertical(id="tree"):
                yield StreamTree(self._model, self._is_shown, id="branches")
                yield LineStrip(id="names")
            yield LogView(self._model, id="log")
        yield Input(id="filter", compact=True)
        yield Input(id="ask", compact=True)

    @property
    def view(self) -> LogView:
        return self.query_one(LogView)

    @property
    def branches(self) -> StreamTree:
        return self.query_one(StreamTree)

    # -- which streams ------------------------------------------------------------------------------------------

    def sync(self) -> None:
        book = self._model.logbook
        if self._opened != self._model.opened:
            self._opened, self._chosen, self._selection = self._model.opened, frozenset(), None
        if not self._chosen <= book.streams.keys():
            self._chosen &= book.streams.keys()
        self._show_tabs()
        if self._tree_open:
            self.branches.sync()
            self._say_names()
        if self.view.display:
            self.view.show_lines(self._log(), with_stream=len(self._chosen) != 1)

    def _log(self) -> Log:
        if not self._chosen:
            return self._model.logbook.everything
        if self._selection is None or self._selection[0] != self._chosen:
            self._selection = self._chosen, self._model.logbook.select(self._chosen)
        return self._selection[1]

    def _show_tabs(self) -> None:
        streams, dot = self._model.logbook.streams, "▪" if self._model.glyphs.busy != "*" else ""
        keys, active = list(streams), self._active_tab
        at = keys.index(active) if active in streams else 0
        tabs = [Tab(_ALL, f"all {len(streams)}")]
        if active == _SOME:
            tabs.append(Tab(_SOME, f"{len(self._chosen)} of {len(streams)}"))
        for key in keys[max(0, at - _MANY_TABS // 2) : at + _MANY_TABS // 2]:
            tabs.append(Tab(key, short(streams[key].name), (dot, f"stream-{streams[key].number % 6}")))
        self.query_one(TabLine).show_tabs(tabs, active)

    @property
    def _active_tab(self) -> str:
        return _SOME if len(self._chosen) > 1 else next(iter(self._chosen), _ALL)

    def _is_shown(self, key: str) -> bool:
        return not self._chosen or key in self._chosen

    def _streams(self) -> list[Stream]:
        """Those that are shown."""
        streams = self._model.logbook.streams
        return [streams[key] for key in self._chosen] if self._chosen else list(streams.values())

    def choose(self, *streams: str) -> None:
        """Show these streams, or all of them where none is given."""
        self._chosen = frozenset(streams) if len(streams) < len(self._model.logbook.streams) else frozenset()
        if len(streams) == 1:
            self._chosen = frozenset(streams)
        self.sync()

    def point_at(self, instant: float, text: str) -> bool:
        """Put the cursor on the line that was written at that instant; whether it is there."""
        line = self._model.logbook.everything.find(instant, text)
        if line is not None:
            field = self.query_one("#filter", Input)
            field.value, field.display = "", False
            self.view.filter_by(None)
            self.choose()
            self.view.go_to(line)
        return line is not None

    def on_tab_line_chosen(self, message: TabLine.Chosen) -> None:
        message.stop()
        if message.key != _SOME:
            self.choose(*([message.key] if message.key else []))

    def move_tab(self, step: int) -> None:
        keys = [_ALL, *self._model.logbook.streams]
        at = keys.index(self._active_tab) if self._active_tab in keys else 0
        key = keys[(at + step) % len(keys)]
        self.choose(*([key] if key else []))

    # -- the tree -----------------------------------------------------------------------------------------------

    @property
    def _tree_open(self) -> bool:
        return bool(self.query_one("#tree").display)

    def on_resize(self) -> None:
        self._arrange(self._tree_open)

    def _arrange(self, tree: bool) -> None:
        beside = self.size.width >= _ROOMY
        self.query_one("#tree").set_class(beside, "-beside")
        self.query_one("#tree").display = tree
        self.view.display = beside or not tree
        self.query_one("#streams").display = self.view.display
        self._describe()

    def action_streams(self) -> None:
        tree = not self._tree_open
        self._arrange(tree)
        (self.branches if tree else self.view).focus()
        self.call_after_refresh(self.sync)

    def on_stream_tree_moved(self, message: StreamTree.Moved) -> None:
        message.stop()
        self._say_names()

    def _say_names(self) -> None:
        """Say in full what the cursor of the tree is on."""
        strip, at, book = self.query_one("#names", LineStrip), self.branches.at, self._model.logbook
        if (stream := book.streams.get(at.key)) is not None and at.kind == "stream":
            lines = names(stream.group, stream.name, strip.cells)
        else:
            lines = names(at.key or "streams of all log groups", "", strip.cells)
        lines = lines[-1:] if self.size.height < _LOW else lines
        strip.show(lines)
        strip.styles.height = len(lines)

    def on_stream_tree_asked(self, message: StreamTree.Asked) -> None:
        message.stop()
        streams = self._model.logbook.streams
        if message.streams is None:
            self.choose()
        elif message.alone:
            self.choose(*message.streams)
        else:
            shown, asked = set(self._chosen or streams), set(message.streams)
            self.choose(*(shown - asked if asked <= shown else shown | asked))
        if message.alone and not self.view.display:
            self.action_streams()

    # -- filter and search --------------------------------------------------------------------------------------

    def open_filter(self, search: bool = False) -> None:
        """Ask for a pattern, to hide what does not match it, or in a `search` only to mark what does."""
        if not self.view.display:
            self.action_streams()
        self._close_ask()
        field = self.query_one("#filter", Input)
        field.placeholder = f"{'search' if search else 'filter'}: a regular expression"
        field.display = True
        field.focus()
        self.view.filter_by(self.view.pattern, only_matches=not search)

    def action_search(self) -> None:
        self.open_filter(search=True)

    def back(self) -> bool:
        """Leave a prompt, the selection, the tree or the filter; whether there was any."""
        if self._close_ask() or self.view.unmark():
            self.view.focus()
            return True
        if self._tree_open and self.has_focus_within:
            self.action_streams()
            return True
        field = self.query_one("#filter", Input)
        was_open = bool(field.display)
        if was_open:
            field.value = ""
            field.display = False
            self.view.focus()
        return was_open

    def on_input_changed(self, message: Input.Changed) -> None:
        message.stop()
        if message.input.id != "filter":
            self._problem, self._replace = "", None
            return
        self._problem, pattern = "", None
        if message.value:
            flags = re.NOFLAG if message.value != message.value.lower() else re.IGNORECASE
            try:
                pattern = re.compile(message.value, flags)
            except re.error as error:
                at = "" if error.pos is None else f" at {error.pos + 1}"
                self._problem = f"{error.msg}{at}"
            except (RecursionError, OverflowError):
                self._problem = "this is too much for a regular expression"
        message.input.set_class(bool(self._problem), "-invalid")
        if not self._problem:
            self.view.filter_by(pattern, self.view.only_matches)
        self._describe()

    async def on_input_submitted(self, message: Input.Submitted) -> None:
        message.stop()
        if message.input.id == "ask":
            self._jump(message.value) if self._asked == "jump" else await self._save(message.value)
            self._describe()
        elif message.value:
            self.view.focus()
            if not self.view.only_matches:
                self.view.action_match(-1 if self.view.following else 1)
        else:
            self.back()

    # -- jumping ------------------------------------------------------------------------------------------------

    def action_ask(self, what: Literal["jump", "save"]) -> None:
        view = self.view
        if view.here is None:
            self.post_message(self.Told("There are no lines yet."))
            return
        self._asked, self._replace, self._problem = what, None, ""
        field = self.query_one("#ask", Input)
        field.placeholder = f"jump to: {EXAMPLES}" if what == "jump" else "save as: a name for the file"
        streams = self._streams()
        name = short(streams[0].name) if len(streams) == 1 else "lambdatui"
        field.value = "" if what == "jump" else f"{name}.log"
        field.display = True
        field.focus()
        self._describe()

    def _close_ask(self) -> bool:
        field = self.query_one("#ask", Input)
        was_open, field.display = bool(field.display), False
        self._problem = ""
        return was_open

    def _jump(self, text: str) -> None:
        view = self.view
        if view.here is None:
            return
        try:
            jump = parse_jump(text, view.lines.origin(view.here).time)
        except ValueError as problem:
            self._problem = str(problem)
            return
        self._leave_ask()
        if not isinstance(jump, float):
            view.go_to_trouble(jump == "last error", lambda: self._tell("No error is among these lines."))
            return
        position = view.lines.not_before(jump)
        if position == len(view.lines):
            self._tell("Nothing was written at that time or later.")
        view.go_to(position)

    def action_start(self, step: int) -> None:
        view, book = self.view, self._model.logbook
        if view.here is None:
            return
        found = book.start_after(view.lines.numbers[view.here], self._streams(), step)
        if found is None:
            self._tell("There is no START after this." if step > 0 else "There is no START before this.")
        else:
            view.go_to(view.lines.position(found))

    def action_chosen_start(self) -> None:
        book = self._model.logbook
        number = book.started.get(self._model.chosen or "")
        if number is None:
            self._tell("No invocation that has started is chosen.")
            return
        if book.stream_of(number) not in self._streams():
            self.choose()
        self.view.go_to(self.view.lines.position(number))

    def _leave_ask(self) -> None:
        self._close_ask()
        self.view.focus()

    def _tell(self, text: str) -> None:
        self.post_message(self.Told(text))

    # -- copying and saving -------------------------------------------------------------------------------------

    def copy_text(self) -> str:
        return self.branches.copy_text() if self.branches.has_focus else self.view.copy_text()

    async def action_copy_records(self) -> None:
        if text := self.view.copy_records():
            await copy(text, self.app)
            self._tell(f"{plural(text.count(chr(10)) + 1, 'line')} copied.")

    async def _save(self, name: str) -> None:
        if not name.strip():
            return
        path, view = Path(name.strip()).expanduser(), self.view
        try:
            saved = await save_log(
                view.lines, view.shown[:], self._model.logbook.by_number, path, path == self._replace
            )
        except FileExistsError:
            self._problem, self._replace = f"{path} is there: enter again replaces it", path
        except (OSError, ValueError) as error:
            self._problem = f"It could not be saved: {getattr(error, 'strerror', None) or error}"
        else:
            self._leave_ask()
            self._tell(f"{plural(saved, 'line')} saved to {path.absolute()}.")

    # -- title and status ---------------------------------------------------------------------------------------

    def on_log_view_changed(self, message: LogView.Changed) -> None:
        message.stop()
        self._describe()

    def _describe(self) -> None:
        described = self._title(), self._status()
        if described != self._described:
            self._described = described
            self.post_message(self.Described(*described))

    def _title(self) -> str:
        """Whose records these are, or the one at the cursor: its group and stream, in full where there is room."""
        streams, room = self._model.logbook.streams, self.size.width - 16
        stream = self.view.cursor_stream
        if stream is None and len(self._chosen) == 1:
            stream = streams.get(next(iter(self._chosen)))
        if stream is None:
            return f"{len(self._chosen)} of {plural(len(streams), 'stream')}" if self._chosen else ""
        name = clean_line(stream.name)
        title = f"{clean_line(stream.group)} {self._model.glyphs.dot} {name}"
        return title if width([(title, "text")]) <= room else tail(name, max(1, room))

    def _status(self) -> str:
        view, parts = self.view, []
        if self._problem:
            return self._problem
        if self.query_one("#ask", Input).display and self._asked == "jump":
            return EXAMPLES
        dot = f" {self._model.glyphs.dot} "
        if self._tree_open and self.branches.has_focus:
            return dot.join(("enter shows one", "space adds it", "L closes"))
        if self.size.width >= _ROOMY and view.has_focus:
            parts.append(_KEYS)
        if view.marked:
            parts.append(f"{plural(view.marked, 'line')} selected")
        elif view.pattern is not None and (number := view.match_number) is not None:
            parts.append(f"match {number}/{view.matches}")
        elif view.pattern is not None:
            parts.append(f"{view.matches} of {plural(view.total, 'line')} match")
        else:
            parts.append(plural(view.total, "line"))
        if not view.wrapping:
            parts.append("cut")
        if view.following:
            parts.append("following")
        else:
            parts.append(f"+{view.new} new" if view.new else "f follows")
        return dot.join(parts)

    def on_descendant_focus(self) -> None:
        self._describe()

    def on_descendant_blur(self) -> None:
        self._describe()
