"""Copies of code and of layers, so that environments in flight keep what they began with while its files change."""

from __future__ import annotations

import hashlib
import shutil
import uuid
from collections.abc import Collection, Mapping, Sequence
from pathlib import Path

from lambdatui.function import Code
from lambdatui.refusal import InvalidParameter


class Copies:
    """Each digest has a folder of its own, below `folder`, that never changes again."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._kept: set[Path] = set()

    def make(self, sources: Sequence[Code], overlay: Mapping[str, str] | None = None) -> tuple[Path, str]:
        """A folder with the files of all sources, the later ones over the earlier and those of `overlay` (name to
        text) over all, and its digest. Raises InvalidParameter where a source cannot be read."""
        fresh = self._folder / f"new-{uuid.uuid4().hex}"
        fresh.mkdir(parents=True)
        code = sources[0]
        try:
            digests = [(code := each).deploy(fresh, overlay or {}) for each in sources]
            digest = digests[0] if len(digests) == 1 else hashlib.sha256("".join(digests).encode()).hexdigest()
            folder = self._folder / digest
            if not folder.exists():
                fresh.rename(folder)
        except OSError as error:
            raise InvalidParameter(f"{error.filename or code.location}: {error.strerror}") from None
        finally:
            shutil.rmtree(fresh, ignore_errors=True)
        self._kept.add(folder)
        return folder, digest

    def keep_only(self, needed: Collection[Path]) -> None:
        """Remove all others."""
        for folder in self._kept - set(needed):
            self._kept.discard(folder)
            shutil.rmtree(folder, ignore_errors=True)
