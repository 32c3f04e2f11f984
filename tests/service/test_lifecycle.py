"""The life of an execution environment: each story of it by name, and all the others by chance."""

from __future__ import annotations

import json
from typing import TypeVar

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from lambdatui import events as ev
from lambdatui.function import LoggingConfig
from lambdatui.service import lifecycle as lc
from lambdatui.service.lifecycle import State, Terms
from lambdatui.service.logs import EnvironmentLog
from lambdatui.service.platform_records import PlatformRecords

NEXT = lc.NextRequested(20)
E = TypeVar("E")
EXIT = lc.Exited("Runtime exited with error: exit status 1", 30)


class Story:
    """A lifecycle told as steps: each takes seconds and an input, and leaves the effects behind."""

    def __init__(self, dialect: str = "current", timeout: int = 3) -> None:
        self.machine = lc.Lifecycle("env", Terms(timeout, 128, dialect))
        self.now = 1_700_000_000.0
        self.effects: list[lc.Effect] = self.machine.begin()

    def then(self, given: lc.Input, seconds: float = 0.0) -> Story:
        self.now += seconds
        self.effects += self.machine.handle(self.now, given)
        return self

    def warm(self) -> Story:
        """After a first invocation that succeeded."""
        self.then(lc.Invoke("1")).then(lc.ProcessStarted()).then(lc.RuntimeInitDone(), 0.04).then(NEXT, 0.01)
        self.then(lc.Responded("1"), 0.1).then(NEXT)
        self.effects.clear()
        return self

    def all_of(self, kind: type[E]) -> list[E]:
        found = [each.event if isinstance(each, lc.Emit) else each for each in self.effects]
        return [each for each in found if isinstance(each, kind)]

    @property
    def kinds(self) -> list[str]:
        return [type(each.event if isinstance(each, lc.Emit) else each).__name__ for each in self.effects]


def test_a_cold_start() -> None:
    story = Story().then(lc.Invoke("1")).then(lc.ProcessStarted()).then(lc.RuntimeInitDone(), 0.04).then(NEXT, 0.02)
    assert story.kinds == [
        *("Spawn", "InitStarted", "InitPhaseFinished", "SetTimer", "InitPhaseFinished"),
        *("CancelTimer", "InitPhaseFinished", "InitFinished", "InvocationStarted", "SetTimer", "AnswerNext"),
    ]
    assert [(each.part, each.duration_ms) for each in story.all_of(ev.InitPhaseFinished)] == [
        ("extension", 0.0),
        ("runtime", 40.0),
        ("function", 20.0),
    ]
    story.then(lc.Responded("{}"), 0.0025).then(NEXT)
    [finished] = story.all_of(ev.InvocationFinished)
    assert (finished.duration_ms, finished.init_duration_ms, finished.billed_duration_ms) == (2.5, 60.0, 63)
    assert story.kinds[-3:] == ["Released", "Freeze", "EnvironmentFrozen"]


def test_a_warm_invocation_thaws_and_has_no_init_duration() -> None:
    story = Story().warm().then(lc.Invoke("2"), 10.0)
    assert story.kinds == ["EnvironmentThawed", "InvocationStarted", "SetTimer", "Thaw", "AnswerNext"]
    story.then(lc.Responded("2"), 0.001).then(NEXT)
    [finished] = story.all_of(ev.InvocationFinished)
    assert finished.init_duration_ms is None
    assert finished.billed_duration_ms == 1


def test_a_function_error_resets_nothing() -> None:
    story = Story().warm().then(lc.Invoke("2")).then(lc.Errored('{"errorType":"ValueError"}'), 0.1).then(NEXT)
    assert story.all_of(lc.Reply) == [lc.Reply("2", "failed", '{"errorType":"ValueError"}', "Unhandled")]
    assert story.all_of(ev.InvocationFinished)[0].error_type is None
    assert story.machine.state == State.IDLE


@pytest.mark.parametrize(
    ("dialect", "body", "duration", "billed"),
    [
        (
            "current",
            {"errorType": "Sandbox.Timedout", "errorMessage": "RequestId: 2 Error: Task timed out after 3.00 seconds"},
            3000.0,
            3000,
        ),
        ("classic", {"errorMessage": "2023-11-14T22:13:23.151Z 2 Task timed out after 3.00 seconds"}, 3004.0, 3000),
    ],
)
def test_a_timeout(dialect: str, body: dict[str, str], duration: float, billed: int) -> None:
    story = Story(dialect).warm().then(lc.Invoke("2")).then(lc.TimeIsUp(25), 3.001)
    assert story.kinds[-3:] == ["Reply", "CancelTimer", "Kill"], "the caller is answered before anything else"
    assert json.loads(story.all_of(lc.Reply)[0].payload) == body
    story.then(lc.Responded("too late")).then(EXIT, 0.003)
    [finished] = story.all_of(ev.InvocationFinished)
    assert (finished.duration_ms, finished.billed_duration_ms, finished.status) == (duration, billed, "timed_out")
    assert story.all_of(ev.EnvironmentReset) == [ev.EnvironmentReset("env", "timeout")]


