"""A deployment package: a .zip, read with care, since whoever sends one may mean harm ("Deploying Lambda functions as
.zip file archives", and the quotas of "Lambda quotas").

Nothing leads out of the folder that it is unpacked into, nothing but plain files is made, and no file is ever unpacked
to more than the archive declared before, which is checked against the limit.
"""

from __future__ import annotations

import contextlib
import io
import stat
import zipfile
import zlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path, PurePosixPath

from lambdatui.refusal import InvalidParameter, RequestTooLarge

MAX_ZIPPED_BYTES = 52428800
MAX_UNZIPPED_BYTES = 262144000

_METHODS = (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED)
"""Others can ask for any amount of memory before they yield a byte."""
_ENCRYPTED = 0x1
_UNIX = 3


@dataclass(frozen=True)
class Member:
    """A file of some code; `size` in bytes, before it is read."""

    name: str
    size: int
    executable: bool
    read: Callable[[], bytes]


def check_upload(archive: bytes) -> None:
    """Whether the service takes this package at all. Raises InvalidParameter or RequestTooLarge."""
    if len(archive) > MAX_ZIPPED_BYTES:
        raise RequestTooLarge(f"Zipped size must be smaller than {MAX_ZIPPED_BYTES} bytes")
    with unzipping(), zipfile.ZipFile(io.BytesIO(archive)) as opened:
        if not opened.infolist():
            raise InvalidParameter("Uploaded file must be a non-empty zip")


def members(path: Path, opened: contextlib.ExitStack) -> Iterator[Member]:
    """The files of a package, which stays open as long as `opened` does. Raises InvalidParameter."""
    with unzipping():
        archive = opened.enter_context(zipfile.ZipFile(path))
    files: set[str] = set()
    folders: set[str] = set()
    for entry in archive.infolist():
        name = PurePosixPath(entry.filename)
        if problem := _problem(entry, name):
            raise _no_package(f"{entry.filename!r} {problem}")
        if entry.is_dir():
            folders.add(str(name))
            continue
        if str(name) in files:
            raise _no_package(f"{entry.filename!r} is there twice")
        files.add(str(name))
        folders.update(map(str, name.parents))
        executable = bool(entry.external_attr >> 16 & 0o100)
        yield Member(str(name), entry.file_size, executable, partial(_unzipped, archive, entry))
    if both := files & folders:
        raise _no_package(f"{min(both)!r} is a file and a folder")


def packed(folder: Path) -> bytes:
    """A package of all files in a folder; always the same for the same files."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        for file in sorted(file for file in folder.rglob("*") if file.is_file()):
            entry = zipfile.ZipInfo(file.relative_to(folder).as_posix())
            entry.external_attr = file.stat().st_mode << 16
            archive.writestr(entry, file.read_bytes(), zipfile.ZIP_DEFLATED)
    return buffer.getvalue()


def _problem(entry: zipfile.ZipInfo, name: PurePosixPath) -> str | None:
    kind = stat.S_IFMT(entry.external_attr >> 16) if entry.create_system == _UNIX else 0
    if name.is_absolute() or ".." in name.parts:
        return "leads out of the package"
    if not name.parts or any(len(part.encode(errors="surrogateescape")) > 255 for part in name.parts):
        return "is no name for a file"
    if kind not in (0, stat.S_IFREG, stat.S_IFDIR):
        return "is no plain file"
    if entry.flag_bits & _ENCRYPTED:
        return "is encrypted"
    if entry.compress_type not in _METHODS:
        return "is compressed by another method than deflate"
    return None


def _unzipped(archive: zipfile.ZipFile, entry: zipfile.ZipInfo) -> bytes:
    with unzipping(), archive.open(entry) as opened:
        content = opened.read(entry.file_size + 1)
        if len(content) != entry.file_size:
            raise zipfile.BadZipFile
        return content


@contextlib.contextmanager
def unzipping() -> Iterator[None]:
    """Whatever is wrong with an archive is the service's one sentence."""
    try:
        yield
    except (zipfile.BadZipFile, NotImplementedError, RuntimeError, EOFError, ValueError, zlib.error) as error:
        if isinstance(error, InvalidParameter):
            raise
        raise _no_package("") from None


def _no_package(why: str) -> InvalidParameter:
    sentence = "Could not unzip uploaded file. Please check your file, then try to upload again."
    return InvalidParameter(f"{sentence} ({why})" if why else sentence)
