"""What stands before a log record to say when it was written: nothing, the time of day, since START, or ISO."""

from __future__ import annotations

import time
from typing import Final, Literal, TypeAlias

from lambdatui.tui.spans import fit
from lambdatui.tui.wording import clock_time

Stamp: TypeAlias = Literal["off", "clock", "start", "iso"]

STAMPS: Final[tuple[Stamp, ...]] = ("clock", "start", "iso", "off")
"""In the order in which a key goes through them."""
WIDTHS: Final[dict[Stamp, int]] = {"off": 0, "clock": 13, "start": 11, "iso": 25}
"""In cells, with a space behind."""


def stamp_text(stamp: Stamp, instant: float, since_start: float | None) -> str:
    """In exactly the width of that stamp. `since_start` is None where there was no START."""
    match stamp:
        case "clock":
            text = clock_time(instant, milliseconds=True)
        case "start":
            text = f"{'' if since_start is None else f'{since_start:+.3f}':>10}"
        case "iso":
            text = iso(instant)
        case "off":
            return ""
    return fit(text, WIDTHS[stamp])


def iso(instant: float) -> str:
    """2023-11-14T22:13:20.123Z"""
    milliseconds = round(instant * 1000)
    return f"{time.strftime('%Y-%m-%dT%H:%M:%S', time.gmtime(milliseconds // 1000))}.{milliseconds % 1000:03}Z"
