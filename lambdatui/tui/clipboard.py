"""Copying: with the system's own tool where there is one, else by asking the terminal (OSC 52)."""

from __future__ import annotations

import asyncio
import os
import shutil
from asyncio.subprocess import DEVNULL, PIPE
from typing import Any

from textual.app import App

_TOOLS = (
    ("WAYLAND_DISPLAY", ["wl-copy"]),
    ("DISPLAY", ["xclip", "-selection", "clipboard"]),
    ("DISPLAY", ["xsel", "--clipboard", "--input"]),
    ("", ["pbcopy"]),
    ("WSL_DISTRO_NAME", ["clip.exe"]),
)
_PATIENCE = 2.0


async def copy(text: str, app: App[Any]) -> None:
    """Into the clipboard of whoever looks at `app`: in a browser that is not where the laboratory is."""
    if app.is_web or not await copy_natively(text):
        app.copy_to_clipboard(text)


async def copy_natively(text: str) -> bool:
    """Give `text` to the system's clipboard; False where nothing here can. Over ssh it would be the wrong system's."""
    if os.environ.get("SSH_CONNECTION"):
        return False
    for variable, command in _TOOLS:
        if (not variable or os.environ.get(variable)) and shutil.which(command[0]):
            process = await asyncio.create_subprocess_exec(*command, stdin=PIPE, stdout=DEVNULL, stderr=DEVNULL)
            try:
                await asyncio.wait_for(process.communicate(text.encode(errors="replace")), _PATIENCE)
            except TimeoutError:
                process.kill()
                await process.wait()
                continue
            if process.returncode == 0:
                return True
    return False
