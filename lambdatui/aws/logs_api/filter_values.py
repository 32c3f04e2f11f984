"""What the conditions of a filter pattern compare with: texts with wildcards, numbers, regular expressions."""

from __future__ import annotations

import operator
import re
from collections.abc import Callable, Mapping
from typing import TypeAlias

from lambdatui.refusal import InvalidLogsParameter


class InvalidFilterPattern(InvalidLogsParameter):
    """It cannot be understood."""


def invalid_character(term: str) -> InvalidFilterPattern:
    """What stands here does not belong here."""
    return InvalidFilterPattern(f"Invalid character(s) in term '{term}'" if term else "Invalid filter pattern")


Test: TypeAlias = Callable[[str, bool], bool]
"""Whether a value, as text, is as it should be; the second says whether it is a number."""

_ORDER: Mapping[str, Callable[[float, float], bool]] = {
    "<": operator.lt,
    "<=": operator.le,
    ">": operator.gt,
    ">=": operator.ge,
}
_NUMBER = re.compile(r"[+-]?(\d+(\.\d*)?|\.\d+)([eE][+-]?\d+)?", re.ASCII)


def comparison(sign: str, value: str, kind: str) -> Test:
    """By =, !=, <, <=, > or >=, with a value of this kind: 'word', 'string' or 'regex'. Raises InvalidFilterPattern."""
    number = float(value) if kind == "word" and _NUMBER.fullmatch(value) else None
    if sign in _ORDER:
        if number is None:
            raise InvalidFilterPattern("Invalid filter pattern")
        compare, bound = _ORDER[sign], number
        return lambda text, is_number: is_number and compare(float(text), bound)
    equal = _equality(value, kind, number)
    if sign == "=":
        return equal
    return lambda text, is_number: not equal(text, is_number)


def _equality(value: str, kind: str, number: float | None) -> Test:
    if kind == "regex":
        search = regex(value).search
        return lambda text, _: search(text) is not None
    text_like = _with_wildcards(value)
    if number is None:
        return lambda text, _: text_like(text)
    return lambda text, is_number: float(text) == number if is_number else text_like(text)


def is_number(text: str) -> bool:
    return _NUMBER.fullmatch(text) is not None


def _with_wildcards(value: str) -> Callable[[str], bool]:
    """`*` is any text where it stands first or last; elsewhere it is itself."""
    core = value.strip("*")
    first, last = value.startswith("*"), value.endswith("*")
    if first and last:
        return lambda text: core in text
    if first:
        return lambda text: text.endswith(core)
    if last:
        return lambda text: text.startswith(core)
    return lambda text: text == core


def unquoted(text: str) -> str:
    """The inside of a quoted string, with what was escaped as itself."""
    return re.sub(r"\\(.)", r"\1", text, flags=re.DOTALL)


_PLAIN = re.compile(r"[A-Za-z0-9_#=@/;,:\- ^$?{}|*+.]")
_ESCAPE = re.compile(r"\\(x[0-9A-Fa-f]{2}|[dDsSwW]|[^A-Za-z0-9])")
_CLASS = re.compile(r"\[(\^?)((?:\\.|[^\]\\])+)\]")


def regex(text: str) -> re.Pattern[str]:
    """The regular expression between two %, of which there can be less than elsewhere: no groups, and no characters
    but those that the user guide lists, and those that CDK's users have been seen to use: blanks and colons."""
    parts, place = [], 0
    while place < len(text):
        if match := _PLAIN.match(text, place) or _ESCAPE.match(text, place):
            parts.append(match.group())
        elif match := _CLASS.match(text, place):
            parts.append(f"[{match[1]}{_class(match[2], text)}]")
        else:
            raise invalid_character(f"%{text}%")
        place = match.end()
    try:
        return re.compile("".join(parts), re.ASCII)
    except (re.error, OverflowError, RecursionError):
        raise invalid_character(f"%{text}%") from None


def _class(text: str, whole: str) -> str:
    """What stands in brackets, with nothing in it that means more to Python than to others."""
    parts, place = [], 0
    while place < len(text):
        if text[place] == "\\":
            match = _ESCAPE.match(text, place)
            if match is None:
                raise invalid_character(f"%{whole}%")
            parts.append(match.group())
            place = match.end()
            continue
        char, place = text[place], place + 1
        is_range = char == "-" and 1 < place < len(text)
        if char != "[" and not _PLAIN.match(char):
            raise invalid_character(f"%{whole}%")
        parts.append(char if char.isalnum() or (is_range and text[place] != "-") else f"\\{char}")
    return "".join(parts)
