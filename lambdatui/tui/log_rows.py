"""What a log line looks like: time and stream before it, the service's own lines and errors in their colours."""

from __future__ import annotations

import re

from lambdatui.tui.logbook import LogLine
from lambdatui.tui.spans import Line, fit, wrap
from lambdatui.tui.wording import clock_time

_TROUBLE = re.compile(
    r"Task timed out|Traceback|\[ERROR\]|Runtime exited|Status: (error|timeout)|errorMessage|\bERROR\b|Error:"
)
_STREAM_COLOURS = 6


def prefix_width(with_time: bool, stream_width: int) -> int:
    """Cells before the text."""
    return (13 if with_time else 0) + (stream_width + 1 if stream_width else 0)


def log_row(
    line: LogLine,
    piece: int,
    pattern: re.Pattern[str] | None,
    with_time: bool,
    stream_name: str,
    wrap_at: int | None,
) -> Line:
    """One row of a log line: all of it, or where it wraps, its nth piece. `stream_name` is '' where it is clear."""
    role = "bad" if _TROUBLE.search(line.text) else "platform" if line.origin.platform else "text"
    row: Line = []
    if with_time:
        row.append((f"{clock_time(line.origin.time, milliseconds=True)} " if piece == 0 else " " * 13, "dim"))
    if stream_name:
        shown = fit(stream_name, 6) if piece == 0 else " " * 6
        row.append((f"{shown} ", f"stream-{line.origin.stream % _STREAM_COLOURS}"))
    text = line.text if wrap_at is None else wrap(line.text, wrap_at)[piece]
    if pattern is None:
        row.append((text, role))
        return row
    end = 0
    for match in pattern.finditer(text):
        if match.end() > match.start():
            row += [(text[end : match.start()], role), (match.group(), "match")]
            end = match.end()
    row.append((text[end:], role))
    return [span for span in row if span[0]]
