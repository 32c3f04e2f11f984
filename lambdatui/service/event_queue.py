"""Where the events of asynchronous invocations are kept until they have been dealt with.

With a path they are in a file (SQLite) that survives the laboratory's sudden death; what a laboratory still had in its
queue then, the next one on the same experiment takes over. Delivery is at least once, as in the real service: an event
whose function was running, or whose destination was not told yet, is attempted again.
"""

from __future__ import annotations

import contextlib
import hashlib
import os
import sqlite3
from dataclasses import astuple, dataclass
from pathlib import Path

from lambdatui.service.retries import Course
from lambdatui.state_folder import state_folder

_TABLE = """
CREATE TABLE IF NOT EXISTS events (
    request_id TEXT PRIMARY KEY, function TEXT, version TEXT, qualifier TEXT, payload TEXT, trace TEXT,
    accepted_at REAL, due_at REAL, attempts INTEGER, throttles INTEGER
)
"""
_FORMAT = 2
"""Of the file; another one gets another name."""


@dataclass(frozen=True)
class QueuedEvent:
    """An event and where it goes. `version` is what `qualifier` led to when it was accepted."""

    request_id: str
    function: str
    version: str
    qualifier: str | None
    payload: str
    trace: str
    """The header of the request that led to it."""
    course: Course


def path_for(experiment: Path) -> Path | None:
    """The queue of an experiment, below the user's state folder (XDG Base Directory); None for a user without one."""
    folder = state_folder()
    if folder is None:
        return None
    digest = hashlib.sha256(os.fsencode(experiment.absolute())).hexdigest()[:16]
    return folder / f"queue-{digest}-{_FORMAT}.sqlite"


class EventQueue:
    """The queue in the file at `path`, or in memory only.

    The file is there from the first event on, and belongs to one laboratory at a time: where another one holds it, or
    it cannot be used, the queue is in memory, and `private_because` says why.
    """

    def __init__(self, path: Path | None) -> None:
        self._path = path
        self._connection: sqlite3.Connection | None = None
        self.private_because: str | None = None

    def left_over(self) -> list[QueuedEvent]:
        """What is in the file, from a laboratory that is no more."""
        if self._path is None or not os.path.exists(self._path):
            return []
        rows = self._database().execute("SELECT * FROM events ORDER BY accepted_at, request_id")
        return [
            QueuedEvent(request_id, function, version, qualifier, payload, trace, Course(*course))
            for request_id, function, version, qualifier, payload, trace, *course in rows
        ]

    def put(self, event: QueuedEvent) -> None:
        """Keep it, or how far it has come."""
        row = (
            *(event.request_id, event.function, event.version, event.qualifier, event.payload, event.trace),
            *astuple(event.course),
        )
        self._database().execute(f"REPLACE INTO events VALUES ({', '.join('?' * len(row))})", row)

    def remove(self, request_id: str) -> None:
        """It has been dealt with."""
        self._database().execute("DELETE FROM events WHERE request_id = ?", (request_id,))

    def close(self) -> None:
        """An empty queue leaves no file. Closing twice does nothing."""
        if connection := self._connection:
            self._connection = None
            if self._path and connection.execute("SELECT count(*) FROM events").fetchone() == (0,):
                connection.execute("PRAGMA journal_mode=DELETE")  # which is a file of its own
                self._path.unlink(missing_ok=True)  # while it is ours; another's that comes after is another file
            connection.close()

    def _database(self) -> sqlite3.Connection:
        if self._connection is None and self._path:
            try:
                self._connection = _open_file(self._path)
            except (OSError, sqlite3.Error) as error:
                busy = getattr(error, "sqlite_errorcode", None) == sqlite3.SQLITE_BUSY
                self.private_because = f"another laboratory has {self._path}" if busy else f"{self._path}: {error}"
                self._path = None
        if self._connection is None:
            self._connection = _open(":memory:")
        return self._connection


def _open_file(path: Path) -> sqlite3.Connection:
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    with contextlib.suppress(FileExistsError):
        os.close(os.open(path, os.O_CREAT | os.O_EXCL, 0o600))
    return _open(str(path))


def _open(database: str) -> sqlite3.Connection:
    """The exclusive lock is SQLite's own, and goes with the process. What is written is safe from the death of the
    laboratory, not of the machine, and so costs no wait for the disk."""
    connection = sqlite3.connect(database, timeout=0, isolation_level=None)
    try:
        for statement in ("PRAGMA locking_mode=EXCLUSIVE", "PRAGMA journal_mode=WAL", "PRAGMA synchronous=OFF", _TABLE):
            connection.execute(statement)
        connection.execute("BEGIN EXCLUSIVE")
        connection.execute("COMMIT")
    except sqlite3.Error:
        connection.close()
        raise
    return connection
