"""The log records that the screen shows: clean, by stream, by invocation and all together."""

from __future__ import annotations

import time
from array import array
from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Iterator, Set
from typing import NamedTuple

from lambdatui import events as ev
from lambdatui.lab import Lab
from lambdatui.tui.log_store import LogStore, Origin
from lambdatui.tui.sanitise import clean_record

_RECORDS_PER_LOOK_AT_THE_CLOCK = 4096


class LogLine(NamedTuple):
    """One log event; its text may have several lines."""

    text: str
    origin: Origin


class Log:
    """Records in order: a choice of those in the store, by their numbers."""

    def __init__(self, store: LogStore | None = None, streams: Set[int] | None = None) -> None:
        """With `streams`, it finds the records of those itself, see :meth:`catch_up`."""
        self._store = LogStore() if store is None else store
        self._streams = streams
        self._seen = 0
        self.numbers = array("I")

    def __len__(self) -> int:
        return len(self.numbers)

    def __getitem__(self, position: int) -> LogLine:
        number = self.numbers[position]
        return LogLine(self._store.text(number), self._store.origin(number))

    @property
    def texts(self) -> list[str]:
        """All of their lines: for the log of an invocation, not for a million."""
        return [line for text in map(self._store.text, self.numbers) for line in text.split("\n")]

    def texts_from(self, first: int, end: int) -> Iterator[str]:
        """Those at the positions from `first` to before `end`."""
        return map(self._store.text, self.numbers[first:end])

    def text(self, position: int) -> str:
        return self._store.text(self.numbers[position])

    def origin(self, position: int) -> Origin:
        return self._store.origin(self.numbers[position])

    def position(self, number: int) -> int:
        """Where the record of that number is, or would be."""
        return bisect_left(self.numbers, number)

    def not_before(self, time: float) -> int:
        """The first position that has a record of that time (seconds since the epoch) or later; behind the last one
        where none has."""
        position = self.position(self._store.not_before(time))
        while position < len(self) and self.origin(position).time < time:
            position += 1
        return position

    def find(self, instant: float, text: str) -> int | None:
        """The position of the first record of that instant that has `text`, as it was written, in it."""
        position, wanted = self.not_before(instant), clean_record(text).split("\n")[0]
        while position < len(self) and self.origin(position).time == instant:
            if wanted in self.text(position):
                return position
            position += 1
        return None

    def extend(self, numbers: Iterable[int]) -> None:
        """Take in new records, unless it looks for them itself."""
        if self._streams is None:
            self.numbers.extend(numbers)

    def catch_up(self, until: float) -> bool:
        """Look for new records of the streams until that instant (of `time.perf_counter`); whether any are left."""
        if self._streams is None:
            return False
        end = len(self._store)
        while self._seen < end and time.perf_counter() < until:
            behind = min(end, self._seen + _RECORDS_PER_LOOK_AT_THE_CLOCK)
            self.numbers.extend(self._store.written_by(self._streams, self._seen, behind))
            self._seen = behind
        return self._seen < end


class Stream:
    """What there is to know of a log stream besides its records. `number` tells it from all others there ever were."""

    def __init__(self, number: int, group: str, name: str) -> None:
        self.number, self.group, self.name = number, group, name
        self.records = 0
        self.environment: str | None = None
        """Whose it is; None for one that somebody else writes to."""
        self.starts, self.start_times = array("I"), array("d")
        """Numbers of the START records, and their times."""

    def since_start(self, number: int, time: float) -> float | None:
        """Seconds from the last START before a record to that record; those of an init come before their START."""
        if not self.starts:
            return None
        return time - self.start_times[max(0, bisect_right(self.starts, number) - 1)]


