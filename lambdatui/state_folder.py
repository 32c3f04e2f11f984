"""Where lambdatui keeps what outlives it, below the user's state folder (XDG Base Directory)."""

from __future__ import annotations

import os
from pathlib import Path


def state_folder() -> Path | None:
    """None for a user without a home. It need not be there yet."""
    state = os.environ.get("XDG_STATE_HOME", "")
    base = Path(state if os.path.isabs(state) else os.path.expanduser("~/.local/state"))
    return base / "lambdatui" if base.is_absolute() else None
