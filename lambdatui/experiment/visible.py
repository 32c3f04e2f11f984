"""Making foreign text harmless to print: what functions write could otherwise steer the reader's terminal."""

from __future__ import annotations

import re

_STEERING = re.compile(
    "[\x00-\x08\x0a-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028\u2029\u202a-\u202e\u2066-\u2069\ud800-\udfff\ufff9-\ufffb]"
)


def visible(line: str) -> str:
    """One line, where control characters, those that reorder or hide text and broken ones are spelled out: `\\x1b`."""
    return line if line.isprintable() else _STEERING.sub(_spelled, line)


def _spelled(match: re.Match[str]) -> str:
    return match[0].encode("unicode_escape").decode("ascii")
