"""AWS_LAMBDA_EXEC_WRAPPER: a script of the function's, or of a layer's, that starts a managed runtime."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.runtimes.conftest import Create
from tests.service.conftest import Laboratory

SOURCE = """
    import os, sys
    def handler(event, context):
        return [os.environ.get("WRAPPED"), sys.flags.dev_mode, os.environ["_HANDLER"]]
"""
# From the developer guide's example: an option for the interpreter goes before the last argument.
WRAPPER = """\
#!/bin/sh
export WRAPPED="$(basename "$1")"
interpreter=$1 bytecode=$2 script=$3
exec "$interpreter" "$bytecode" -X dev "$script"
"""


def _write(file: Path, mode: int) -> None:
    file.parent.mkdir()
    file.write_text(WRAPPER)
    file.chmod(mode)


@pytest.mark.parametrize(("folder", "path"), [("layer", "/opt/wrapper"), ("F", "/var/task/wrapper")])
async def test_a_wrapper_starts_the_runtime(laboratory: Laboratory, create: Create, folder: str, path: str) -> None:
    _write(laboratory.folder / folder / "wrapper", 0o755)
    layers = (str(laboratory.folder / "layer"),) if folder == "layer" else ()
    environment = {"AWS_LAMBDA_EXEC_WRAPPER": path}
    await create({"app.py": SOURCE}, None, "app.handler", layers=layers, environment=environment)
    wrapped, dev_mode, handler = json.loads((await laboratory.invoke()).payload or "")
    assert wrapped.startswith("python") and (dev_mode, handler) == (True, "app.handler")


@pytest.mark.parametrize(
    ("mode", "status", "message"), [(None, 127, "does not exist"), (0o644, 126, "is not an executable")]
)
async def test_a_wrapper_that_cannot_be_started_ends_the_runtime(
    laboratory: Laboratory, create: Create, mode: int | None, status: int, message: str
) -> None:
    if mode:
        _write(laboratory.folder / "F/wrapper", mode)
    environment = {"AWS_LAMBDA_EXEC_WRAPPER": "/var/task/wrapper"}
    await create({"app.py": SOURCE}, None, "app.handler", environment=environment)
    invocation = await laboratory.invoke()
    error = json.loads(invocation.payload or "")
    assert error["errorType"] == "Runtime.ExitError"
    assert error["errorMessage"].endswith(f"Runtime exited with error: exit status {status}")
    assert any(line.endswith(f"wrapper: {message}") for line in laboratory.lines(invocation))
