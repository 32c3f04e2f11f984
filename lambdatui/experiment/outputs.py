"""Where a run is told: transcript, journal, reports, page."""

from __future__ import annotations

import contextlib
import os
import sys
from collections.abc import Sequence
from pathlib import Path
from types import TracebackType
from typing import TextIO

from lambdatui.events import Record
from lambdatui.experiment.headless import Reader
from lambdatui.experiment.report import Report, junit, report
from lambdatui.experiment.transcript import Transcript, wants_colour
from lambdatui.journal import save
from lambdatui.lab import Lab

STDOUT = Path("-")


class OutputError(Exception):
    """Something cannot be written; the text is one sentence."""


class Outputs:
    """The transcript goes to standard output, unless one of the files does, or there shall be none.

    Files are looked at on entering: nobody wants to learn after the run that its report is lost. Standard output that
    cannot be written raises OSError, files raise OutputError.
    """

    def __init__(
        self,
        report_file: Path | None = None,
        junit_file: Path | None = None,
        journal_file: Path | None = None,
        page_file: Path | None = None,
        *,
        transcript: bool = True,
    ) -> None:
        self._report_file = report_file
        self._junit_file = junit_file
        self._journal_file = journal_file
        self._page_file = page_file
        self._transcript = transcript
        self._journal: TextIO | None = None

    def __enter__(self) -> Outputs:
        reports = (self._report_file, self._junit_file, self._page_file)
        files = [file for file in (*reports, self._journal_file) if file]
        if files.count(STDOUT) > 1:
            raise OutputError("only one of the files can be standard output")
        for file in files:
            _check(file)
        if self._journal_file:
            try:
                self._journal = (
                    _stdout() if self._journal_file == STDOUT else self._journal_file.open("w", encoding="utf-8")
                )
            except OSError as error:
                raise _cannot_write(self._journal_file, error) from None
        self._transcribes = self._transcript and STDOUT not in files
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._journal and self._journal_file != STDOUT:
            with contextlib.suppress(OSError):  # what could not be written was told when it was
                self._journal.close()

    def readers(self) -> list[Reader]:
        """What follows the run."""
        readers: list[Reader] = []
        if self._transcribes:
            out = _stdout()
            readers.append(Transcript(out, colour=wants_colour(out)).read)
        if self._journal:
            readers.append(self._record)
        return readers

    def finish(self, lab: Lab) -> None:
        """The run is over: write the reports. Raises OutputError also where there is nothing to report on."""
        if self._report_file:
            _write(self._report_file, _reported(lab).model_dump_json(indent=2) + "\n")
        if self._junit_file:
            _write(self._junit_file, junit(_reported(lab)))
        if self._page_file:
            from lambdatui.experiment.handout.page import page

            _write(self._page_file, page(lab))

    def _record(self, records: Sequence[Record]) -> None:
        assert self._journal and self._journal_file
        try:
            save(records, self._journal)
        except OSError as error:
            if self._journal_file == STDOUT:
                raise
            raise _cannot_write(self._journal_file, error) from None


def _reported(lab: Lab) -> Report:
    if lab.experiment is None:
        raise OutputError("there is no experiment to report on")
    return report(lab, "local")


def _stdout() -> TextIO:
    if sys.stdout is None:
        raise OutputError("standard output is closed")
    return sys.stdout


def _check(file: Path) -> None:
    """Nothing is created or emptied yet, so that a run that does not happen leaves everything as it was."""
    if file == STDOUT:
        _stdout()
    elif file.is_dir():
        raise OutputError(f"{file} cannot be written: it is a folder")
    elif not file.parent.is_dir():
        raise OutputError(f"{file} cannot be written: there is no folder {file.parent}")
    elif not os.access(file if file.exists() else file.parent, os.W_OK):
        raise OutputError(f"{file} cannot be written: it is not allowed")


def _opened(file: Path) -> TextIO:
    try:
        return _stdout() if file == STDOUT else file.open("w", encoding="utf-8")
    except OSError as error:
        raise _cannot_write(file, error) from None


def _write(file: Path, text: str) -> None:
    if file == STDOUT:
        _stdout().write(text)
        _stdout().flush()
        return
    try:
        file.write_text(text, encoding="utf-8", errors="backslashreplace")
    except OSError as error:
        raise _cannot_write(file, error) from None


def _cannot_write(file: Path, error: OSError) -> OutputError:
    return OutputError(f"{file} cannot be written: {error.strerror}")
