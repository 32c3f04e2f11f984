"""The text of a function's code, as far as somebody would read it on a screen."""

from __future__ import annotations

import os
from pathlib import Path

_MAX_FILES = 12
_MAX_FILE_BYTES = 2**15
_MAX_BYTES = 2**17
"""Of all files: they go into the journal with each save."""
_MAX_ENTRIES = 500
"""Looked at; a folder with more has libraries in it."""
_LIBRARIES = {"node_modules", "site-packages"}


def code_text(folder: Path, handler: str) -> dict[str, str]:
    """The files that are text and small enough, by relative name: the handler's module first, then those nearest to
    the top."""
    module = handler.rpartition(".")[0].replace(".", "/")
    names = sorted(_names(folder), key=lambda name: (name.rpartition(".")[0] != module, name.count("/"), name))
    files, left = dict[str, str](), _MAX_BYTES
    for name in names:
        text = _text(folder / name, min(left, _MAX_FILE_BYTES))
        if text is not None:
            files[name], left = text, left - len(text.encode())
        if len(files) == _MAX_FILES:
            break
    return files


def _names(folder: Path) -> list[str]:
    names: list[str] = []
    seen = 0
    for parent, folders, files in os.walk(folder):
        here = Path(parent).relative_to(folder)
        folders[:] = sorted(each for each in folders if each not in _LIBRARIES and not each.endswith("-info"))
        names += [(here / each).as_posix() for each in files]
        seen += len(folders) + len(files)
        if seen > _MAX_ENTRIES:
            break
    return names[:_MAX_ENTRIES]


def _text(path: Path, at_most: int) -> str | None:
    """None for what is no text, or too long."""
    try:
        with path.open("rb") as file:
            content = file.read(at_most + 1)
        return None if len(content) > at_most or b"\0" in content else content.decode()
    except (OSError, UnicodeDecodeError):
        return None
