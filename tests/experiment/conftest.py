from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from lambdatui.experiment.loader import load
from lambdatui.experiment.schema import ExperimentFile

HEAD = """\
title: An experiment
functions:
  F: {handler: app.handler, source: 'def handler(event, context): return 1'}
"""


@pytest.fixture
def experiment(tmp_path: Path) -> Callable[[str], ExperimentFile]:
    """An experiment with one function `F` and these steps, as YAML."""

    def loaded(steps: str, head: str = HEAD) -> ExperimentFile:
        path = tmp_path / "experiment.yaml"
        path.write_text(f"{head}steps:\n{steps}", encoding="utf-8")
        return load(path)

    return loaded
