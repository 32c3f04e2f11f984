"""Hot reload: which files of the functions' code folders were saved."""

from __future__ import annotations

from collections.abc import AsyncIterator, Collection
from pathlib import Path

from lambdatui.function import is_deployed

_SETTLE_MS = 100
"""A save is over when nothing changed for this long: editors write in several strokes, tools save several files."""


async def saves(folders: Collection[Path]) -> AsyncIterator[set[Path]]:
    """The files that changed below these folders, burst by burst, without end."""
    from watchfiles import Change, awatch

    def wanted(_: Change, path: str) -> bool:
        return any(
            is_deployed(Path(path).relative_to(folder)) for folder in folders if Path(path).is_relative_to(folder)
        )

    # `step` is the quiet time that ends a batch, `debounce` the longest that a batch may take.
    async for changes in awatch(*folders, watch_filter=wanted, step=_SETTLE_MS, debounce=10 * _SETTLE_MS):
        yield {Path(path) for _, path in changes}
