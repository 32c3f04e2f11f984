"""All invocations in the order of a column, as far as they match a filter, at a cost that does not grow with how many
there are: only those that something was said about since are looked at again, and a new order or filter looks at all
of them a slice at a time.
"""

from __future__ import annotations

import re
import time
from bisect import bisect_left, insort
from collections import deque
from collections.abc import Callable, Iterable
from typing import TypeAlias

from lambdatui.lab import Invocation

Place: TypeAlias = tuple[bool, float, str, int, str]
"""Whether it goes behind all others, what to sort by (a number or a text), the invocation's number and request id."""
_PER_LOOK_AT_THE_CLOCK = 32


class InvocationIndex:
    """`order` gives what an invocation is sorted by, None for the end; `text` is what the filter sees of it."""

    def __init__(
        self,
        invocations: Callable[[], dict[str, Invocation]],
        order: Callable[[Invocation], float | str | None],
        text: Callable[[Invocation], str],
    ) -> None:
        self._invocations, self._order, self._text = invocations, order, text
        self._pattern: re.Pattern[str] | None = None
        self.descending = False
        self._pending: deque[str] = deque()
        self._waiting: set[str] = set()
        self._places: list[Place] = []
        self._place_of: dict[str, Place] = {}

    def __len__(self) -> int:
        return len(self._places)

    def __getitem__(self, row: int) -> str:
        """The request id in that row."""
        return self._places[-1 - row if self.descending else row][-1]

    def row_of(self, request_id: str) -> int | None:
        """None for what the filter leaves out, and for what was not looked at yet."""
        place = self._place_of.get(request_id)
        if place is None:
            return None
        at = bisect_left(self._places, place)
        return len(self._places) - 1 - at if self.descending else at

    def touch(self, request_ids: Iterable[str]) -> None:
        """Something has happened to them."""
        for request_id in request_ids:
            if request_id not in self._waiting:
                self._waiting.add(request_id)
                self._pending.append(request_id)

    def look_again(self) -> None:
        """Forget all, and look at all there are."""
        self._places.clear()
        self._place_of.clear()
        self._pending.clear()
        self._waiting.clear()
        self.touch(self._invocations())

    def sort_by(self, order: Callable[[Invocation], float | str | None], descending: bool) -> None:
        self._order, self.descending = order, descending
        self.look_again()

    def filter_by(self, pattern: re.Pattern[str] | None) -> None:
        if pattern != self._pattern:
            self._pattern = pattern
            self.look_again()

    def scan(self, seconds: float) -> bool:
        """Put into their places what was touched, for so long; whether any are left."""
        until, invocations = time.perf_counter() + seconds, self._invocations()
        while self._pending and time.perf_counter() < until:
            for _ in range(min(len(self._pending), _PER_LOOK_AT_THE_CLOCK)):
                request_id = self._pending.popleft()
                self._waiting.discard(request_id)
                self._put(request_id, invocations.get(request_id))
        return bool(self._pending)

    def _put(self, request_id: str, invocation: Invocation | None) -> None:
        place = self._place(invocation) if invocation is not None else None
        before = self._place_of.get(request_id)
        if before == place:
            return
        if before is not None:
            del self._places[bisect_left(self._places, before)]
            del self._place_of[request_id]
        if place is not None:
            self._place_of[request_id] = place
            if not self._places or place > self._places[-1]:
                self._places.append(place)
            else:
                insort(self._places, place)

    def _place(self, invocation: Invocation) -> Place | None:
        if self._pattern is not None and not self._pattern.search(self._text(invocation)):
            return None
        order = self._order(invocation)
        missing = (order is None) != self.descending  # the last in either direction
        number, text = (0.0, order) if isinstance(order, str) else (float(order or 0.0), "")
        return missing, number, text, invocation.number, invocation.request_id
