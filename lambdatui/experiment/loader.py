"""Loading an experiment file, or what can be opened without one: either it can be carried out as it stands, or
everything that is wrong with it is told at once, each with line and column."""

from __future__ import annotations

import warnings
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from lambdatui.events import Json
from lambdatui.experiment.document import BadExperiment, Document, Place, Problem
from lambdatui.experiment.module import SUFFIXES, named, open_module
from lambdatui.experiment.references import problems_in
from lambdatui.experiment.schema import ExperimentFile
from lambdatui.experiment.templates.document import is_template
from lambdatui.experiment.templates.opening import open_template
from lambdatui.experiment.wording import complaint

__all__ = ["BadExperiment", "Problem", "load"]

_STEP: dict[str, Json] = {"name": "-"}
_FUNCTION: dict[str, Json] = {"handler": "index.handler", "source": ""}
_STAND_INS: dict[str, Json] = {
    **{"title": "-", "name": "-", "ask": "-", "choices": ["-", "-"], "answer": 1, "file": "-"},
    **{"handler": "index.handler", "functions": {"-": {**_FUNCTION}}, "steps": [{**_STEP}]},
}
_ROUNDS = 5
_NONE: Mapping[str, str] = {}
_TEMPLATES = ("template.yaml", "template.yml", "template.json")
"""What SAM looks for in a folder."""


def load(path: Path, parameters: Mapping[str, str] = _NONE) -> ExperimentFile:
    """The experiment in this file, or the one that a template (with these `parameters`), a module, or a folder or
    .zip of code makes. Raises BadExperiment, and nothing else, whatever the file has in it."""
    path, handler = named(path)
    if path.is_dir() and handler is None:
        path = next((path / name for name in _TEMPLATES if (path / name).is_file()), path)
    if handler is not None or path.is_dir() or path.suffix in (*SUFFIXES, ".zip"):
        _refuse(parameters, path)
        return open_module(path, handler)
    document = Document.read(path)
    if is_template(document.value):
        return open_template(document, parameters)
    _refuse(parameters, path)
    return _experiment(document, path)


def _refuse(parameters: Mapping[str, str], path: Path) -> None:
    if parameters:
        raise BadExperiment([Problem(str(path), 0, 0, "parameters are for templates, and this is none")])


def _experiment(document: Document, path: Path) -> ExperimentFile:
    problems = list(document.problems)
    mended = set(document.unreadable)
    for round in range(_ROUNDS):
        experiment, errors = _validated(document)
        if experiment is not None:
            experiment._path = path
            problems += _beyond_types(document, experiment, mended)
            break
        if round == 0:
            told = [error for error in errors if document.existing(error["loc"]) not in document.unreadable]
            problems += [complaint(document, error) for error in told]
        mended |= {_mend(document, error) for error in errors}
    if problems or experiment is None:
        raise BadExperiment(list(dict.fromkeys(problems)))
    return experiment


def _validated(document: Document) -> tuple[ExperimentFile | None, list[Any]]:
    """The model, or pydantic's errors. Where a text is wanted, a number or boolean is taken as the text it was
    written as."""
    while True:
        try:
            return ExperimentFile.model_validate(document.value), []
        except ValidationError as error:
            errors = error.errors(include_url=False)
        places: list[Place] = [document.existing(each["loc"]) for each in errors if each["type"] == "string_type"]
        if not any([document.take_as_text(place) for place in places]):
            return None, errors


def _beyond_types(document: Document, experiment: ExperimentFile, mended: set[Place]) -> list[Problem]:
    """What is wrong although every type is right, save what is said of a value that had to be mended."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # odd but valid regular expressions
        return [
            document.problem(place, message)
            for place, message in problems_in(experiment)
            if not any(place[: len(each)] == each or each[:-1] == place for each in mended)
        ]


def _mend(document: Document, error: Any) -> Place:
    """Take out what pydantic complains of, or put something harmless there, so that the rest can be looked at; the
    place where that was done. The file is refused all the same."""
    place: Place = error["loc"] if error["type"] == "missing" else document.existing(error["loc"])
    while place and isinstance(place[-1], int) and place[:-1] != ("steps",):
        place = place[:-1]
    holder: Any = document.value
    for part in place[:-1]:
        holder = holder[part] if part in holder or isinstance(part, int) else {}
    key: Any = place[-1] if place else None
    match place, holder:
        case ("steps", int()), list():
            holder[key] = {**_STEP}
        case ("functions", str()), dict():
            holder[key] = {**_FUNCTION}
        case (*_, str()), dict() if key in _STAND_INS and error["type"] != "extra_forbidden":
            holder[key] = _STAND_INS[key]
        case (*_, str()), dict():
            holder.pop(key, None)
    return place
