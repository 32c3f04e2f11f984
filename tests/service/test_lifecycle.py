"""The life of an execution environment: each story of it by name, and all the others by chance."""

from __future__ import annotations

import json
from random import Random
from typing import TypeVar

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from lambdatui import events as ev
from lambdatui.function import LoggingConfig
from lambdatui.service import effects as do
from lambdatui.service import inputs as it
from lambdatui.service import lifecycle as lc
from lambdatui.service.lifecycle import State, Terms
from lambdatui.service.logs import EnvironmentLog
from lambdatui.service.platform_records import PlatformRecords

NEXT = it.NextRequested(20)
NEXT_OF_A = it.ExtensionNextRequested("a", 1)
E = TypeVar("E")
EXIT = it.Exited("Runtime exited with error: exit status 1", 30)


class Story:
    """A lifecycle told as steps: each takes seconds and an input, and leaves the effects behind."""

    def __init__(self, dialect: str = "current", timeout: int = 3, extensions: tuple[str, ...] = ()) -> None:
        self.machine = lc.Lifecycle("env", Terms(timeout, 128, dialect, extensions=extensions))
        self.now = 1_700_000_000.0
        self.effects: list[do.Effect] = self.machine.begin()

    def then(self, given: it.Input, seconds: float = 0.0) -> Story:
        self.now += seconds
        self.effects += self.machine.handle(self.now, given)
        return self

    def warm(self) -> Story:
        """After a first invocation that succeeded."""
        self.then(it.Invoke("1")).then(it.ProcessStarted()).then(it.RuntimeInitDone(), 0.04).then(NEXT, 0.01)
        self.then(it.Responded("1"), 0.1).then(NEXT)
        self.effects.clear()
        return self

    def with_extensions(self) -> Story:
        """The same, where `a` gets INVOKE and SHUTDOWN, and `b` nothing."""
        self.then(it.Invoke("1")).then(it.ExtensionStarted("a")).then(it.ExtensionStarted("b"))
        self.then(it.ExtensionRegistered("a", True, ("INVOKE", "SHUTDOWN"))).then(NEXT_OF_A)
        self.then(it.ExtensionRegistered("b", True, ())).then(it.ExtensionNextRequested("b", 1))
        self.then(it.ProcessStarted()).then(NEXT).then(it.Responded("1")).then(NEXT).then(NEXT_OF_A)
        assert self.machine.state == State.IDLE
        self.effects.clear()
        return self

    def all_of(self, kind: type[E]) -> list[E]:
        found = [each.event if isinstance(each, do.Emit) else each for each in self.effects]
        return [each for each in found if isinstance(each, kind)]

    @property
    def kinds(self) -> list[str]:
        return [type(each.event if isinstance(each, do.Emit) else each).__name__ for each in self.effects]


def test_a_cold_start() -> None:
    story = Story().then(it.Invoke("1")).then(it.ProcessStarted()).then(it.RuntimeInitDone(), 0.04).then(NEXT, 0.02)
    assert story.kinds == [
        *("Spawn", "InitStarted", "SetTimer", "InitPhaseFinished", "InitPhaseFinished", "InitPhaseFinished"),
        *("InitFinished", "CancelTimer", "InvocationStarted", "SetTimer", "AnswerNext"),
    ]
    assert [(each.part, each.duration_ms) for each in story.all_of(ev.InitPhaseFinished)] == [
        ("extension", 0.0),
        ("runtime", 40.0),
        ("function", 20.0),
    ]
    story.then(it.Responded("{}"), 0.0025).then(NEXT)
    [finished] = story.all_of(ev.InvocationFinished)
    assert (finished.duration_ms, finished.init_duration_ms, finished.billed_duration_ms) == (2.5, 60.0, 63)
    assert story.kinds[-3:] == ["Released", "Freeze", "EnvironmentFrozen"]


