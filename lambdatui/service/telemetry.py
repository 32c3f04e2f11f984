"""What subscribers of the Telemetry API get: which records, in what batches, over which protocol.

Records are kept back until a batch is full or has waited long enough. A subscriber that is frozen gets its batch when
it is thawed, as everything it does waits until then ("Accessing real-time telemetry data using the Telemetry API").
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import re
import time
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Literal, TypeAlias

from lambdatui.events import Json, iso_time

Kind: TypeAlias = Literal["platform", "function", "extension"]
KINDS: tuple[Kind, ...] = ("platform", "function", "extension")

_REMEMBERED = 10_000
"""Records since the start of the init, for those who subscribe in the course of it."""

_ATTEMPTS = (0.0, 0.1, 0.5)
"""Seconds to wait before each try to deliver a batch; then it is dropped, and the next one says so."""


@dataclass(frozen=True)
class Subscription:
    """`uri_host` and `uri_port` are of the subscriber, within the environment; `timeout` in seconds."""

    name: str
    kinds: tuple[Kind, ...]
    protocol: Literal["HTTP", "TCP"]
    uri_host: str
    uri_port: int
    uri_path: str = "/"
    max_items: int = 1000
    max_bytes: int = 262144
    timeout: float = 1.0


@dataclass
class Buffer:
    """Records that wait, as JSON text: no I/O."""

    max_items: int
    max_bytes: int
    _waiting: list[str] = field(default_factory=list)
    _bytes: int = 0

    @property
    def full(self) -> bool:
        return len(self._waiting) >= self.max_items or self._bytes >= self.max_bytes

    def __len__(self) -> int:
        return len(self._waiting)

    def add(self, record: str) -> None:
        self._waiting.append(record)
        self._bytes += _size(record)

    def take(self) -> list[str]:
        """The records of the next batch: not more than may be in one, but one at least."""
        taken, size = list[str](), 0
        for record in self._waiting[: self.max_items]:
            if taken and size + _size(record) > self.max_bytes:
                break
            size += _size(record)
            taken.append(record)
        del self._waiting[: len(taken)]
        self._bytes -= size
        return taken


class _Subscriber:
    """One subscription, with its deliveries."""

    def __init__(self, subscription: Subscription, address: str) -> None:
        self.subscription = subscription
        self._hosts = ("127.0.0.1",) if subscription.uri_host != "sandbox.localdomain" else (address, "127.0.0.1")
        self._buffer = Buffer(subscription.max_items, subscription.max_bytes)
        self._lost_records = self._lost_bytes = 0
        self._due = asyncio.Event()
        self._timer: asyncio.TimerHandle | None = None
        self._task = asyncio.create_task(self._deliver())

    def add(self, record: dict[str, Json]) -> None:
        self._buffer.add(_encoded(record))
        if self._buffer.full:
            self.flush()
        elif self._timer is None:
            self._timer = asyncio.get_running_loop().call_later(self.subscription.timeout, self.flush)

    def flush(self) -> None:
        """Deliver what there is, without waiting for more."""
        if self._timer:
            self._timer.cancel()
            self._timer = None
        self._due.set()

    def cancel(self) -> None:
        self.flush()
        self._task.cancel()

    async def _deliver(self) -> None:
        while True:
            await self._due.wait()
            self._due.clear()
            while batch := self._buffer.take():
                lost = [self._tell_lost()] if self._lost_records else []
                if await self._sent([*lost, *batch]):
                    self._lost_records = self._lost_bytes = 0
                else:
                    self._lost_records += len(batch)
                    self._lost_bytes += sum(map(_size, batch))

    def _tell_lost(self) -> str:
        record: dict[str, Json] = {
            "droppedRecords": self._lost_records,
            "droppedBytes": self._lost_bytes,
            "reason": "The subscriber could not be reached",
        }
        return _encoded({"time": iso_time(time.time()), "type": "platform.logsDropped", "record": record})

    async def _sent(self, batch: Sequence[str]) -> bool:
        for delay in _ATTEMPTS:
            await asyncio.sleep(delay)
            for host in self._hosts:
                with contextlib.suppress(OSError, EOFError, ValueError, asyncio.LimitOverrunError):
                    await self._send(host, batch)
                    return True
        return False

    async def _send(self, host: str, batch: Sequence[str]) -> None:
        """Raises OSError, EOFError or ValueError where nobody took it."""
        to = self.subscription
        reader, writer = await asyncio.open_connection(host, to.uri_port)
        try:
            if to.protocol == "TCP":
                writer.write("".join(f"{record}\n" for record in batch).encode(errors="replace"))
                await writer.drain()
                return
            body = f"[{','.join(batch)}]".encode(errors="replace")
            head = (
                f"POST {to.uri_path} HTTP/1.1\r\nHost: {to.uri_host}:{to.uri_port}\r\nConnection: close\r\n"
                f"Content-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n"
            )
            writer.write(head.encode() + body)
            status = await reader.readuntil(b"\r\n")
            if not re.match(rb"HTTP/1\.[01] 2\d\d\b", status):
                raise ValueError(f"the subscriber answered {status!r}")
        finally:
            writer.close()


def _encoded(record: dict[str, Json]) -> str:
    return json.dumps(record, separators=(",", ":"), ensure_ascii=False)


def _size(record: str) -> int:
    return len(record.encode(errors="replace"))


class Telemetry:
    """The telemetry of one environment. `address` is what sandbox.localdomain means in it."""

    def __init__(self, address: str) -> None:
        self._address = address
        self._subscribers: list[_Subscriber] = []
        self._since_start = deque[tuple[Kind, dict[str, Json]]](maxlen=_REMEMBERED)
        self.open = True
        """Extensions may still subscribe: the init is not over."""

    def begin(self) -> None:
        """For new processes: those that had subscribed are gone."""
        for subscriber in self._subscribers:
            subscriber.cancel()
        self._subscribers, self.open = [], True
        self._since_start.clear()

    def close(self) -> None:
        """The init is over, and those who come now are too late."""
        self.open = False
        self._since_start.clear()

    def subscribe(self, subscription: Subscription) -> None:
        """From now on, and what there was since the start of the init."""
        self._subscribers = [each for each in self._subscribers if each.subscription.name != subscription.name]
        subscriber = _Subscriber(subscription, self._address)
        self._subscribers.append(subscriber)
        for kind, record in self._since_start:
            if kind in subscription.kinds:
                subscriber.add(record)

    @property
    def listens(self) -> bool:
        """Somebody has subscribed, or may still do so."""
        return self.open or bool(self._subscribers)

    def tell(self, kind: Kind, record: dict[str, Json]) -> None:
        """`record` is {time, type, record}."""
        if self.open:
            self._since_start.append((kind, record))
        for subscriber in self._subscribers:
            if kind in subscriber.subscription.kinds:
                subscriber.add(record)

    def flush(self) -> None:
        """Deliver all that waits: the subscribers are about to end."""
        for subscriber in self._subscribers:
            subscriber.flush()
