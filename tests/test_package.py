"""Packages, honest and hostile."""

from __future__ import annotations

import contextlib
import io
import stat
import struct
import warnings
import zipfile
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lambdatui.function import Code
from lambdatui.package import MAX_UNZIPPED_BYTES, MAX_ZIPPED_BYTES, check_upload, packed
from lambdatui.refusal import InvalidParameter, RequestTooLarge

CANNOT = "Could not unzip uploaded file. Please check your file, then try to upload again."


def zipped(*entries: tuple[zipfile.ZipInfo | str, bytes]) -> bytes:
    buffer = io.BytesIO()
    with warnings.catch_warnings(action="ignore"), zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in entries:
            archive.writestr(name, content)
    return buffer.getvalue()


def entry(name: str, kind: int = stat.S_IFREG, method: int = zipfile.ZIP_DEFLATED) -> zipfile.ZipInfo:
    info = zipfile.ZipInfo(name)
    info.create_system, info.external_attr, info.compress_type = 3, (kind | 0o644) << 16, method
    return info


def deploy(archive: bytes, folder: Path) -> Path:
    """Where it has been unpacked."""
    check_upload(archive)
    (folder / "code.zip").write_bytes(archive)
    into = folder / "into"
    into.mkdir()
    Code(folder / "code.zip", uploaded=True).deploy(into, {})
    return into


def encrypted() -> bytes:
    content = bytearray(zipped(("a.py", b"x")))
    for signature, offset in ((b"PK\3\4", 6), (b"PK\1\2", 8)):
        content[content.index(signature) + offset] |= 1
    return bytes(content)


def lying(declared: int, content: bytes) -> bytes:
    """An archive that says its file has another size than it has."""
    honest = bytearray(zipped(("a.py", content)))
    for signature, offset in ((b"PK\3\4", 22), (b"PK\1\2", 24)):
        struct.pack_into("<I", honest, honest.index(signature) + offset, declared)
    return bytes(honest)


@pytest.mark.parametrize(
    ("archive", "why"),
    [
        (zipped(("../a.py", b"")), "leads out of the package"),
        (zipped(("a/../../b.py", b"")), "leads out of the package"),
        (zipped(("/etc/passwd", b"")), "leads out of the package"),
        (zipped((entry("link", stat.S_IFLNK), b"/etc/passwd")), "no plain file"),
        (zipped((entry("device", stat.S_IFCHR), b"")), "no plain file"),
        (zipped((entry("pipe", stat.S_IFIFO), b"")), "no plain file"),
        (zipped(("a.py", b"1"), ("a.py", b"2")), "is there twice"),
        (zipped(("a.py", b"1"), ("./a.py", b"2")), "is there twice"),
        (zipped(("a", b"1"), ("a/b", b"2")), "is a file and a folder"),
        (zipped(("a" * 256, b"")), "no name for a file"),
        (zipped((entry("a.py", method=zipfile.ZIP_LZMA), b"x")), "another method"),
        (encrypted(), "is encrypted"),
        (lying(1, b"x" * 1000), ""),
        (lying(10_000, b"x" * 1000), ""),
        (zipped(("a.py", b"x" * 1000))[:-30], ""),
        (b"PK", ""),
    ],
    ids=lambda value: value if isinstance(value, str) else "",  # packages have the time in them
)
def test_what_is_no_package_is_refused(archive: bytes, why: str, tmp_path: Path) -> None:
    with pytest.raises(InvalidParameter) as refused:
        deploy(archive, tmp_path)

    assert str(refused.value).startswith(CANNOT) and why in str(refused.value)
    assert {each.name for each in tmp_path.iterdir()} <= {"code.zip", "into"}


def test_a_package_too_large_is_refused_before_it_is_opened() -> None:
    with pytest.raises(RequestTooLarge, match=f"Zipped size must be smaller than {MAX_ZIPPED_BYTES} bytes"):
        check_upload(bytes(MAX_ZIPPED_BYTES + 1))
    with pytest.raises(InvalidParameter, match="non-empty zip"):
        check_upload(zipped())


def test_a_bomb_is_refused_by_what_it_declares_and_never_goes_off(tmp_path: Path) -> None:
    with pytest.raises(InvalidParameter, match="Unzipped size must be smaller than 262144000 bytes"):
        deploy(lying(MAX_UNZIPPED_BYTES + 1, b"x"), tmp_path)

    assert not [*(tmp_path / "into").iterdir()]


def test_many_files_over_the_limit_together_are_a_bomb_too(tmp_path: Path) -> None:
    archive = zipped(*((f"{number}.bin", bytes(26_300_000)) for number in range(10)))
    assert len(archive) < 300_000

    with pytest.raises(InvalidParameter, match="Unzipped size"):
        deploy(archive, tmp_path)

    assert not [*(tmp_path / "into").iterdir()]


def test_an_honest_package_is_unpacked_with_its_rights(tmp_path: Path) -> None:
    program = entry("bin/run")
    program.external_attr = (stat.S_IFREG | 0o755) << 16

    into = deploy(zipped(("bin/", b""), (program, b"#!/bin/sh"), ("app.py", b"x = 1")), tmp_path)

    assert (into / "app.py").read_text() == "x = 1"
    assert (into / "bin" / "run").stat().st_mode & 0o777 == 0o755
    assert (into / "app.py").stat().st_mode & 0o777 == 0o644


def test_a_folder_packed_is_the_same_package_every_time(tmp_path: Path) -> None:
    into = deploy(zipped(("bin/run", b"#!/bin/sh"), ("app.py", b"x = 1")), tmp_path)

    assert packed(into) == packed(into)
    with zipfile.ZipFile(io.BytesIO(packed(into))) as archive:
        assert archive.namelist() == ["app.py", "bin/run"]


_NAMES = st.sampled_from(["a", "b", "a/b", "../a", "/a", "a/", "a/../../c", ".", "a\\b", "é", ""])


@given(entries=st.lists(st.tuples(_NAMES, st.binary(max_size=20)), max_size=5), data=st.data())
def test_whatever_it_is_nothing_is_written_elsewhere(
    entries: list[tuple[str, bytes]], data: st.DataObject, tmp_path_factory: pytest.TempPathFactory
) -> None:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in {name: content for name, content in entries}.items():
            archive.writestr(entry(name or "x"), content)
    broken = bytearray(buffer.getvalue())
    for place in data.draw(st.lists(st.integers(0, len(broken) - 1), max_size=3)):
        broken[place] ^= data.draw(st.integers(0, 255))
    folder = tmp_path_factory.mktemp("package")

    with contextlib.suppress(InvalidParameter, OSError):
        deploy(bytes(broken), folder)

    assert {each.name for each in folder.iterdir()} <= {"code.zip", "into"}
    assert not [each for each in folder.rglob("*") if each.is_symlink()]
