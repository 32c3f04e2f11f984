"""A YAML file as plain values, together with where each of them stands.

Scalars follow YAML 1.2 (`yes` and `12:30` are texts), and each remembers how it was written, because where a text is
wanted, `DEBUG: true` and `COUNT: 007` mean exactly that text.
"""

from __future__ import annotations

import contextlib
import math
import re
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple, NoReturn, Self

import yaml

from lambdatui.events import Json
from lambdatui.experiment.visible import visible

MAX_BYTES = 2**20
_MAX_DEPTH = 64
_MAX_NODES = 50_000
_MAX_DIGITS = 100
_HALF_A_CHARACTER = re.compile("[\ud800-\udfff]")

Place = tuple[str | int, ...]
"""The keys and indices that lead to a value."""


class Problem(NamedTuple):
    """A sentence about a place in a file. Lines and columns count from 1; line 0: about the file as a whole."""

    file: str
    line: int
    column: int
    message: str
    """May quote the file: only `str` of a problem is fit for a terminal."""

    def __str__(self) -> str:
        where = f"{self.file}:{self.line}:{self.column}" if self.line else self.file
        return f"{visible(where)}: {visible(self.message)}"


class BadExperiment(Exception):
    """An experiment file that cannot be used; `errors` has everything that is wrong with it."""

    def __init__(self, errors: Sequence[Problem]) -> None:
        super().__init__(errors)
        self.errors = sorted(errors, key=lambda problem: (problem.line, problem.column))

    def __str__(self) -> str:
        return "\n".join(map(str, self.errors))


class Document:
    """What a file says. `problems` are those that reading already showed: duplicate keys, tags, numbers too large."""

    def __init__(self, path: Path, content: str | yaml.Node) -> None:
        """`content` is the file's text, or what another document has made of it."""
        self.path = path
        self.problems: list[Problem] = []
        self.unreadable: set[Place] = set()
        """Where these stand instead of a value; there is a None in its place."""
        self._values: dict[Place, yaml.Node] = {}
        self._keys: dict[Place, yaml.Node] = {}
        text = content if isinstance(content, str) else ""
        if text.lstrip().startswith("{"):  # JSON may be indented with tabs, YAML may not
            text = re.sub(r"^\t+", lambda tabs: " " * len(tabs[0]), text, flags=re.MULTILINE)
        try:
            root = yaml.compose(text, _Loader) if isinstance(content, str) else content
            self.value: Json = None if root is None else self._convert(self._prepared(root), ())
        except yaml.reader.ReaderError as error:
            before = text[: error.position] if isinstance(error.position, int) else ""
            mark = (before.count("\n") + 1, len(before) - before.rfind("\n"))
            self._stop(Problem(str(path), *mark, f"the character #x{error.character:04x} is not allowed in YAML"))
        except yaml.MarkedYAMLError as error:
            where = error.problem_mark or error.context_mark
            line, column = (where.line + 1, where.column + 1) if where else (1, 1)
            message = ", ".join(part for part in (error.context, error.problem) if part) or "this is no YAML"
            self._stop(Problem(str(path), line, column, message))
        except RecursionError:
            self._stop(Problem(str(path), 1, 1, "this is nested too deeply"))
        if root is None:
            self._stop(Problem(str(path), 0, 0, "the file is empty"))
        self.root = root

    @classmethod
    def read(cls, path: Path) -> Self:
        """Raises BadExperiment where there is no document to speak of."""
        try:
            with path.open("rb") as file:
                content = file.read(MAX_BYTES + 1)
            text = content.decode("utf-8-sig")
        except UnicodeDecodeError as error:
            before = error.object[: error.start]
            line, column = before.count(b"\n") + 1, len(before) - before.rfind(b"\n")
            raise BadExperiment([Problem(str(path), line, column, "this is not UTF-8 text")]) from None
        except (OSError, ValueError) as error:
            reason = error.strerror if isinstance(error, OSError) and error.strerror else str(error)
            raise BadExperiment([Problem(str(path), 0, 0, f"cannot be read: {reason}")]) from None
        if len(content) > MAX_BYTES:
            raise BadExperiment([Problem(str(path), 0, 0, f"is larger than {MAX_BYTES // 2**20} MB")])
        return cls(path, text)

    def problem(self, place: Place, message: str, *, at_key: bool = False) -> Problem:
        """About the value at `place`, or its key; where there is none, about the nearest that holds it."""
        place = self.existing(place)
        node = self._keys.get(place) if at_key else None
        mark = (node or self._values[place]).start_mark
        return Problem(str(self.path), mark.line + 1, mark.column + 1, message)

    def existing(self, place: Place) -> Place:
        """`place` without the parts that do not stand in the file, such as the field behind a short form."""
        found: Place = ()
        for part in place:
            if (*found, part) in self._values:
                found = (*found, part)
        return found

    def written(self, place: Place) -> str | None:
        """The scalar at `place` as it was written; None where there is something else."""
        node = self._values.get(place)
        return node.value if isinstance(node, yaml.ScalarNode) and node.tag != _NULL else None

    def take_as_text(self, place: Place) -> bool:
        """Put the text as it was written in the place of a number or boolean; False where there is none."""
        text, parent = self.written(place), self.value
        if text is None or not place:
            return False
        for part in place[:-1]:
            parent = parent[part]  # type: ignore[index]
        if isinstance(parent[place[-1]], str):  # type: ignore[index]
            return False
        parent[place[-1]] = text  # type: ignore[index]
        return True

    def _prepared(self, root: yaml.Node) -> yaml.Node:
        """The document that is meant, where it is written in a short form."""
        return root

    def _stop(self, problem: Problem) -> NoReturn:
        raise BadExperiment([*self.problems, problem])

    def _convert(self, node: yaml.Node, place: Place) -> Json:
        self._values[place] = node
        if len(place) > _MAX_DEPTH or len(self._values) > _MAX_NODES:
            self._stop(self.problem(place, "this is nested too deeply or too large"))
        if isinstance(node, yaml.MappingNode) and node.tag == MAP:
            return self._mapping(node, place)
        if isinstance(node, yaml.SequenceNode) and node.tag == SEQ:
            return [self._convert(item, (*place, index)) for index, item in enumerate(node.value)]
        if isinstance(node, yaml.ScalarNode) and node.tag in _SCALARS:
            try:
                return _scalar(node)
            except ValueError as error:
                return self._nothing(place, str(error))
        tag = node.tag.replace("tag:yaml.org,2002:", "!!")
        return self._nothing(place, f"the tag {tag} has no meaning here")

    def _nothing(self, place: Place, message: str) -> Json:
        self.problems.append(self.problem(place, message))
        self.unreadable.add(place)
        return None

    def _mapping(self, node: yaml.MappingNode, place: Place) -> dict[str, Json]:
        result: dict[str, Json] = {}
        for key_node, value_node in node.value:
            mark = key_node.start_mark
            if not isinstance(key_node, yaml.ScalarNode) or _HALF_A_CHARACTER.search(key_node.value):
                self.problems.append(Problem(str(self.path), mark.line + 1, mark.column + 1, "a key must be a text"))
                continue
            key = key_node.value
            if key in result:
                first = self._keys[(*place, key)].start_mark.line + 1
                message = f"'{key}' stands here for the second time, after line {first}"
                self.problems.append(Problem(str(self.path), mark.line + 1, mark.column + 1, message))
                continue
            self._keys[(*place, key)] = key_node
            result[key] = self._convert(value_node, (*place, key))
        return result


