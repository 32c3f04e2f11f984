"""Two invocations compared, in the Invocations panel."""

from __future__ import annotations

from lambdatui.lab import Invocation
from lambdatui.tui.comparison_rows import comparison_rows
from lambdatui.tui.model import Model
from lambdatui.tui.spans import Line, crop, plain
from lambdatui.tui.widgets.line_view import LineView


class Comparison(LineView):
    """Stays with the two it was given, whatever is chosen meanwhile."""

    def __init__(self, model: Model, *, id: str | None = None) -> None:
        super().__init__(id=id)
        self._model = model
        self.pair: tuple[str, str] | None = None
        """Their request ids."""
        self._rows: list[Line] = []
        self._made_of: object = None

    def compare(self, first: str, second: str) -> None:
        self.pair = first, second
        self.column = 0
        self.scroll_to(y=0, animate=False)
        self.sync()

    @property
    def both(self) -> tuple[Invocation, Invocation] | None:
        """None where there is nothing to compare, or not any more."""
        invocations = self._model.lab.invocations
        if self.pair is None or not all(each in invocations for each in self.pair):
            return None
        return invocations[self.pair[0]], invocations[self.pair[1]]

    def sync(self) -> None:
        if not self.display:
            return
        if (both := self.both) is None:
            self._rows = []
        else:
            moving = any(each.status == "running" or each.due_at is not None for each in both)
            logs = [len(self._model.logbook.of_request(each.request_id)) for each in both]
            states = [(each.status, each.done, each.attempt) for each in both]
            made_of = (self.pair, states, logs, self.cells, self._model.clock() if moving else 0.0)
            if made_of != self._made_of:
                self._made_of = made_of
                self._rows = comparison_rows(*both, self._model, self.cells)
        super().sync()

    def row_count(self) -> int:
        return len(self._rows)

    def row(self, number: int) -> Line:
        return crop(self._rows[number], self.cells)

    def copy_text(self) -> str:
        """All of it."""
        return "\n".join(plain(row).rstrip() for row in self._rows)
