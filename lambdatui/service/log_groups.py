"""The log groups and streams that there are, and who may make, fill and delete them, as CloudWatch Logs has it. What is
in them is in the journal."""

from __future__ import annotations

import time
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import NamedTuple

from lambdatui import events as ev
from lambdatui.events import Json
from lambdatui.journal import Journal
from lambdatui.refusal import InvalidLogsParameter, ResourceAlreadyExists, ResourceNotFound
from lambdatui.role import Role

_DAY_MS = 24 * 3600 * 1000
MAX_AGE_MS = 14 * _DAY_MS
"""Older events are not taken (PutLogEvents in the API reference, as all limits here)."""
MAX_AHEAD_MS = 2 * 3600 * 1000
"""Nor are those that are further in the future."""
MAX_BATCH_BYTES = 2**20
EVENT_OVERHEAD_BYTES = 26
"""So much more counts for each event."""

RETENTIONS = (
    *(1, 3, 5, 7, 14, 30, 60, 90, 120, 150, 180, 365, 400, 545),
    *(731, 1096, 1827, 2192, 2557, 2922, 3288, 3653),
)
"""Days for which events can be kept."""


class LogEntry(NamedTuple):
    """`timestamp` in milliseconds since the epoch."""

    timestamp: int
    message: str


class Rejected(NamedTuple):
    """Which events of a batch were not taken: those before these indexes, and those from this index on."""

    too_old_end: int | None
    expired_end: int | None
    too_new_start: int | None


@dataclass(frozen=True)
class _Group:
    tags: Mapping[str, Json]
    retention_in_days: int | None = None
    streams: set[str] = field(default_factory=set)


class LogGroups:
    """By name. Every method raises ServiceRefusal for what the service refuses."""

    def __init__(self, arn: str, journal: Journal) -> None:
        """`arn` is what the ARNs of log groups begin with."""
        self.arn = arn
        self._journal = journal
        self._groups: dict[str, _Group] = {}

    def clear(self) -> None:
        """Forget all; who does that states it."""
        self._groups.clear()

    # functions

    def has(self, group: str, stream: str) -> bool:
        return group in self._groups and stream in self._groups[group].streams

    def admit(self, role: Role, group: str, stream: str) -> bool:
        """Whether the events of a function are kept. Its group and its stream are made where they are missing, if its
        role allows it; otherwise the service drops them without a word."""
        if not role.may_log(f"{self.arn}{group}", group_exists=group in self._groups):
            return False
        self._groups.setdefault(group, _Group({})).streams.add(stream)
        return True

    # everybody

    def create_group(self, name: str, tags: Mapping[str, Json]) -> None:
        if name.lower().startswith("aws/"):
            raise InvalidLogsParameter("Log groups starting with AWS/ are reserved for AWS.")
        if name in self._groups:
            raise ResourceAlreadyExists("The specified log group already exists")
        self._groups[name] = _Group(tags)
        self._journal.append(ev.LogGroupCreated(name, dict(tags)))

    def delete_group(self, name: str) -> None:
        self._group(name)
        del self._groups[name]
        self._journal.append(ev.LogGroupDeleted(name))

    def retain(self, name: str, days: int | None) -> None:
        """For ever, where it is None."""
        if days is not None and days not in RETENTIONS:
            raise InvalidLogsParameter(
                f"1 validation error detected: Value '{days}' at 'retentionInDays' failed to satisfy constraint: "
                f"Member must satisfy enum value set: [{', '.join(map(str, RETENTIONS))}]"
            )
        self._change(name, replace(self._group(name), retention_in_days=days))

    def tag(self, name: str, tags: Mapping[str, Json], without: Iterable[str] = ()) -> None:
        """Add these tags, and take those away."""
        group = self._group(name)
        kept = {key: value for key, value in group.tags.items() if key not in set(without)}
        self._change(name, replace(group, tags={**kept, **tags}))

    def create_stream(self, group: str, name: str) -> None:
        streams = self._group(group).streams
        if name in streams:
            raise ResourceAlreadyExists("The specified log stream already exists")
        streams.add(name)
        self._journal.append(ev.LogStreamCreated(group, name))

    def delete_stream(self, group: str, name: str) -> None:
        self._stream(group, name).streams.remove(name)
        self._journal.append(ev.LogStreamDeleted(group, name))

    def put(self, group: str, stream: str, entries: list[LogEntry]) -> Rejected:
        """Append events, in the order of their time, those that are neither too old nor too new."""
        retention = self._stream(group, stream).retention_in_days
        _check_batch(entries)
        now = round(time.time() * 1000)
        oldest = now - MAX_AGE_MS
        expiry = oldest if retention is None else max(oldest, now - retention * _DAY_MS)
        too_old = sum(entry.timestamp < oldest for entry in entries)
        expired = sum(entry.timestamp < expiry for entry in entries)
        new = sum(entry.timestamp <= now + MAX_AHEAD_MS for entry in entries)
        if taken := entries[expired:new]:
            if taken[-1].timestamp - taken[0].timestamp > _DAY_MS:
                raise InvalidLogsParameter(
                    "The batch of log events in a single PutLogEvents request cannot span more than 24 hours."
                )
            timestamps, messages = zip(*taken, strict=True)
            self._journal.append(ev.LogEventsPut(group, stream, timestamps, messages))
        return Rejected(too_old or None, expired if expired > too_old else None, new if new < len(entries) else None)

    def _group(self, name: str) -> _Group:
        if name not in self._groups:
            raise ResourceNotFound("The specified log group does not exist.")
        return self._groups[name]

    def _stream(self, group: str, name: str) -> _Group:
        found = self._group(group)
        if name not in found.streams:
            raise ResourceNotFound("The specified log stream does not exist.")
        return found

    def _change(self, name: str, group: _Group) -> None:
        self._groups[name] = group
        self._journal.append(ev.LogGroupChanged(name, group.retention_in_days, dict(group.tags)))


def _check_batch(entries: list[LogEntry]) -> None:
    size = sum(len(entry.message.encode(errors="replace")) + EVENT_OVERHEAD_BYTES for entry in entries)
    if size > MAX_BATCH_BYTES:
        raise InvalidLogsParameter(f"Upload too large: {size} bytes exceeds limit of {MAX_BATCH_BYTES}")
    timestamps = [entry.timestamp for entry in entries]
    if timestamps != sorted(timestamps):
        raise InvalidLogsParameter("Log events in a single PutLogEvents request must be in chronological order.")
