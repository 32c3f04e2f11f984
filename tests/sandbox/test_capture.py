"""What a function prints comes out as it went in, however the bytes are cut."""

from __future__ import annotations

import asyncio
import itertools
import json
import logging
import os
import struct

import pytest
from awslambdaric.bootstrap import FramedTelemetryLogSink, _setup_logging
from awslambdaric.lambda_runtime_log_utils import LogFormat
from hypothesis import example, given
from hypothesis import strategies as st

from lambdatui.sandbox.capture import MAX_EVENT_BYTES, Capture, Line, Output, Parser, RuntimeReady, runtime_ready_frame

NOW = 1_700_000_000_000_000


def frame(message: bytes, kind: int = 0xA55A0003) -> bytes:
    """As awslambdaric writes it."""
    return struct.pack(">IIQ", kind, len(message), NOW) + message


TYPES = {
    0xA55A0000 + (rank << 2) + form: level
    for rank, level in enumerate((None, "TRACE", "DEBUG", "INFO", "WARN", "ERROR", "FATAL"))
    for form in (2, 3)
}
"""Every type of frame, JSON and text."""


def parse(*chunks: bytes) -> list[Output]:
    parser = Parser()
    return [each for chunk in chunks for each in parser.feed(chunk)] + parser.flush(final=True)


raw_text = st.lists(
    st.one_of(
        st.text(max_size=30).map(str.encode),
        st.binary(max_size=10),
        st.builds(frame, st.text(max_size=20).map(str.encode), st.sampled_from(list(TYPES))),
        st.just(runtime_ready_frame(NOW)),
        st.sampled_from([b"\n", b"\xa5", b"\xa5\x5a", b"\xa5\x5a\x00\x03", b"\r"]),
    ),
    max_size=12,
).map(b"".join)


@given(raw_text, st.lists(st.integers(0, 300), max_size=6))
@example(frame("é\n".encode()) + b"after\n", [3, 17])
def test_the_cuts_make_no_difference(data: bytes, cuts: list[int]) -> None:
    borders = [0, *sorted(min(cut, len(data)) for cut in cuts), len(data)]
    pieces = [data[a:b] for a, b in itertools.pairwise(borders)]
    assert parse(*pieces) == parse(data)


@given(st.text(alphabet=st.characters(codec="utf-8", exclude_characters="\n")))
def test_a_line_is_its_text(text: str) -> None:
    assert parse(text.encode() + b"\n") == [Line(text)]


@given(st.lists(st.text(alphabet=st.characters(codec="utf-8", exclude_characters="\n"), max_size=20), min_size=1))
def test_lines_keep_their_order_and_empty_ones_count(texts: list[str]) -> None:
    assert parse("".join(f"{text}\n" for text in texts).encode()) == [Line(text) for text in texts]


def test_a_frame_is_one_event_with_its_newlines_between_lines_of_text() -> None:
    data = b"one\n" + frame(b"[ERROR] boom\nTraceback") + b"two\nno newline"
    assert parse(data) == [Line("one"), Line("[ERROR] boom\nTraceback"), Line("two"), Line("no newline")]


@pytest.mark.parametrize(("kind", "level"), TYPES.items())
def test_the_type_of_a_frame_has_its_level(kind: int, level: str | None) -> None:
    assert parse(frame(b"one\ntwo\n", kind)) == [Line("one\ntwo", level)]


@given(st.integers(0, 0xFFFFFFFF).filter(lambda kind: kind not in TYPES and kind != 0xA55AFF01))
@example(0xA55A0001)
@example(0xA55A001E)
@example(0xA55AFF03)
def test_what_is_no_frame_is_text(kind: int) -> None:
    data = frame(b"message", kind).replace(b"\n", b" ")
    assert parse(data) == [Line(data.decode(errors="replace"))]


