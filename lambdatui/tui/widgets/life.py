"""The whole life of one environment along an axis of its own: times in which it stood still are shortened."""

from __future__ import annotations

from lambdatui.history import Kind
from lambdatui.lab import Environment
from lambdatui.time_axis import SCALES, Axis, elapsed, scale_that_fits
from lambdatui.tui.lanes import Window, life, ruler, strokes_for
from lambdatui.tui.model import Model
from lambdatui.tui.timeline_labels import invocation_labels, legend
from lambdatui.tui.widgets.line_view import LineStrip

_STILL = frozenset({Kind.FROZEN, Kind.IDLE, Kind.RESET})
_AHEAD = 5
"""Cells kept free to the right of now."""
_FINEST = SCALES[1]


class Life(LineStrip):
    """Ruler, spans, and what the signs mean. As it gets longer the axis gets coarser, never finer."""

    def __init__(self, model: Model, *, id: str | None = None) -> None:
        super().__init__(id=id)
        self._model = model
        self._strokes = strokes_for(model.glyphs)
        self._least, self._of = _FINEST, ("", 0)
        self.scale = ""
        """In words."""

    def show_life(self, environment: Environment) -> None:
        now, cells = self._model.clock(), self.cells
        if cells <= 2 * _AHEAD:
            return
        if self._of != (environment.id, cells):
            self._least, self._of = _FINEST, (environment.id, cells)
        history = environment.history
        quiet = [(each.start, now if each.end is None else each.end) for each in history.spans if each.kind in _STILL]
        start, end = environment.created_at, now if environment.ended_at is None else environment.ended_at
        self._least = scale_that_fits(start, end, quiet, cells - _AHEAD, self._least)
        window = Window(Axis(start, self._least, quiet), 0, cells, now)
        kinds = {each.kind for each in history.spans}
        self.scale = f"{elapsed(self._least)} per cell"
        labels = invocation_labels(self._model)
        lane = life(history.between(window.first, window.last), window, self._strokes, labels, None, history.end)
        self.show([ruler(window, self._strokes), lane, legend(kinds, self._strokes, cells)])
