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


async def test_hints_and_the_lines_that_matter_are_told() -> None:
    step: dict[str, Json] = {
        **{"name": "s", "say": "", "action": "invoke F once", "predict": None, "expects": [], "explain": ""},
        **{"hints": ["think", "**look**"], "highlight": {"function": "F", "file": "app.py", "pattern": "sleep"}},
    }
    events: list[ev.Event] = [
        ev.ExperimentOpened("t", "", "t.yaml", "en", (step,)),
        ev.FunctionCreated("F", "arn:F", 1, {}, "0", "inline", {"app.py": "import time\n\ntime.sleep(3)\n"}),
        ev.StepStarted(0),
    ]
    out = io.StringIO()
    Transcript(out, colour=False).read([Record(number, 0.0, event) for number, event in enumerate(events)])
    assert out.getvalue().splitlines()[3:] == [
        *("1/1  s", "  app.py:3  time.sleep(3)", "  (Hint: think)", "  (Hint: look)", "  → invoke F once"),
    ]


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


def test_the_way_of_an_event() -> None:
    out = io.StringIO()
    events: tuple[ev.Event, ...] = (
        ev.InvocationAccepted("1", "F", "$LATEST", "Event", "{}", 0),
        ev.EventQueued("1", "accepted", 0.0),
        ev.EventQueued("1", "throttled", 1.0, "ConcurrentInvocationLimitExceeded"),
        ev.AttemptStarted("1", 1),
        ev.InvocationAnswered("1", "failed", '"boom"', "Unhandled"),
        ev.EventQueued("1", "function error", 60.0),
        ev.EventConcluded("1", "EventAgeExceeded", 1),
        ev.EventForwarded("1", "on_failure", "function:G", "{}"),
        ev.EventForwarded("1", "dead_letter", "file:/x", "{}", "the disk is full"),
        ev.InvocationAccepted("2", "F", "$LATEST", "Event", "{}", None),
        ev.EventQueued("2", "recovered", 0.0),
        ev.EventConcluded("2", "Success", 1),
        ev.InvocationAccepted("3", "F", "$LATEST", "DryRun", "{}", 1),
        ev.InvocationAnswered("3", "succeeded", "", None),
    )
    Transcript(out, colour=False).read(Record(number, 0.0, event) for number, event in enumerate(events))
    assert (
        out.getvalue()
        == """\
  ← #1 202  an event for F is in the queue
  … #1 queue  ConcurrentInvocationLimitExceeded: comes again in 1 s
  » #1 attempt 1  F
  = #1 failed  "boom"
  … #1 queue  function error: comes again in 60 s
  ✗ #1 EventAgeExceeded  F, after 1 attempt
  ⇒ on_failure  function:G
  ⇒ dead_letter  file:/x failed: the disk is full
  ↻ #2 queue  an event for F that an earlier laboratory left behind
  ← 204  it could be invoked
"""
    )


def test_function_urls() -> None:
    out = io.StringIO()
    configuration: dict[str, Json] = {"auth_type": "NONE", "invoke_mode": "BUFFERED"}
    events: tuple[ev.Event, ...] = (
        ev.FunctionCreated("F", "arn:F", 1, {}, "0" * 64, "inline"),
        ev.FunctionUrlCreated("F", None, "http://127.0.0.1:9/", configuration),
        ev.FunctionUrlCreated("F", "live", "http://127.0.0.1:10/", configuration),
        ev.FunctionUrlChanged("F", "live", {**configuration, "auth_type": "AWS_IAM"}),
        ev.FunctionUrlDeleted("F", None),
    )
    Transcript(out, colour=False).read(Record(number, 0.0, event) for number, event in enumerate(events))
    assert (
        out.getvalue()
        == """\
  ~ F answers at  http://127.0.0.1:9/ (NONE, BUFFERED)
  ~ F:live answers at  http://127.0.0.1:10/ (NONE, BUFFERED)
  ~ F:live answers at  http://127.0.0.1:10/ (AWS_IAM, BUFFERED)
  ~ F  has no URL any more
"""
    )


