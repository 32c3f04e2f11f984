"""The Invocations panel as pictures. `--snapshot-update` takes them anew."""

from __future__ import annotations

import pytest

from lambdatui.tui.glyphs import ASCII
from tests.tui import recorded
from tests.tui.stage import Stage
from tests.tui.test_pictures import LARGE, SMALL, USUAL, Compare, looks_the_same

SIZES = pytest.mark.parametrize("size", [SMALL, USUAL, LARGE], ids="{0[0]}x{0[1]}".format)
COMPARING = ("tab", "3", "m", "v", "G", "d", "z")


@SIZES
def test_one(snap_compare: Compare, size: tuple[int, int]) -> None:
    assert looks_the_same(snap_compare, Stage(recorded.failed()), size, ("tab", "3", "z"))


@SIZES
def test_all(snap_compare: Compare, size: tuple[int, int]) -> None:
    assert looks_the_same(snap_compare, Stage(recorded.many()), size, ("tab", "3", "v", "m", "j", "j"))


@SIZES
def test_all_in_all_the_room(snap_compare: Compare, size: tuple[int, int]) -> None:
    assert looks_the_same(snap_compare, Stage(recorded.many()), size, ("tab", "3", "z", "slash", "2"))


@SIZES
def test_two(snap_compare: Compare, size: tuple[int, int]) -> None:
    assert looks_the_same(snap_compare, Stage(recorded.many()), size, COMPARING)


def test_two_in_ascii(snap_compare: Compare) -> None:
    assert looks_the_same(snap_compare, Stage(recorded.many(), ASCII), USUAL, COMPARING)


def test_all_without_colours(snap_compare: Compare, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NO_COLOR", "1")
    assert looks_the_same(snap_compare, Stage(recorded.many()), SMALL, ("tab", "3", "v", "j"))
