from __future__ import annotations

import json
from concurrent.futures import ProcessPoolExecutor
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lambdatui.experiment import progress
from lambdatui.experiment.bundled import bundled
from lambdatui.experiment.progress import Result
from lambdatui.state_folder import state_folder

RESULT = Result("2026-01-31", 6, 0, 4, 3, 1)


@pytest.fixture(autouse=True)
def file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path))
    return tmp_path / "lambdatui/progress.json"


def test_what_is_noted_is_kept_the_better_of_two_at_the_later_date() -> None:
    assert progress.results() == {}
    progress.note("timeout", RESULT)
    progress.note("reuse", replace(RESULT, asked=0))
    progress.note("timeout", replace(RESULT, date="2026-02-01", right=2, hints=0))
    assert progress.results()["timeout"] == replace(RESULT, date="2026-02-01")
    progress.note("timeout", replace(RESULT, right=4))
    assert progress.results()["timeout"].score == "4/4"
    progress.note("timeout", replace(RESULT, asked=7, right=1))
    assert progress.results()["timeout"].score == "1/7", "the experiment is another one now"
    assert progress.results()["reuse"].score == ""


@pytest.mark.parametrize(
    "content",
    [
        *("", "{", "[]", "null", '{"experiments": []}', '{"experiments": {"timeout": 1}}', "[" * 100_000, "\ud800"),
        '{"experiments": {"timeout": {"date": "2026-01-31"}}}',
        json.dumps({"experiments": {"timeout": {**vars(RESULT), "right": -1}}}),
        json.dumps({"experiments": {"timeout": {**vars(RESULT), "right": True}}}),
        json.dumps({"experiments": {"timeout": {**vars(RESULT), "date": 7}}}),
    ],
    ids=range(12),
)
def test_what_is_damaged_counts_as_not_there(file: Path, content: str) -> None:
    file.parent.mkdir()
    file.write_bytes(content.encode(errors="surrogatepass"))
    assert progress.results() == {}
    progress.note("timeout", RESULT)
    assert progress.results() == {"timeout": RESULT}
    assert {each.name for each in file.parent.iterdir()} == {"progress.json", "progress.json.lock"}


@given(value=st.recursive(st.none() | st.integers() | st.text(), lambda inner: st.dictionaries(st.text(), inner)))
def test_any_json_is_read(value: object) -> None:
    folder = state_folder()
    assert folder
    folder.mkdir(exist_ok=True)
    (folder / "progress.json").write_text(json.dumps({"experiments": {"a": value}}))
    assert progress.results() == {}


def _note(number: int) -> None:
    progress.note(f"e{number}", RESULT)


def test_laboratories_that_end_at_once_forget_nothing() -> None:
    with ProcessPoolExecutor(4) as pool:
        list(pool.map(_note, range(40)))
    assert len(progress.results()) == 40


def test_a_folder_that_cannot_be_written_is_an_error_and_one_that_cannot_be_found_is_none(
    file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file.parent.write_text("no folder")
    assert progress.results() == {}
    with pytest.raises(OSError):
        progress.note("timeout", RESULT)
    monkeypatch.setenv("XDG_STATE_HOME", "")
    monkeypatch.setattr(progress, "state_folder", lambda: None)
    progress.note("timeout", RESULT)
    assert progress.results() == {}


def test_experiments_have_names(tmp_path: Path) -> None:
    assert progress.name_of(bundled()["timeout"]) == "timeout"
    assert progress.name_of(tmp_path / "timeout.yaml") == str(tmp_path.resolve() / "timeout.yaml")
