"""What one can type to jump in a log: a time, so much earlier or later, the first or the last error."""

from __future__ import annotations

import re
from datetime import datetime, timedelta
from typing import Final, Literal, TypeAlias

Jump: TypeAlias = float | Literal["first error", "last error"]
"""An instant in seconds since the epoch, or an error."""

EXAMPLES: Final = "12:03:11, -30s, +5m, first error, last error"

_OFFSET = re.compile(r"([+-])\s*(\d+(?:\.\d+)?)\s*(ms|s|m|h)?")
_CLOCK = re.compile(r"(\d{1,2}):(\d{2})(?::(\d{2}(?:\.\d+)?))?")
_SECONDS = {"ms": 0.001, "s": 1.0, "m": 60.0, "h": 3600.0}


def parse_jump(text: str, here: float) -> Jump:
    """`here` is the time of the record one is at: offsets count from it, and times of day are of its day. Raises
    ValueError with a sentence."""
    wanted = " ".join(text.lower().split())
    if wanted in ("first", "error", "first error"):
        return "first error"
    if wanted in ("last", "last error"):
        return "last error"
    if match := _OFFSET.fullmatch(wanted):
        sign, number, unit = match.groups()
        return here + float(f"{sign}{number}") * _SECONDS[unit or "s"]
    try:
        if match := _CLOCK.fullmatch(wanted):
            hours, minutes, seconds = match.groups(default="0")
            at_midnight = datetime.fromtimestamp(here).replace(hour=int(hours), minute=int(minutes), second=0)
            return (at_midnight.replace(microsecond=0) + timedelta(seconds=float(seconds))).timestamp()
        return datetime.fromisoformat(wanted.upper()).timestamp()
    except (ValueError, OverflowError, OSError):
        raise ValueError(f"That is not a time. These are: {EXAMPLES}.") from None
