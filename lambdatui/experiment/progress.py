"""What somebody has achieved in experiments, kept from one laboratory to the next in `progress.json`.

The file is replaced as a whole, so nobody ever reads half of one, and a lock beside it keeps two laboratories that end
at the same moment from forgetting what the other has noted. What is damaged counts as not there.
"""

from __future__ import annotations

import contextlib
import fcntl
import json
import os
import tempfile
import time
from collections.abc import Iterator
from dataclasses import asdict, dataclass, fields
from pathlib import Path

from lambdatui.experiment.bundled import bundled
from lambdatui.lab import Experiment
from lambdatui.state_folder import state_folder

_FILE = "progress.json"
_MAX_BYTES = 2**20
_PATIENCE = 1.0
"""Seconds to wait for another laboratory's lock, at most: it is held for a moment, unless its holder was stopped."""


@dataclass(frozen=True)
class Result:
    """An experiment that was done to its end. `right` of the `asked` predictions were right, with so many `hints`;
    `failed` of its `steps` went otherwise than expected. `date` is that of the last time, as 2026-01-31."""

    date: str
    steps: int
    failed: int
    asked: int
    right: int
    hints: int

    @classmethod
    def of(cls, experiment: Experiment) -> Result:
        failed = sum(step.state == "failed" for step in experiment.steps)
        date, steps = time.strftime("%Y-%m-%d"), len(experiment.steps)
        return cls(date, steps, failed, experiment.asked, experiment.right, experiment.hints_taken)

    @property
    def score(self) -> str:
        """3/4, or nothing where no predictions are asked for."""
        return f"{self.right}/{self.asked}" if self.asked else ""

    def after(self, earlier: Result | None) -> Result:
        """The better of both, at the later date."""
        if earlier is None or earlier.asked != self.asked or self._worth >= earlier._worth:
            return self
        return Result(**{**asdict(earlier), "date": self.date})

    @property
    def _worth(self) -> tuple[int, int, int]:
        return self.right, -self.hints, -self.failed


def name_of(path: Path) -> str:
    """Under which an experiment is kept: a bundled one's name, or its path."""
    resolved = path.resolve()
    return next((name for name, each in bundled().items() if each.resolve() == resolved), str(resolved))


def results() -> dict[str, Result]:
    """By name; nothing where nothing was kept or can be read."""
    folder = state_folder()
    try:
        if folder is None:
            return {}
        with (folder / _FILE).open("rb") as file:
            kept = json.loads(file.read(_MAX_BYTES))
    except (OSError, ValueError, RecursionError):
        return {}
    experiments = kept.get("experiments") if isinstance(kept, dict) else None
    read = experiments.items() if isinstance(experiments, dict) else ()
    return {name: result for name, each in read if (result := _result(each)) is not None}


def note(name: str, result: Result) -> None:
    """Keep it, unless there is a better one. Raises OSError."""
    folder = state_folder()
    if folder is None:
        return
    folder.mkdir(parents=True, exist_ok=True)
    with _locked(folder / f"{_FILE}.lock"):
        kept = results()
        kept[name] = result.after(kept.get(name))
        content = {"experiments": {each: asdict(of) for each, of in kept.items()}}
        descriptor, temporary = tempfile.mkstemp(dir=folder, prefix=f"{_FILE}.")
        try:
            with open(descriptor, "w", encoding="utf-8") as file:
                json.dump(content, file, indent=1, ensure_ascii=False)
            os.replace(temporary, folder / _FILE)
        except BaseException:
            os.unlink(temporary)
            raise


def _result(value: object) -> Result | None:
    if not isinstance(value, dict) or value.keys() != {each.name for each in fields(Result)}:
        return None
    numbers = [each for key, each in value.items() if key != "date"]
    sound = isinstance(value["date"], str) and all(type(each) is int and each >= 0 for each in numbers)
    return Result(**value) if sound else None


@contextlib.contextmanager
def _locked(path: Path) -> Iterator[None]:
    with path.open("w") as file:
        until = time.monotonic() + _PATIENCE
        while True:
            try:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                if time.monotonic() < until:
                    time.sleep(0.005)
                    continue
            break
        yield
