"""Whatever comes, from clients and from functions, is mapped or refused."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from lambdatui.aws.url_payloads import MalformedResponse, event_for, response_of, streamed_response_of
from lambdatui.function_url import UrlConfiguration
from lambdatui.service.function_urls import FunctionUrl
from lambdatui.service.http import Request, Response

URL = FunctionUrl(
    "F",
    None,
    "arn:aws:lambda:eu-west-1:000000000000:function:F",
    "abc",
    "http://127.0.0.1:9/",
    UrlConfiguration("NONE"),
    0.0,
    0.0,
)

anything = st.text() | st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False)
jsons = st.recursive(anything, lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner), max_leaves=8)
responses = st.fixed_dictionaries(
    {"statusCode": st.integers(100, 700) | jsons},
    optional={
        "headers": st.dictionaries(st.text() | st.just("X-A"), jsons) | jsons,
        "cookies": st.lists(st.text()) | jsons,
        "body": jsons,
        "isBase64Encoded": st.booleans() | jsons,
    },
)
raw = st.binary().map(lambda data: data.decode("utf-8", "surrogateescape"))


@given(jsons | responses)
def test_a_result_is_a_response_or_malformed(result: Any) -> None:
    try:
        response = response_of(json.dumps(result))
    except MalformedResponse:
        return
    assert 200 <= response.status <= 599
    assert isinstance(response.body, bytes)
    assert all(name and not set(name) & set(" \r\n:") and isinstance(value, str) for name, value in response.headers)


@given(raw, raw, st.dictionaries(st.sampled_from(["cookie", "content-type", "user-agent", "x"]), raw), st.binary())
def test_every_request_is_an_event_in_json(path: str, query: str, headers: dict[str, str], body: bytes) -> None:
    event = event_for(Request("POST", path, query, headers, body), URL, "1", datetime.now(UTC), None)

    assert json.loads(json.dumps(event).encode()) == json.loads(json.dumps(event, ensure_ascii=False).encode())
    assert event["isBase64Encoded"] in (True, False) and ("body" in event) is bool(body)


@given(st.dictionaries(st.sampled_from(["a", "b"]), st.text()) | st.none(), st.binary(), st.integers(0, 200))
def test_a_prelude_is_found_however_the_stream_is_cut(headers: Any, body: bytes, cut: int) -> None:
    prelude = b"" if headers is None else json.dumps({"statusCode": 201, "headers": headers}).encode() + bytes(8)
    stream = prelude + body
    whole = streamed_response_of(stream, complete=True)
    start = streamed_response_of(stream[:cut], complete=False)

    assert isinstance(whole, Response)
    assert (whole.status, whole.body) == (200 if headers is None else 201, body)
    if start is not None:
        assert (start.status, list(start.headers)) == (whole.status, list(whole.headers))
        assert start.body + stream[cut:] == body
