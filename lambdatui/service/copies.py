"""Copies of code and of layers, so that environments in flight keep what they began with while its files change."""

from __future__ import annotations

import hashlib
import shutil
import uuid
from collections.abc import Collection, Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

from lambdatui.function import Code
from lambdatui.package import check_upload
from lambdatui.refusal import InvalidParameter


class Copy(NamedTuple):
    """`size` is that of the package, `unzipped` that of its files, in bytes."""

    folder: Path
    digest: str
    size: int
    unzipped: int


class Copies:
    """Each digest has a folder of its own, below `folder`, that never changes again."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._kept: set[Path] = set()

    def make(self, sources: Sequence[Code], overlay: Mapping[str, str] | None = None) -> Copy:
        """A folder with the files of all sources, the later ones over the earlier and those of `overlay` (name to
        text) over all. Raises InvalidParameter where a source cannot be read."""
        fresh = self._folder / f"new-{uuid.uuid4().hex}"
        fresh.mkdir(parents=True)
        code = sources[0]
        try:
            deployed = [(code := each).deploy(fresh, overlay or {}) for each in sources]
            digests = [each.digest for each in deployed]
            digest = digests[0] if len(digests) == 1 else hashlib.sha256("".join(digests).encode()).hexdigest()
            folder = self._folder / digest
            if not folder.exists():
                fresh.rename(folder)
        except OSError as error:
            raise InvalidParameter(f"{error.filename or code.location}: {error.strerror}") from None
        finally:
            shutil.rmtree(fresh, ignore_errors=True)
        self._kept.add(folder)
        return Copy(folder, digest, sum(each.size for each in deployed), sum(each.unzipped for each in deployed))

    def keep(self, archive: bytes) -> Code:
        """A package that was uploaded. Raises ServiceRefusal for what is none."""
        check_upload(archive)
        file = self._folder / f"{hashlib.sha256(archive).hexdigest()}.zip"
        self._folder.mkdir(parents=True, exist_ok=True)
        file.write_bytes(archive)
        self._kept.add(file)
        return Code(file, uploaded=True)

    def keep_only(self, needed: Collection[Path]) -> None:
        """Remove all others."""
        for path in self._kept - set(needed):
            self._kept.discard(path)
            if path.suffix == ".zip":
                path.unlink(missing_ok=True)
            else:
                shutil.rmtree(path, ignore_errors=True)
