"""The queue's file: it survives a sudden death, belongs to one at a time, and is gone when it is empty."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from lambdatui.service.event_queue import EventQueue, QueuedEvent, path_for
from lambdatui.service.retries import Course

EVENT = QueuedEvent("1", "F", "$LATEST", "live", '{"a": "ü"}', "Root=1-2-3", Course(1.5, 2.5, 1, 2))
HOLDER = """
import sys
from pathlib import Path
from lambdatui.service.event_queue import EventQueue
from tests.service.test_event_queue import EVENT
queue = EventQueue(Path(sys.argv[1]))
queue.put(EVENT)
print("ready", flush=True)
sys.stdin.read()
queue.close()
"""


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "state" / "queue.sqlite"


def holder(path: Path) -> subprocess.Popen[bytes]:
    """Another laboratory, with an event in its queue."""
    process = subprocess.Popen(
        [sys.executable, "-c", HOLDER, str(path)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, cwd=Path.cwd()
    )
    assert process.stdout and process.stdout.readline() == b"ready\n"
    return process


def test_what_is_queued_survives_a_kill(path: Path) -> None:
    with holder(path) as process:
        process.kill()
    queue = EventQueue(path)
    assert queue.left_over() == [EVENT]
    queue.put(QueuedEvent("1", "F", "$LATEST", "live", "{}", "", Course(1.5, 9.5, 2, 0)))
    assert [each.course.due_at for each in queue.left_over()] == [9.5]
    queue.remove("1")
    queue.close()
    assert list(path.parent.iterdir()) == []


def test_a_file_belongs_to_one_laboratory_at_a_time(path: Path) -> None:
    with holder(path) as process:
        queue = EventQueue(path)
        assert queue.left_over() == []
        assert queue.private_because == f"another laboratory has {path}"
        queue.put(EVENT)
        queue.remove("1")
        queue.close()
        process.kill()
    assert EventQueue(path).left_over() == [EVENT], "the other one's event is untouched"


def test_a_queue_that_is_not_empty_leaves_its_file(path: Path) -> None:
    queue = EventQueue(path)
    queue.put(EVENT)
    queue.close()
    queue.close()
    assert [file.name for file in path.parent.iterdir()] == ["queue.sqlite"]
    assert (path.stat().st_mode & 0o777, path.parent.stat().st_mode & 0o777) == (0o600, 0o700)


def test_there_is_no_file_before_the_first_event(path: Path) -> None:
    queue = EventQueue(path)
    assert queue.left_over() == []
    queue.close()
    assert not path.parent.exists()


@pytest.mark.parametrize("broken", ["no database", "no folder"])
def test_a_file_that_cannot_be_used_is_left_alone(path: Path, broken: str) -> None:
    if broken == "no folder":
        path.parent.write_text("")
    else:
        path.parent.mkdir()
        path.write_text("x" * 5000)
    queue = EventQueue(path)
    queue.put(EVENT)
    assert queue.private_because
    queue.close()
    assert path.parent.is_file() or path.read_text() == "x" * 5000


def test_each_experiment_has_a_file_of_its_own(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path))
    first, second = path_for(Path("/a/b.yaml")), path_for(Path("/a/c.yaml"))
    assert first and second
    assert first.parent == second.parent == tmp_path / "lambdatui"
    assert first != second
    monkeypatch.chdir("/")
    assert path_for(Path("a/b.yaml")) == first
    monkeypatch.setenv("XDG_STATE_HOME", "relative")  # which the specification says to ignore
    monkeypatch.setenv("HOME", "/home/somebody")
    assert path_for(Path("/a/b.yaml")) == Path("/home/somebody/.local/state/lambdatui") / first.name
