"""The Timeline panel: a row for each execution environment, with what it did when, along one axis of time."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import chain
from math import ceil
from typing import ClassVar, Literal

from textual import events
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.message import Message

from lambdatui.history import Kind, Span
from lambdatui.time_axis import BREAK, SCALES, Axis, elapsed, scale_that_fits
from lambdatui.tui.lanes import AHEAD, Window, instants, life, queue, ruler, strokes_for
from lambdatui.tui.model import Model
from lambdatui.tui.sanitise import clean_line
from lambdatui.tui.spans import Line, crop, fit, width
from lambdatui.tui.timeline_labels import invocation_labels, lane_label, legend
from lambdatui.tui.widgets.line_view import LineStrip, LineView

_FINEST, _COARSEST = SCALES.index(0.005), SCALES.index(0.5)
"""Between these the scale is chosen by itself."""
_WIDE = 100
_SETTLING = 10.0
"""Seconds for which now moves on, at most, when nothing happens any more."""


@dataclass(frozen=True)
class Row:
    """`name` is that of an environment, or of a function."""

    kind: Literal["function", "throttled", "queued", "environment", "space"]
    name: str = ""


@dataclass(frozen=True)
class Spot:
    """An invocation, or one attempt of it, in its row."""

    row: Row
    span: Span


class TimelineView(LineView):
    """The rows. The invocation that the model has chosen is marked, and so is its row."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("j,down", "down", "Row down", show=False, id="down", tooltip="The invocation below"),
        Binding("k,up", "up", "Row up", show=False, id="up", tooltip="The invocation above"),
        Binding("full_stop,shift+right", "along(1)", "Next", show=False, id="timeline_next", tooltip="Next in the row"),
        Binding("comma,shift+left", "along(-1)", "Before", show=False, id="timeline_before", tooltip="The one before"),
        Binding("l,right", "pan(1)", "Later", show=False, id="timeline_later", tooltip="To what was later"),
        Binding("h,left", "pan(-1)", "Earlier", show=False, id="timeline_earlier", tooltip="To what was earlier"),
        Binding("plus,equals_sign", "zoom(-1)", "Closer", show=False, id="timeline_closer", tooltip="Zoom in"),
        Binding("minus", "zoom(1)", "Wider", show=False, id="timeline_wider", tooltip="Zoom out"),
        Binding("0", "fit", "Fit", show=False, id="timeline_fit", tooltip="Show all of it"),
        Binding("f", "follow", "Follow", show=False, id="timeline_follow", tooltip="Follow now, zoomed by itself"),
        Binding("b", "cut", "Breaks", show=False, id="timeline_cut", tooltip="Idle times shortened, or in full"),
    ]

    class Chosen(Message):
        """The cursor was moved to an invocation."""

        def __init__(self, request_id: str) -> None:
            super().__init__()
            self.request_id = request_id

    class Moved(Message):
        """The window is another."""

    def __init__(self, model: Model, *, id: str | None = None) -> None:
        super().__init__(id=id)
        self._model = model
        self.strokes = strokes_for(model.glyphs)
        self.window: Window | None = None
        """None as long as there is nothing to show."""
        self.following = True
        self.kinds: set[Kind] = set()
        """What can be seen."""
        self._scale: float | None = None
        self._least = SCALES[_FINEST]
        self._left = 0
        self._shortened = True
        self._rows: list[Row] = []
        self._lines: dict[int, Line] = {}
        self._spot: Spot | None = None
        self._of: tuple[int, int] = (0, 0)

    # -- the window ---------------------------------------------------------------------------------------------

    @property
    def label_cells(self) -> int:
        return 25 if self.cells >= _WIDE else 13

    def _axis(self, scale: float) -> Axis:
        return Axis(self._model.lab.activity.start or 0.0, scale, self._quiet())

    def _quiet(self) -> Iterable[tuple[float, float]]:
        activity, now = self._model.lab.activity, self._model.clock()
        if not self._shortened:
            return ()
        return activity.quiet if activity.busy else chain(activity.quiet, [(activity.last, now)])

    def _look(self) -> None:
        """Work the window out."""
        activity, now, cells = self._model.lab.activity, self._model.clock(), self.cells - self.label_cells
        if activity.start is None or cells <= AHEAD:
            self.window = None
            return
        if (self._model.opened, cells) != self._of:
            if self._model.opened != self._of[0]:
                self.following, self._scale = True, None
            self._of, self._least = (self._model.opened, cells), SCALES[_FINEST]
        if self._scale is None:
            fits = scale_that_fits(activity.start, now, list(self._quiet()), cells - AHEAD, self._least)
            self._least = min(fits, SCALES[_COARSEST])
        axis = self._axis(self._scale or self._least)
        end = max(0, ceil(axis.cell(max(now, activity.last))) + AHEAD - cells)
        self._left = end if self.following else max(0, min(self._left, end))
        self.window = Window(axis, self._left, cells, now)
        if not activity.busy:  # until the idle time is cut off
            self._model.restless_until = activity.last + min(_SETTLING, BREAK * axis.scale)

    # -- rows ---------------------------------------------------------------------------------------------------

    def row_count(self) -> int:
        return len(self._rows)

    def sync(self) -> None:
        if not self.size.height:
            return
        self._look()
        self._rows, self._lines = self._lay_out(), {}
        self._spot = self._find_spot()
        self.kinds = set()
        super().sync()
        self.post_message(self.Moved())

    def place(self) -> None:
        """Follow what is new downward, too."""
        if self.following and not self.has_focus:
            self.scroll_to(y=self.max_scroll_y, animate=False)

    def _lay_out(self) -> list[Row]:
        """The environments that lived in the window, in order of creation, below their functions."""
        if self.window is None:
            return [Row("space")]
        lab, window, groups = self._model.lab, self.window, dict[str, list[Row]]()
        for name, function in lab.functions.items():
            groups[name] = [Row("function", name)]
            if function.arrivals.throttled and not self._marks_beside(name):
                groups[name].append(Row("throttled", name))
            if any(span.outcome != "accepted" or span.end is None for span in function.arrivals.queued):
                groups[name].append(Row("queued", name))
        first, last = window.first, window.last
        for environment in lab.environments.values():
            end = environment.history.end
            if environment.created_at <= last and (end is None or end >= first):
                name = environment.function  # which may be deleted
                groups.setdefault(name, [Row("function", name)]).append(Row("environment", environment.id))
        groups = {name: rows for name, rows in groups.items() if len(rows) > 1}
        rows = [row for group in groups.values() for row in group]
        below = [number for number, row in enumerate(rows) if row.kind == "environment"][1:]
        if len(rows) + len(below) <= self.size.height:
            for number in reversed(below):
                rows.insert(number, Row("space"))
        return rows

    def row(self, number: int) -> Line:
        if number not in self._lines:
            self._lines[number] = self._draw(self._rows[number])
        return self._lines[number]

    def _draw(self, row: Row) -> Line:
        window, lab, labels = self.window, self._model.lab, invocation_labels(self._model)
        if window is None:
            text = "Nothing has run yet. What environments do is drawn here; i invokes the function."
            return [(fit(text, self.cells), "dim")]
        if row.kind == "space":
            return [(" " * self.cells, "text")]
        if row.kind == "function":
            return self._heading(row.name, window)
        chosen = self._chosen_in(row)
        label = lane_label(row.kind, row.name, self._model, self.strokes, self.label_cells, chosen is not None)
        if row.kind == "environment":
            history = lab.environments[row.name].history
            spans: Sequence[Span] = history.between(window.first, window.last)
            self.kinds |= {span.kind for span in spans}
            return [*label, *life(spans, window, self.strokes, labels, chosen, history.end)]
        arrivals = lab.functions[row.name].arrivals
        if row.kind == "throttled":
            self.kinds.add(Kind.THROTTLED)
            return [*label, *instants(arrivals.throttled, window, self.strokes, labels, chosen)]
        self.kinds.add(Kind.QUEUED)
        waiting = (span for span in arrivals.queued if span.outcome != "accepted" or span.end is None)
        return [*label, *queue(waiting, window, self.strokes, labels)]

    def _marks_beside(self, function: str) -> bool:
        """The name is so short that throttled invocations have room in its row."""
        return width([(clean_line(function), "strong")]) < self.label_cells

    def _heading(self, name: str, window: Window) -> Line:
        throttled = self._throttled_of(name)
        if not throttled or not self._marks_beside(name):
            return crop([(clean_line(name), "strong")], self.cells)
        self.kinds.add(Kind.THROTTLED)
        labels, chosen = invocation_labels(self._model), self._chosen_in(Row("function", name))
        marks = instants(throttled, window, self.strokes, labels, chosen)
        return [(fit(clean_line(name), self.label_cells), "strong"), *marks]

    def _chosen_in(self, row: Row) -> Span | None:
        return self._spot.span if self._spot and self._spot.row == row else None

    # -- the cursor ---------------------------------------------------------------------------------------------

    def _stops(self, row: Row) -> list[Span]:
        """The invocations of a row."""
        lab = self._model.lab
        if row.kind == "environment":
            spans = lab.environments[row.name].history.spans
            ended = ("failed", "timed_out")
            return [each for each in spans if each.kind is Kind.INVOKE or (each.request_id and each.outcome in ended)]
        return self._throttled_of(row.name) if row == self._throttled(row.name) else []

    def _throttled_of(self, function: str) -> list[Span]:
        known = self._model.lab.functions.get(function)
        return known.arrivals.throttled if known else []

    def _throttled(self, function: str) -> Row:
        """The row of a function that has its throttled invocations."""
        return Row("function" if self._marks_beside(function) else "throttled", function)

    def _find_spot(self) -> Spot | None:
        """Where the chosen invocation is; of several attempts, the one that the cursor was on, else the last."""
        request = self._model.chosen
        invocation = self._model.lab.invocations.get(request or "")
        if invocation is None:
            return None
        rows = [Row("environment", invocation.environment or ""), self._throttled(invocation.function)]
        if self._spot is not None and self._spot.span.request_id == request:
            rows.insert(0, self._spot.row)
        for row in rows:
            if row.kind == "environment" and row.name not in self._model.lab.environments:
                continue
            mine = [span for span in self._stops(row) if span.request_id == request]
            before = self._spot.span.start if self._spot else None
            if mine:
                return Spot(row, next((span for span in mine if span.start == before), mine[-1]))
        return None

    def _choose(self, spot: Spot) -> None:
        self._spot = spot
        assert spot.span.request_id is not None
        self._model.chosen = spot.span.request_id
        self._show(spot.span)
        self.post_message(self.Chosen(spot.span.request_id))
        self.sync()
        if spot.row in self._rows:
            self.show_row(self._rows.index(spot.row))

    def reveal(self) -> None:
        """What was chosen in another panel comes into sight."""
        self._spot = self._find_spot()
        if self._spot is not None:
            self._show(self._spot.span)
        self.sync()
        if self._spot is not None and self._spot.row in self._rows:
            self.show_row(self._rows.index(self._spot.row))

    def _show(self, span: Span) -> None:
        """Pan no further than needed to have that span in sight."""
        if self.window is None:
            return
        start = int(self.window.at(span.start))
        end = ceil(self.window.at(self._model.clock() if span.end is None else span.end))
        if start < 0 or end > self.window.cells:
            self.following = False
            self._left += start - 2 if start < 0 or end - start > self.window.cells else end - self.window.cells + 2

    def action_along(self, step: int) -> None:
        """To the next invocation of the row."""
        spot = self._spot
        if spot is None:
            self._step_rows(1)
            return
        stops = self._stops(spot.row)
        at = next((number for number, each in enumerate(stops) if each.start == spot.span.start), 0)
        self._choose(Spot(spot.row, stops[max(0, min(len(stops) - 1, at + step))]))

    def action_down(self) -> None:
        self._step_rows(1)

    def action_up(self) -> None:
        self._step_rows(-1)

    def _step_rows(self, step: int) -> None:
        """To the invocation of the next row that is nearest in time."""
        rows = [row for row in self._rows if self._stops(row)] if self.window else []
        if not rows or self.window is None:
            return
        if self._spot is not None and self._spot.row in rows:
            row = rows[max(0, min(len(rows) - 1, rows.index(self._spot.row) + step))]
            time = self._spot.span.start
        else:
            row, time = rows[0 if step > 0 else -1], self.window.now
        if self._spot is None or row != self._spot.row:
            self._choose(Spot(row, self._nearest(row, time)))

    def _nearest(self, row: Row, time: float) -> Span:
        def distance(span: Span) -> float:
            end = self._model.clock() if span.end is None else span.end
            return max(span.start - time, time - end, 0.0)

        return min(self._stops(row), key=distance)

    def on_click(self, event: events.Click) -> None:
        number, cell = int(self.scroll_offset.y) + event.y, event.x - self.label_cells
        if self.window is None or number >= len(self._rows) or not self._stops(self._rows[number]):
            return
        row = self._rows[number]
        time = self.window.axis.time(self.window.left + cell + 0.5) if cell >= 0 else self.window.now
        self._choose(Spot(row, self._nearest(row, time)))

    # -- moving the window --------------------------------------------------------------------------------------

    def action_pan(self, direction: int) -> None:
        if self.window is not None:
            self._left = self.window.left + direction * max(1, self.window.cells // 6)
            self.following = False
            self.sync()
            self.following = self._at_end
            self.sync()

    @property
    def _at_end(self) -> bool:
        return self.window is not None and self.window.at(self.window.now) + AHEAD <= self.window.cells

    def action_zoom(self, step: int, cell: int | None = None) -> None:
        """Coarser or finer around that cell; without one around the cursor, else around the middle."""
        if (window := self.window) is None:
            return
        number = SCALES.index(window.axis.scale) + step
        if not 0 <= number < len(SCALES):
            return
        if cell is None:
            at = window.at(self._spot.span.start) if self._spot else -1.0
            cell = int(at) if 0 <= at < window.cells else window.cells // 2
        time = window.axis.time(window.left + cell)
        self._scale = SCALES[number]
        self.following = self.following and step > 0
        self._left = round(self._axis(self._scale).cell(time)) - cell
        self.sync()

    def action_fit(self) -> None:
        if self.window is not None:
            start, now = self.window.axis.start, self._model.clock()
            room = self.window.cells - AHEAD
            self._scale, self.following = scale_that_fits(start, now, list(self._quiet()), room, 0.0), True
            self.sync()

    def action_follow(self) -> None:
        self.following, self._scale = True, None
        self._least = SCALES[_FINEST]
        self.sync()

    def action_cut(self) -> None:
        self._shortened, self._least = not self._shortened, SCALES[_FINEST]
        self.sync()

    def _wheel(self, event: events.MouseEvent, step: int, pan: bool) -> None:
        if event.x < self.label_cells:
            return  # rows are scrolled
        event.stop()
        event.prevent_default()
        if pan or event.shift:
            self.action_pan(step)
        else:
            self.action_zoom(step, event.x - self.label_cells)

    def on_mouse_scroll_up(self, event: events.MouseScrollUp) -> None:
        self._wheel(event, -1, False)

    def on_mouse_scroll_down(self, event: events.MouseScrollDown) -> None:
        self._wheel(event, 1, False)

    def on_mouse_scroll_left(self, event: events.MouseScrollLeft) -> None:
        self._wheel(event, -1, True)

    def on_mouse_scroll_right(self, event: events.MouseScrollRight) -> None:
        self._wheel(event, 1, True)


class Timeline(Vertical):
    """The axis, the rows, and what the signs mean."""

    @dataclass
    class Described(Message):
        """What a cell stands for, and the keys."""

        title: str
        keys: str

    def __init__(self, model: Model, *, id: str | None = None) -> None:
        super().__init__(id=id)
        self._model = model
        self._described = ("", "")

    def compose(self) -> ComposeResult:
        yield LineStrip(id="ruler")
        yield TimelineView(self._model, id="lanes")
        yield LineStrip(id="legend")

    @property
    def view(self) -> TimelineView:
        return self.query_one(TimelineView)

    def sync(self) -> None:
        self.view.sync()

    def reveal(self) -> None:
        """What was chosen in another panel comes into sight."""
        self.view.reveal()

    def on_timeline_view_moved(self, message: TimelineView.Moved) -> None:
        message.stop()
        view = self.view
        ticks = [(" " * view.label_cells, "text"), *ruler(view.window, view.strokes)] if view.window else []
        self.query_one("#ruler", LineStrip).show([ticks])
        self.query_one("#legend", LineStrip).show([legend(view.kinds, view.strokes, view.cells)])
        self._describe()

    def _describe(self) -> None:
        view, dot = self.view, f" {self._model.glyphs.dot} "
        if view.window is None:
            described = "", ""
        else:
            following = "following now" if view.following else "f follows now"
            keys = dot.join(["j k , . invocations", "h l earlier, later", "+ - 0 zoom"])
            title = f"{elapsed(view.window.axis.scale)} per cell{dot}{following}"
            described = title, keys if width([(keys, "dim")]) < view.cells - 4 else ""
        if described != self._described:
            self._described = described
            self.post_message(self.Described(*described))

    def copy_text(self) -> str:
        """The picture as text."""
        return self.view.copy_text()