def test_what_is_kept_by_a_qualifier_and_layers() -> None:
    out = io.StringIO()
    config: dict[str, Json] = {
        "maximum_retry_attempts": 0,
        "maximum_event_age_in_seconds": None,
        "destination_config": {},
    }
    events: tuple[ev.Event, ...] = (
        ev.FunctionCreated("F", "arn:F", 1, {}, "0" * 64, "inline"),
        ev.AliasPointed("F", "live", "1", {}),
        ev.EventInvokeConfigChanged("F", "live", config),
        ev.EventInvokeConfigChanged("F", "live", None),
        ev.PolicyChanged("F", "live", ({"Sid": "one"}, {"Sid": "two"})),
        ev.PolicyChanged("F", None, ()),
        ev.AliasDeleted("F", "live"),
        ev.LayerPublished("arn:aws:lambda:us-east-1:000000000000:layer:L:2", "0" * 64, 9),
        ev.LayerDeleted("arn:aws:lambda:us-east-1:000000000000:layer:L:2"),
    )
    Transcript(out, colour=False).read(Record(number, 0.0, event) for number, event in enumerate(events))
    assert (
        out.getvalue()
        == """\
  ~ F:live  leads to version 1
  ~ F:live  treats events by {"maximum_retry_attempts": 0}
  ~ F:live  treats events like any other
  ~ F:live has a policy  statements: one, two
  ~ F has a policy  statements: none
  ~ F:live  is deleted
  ~ layer L:2  is published, code 00000000
  ~ layer L:2  is deleted
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


def test_what_is_done_with_log_groups() -> None:
    out = io.StringIO()
    told: tuple[ev.Event, ...] = (
        ev.LogGroupCreated("audit", {}),
        ev.LogGroupChanged("audit", 7, {}),
        ev.LogStreamCreated("audit", "s"),
        ev.LogEventsPut("audit", "s", (1, 2), ("one\n", "two\x1b[2J")),
        ev.LogStreamDeleted("audit", "s"),
        ev.LogGroupChanged("audit", None, {}),
        ev.LogGroupDeleted("audit"),
    )
    Transcript(out, colour=False).read([Record(number, 0.0, event) for number, event in enumerate(told)])
    assert (
        out.getvalue()
        == """\
  + log group audit
  ~ log group audit  keeps its events for 7 days
  + log stream s  in audit
  s │ one
  s │ two\\x1b[2J
  - log stream s  of audit
  ~ log group audit  keeps its events for ever
  - log group audit  with all of its streams
"""
    )


def test_a_streamed_response_that_breaks_off() -> None:
    out = io.StringIO()
    told: tuple[ev.Event, ...] = (
        ev.InvocationAccepted("r", "F", "$LATEST", "RequestResponse", "{}", 0),
        ev.InvocationStarted("r", "e" * 32, 9.0),
        ev.InvocationStreamed("r"),
        ev.InvocationAnswered("r", "succeeded", "half", None, "Function.Oops", "{}"),
    )
    records = [Record(number, number / 4, event) for number, event in enumerate(told)]
    Transcript(out, colour=False).read(records)
    assert out.getvalue() == ("  ← first byte  after 250.00 ms\n  ← succeeded, broken off by Function.Oops  half\n")


def test_functions_that_come_and_go_over_the_api() -> None:
    out = io.StringIO()
    told: tuple[ev.Event, ...] = (
        ev.FunctionCreated("F", "arn:F", 1, {}, "a" * 64, "uploaded"),
        ev.FunctionUpdated("F", 2, "upload", (), {}, "b" * 64, "a" * 64),
        ev.FunctionDeleted("F", "1"),
        ev.FunctionDeleted("F"),
    )
    Transcript(out, colour=False).read([Record(number, 0.0, event) for number, event in enumerate(told)])
    assert out.getvalue() == (
        "  + F  uploaded: code aaaaaaaa\n  ~ F has changed  upload: code bbbbbbbb\n"
        "  - F version 1  deleted\n  - F  deleted\n"
    )


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
