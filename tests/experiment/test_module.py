"""Modules, folders and archives of code, opened without any experiment file."""

from __future__ import annotations

import contextlib
import os
import shutil
import zipfile
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from lambdatui.experiment.bundled import find
from lambdatui.experiment.loader import BadExperiment, load
from lambdatui.experiment.schema import ExperimentFile

node = pytest.mark.skipif(not shutil.which("node"), reason="Node.js is not installed")


def opened(path: Path | str) -> ExperimentFile:
    return load(find(str(path)))


def handler(folder: Path, name: str, text: str) -> str:
    (folder / name).write_text(text)
    (definition,) = opened(folder / name).functions.values()
    return definition.handler


def refusal(path: Path | str) -> str:
    with pytest.raises(BadExperiment) as caught:
        opened(path)
    (problem,) = caught.value.errors
    return f"{problem.line}: {problem.message}"


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("def handler(event, context): ...", "handler"),
        ("def handler(event, context): ...\ndef lambda_handler(event, context): ...", "lambda_handler"),
        ("def _help(a, b): ...\ndef one(a): ...\nclass C: ...\ndef main(event, context): ...", "main"),
        ("def main(event, context=None): ...\ndef three(a, b, c): ...", "main"),
        ("def main(*arguments): ...", "main"),
        ("handler = wrapped(app)", "handler"),
        ("from other import thing as lambda_handler\ndef main(event, context): ...", "lambda_handler"),
        ("pattern = '\\d'\ndef main(event, context): ...", "main"),
    ],
)
def test_the_handler_of_a_python_module_is_found(tmp_path: Path, text: str, name: str) -> None:
    assert handler(tmp_path, "module.py", text) == f"module.{name}"


@node
@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("exports.handler = async (event) => event;", "handler"),
        ("module.exports.main = function (event) {};", "main"),
        ("module.exports = { first: 1, handler };", "handler"),
        ("module.exports = { main: async () => 1 };", "main"),
        ("export const handler = async (event) => event;", "handler"),
        ("export async function lambdaHandler(event) {}", "lambdaHandler"),
        ("const main = 1;\nexport { main as start };", "start"),
    ],
)
def test_the_handler_of_a_node_module_is_found(tmp_path: Path, text: str, name: str) -> None:
    assert handler(tmp_path, "module.mjs", text) == f"module.{name}"
    (definition,) = opened(tmp_path / "module.mjs").functions.values()
    assert definition.runtime and definition.runtime.startswith("nodejs")


@pytest.mark.parametrize(
    ("file", "text", "told"),
    [
        (
            "m.py",
            "def one(event, context): ...\ndef two(event, context): ...",
            "0: which function is the handler? it could be one or two: say it as {path}:one",
        ),
        (
            "m.py",
            "x = 1",
            "0: which function is the handler? there is no function with two parameters: say it as {path}:FUNCTION",
        ),
        ("m.py", "x = 1\ndef f(:\n", "2: invalid syntax"),
        pytest.param("m.py", "-" * 99999 + "1", "0: this is no Python", id="deep"),
        (
            "m.js",
            "const x = 1;",
            "0: which function is the handler? there is none that is exported: say it as {path}:FUNCTION",
        ),
    ],
)
def test_what_is_no_handler(tmp_path: Path, file: str, text: str, told: str) -> None:
    (tmp_path / file).write_text(text)
    assert refusal(tmp_path / file) == told.format(path=tmp_path / file)


def test_one_can_say_the_handler(tmp_path: Path) -> None:
    (tmp_path / "some+module.py").write_text("def one(event, context): ...\ndef two(event, context): ...")
    ((name, definition),) = opened(f"{tmp_path}/some+module.py:two").functions.items()
    assert (name, definition.handler, definition.code) == ("some-module", "some+module.two", str(tmp_path))


def test_no_such_module(tmp_path: Path) -> None:
    assert refusal(tmp_path / "none.py") == "0: cannot be read: No such file or directory"
    assert refusal(f"{tmp_path}/none.py:handler") == "0: cannot be read: No such file or directory"


def test_a_folder_and_an_archive(tmp_path: Path) -> None:
    folder, archive = tmp_path / "code", tmp_path / "code.zip"
    folder.mkdir()
    assert refusal(folder) == "0: there is neither a template.yaml in it nor a module of Python or Node.js"
    (folder / "thing.py").write_text("def run(event, context): ...")
    assert [each.handler for each in opened(folder).functions.values()] == ["thing.run"]
    (folder / "util.py").write_text("")
    assert (
        refusal(folder) == f"0: which module has the handler? There are thing.py, util.py: "
        f"say it as {folder}:MODULE.FUNCTION"
    )
    assert [each.handler for each in opened(f"{folder}:thing.run").functions.values()] == ["thing.run"]
    assert "there is no module for the handler 'other.run'" in refusal(f"{folder}:other.run")
    with zipfile.ZipFile(archive, "w") as zipped:
        zipped.writestr("app.py", "def lambda_handler(event, context): ...")
        zipped.writestr("package/other.py", "")
    ((name, definition),) = opened(archive).functions.items()
    assert (name, definition.handler, definition.code) == ("code", "app.lambda_handler", str(archive))
    archive.write_bytes(b"PK")
    assert refusal(archive) == "0: cannot be read: File is not a zip file"
    (folder / "bootstrap").write_text("#!/bin/sh\n")
    ((name, definition),) = opened(folder).functions.items()
    assert (definition.handler, definition.runtime) == ("bootstrap", "provided.al2023")


def test_a_virtual_environment_beside_it(tmp_path: Path) -> None:
    (tmp_path / "app.py").write_text("def handler(event, context): ...")
    python = tmp_path / ".venv/bin/python"
    python.parent.mkdir(parents=True)
    os.symlink("/usr/bin/env", python)
    experiment = opened(tmp_path / "app.py")
    (definition,) = experiment.functions.values()
    assert definition.python is None
    assert [each.message for each in experiment.notices] == [
        f"{python} is not used: for that, run `{python} -m pip install awslambdaric`"
    ]
    (tmp_path / ".venv/lib/python3.11/site-packages/awslambdaric").mkdir(parents=True)
    experiment = opened(tmp_path / "app.py")
    (definition,) = experiment.functions.values()
    assert (definition.python, experiment.notices) == (str(python), ())


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None, max_examples=100)
@given(content=st.binary(max_size=60) | st.text("def(event, x):\n =*_", max_size=60).map(str.encode))
def test_any_module(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "module.py").write_bytes(content)
    with contextlib.suppress(BadExperiment):
        opened(tmp_path / "module.py")
