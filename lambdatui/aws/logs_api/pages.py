"""Lists of groups and streams in pages, each with a token that leads to the next one."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from typing import TypeVar

from lambdatui.aws.logs_api.tokens import decode, encode

_Item = TypeVar("_Item")

MOST = 50
"""So many are on a page."""

_TOKEN = re.compile(r"(\d{1,19})\n(.+)", re.ASCII)
"""The key of the last item that was shown."""


def page(
    items: Iterable[_Item],
    key: Callable[[_Item], tuple[int, str]],
    token: str | None,
    limit: int | None,
    *,
    descending: bool = False,
) -> tuple[list[_Item], str | None]:
    """Those after the token's place, in the order of their keys, and the token for the next. What comes and goes
    between two pages makes nothing else appear twice, or not at all. Raises InvalidLogsParameter for a token that is
    none."""
    ordered = sorted(items, key=key, reverse=descending)
    if token is not None:
        number, name = decode(token, _TOKEN)
        place = int(number), name
        ordered = [item for item in ordered if (key(item) < place if descending else key(item) > place)]
    shown = ordered[: limit or MOST]
    return shown, encode(*key(shown[-1])) if len(ordered) > len(shown) else None
