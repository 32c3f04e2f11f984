"""Python's search for garbage, in a process whose journal only grows.

A full one looks at everything that there is, a tenth of a second long after some thousand invocations, while all of
them wait; and all that it finds is what the journal will keep.
"""

from __future__ import annotations

import gc


def search_once() -> None:
    """What a full search has found in use is not searched again in this process."""
    gc.freeze()
    if _spare not in gc.callbacks:
        gc.callbacks.append(_spare)


def _spare(phase: str, about: dict[str, int]) -> None:
    if phase == "stop" and about["generation"] == 2:
        gc.freeze()
