"""What filter patterns mean. Many of the examples are those of the CloudWatch Logs user guide."""

from __future__ import annotations

import json
import string

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lambdatui.aws.logs_api.filter_pattern import filter_pattern
from lambdatui.aws.logs_api.filter_values import InvalidFilterPattern

BOTH, ERROR, WARN = "ERROR WARN message", "ERROR message", "WARN message"


@pytest.mark.parametrize(
    ("pattern", "matching"),
    [
        ("", [BOTH, ERROR, WARN]),
        ("  ", [BOTH, ERROR, WARN]),
        ("ERROR", [BOTH, ERROR]),
        ("error", []),
        ("ERR", [BOTH, ERROR]),
        ("ERROR WARN", [BOTH]),
        ("WARN   ERROR", [BOTH]),
        ("?ERROR ?WARN", [BOTH, ERROR, WARN]),
        ("?nothing ?WARN", [BOTH, WARN]),
        ("ERROR -WARN", [ERROR]),
        ("-WARN", [ERROR]),
        ('"ERROR message"', [ERROR]),
        ('-"ERROR message"', [BOTH, WARN]),
        ('?"ERROR message" ?nothing', [ERROR]),
        ("?WARN ERROR", [BOTH, ERROR]),
        ("%^ERR[A-Z]+ m%", [ERROR]),
        ("%ERROR|WARN% -ERROR", [WARN]),
        (r"%\x57ARN%", [BOTH, WARN]),
    ],
)
def test_terms(pattern: str, matching: list[str]) -> None:
    assert [message for message in (BOTH, ERROR, WARN) if filter_pattern(pattern)(message)] == matching


TRAIL = {
    "eventType": "UpdateTrail",
    "sourceIPAddress": "111.111.111.111",
    "arrayKey": ["value", "another value"],
    "objectList": [{"name": "a", "id": 1}, {"name": "b", "id": 2}],
    "SomeObject": None,
    "ThisFlag": True,
    "latency": 120.5,
    "errorCode": 400,
    "@timestamp": "now",
    "cluster.name": "c",
    "user": {"id": 1, "email": "John.Stiles@example.com"},
    "users": [{"id": 2, "email": "John.Doe@example.com"}, {"id": 3, "email": "Jane.Doe@example.com"}],
    "actions": ["GET", "PUT", "DELETE"],
    "coordinates": [[0, 1, 2], [4, 5, 6], [7, 8, 9]],
}


@pytest.mark.parametrize(
    ("pattern", "matches"),
    [
        ('{ $.eventType = "UpdateTrail" }', True),
        ("{$.eventType=UpdateTrail}", True),
        ('{ $.eventType = "Update*" }', True),
        ("{ $.eventType = *Trail }", True),
        ("{ $.eventType = *dateT* }", True),
        ("{ $.eventType = Up*Trail }", False),
        ("{ $.eventType = %^Upd.*l$% }", True),
        ("{ $.eventType != %^Upd% }", False),
        ("{ $.sourceIPAddress != 123.123.* }", True),
        ("{ $.sourceIPAddress != 111.* }", False),
        ('{ $.arrayKey[0] = "value" }', True),
        ('{ $.arrayKey[7] = "value" }', False),
        ("{ $.objectList[1].id = 2 }", True),
        ("{ $.eventType[0] = 2 }", False),
        ("{ $.SomeObject IS NULL }", True),
        ("{ $.ThisFlag IS NULL }", False),
        ("{ $.SomeOtherObject IS NULL }", False),
        ("{ $.SomeOtherObject NOT EXISTS }", True),
        ("{ $.SomeObject NOT EXISTS }", False),
        ("{ $.ThisFlag IS TRUE }", True),
        ("{ $.ThisFlag is false }", False),
        ("{ $.latency >= 120.5 && $.latency < +1.3e2 }", True),
        ("{ $.latency > 120.5 }", False),
        ("{ $.latency = * }", True),
        ("{ $.nothing = * }", False),
        ("{ $.nothing != 1 }", False),
        ("{ $.errorCode = 4e2 }", True),
        ("{ $.errorCode = 4* }", True),
        ("{ $.errorCode != 500 }", True),
        ("{ $.eventType > 1 }", False),
        ("{ $.arrayKey = 1 }", False),
        ("{ $.arrayKey != 1 }", False),
        ('{ $.["@timestamp"] = now && $["cluster.name"] = "c" }', True),
        ('{ ($.user.id = 1) && ($.users[0].email = "John.Doe@example.com") }', True),
        ('{ ($.user.id = 2 && $.users[0].email = "nonmatch") || $.actions[2] = "GET" }', False),
        (
            '{ $.user.email = "John.Stiles@example.com" || $.coordinates[0][1] = nonmatch && $.actions[2] = nomatch }',
            True,
        ),
        (
            '{ ($.user.email = "John.Stiles@example.com" || $.coordinates[0][1] = nonmatch) && $.actions[2] = no }',
            False,
        ),
    ],
)
def test_members_of_json(pattern: str, matches: bool) -> None:
    assert filter_pattern(pattern)(f"{json.dumps(TRAIL)}\n") is matches


