"""Which lines of the code matter to a step, in the code as it is now."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence

from lambdatui.events import Json


def highlighted(highlight: Mapping[str, Json], lines: Sequence[str]) -> list[int]:
    """Numbers of lines, from 1. `highlight` is that of a step in ExperimentOpened; a pattern finds its lines wherever
    they have gone to, and numbers are what they were."""
    pattern, bounds = highlight.get("pattern"), highlight.get("lines")
    if isinstance(pattern, str):
        try:
            return [number for number, line in enumerate(lines, 1) if re.search(pattern, line)]
        except (re.error, RecursionError, OverflowError):  # a journal of somebody's
            return []
    if isinstance(bounds, list) and len(bounds) == 2:
        first, last = bounds
        if isinstance(first, int) and isinstance(last, int):
            return [number for number in range(max(1, first), last + 1) if number <= len(lines)]
    return []