def test_a_warm_invocation_thaws_and_has_no_init_duration() -> None:
    story = Story().warm().then(it.Invoke("2"), 10.0)
    assert story.kinds == ["Thaw", "AnswerNext", "EnvironmentThawed", "InvocationStarted", "SetTimer"]
    story.then(it.Responded("2"), 0.001).then(NEXT)
    [finished] = story.all_of(ev.InvocationFinished)
    assert finished.init_duration_ms is None
    assert finished.billed_duration_ms == 1


def test_a_function_error_resets_nothing() -> None:
    story = Story().warm().then(it.Invoke("2")).then(it.Errored('{"errorType":"ValueError"}'), 0.1).then(NEXT)
    assert story.all_of(do.Reply) == [do.Reply("2", "failed", '{"errorType":"ValueError"}', "Unhandled")]
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
    story = Story(dialect).warm().then(it.Invoke("2")).then(it.TimeIsUp(25), 3.001)
    assert story.kinds[-3:] == ["Reply", "CancelTimer", "Kill"], "the caller is answered before anything else"
    assert json.loads(story.all_of(do.Reply)[0].payload) == body
    story.then(it.Responded("too late")).then(EXIT, 0.003)
    [finished] = story.all_of(ev.InvocationFinished)
    assert (finished.duration_ms, finished.billed_duration_ms, finished.status) == (duration, billed, "timed_out")
    assert story.all_of(ev.EnvironmentReset) == [ev.EnvironmentReset("env", "timeout")]


def test_an_answer_after_the_deadline_is_a_timeout_although_the_timer_is_late() -> None:
    story = Story().warm().then(it.Invoke("2")).then(it.Responded('"slept well"'), 3.0001)
    assert story.all_of(do.Reply)[0].status == "timed_out"
    assert story.machine.state == State.RESETTING


def test_the_invocation_after_a_reset_pays_a_suppressed_init() -> None:
    story = Story().warm().then(it.Invoke("2")).then(EXIT, 0.1)
    story.effects.clear()
    story.then(it.Invoke("3")).then(it.ProcessStarted(), 5.0).then(NEXT, 0.05).then(it.Responded("3"), 0.01).then(NEXT)
    assert story.all_of(ev.InitStarted) == [ev.InitStarted("env", "invoke", True, "3")]
    assert story.all_of(ev.InvocationStarted)[0].deadline == story.now - 0.06 + 3
    [finished] = story.all_of(ev.InvocationFinished)
    assert (finished.duration_ms, finished.init_duration_ms) == (60.0, None)


def test_an_init_that_fails_is_tried_once_more_inside_the_invocation() -> None:
    error = it.InitErrored("Runtime.ImportModuleError", '{"errorType":"Runtime.ImportModuleError"}')
    story = Story().then(it.Invoke("1")).then(it.ProcessStarted()).then(error, 0.05).then(EXIT)
    assert story.all_of(do.Reply) == []
    story.then(it.ProcessStarted()).then(error, 0.06)
    assert story.all_of(do.Reply)[0].payload == error.body
    story.then(EXIT)
    assert [(each.phase, each.suppressed, each.status) for each in story.all_of(ev.InitFinished)] == [
        ("init", False, "error"),
        ("invoke", False, "error"),
    ]
    [finished] = story.all_of(ev.InvocationFinished)
    assert (finished.duration_ms, finished.error_type) == (60.0, "Runtime.ImportModuleError")


def test_an_init_over_ten_seconds_is_tried_again_under_the_functions_timeout() -> None:
    story = Story().then(it.Invoke("1")).then(it.ProcessStarted()).then(it.TimeIsUp(9), 10.0).then(EXIT)
    story.then(it.ProcessStarted()).then(it.TimeIsUp(9), 3.0).then(EXIT)
    assert [(each.phase, each.status) for each in story.all_of(ev.InitFinished)] == [
        ("init", "timeout"),
        ("invoke", "timeout"),
    ]
    assert story.all_of(ev.InvocationFinished)[0].status == "timed_out"


