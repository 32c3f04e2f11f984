"""Asking programs of this machine what they are."""

from __future__ import annotations

import asyncio
import os
import shutil
from collections.abc import Iterator

_SECONDS = 20.0


def on_path(name: str) -> Iterator[str]:
    """All programs of that name on the PATH, the one that a shell would start first."""
    for folder in dict.fromkeys(map(os.path.realpath, os.get_exec_path())):  # /bin is often another name of /usr/bin
        if found := shutil.which(name, path=folder):
            yield found


async def output_of(*command: str) -> bytes | None:
    """What it prints; None if it cannot be started or takes too long."""
    try:
        process = await asyncio.create_subprocess_exec(
            *command,
            cwd="/",
            stdin=asyncio.subprocess.DEVNULL,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.DEVNULL,
        )
    except OSError:
        return None
    try:
        output, _ = await asyncio.wait_for(process.communicate(), _SECONDS)
        return output
    except TimeoutError:
        return None
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()
