"""Saving a log: one record after the other as `aws logs tail` writes them, time, stream and message."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Sequence
from pathlib import Path

from lambdatui.tui.logbook import Log, Stream
from lambdatui.tui.stamps import iso

_SLICE = 0.003
"""Seconds for which it is written before keys get their turn."""


async def save_log(log: Log, positions: Sequence[int], streams: list[Stream], path: Path, replace: bool) -> int:
    """Write the records at these positions; how many. Raises OSError, FileExistsError among them unless `replace`."""
    written = 0
    with path.open("w" if replace else "x", encoding="utf-8") as file:
        pause_at = time.perf_counter() + _SLICE
        for position in positions:
            file.write(record_text(log, position, streams) + "\n")
            written += 1
            if time.perf_counter() >= pause_at:
                await asyncio.sleep(0)
                pause_at = time.perf_counter() + _SLICE
    return written


def record_text(log: Log, position: int, streams: list[Stream]) -> str:
    """A record with its time and the name of its stream."""
    text, origin = log[position]
    return f"{iso(origin.time)} {streams[origin.stream].name} {text}"
