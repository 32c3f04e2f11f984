"""Gives the terminal back for a screen that was killed and could not do it itself."""

from __future__ import annotations

import contextlib
import os
import termios

_GIVE_BACK = b"".join(
    (
        b"\x1b[?2026l",  # no frame is held back any more
        b"\x1b[?2004l\x1b[?1004l",  # neither pastes nor the focus are reported
        b"\x1b[?1000l\x1b[?1003l\x1b[?1015l\x1b[?1006l\x1b[?1016l",  # nor the mouse
        b"\x1b[?2048l\x1b[<u",  # nor sizes, nor keys as the kitty protocol has them
        b"\x1b[0m\x1b[?1049l\x1b[?25h",  # plain text, the screen from before, the cursor
    )
)


class Terminal:
    """The terminal with that file descriptor, as it is now."""

    def __init__(self, descriptor: int) -> None:
        """Raises OSError where it is none."""
        self._descriptor = descriptor
        os.set_inheritable(descriptor, False)
        try:
            self._attributes = termios.tcgetattr(descriptor)
        except termios.error as error:
            raise OSError(*error.args) from None

    def give_back(self) -> None:
        """Undo what a screen does to a terminal. Attributes that somebody else has set since, as a shell does for its
        next prompt, stay: only a screen takes even ctrl+c for an ordinary key."""
        with contextlib.suppress(OSError, termios.error):
            os.write(self._descriptor, _GIVE_BACK)
            if not termios.tcgetattr(self._descriptor)[3] & termios.ISIG:
                termios.tcsetattr(self._descriptor, termios.TCSANOW, self._attributes)
