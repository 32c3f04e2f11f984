from __future__ import annotations

import io
from collections.abc import Callable

import pytest

from lambdatui import events as ev
from lambdatui.events import Json, Record
from lambdatui.experiment.runner import Runner
from lambdatui.experiment.schema import ExperimentFile
from lambdatui.experiment.transcript import Transcript, wants_colour
from lambdatui.experiment.visible import visible
from tests.experiment.fake import FakeTarget

STEPS = """\
  - name: first
    say: |
      Read this.

      And **this**, not `**that` or `**those`.
    predict: {ask: What, choices: [this, that], answer: 2}
    invoke: {}
    expect: {status: succeeded, cold_starts: 2}
    explain: Because.
  - {name: second, update: {timeout: 901}}
  - {name: third, invoke: {event: throttle}}
"""


def answer(event: Json) -> tuple[str, Json]:
    return ("throttled", None) if event == "throttle" else ("succeeded", "done")


async def told(experiment: ExperimentFile, *, colour: bool = False) -> str:
    target = FakeTarget(answer)
    runner = Runner(experiment, target)
    await runner.open()
    await runner.run_all()
    out = io.StringIO()
    Transcript(out, colour=colour).read(target.journal.records)
    return out.getvalue()


async def test_the_whole_story(experiment: Callable[[str], ExperimentFile]) -> None:
    assert (
        await told(experiment(STEPS))
        == """\

An experiment

1/3  first
  Read this.

  And this, not `**that` or `**those`.
  ? What
    1 this
    2 that
  → invoke F once
  + environment 000000  none was idle
  000000 │ INIT_START Runtime Version: python:3.11
  000000 │ START RequestId: request-1 Version: $LATEST
  ← #1 in 000000 succeeded  "done"
  000000 │ END RequestId: request-1
  ✓ status succeeded
  ✗ cold_starts 2, but observed 1
  = 2 that
  Because.

2/3  second
  → update F: timeout = 901
  ~ F stays as it is  1 validation error detected: Value '901' at 'timeout' failed to satisfy constraint: \
Member must have value less than or equal to 900
  ✗ The update was refused: 1 validation error detected: Value '901' at 'timeout' failed to satisfy constraint: \
Member must have value less than or equal to 900

3/3  third
  → invoke F once with "throttle"
  ← #2 throttled  Rate Exceeded.

2 of 3 steps went otherwise than expected.
"""
    )


async def test_colour_adds_nothing_but_colour(experiment: Callable[[str], ExperimentFile]) -> None:
    import re

    plain = await told(experiment(STEPS))
    coloured = await told(experiment(STEPS), colour=True)
    assert coloured != plain
    assert re.sub(r"\x1b\[\d+m", "", coloured) == plain


def test_what_functions_write_cannot_steer_the_terminal() -> None:
    out = io.StringIO()
    line = "a\x1b]0;title\x07\x1b[2J\u202eb\x9b31m\tc\ud800"
    written = ev.LogWritten("e" * 32, "g", "s", None, False, (line,))
    Transcript(out, colour=False).read([Record(0, 0.0, written)])
    assert out.getvalue() == "  eeeeee │ a\\x1b]0;title\\x07\\x1b[2J\\u202eb\\x9b31m\tc\\ud800\n"


def test_a_log_event_of_several_lines() -> None:
    out = io.StringIO()
    written = ev.LogWritten(
        "e" * 32, "g", "s", None, True, ("[ERROR] KeyError\nTraceback", "timed out\n\n", "one\rtwo\r")
    )
    Transcript(out, colour=False).read([Record(0, 0.0, written)])
    told = ["[ERROR] KeyError", "Traceback", "timed out", "one", "two"]
    assert out.getvalue() == "".join(f"  eeeeee │ {line}\n" for line in told)


def test_what_is_harmless_stays() -> None:
    assert visible("逾時 ✓ \t tab  nbsp") == "逾時 ✓ \t tab  nbsp"


@pytest.mark.parametrize(
    ("tty", "environ", "wanted"),
    [(True, {}, True), (False, {}, False), (True, {"NO_COLOR": "1"}, False), (True, {"TERM": "dumb"}, False)],
)
def test_colour_is_for_terminals(
    monkeypatch: pytest.MonkeyPatch, tty: bool, environ: dict[str, str], wanted: bool
) -> None:
    for name in ("NO_COLOR", "TERM"):
        monkeypatch.delenv(name, raising=False)
    for name, value in environ.items():
        monkeypatch.setenv(name, value)
    out = io.StringIO()
    monkeypatch.setattr(out, "isatty", lambda: tty)
    assert wants_colour(out) is wanted
