"""The same laboratory as for the service's own tests, and functions made of files."""

from __future__ import annotations

import textwrap
from collections.abc import Awaitable, Callable, Mapping
from typing import Any

import pytest

from lambdatui.function import Code, Configuration
from lambdatui.refusal import InvalidParameter
from tests.service.conftest import Laboratory, laboratory, open_laboratory

__all__ = ["Create", "create", "laboratory", "open_laboratory"]

Create = Callable[..., Awaitable[None]]


@pytest.fixture
def create(laboratory: Laboratory) -> Create:
    """Make the function F of these files (name to text); a bootstrap is executable. Skips where the runtime is not
    installed."""

    async def create_(
        files: Mapping[str, str], runtime: str | None, handler: str = "index.handler", **keys: Any
    ) -> None:
        folder = laboratory.folder / "F"
        folder.mkdir(exist_ok=True)
        for name, text in files.items():
            file = folder / name
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_text(textwrap.dedent(text).lstrip())
            file.chmod(0o755 if name == "bootstrap" else 0o644)
        try:
            await laboratory.service.create("F", Configuration(handler, runtime, **keys), Code(folder))
        except InvalidParameter as refusal:
            if "is not installed" in str(refusal) or "lacks Lambda's runtime client" in str(refusal):
                pytest.skip(str(refusal))
            raise

    return create_
