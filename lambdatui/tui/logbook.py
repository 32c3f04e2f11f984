"""Log lines as the screen shows them: clean, one line each, by stream, by invocation and all together."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

from lambdatui import events as ev
from lambdatui.lab import Lab
from lambdatui.tui.sanitise import clean_lines


class Origin(NamedTuple):
    """When and by whom lines were written; `stream` counts the streams from 0, `platform` is the service itself."""

    time: float
    platform: bool
    stream: int


class LogLine(NamedTuple):
    """One line to show; a log event with newlines in it makes several."""

    text: str
    origin: Origin


class Log:
    """Lines in order. They are kept as bare texts, with an origin that those of a record share, because a million
    objects of our own would keep Python's garbage collector busier than the screen."""

    def __init__(self) -> None:
        self.texts: list[str] = []
        self._origins: list[Origin] = []

    def __len__(self) -> int:
        return len(self.texts)

    def __getitem__(self, number: int) -> LogLine:
        return LogLine(self.texts[number], self._origins[number])

    def __iter__(self) -> Iterator[LogLine]:
        return map(LogLine, self.texts, self._origins)

    def extend(self, texts: list[str], origin: Origin) -> None:
        self.texts += texts
        self._origins += [origin] * len(texts)


class Logbook:
    """Grows with the journal, by the way of :meth:`apply`; the same lines are in each of the logs that have them."""

    def __init__(self) -> None:
        self.clear()

    def clear(self) -> None:
        self.everything = Log()
        self.streams: dict[str, Log] = {}
        self.requests: dict[str, Log] = {}
        self._numbers: dict[str, int] = {}

    def apply(self, record: ev.Record, lab: Lab) -> None:
        """Take in a record that `lab` has already folded."""
        match record.event:
            case ev.ExperimentOpened():
                self.clear()
            case ev.LogWritten() as event if event.environment in lab.environments:
                number = self._numbers.setdefault(event.log_stream, len(self._numbers))
                origin = Origin(record.time, event.platform, number)
                texts = [text for line in event.lines for text in clean_lines(line.rstrip("\r\n"))]
                self.everything.extend(texts, origin)
                self.streams.setdefault(event.log_stream, Log()).extend(texts, origin)
                if event.request_id is not None:
                    self.of_request(event.request_id).extend(texts, origin)

    def of_request(self, request_id: str) -> Log:
        """The lines of one invocation, a log that goes on growing."""
        return self.requests.setdefault(request_id, Log())
