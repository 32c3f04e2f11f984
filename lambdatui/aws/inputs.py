"""What an operation takes: its members, declared. All that does not fit is refused together, as the service words it
("1 validation error detected: Value '0' at 'timeout' failed to satisfy constraint: ...")."""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Callable, Iterable, Mapping
from typing import Annotated, Any, ClassVar, Generic, NamedTuple, Self, TypeAlias, TypeVar

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, ValidationError, model_validator
from pydantic.alias_generators import to_pascal
from pydantic_core import ErrorDetails, PydanticCustomError

from lambdatui.aws.call import Call
from lambdatui.events import Json
from lambdatui.refusal import InvalidParameter, SerializationFailed, ServiceRefusal, ValidationFailed

PAGE = 50
"""So many items does a list have at most, whatever is asked for."""

_T = TypeVar("_T")


class Input(BaseModel):
    """The members of an operation's input, and of structures in it: in Pascal case on the wire, in snake case here.

    As in the service, a member that is null was not given, and one that nobody knows is passed over. Which of them were
    given `model_fields_set` says.
    """

    model_config = ConfigDict(alias_generator=to_pascal, frozen=True, protected_namespaces=(), defer_build=True)

    refusal: ClassVar[Callable[[str], ServiceRefusal]] = ValidationFailed
    """What an API raises for values that break a constraint."""

    @classmethod
    def of(cls, call: Call) -> Self:
        """Out of the body, and what stands in the path and in the query. Raises ServiceRefusal."""
        return cls.read({**call.members(), **call.query, **call.parameters}, strict=True)

    @classmethod
    def of_query(cls, call: Call) -> Self:
        """Out of the query and the path alone, where numbers are texts too. Raises ServiceRefusal."""
        return cls.read({**call.query, **call.parameters}, strict=False)

    @classmethod
    def read(cls, members: Mapping[str, Json], *, strict: bool) -> Self:
        """Where it is not `strict`, texts may stand for numbers and truth values. Raises ServiceRefusal."""
        try:
            return cls.model_validate(members, strict=strict)
        except ValidationError as invalid:
            raise _refusal(invalid.errors(include_url=False), members, cls.refusal) from None

    @model_validator(mode="before")
    @classmethod
    def _without_nulls(cls, members: Any) -> Any:
        if not isinstance(members, dict):
            return members
        return {name: value for name, value in members.items() if value is not None}


def matching(pattern: str) -> AfterValidator:
    """For Annotated: the whole text must match."""
    compiled = re.compile(pattern)

    def check(text: str) -> str:
        if not compiled.fullmatch(text):
            raise PydanticCustomError("pattern", "{pattern}", {"pattern": pattern})
        return text

    return AfterValidator(check)


def one_of(values: Iterable[str]) -> AfterValidator:
    """For Annotated: one of these, where they are too many for a Literal."""
    known = dict.fromkeys(values)
    expected = ", ".join(map(repr, known))

    def check(text: str) -> str:
        if text not in known:
            raise PydanticCustomError("literal_error", "{expected}", {"expected": expected})
        return text

    return AfterValidator(check)


def _decode(value: object) -> object:
    if isinstance(value, bytes):
        return value
    try:
        if isinstance(value, str):
            return base64.b64decode(value, validate=True)
    except (binascii.Error, ValueError):
        pass
    raise PydanticCustomError("base64", "Unable to decode Base64")


Blob: TypeAlias = Annotated[bytes, BeforeValidator(_decode)]
"""Base64 on the wire."""


class Package(Input):
    """A .zip, which comes from the request alone here. What an operation says where there is none, is `missing`."""

    missing: ClassVar[str] = "Uploaded file must be a non-empty zip"

    zip_file: Blob | None = None
    s3_bucket: str | None = None
    s3_key: str | None = None

    def archive(self) -> bytes:
        """Raises InvalidParameter."""
        if self.s3_bucket is not None or self.s3_key is not None:
            raise InvalidParameter("The laboratory has no S3. Send the package itself, as ZipFile.")
        if not self.zip_file:
            raise InvalidParameter(self.missing)
        return self.zip_file


MaxItems: TypeAlias = Annotated[int, Field(ge=1, le=10000)]
"""How many items of a list one wants; there are never more than PAGE."""


# -- refusals -------------------------------------------------------------------------------------------------------

