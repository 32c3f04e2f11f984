"""Reading the properties of a resource: resolved, of the right type, and what is wrong with them noted down."""

from __future__ import annotations

from collections.abc import Iterator

from lambdatui.events import Json
from lambdatui.experiment.document import Place, Problem
from lambdatui.experiment.templates.document import Template
from lambdatui.experiment.templates.intrinsics import Scope, Unresolvable


class Findings:
    """What is wrong with a template, and what of it is not to be had here."""

    def __init__(self, template: Template) -> None:
        self._template = template
        self.problems = list(template.problems)
        self.notices: list[Problem] = []

    def problem(self, place: Place, message: str, *, at_key: bool = False) -> None:
        self.problems.append(self._template.problem(place, message, at_key=at_key))

    def nobodys(self) -> Findings:
        """Others, for what does not matter if it cannot be known."""
        return Findings(self._template)

    def notice(self, place: Place, message: str) -> None:
        self.notices.append(self._template.problem(place, message, at_key=True))


class Properties:
    """Of one resource, or of a property that is a mapping itself."""

    def __init__(self, found: Json, place: Place, scope: Scope, findings: Findings) -> None:
        self._found = found if isinstance(found, dict) else {}
        self.place, self._scope, self._findings = place, scope, findings

    def __contains__(self, key: str) -> bool:
        return key in self._found

    def __iter__(self) -> Iterator[str]:
        return iter(self._found)

    @property
    def optional(self) -> Properties:
        """The same; where nobody knows a value it is as if it were not there."""
        return Properties(self._found, self.place, self._scope, self._findings.nobodys())

    def at(self, key: str) -> Place:
        return (*self.place, key)

    def raw(self, key: str) -> Json:
        """As it stands there."""
        return self._found.get(key)

    def resolved(self, key: str) -> Json:
        """None where it is absent, or where nobody knows it, which is noted down then."""
        try:
            return self._scope.value(self._found.get(key), self.at(key))
        except Unresolvable as error:
            self._findings.problem(error.place, str(error))
            return None

    def text(self, key: str) -> str | None:
        value = self.resolved(key)
        if value is None or isinstance(value, str):
            return value
        if isinstance(value, dict | list):
            self._wrong(key, "a text")
            return None
        return str(value).lower() if isinstance(value, bool) else str(value)

    def number(self, key: str) -> int | None:
        """Parameters are texts: a text of digits will do."""
        value = self.resolved(key)
        if isinstance(value, str) and value.isascii() and value.removeprefix("-").isdigit() and len(value) < 20:
            return int(value)
        if value is None or (isinstance(value, int) and not isinstance(value, bool)):
            return value
        self._wrong(key, "a whole number")
        return None

    def texts(self, key: str) -> list[Json] | None:
        value = self.resolved(key)
        if value is None or (isinstance(value, list) and all(isinstance(each, str) for each in value)):
            return value
        self._wrong(key, "a list of texts")
        return None

    def inner(self, key: str) -> Properties:
        """A property that is a mapping; an empty one where it is absent."""
        value, place = self._found.get(key), self.at(key)
        if value is not None and not isinstance(value, dict):
            self._wrong(key, "a mapping")
        elif isinstance(value, dict) and len(value) == 1 and next(iter(value)).startswith(("Fn::", "Ref")):
            value = self.resolved(key)
        return Properties(value, place, self._scope, self._findings)

    def items(self, key: str) -> list[tuple[Json, Place]]:
        """The items of a list, not resolved yet, and where they stand. What stands alone is a list of one."""
        value = self._found.get(key)
        if value is None:
            return []
        if not isinstance(value, list):
            return [(value, self.at(key))]
        return [(each, (*self.at(key), index)) for index, each in enumerate(value)]

    def _wrong(self, key: str, wanted: str) -> None:
        self._findings.problem(self.at(key), f"'{key}' must be {wanted}")
