"""The terminal's input: Textual's driver for Linux, which it follows but for two things.

A lone escape is answered when textual.constants.ESCAPE_DELAY is over, not at the next tenth of a second. And where the
terminal is gone without a hang-up, as when a container's is closed, the screen ends as after one: Textual would read
its end again and again.
"""

from __future__ import annotations

import os
import selectors
import signal
from codecs import getincrementaldecoder

from textual import constants
from textual._xterm_parser import XTermParser
from textual.drivers.linux_driver import LinuxDriver

_READ_BYTES = 4096
_LOOK_UP = 0.1
"""Seconds after which it is looked whether the app ends."""
_ESCAPE = b"\x1b"


class TerminalDriver(LinuxDriver):
    """See above."""

    def run_input_thread(self) -> None:
        parser, decode = XTermParser(self._debug), getincrementaldecoder("utf-8")().decode
        patience = _LOOK_UP
        with selectors.DefaultSelector() as selector:
            selector.register(self.fileno, selectors.EVENT_READ)
            while not self.exit_event.is_set():
                if selector.select(patience):
                    data = self._read()
                    if not data:
                        os.kill(os.getpid(), signal.SIGHUP)
                        return
                    patience = constants.ESCAPE_DELAY if data.endswith(_ESCAPE) else _LOOK_UP
                    for event in parser.feed(decode(data)):
                        self.process_message(event)
                else:
                    patience = _LOOK_UP
                for event in parser.tick():
                    self.process_message(event)

    def _read(self) -> bytes:
        try:
            return os.read(self.fileno, _READ_BYTES)
        except OSError:
            return b""
