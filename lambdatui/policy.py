"""What policies say of an action ("Policy evaluation logic" in the IAM user guide)."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from functools import lru_cache
from typing import NamedTuple, TypeAlias

from lambdatui.events import Json

Document: TypeAlias = Mapping[str, Json]
"""A policy as IAM has it: {"Version": ..., "Statement": [...]}."""


class Effect(StrEnum):
    """Of all policies together. IMPLICIT_DENY: they say nothing of it, and that is no."""

    ALLOW = "Allow"
    DENY = "Deny"
    IMPLICIT_DENY = "implicit deny"


class Principal(NamedTuple):
    """A name by which policies may mean the one who asks; `kind` is 'AWS' or 'Service'."""

    kind: str
    name: str


@dataclass(frozen=True)
class Question:
    """May this be done? `resource` is None where policies have none (trust); `principals` are all names of the one who
    asks, None where the policies are attached to whoever that is. `context` has the values of condition keys, the keys
    in lower case."""

    action: str
    resource: str | None = None
    principals: frozenset[Principal] | None = None
    context: Mapping[str, str] = field(default_factory=dict)


def decide(documents: Iterable[Document], question: Question) -> Effect:
    """One Deny outweighs every Allow."""
    effects = {
        statement.get("Effect")
        for document in documents
        for statement in _listed(document.get("Statement"))
        if isinstance(statement, dict) and _applies(statement, question)
    }
    return Effect.DENY if "Deny" in effects else Effect.ALLOW if "Allow" in effects else Effect.IMPLICIT_DENY


def together(*effects: Effect) -> Effect:
    """What policies attached to the one who asks, and one attached to the resource, say together where both are of the
    same account: either may allow it."""
    return next((each for each in (Effect.DENY, Effect.ALLOW) if each in effects), Effect.IMPLICIT_DENY)


def problems_in(document: Document) -> Iterator[str]:
    """What makes this no policy."""
    statements = _listed(document.get("Statement"))
    if not statements:
        yield "a policy needs a Statement"
    for statement in statements:
        if not isinstance(statement, dict):
            yield "a Statement is a mapping with Effect, Action and Resource"
        elif statement.get("Effect") not in ("Allow", "Deny"):
            yield "the Effect of a Statement is Allow or Deny"
        elif not ({"Action", "NotAction"} & statement.keys()):
            yield "a Statement needs an Action"
        elif "Condition" in statement:
            yield "this version of lambdatui does not support the Condition of a Statement yet"


def _applies(statement: Mapping[str, Json], question: Question) -> bool:
    if not _chosen(statement, "Action", question.action, ignore_case=True):
        return False
    if question.resource is not None and not _chosen(statement, "Resource", question.resource):
        return False
    if question.principals is not None and not _is_meant(statement.get("Principal"), question.principals):
        return False
    return _holds(statement.get("Condition"), question.context)


def _chosen(statement: Mapping[str, Json], key: str, value: str, ignore_case: bool = False) -> bool:
    """Whether `value` matches one of the patterns of the key, or none of those of its negation (NotAction)."""
    if f"Not{key}" in statement:
        return not _matches(statement[f"Not{key}"], value, ignore_case)
    return _matches(statement.get(key), value, ignore_case)


def _matches(patterns: Json, value: str, ignore_case: bool = False) -> bool:
    return any(
        _pattern(each, ignore_case).fullmatch(value) is not None for each in _listed(patterns) if isinstance(each, str)
    )


@lru_cache(maxsize=512)
def _pattern(text: str, ignore_case: bool) -> re.Pattern[str]:
    """`*` is any text, `?` any character."""
    expression = "".join({"*": ".*", "?": "."}.get(char, re.escape(char)) for char in text)
    return re.compile(expression, re.DOTALL | (re.IGNORECASE if ignore_case else re.NOFLAG))


def _is_meant(principal: Json, names: frozenset[Principal]) -> bool:
    if not isinstance(principal, dict):
        return principal == "*"
    if "*" in _listed(principal.get("AWS")):
        return True
    return any(name.name in _listed(principal.get(name.kind)) for name in names)


def _holds(conditions: Json, context: Mapping[str, str]) -> bool:
    """Every condition, by the operators that the resource-based policies of functions have. One about a key that is
    not in the context does not hold, nor one by another operator."""
    if not isinstance(conditions, dict):
        return conditions is None
    for operator, values in conditions.items():
        for key, expected in values.items() if isinstance(values, dict) else ():
            value = context.get(key.lower())
            if value is None:
                return False
            match operator:
                case "StringEquals" | "Bool" if value in _listed(expected):
                    pass
                case "ArnLike" | "StringLike" if _matches(expected, value):
                    pass
                case _:
                    return False
    return True


def _listed(value: Json) -> list[Json]:
    if value is None:
        return []
    return value if isinstance(value, list) else [value]
