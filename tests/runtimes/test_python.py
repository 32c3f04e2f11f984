"""Which interpreter runs a function, and what is said when none can."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import pytest

from lambdatui.runtimes.python import find
from lambdatui.runtimes.runtime import RuntimeNotInstalled

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
