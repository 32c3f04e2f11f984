"""The base of the panels that change often: a scrolling list of lines, drawn line by line.

Only rows that are visible are made, only rows that changed are repainted, and there is one widget however many rows.
"""

from __future__ import annotations

from typing import ClassVar

from rich.segment import Segment
from rich.style import Style
from textual.binding import Binding, BindingType
from textual.geometry import Size
from textual.reactive import reactive
from textual.screen import Screen
from textual.scroll_view import ScrollView
from textual.selection import Selection
from textual.strip import Strip
from textual.widget import Widget

from lambdatui.tui.spans import ROLES, Line, crop, plain, width

_SIDE_STEP = 8
_MAX_COPIED_ROWS = 20_000


class LineScreen(Screen[None]):
    """A screen with line views, and the styles of what is in their lines. Each view would have them as component
    classes, too, but then Textual works them out anew for every one of the views whenever a focus or class changes."""

    COMPONENT_CLASSES: ClassVar[set[str]] = {
        *(f"line--{role}" for role in ROLES),
        *("line--cursor", "line--cursor-blurred"),
    }

    def __init__(self) -> None:
        super().__init__()
        self._line_styles: dict[str, Style] = {}

    def sync(self) -> None:
        """Show what the model says now."""
        raise NotImplementedError

    def line_style(self, name: str) -> Style:
        """Only what is special about `line--<name>`, to be laid over a view's own style."""
        if name not in self._line_styles:
            self._line_styles[name] = self.get_component_rich_style(f"line--{name}", partial=True)
        return self._line_styles[name]

    def notify_style_update(self) -> None:
        self._line_styles.clear()
        super().notify_style_update()


