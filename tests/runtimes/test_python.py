"""Which interpreter runs a function, and what is said when none can."""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path

import pytest

from lambdatui import events as ev
from lambdatui.runtimes.python import find
from lambdatui.runtimes.runtime import RuntimeNotInstalled
from tests.runtimes.conftest import Create
from tests.service.conftest import Laboratory

OWN = f"python{sys.version_info[0]}.{sys.version_info[1]}"


async def test_without_a_runtime_it_is_the_laboratorys_own() -> None:
    interpreter = await find(None, None)
    assert os.path.samefile(interpreter.path, sys.executable)
    assert interpreter.identifier == OWN
    assert interpreter.lambda_version == f"python:{sys.version_info[0]}.{sys.version_info[1]}.v{sys.version_info[2]}"


async def test_the_runtime_of_the_laboratorys_own_version_is_found() -> None:
    assert (await find(OWN, None)).path == sys.executable


async def test_an_interpreter_can_be_named() -> None:
    assert (await find(OWN, sys.executable)).path == sys.executable


@pytest.mark.parametrize(
    ("runtime", "python", "sentence"),
    [
        ("python3.99", None, "the runtime python3.99 is not installed: install Python 3.99"),
        (None, "/no/such/python", "there is no interpreter at /no/such/python"),
        (None, "/bin/false", "cannot be run as a Python interpreter"),
        ("python3.99", sys.executable, f"is {OWN}, and the function's runtime is python3.99"),
    ],
)
async def test_what_cannot_run_is_told_in_a_sentence(runtime: str | None, python: str | None, sentence: str) -> None:
    with pytest.raises(RuntimeNotInstalled) as refusal:
        await find(runtime, python)
    assert sentence in str(refusal.value)


async def test_an_interpreter_without_the_client_says_how_to_install_it(tmp_path: Path) -> None:
    bare = tmp_path / "python"
    bare.write_text(f'#!/bin/sh\nexec {sys.executable} -I -S "$@"\n')
    bare.chmod(0o755)
    with pytest.raises(RuntimeNotInstalled, match="-m pip install awslambdaric"):
        await find(None, str(bare))


@pytest.mark.parametrize("minor", range(8, 15))
async def test_every_python_that_is_here_runs_functions(laboratory: Laboratory, create: Create, minor: int) -> None:
    """awslambdaric has another release for each of them: frames, errors and handlers are the same."""
    source = """
        import logging, os, sys
        def handler(event, context):
            if event:
                raise ValueError("boom")
            logging.getLogger().warning("two\\nlines")
            return [*sys.version_info[:2], os.environ["AWS_EXECUTION_ENV"]]
    """
    await create({"app.py": source}, f"python3.{minor}", "app.handler")
    invocation = await laboratory.invoke()
    assert json.loads(invocation.payload or "") == [3, minor, f"AWS_Lambda_python3.{minor}"]
    assert any(line.endswith("two\nlines") for line in laboratory.lines(invocation))
    await laboratory.until(lambda event: isinstance(event, ev.InitPhaseFinished) and event.part == "runtime")
    failed = await laboratory.invoke("1")
    assert json.loads(failed.payload or "")["errorType"] == "ValueError"
    assert any(line.startswith("[ERROR] ValueError: boom\nTraceback") for line in laboratory.lines(failed))
