"""Telling a saved journal as the run that wrote it was told."""

from __future__ import annotations

from pathlib import Path

from lambdatui.experiment.headless import as_told
from lambdatui.experiment.outputs import OutputError, Outputs
from lambdatui.experiment.visible import visible
from lambdatui.journal import load


class BadJournal(Exception):
    """The text is one sentence."""


def retell(path: Path, outputs: Outputs) -> None:
    """Raises BadJournal, and OutputError where something cannot be written."""
    try:
        records = list(load(path))
    except OSError as error:
        raise BadJournal(f"{path} cannot be read: {error.strerror}") from None
    except (ValueError, RecursionError) as error:
        where = "" if str(path) in str(error) else f"{path}: "
        raise BadJournal(visible(f"{where}{error}")) from None
    if not records:
        raise BadJournal(f"{path} is empty")
    try:
        with outputs:
            for reader in outputs.readers():
                reader(records)
            outputs.finish(as_told(records))
    except (OutputError, OSError):
        raise
    except Exception as error:  # each line is a record; that they make sense together nobody has checked
        raise BadJournal(f"{path} is no journal of a laboratory: {type(error).__name__} while it was told") from None