class LineView(ScrollView, can_focus=True):
    """Subclasses say how many rows there are and what a row is, and call :meth:`sync` when that may have changed."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("j,down", "down", "Down", show=False, id="down", tooltip="One line down"),
        Binding("k,up", "up", "Up", show=False, id="up", tooltip="One line up"),
        Binding("g,home", "scroll_home", "Top", show=False, id="top", tooltip="To the first line"),
        Binding("G,end", "scroll_end", "End", show=False, id="end", tooltip="To the last line"),
        Binding("ctrl+d,pagedown", "page(1)", "Half down", show=False, id="half_down", tooltip="Half a page down"),
        Binding("ctrl+u,pageup", "page(-1)", "Half up", show=False, id="half_up", tooltip="Half a page up"),
        Binding("l,right", "sideways(1)", "Right", show=False, id="right", tooltip="Show what is cut at the right"),
        Binding("h,left", "sideways(-1)", "Left", show=False, id="left", tooltip="Back to the left"),
    ]

    column: reactive[int] = reactive(0)
    """The first cell shown of each row. Only keys move it."""

    def __init__(self, *, id: str | None = None) -> None:
        super().__init__(id=id)
        self._painted: dict[int, tuple[Line, bool]] = {}
        self._widest = 0

    # -- what a subclass tells ----------------------------------------------------------------------------------

    def row_count(self) -> int:
        raise NotImplementedError

    def row(self, number: int) -> Line:
        raise NotImplementedError

    def is_cursor(self, number: int) -> bool:
        """Whether the cursor is on that row."""
        return False

    def settle(self, row: int) -> int:
        """Make sure that :meth:`row_count` and :meth:`row` hold when `row` is the topmost in sight; its number then."""
        return row

    def place(self) -> None:
        """Scroll to where this view wants to be by itself."""

    # -- painting -----------------------------------------------------------------------------------------------

    @property
    def cells(self) -> int:
        """The width there is for text, beside the scrollbar."""
        return int(self.scrollable_content_region.width)

    @property
    def rows_visible(self) -> range:
        top = int(self.scroll_offset.y)
        return range(top, min(self.row_count(), top + self.size.height))

    def sync(self) -> None:
        """Repaint the rows that have changed."""
        self._settle()
        self.place()
        for number in self.rows_visible:
            if self._painted.get(number) != (self.row(number), self.is_cursor(number)):
                self.refresh_line(number)

    def on_resize(self) -> None:
        self.sync()

    def _settle(self) -> None:
        top = int(self.scroll_offset.y)
        row = self.settle(top)
        self._resize(self.row_count())
        if row != top:
            self.scroll_to(y=row, animate=False)

    def _resize(self, rows: int) -> None:
        """Set the number of rows; by way of the reactive attribute, all of the screen would be laid out anew."""
        before, size = self.virtual_size.height, Size(0, rows)
        if rows == before:
            return
        self.set_reactive(Widget.virtual_size, size)
        if self.show_vertical_scrollbar:
            self.vertical_scrollbar.window_virtual_size = rows
        self.scroll_y = self.validate_scroll_y(self.scroll_y)
        if rows < before:
            self.refresh()

    def watch_scroll_y(self, old_value: float, new_value: float) -> None:
        super().watch_scroll_y(old_value, new_value)
        self._settle()

    def render_line(self, y: int) -> Strip:
        number, cells = int(self.scroll_offset.y) + y, self.cells
        base = self.rich_style
        if number >= self.row_count():
            self._painted.pop(number, None)
            return Strip.blank(cells, base)
        if len(self._painted) > 4 * max(1, self.size.height):
            self._painted.clear()
        line, cursor = self.row(number), self.is_cursor(number)
        self._painted[number] = line, cursor
        self._widest = max(self._widest, width(line))
        if cursor:
            base += self._line_style("cursor" if self.has_focus else "cursor-blurred")
        strip = self._strip(number, line, base)
        return strip.apply_offsets(0, number).crop_extend(self.column, self.column + cells, base)

    def _line_style(self, name: str) -> Style:
        assert isinstance(self.screen, LineScreen)
        return self.screen.line_style(name)

    def _strip(self, number: int, line: Line, base: Style) -> Strip:
        segments = [Segment(text, base + self._line_style(role)) for text, role in line]
        selection = self.text_selection
        span = selection.get_span(number) if selection else None
        if span is not None:
            chosen = self.screen.get_component_rich_style("screen--selection")
            segments = _restyled(segments, *span, chosen)
        return Strip(segments, width(line))

    def notify_style_update(self) -> None:
        self._painted.clear()
        super().notify_style_update()

    def watch_has_focus(self, has_focus: bool) -> None:
        super().watch_has_focus(has_focus)
        self.refresh()

    # -- moving -------------------------------------------------------------------------------------------------

    def action_down(self) -> None:
        self.scroll_down(animate=False)

    def action_up(self) -> None:
        self.scroll_up(animate=False)

    def action_scroll_home(self) -> None:
        self.scroll_home(animate=False)

    def action_scroll_end(self) -> None:
        self.scroll_to(y=self.max_scroll_y, animate=False)

    def action_page(self, direction: int) -> None:
        self.scroll_to(y=self.scroll_offset.y + direction * max(1, self.size.height // 2), animate=False)

    def action_sideways(self, direction: int) -> None:
        furthest = max(0, self._widest - self.cells // 2)
        self.column = max(0, min(self.column + direction * _SIDE_STEP, furthest))

    def show_row(self, number: int) -> None:
        """Scroll no further than needed to have that row on the screen."""
        top, height = int(self.scroll_offset.y), max(1, self.size.height)
        if number < top:
            self.scroll_to(y=number, animate=False)
        elif number >= top + height:
            self.scroll_to(y=number - height + 1, animate=False)

    # -- copying ------------------------------------------------------------------------------------------------

    def copy_text(self) -> str:
        """What `c` copies here."""
        return "\n".join(plain(self.row(number)).rstrip() for number in self.rows_visible)

    def get_selection(self, selection: Selection) -> tuple[str, str] | None:
        start = selection.start.y if selection.start else 0
        last = selection.end.y if selection.end else self.row_count() - 1
        last = min(last, self.row_count() - 1, start + _MAX_COPIED_ROWS)
        texts: list[str] = []
        for number in range(start, last + 1):
            if (span := selection.get_span(number)) is not None:
                text = plain(self.row(number))
                texts.append(text[span[0] : None if span[1] < 0 else span[1]].rstrip())
        return "\n".join(texts), "\n"

    def selection_updated(self, selection: Selection | None) -> None:
        self.refresh()


def _restyled(segments: list[Segment], start: int, end: int, style: Style) -> list[Segment]:
    """The segments with `style` on the characters from `start` to `end` (-1: to the last)."""
    restyled: list[Segment] = []
    position = 0
    for text, own, _ in segments:
        first = max(0, min(len(text), start - position))
        last = len(text) if end < 0 else max(first, min(len(text), end - position))
        for part, chosen in ((text[:first], False), (text[first:last], True), (text[last:], False)):
            if part:
                restyled.append(Segment(part, (own + style if own else style) if chosen else own))
        position += len(text)
    return restyled


class LineStrip(LineView, can_focus=False):
    """A few fixed lines, without scrolling."""

    BINDINGS: ClassVar[list[BindingType]] = []

    def __init__(self, *, id: str | None = None) -> None:
        super().__init__(id=id)
        self.lines: list[Line] = []

    def show(self, lines: list[Line]) -> None:
        self.lines = lines
        self.sync()

    def row_count(self) -> int:
        return len(self.lines)

    def row(self, number: int) -> Line:
        return crop(self.lines[number], self.cells)
