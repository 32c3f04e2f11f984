"""The experiments that come with lambdatui, and how a word on the command line becomes an experiment file."""

from __future__ import annotations

from pathlib import Path

from lambdatui.experiment.document import BadExperiment, Problem

FIRST = "timeout"
"""The one to begin with."""
_PACKAGE = Path(__file__).parents[1]


def folder() -> Path:
    """In an installed package `bundled` inside it, in a checkout `experiments` beside it."""
    inside = _PACKAGE / "bundled"
    return inside if inside.is_dir() else _PACKAGE.parent / "experiments"


def bundled() -> dict[str, Path]:
    """Name and file of each, in order of the names."""
    return {path.stem: path for path in sorted(folder().glob("*.yaml"))}


def find(experiment: str) -> Path:
    """The file that `experiment` means: a path, or else a bundled experiment's name. Raises BadExperiment."""
    path = Path(experiment)
    named = bundled().get(experiment)
    try:
        if path.is_file() or (named is None and (path.exists() or path.suffix or _without_handler(path).exists())):
            return path
    except (OSError, ValueError):  # no path at all
        pass
    if named is None:
        known = ", ".join(bundled())
        sentence = f"there is no such file, and no bundled experiment of that name (there are: {known})"
        raise BadExperiment([Problem(experiment, 0, 0, sentence)])
    return named


def _without_handler(path: Path) -> Path:
    """`PATH` of `PATH:HANDLER`."""
    return path.with_name(path.name.rpartition(":")[0] or path.name)