_RULES: Mapping[str, str] = {
    "missing": "Member must not be null",
    "pattern": "Member must satisfy regular expression pattern: {pattern}",
    "literal_error": "Member must satisfy enum value set: [{expected}]",
    "greater_than_equal": "Member must have value greater than or equal to {ge}",
    "less_than_equal": "Member must have value less than or equal to {le}",
    "string_too_short": "Member must have length greater than or equal to {min_length}",
    "string_too_long": "Member must have length less than or equal to {max_length}",
    "too_short": "Member must have length greater than or equal to {min_length}",
    "too_long": "Member must have length less than or equal to {max_length}",
    "bytes_too_short": "Member must have length greater than or equal to {min_length}",
    "bytes_too_long": "Member must have length less than or equal to {max_length}",
}
"""A constraint in the service's words, by pydantic's name for its violation. Every other violation is one of a type."""


_SENSITIVE = ("Environment", "Variables")
"""What stands there is not repeated."""


def _refusal(
    errors: list[ErrorDetails], members: Mapping[str, Json], refusal: Callable[[str], ServiceRefusal]
) -> ServiceRefusal:
    for error in errors:
        if error["type"] not in _RULES:
            return SerializationFailed(_of_another_type(error))
    violations = list(dict.fromkeys(_violation(error, members) for error in errors))
    return refusal(f"{len(violations)} validation error{'s'[: len(violations) > 1]} detected: {'; '.join(violations)}")


def _violation(error: ErrorDetails, members: Mapping[str, Json]) -> str:
    context = dict(error.get("ctx", {}))
    if "expected" in context:
        context["expected"] = ", ".join(re.findall(r"'([^']*)'", context["expected"]))
    given, place, rule = error["input"], error["loc"], _RULES[error["type"]].format_map(context)
    if place[-1] == "[key]":
        place = place[:-2]
        given, rule = _at(place, members), f"Map keys must satisfy constraint: [{rule}]"
    value = "null " if error["type"] == "missing" else "" if place[:2] == _SENSITIVE else f"'{_shown(given)}' "
    return f"Value {value}at '{_place(place)}' failed to satisfy constraint: {rule}"


def _at(location: Iterable[int | str], members: Any) -> object:
    for part in location:
        members = members[part]
    return members


def _place(location: Iterable[int | str]) -> str:
    return ".".join(f"{part + 1}.member" if isinstance(part, int) else part[:1].lower() + part[1:] for part in location)


def _shown(value: object) -> str:
    """As Java prints it."""
    match value:
        case bool():
            return str(value).lower()
        case list() | tuple():
            return f"[{', '.join(map(_shown, value))}]"
        case dict():
            return f"{{{', '.join(f'{key}={_shown(each)}' for key, each in value.items())}}}"
    return str(value)


_EXPECTED = {
    **{"string": "a String", "int": "an Integer", "float": "a Double", "bool": "a Boolean"},
    **{"list": "a List", "dict": "a Map", "model": "a Structure", "base64": "a Blob"},
}
"""By what the names of pydantic's errors begin with."""


def _of_another_type(error: ErrorDetails) -> str:
    match error["input"]:
        case dict():
            return "Start of structure or map found where not expected."
        case list():
            return "Start of list found where not expected."
        case bool() as value:
            kind = f"{str(value).upper()}_VALUE"
        case int() | float():
            kind = "NUMBER_VALUE"
        case _:
            kind = "STRING_VALUE"
    expected = _EXPECTED.get(error["type"].partition("_")[0], "what is expected")
    return f"{kind} can not be converted to {expected}"


# -- pages ----------------------------------------------------------------------------------------------------------


class Page(NamedTuple, Generic[_T]):
    """Some items of a list; `next_marker` leads to those after them, None where there are none."""

    items: list[_T]
    next_marker: str | None


def page(
    items: Iterable[_T], key: Callable[[_T], str], marker: str | None, max_items: int | None = None, most: int = PAGE
) -> Page[_T]:
    """Those that come after `marker`, in the order of their keys, which are unique. Items that come and go between two
    pages make no other appear twice or get lost. Raises InvalidParameter for a marker that no page ever gave."""
    after = None if marker is None else _key(marker)
    ordered = sorted(items, key=key)
    rest = [item for item in ordered if after is None or key(item) > after]
    shown = rest[: min(max_items or most, most)]
    return Page(shown, _marker(key(shown[-1])) if len(rest) > len(shown) else None)


def _marker(key: str) -> str:
    return base64.urlsafe_b64encode(f"after {key}".encode()).decode()


def _key(marker: str) -> str:
    try:
        text = base64.b64decode(marker.encode(), altchars=b"-_", validate=True).decode()
    except ValueError:
        text = ""
    if not text.startswith("after "):
        raise InvalidParameter("Invalid pagination token.")
    return text.removeprefix("after ")
