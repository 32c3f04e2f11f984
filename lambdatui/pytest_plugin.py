"""For pytest, which finds it by itself where lambdatui is installed: the fixture `lambdatui`."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from lambdatui.testing import Laboratory


@pytest.fixture(scope="session")
def lambdatui() -> Iterator[Laboratory]:
    """A laboratory, without functions at first, for all tests of a run."""
    from lambdatui.testing import laboratory

    with laboratory() as opened:
        yield opened
