"""The tokens that lead from one page to the next. They say no more to their holders than the service's do."""

from __future__ import annotations

import base64
import re

from lambdatui.refusal import InvalidLogsParameter


def encode(*parts: str | int) -> str:
    return base64.urlsafe_b64encode("\n".join(map(str, parts)).encode()).decode()


def decode(token: str, pattern: re.Pattern[str]) -> tuple[str, ...]:
    """The groups of `pattern`, which says what such a token is made of. Raises InvalidLogsParameter."""
    try:
        text = base64.b64decode(token.encode(), altchars=b"-_", validate=True).decode()
    except ValueError:
        text = ""
    return groups(text, pattern)


def groups(token: str, pattern: re.Pattern[str]) -> tuple[str, ...]:
    """The same of one that can be read as it is."""
    match = pattern.fullmatch(token)
    if match is None:
        raise InvalidLogsParameter("The specified nextToken is invalid.")
    return match.groups()