def test_a_runtime_that_exits_after_its_answer_resets_and_the_answer_stands() -> None:
    story = Story().warm().then(it.Invoke("2")).then(it.Responded("2")).then(EXIT)
    assert [each.status for each in story.all_of(do.Reply)] == ["succeeded"]
    assert story.all_of(ev.InvocationFinished)[0].error_type == "Runtime.ExitError"
    assert story.machine.state == State.RESET


def test_a_retired_environment_ends_with_its_invocation() -> None:
    story = Story().warm().then(it.Invoke("2")).then(it.Retire("the code changed")).then(it.Responded("2"))
    assert story.machine.state == State.RESPONDED
    story.then(NEXT).then(EXIT)
    assert story.kinds[-5:] == ["Released", "CancelTimer", "Kill", "EnvironmentEnded", "Ended"]


@pytest.mark.parametrize("dialect", ["current", "classic"])
@pytest.mark.parametrize(
    ("end", "sentence", "marks"),
    [
        (EXIT, "Error: Runtime exited with error: exit status 1", "Status: error\tError Type: Runtime.ExitError"),
        (it.TimeIsUp(25), "Task timed out after 3.00 seconds", "Status: timeout"),
    ],
)
def test_the_log_tells_what_happened_after_the_response_and_not_what_the_caller_got(
    dialect: str, end: it.Input, sentence: str, marks: str
) -> None:
    story = Story(dialect).warm().then(it.Invoke("2")).then(it.Responded('{"errorMessage":"mine"}'), 0.1).then(end, 3.0)
    if story.machine.state == State.RESETTING:
        story.then(EXIT)
    records = PlatformRecords("F", "arn", "$LATEST", "us-east-1", "python:3.11.v1", "on-demand", "stream", 128)
    log = EnvironmentLog(dialect, LoggingConfig(), records)
    *failure, end_line, report = [
        line for each in story.effects if isinstance(each, do.Emit) for line in log.after(story.now, each.event)
    ][1:]
    assert end_line == "END RequestId: 2"
    if dialect == "classic":
        assert len(failure) == 1 and sentence in failure[0] and "mine" not in failure[0]
    else:
        assert failure == [] and report.endswith(marks)


def streaming(dialect: str = "current") -> Story:
    return (
        Story(dialect).warm().then(it.Invoke("2")).then(it.ResponsePart(b"one"), 0.1).then(it.ResponsePart(b"\xc3"), 1)
    )


def test_a_streamed_response_has_one_first_byte_and_is_answered_at_its_end() -> None:
    story = streaming()
    assert story.kinds[-3:] == ["InvocationStreamed", "Send", "Send"]
    assert story.machine.state == State.BUSY
    story.then(it.ResponsePart(b"\xbc")).then(it.ResponseEnd(None, "")).then(NEXT)
    assert story.all_of(ev.InvocationStreamed) == [ev.InvocationStreamed("2")]
    assert [each.part for each in story.all_of(do.Send)] == [b"one", b"\xc3", b"\xbc"]
    assert story.all_of(do.Reply) == [do.Reply("2", "succeeded", "oneü", None)]
    assert story.all_of(ev.InvocationFinished)[0].status == "succeeded"


def test_a_streamed_response_may_be_empty() -> None:
    story = Story().warm().then(it.Invoke("2")).then(it.ResponseEnd(None, ""))
    assert story.all_of(do.Reply) == [do.Reply("2", "succeeded", "", None)]
    assert story.all_of(ev.InvocationStreamed) == []


def test_a_failure_in_the_middle_of_a_stream_is_told_and_still_a_success() -> None:
    story = streaming().then(it.ResponseEnd("Function.Oops", '{"a":1}')).then(NEXT)
    assert story.all_of(do.Reply) == [do.Reply("2", "succeeded", "one\ufffd", None, "Function.Oops", '{"a":1}')]
    [finished] = story.all_of(ev.InvocationFinished)
    assert (finished.status, finished.error_type) == ("succeeded", None)
    assert story.machine.state == State.IDLE