def test_an_answer_after_the_deadline_is_a_timeout_although_the_timer_is_late() -> None:
    story = Story().warm().then(lc.Invoke("2")).then(lc.Responded('"slept well"'), 3.0001)
    assert story.all_of(lc.Reply)[0].status == "timed_out"
    assert story.machine.state == State.RESETTING


def test_the_invocation_after_a_reset_pays_a_suppressed_init() -> None:
    story = Story().warm().then(lc.Invoke("2")).then(EXIT, 0.1)
    story.effects.clear()
    story.then(lc.Invoke("3")).then(lc.ProcessStarted(), 5.0).then(NEXT, 0.05).then(lc.Responded("3"), 0.01).then(NEXT)
    assert story.all_of(ev.InitStarted) == [ev.InitStarted("env", "invoke", True, "3")]
    assert story.all_of(ev.InvocationStarted)[0].deadline == story.now - 0.06 + 3
    [finished] = story.all_of(ev.InvocationFinished)
    assert (finished.duration_ms, finished.init_duration_ms) == (60.0, None)


def test_an_init_that_fails_is_tried_once_more_inside_the_invocation() -> None:
    error = lc.InitErrored("Runtime.ImportModuleError", '{"errorType":"Runtime.ImportModuleError"}')
    story = Story().then(lc.Invoke("1")).then(lc.ProcessStarted()).then(error, 0.05).then(EXIT)
    assert story.all_of(lc.Reply) == []
    story.then(lc.ProcessStarted()).then(error, 0.06)
    assert story.all_of(lc.Reply)[0].payload == error.body
    story.then(EXIT)
    assert [(each.phase, each.suppressed, each.status) for each in story.all_of(ev.InitFinished)] == [
        ("init", False, "error"),
        ("invoke", False, "error"),
    ]
    [finished] = story.all_of(ev.InvocationFinished)
    assert (finished.duration_ms, finished.error_type) == (60.0, "Runtime.ImportModuleError")


def test_an_init_over_ten_seconds_is_tried_again_under_the_functions_timeout() -> None:
    story = Story().then(lc.Invoke("1")).then(lc.ProcessStarted()).then(lc.TimeIsUp(9), 10.0).then(EXIT)
    story.then(lc.ProcessStarted()).then(lc.TimeIsUp(9), 3.0).then(EXIT)
    assert [(each.phase, each.status) for each in story.all_of(ev.InitFinished)] == [
        ("init", "timeout"),
        ("invoke", "timeout"),
    ]
    assert story.all_of(ev.InvocationFinished)[0].status == "timed_out"


def test_a_runtime_that_exits_after_its_answer_resets_and_the_answer_stands() -> None:
    story = Story().warm().then(lc.Invoke("2")).then(lc.Responded("2")).then(EXIT)
    assert [each.status for each in story.all_of(lc.Reply)] == ["succeeded"]
    assert story.all_of(ev.InvocationFinished)[0].error_type == "Runtime.ExitError"
    assert story.machine.state == State.RESET


def test_a_retired_environment_ends_with_its_invocation() -> None:
    story = Story().warm().then(lc.Invoke("2")).then(lc.Retire("the code changed")).then(lc.Responded("2"))
    assert story.machine.state == State.RESPONDED
    story.then(NEXT).then(EXIT)
    assert story.kinds[-5:] == ["Released", "CancelTimer", "Kill", "EnvironmentEnded", "Ended"]


@pytest.mark.parametrize("dialect", ["current", "classic"])
@pytest.mark.parametrize(
    ("end", "sentence", "marks"),
    [
        (EXIT, "Error: Runtime exited with error: exit status 1", "Status: error\tError Type: Runtime.ExitError"),
        (lc.TimeIsUp(25), "Task timed out after 3.00 seconds", "Status: timeout"),
    ],
)
def test_the_log_tells_what_happened_after_the_response_and_not_what_the_caller_got(
    dialect: str, end: lc.Input, sentence: str, marks: str
) -> None:
    story = Story(dialect).warm().then(lc.Invoke("2")).then(lc.Responded('{"errorMessage":"mine"}'), 0.1).then(end, 3.0)
    if story.machine.state == State.RESETTING:
        story.then(EXIT)
    records = PlatformRecords("F", "arn", "$LATEST", "us-east-1", "python:3.11.v1", "on-demand", "stream", 128)
    log = EnvironmentLog(dialect, LoggingConfig(), records)
    *failure, end_line, report = [
        line for each in story.effects if isinstance(each, lc.Emit) for line in log.after(story.now, each.event)
    ][1:]
    assert end_line == "END RequestId: 2"
    if dialect == "classic":
        assert len(failure) == 1 and sentence in failure[0] and "mine" not in failure[0]
    else:
        assert failure == [] and report.endswith(marks)


