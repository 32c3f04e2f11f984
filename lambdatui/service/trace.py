"""The trace header, X-Amzn-Trace-Id: which request an invocation belongs to, and through which functions it has come.

A function finds it in its environment, and the AWS SDKs send it on with whatever the function asks of AWS: so Lambda
knows of a function that invokes itself, however long the way ("Use Lambda recursive loop detection to prevent infinite
loops"). `Lineage=a87bd80c:1|68fd508a:0` counts the visits of each function, from 0; in what order is undocumented.
"""

from __future__ import annotations

import hashlib
import re
import secrets
import time
from dataclasses import dataclass, field, replace
from functools import lru_cache

MAX_VISITS = 16
"""So many times may a function have run for one request: after "approximately 16 times" the service takes it for a
loop."""

_FIELD = re.compile(r"(Root|Sampled|Lineage)=([^;\s]+)")
_VISITS = re.compile(r"([0-9a-f]{8}):(\d{1,5})")


@dataclass(frozen=True)
class Trace:
    """Of one request."""

    root: str = field(default_factory=lambda: f"1-{int(time.time()):08x}-{secrets.token_hex(12)}")
    sampled: str = "0"
    lineage: tuple[tuple[str, int], ...] = ()
    """Functions, by a hash of their ARNs, and how often each of them has run."""

    @classmethod
    def parse(cls, header: str) -> Trace:
        """What cannot be read is new: the header is nothing to refuse anybody for."""
        given = dict(_FIELD.findall(header))
        trace = cls(root=given["Root"]) if "Root" in given else cls()
        lineage = tuple((name, int(last) + 1) for name, last in _VISITS.findall(given.get("Lineage", "")))
        return replace(trace, sampled="1" if given.get("Sampled") == "1" else "0", lineage=lineage)

    def __str__(self) -> str:
        """The header, for a segment of its own."""
        header = f"Root={self.root};Parent={secrets.token_hex(8)};Sampled={self.sampled}"
        if self.lineage:
            header += ";Lineage=" + "|".join(f"{name}:{visits - 1}" for name, visits in self.lineage)
        return header

    def visits(self, arn: str) -> int:
        """How often the function of this ARN has run for it."""
        return dict(self.lineage).get(_name(arn), 0)

    def through(self, arn: str) -> Trace:
        """One run of it later."""
        return replace(self, lineage=tuple({**dict(self.lineage), _name(arn): self.visits(arn) + 1}.items()))


@lru_cache(maxsize=256)
def _name(arn: str) -> str:
    return hashlib.sha256(arn.encode()).hexdigest()[:8]
