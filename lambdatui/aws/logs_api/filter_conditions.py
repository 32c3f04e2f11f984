"""Filter patterns that are conditions: in braces on the members of JSON, in brackets on the words of a message.

`&&` binds stronger than `||`; parentheses go before both.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterable, Iterator
from typing import Generic, NamedTuple, TypeAlias, TypeVar

from lambdatui.aws.logs_api.filter_values import (
    InvalidFilterPattern,
    comparison,
    invalid_character,
    is_number,
    unquoted,
)
from lambdatui.events import Json

_Subject = TypeVar("_Subject")
_Condition: TypeAlias = Callable[[_Subject], bool]
_Path: TypeAlias = list[str | int]

_STEP = r"""\.?\[\s*(?:\d+|"[^"\\]+"|'[^'\\]+')\s*\]|\.[A-Za-z0-9_-]+"""
_TOKEN = re.compile(
    rf"""
      (?P<selector> \$(?:{_STEP})+ )
    | "(?P<string> (?:[^"\\]|\\.)* )"
    | %(?P<regex> [^%]+ )%
    | (?P<ellipsis> \.\.\. )
    | (?P<sign> && | \|\| | <= | >= | != | =! | [=<>(),] )
    | (?P<word> [A-Za-z0-9_.*+:/-]+ )
    """,
    re.VERBOSE,
)
_COMPARISONS = {"=", "!=", "<", "<=", ">", ">="}


class _Token(NamedTuple):
    """`kind` is a group of the expression above, or 'end'."""

    kind: str
    text: str


_END = _Token("end", "")


def _tokens(text: str) -> Iterator[_Token]:
    place = 0
    while place < len(text):
        if text[place].isspace():
            place += 1
            continue
        match = _TOKEN.match(text, place)
        if match is None:
            raise invalid_character(text[place])
        kind = match.lastgroup or ""
        value = match[kind]
        yield _Token(kind, {"=!": "!="}.get(value, value) if kind == "sign" else value)
        place = match.end()


class _Parser(Generic[_Subject]):
    """Reads conditions of which `read_one` knows the single ones."""

    def __init__(self, tokens: Iterable[_Token], read_one: Callable[[_Parser[_Subject]], _Condition[_Subject]]) -> None:
        self._tokens = iter(tokens)
        self._read_one = read_one
        self.token = next(self._tokens, _END)

    def take(self) -> _Token:
        taken, self.token = self.token, next(self._tokens, _END)
        return taken

    def took(self, text: str) -> bool:
        """Whether this came next, a sign or a word of the language, and not in quotes."""
        if self.token.kind not in ("sign", "word") or self.token.text.upper() != text:
            return False
        self.take()
        return True

    def any(self) -> _Condition[_Subject]:
        choices = [self._all()]
        while self.took("||"):
            choices.append(self._all())
        return choices[0] if len(choices) == 1 else lambda subject: any(each(subject) for each in choices)

    def _all(self) -> _Condition[_Subject]:
        parts = [self._one()]
        while self.took("&&"):
            parts.append(self._one())
        return parts[0] if len(parts) == 1 else lambda subject: all(each(subject) for each in parts)

    def _one(self) -> _Condition[_Subject]:
        if not self.took("("):
            return self._read_one(self)
        inner = self.any()
        if not self.took(")"):
            raise _misplaced(self.token)
        return inner

    def compared(self) -> Callable[[str, bool], bool]:
        """The sign and the value that come next."""
        sign, value = self.take(), self.take()
        if sign.kind != "sign" or sign.text not in _COMPARISONS or value.kind not in ("word", "string", "regex"):
            raise _misplaced(sign if sign.text not in _COMPARISONS else value)
        text = unquoted(value.text) if value.kind == "string" else value.text
        return comparison(sign.text, text, value.kind)


def _misplaced(token: _Token) -> InvalidFilterPattern:
    return invalid_character(token.text)


def _inside(text: str, first: str, last: str) -> str:
    if not text.endswith(last):
        raise InvalidFilterPattern(f"If a filter pattern starts with '{first}' it must end with '{last}'")
    return text[1:-1]


# -- the members of JSON --------------------------------------------------------------------------------------------


def json_condition(text: str) -> Callable[[str], bool]:
    """`{ $.a = 1 && ($.b[0].c = "x*" || $.d IS NULL) }`; messages that are no objects never match. Raises
    InvalidFilterPattern."""
    parser = _Parser(_tokens(_inside(text, "{", "}")), _member)
    condition = parser.any()
    if parser.token is not _END:
        raise _misplaced(parser.token)

    def matches(message: str) -> bool:
        if not message.lstrip().startswith("{"):
            return False
        try:
            return condition(json.loads(message))
        except (ValueError, RecursionError):
            return False

    return matches


_MISSING = object()


def _member(parser: _Parser[Json]) -> _Condition[Json]:
    token = parser.take()
    if token.kind != "selector":
        raise _misplaced(token)
    path = _path(token.text)
    if parser.took("IS"):
        constants: dict[str, Json] = {"NULL": None, "TRUE": True, "FALSE": False}
        constant = parser.take()
        if constant.kind != "word" or constant.text.upper() not in constants:
            raise _misplaced(constant)
        wanted = constants[constant.text.upper()]
        return lambda subject: _value(subject, path) is wanted
    if parser.took("NOT"):
        if not parser.took("EXISTS"):
            raise _misplaced(parser.token)
        return lambda subject: _value(subject, path) is _MISSING
    test = parser.compared()

    def compare(subject: Json) -> bool:
        """What is no text, number or truth value is neither equal nor unequal to anything."""
        match _value(subject, path):
            case bool() as value:
                return test(str(value).lower(), False)
            case int() | float() as value:
                return test(repr(value), True)
            case str() as text:
                return test(text, False)
        return False

    return compare


def _path(selector: str) -> _Path:
    steps: _Path = []
    for match in re.finditer(_STEP, selector):
        step = match.group().lstrip(".").strip("[] \t\n")
        steps.append(int(step) if "[" in match.group() and step.isdigit() else step.strip("\"'"))
    return steps


def _value(subject: Json, path: _Path) -> object:
    found: object = subject
    for step in path:
        if isinstance(step, int):
            found = found[step] if isinstance(found, list) and step < len(found) else _MISSING
        else:
            found = found.get(step, _MISSING) if isinstance(found, dict) else _MISSING
    return found


# -- words ----------------------------------------------------------------------------------------------------------

_WORD = re.compile(r'\[([^\]]*)\](?=\s|$)|"([^"]*)"(?=\s|$)|(\S+)')
"""What stands in brackets or in quotes is one word."""


def words_condition(text: str) -> Callable[[str], bool]:
    """`[ip, user, ..., status = 4* && status != 403, bytes]`: `...` is any number of words; without it the last word
    takes whatever is left of the message. Raises InvalidFilterPattern."""
    before, after = _columns(_tokens(_inside(text, "[", "]")))
    if after is None:
        return lambda message: _match(before, _words(message, len(before)))

    def matches(message: str) -> bool:
        words = _words(message)
        if len(words) < len(before) + len(after):
            return False
        return _match(before, words) and _match(after, words[len(words) - len(after) :])

    return matches


def _match(columns: list[_Condition[str]], words: list[str]) -> bool:
    return len(words) >= len(columns) and all(
        column(word) for column, word in zip(columns, words[: len(columns)], strict=True)
    )


def _words(message: str, most: int | None = None) -> list[str]:
    """All of them, or as many and the last with all that follows."""
    words: list[str] = []
    for match in _WORD.finditer(message):
        if len(words) + 1 == most and message[match.end() :].strip():
            return [*words, message[match.start() :].rstrip("\n")]
        words.append(next(group for group in match.groups() if group is not None))
    return words


def _columns(tokens: Iterator[_Token]) -> tuple[list[_Condition[str]], list[_Condition[str]] | None]:
    """The conditions before `...`, and those after it if it is there."""
    parser = _Parser(tokens, _column)
    columns: list[_Condition[str]] = []
    before: list[_Condition[str]] | None = None
    while True:
        if parser.token.kind == "ellipsis":
            if before is not None:
                raise _misplaced(parser.token)
            parser.take()
            before, columns = columns, []
        elif parser.token is _END or parser.token.text == ",":
            columns.append(lambda _: True)
        else:
            columns.append(parser.any())
        if parser.token is _END:
            return (columns, None) if before is None else (before, columns)
        if not parser.took(","):
            raise _misplaced(parser.token)


def _column(parser: _Parser[str]) -> _Condition[str]:
    """A word's name, which says nothing, and perhaps what it is compared with."""
    name = parser.take()
    if name.kind != "word":
        raise _misplaced(name)
    if parser.token.text not in _COMPARISONS:
        return lambda _: True
    test = parser.compared()
    return lambda word: test(word, is_number(word))