MAP, SEQ, STR, _NULL = (f"tag:yaml.org,2002:{name}" for name in ("map", "seq", "str", "null"))
_BOOL, _INT, _FLOAT = (f"tag:yaml.org,2002:{name}" for name in ("bool", "int", "float"))
_SCALARS = frozenset({_NULL, _BOOL, _INT, _FLOAT, STR})


class _Loader(yaml.SafeLoader):
    """Plain scalars by the core schema of YAML 1.2 (section 10.3.2)."""

    def scan_plain(self) -> yaml.ScalarToken:
        """PyYAML's own, but for one thing: in a flow collection it ends a plain scalar at a question mark, which YAML
        1.2 does not, and questions are what experiments ask (`{ask: What happens?, choices: [a, b]}`)."""
        chunks: list[str] = []
        start_mark = end_mark = self.get_mark()
        indent = self.indent + 1
        spaces: list[str] = []
        while self.peek() != "#":
            length = self._plain_length()
            if length == 0:
                break
            self.allow_simple_key = False
            chunks += [*spaces, self.prefix(length)]
            self.forward(length)
            end_mark = self.get_mark()
            spaces = self.scan_plain_spaces(indent, start_mark) or []
            if not spaces or (not self.flow_level and self.column < indent):
                break
        return yaml.ScalarToken("".join(chunks), True, start_mark, end_mark)

    def _plain_length(self) -> int:
        blank = "\0 \t\r\n\x85\u2028\u2029"
        flow = ",[]{}" if self.flow_level else ""
        length = 0
        while (char := self.peek(length)) not in blank + flow:
            if char == ":" and self.peek(length + 1) in blank + flow:
                break
            length += 1
        return length

    yaml_implicit_resolvers: dict[str, list[tuple[str, re.Pattern[str]]]] = {}  # noqa: RUF012 as in the base class


for _tag, _pattern, _first in (
    (_NULL, r"(?:~|null|Null|NULL|)", ["~", "n", "N", ""]),
    (_BOOL, r"(?:true|True|TRUE|false|False|FALSE)", list("tTfF")),
    (_INT, r"(?:[-+]?[0-9]+|0o[0-7]+|0x[0-9a-fA-F]+)", list("-+0123456789")),
    (
        _FLOAT,
        r"(?:[-+]?(?:\.[0-9]+|[0-9]+(?:\.[0-9]*)?)(?:[eE][-+]?[0-9]+)?|[-+]?\.(?:inf|Inf|INF)|\.(?:nan|NaN|NAN))",
        list("-+.0123456789"),
    ),
):
    _Loader.add_implicit_resolver(_tag, re.compile(f"{_pattern}$"), _first)


def _scalar(node: yaml.ScalarNode) -> Json:
    """Raises ValueError, in words."""
    text: str = node.value
    if _HALF_A_CHARACTER.search(text):
        raise ValueError("this text has half a surrogate pair in it, which is no character")
    if node.tag == STR:
        return text
    if node.tag == _NULL:
        return None
    if node.tag == _BOOL and text.lower() in ("true", "false"):
        return text.lower() == "true"
    with contextlib.suppress(ValueError):
        if node.tag == _INT and len(text) < _MAX_DIGITS:
            return int(text, {"0o": 8, "0x": 16}.get(text[:2], 10))
        if node.tag == _FLOAT and math.isfinite(number := float(text)):
            return number
    kind = "boolean" if node.tag == _BOOL else f"finite number of less than {_MAX_DIGITS} digits"
    raise ValueError(f"{text[:40]!r} is no {kind}")
