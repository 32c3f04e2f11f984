"""Numbers, times and names, in the words of the screen."""

from __future__ import annotations

import json
import re
import time
from itertools import islice

from lambdatui.events import Json
from lambdatui.tui.sanitise import clean, clean_line

MAX_SHOWN_CHARACTERS = 60_000
"""Of one payload; all of it can be copied."""


def short(name: str, size: int = 6) -> str:
    """The part of an id, a digest or a log stream's name that tells it from others."""
    return clean_line(re.sub(r".*[\]/]|^env[-_]", "", name))[:size]


def clock_time(instant: float, milliseconds: bool = False) -> str:
    """12:03:11, in local time."""
    text = time.strftime("%H:%M:%S", time.localtime(instant))
    return f"{text}.{int(instant * 1000) % 1000:03}" if milliseconds else text


def seconds(value: float) -> str:
    """Short, in the precision one can follow."""
    value = max(0.0, value)
    return f"{value:.1f} s" if value < 9.95 else f"{value:.0f} s"


def milliseconds(value: float) -> str:
    return f"{value:.0f} ms" if value < 9999.5 else f"{value / 1000:.1f} s"


def size(count: int) -> str:
    """Of a file, from its bytes."""
    value, unit = float(count), "B"
    for larger in ("KB", "MB", "GB"):
        if value < 999.5:
            break
        value, unit = value / 1024, larger
    return f"{value:.0f} {unit}" if unit == "B" or value >= 9.95 else f"{value:.1f} {unit}"


def plural(count: int, noun: str) -> str:
    return f"{count} {noun}" if count == 1 else f"{count} {noun}s"


def pretty(payload: str, indent: int | None = 2) -> str:
    """JSON text made readable, other text as it is; clean and of bearable length."""
    if len(payload) > MAX_SHOWN_CHARACTERS:
        return f"{clean(payload[:MAX_SHOWN_CHARACTERS])}\n… {len(payload) - MAX_SHOWN_CHARACTERS} characters more"
    try:
        text = json.dumps(json.loads(payload), indent=indent, ensure_ascii=False)
    except (ValueError, RecursionError):
        text = payload
    return clean(text)


def value(of: Json) -> str:
    """A value of a check, in one line."""
    return clean_line(of if isinstance(of, str) else json.dumps(of, ensure_ascii=False))


def listing(names: tuple[str, ...], at_most: int = 3) -> str:
    more = len(names) - at_most
    return ", ".join(clean_line(name) for name in islice(names, at_most)) + (f" and {more} more" if more > 0 else "")