@given(st.lists(st.tuples(st.text(), st.sampled_from(list(TYPES))), min_size=1))
def test_frames_one_after_another(messages: list[tuple[str, int]]) -> None:
    data = b"".join(frame(text.encode(), kind) for text, kind in messages)
    assert parse(data) == [Line(text.removesuffix("\n"), TYPES[kind]) for text, kind in messages]


@pytest.mark.parametrize("log_format", [LogFormat.JSON, LogFormat.TEXT])
def test_what_awslambdaric_writes(log_format: int) -> None:
    reading, writing = os.pipe()
    levels = {"DEBUG": "DEBUG", "INFO": "INFO", "WARNING": "WARN", "ERROR": "ERROR", "CRITICAL": "FATAL"}
    logger = logging.getLogger()
    before = logger.handlers[:], logger.level
    with FramedTelemetryLogSink(writing) as sink:
        try:
            logger.handlers = []
            _setup_logging(log_format, "DEBUG", sink)
            for level in levels:
                logging.getLogger("app").log(logging.getLevelName(level), "one\ntwo é")
        finally:
            logger.handlers, logger.level = before
    with os.fdopen(reading, "rb") as pipe:
        lines = parse(pipe.read())
    assert [line.level for line in lines if isinstance(line, Line)] == list(levels.values())
    for line in lines:
        assert isinstance(line, Line)
        message = json.loads(line.text)["message"] if log_format == LogFormat.JSON else line.text.split("\t")[-1]
        assert message == "one\ntwo é"


def test_the_runtime_says_that_it_is_ready() -> None:
    assert parse(b"before\n" + runtime_ready_frame(NOW) + b"after\n") == [Line("before"), RuntimeReady(), Line("after")]


def test_what_is_no_text_is_replaced_and_never_lost() -> None:
    assert parse(b"a\xff\xfeb\n") == [Line("a\ufffd\ufffdb")]


def test_an_endless_line_is_cut_between_characters() -> None:
    lines = parse("ä".encode() * MAX_EVENT_BYTES + b"\n")
    assert all(isinstance(line, Line) and len(line.text.encode()) <= MAX_EVENT_BYTES for line in lines)
    assert "".join(line.text for line in lines if isinstance(line, Line)) == "ä" * MAX_EVENT_BYTES


def test_a_line_that_was_flushed_ends_without_an_empty_one() -> None:
    parser = Parser()
    assert parser.feed(b"half a li") == []
    assert parser.flush() == [Line("half a li")]
    assert parser.feed(b"\nnext\n") == [Line("next")]


async def test_drain_takes_all_that_was_written_before_it() -> None:
    reading, writing = os.pipe()
    outputs: list[Output] = []
    capture = Capture(reading, outputs.extend)
    for n in range(1000):
        os.write(writing, f"{n}\n".encode())
        capture.drain()
        assert outputs[-1] == Line(str(n))
    os.write(writing, b"the end")
    os.close(writing)
    async with asyncio.timeout(10):
        while outputs[-1] != Line("the end"):
            await asyncio.sleep(0)
    capture.close()


async def test_a_flood_arrives_whole() -> None:
    reading, writing = os.pipe()
    outputs: list[Output] = []
    ended = asyncio.Event()

    def deliver(some: list[Output]) -> None:
        outputs.extend(some)
        if len(outputs) >= 100_000:
            ended.set()

    capture = Capture(reading, deliver)
    process = await asyncio.create_subprocess_exec("seq", "1", "100000", stdout=writing)
    os.close(writing)
    await asyncio.wait_for(ended.wait(), 30)
    await process.wait()
    capture.close()
    assert outputs == [Line(str(n)) for n in range(1, 100_001)]


@pytest.mark.parametrize("times", [1, 2])
async def test_closing_again_does_nothing(times: int) -> None:
    reading, writing = os.pipe()
    capture = Capture(reading, lambda _: None)
    for _ in range(times):
        capture.close()
    os.close(writing)
