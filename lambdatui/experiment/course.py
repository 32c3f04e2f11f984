"""The bundled experiments as a course: each says which one comes next."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from lambdatui.experiment.bundled import FIRST, bundled
from lambdatui.experiment.language import Language
from lambdatui.experiment.loader import load


@dataclass(frozen=True)
class Lesson:
    """A bundled experiment in a list, its texts in the language chosen; `asked` predictions."""

    name: str
    title: str
    summary: str
    minutes: int
    asked: int
    following: str | None


def course(language: Language) -> Iterator[Lesson]:
    """From the first on, then those to which none leads; each is read when it is asked for, which takes its time.
    Raises BadExperiment."""
    left = bundled()
    name: str | None = FIRST
    while left:
        name = name if name in left else next(iter(left))
        experiment = load(left.pop(name))
        summary = experiment.summary.in_language(language) if experiment.summary else ""
        asked = sum(step.predict is not None for step in experiment.steps)
        title = experiment.title.in_language(language)
        yield Lesson(name, title, summary, experiment.minutes or 0, asked, experiment.next)
        name = experiment.next