@pytest.mark.parametrize("dialect", ["current", "classic"])
@pytest.mark.parametrize(
    ("end", "status", "error_code", "message"),
    [
        (EXIT, "failed", "Runtime.ExitError", "Runtime exited with error: exit status 1"),
        (it.TimeIsUp(25), "timed_out", "Sandbox.Timedout", "Task timed out after 3.00 seconds"),
        (it.ResponseTooLarge(209715200), "failed", "Function.ResponseSizeTooLarge", "(209715200 bytes)"),
    ],
)
def test_what_was_streamed_before_the_end_came_stays_with_the_caller(
    dialect: str, end: it.Input, status: str, error_code: str, message: str
) -> None:
    [reply] = streaming(dialect).then(end, 1.0).all_of(do.Reply)
    assert (reply.status, reply.payload, reply.function_error) == (status, "one\ufffd", "Unhandled")
    assert reply.error_code == error_code
    assert message in json.loads(reply.error_details or "")["errorMessage"]


def test_the_next_invocation_begins_with_nothing_sent() -> None:
    story = streaming().then(it.ResponseEnd(None, "")).then(NEXT).then(it.Invoke("3")).then(EXIT)
    assert story.all_of(do.Reply)[1].error_code is None
    assert json.loads(story.all_of(do.Reply)[1].payload)["errorType"] == "Runtime.ExitError"


def test_what_cannot_happen_is_a_defect() -> None:
    with pytest.raises(lc.IllegalInput):
        Story().then(NEXT)


# -- with extensions ------------------------------------------------------------------------------------------------


def test_the_runtime_starts_when_every_extension_has_registered() -> None:
    story = Story(extensions=("a", "b")).then(it.Invoke("1"))
    story.then(it.ExtensionStarted("a")).then(it.ExtensionRegistered("a", True, ("INVOKE",)), 0.1)
    assert story.kinds == ["SpawnExtensions", "InitStarted", "SetTimer"]
    story.then(it.ExtensionRegistered("b", True, ()), 0.1).then(it.ExtensionStarted("b"))  # one that was very quick
    assert story.kinds[3:] == ["InitPhaseFinished", "Spawn"]
    story.then(it.ProcessStarted()).then(it.RuntimeInitDone(), 0.04).then(NEXT, 0.02)
    assert [(each.part, each.duration_ms) for each in story.all_of(ev.InitPhaseFinished)] == [
        ("extension", 200.0),
        ("runtime", 40.0),
        ("function", 20.0),
    ]
    assert story.machine.state == State.INIT, "the extensions are not ready yet"
    story.then(NEXT_OF_A, 0.3).then(it.ExtensionNextRequested("b", 1), 0.04)
    assert story.all_of(ev.InitFinished)[0].duration_ms == 600.0
    assert story.all_of(do.AnswerNext)[0].extensions == ("a",), "only those that asked for INVOKE"
    assert [(each.name, each.state, each.events) for each in story.all_of(ev.ExtensionInitFinished)] == [
        ("a", "Ready", ("INVOKE",)),
        ("b", "Ready", ()),
    ]


def test_the_caller_is_answered_by_the_runtime_and_the_invocation_ends_with_the_extensions() -> None:
    story = Story(extensions=("a", "b")).with_extensions().then(it.Invoke("2")).then(it.Responded("2"), 0.01)
    assert story.all_of(do.Reply)[0].payload == "2"
    assert story.then(NEXT).all_of(ev.InvocationFinished) == []
    story.then(NEXT_OF_A, 0.09)
    assert story.all_of(ev.InvocationFinished)[0].duration_ms == 100.0
    assert story.kinds[-3:] == ["Released", "Freeze", "EnvironmentFrozen"]


def test_an_extension_that_goes_on_past_the_deadline_is_a_timeout_and_the_answer_stands() -> None:
    story = Story(extensions=("a", "b")).with_extensions()
    story.then(it.Invoke("2")).then(it.Responded("2"), 0.01).then(NEXT).then(it.TimeIsUp(1), 3.0).then(EXIT)
    assert [each.status for each in story.all_of(do.Reply)] == ["succeeded"]
    assert story.all_of(ev.InvocationFinished)[0].status == "timed_out"


