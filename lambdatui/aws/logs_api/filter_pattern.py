"""Filter patterns: which log events are meant ("Filter pattern syntax for metric filters, subscription filters, filter
log events, and Live Tail" in the CloudWatch Logs user guide).

There are three kinds. Terms: `ERROR -"not this" ?this ?"or that" %regex%`. Conditions on the members of JSON:
`{ $.level = "ERROR" && $.latency > 10 }`. And conditions on words: `[ip, user, ..., status = 4*]`.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from functools import lru_cache
from typing import TypeAlias

from lambdatui.aws.logs_api.filter_conditions import json_condition, words_condition
from lambdatui.aws.logs_api.filter_values import InvalidFilterPattern, invalid_character, regex, unquoted

Matcher: TypeAlias = Callable[[str], bool]
"""Whether a message is one of those meant."""

_TERM = re.compile(r"""(?P<sign>[-?]?)(?:"(?P<phrase>(?:[^"\\]|\\.)+)"|%(?P<regex>[^%]+)%|(?P<word>\w+))(?:\s+|$)""")
_OFFENCE = re.compile(r"[-?]?\w*([^\w\s]*)")
"""What is no term: the characters that cannot be in one."""


@lru_cache(maxsize=64)
def filter_pattern(text: str) -> Matcher:
    """What the pattern means; an empty one means every event. Raises InvalidFilterPattern."""
    text = text.strip()
    try:
        if text.startswith("{"):
            return json_condition(text)
        if text.startswith("["):
            return words_condition(text)
    except RecursionError:
        raise InvalidFilterPattern("Invalid filter pattern") from None
    return _terms(text)


def _terms(text: str) -> Matcher:
    """Case matters. `?` asks for one of several, and counts for nothing where there are other terms."""
    terms: dict[str, list[Matcher]] = {"": [], "-": [], "?": []}
    place = 0
    while place < len(text):
        match = _TERM.match(text, place)
        if match is None:
            raise invalid_character(_OFFENCE.match(text, place)[1])  # type: ignore[index]
        terms[match["sign"]].append(_term(match))
        place = match.end()
    needed, excluded, optional = terms.values()
    if optional and not needed and not excluded:
        return lambda message: any(each(message) for each in optional)
    return lambda message: all(each(message) for each in needed) and not any(each(message) for each in excluded)


def _term(match: re.Match[str]) -> Matcher:
    if match["regex"]:
        search = regex(match["regex"]).search
        return lambda message: search(message) is not None
    term = match["word"] or unquoted(match["phrase"])
    return lambda message: term in message
