"""HTML and SVG whose texts are escaped because they cannot be otherwise.

An element is made of its children: those that are :class:`Html` came from here and stand as they are, every other is a
text, of whomever, and becomes harmless on its way in.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from html import escape
from typing import TypeAlias

from markdown_it import MarkdownIt

from lambdatui.experiment.visible import visible


class Html(str):
    """Markup that was made here."""


Child: TypeAlias = "str | int | Iterable[Child] | None"
"""None is left out."""
_VOID = frozenset({"meta", "br", "col"})
_MARKDOWN = MarkdownIt("commonmark", {"html": False}).enable("table").disable(["image", "html_block", "html_inline"])
"""No markup of theirs, and nothing that a page would have to load."""

_PLAIN = re.compile("[ !#-%(-;=?-~]*")
"""What stands for itself: most texts are such."""
_WIDE = "[\u2e80-\u9fff\uf900-\ufaff\uff00-\uffef]"
_BROKEN = re.compile(f"(?<={_WIDE})\n(?={_WIDE})")
"""The end of a line in a Chinese text, which is no space."""


def el(tag: str, *children: Child, **attributes: str | int | float | bool | None) -> Html:
    """An element. Of attributes, `_` stands for `-` (`class_` is `class`), True has no value, None and False are left
    out."""
    said = "".join([_attribute(name, value) for name, value in attributes.items() if value not in (None, False)])
    if tag in _VOID:
        return Html(f"<{tag}{said}>")
    return Html(f"<{tag}{said}>{join(children)}</{tag}>")


def join(children: Iterable[Child]) -> Html:
    """One after another."""
    return Html("".join([_inside(child) for child in children]))


def text(of: str) -> Html:
    """A text of any number of lines, in which control characters, and those that reorder or hide others, are spelled
    out."""
    return Html(of if _PLAIN.fullmatch(of) else escape(_legible(of)))


def prose(markdown: str) -> Html:
    """Markdown, of which only the text and its structure are taken."""
    return Html(_BROKEN.sub("", _MARKDOWN.render(_legible(markdown))))


def _legible(of: str) -> str:
    return "\n".join(map(visible, of.replace("\r\n", "\n").split("\n")))


def _inside(child: Child) -> str:
    if child is None:
        return ""
    if isinstance(child, Html):
        return child
    return text(str(child)) if isinstance(child, str | int) else join(child)


def _attribute(name: str, value: str | int | float | bool | None) -> str:
    name = name.strip("_").replace("_", "-")
    if value is True:
        return f" {name}"
    return f' {name}="{text(f"{value:g}" if isinstance(value, float) else str(value))}"'