class Logbook:
    """Grows with the journal, by the way of :meth:`apply`."""

    def __init__(self) -> None:
        self.clear()

    def clear(self) -> None:
        self._store = LogStore()
        self.everything = Log(self._store)
        """Another one when something was deleted."""
        self.streams: dict[str, Stream] = {}
        """By log group and name, see :func:`stream_key`."""
        self.groups: dict[str, dict[str, Stream]] = {}
        """The same, by group and by that key."""
        self.by_number: list[Stream] = []
        """Also those that were deleted."""
        self.requests: dict[str, Log] = {}
        self.started: dict[str, int] = {}
        """Numbers of START records, the last of each request id."""
        self._live: set[int] = set()

    def apply(self, record: ev.Record, lab: Lab) -> None:
        """Take in a record that `lab` has already folded."""
        match record.event:
            case ev.ExperimentOpened():
                self.clear()
            case ev.LogWritten() as event if event.environment in lab.environments:
                stream = self._stream(event.log_group, event.log_stream)
                stream.environment = event.environment
                self._write(stream, record.time, event.platform, event.lines, event.request_id)
            case ev.LogGroupCreated() as event:
                self.groups.setdefault(event.log_group, {})
            case ev.LogStreamCreated() as event:
                self._stream(event.log_group, event.log_stream)
            case ev.LogEventsPut() as event:
                stream = self._stream(event.log_group, event.log_stream)
                for timestamp, message in zip(event.timestamps, event.messages, strict=True):
                    self._write(stream, timestamp / 1000, False, (message,), None)
            case ev.LogStreamDeleted() as event:
                self._delete([stream_key(event.log_group, event.log_stream)])
            case ev.LogGroupDeleted() as event:
                self._delete(list(self.groups.pop(event.log_group, {})))

    def select(self, streams: Iterable[str]) -> Log:
        """A log of the records of these streams, that is to catch up."""
        return Log(self._store, {self.streams[key].number for key in streams})

    def stream_of(self, number: int) -> Stream:
        """Whose record that is."""
        return self.by_number[self._store.origin(number).stream]

    def start_after(self, number: int, streams: Iterable[Stream], step: int) -> int | None:
        """The next START record of these streams after that number, or where `step` is -1 the last before it."""
        if step > 0:
            places = ((each.starts, bisect_right(each.starts, number)) for each in streams)
        else:
            places = ((each.starts, bisect_left(each.starts, number) - 1) for each in streams)
        found = (starts[at] for starts, at in places if 0 <= at < len(starts))
        return min(found, default=None) if step > 0 else max(found, default=None)

    def of_request(self, request_id: str) -> Log:
        """The records of one invocation, a log that goes on growing."""
        if request_id not in self.requests:
            self.requests[request_id] = Log(self._store)
        return self.requests[request_id]

    def _write(
        self, stream: Stream, time: float, platform: bool, lines: tuple[str, ...], request_id: str | None
    ) -> None:
        first = len(self._store)
        texts = [clean_record(line.rstrip("\r\n")) for line in lines]
        self._store.add(texts, Origin(time, platform, stream.number))
        numbers = range(first, first + len(texts))
        stream.records += len(texts)
        self.everything.extend(numbers)
        if request_id is not None:
            self.of_request(request_id).extend(numbers)
            if platform:
                self._note_starts(stream, numbers, texts, time, request_id)

    def _note_starts(self, stream: Stream, numbers: range, texts: list[str], time: float, request_id: str) -> None:
        for number, text in zip(numbers, texts, strict=True):
            if text.startswith("START RequestId:") or (text[:1] == "{" and '"platform.start"' in text):
                stream.starts.append(number)
                stream.start_times.append(time)
                self.started[request_id] = number

    def _stream(self, group: str, name: str) -> Stream:
        """The stream is there, if it was not."""
        key = stream_key(group, name)
        if key not in self.streams:
            stream = Stream(len(self.by_number), group, name)
            self.by_number.append(stream)
            self.streams[key] = self.groups.setdefault(group, {})[key] = stream
            self._live.add(stream.number)
        return self.streams[key]

    def _delete(self, keys: list[str]) -> None:
        """Their records are in no log any more; logs that had some of them are replaced by others."""
        gone = {key: self.streams.pop(key) for key in keys if key in self.streams}
        if not gone:
            return
        for key, stream in gone.items():
            self.groups.get(stream.group, {}).pop(key, None)
            self._live.discard(stream.number)
        for request, log in self.requests.items():
            self.requests[request] = Log(self._store)
            self.requests[request].extend(n for n in log.numbers if self._store.origin(n).stream in self._live)
        self.everything = Log(self._store, self._live)


def stream_key(group: str, name: str) -> str:
    """By which the logbook knows a log stream: those of several groups may have the same name."""
    return f"{group}:{name}"