@pytest.mark.parametrize("runtime_obeys", [True, False])
def test_a_shutdown_with_external_extensions(runtime_obeys: bool) -> None:
    story = Story(extensions=("a", "b")).with_extensions().then(it.ShutDown("reclaimed"), 60.0)
    began = story.now
    assert story.kinds == ["CancelTimer", "EnvironmentShutdown", "Thaw", "Terminate", "SetTimer"]
    assert story.all_of(do.SetTimer)[0].at == began + 0.3
    story.effects.clear()
    if not runtime_obeys:
        assert story.then(it.TimeIsUp(1), 0.3).kinds == ["KillRuntime"]
    story.then(EXIT, 0.01)
    assert story.all_of(do.KillExtensions) == [do.KillExtensions(("b",))], "it did not ask for SHUTDOWN"
    assert story.all_of(do.SendShutdown) == [do.SendShutdown(("a",), "spindown", began + 2.0)]
    story.then(it.ExtensionExited("b", "signal: killed", 1)).then(it.TimeIsUp(1), 1.7)
    assert story.kinds[-1] == "Kill", "its time is over"
    story.then(it.ExtensionExited("a", "signal: killed", 1))
    assert story.kinds[-2:] == ["EnvironmentEnded", "Ended"]


def test_a_shutdown_with_internal_extensions_only_gives_the_runtime_half_a_second() -> None:
    story = Story().then(it.Invoke("1")).then(it.ProcessStarted())
    story.then(it.ExtensionRegistered("inside", False, ())).then(it.ExtensionNextRequested("inside", 1)).then(NEXT)
    story.then(it.Responded("1")).then(NEXT)
    story.effects.clear()
    story.then(it.ShutDown("reclaimed"))
    assert story.all_of(do.SetTimer)[0].at == story.now + 0.5
    assert story.then(EXIT).kinds[-2:] == ["EnvironmentEnded", "Ended"]


def test_a_timeout_is_told_at_once_and_the_environment_is_free_after_its_shutdown() -> None:
    story = Story(extensions=("a", "b")).with_extensions().then(it.Invoke("2")).then(it.TimeIsUp(1), 3.0)
    assert story.all_of(do.Reply)[0].status == "timed_out"
    story.then(EXIT)
    assert story.all_of(ev.InvocationFinished)[0].duration_ms == 3000.0
    assert story.all_of(do.SendShutdown)[0].reason == "timeout"
    assert story.all_of(do.Released) == []
    story.then(it.ExtensionExited("b", "signal: killed", 1)).then(it.ExtensionExited("a", "exit code 0", 1), 0.1)
    assert story.kinds[-2:] == ["Released", "EnvironmentReset"]
    story.effects.clear()
    assert story.then(it.Invoke("3")).kinds == ["SpawnExtensions"]


def test_an_extension_that_exits_fails_the_invocation() -> None:
    story = Story(extensions=("a", "b")).with_extensions().then(it.Invoke("2"))
    story.then(it.ExtensionExited("b", "exit status 1", 1), 0.02)
    assert json.loads(story.all_of(do.Reply)[0].payload) == {
        "errorType": "Extension.Crash",
        "errorMessage": "RequestId: 2 Error: exit status 1",
    }
    story.then(EXIT).then(it.ExtensionExited("a", "exit code 0", 1))
    assert story.all_of(ev.InvocationFinished)[0].error_type == "Extension.Crash"
    assert story.all_of(ev.EnvironmentReset) == [ev.EnvironmentReset("env", "failure")]


