"""Hot reload: which files of the functions' code folders were saved."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Collection
from pathlib import Path

from lambdatui.function import is_deployed

_SETTLE_MS = 100
"""A save is over when nothing changed for this long: editors write in several strokes, tools save several files."""

_LOOK_MS = 1000
"""How often it is made sure that the folders are still the same."""


async def saves(folders: Collection[Path]) -> AsyncIterator[set[Path]]:
    """The files that changed below these folders, burst by burst, without end.

    A folder that is removed and made again, as switching branches or a build does it, is then itself what changed.
    """
    from watchfiles import Change, awatch

    def wanted(_: Change, path: str) -> bool:
        return any(
            is_deployed(Path(path).relative_to(folder)) for folder in folders if Path(path).is_relative_to(folder)
        )

    known = {folder: _identity(folder) for folder in folders}
    missed: set[Path] = set()  # what changed in them before they were watched again
    while True:
        # `step` is the quiet time that ends a batch, `debounce` the longest that a batch may take.
        watching = awatch(
            *(folder for folder in folders if known[folder]),
            watch_filter=wanted,
            step=_SETTLE_MS,
            debounce=10 * _SETTLE_MS,
            rust_timeout=_LOOK_MS,
            yield_on_timeout=True,
        )
        if any(known.values()):
            async for changes in watching:
                files = {Path(path) for _, path in changes}
                if files or missed:
                    yield files | missed
                    missed.clear()
                if files & known.keys() or any(_identity(folder) != known[folder] for folder in folders):
                    break  # what is watched is a folder that has gone
        else:
            await asyncio.sleep(_LOOK_MS / 1000)
        before, known = known, {folder: _identity(folder) for folder in folders}
        missed = {folder for folder in folders if known[folder] and known[folder] != before[folder]}
        if missed:
            yield missed


def _identity(folder: Path) -> tuple[int, int] | None:
    try:
        status = folder.stat()
    except OSError:
        return None
    return status.st_dev, status.st_ino