@pytest.mark.parametrize("message", ["", "text", "[1]", '{"a": ', '{"a": ' * 50_000, '{"a": 1} more'])
def test_what_is_no_object_never_matches_a_condition_on_json(message: str) -> None:
    assert not filter_pattern("{ $.a NOT EXISTS || $.a = * }")(message)


REQUEST = '127.0.0.1 - frank [10/Oct/2000:13:25:15 -0700] "GET /index.html HTTP/1.0" 404 1534\n'


@pytest.mark.parametrize(
    ("pattern", "matches"),
    [
        ("[ip, user, username, timestamp, request, status_code, bytes > 1000]", True),
        ("[ip, user, username, timestamp, request, status_code, bytes > 2000]", False),
        ("[ip, user, username, timestamp, request, status_code = 404, bytes]", True),
        ("[ip, user, username, timestamp, request = *html*, status_code = 4*, bytes]", True),
        ("[ip, user, username, timestamp, request, status_code = 4* && bytes < 3]", False),
        ("[ip, user, username, timestamp, request, status_code = 4* && status_code != 403, bytes]", True),
        ("[ip, user, username, timestamp, request, status_code = 4* && status_code != 404, bytes]", False),
        ("[ip = 1 || (ip = 127* && ip != 2), ...]", True),
        ("[..., request=*.html*, status_code=4*,]", True),
        ("[..., status_code, bytes = 1534]", True),
        ("[ip, user = -, ..., bytes = 1534]", True),
        ("[ip = %127\\.0\\.0\\.[1-9]%, ...]", True),
        ("[w1, w2, w3, w4, w5, w6, w7, w8]", False),
        ("[ip, user, username = frank, rest = *404*]", True),
        ("[..., a, b, c, d, e, f, g, h]", False),
    ],
)
def test_words(pattern: str, matches: bool) -> None:
    assert filter_pattern(pattern)(REQUEST) is matches


def test_the_last_word_takes_the_rest_of_the_message() -> None:
    pattern = filter_pattern('[timestamp=*Z, request_id="*-*", event=*there]')
    assert pattern("2026-11-25T00:00:00.000Z\t12-34\thello there\n")
    assert not pattern("2026-11-25T00:00:00.000Z\t12-34\n")


