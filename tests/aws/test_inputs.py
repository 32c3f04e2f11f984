"""Inputs of operations: what fits, and how the rest is refused."""

from __future__ import annotations

from typing import Annotated, Literal

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import Field

from lambdatui.aws.inputs import Blob, Input, matching, page
from lambdatui.aws.lambda_api.functions import CreateInput
from lambdatui.events import Json
from lambdatui.refusal import InvalidParameter, SerializationFailed, ValidationFailed
from tests.aws.packages import ROLE


class Inner(Input):
    size: Annotated[int, Field(ge=512)]


class Example(Input):
    name: Annotated[str, Field(max_length=3), matching("[a-z]+")]
    timeout: Annotated[int, Field(ge=1, le=900)] = 3
    kind: Literal["A", "B"] = "A"
    layers: Annotated[list[Annotated[str, matching("a+")]], Field(max_length=2)] = Field(default=[])
    tags: dict[str, Annotated[str, Field(max_length=1)]] = Field(default={})
    inner: Inner | None = None
    zip_file: Blob | None = None


def test_what_fits_is_read_and_what_is_null_or_unknown_was_not_given() -> None:
    read = Example.read({"Name": "a", "Tags": None, "ZipFile": "UEs=", "Unknown": {}}, strict=True)

    assert (read.name, read.zip_file, read.timeout) == ("a", b"PK", 3)
    assert read.model_fields_set == {"name", "zip_file"}


def test_texts_stand_for_numbers_in_a_query_and_nowhere_else() -> None:
    assert Example.read({"Name": "a", "Timeout": "9"}, strict=False).timeout == 9
    with pytest.raises(SerializationFailed, match=r"^STRING_VALUE can not be converted to an Integer$"):
        Example.read({"Name": "a", "Timeout": "9"}, strict=True)


@pytest.mark.parametrize(
    ("members", "value", "place", "rule"),
    [
        ({"Name": None}, "null", "name", "not be null"),
        ({"Name": "abcd"}, "'abcd'", "name", "have length less than or equal to 3"),
        ({"Name": "A"}, "'A'", "name", "satisfy regular expression pattern: [a-z]+"),
        ({"Timeout": 0}, "'0'", "timeout", "have value greater than or equal to 1"),
        ({"Timeout": 901}, "'901'", "timeout", "have value less than or equal to 900"),
        ({"Kind": "C"}, "'C'", "kind", "satisfy enum value set: [A, B]"),
        ({"Layers": ["a", "b"]}, "'b'", "layers.2.member", "satisfy regular expression pattern: a+"),
        ({"Layers": ["a"] * 3}, "'[a, a, a]'", "layers", "have length less than or equal to 2"),
        ({"Tags": {"a": "xx"}}, "'xx'", "tags.a", "have length less than or equal to 1"),
        ({"Inner": {}}, "null", "inner.size", "not be null"),
        ({"Inner": {"Size": 5}}, "'5'", "inner.size", "have value greater than or equal to 512"),
    ],
)
def test_a_violation_is_worded_as_the_service_words_it(
    members: dict[str, Json], value: str, place: str, rule: str
) -> None:
    with pytest.raises(ValidationFailed) as refused:
        Example.read({"Name": "a", **members}, strict=True)

    expected = f"Value {value} at '{place}' failed to satisfy constraint: Member must {rule}"
    assert str(refused.value) == f"1 validation error detected: {expected}"


@pytest.mark.parametrize(
    ("members", "expected"),
    [
        (
            {"Environment": {"Variables": {"A": "secret", "1B": "secret"}}},
            "Value at 'environment.variables' failed to satisfy constraint: Map keys must satisfy constraint: "
            "[Member must satisfy regular expression pattern: [a-zA-Z]([a-zA-Z0-9_])+]",
        ),
        (
            {"Tags": {"": "x", "a": "y"}},
            "Value '{=x, a=y}' at 'tags' failed to satisfy constraint: Map keys must satisfy constraint: "
            "[Member must have length greater than or equal to 1]",
        ),
    ],
)
def test_a_map_is_refused_for_its_keys(members: dict[str, Json], expected: str) -> None:
    given_: dict[str, Json] = {"FunctionName": "F", "Role": ROLE, "Code": {}}
    with pytest.raises(ValidationFailed) as refused:
        CreateInput.read({**given_, **members}, strict=True)

    assert str(refused.value) == f"1 validation error detected: {expected}"


def test_all_violations_are_told_together() -> None:
    with pytest.raises(ValidationFailed, match=r"^2 validation errors detected: Value .*; Value '0' at 'timeout'"):
        Example.read({"Name": "A", "Timeout": 0}, strict=True)


_TEXTS = st.text("aAB=\0\ud800é", max_size=4)
_JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | _TEXTS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(_TEXTS, inner, max_size=3),
    max_leaves=8,
)
_NAMES = st.sampled_from(["Name", "Timeout", "Kind", "Layers", "Tags", "Inner", "ZipFile"])


@given(st.dictionaries(_NAMES, _JSON))
def test_whatever_it_is_it_is_read_or_refused(members: dict[str, Json]) -> None:
    try:
        read = Example.read(members, strict=True)
    except (SerializationFailed, ValidationFailed):
        return
    assert 1 <= read.timeout <= 900
    assert read.name == members["Name"]


@given(st.sets(st.text(max_size=4), max_size=30), st.integers(1, 7))
def test_pages_have_every_item_once_in_order(items: set[str], size: int) -> None:
    seen: list[str] = []
    marker = None
    while True:
        shown = page(items, str, marker, size)
        seen += shown.items
        marker = shown.next_marker
        if marker is None:
            break
        assert len(shown.items) == size

    assert seen == sorted(items)


@pytest.mark.parametrize("marker", ["", "x", "AAAA", "é", "YWZ0ZXI"])
def test_a_marker_that_no_page_gave_is_refused(marker: str) -> None:
    with pytest.raises(InvalidParameter):
        page(["a"], str, marker)
