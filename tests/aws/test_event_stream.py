"""Event streams, as botocore reads them: in whatever pieces they arrive."""

from __future__ import annotations

import json

import pytest
from botocore.eventstream import ChecksumMismatch, EventStreamBuffer, EventStreamMessage
from hypothesis import given
from hypothesis import strategies as st

from lambdatui.aws.event_stream import MAX_PAYLOAD_BYTES, blob_event, error, event, message
from lambdatui.refusal import ResourceNotFound

HEADERS = st.dictionaries(st.text(min_size=1, max_size=20), st.text(max_size=100), max_size=5)


def read(data: bytes, piece: int = 2**16) -> list[EventStreamMessage]:
    buffer, messages = EventStreamBuffer(), []
    for start in range(0, len(data), piece):
        buffer.add_data(data[start : start + piece])
        messages += list(buffer)
    return messages


@given(st.lists(st.tuples(HEADERS, st.binary(max_size=300)), max_size=4), st.integers(1, 50))
def test_messages_arrive_as_they_were_sent(sent: list[tuple[dict[str, str], bytes]], piece: int) -> None:
    received = read(b"".join(message(headers, payload) for headers, payload in sent), piece)

    assert [(each.headers, each.payload) for each in received] == sent


@given(st.binary(min_size=1, max_size=50), st.data())
def test_a_bit_that_was_turned_over_is_noticed(payload: bytes, data: st.DataObject) -> None:
    damaged = bytearray(message({"name": "value"}, payload))
    at = data.draw(st.integers(12, len(damaged) - 5))
    damaged[at] ^= 1

    with pytest.raises(ChecksumMismatch):
        read(bytes(damaged))


def test_an_event_has_json_members() -> None:
    (received,) = read(event("InvokeComplete", {"ErrorCode": "Ünicode"}))

    assert received.to_response_dict()["headers"] == {
        ":event-type": "InvokeComplete",
        ":content-type": "application/json",
        ":message-type": "event",
    }
    assert json.loads(received.payload) == {"ErrorCode": "Ünicode"}


def test_an_event_can_be_bytes() -> None:
    (received,) = read(blob_event("PayloadChunk", b"\x00\xff"))

    assert (received.headers[":event-type"], received.payload) == ("PayloadChunk", b"\x00\xff")


def test_an_error_is_one_to_the_client() -> None:
    (received,) = read(error(ResourceNotFound("there is none")))

    assert received.to_response_dict()["status_code"] == 400
    assert received.headers[":error-code"] == "ResourceNotFoundException"
    assert received.headers[":error-message"] == "there is none"


def test_what_a_client_would_refuse_is_not_made() -> None:
    with pytest.raises(ValueError, match="16777216 bytes"):
        message({}, b"x" * (MAX_PAYLOAD_BYTES + 1))