@pytest.mark.parametrize(
    ("pattern", "message"),
    [
        ("Status: timeout", "Invalid character(s) in term ':'"),
        ("(a)", "Invalid character(s) in term '('"),
        ('""', "Invalid character(s) in term '\"\"'"),
        ('"open', "Invalid character(s) in term '\"'"),
        ('"a""b"', "Invalid character(s) in term '\"'"),
        ("-", "Invalid filter pattern"),
        ("%a!%", "Invalid character(s) in term '%a!%'"),
        ("%(a)%", "Invalid character(s) in term '%(a)%'"),
        ("%a**%", "Invalid character(s) in term '%a**%'"),
        (r"%\b%", r"Invalid character(s) in term '%\b%'"),
        ("%[%", "Invalid character(s) in term '%[%'"),
        ("{ $.a = 1", "If a filter pattern starts with '{' it must end with '}'"),
        ("[a", "If a filter pattern starts with '[' it must end with ']'"),
        ("{}", "Invalid filter pattern"),
        ("{ $.a }", "Invalid filter pattern"),
        ("{ $.a = }", "Invalid filter pattern"),
        ("{ a = 1 }", "Invalid character(s) in term 'a'"),
        ('{ $.a < "1" }', "Invalid filter pattern"),
        ("{ $.a = 1 & $.b = 1 }", "Invalid character(s) in term '&'"),
        ("{ ($.a = 1 }", "Invalid filter pattern"),
        ("{ $.a = 1) }", "Invalid character(s) in term ')'"),
        ("{ $.a = 1 $.b = 1 }", "Invalid character(s) in term '$.b'"),
        ("{ $.a IS nothing }", "Invalid character(s) in term 'nothing'"),
        ('{ $.a "IS" NULL }', "Invalid character(s) in term 'IS'"),
        ("{ $.a NOT }", "Invalid filter pattern"),
        ("[a b]", "Invalid character(s) in term 'b'"),
        ("[..., a, ...]", "Invalid character(s) in term '...'"),
        ('["a"]', "Invalid character(s) in term 'a'"),
        (f"{{ {'(' * 1000}", "If a filter pattern starts with '{' it must end with '}'"),
        (f"{{ {'(' * 1000} }}", "Invalid filter pattern"),
    ],
)
def test_what_is_no_pattern(pattern: str, message: str) -> None:
    with pytest.raises(InvalidFilterPattern) as refused:
        filter_pattern(pattern)
    assert str(refused.value) == message
    assert refused.value.code == "InvalidParameterException"


_ALPHABET = '{}[]()$.=!<>&|%"\\*?-+,:^ \tabAB019é'


@given(st.text(_ALPHABET, max_size=40) | st.text(_ALPHABET).map(lambda text: f"{{ $.a{text} }}"), st.text(_ALPHABET))
def test_every_text_is_a_pattern_or_refused(pattern: str, message: str) -> None:
    try:
        matches = filter_pattern(pattern)
    except InvalidFilterPattern as refusal:
        assert "nvalid" in str(refusal) or "must end with" in str(refusal)
    else:
        assert matches(message) in (True, False)


@given(st.text(_ALPHABET, min_size=1), st.text(), st.text())
def test_a_phrase_in_quotes_means_itself(phrase: str, before: str, after: str) -> None:
    quoted = phrase.replace("\\", "\\\\").replace('"', '\\"')
    matches = filter_pattern(f'"{quoted}"')
    assert matches(before + phrase + after)
    assert matches(before) == (phrase in before)
    assert filter_pattern(f'-"{quoted}"')(before) == (phrase not in before)


_JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(string.ascii_letters, min_size=1), inner),
    max_leaves=8,
)


@given(st.dictionaries(st.sampled_from("abc"), _JSON), st.sampled_from("abc"), st.integers(-3, 3))
def test_conditions_contradict_each_other_as_they_should(subject: dict[str, object], name: str, bound: int) -> None:
    message = json.dumps(subject)

    def holds(condition: str) -> bool:
        return filter_pattern(f"{{ $.{name} {condition} }}")(message)

    value = subject.get(name)
    is_number = isinstance(value, int | float) and not isinstance(value, bool)
    assert holds("NOT EXISTS") == (name not in subject)
    assert holds("IS NULL") == (name in subject and value is None)
    assert holds("= *") == (is_number or isinstance(value, str | bool))
    assert (holds(f"= {bound}") or holds(f"!= {bound}")) == holds("= *")
    assert (holds(f"< {bound}") or holds(f">= {bound}")) == is_number
    assert filter_pattern(f"{{ $.{name} = * || $.{name} NOT EXISTS }}")(message) == (
        holds("= *") or holds("NOT EXISTS")
    )