@pytest.mark.parametrize(("call", "error_type"), [("init", "Extension.InitError"), ("exit", "Extension.ExitError")])
def test_an_extension_that_says_why_it_exits_is_believed(call: str, error_type: str) -> None:
    def fails(story: Story) -> None:
        story.then(it.ExtensionStarted("a")).then(it.ExtensionRegistered("a", True, ("SHUTDOWN",)))
        story.then(it.ExtensionErred("a", call, "Own.Word")).then(it.ExtensionExited("a", "exit status 1", 1))

    story = Story(extensions=("a",)).then(it.Invoke("1"))
    fails(story)
    story.then(it.ProcessStarted()).then(EXIT)  # the runtime was just being started
    fails(story)
    story.then(it.ProcessStarted()).then(EXIT)
    assert [(each.phase, each.error_type) for each in story.all_of(ev.InitFinished)] == [
        ("init", error_type),
        ("invoke", error_type),
    ]
    assert {each.error_type for each in story.all_of(ev.ExtensionInitFinished)} == {"Own.Word"}
    assert json.loads(story.all_of(do.Reply)[0].payload)["errorType"] == error_type


def test_an_extension_that_cannot_be_started_fails_the_init_twice() -> None:
    missing = it.ExtensionNotLaunched("a", "permission denied", "PermissionDenied")
    story = Story(extensions=("a",)).then(it.Invoke("1")).then(missing).then(missing)
    [first, second] = story.all_of(ev.InitFinished)
    assert (first.phase, second.phase, first.error_type) == ("init", "invoke", "Extension.LaunchError")
    assert story.all_of(ev.ExtensionInitFinished)[0] == ev.ExtensionInitFinished(
        "env", "a", "LaunchError", (), "PermissionDenied"
    )
    assert story.machine.state == State.RESET


def test_the_eleventh_extension_is_one_too_many() -> None:
    names = tuple(f"extension{n:02}" for n in range(11))
    story = Story(extensions=names).then(it.Invoke("1"))
    for name in names[:10]:
        story.then(it.ExtensionStarted(name))
    assert story.machine.state == State.FAILING
    assert set(story.all_of(do.KillExtensions)[0].names) == set(names[:10])


def test_an_end_at_once_does_not_wait_for_a_shutdown_that_has_begun() -> None:
    story = Story(extensions=("a", "b")).with_extensions().then(it.ShutDown("reclaimed")).then(it.End("closed"))
    assert story.kinds[-2:] == ["CancelTimer", "Kill"]
    story.then(EXIT).then(it.ExtensionExited("a", "signal: killed", 1)).then(
        it.ExtensionExited("b", "signal: killed", 1)
    )
    assert story.all_of(do.SendShutdown) == []
    assert story.all_of(ev.EnvironmentEnded) == [ev.EnvironmentEnded("env", "reclaimed")]


