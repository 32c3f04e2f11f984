"""What log groups and streams look like in their tree."""

from __future__ import annotations

from lambdatui.tui.glyphs import environment_state
from lambdatui.tui.logbook import Stream
from lambdatui.tui.model import Model
from lambdatui.tui.sanitise import clean_line
from lambdatui.tui.spans import Line, crop, fit, spread, width
from lambdatui.tui.wording import plural, short

_STATE, _NAME, _COUNT = 10, 9, 7
"""Cells of the columns."""


def heading(text: str, shown: bool, count: str, cells: int) -> Line:
    """A group, or all of them."""
    return spread([*_mark(shown), (clean_line(text), "strong")], [(count, "dim")], cells)


def stream_row(stream: Stream, shown: bool, model: Model, cells: int) -> Line:
    """Whether it is shown, the state of its environment, its name, how many lines it has, and whose it is."""
    environment = model.lab.environments.get(stream.environment or "")
    if environment is None:
        glyph, (word, role), function, version = model.glyphs.dot, ("put", "dim"), "", ""
    else:
        glyph, (word, role) = environment_state(environment, model.glyphs)
        function, version = clean_line(environment.function), environment.version
    line: Line = [("  ", "text"), *_mark(shown), (f"{glyph} ", role), (fit(word, _STATE), role)]
    line.append((fit(short(stream.name, _NAME - 1), _NAME), f"stream-{stream.number % 6}"))
    line.append((f"{stream.records:>{_COUNT}} ", "text"))
    owner = f" {function}:{version}" if function else ""
    if width(line) + len(owner) > cells:
        owner = f" {version}"
    return crop([*line, (owner, "dim")], cells)


def names(group: str, stream: str, cells: int) -> list[Line]:
    """Both in full, as far as there is room."""
    lines: list[Line] = [crop([(f" {clean_line(group)}", "dim")], cells)]
    return [*lines, [(f" {tail(clean_line(stream), cells - 1)}", "dim")]] if stream else lines


def tail(name: str, cells: int) -> str:
    """A stream's name, or what comes behind the date in it, in at most so many cells."""
    if width([(name, "text")]) > cells:
        name = name.rpartition("/")[2]
    return fit(name, cells).rstrip()


def described(streams: int) -> str:
    return plural(streams, "stream") if streams else "no streams"


def _mark(shown: bool) -> Line:
    return [("[x] " if shown else "[ ] ", "key" if shown else "dim")]
