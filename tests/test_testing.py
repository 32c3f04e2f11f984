"""A laboratory for somebody's test suite, as the README shows it."""

from __future__ import annotations

import importlib
import json
import os
import re
import subprocess
import sys
import tomllib
import urllib.request
from pathlib import Path

import psutil
import pytest

from lambdatui.testing import laboratory

ROOT = Path(__file__).parents[1]
EXPERIMENT = """\
title: A function
functions:
  F: {handler: app.handler, source: 'def handler(event, context): return event["name"]'}
steps:
  - {name: a, invoke: {}}
"""


def test_the_readmes_example_passes(tmp_path: Path) -> None:
    (example,) = re.findall(r"```python\n(# test_hello\.py\n.*?)```", (ROOT / "README.md").read_text(), re.DOTALL)
    (tmp_path / "test_hello.py").write_text(example)
    command = [sys.executable, "-W", "error", "-m", "pytest", "-q", "-p", "lambdatui.pytest_plugin", str(tmp_path)]
    variables = {**os.environ, "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1"}
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, env=variables, cwd=tmp_path)

    assert (done.returncode, done.stderr) == (0, ""), done.stdout
    assert "1 passed" in done.stdout


def test_pytest_finds_the_fixture_by_itself() -> None:
    (name,) = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["entry-points"]["pytest11"].values()
    assert importlib.import_module(name).lambdatui


def test_functions_of_an_experiment_and_functions_from_folders(tmp_path: Path) -> None:
    experiment, code = tmp_path / "small.yaml", tmp_path / "code"
    experiment.write_text(EXPERIMENT)
    (code / "inner").mkdir(parents=True)
    (code / "inner/words.py").write_text("HELLO = 'hello '")
    (code / "main.py").write_text(
        "from inner.words import HELLO\ndef greet(event, context): return HELLO + event['name']"
    )

    with laboratory(experiment) as lab:
        lab.create_function("G", code, Handler="main.greet", Timeout=5)
        client = lab.client()
        answers = [client.invoke(FunctionName=name, Payload='{"name": "you"}')["Payload"].read() for name in "FG"]
        assert answers == [b'"you"', b'"hello you"']
        with pytest.raises(client.exceptions.ResourceConflictException):
            lab.create_function("G", "")
        assert {each["FunctionName"] for each in client.list_functions()["Functions"]} == {"F", "G"}
        aws = str(Path(sys.executable).with_name("aws"))
        said = subprocess.run(
            [aws, "sts", "get-caller-identity"], env={**os.environ, **lab.environment}, capture_output=True, check=True
        )
        assert json.loads(said.stdout)["Account"] == "000000000000"
        url = lab.url
    with pytest.raises(OSError):
        urllib.request.urlopen(url, timeout=5)


def test_one_that_cannot_be_opened_says_why(tmp_path: Path) -> None:
    with (
        pytest.raises(RuntimeError, match=r"none\.yaml: cannot be read: No such file"),
        laboratory(tmp_path / "none.yaml"),
    ):
        pass


def test_it_ends_with_whoever_opened_it_even_if_that_is_killed() -> None:
    program = (
        "import time\nfrom lambdatui.testing import laboratory\n"
        "with laboratory() as lab:\n    print(lab._address.pid, flush=True)\n    time.sleep(60)"
    )
    with subprocess.Popen([sys.executable, "-c", program], stdout=subprocess.PIPE) as process:
        assert process.stdout
        served = psutil.Process(int(process.stdout.readline()))
        process.kill()
    assert psutil.wait_procs([served], timeout=30)[1] == []
