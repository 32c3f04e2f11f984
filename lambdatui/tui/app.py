"""Opens the screen on a laboratory of its own, and leaves the terminal as it was, however it ends."""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
import sys
from collections.abc import Sequence
from typing import TYPE_CHECKING

from lambdatui.control.client import Client, LaunchFailed, Launching
from lambdatui.control.roles import Role

if TYPE_CHECKING:
    from lambdatui.tui.glyphs import Glyphs
    from lambdatui.tui.laboratory_app import LaboratoryApp

os.environ.setdefault("ESCDELAY", "30")
"""Milliseconds after which an escape is a key, and not the beginning of one; Textual reads it when it is imported."""

BAD_INPUT = 2
INTERRUPTED = 130
_SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


def open_screen(experiment: str, language: str | None = None, port: int = 0, parameters: Sequence[str] = ()) -> int:
    """Run `experiment` on the screen, with the endpoint on `port`, 0 for any that is free; the exit code. `parameters`,
    NAME=VALUE, are for a template.

    0 after quitting, 1 when the laboratory ended by itself, that of the laboratory (2) when it did not start, 128 and
    the signal's number when interrupted. Trouble is told in plain sentences on stderr.
    """
    try:
        # Textual draws on standard error. The laboratory outlives a screen that is killed.
        terminal = 2 if os.isatty(2) else None
        launching = Launching(experiment, language, terminal=terminal, port=port, parameters=parameters)
    except OSError as error:
        return _fail(f"the laboratory could not be started: {error}", BAD_INPUT)
    try:
        import lambdatui.tui.laboratory_app  # noqa: F401  the laboratory starts meanwhile

        launched = launching.ready()
    except LaunchFailed as failure:
        return _fail(str(failure), failure.exit_code)
    except KeyboardInterrupt:
        launching.cancel()
        return INTERRUPTED
    try:
        code = asyncio.run(show(launched.socket_path, Role.OWNER))
        # Looked at before it is told to end: afterwards it has ended in any case.
        epitaph = launched.how_it_ended() if code == 1 else None
    except KeyboardInterrupt:
        return INTERRUPTED
    finally:
        launched.close()
    return code if epitaph is None else _fail(epitaph, code)


def attach_screen(socket_path: str, role: Role) -> int:
    """Show the laboratory that listens there on this screen, too; the exit code. 0 also when the laboratory has ended,
    which is told on stderr."""
    from lambdatui.tui.laboratory_app import LABORATORY_LOST

    try:
        code = asyncio.run(show(socket_path, role))
    except KeyboardInterrupt:
        return INTERRUPTED
    return _fail("the laboratory has ended", 0) if code == LABORATORY_LOST else code


async def show(socket_path: str, role: Role, glyphs: Glyphs | None = None) -> int:
    """Until somebody leaves, or the laboratory ends; the return code of the app."""
    from lambdatui.tui.laboratory_app import LABORATORY_LOST, LaboratoryApp

    try:
        client = await Client.connect(socket_path)
    except OSError:
        return LABORATORY_LOST
    app = LaboratoryApp(client, glyphs=glyphs, role=role)
    loop = asyncio.get_running_loop()
    for number in _SIGNALS:
        loop.add_signal_handler(number, _leave, app, 128 + number)
    try:
        await app.run_async()
    finally:
        for number in _SIGNALS:
            loop.remove_signal_handler(number)
        await client.close()
    return app.return_code or 0


def _leave(app: LaboratoryApp, code: int) -> None:
    app.exit(code, return_code=code)


def _fail(sentence: str, code: int) -> int:
    with contextlib.suppress(OSError):
        for line in sentence.splitlines():
            print(f"lambdatui: {line}", file=sys.stderr)
    return code
