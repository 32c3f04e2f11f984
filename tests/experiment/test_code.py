from __future__ import annotations

import zipfile
from pathlib import Path

import pytest

from lambdatui.experiment.code import CodeError, code_of, current_text, is_inside
from lambdatui.experiment.schema import FunctionDefinition
from lambdatui.function import Code


def test_what_a_file_says_now(tmp_path: Path) -> None:
    (tmp_path / "folder").mkdir()
    (tmp_path / "folder" / "app.py").write_text("in a folder")
    with zipfile.ZipFile(tmp_path / "code.zip", "w") as archive:
        archive.writestr("app.py", "in a zip")
    (tmp_path / "broken.zip").touch()
    texts = {
        "in a folder": Code(path=tmp_path / "folder"),
        "in a zip": Code(path=tmp_path / "code.zip"),
        "inline": Code(source="inline", name="app.py"),
    }
    for text, code in texts.items():
        assert current_text(code, "app.py") == text
    for code in (*texts.values(), Code(path=tmp_path / "broken.zip")):
        with pytest.raises(CodeError, match="there is no file nonesuch"):
            current_text(code, "nonesuch")


def test_what_is_no_text(tmp_path: Path) -> None:
    (tmp_path / "app.pyc").write_bytes(b"\xff\xfe")
    with pytest.raises(CodeError, match=r"app\.pyc is no text"):
        current_text(Code(path=tmp_path), "app.pyc")


@pytest.mark.parametrize(
    ("handler", "runtime", "source", "name"),
    [
        ("app.handler", None, "", "app.py"),
        ("package.app.handler", "python3.11", "", "package/app.py"),
        ("package/app.handler", "python3.11", "", "package/app.py"),
        ("index.handler", "nodejs22.x", "exports.handler = 1", "index.js"),
        ("index.handler", "nodejs22.x", "export const handler = 1", "index.mjs"),
    ],
)
def test_inline_code_lies_where_the_runtime_looks(
    tmp_path: Path, handler: str, runtime: str | None, source: str, name: str
) -> None:
    definition = FunctionDefinition(handler=handler, runtime=runtime, source=source)
    assert code_of(definition, tmp_path) == Code(source=source, name=name)


@pytest.mark.parametrize("file", ["", ".", "..", "/app.py", "../app.py", "a/../../app.py", "a\nb"])
def test_what_is_not_inside(file: str) -> None:
    assert not is_inside(file)
