"""Log lines as the screen shows them: clean, one line each, by stream, by invocation and all together."""

from __future__ import annotations

from typing import NamedTuple

from lambdatui import events as ev
from lambdatui.lab import Lab
from lambdatui.tui.sanitise import clean_lines


class LogLine(NamedTuple):
    """One line to show; a log event with newlines in it makes several. `stream` counts the streams from 0."""

    time: float
    text: str
    platform: bool
    stream: int


class Logbook:
    """Grows with the journal, by the way of :meth:`apply`; the same lines are in each of the lists that have them."""

    def __init__(self) -> None:
        self.clear()

    def clear(self) -> None:
        self.everything: list[LogLine] = []
        self.streams: dict[str, list[LogLine]] = {}
        self.requests: dict[str, list[LogLine]] = {}
        self._numbers: dict[str, int] = {}

    def apply(self, record: ev.Record, lab: Lab) -> None:
        """Take in a record that `lab` has already folded."""
        match record.event:
            case ev.ExperimentOpened():
                self.clear()
            case ev.LogWritten() as event if event.log_stream in lab.streams:
                number = self._numbers.setdefault(event.log_stream, len(self._numbers))
                lines = [
                    LogLine(record.time, text, event.platform, number)
                    for line in event.lines
                    for text in clean_lines(line)
                ]
                self.everything += lines
                self.streams.setdefault(event.log_stream, []).extend(lines)
                if event.request_id is not None:
                    self.requests.setdefault(event.request_id, []).extend(lines)

    def of_request(self, request_id: str) -> list[LogLine]:
        """The lines of one invocation, a list that goes on growing."""
        return self.requests.setdefault(request_id, [])
