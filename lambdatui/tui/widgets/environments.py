"""The Environments panel: functions, and a row for each of their execution environments."""

from __future__ import annotations

from dataclasses import dataclass

from textual import events
from textual.message import Message

from lambdatui.lab import Environment, Function
from lambdatui.tui.environment_rows import columns_title, environment_row, function_rows, why
from lambdatui.tui.model import Model
from lambdatui.tui.spans import Line, crop, wrap
from lambdatui.tui.widgets.line_view import LineView

_INLINE_WHY = 125
"""Cells from which on the reason stands in the row."""


class Environments(LineView):
    """Why an environment was made, or ended, stands beside or below it where there is room for all of them, else below
    the one that the cursor is on. Before there is a cursor, :class:`Described` tells it of the last."""

    @dataclass
    class Described(Message):
        """A sentence about the environment under the cursor."""

        text: str

    def __init__(self, model: Model, *, id: str | None = None) -> None:
        super().__init__(id=id)
        self._model = model
        self._rows: list[Line | Environment] = []
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
            return crop(environment_row(row, self._model, cells, inline_why=cells >= _INLINE_WHY), cells)
        return row

    def is_cursor(self, number: int) -> bool:
        row = self._rows[number]
        return isinstance(row, Environment) and row.id == self._cursor and number not in self._details

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
        count = sum(map(len, by_function.values()))
        height = sum(len(lines) for lines in head.values()) + len(by_function)
        with_details = cells < _INLINE_WHY and height + 2 * count <= self.size.height
        self._rows, self._details = [], set()
        for name, environments in by_function.items():
            if self._rows and self.size.height > height + count:
                self._rows.append([])
            self._rows += head[name]
            if not environments:
                self._rows.append([("no environment yet", "dim")])
                continue
            self._rows.append(crop(columns_title(cells, cells >= _INLINE_WHY), cells))
            gone = [each for each in environments if each.state == "ended"]
            for environment in [*(each for each in environments if each.state != "ended"), *reversed(gone)]:
                self._rows.append(environment)
                if with_details:
                    self._details.add(len(self._rows))
                    self._rows.append(environment)
                elif environment.id == self._cursor and cells < _INLINE_WHY:
                    pieces = wrap(why(environment, self._model), max(2, cells - 2))
                    self._rows += [[("  ", "dim"), (piece, "dim")] for piece in pieces]

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
        if self._details or self._cursor in self._model.lab.environments:
            text = ""
        if text != self._described:
            self._described = text
            self.post_message(self.Described(text))

    def _places(self) -> list[int]:
        return [
            number
            for number, row in enumerate(self._rows)
            if isinstance(row, Environment) and number not in self._details
        ]

    def _move(self, step: int) -> None:
        places = self._places()
        if not places:
            return
        at = next((index for index, number in enumerate(places) if self.is_cursor(number)), -1 if step > 0 else 0)
        self._set_cursor(places[max(0, min(len(places) - 1, at + step))])

    def _set_cursor(self, number: int) -> None:
        row = self._rows[number]
        if isinstance(row, Environment):
            self._cursor = row.id
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

    def on_click(self, event: events.Click) -> None:
        number = int(self.scroll_offset.y) + event.y
        if number < len(self._rows):
            self._set_cursor(number)

    def copy_text(self) -> str:
        """The record under the cursor; before there is one, the function's URLs."""
        if current := self.current:
            return f"{current.id} {current.log_group} {current.log_stream}"
        function = self._model.function
        return "\n".join(url.url for url in function.urls.values()) if function else ""
