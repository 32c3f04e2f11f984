"""What pydantic found wrong, said in the words of an experiment file."""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterable, Mapping
from typing import Any

from lambdatui.experiment.document import Document, Place, Problem
from lambdatui.experiment.schema import json_schema

LATER = frozenset({"maximum_retry_attempts"})
"""Lambda's own, and no mistake; but there is nothing behind them yet."""

_WANTED = {
    "string_type": "a text",
    "int_type": "a whole number",
    "int_from_float": "a whole number",
    "float_type": "a number",
    "bool_type": "true or false",
    "list_type": "a list",
    "dict_type": "a mapping",
    "model_type": "a mapping",
    "model_attributes_type": "a mapping",
}


def complaint(document: Document, error: Mapping[str, Any]) -> Problem:
    """One of pydantic's error dictionaries as a problem in the document."""
    place: Place = error["loc"]
    context: Mapping[str, Any] = error.get("ctx", {})
    value: object = error["input"]
    name = _name(document.existing(place))
    match error["type"]:
        case "extra_forbidden":
            return document.problem(place, _unknown(str(place[-1]), place[:-1]), at_key=True)
        case "missing":
            return document.problem(place[:-1], f"'{place[-1]}' is missing", at_key=True)
        case "literal_error" if place[-1] == "invocation_type" and value in ("Event", "DryRun"):
            message = f"this version of lambdatui does not support the invocation type {value} yet"
        case "literal_error":
            choices = re.findall(r"'([^']*)'", str(context["expected"]))
            wanted = f"'{choices[0]}'" if len(choices) == 1 else f"one of {', '.join(choices)}"
            message = f"{name} must be {wanted}, not {_shown(value)}{did_you_mean(str(value), choices)}"
        case "too_short":
            message = f"{name} must have at least {context['min_length']}, and has {context['actual_length']}"
        case "too_long":
            message = f"{name} must have at most {context['max_length']}, and has {context['actual_length']}"
        case "value_error":
            message = f"{name} {context['error']}"
        case kind if kind in _WANTED:
            message = f"{name} must be {_WANTED[kind]}, not {_shown(value)}"
        case _:
            message = f"{name}, {_shown(value)}, is not right: {str(error['msg']).replace('Input', 'it')}"
    return document.problem(place, message)


def did_you_mean(word: str, known: Iterable[str]) -> str:
    """A suggestion to put behind a sentence, or nothing."""
    snake_case = re.sub(r"(?<=[a-z])(?=[A-Z])", "_", word).lower()
    close = difflib.get_close_matches(snake_case, {each.lower(): each for each in known}, 1, 0.6)
    return "".join(f"; did you mean '{each}'?" for each in known if close and each.lower() == close[0])


def _unknown(key: str, place: Place) -> str:
    if key in LATER:
        return f"this version of lambdatui does not support '{key}' yet"
    known = _keys_at(place)
    guess = did_you_mean(key, known)
    return f"unknown key '{key}'{guess}" if guess else f"unknown key '{key}'; there are {', '.join(known)}"


def _keys_at(place: Place) -> list[str]:
    """The keys that the schema knows there."""
    schema: Any = json_schema()
    definitions = schema["$defs"]
    for part in (*place, None):
        while "properties" not in schema and ("$ref" in schema or "anyOf" in schema):
            if "$ref" in schema:
                schema = definitions[schema["$ref"].rpartition("/")[2]]
            else:
                schema = next((each for each in schema["anyOf"] if {"$ref", "properties"} & each.keys()), {})
        if part is not None:
            schema = schema.get("properties", {}).get(part) or schema.get("items") or schema["additionalProperties"]
    return [*schema["properties"]]


def _name(place: Place) -> str:
    """How to speak of a value: by the last key that leads to it."""
    if not place:
        return "an experiment"
    key = next((part for part in reversed(place) if isinstance(part, str)), place[-1])
    return f"number {place[-1] + 1} of '{key}'" if isinstance(place[-1], int) else f"'{key}'"


def _shown(value: object) -> str:
    if value is None:
        return "nothing"
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, dict | list):
        return "a mapping" if isinstance(value, dict) else "a list"
    text = repr(value)
    return text if len(text) <= 60 else f"{text[:57]}…"