def streaming(dialect: str = "current") -> Story:
    return (
        Story(dialect).warm().then(lc.Invoke("2")).then(lc.ResponsePart(b"one"), 0.1).then(lc.ResponsePart(b"\xc3"), 1)
    )


def test_a_streamed_response_has_one_first_byte_and_is_answered_at_its_end() -> None:
    story = streaming()
    assert story.kinds[-1] == "InvocationStreamed"
    assert story.machine.state == State.BUSY
    story.then(lc.ResponsePart(b"\xbc")).then(lc.ResponseEnd(None, "")).then(NEXT)
    assert story.all_of(ev.InvocationStreamed) == [ev.InvocationStreamed("2")]
    assert story.all_of(lc.Reply) == [lc.Reply("2", "succeeded", "oneü", None)]
    assert story.all_of(ev.InvocationFinished)[0].status == "succeeded"


def test_a_streamed_response_may_be_empty() -> None:
    story = Story().warm().then(lc.Invoke("2")).then(lc.ResponseEnd(None, ""))
    assert story.all_of(lc.Reply) == [lc.Reply("2", "succeeded", "", None)]
    assert story.all_of(ev.InvocationStreamed) == []


def test_a_failure_in_the_middle_of_a_stream_is_told_and_still_a_success() -> None:
    story = streaming().then(lc.ResponseEnd("Function.Oops", '{"a":1}')).then(NEXT)
    assert story.all_of(lc.Reply) == [lc.Reply("2", "succeeded", "one\ufffd", None, "Function.Oops", '{"a":1}')]
    [finished] = story.all_of(ev.InvocationFinished)
    assert (finished.status, finished.error_type) == ("succeeded", None)
    assert story.machine.state == State.IDLE


@pytest.mark.parametrize("dialect", ["current", "classic"])
@pytest.mark.parametrize(
    ("end", "status", "error_code", "message"),
    [
        (EXIT, "failed", "Runtime.ExitError", "Runtime exited with error: exit status 1"),
        (lc.TimeIsUp(25), "timed_out", "Sandbox.Timedout", "Task timed out after 3.00 seconds"),
        (lc.ResponseTooLarge(209715200), "failed", "Function.ResponseSizeTooLarge", "(209715200 bytes)"),
    ],
)
def test_what_was_streamed_before_the_end_came_stays_with_the_caller(
    dialect: str, end: lc.Input, status: str, error_code: str, message: str
) -> None:
    [reply] = streaming(dialect).then(end, 1.0).all_of(lc.Reply)
    assert (reply.status, reply.payload, reply.function_error) == (status, "one\ufffd", "Unhandled")
    assert reply.error_code == error_code
    assert message in json.loads(reply.error_details or "")["errorMessage"]


def test_the_next_invocation_begins_with_nothing_sent() -> None:
    story = streaming().then(lc.ResponseEnd(None, "")).then(NEXT).then(lc.Invoke("3")).then(EXIT)
    assert story.all_of(lc.Reply)[1].error_code is None
    assert json.loads(story.all_of(lc.Reply)[1].payload)["errorType"] == "Runtime.ExitError"


def test_what_cannot_happen_is_a_defect() -> None:
    with pytest.raises(lc.IllegalInput):
        Story().then(NEXT)