class AnyLife(RuleBasedStateMachine):
    """Whatever happens, in whatever order that the world allows: one that carries out the effects."""

    def __init__(self) -> None:
        super().__init__()
        self.now = 0.0
        self.requests = 0
        self.open: set[str] = set()
        self.finished: list[str] = []
        self.processes: dict[str, str] = {}  # 'starting', 'running', 'dying', by name; the runtime's name is ''
        self.doing: dict[str, str] = {}  # 'init', 'registered' (extensions), 'next', 'working', 'posted' (the runtime)
        self.events: dict[str, tuple[str, ...]] = {}
        self.told: set[str] = set()  # SHUTDOWN
        self.frozen = False
        self.sent = ""
        self.timer = False
        self.over = False

    @initialize(dialect=st.sampled_from(["current", "classic"]), extensions=st.integers(0, 2))
    def begin(self, dialect: str, extensions: int) -> None:
        terms = Terms(3, 128, dialect, extensions=("a", "b")[:extensions])
        self.machine = lc.Lifecycle("env", terms)
        self.carry_out(self.machine.begin())

    def give(self, given: it.Input) -> None:
        self.carry_out(self.machine.handle(self.now, given))

    def carry_out(self, effects: list[do.Effect]) -> None:
        for effect in effects:
            match effect:
                case do.Spawn():
                    assert "" not in self.processes and not self.frozen
                    assert all(self.doing[name] != "init" for name in self.processes), "all have registered"
                    self.processes[""], self.doing[""] = "starting", "init"
                case do.SpawnExtensions(names):
                    assert not self.processes
                    self.doing, self.events, self.told, self.frozen = {}, {}, set(), False
                    self.processes = dict.fromkeys(names, "starting")
                    self.doing = dict.fromkeys(names, "init")
                case do.Kill():
                    self.kill(*self.processes)
                case do.KillRuntime():
                    self.kill("")
                case do.KillExtensions(names):
                    assert all(self.processes[name] == "running" for name in names)
                    self.kill(*names)
                case do.Terminate():
                    assert self.processes[""] == "running" and not self.frozen
                case do.SendShutdown(names, _, deadline):
                    assert "" not in self.processes and not self.frozen and deadline >= self.now
                    assert all(self.processes[name] == "running" for name in names)
                    assert all("SHUTDOWN" in self.events[name] for name in names)
                    self.told |= set(names)
                case do.Freeze():
                    assert not self.frozen and all(each == "next" for each in self.doing.values())
                    self.frozen = True
                case do.Thaw():
                    self.frozen = False
                case do.AnswerNext(request_id, deadline, extensions):
                    assert not self.frozen and deadline > self.now and self.doing[""] == "next"
                    assert set(extensions) == {name for name, events in self.events.items() if "INVOKE" in events}
                    self.sent = ""
                    for name in ("", *extensions):
                        assert self.doing[name] == "next"
                        self.doing[name] = "working"
                    assert request_id == self.machine.running
                case do.Reply(request_id, status, payload, _, error_code, details):
                    self.open.remove(request_id)
                    if self.doing.get("") == "streaming":
                        assert payload == self.sent and (error_code is None) == (details is None)
                        assert error_code or status == "succeeded"
                    else:
                        json.loads(payload)
                case do.SetTimer(at):
                    assert at >= self.now
                    self.timer = True
                case do.CancelTimer():
                    self.timer = False
                case do.Emit(ev.InvocationFinished(request_id, billed_duration_ms=billed)):
                    assert request_id not in self.open and billed >= 0
                    assert request_id not in self.finished, "an invocation finishes once"
                    self.finished.append(request_id)
                case do.Emit(ev.EnvironmentReset()):
                    self.frozen = False
                case do.Ended():
                    assert not self.processes and not self.timer
                    self.over = True

    def kill(self, *names: str) -> None:
        for name in names:
            if self.processes.get(name) == "running":
                self.processes[name] = "dying"

    def of(self, *states: str) -> list[str]:
        return [name for name, state in self.processes.items() if state in states]

    @precondition(lambda self: not self.over and self.machine.request_id is None)
    @rule()
    def invoke(self) -> None:
        if self.machine.state in (State.STARTING, State.INIT, State.IDLE, State.RESET):
            self.requests += 1
            self.open.add(str(self.requests))
            self.give(it.Invoke(str(self.requests)))

    @rule(seconds=st.floats(0.0, 2.0))
    def wait(self, seconds: float) -> None:
        self.now += seconds

    @precondition(lambda self: self.of("starting"))
    @rule(works=st.booleans(), which=st.randoms(use_true_random=False))
    def start(self, works: bool, which: Random) -> None:
        name = which.choice(self.of("starting"))
        if works:
            self.processes[name] = "running"
            self.give(it.ExtensionStarted(name) if name else it.ProcessStarted())
        else:
            del self.processes[name]
            missing = it.Exited("no such file", 0, "Runtime.InvalidEntrypoint")
            self.give(it.ExtensionNotLaunched(name, "no such file", "UnknownError") if name else missing)

    @precondition(lambda self: "" in self.of("running", "dying") and not self.frozen)
    @rule(what=st.sampled_from(["ready", "next", "error", "response", "part", "end", "broken end"]))
    def runtime_does(self, what: str) -> None:
        doing = self.doing[""]
        if what == "ready":
            self.give(it.RuntimeInitDone())
        elif what == "next" and doing in ("init", "posted"):
            self.doing[""] = "next"
            self.give(it.NextRequested(1))
        elif what == "error" and doing == "init":
            self.doing[""] = "failed"
            self.give(it.InitErrored("Runtime.Unknown", "{}"))
        elif what in ("error", "response") and doing == "working":
            self.doing[""] = "posted"
            self.give(it.Errored("{}") if what == "error" else it.Responded("{}"))
        elif what == "part" and doing in ("working", "streaming"):
            self.doing[""] = "streaming"
            if self.processes[""] == "running":
                self.sent += "x"
            self.give(it.ResponsePart(b"x"))
        elif what in ("end", "broken end") and doing == "streaming":
            self.give(it.ResponseEnd("Function.Oops" if what == "broken end" else None, "{}"))
            self.doing[""] = "posted"

    @precondition(lambda self: self.of("running", "dying") and not self.frozen)
    @rule(
        which=st.randoms(use_true_random=False),
        what=st.sampled_from(["go on", "error"]),
        events=st.sampled_from([(), ("INVOKE",), ("SHUTDOWN",), ("INVOKE", "SHUTDOWN")]),
    )
    def extension_does(self, which: Random, what: str, events: tuple[str, ...]) -> None:
        name = which.choice(self.of("running", "dying"))
        doing = self.doing[name]
        if not name:
            self.internal_extension_does(events)
        elif doing == "init":
            self.doing[name], self.events[name] = "registered", events
            self.give(it.ExtensionRegistered(name, True, events))
        elif what == "error" and doing in ("registered", "working"):
            self.doing[name] = "failed"
            self.give(it.ExtensionErred(name, "exit" if doing == "working" else "init", "Own.Word"))
        elif doing in ("registered", "working"):
            self.doing[name] = "next"
            self.give(it.ExtensionNextRequested(name, 1))

    def internal_extension_does(self, events: tuple[str, ...]) -> None:
        doing = self.doing.get("inside")
        if doing is None and self.doing[""] == "init" and self.machine.state in (State.INIT, State.REINIT):
            self.doing["inside"], self.events["inside"] = "registered", events[:1] if "INVOKE" in events else ()
            self.give(it.ExtensionRegistered("inside", False, self.events["inside"]))
        elif doing in ("registered", "working"):
            self.doing["inside"] = "next"
            self.give(it.ExtensionNextRequested("inside", 1))

    @precondition(lambda self: self.of("running", "dying"))
    @rule(which=st.randoms(use_true_random=False))
    def exit(self, which: Random) -> None:
        name = which.choice(self.of("running", "dying"))
        del self.processes[name]
        if not name:
            self.doing.pop("inside", None)
            self.events.pop("inside", None)
        self.give(it.ExtensionExited(name, "exit status 1", 1) if name else EXIT)
        if not self.processes:
            self.doing, self.events, self.frozen = {}, {}, False

    @precondition(lambda self: self.timer)
    @rule()
    def time_is_up(self) -> None:
        self.timer = False
        self.now += 10.0
        self.give(it.TimeIsUp(1))

    @rule()
    def retire(self) -> None:
        self.give(it.Retire("the code changed"))

    @precondition(lambda self: self.machine.request_id is None)
    @rule(at_once=st.booleans())
    def end(self, at_once: bool) -> None:
        self.give(it.End("closed") if at_once else it.ShutDown("reclaimed"))

    @invariant()
    def holds(self) -> None:
        if not hasattr(self, "machine"):
            return
        state = self.machine.state
        assert len(self.open) <= 1
        if state == State.IDLE:
            assert self.frozen and not self.open and not self.timer
        if state in (State.BUSY, State.RESPONDED, State.INIT, State.REINIT):
            assert self.timer and not self.frozen
        if state == State.RESPONDED:
            assert "" in self.processes and any(each != "next" for each in self.doing.values())
        if state in (State.RESET, State.ENDED):
            assert not self.processes
        if state in (State.FAILING, State.RESETTING, State.ENDING) and not self.frozen:
            waits_for_start = self.of("starting") or self.of("dying")
            assert self.timer or waits_for_start, "somebody will see to it that it ends"


TestAnyLife = AnyLife.TestCase
TestAnyLife.settings = settings(max_examples=150, stateful_step_count=40, deadline=None)
