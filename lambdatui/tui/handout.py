"""What can be handed out from the screen: the page of what has happened so far, and a picture of the screen."""

from __future__ import annotations

import math
import re
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple, overload

from textual.app import App

from lambdatui.experiment.handout.page import Printed, Stream, page
from lambdatui.tui.logbook import Log, Logbook
from lambdatui.tui.model import Model

_FONTS = re.compile(r"@font-face\s*\{.*?\}\s*", re.DOTALL)


class _Line(NamedTuple):
    time: float
    text: str
    platform: bool


class _Lines(Sequence[Printed]):
    """A log of the logbook, of which only those are looked up that are asked for."""

    def __init__(self, log: Log) -> None:
        self._log = log

    def __len__(self) -> int:
        return len(self._log)

    @overload
    def __getitem__(self, at: int) -> Printed: ...
    @overload
    def __getitem__(self, at: slice) -> Sequence[Printed]: ...
    def __getitem__(self, at: int | slice) -> Printed | Sequence[Printed]:
        if isinstance(at, slice):
            return [self[number] for number in range(*at.indices(len(self)))]
        text, origin = self._log[at]
        return _Line(origin.time, text, origin.platform)


def page_of(model: Model) -> str:
    """HTML."""
    logbook = model.logbook
    streams = [Stream(each.group, each.name, _Lines(_whole(logbook, key))) for key, each in logbook.streams.items()]
    return page(model.lab, model.clock(), streams)


def _whole(logbook: Logbook, key: str) -> Log:
    log = logbook.select([key])
    log.catch_up(math.inf)
    return log


def picture_of(app: App[int]) -> str:
    """The screen as SVG, in a font that the reader's system has: no other is loaded."""
    return _FONTS.sub("", app.export_screenshot())


def free_name(model: Model, suffix: str, folder: Path) -> str:
    """What the experiment is called, and is not there yet."""
    experiment = model.lab.experiment
    stem = re.sub(r"[^\w.-]+", "-", Path(experiment.path).stem if experiment else "").strip(".-") or "laboratory"
    names = (f"{stem}{f'-{number}' if number > 1 else ''}{suffix}" for number in range(1, 10_000))
    return next((name for name in names if not (folder / name).exists()), f"{stem}{suffix}")
