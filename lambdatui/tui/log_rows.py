"""What a row of a log record looks like: time and stream before it, the service's own and errors in their colours."""

from __future__ import annotations

import re
from typing import Final

from lambdatui.tui.spans import Line, fit

TROUBLE: Final = re.compile(
    r"Task timed out|Traceback|\[ERROR\]|Runtime exited|Status: (error|timeout)|errorMessage|\bERROR\b|Error:"
)
"""What a record of an error has."""
STREAM_WIDTH: Final = 6
"""Cells of a stream's short name."""
_STREAM_COLOURS = 6
_LOOKED_AT = 4000
"""Characters."""


def log_row(
    text: str,
    role: str,
    pattern: re.Pattern[str] | None = None,
    stamp: str = "",
    stream: tuple[str, int] | None = None,
) -> Line:
    """`text` after a stamp and the name and number of its stream, where they are shown; matches marked."""
    row: Line = [(stamp, "dim")] if stamp else []
    if stream is not None:
        row.append((f"{fit(stream[0], STREAM_WIDTH)} ", f"stream-{stream[1] % _STREAM_COLOURS}"))
    end = 0
    for match in pattern.finditer(text) if pattern else ():
        if match.end() > match.start():
            row += [(text[end : match.start()], role), (match.group(), "match")]
            end = match.end()
    row.append((text[end:], role))
    return [span for span in row if span[0]]


def record_role(text: str, platform: bool) -> str:
    """How a record is coloured."""
    return "bad" if TROUBLE.search(text[:_LOOKED_AT]) else "platform" if platform else "text"
