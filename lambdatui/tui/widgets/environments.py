"""The Environments panel: functions, and a row for each of their execution environments."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar

from textual import events
from textual.binding import Binding, BindingType
from textual.message import Message

from lambdatui.lab import Environment, Function
from lambdatui.tui.environment_rows import Column, columns_for, columns_title, environment_row, function_rows, why
from lambdatui.tui.model import Model
from lambdatui.tui.spans import Line, crop, wrap
from lambdatui.tui.widgets.line_view import LineView

_INLINE_WHY = 125
"""Cells from which on the reason stands in the row."""
_GONE_SHOWN = 3
"""If more have ended, only the last two of them are shown, and one row stands for the rest."""

_OPENS = "Look into one: its whole life, its processes, variables and files"


@dataclass(frozen=True)
class Ended:
    """A row for the environments of a function that have ended; the cursor finds it by its key."""

    function: str
    count: int
    shown: bool

    @property
    def key(self) -> str:
        return f"ended {self.function}"


class Environments(LineView):
    """Those that live are on top. Why an environment was made, or ended, stands beside or below it where there is room
    for all of them, else below the one that the cursor is on. Before there is a cursor, :class:`Described` tells it of
    the last."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding(
            "enter",
            "open",
            "Open",
            show=False,
            id="environment_open",
            tooltip="Open one: its life, processes, variables, files",
        ),
    ]

    @dataclass
    class Described(Message):
        """A sentence about the environment under the cursor."""

        text: str

    @dataclass
    class Opened(Message):
        """The user wants to see the environment of that id from inside."""

        environment: str

    def __init__(self, model: Model, *, id: str | None = None) -> None:
        super().__init__(id=id)
        self._model = model
        self._rows: list[Line | Environment | Ended] = []
        self._columns: dict[str, Mapping[str, Column]] = {}
        self._unfolded: set[str] = set()
        """Functions whose environments are all shown."""
        self._details: set[int] = set()
        self._cursor: str | None = None
        self._described = ""

    def row_count(self) -> int:
        return len(self._rows)

    def row(self, number: int) -> Line:
        row, cells = self._rows[number], self.cells
        if isinstance(row, Environment):
            if number in self._details:
                return crop([("            ", "dim"), (why(row, self._model), "dim")], cells)
            inline_why = cells >= _INLINE_WHY
            return crop(environment_row(row, self._model, self._columns[row.function], inline_why), cells)
        if isinstance(row, Ended):
            sign, more = self._model.glyphs.gone, "" if row.shown else " more"
            what = "folds" if row.shown else "shows"
            return crop([(f"{sign} {row.count}{more} ended", "gone"), (f", enter {what} them", "dim")], cells)
        return row

    def is_cursor(self, number: int) -> bool:
        return number not in self._details and self._key(number) == self._cursor is not None

    def _key(self, number: int) -> str | None:
        """What the cursor keeps of a row; None where it cannot be."""
        row = self._rows[number]
        return row.id if isinstance(row, Environment) else row.key if isinstance(row, Ended) else None

    def sync(self) -> None:
        self._lay_out()
        super().sync()
        self._describe()

    def _lay_out(self) -> None:
        by_function: dict[str, list[Environment]] = {name: [] for name in self._model.lab.functions}
        for environment in self._model.lab.environments.values():
            by_function.setdefault(environment.function, []).append(environment)
        cells = self.cells
        head = {name: self._head(self._model.lab.functions.get(name), cells) for name in by_function}
        rows = {name: self._in_order(name, environments) for name, environments in by_function.items()}
        count = sum(map(len, rows.values()))
        height = sum(len(lines) for lines in head.values()) + len(by_function)
        with_details = cells < _INLINE_WHY and height + 2 * count <= self.size.height
        self._rows, self._details = [], set()
        for name, environments in rows.items():
            if self._rows and self.size.height > height + count:
                self._rows.append([])
            self._rows += head[name]
            if not environments:
                self._rows.append([("no environment yet", "dim")])
                continue
            function = self._model.lab.functions.get(name)
            columns = self._columns[name] = columns_for(cells, bool(function and function.versions))
            self._rows.append(crop(columns_title(columns, cells >= _INLINE_WHY), cells))
            for row in environments:
                self._rows.append(row)
                if isinstance(row, Ended):
                    continue
                if with_details:
                    self._details.add(len(self._rows))
                    self._rows.append(row)
                elif row.id == self._cursor and cells < _INLINE_WHY:
                    pieces = wrap(why(row, self._model), max(2, cells - 2))
                    self._rows += [[("  ", "dim"), (piece, "dim")] for piece in pieces]

    def _in_order(self, function: str, environments: list[Environment]) -> list[Environment | Ended]:
        """The last that ended come first among those."""
        gone = [each for each in reversed(environments) if each.state == "ended"]
        living: list[Environment | Ended] = [each for each in environments if each.state != "ended"]
        if len(gone) <= _GONE_SHOWN:
            return [*living, *gone]
        if function in self._unfolded:
            return [*living, Ended(function, len(gone), True), *gone]
        shown = [each for number, each in enumerate(gone) if number < _GONE_SHOWN - 1 or each.id == self._cursor]
        return [*living, *shown, Ended(function, len(gone) - len(shown), False)]

    def _head(self, function: Function | None, cells: int) -> list[Line]:
        return function_rows(function, self._model, cells) if function else []

    # -- the cursor ---------------------------------------------------------------------------------------------

    @property
    def current(self) -> Environment | None:
        """The environment under the cursor; without one, the one that was made last."""
        environments = self._model.lab.environments
        return environments.get(self._cursor or "") or next(reversed(environments.values()), None)

    def _describe(self) -> None:
        current = self.current
        text = f"{current.id[:6]}: {why(current, self._model)}" if current and self.cells < _INLINE_WHY else ""
        if self._details or self._cursor is not None:
            text = ""
        if self.has_focus and current and self._cursor in (None, current.id):
            text = f"enter opens {current.id[:6]}"
        if text != self._described:
            self._described = text
            self.post_message(self.Described(text))

    def _places(self) -> list[int]:
        return [
            number for number in range(len(self._rows)) if number not in self._details and self._key(number) is not None
        ]

    def _move(self, step: int) -> None:
        places = self._places()
        if not places:
            return
        at = next((index for index, number in enumerate(places) if self.is_cursor(number)), -1 if step > 0 else 0)
        self._set_cursor(places[max(0, min(len(places) - 1, at + step))])

    def _set_cursor(self, number: int) -> None:
        if (key := self._key(number)) is not None:
            self._cursor = key
            self.sync()
            places = self._places()
            at = next(place for place in places if self.is_cursor(place))
            following = [place for place in places if place > at]
            self.show_row(following[0] - 1 if following else len(self._rows) - 1)
            self.show_row(0 if at == places[0] else at)

    def action_down(self) -> None:
        self._move(1)

    def action_up(self) -> None:
        self._move(-1)

    def action_open(self) -> None:
        at = next((number for number in self._places() if self.is_cursor(number)), None)
        row = self._rows[at] if at is not None else None
        if isinstance(row, Ended):
            self._unfolded ^= {row.function}
            self.sync()
        elif current := self.current:
            self.post_message(self.Opened(current.id))

    def on_focus(self) -> None:
        self._describe()

    def on_blur(self) -> None:
        self._describe()

    def on_click(self, event: events.Click) -> None:
        """The second click on a row opens it."""
        number = int(self.scroll_offset.y) + event.y
        if number < len(self._rows):
            again = self.is_cursor(number)
            self._set_cursor(number)
            if again:
                self.action_open()

    def copy_text(self) -> str:
        """The record under the cursor; before there is one, the function's URLs."""
        if current := self.current:
            return f"{current.id} {current.log_group} {current.log_stream}"
        function = self._model.function
        return "\n".join(url.url for url in function.urls.values()) if function else ""
