"""Frames survive any cutting; what is no frame is refused by name."""

import struct

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lambdatui.control.protocol import Decoder, ProtocolError, encode
from lambdatui.events import Json

VALUES: st.SearchStrategy[Json] = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=8,
)
MESSAGES = st.lists(st.dictionaries(st.text(), VALUES, max_size=4), max_size=5)


@given(MESSAGES, st.lists(st.integers(0, 40), max_size=20))
def test_messages_arrive_however_the_bytes_are_cut(messages: list[dict[str, Json]], cuts: list[int]) -> None:
    data = b"".join(encode(message) for message in messages)
    decoder, received = Decoder(), []
    for size in [*cuts, len(data)]:
        received += list(decoder.feed(data[:size]))
        data = data[size:]
    decoder.close()
    assert received == messages


def test_a_lone_surrogate_passes() -> None:
    assert list(Decoder().feed(encode({"text": "\ud800"}))) == [{"text": "\ud800"}]


def test_messages_left_unread_come_with_the_next_bytes() -> None:
    decoder = Decoder()
    assert next(decoder.feed(encode({"id": 1}) + encode({"id": 2}))) == {"id": 1}
    assert list(decoder.feed(encode({"id": 3}))) == [{"id": 2}, {"id": 3}]


@pytest.mark.parametrize(
    ("data", "complaint"),
    [
        (struct.pack(">I", 101), "a frame of 101 bytes is larger than 100"),
        (struct.pack(">I", 3) + b"{]}", "no JSON:"),
        (struct.pack(">I", 2) + b"\xff\xfe", "no JSON:"),
        (struct.pack(">I", 2) + b"[]", "no JSON object"),
    ],
)
def test_garbage_is_refused(data: bytes, complaint: str) -> None:
    with pytest.raises(ProtocolError, match=complaint):
        list(Decoder(max_frame_bytes=100).feed(data))


def test_an_end_inside_a_frame_is_noticed() -> None:
    decoder = Decoder()
    assert list(decoder.feed(encode({"id": 1})[:-1])) == []
    with pytest.raises(ProtocolError, match="inside a frame"):
        decoder.close()


def test_too_much_for_one_frame_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("lambdatui.control.protocol.MAX_FRAME_BYTES", 10)
    with pytest.raises(ProtocolError, match="larger than 10"):
        encode({"text": "longer than that"})
