"""The store of log records and the logs made of it: the same as plain lists, whatever is written, read and deleted."""

from __future__ import annotations

import os
import tempfile
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lambdatui import events as ev
from lambdatui.lab import Lab
from lambdatui.tui import log_store
from lambdatui.tui.log_store import LogStore, Origin
from lambdatui.tui.logbook import Log, Logbook, stream_key
from lambdatui.tui.sanitise import clean_record
from tests.tui import recorded
from tests.tui.test_line_index import Growing

STREAMS = ("a", "b", "c")
TEXTS = st.lists(st.text(max_size=30).map(clean_record) | st.just("x" * 200), max_size=12)
ORIGINS = st.builds(Origin, st.integers(0, 9).map(float), st.booleans(), st.integers(0, 2))


@pytest.fixture(autouse=True)
def _small_pages(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(log_store, "_PAGE_RECORDS", 4)
    monkeypatch.setattr(log_store, "_PAGE_CHARACTERS", 300)
    monkeypatch.setattr(log_store, "_WINDOW", 500)


@given(st.lists(st.tuples(TEXTS, ORIGINS), max_size=20), st.lists(st.floats(0, 1), max_size=20), st.floats(-1, 10))
def test_what_is_read_is_what_was_written(
    batches: list[tuple[list[str], Origin]], places: list[float], moment: float
) -> None:
    store = LogStore()
    records: list[tuple[str, Origin]] = []
    chosen = Log(store, {0, 2})
    for number, (texts, origin) in enumerate(batches):
        store.add(texts, origin)
        records += [(text, origin) for text in texts]
        if number % 3 == 0:
            assert not chosen.catch_up(float("inf"))
    assert len(store) == len(records)
    for place in places:
        if records:
            number = int(place * (len(records) - 1))
            assert (store.text(number), store.origin(number)) == records[number]
    assert [store.text(number) for number in range(len(store))] == [text for text, _ in records]
    assert not chosen.catch_up(float("inf"))
    mine = [number for number, (_, origin) in enumerate(records) if origin.stream in (0, 2)]
    assert list(chosen.numbers) == mine
    later = (at for at, number in enumerate(mine) if records[number][1].time >= moment)
    assert chosen.not_before(moment) == next(later, len(mine))


def test_its_file_has_no_name_and_takes_the_texts(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    before = set(os.listdir("/proc/self/fd"))
    lines = Growing(*(f"record {number}" for number in range(1000)))
    assert list(tmp_path.iterdir()) == []
    (mine,) = set(os.listdir("/proc/self/fd")) - before
    assert os.fstat(int(mine)).st_nlink == 0 and os.fstat(int(mine)).st_size > 9000
    assert sum(map(len, lines.store._window.values())) == 0, "nothing was read yet"
    assert lines.texts == [f"record {number}" for number in range(1000)]
    assert len(lines.store._window) < 30
    del lines
    assert mine not in os.listdir("/proc/self/fd")


def test_where_the_disk_is_full_the_records_stay_in_memory() -> None:
    store = LogStore(os.open("/dev/full", os.O_RDWR))
    texts = [f"record {number}" for number in range(50)]
    store.add(texts, Origin(0.0, False, 0))
    assert [store.text(number) for number in range(50)] == texts


@dataclass
class Written:
    """What a plain program would keep of each record."""

    stream: str
    text: str
    request: str | None


@dataclass
class Ledger:
    """The logbook told with lists."""

    records: list[Written] = field(default_factory=list)

    def texts(self, *streams: str) -> list[str]:
        return [each.text for each in self.records if each.stream in streams]


ACTIONS = st.one_of(
    st.tuples(st.just("write"), st.sampled_from(STREAMS), st.sampled_from(["r1", "r2", None])),
    st.tuples(st.just("delete"), st.sampled_from(STREAMS), st.none()),
)


@given(st.lists(ACTIONS, max_size=40))
def test_logs_are_those_of_a_ledger(actions: list[tuple[str, str, str | None]]) -> None:
    book, ledger, lab = Logbook(), Ledger(), Lab()
    for record in recorded.three_busy().records:
        lab.apply(record)
    group, environment = recorded.GROUP, recorded.ENVIRONMENTS[0]
    for number, (action, stream, request) in enumerate(actions):
        if action == "write":
            event: ev.Event = ev.LogWritten(environment, group, stream, request, False, (f"{number}",))
            ledger.records.append(Written(stream, f"{number}", request))
        else:
            event = ev.LogStreamDeleted(group, stream)
            ledger.records = [each for each in ledger.records if each.stream != stream]
        book.apply(ev.Record(number, float(number), event), lab)
        book.everything.catch_up(float("inf"))
        assert book.everything.texts == ledger.texts(*STREAMS)
    live = {each.stream for each in ledger.records}
    assert live <= {stream.name for stream in book.streams.values()}
    for request in ("r1", "r2"):
        assert book.of_request(request).texts == [each.text for each in ledger.records if each.request == request]
    for streams in (["a"], ["b", "c"]):
        log = book.select(key for name in streams if (key := stream_key(group, name)) in book.streams)
        log.catch_up(float("inf"))
        assert log.texts == ledger.texts(*streams)
        assert len(log) == sum(each.records for each in book.streams.values() if each.name in streams)
