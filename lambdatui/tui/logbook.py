"""Log lines as the screen shows them: clean, one line each, by stream, by invocation and all together."""

from __future__ import annotations

from collections.abc import Container, Iterator
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

    def without(self, streams: Container[int]) -> Log:
        """The lines of all other streams."""
        left = Log()
        for text, origin in zip(self.texts, self._origins, strict=True):
            if origin.stream not in streams:
                left.extend([text], origin)
        return left


class Logbook:
    """Grows with the journal, by the way of :meth:`apply`; the same lines are in each of the logs that have them."""

    def __init__(self) -> None:
        self.clear()

    def clear(self) -> None:
        self.everything = Log()
        self.streams: dict[str, Log] = {}
        """By log group and name, as `group:name`."""
        self.requests: dict[str, Log] = {}
        self.numbers: dict[str, int] = {}
        """Of the same, those that were deleted among them."""

    def apply(self, record: ev.Record, lab: Lab) -> None:
        """Take in a record that `lab` has already folded."""
        match record.event:
            case ev.ExperimentOpened():
                self.clear()
            case ev.LogWritten() as event if event.environment in lab.environments:
                stream = stream_key(event.log_group, event.log_stream)
                self._write(stream, record.time, event.platform, event.lines, event.request_id)
            case ev.LogStreamCreated() as event:
                self._number(stream_key(event.log_group, event.log_stream))
            case ev.LogEventsPut() as event:
                stream = stream_key(event.log_group, event.log_stream)
                for timestamp, message in zip(event.timestamps, event.messages, strict=True):
                    self._write(stream, timestamp / 1000, False, (message,), None)
            case ev.LogStreamDeleted() as event:
                self._delete({stream_key(event.log_group, event.log_stream)})
            case ev.LogGroupDeleted() as event:
                self._delete({key for key in self.streams if key.startswith(stream_key(event.log_group, ""))})

    def _write(self, stream: str, time: float, platform: bool, lines: tuple[str, ...], request_id: str | None) -> None:
        origin = Origin(time, platform, self._number(stream))
        texts = [text for line in lines for text in clean_lines(line.rstrip("\r\n"))]
        self.everything.extend(texts, origin)
        self.streams[stream].extend(texts, origin)
        if request_id is not None:
            self.of_request(request_id).extend(texts, origin)

    def _number(self, stream: str) -> int:
        """The stream is there, if it was not."""
        self.streams.setdefault(stream, Log())
        return self.numbers.setdefault(stream, len(self.numbers))

    def _delete(self, streams: set[str]) -> None:
        """Their lines are in no log any more; logs that had some of them are replaced by others."""
        numbers = {self.numbers[stream] for stream in streams if self.streams.pop(stream, None)}
        if numbers:
            self.everything = self.everything.without(numbers)
            self.requests = {request: log.without(numbers) for request, log in self.requests.items()}

    def of_request(self, request_id: str) -> Log:
        """The lines of one invocation, a log that goes on growing."""
        return self.requests.setdefault(request_id, Log())


def stream_key(group: str, name: str) -> str:
    """By which the logbook knows a log stream: those of several groups may have the same name."""
    return f"{group}:{name}"