class AnyLife(RuleBasedStateMachine):
    """Whatever happens, in whatever order that the world allows: one that carries out the effects."""

    def __init__(self) -> None:
        super().__init__()
        self.now = 0.0
        self.requests = 0
        self.open: set[str] = set()
        self.finished: list[str] = []
        self.process: str | None = None  # 'starting', 'running', 'dying'
        self.frozen = False
        self.runtime = "init"  # 'init', 'next', 'working', 'streaming', 'posted'
        self.sent = ""
        self.timer = False
        self.over = False

    @initialize(dialect=st.sampled_from(["current", "classic"]))
    def begin(self, dialect: str) -> None:
        self.machine = lc.Lifecycle("env", Terms(3, 128, dialect))
        self.carry_out(self.machine.begin())

    def give(self, given: lc.Input) -> None:
        self.carry_out(self.machine.handle(self.now, given))

    def carry_out(self, effects: list[lc.Effect]) -> None:
        for effect in effects:
            match effect:
                case lc.Spawn():
                    assert self.process is None
                    self.process, self.runtime, self.frozen = "starting", "init", False
                case lc.Kill():
                    assert self.process == "running"
                    self.process = "dying"
                case lc.Freeze():
                    assert self.process == "running" and not self.frozen
                    self.frozen = True
                case lc.Thaw():
                    assert self.frozen
                    self.frozen = False
                case lc.AnswerNext(request_id, deadline):
                    assert self.runtime == "next" and not self.frozen and deadline > self.now
                    self.runtime, self.sent = "working", ""
                    assert request_id == self.machine.running
                case lc.Reply(request_id, status, payload, _, error_code, details):
                    self.open.remove(request_id)
                    if self.runtime == "streaming":
                        assert payload == self.sent and (error_code is None) == (details is None)
                        assert error_code or status == "succeeded"
                    else:
                        json.loads(payload)
                case lc.SetTimer():
                    self.timer = True
                case lc.CancelTimer():
                    self.timer = False
                case lc.Emit(ev.InvocationFinished(request_id, billed_duration_ms=billed)):
                    assert request_id not in self.open and billed >= 0
                    self.finished.append(request_id)
                case lc.Ended():
                    assert self.process is None and not self.timer
                    self.over = True

    @precondition(lambda self: not self.over and self.machine.request_id is None)
    @rule()
    def invoke(self) -> None:
        if self.machine.state in (State.STARTING, State.INIT, State.IDLE, State.RESET):
            self.requests += 1
            self.open.add(str(self.requests))
            self.give(lc.Invoke(str(self.requests)))

    @rule(seconds=st.floats(0.0, 2.0))
    def wait(self, seconds: float) -> None:
        self.now += seconds

    @precondition(lambda self: self.process == "starting")
    @rule(works=st.booleans())
    def start(self, works: bool) -> None:
        self.process = "running" if works else None
        self.give(lc.ProcessStarted() if works else lc.Exited("no such file", 0, "Runtime.InvalidEntrypoint"))

    @precondition(lambda self: self.process in ("running", "dying") and not self.frozen)
    @rule(what=st.sampled_from(["ready", "next", "error", "response", "part", "end", "broken end"]))
    def runtime_does(self, what: str) -> None:
        if what == "ready":
            self.give(lc.RuntimeInitDone())
        elif what == "next" and self.runtime in ("init", "posted"):
            self.runtime = "next"
            self.give(lc.NextRequested(1))
        elif what == "error" and self.runtime == "init":
            self.runtime = "failed"
            self.give(lc.InitErrored("Runtime.Unknown", "{}"))
        elif what in ("error", "response") and self.runtime == "working":
            self.runtime = "posted"
            self.give(lc.Errored("{}") if what == "error" else lc.Responded("{}"))
        elif what == "part" and self.runtime in ("working", "streaming"):
            self.runtime = "streaming"
            if self.process == "running":
                self.sent += "x"
            self.give(lc.ResponsePart(b"x"))
        elif what in ("end", "broken end") and self.runtime == "streaming":
            self.give(lc.ResponseEnd("Function.Oops" if what == "broken end" else None, "{}"))
            self.runtime = "posted"

    @precondition(lambda self: self.process in ("running", "dying"))
    @rule()
    def exit(self) -> None:
        self.process, self.frozen = None, False
        self.give(lc.Exited("Runtime exited without providing a reason", 1))

    @precondition(lambda self: self.timer)
    @rule()
    def time_is_up(self) -> None:
        self.timer = False
        self.now += 10.0
        self.give(lc.TimeIsUp(1))

    @rule()
    def retire(self) -> None:
        self.give(lc.Retire("the code changed"))

    @precondition(lambda self: self.machine.request_id is None)
    @rule()
    def end(self) -> None:
        self.give(lc.End("reclaimed"))

    @invariant()
    def holds(self) -> None:
        if not hasattr(self, "machine"):
            return
        assert len(set(self.finished)) == len(self.finished), "an invocation finishes once"
        assert len(self.open) <= 1
        if self.machine.state == State.IDLE:
            assert self.frozen and not self.open and not self.timer
        if self.machine.state in (State.BUSY, State.INIT, State.REINIT) and self.process == "running":
            assert self.timer and not self.frozen
        if self.machine.state in (State.RESET, State.ENDED):
            assert self.process is None


TestAnyLife = AnyLife.TestCase
TestAnyLife.settings = settings(max_examples=150, stateful_step_count=40, deadline=None)
