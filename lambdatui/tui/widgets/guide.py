"""The Guide: a page for each step, and below it what one can do now."""

from __future__ import annotations

import asyncio
from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical, VerticalScroll
from textual.content import Content
from textual.message import Message
from textual.widget import Widget
from textual.widgets import Static

from lambdatui.tui.guide_text import Block, Lines, heading, page, prompt
from lambdatui.tui.model import Model
from lambdatui.tui.spans import Line, plain
from lambdatui.tui.widgets.line_view import LineStrip
from lambdatui.tui.widgets.panel import Panel

_STYLES = {
    "text": "",
    "dim": "$muted",
    "strong": "bold",
    "key": "bold $primary",
    "good": "$success",
    "warn": "$warning",
    "bad": "$error",
    "busy": "$primary",
    "name": "$secondary",
    "button": "bold $background on $primary",
}


def content(lines: tuple[tuple[tuple[str, str], ...], ...]) -> Content:
    """Lines with roles as Textual content; nothing in them is taken for markup."""
    drawn = [Content.assemble(*((text, _STYLES[role]) for text, role in line)) for line in lines]
    return Content("\n").join(drawn)


class GuidePage(VerticalScroll):
    """The scrolling part. Widgets are changed where only their text changed, so that nothing jumps."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("j", "scroll_down", "Down", show=False, id="guide_down", tooltip="One line down"),
        Binding("k", "scroll_up", "Up", show=False, id="guide_up", tooltip="One line up"),
        Binding("g", "scroll_home", "Top", show=False, id="guide_top", tooltip="To the top of the page"),
        Binding("G", "scroll_end", "End", show=False, id="guide_end", tooltip="To the end of the page"),
        Binding("ctrl+d", "page_down", "Page down", show=False, id="guide_page_down", tooltip="One page down"),
        Binding("ctrl+u", "page_up", "Page up", show=False, id="guide_page_up", tooltip="One page up"),
    ]

    class Moved(Message):
        """Another part of the page is in sight."""

    def __init__(self, *, id: str | None = None) -> None:
        super().__init__(id=id)
        self._wanted: list[Block] = []
        self._shown: list[Block] = []
        self._work: asyncio.Task[None] | None = None

    def show(self, blocks: list[Block]) -> None:
        """Bring the page there, soon."""
        self._wanted = blocks
        if blocks != self._shown and (self._work is None or self._work.done()):
            self._work = asyncio.create_task(self._catch_up())

    async def settled(self) -> None:
        """Wait until the page shows what it was asked to."""
        if self._work is not None:
            await self._work

    async def _catch_up(self) -> None:
        while self.is_attached and self._wanted != self._shown:
            wanted = self._wanted
            await self._change_to(wanted)
            self._shown = wanted

    async def _change_to(self, blocks: list[Block]) -> None:
        same = 0
        while same < min(len(blocks), len(self._shown)) and _alike(blocks[same], self._shown[same]):
            same += 1
        widgets = list(self.children)
        with self.app.batch_update():
            for block, shown, widget in zip(blocks[:same], self._shown, widgets, strict=False):
                if block != shown and isinstance(block, Lines) and isinstance(widget, Static):
                    widget.update(content(block.lines))
            if widgets[same:]:
                await self.remove_children(widgets[same:])
            new = [await _widget(block) for block in blocks[same:]]
            if new:
                await self.mount(*new)
        if same <= 1:
            self.scroll_home(animate=False)
        if any(widget.has_class("outcome") for widget in new):
            # What was observed is what one waits for: have it in sight, with the explanation below it.
            self.reveal("outcome", top=True)

    def reveal(self, name: str, top: bool = False) -> None:
        """Scroll to that part of the page, if there is one."""
        self.call_after_refresh(self._reveal, name, top)

    def _reveal(self, name: str, top: bool) -> None:
        widget = next(iter(self.query_children(f".{name}")), None)
        if widget is not None:
            self.scroll_to_widget(widget, animate=False, top=top, immediate=True)

    @property
    def more_below(self) -> bool:
        return self.scroll_offset.y < self.max_scroll_y

    def watch_scroll_y(self, old_value: float, new_value: float) -> None:
        super().watch_scroll_y(old_value, new_value)
        self.post_message(self.Moved())

    def watch_virtual_size(self) -> None:
        self.post_message(self.Moved())

    def on_resize(self) -> None:
        self.post_message(self.Moved())


def _alike(block: Block, shown: Block) -> bool:
    """Whether the widget of one can become the other's."""
    return block == shown or (isinstance(block, Lines) and isinstance(shown, Lines) and block.name == shown.name)


async def _widget(block: Block) -> Widget:
    if isinstance(block, Lines):
        return Static(content(block.lines), classes=block.name)
    # Its import takes as long as the first paint of everything else.
    from textual.widgets import Markdown

    return Markdown(block.text, open_links=False)


class Guide(Vertical):
    """Page and prompt."""

    def __init__(self, model: Model, *, id: str | None = None) -> None:
        super().__init__(id=id)
        self._model = model

    def compose(self) -> ComposeResult:
        yield GuidePage(id="page")
        yield LineStrip(id="prompt")

    @property
    def view(self) -> GuidePage:
        return self.query_one(GuidePage)

    def sync(self) -> None:
        self.view.show(page(self._model, max(20, self.view.scrollable_content_region.width)))
        self.query_one(LineStrip).show(prompt(self._model))
        if isinstance(self.parent, Panel):
            self.parent.entitle(heading(self._model))

    def on_guide_page_moved(self, message: GuidePage.Moved) -> None:
        message.stop()
        if isinstance(self.parent, Panel):
            self.parent.tell(self._model.say("more") if self.view.more_below else "")

    def choose(self, number: int) -> None:
        """Choose a prediction, or take it back; the question comes into sight."""
        model = self._model
        model.choice = None if model.choice == number else number
        self.view.reveal("prediction")
        self.sync()

    def copy_text(self) -> str:
        """The page as text."""
        texts: list[str] = []
        for block in page(self._model):
            if isinstance(block, Lines):
                lines: list[Line] = [list(line) for line in block.lines]
                texts.append("\n".join(plain(line) for line in lines))
            else:
                texts.append(block.text)
        return "\n\n".join(texts)
