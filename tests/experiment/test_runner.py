from __future__ import annotations

import asyncio
import re
from collections.abc import Callable
from pathlib import Path

import pytest

from lambdatui import events as ev
from lambdatui.events import Json
from lambdatui.experiment.loader import load
from lambdatui.experiment.runner import Runner
from lambdatui.experiment.schema import ExperimentFile
from lambdatui.experiment.target import TargetError
from lambdatui.function import Code, Configuration
from lambdatui.refusal import InvalidParameter, RuntimeMissing
from tests.experiment.fake import FakeTarget

Load = Callable[[str], ExperimentFile]


def kinds(target: FakeTarget) -> list[str]:
    return [type(record.event).__name__ for record in target.journal.records]


def finished(target: FakeTarget) -> list[ev.StepFinished]:
    return [record.event for record in target.journal.records if isinstance(record.event, ev.StepFinished)]


async def ran(experiment: ExperimentFile, target: FakeTarget) -> list[ev.StepFinished]:
    runner = Runner(experiment, target, "en")
    await runner.open()
    await runner.run_all()
    return finished(target)


async def test_opening_tells_the_whole_experiment_in_one_language(experiment: Load) -> None:
    target = FakeTarget()
    steps = """\
  - name: {en: one, zh-Hant: 一}
    say: {en: said, zh-Hant: 說}
    predict: {ask: really, choices: [{en: yes, zh-Hant: 是}, no], answer: 1}
    hint: {en: think, zh-Hant: 先想}
    highlight: return
    invoke: {times: 3, parallel: true, event: {a: 1}}
    expect: {status: succeeded, log: [a, b]}
next: reuse
"""
    await Runner(experiment(steps), target, "zh-Hant").open()
    opened, created = (record.event for record in target.journal.records)
    assert isinstance(created, ev.FunctionCreated) and isinstance(opened, ev.ExperimentOpened)
    assert (opened.title, opened.about, opened.language) == ("An experiment", "", "zh-Hant")
    assert opened.steps == (
        {
            "name": "一",
            "say": "說",
            "action": 'invoke F 3 times at once with {"a": 1}',
            "predict": {"ask": "really", "choices": ["是", "no"], "answer": 1},
            "expects": ["status succeeded", "log a", "log b"],
            "explain": "",
            "hints": ["先想"],
            "highlight": {"function": "F", "file": "app.py", "pattern": "return", "lines": None},
        },
    )
    assert opened.following == {"name": "reuse", "title": "重複使用執行環境"}
    assert target.functions == {"F": Configuration("app.handler")}
    assert target.codes == {"F": Code(source="def handler(event, context): return 1", name="app.py")}


@pytest.mark.parametrize(
    ("action", "words"),
    [
        ("invoke: {}", "invoke F once"),
        ("invoke: {times: 2, event: [1]}", "invoke F 2 times one after another with [1]"),
        ("update: {timeout: 901, environment: {A: b}}", 'update F: timeout = 901, environment = {"A": "b"}'),
        ("edit: {file: app.py, text: x}", "edit app.py of F"),
        ("wait: 1.5", "wait 1.5 s"),
        ("wait: {until: idle}", "wait until nothing is in flight"),
        ("reclaim: F", "reclaim the idle environments of F"),
        ("reclaim: {}", "reclaim the idle environments"),
        ("explain: a page to read", ""),
    ],
)
async def test_actions_in_words(experiment: Load, action: str, words: str) -> None:
    runner = Runner(experiment(f"  - {{name: s, {action}}}\n"), FakeTarget())
    await runner.open()
    assert runner.lab.experiment and runner.lab.experiment.steps[0].action == words


async def test_a_run_from_end_to_end(experiment: Load) -> None:
    target = FakeTarget()
    steps = """\
  - {name: a, invoke: {times: 2}, expect: {status: succeeded, cold_starts: 1, log_streams: 1}}
  - {name: b, invoke: {times: 2, parallel: true}, expect: {new_environments: 1, log_streams: 2}}
  - {name: c, reclaim: {}}
  - {name: d, wait: 0}
  - {name: e, invoke: {}, expect: {cold_starts: 1}}
"""
    runner = Runner(experiment(steps), target)
    await runner.open()
    assert await runner.run_all()
    assert runner.next_step is None
    assert all(step.passed and step.error is None for step in finished(target))
    assert [check["actual"] for check in finished(target)[1].checks] == [1, 2]
    assert kinds(target)[-1] == "ExperimentFinished"
    assert [invocation.step for invocation in runner.lab.invocations.values()] == [0, 0, 1, 1, 4]


async def test_hints_are_told_one_by_one_until_the_step_runs(experiment: Load) -> None:
    runner = Runner(experiment("  - {name: a, hint: [x, y]}\n  - {name: b, hint: x}\n"), FakeTarget())
    await runner.open()
    runner.take_hint(0)
    runner.take_hint(0)
    with pytest.raises(ValueError, match="no further hint"):
        runner.take_hint(0)
    await runner.step()
    for step in (0, 2, -1):
        with pytest.raises(ValueError, match="no hints now"):
            runner.take_hint(step)
    assert runner.lab.experiment and [step.hints_taken for step in runner.lab.experiment.steps] == [2, 0]
    await runner.restart()
    assert runner.lab.experiment.hints_taken == 0


async def test_one_expectation_that_does_not_hold_fails_the_experiment(experiment: Load) -> None:
    target = FakeTarget()
    steps = "  - {name: a, invoke: {}, expect: {cold_starts: 2}}\n  - {name: b, invoke: {}}\n"
    first, second = await ran(experiment(steps), target)
    assert (first.passed, second.passed) == (False, True)
    assert first.checks == ({"expect": "cold_starts", "expected": 2, "actual": 1, "passed": False},)
    assert target.journal.records[-1].event == ev.ExperimentFinished(False)


async def test_a_refused_update_is_the_failure_of_the_step_unless_it_is_expected(experiment: Load) -> None:
    steps = """\
  - {name: a, update: {timeout: 900}}
  - {name: b, update: {timeout: 901}}
  - {name: c, update: {timeout: 901}, expect: {rejected: less than or equal to 900}}
  - {name: d, update: {timeout: 5}, expect: {rejected: anything}}
"""
    a, b, c, d = await ran(experiment(steps), FakeTarget())
    assert a.passed and a.error is None
    assert not b.passed and b.error and b.error.startswith("The update was refused: 1 validation error detected")
    assert c.passed and c.error is None
    assert not d.passed and d.checks[0]["actual"] is None


async def test_edits_build_on_each_other(experiment: Load) -> None:
    target = FakeTarget()
    steps = """\
  - {name: a, edit: {file: app.py, replace: {return 1: return 2}}}
  - {name: b, edit: {file: app.py, replace: {return 2: return 3}}}
"""
    for step in await ran(experiment(steps.replace("{return 2: return 3}", "{return 1: return 3}")), target):
        assert step.passed is (step.step == 0)
    assert finished(target)[1].error == "app.py has no 'return 1' in it to replace"


async def test_what_a_target_refuses_is_one_sentence(experiment: Load) -> None:
    class Refusing(FakeTarget):
        async def reclaim(self, function: str | None) -> None:
            raise {"F": TargetError("Not now."), None: RuntimeError("a defect")}[function]

        async def edit(self, function: str, file: str, text: str) -> None:
            raise InvalidParameter("No such thing.")

    steps = "  - {name: a, reclaim: F}\n  - {name: b, reclaim: {}}\n  - {name: c, edit: {file: a, text: b}}\n"
    errors = [step.error for step in await ran(experiment(steps), Refusing())]
    assert errors == ["Not now.", "The step could not be carried out: RuntimeError: a defect", "No such thing."]


async def test_a_function_that_cannot_be_created(experiment: Load) -> None:
    class Refusing(FakeTarget):
        async def create(self, name: str, configuration: Configuration, code: Code) -> None:
            raise InvalidParameter("python3.8 is not installed here")

    with pytest.raises(TargetError, match=r"python3\.8 is not installed here"):
        await Runner(experiment("  - {name: a}\n"), Refusing()).open()


async def test_predictions(experiment: Load) -> None:
    target = FakeTarget()
    steps = "  - {name: a, predict: {ask: q, choices: [x, y], answer: 1}}\n  - {name: b}\n"
    runner = Runner(experiment(steps), target)
    await runner.open()
    for step, choice in ((0, 0), (0, 3), (1, 1), (7, 1)):
        with pytest.raises(ValueError, match="step"):
            runner.predict(step, choice)
    await runner.step(2)
    assert kinds(target)[-3:] == ["PredictionMade", "StepStarted", "StepFinished"]
    with pytest.raises(ValueError, match="cannot be predicted now"):
        runner.predict(0, 1)


async def test_a_step_too_many(experiment: Load) -> None:
    target = FakeTarget()
    runner = Runner(experiment("  - {name: a, invoke: {}}\n"), target)
    with pytest.raises(ValueError, match="no further step"):
        await runner.step()
    await runner.open()
    target.held = asyncio.Event()
    first = asyncio.ensure_future(runner.step())
    await asyncio.sleep(0)
    with pytest.raises(ValueError, match="a step is running"):
        await runner.step()
    target.held.set()
    await first
    with pytest.raises(ValueError, match="no further step"):
        await runner.step()


async def test_a_restart_abandons_the_step_that_runs(experiment: Load) -> None:
    target = FakeTarget()
    runner = Runner(experiment("  - {name: a, invoke: {times: 2}}\n"), target)
    await runner.open()
    target.held = asyncio.Event()
    step = asyncio.ensure_future(runner.step())
    while "InvocationStarted" not in kinds(target):
        await asyncio.sleep(0)
    await runner.restart()
    await step
    assert (runner.next_step, runner.lab.invocations) == (0, {})
    target.held = None
    assert await runner.run_all()


async def test_no_step_begins_while_the_experiment_is_being_opened(experiment: Load) -> None:
    class Slow(FakeTarget):
        async def create(self, name: str, configuration: Configuration, code: Code) -> None:
            await asyncio.sleep(0)
            await super().create(name, configuration, code)

    target = Slow()
    runner = Runner(experiment("  - {name: a, invoke: {}}\n"), target)
    await runner.open()
    restarts = [asyncio.ensure_future(runner.restart()) for _ in range(2)]
    await asyncio.sleep(0)
    with pytest.raises(ValueError, match="just being opened"):
        await runner.step()
    await asyncio.gather(*restarts)
    assert kinds(target) == ["ExperimentOpened", "FunctionCreated"] * 3
    assert await runner.run_all()


async def test_who_waits_for_a_step_can_be_cancelled(experiment: Load) -> None:
    target = FakeTarget()
    runner = Runner(experiment("  - {name: a, invoke: {}}\n"), target)
    await runner.open()
    target.held = asyncio.Event()
    step = asyncio.ensure_future(runner.step())
    while "InvocationStarted" not in kinds(target):
        await asyncio.sleep(0)
    step.cancel()
    with pytest.raises(asyncio.CancelledError):
        await step


async def test_the_event_reaches_the_function_as_json(experiment: Load) -> None:
    events: list[Json] = []

    def answer(event: Json) -> tuple[str, Json]:
        events.append(event)
        return "succeeded", event

    await ran(experiment("  - {name: a, invoke: {event: {名: [1, 2.5, true, null]}}}\n"), FakeTarget(answer))
    assert events == [{"名": [1, 2.5, True, None]}]


class Machine(FakeTarget):
    """A machine that lacks some runtimes."""

    def __init__(self, *missing: str) -> None:
        super().__init__()
        self._missing = missing

    async def create(self, name: str, configuration: Configuration, code: Code) -> None:
        if configuration.runtime in self._missing:
            raise RuntimeMissing(f"the runtime {configuration.runtime} is not installed")
        await super().create(name, configuration, code)


MADE = """\
Resources:
  Old: {Type: AWS::Lambda::Function, Properties: {Handler: a.b, Runtime: python3.8, Code: {ZipFile: x}}}
  Node: {Type: AWS::Lambda::Function, Properties: {Handler: a.b, Runtime: nodejs18.x, Code: {ZipFile: x}}}
"""


async def test_a_template_makes_do_with_the_runtimes_that_are_here(tmp_path: Path) -> None:
    (tmp_path / "t.yaml").write_text(MADE)
    target = Machine("python3.8", "nodejs18.x")
    await Runner(load(tmp_path / "t.yaml"), target).open()
    assert {name: each.runtime for name, each in target.functions.items()} == {"Old": None}
    told = [record.event.message for record in target.journal.records if isinstance(record.event, ev.Noticed)]
    assert told[0] == "Node is left out: the runtime nodejs18.x is not installed"
    assert re.match(r"On python3\.\d+, the laboratory's own, instead of their runtime: Old\. Why: the runtime", told[1])


async def test_where_no_function_of_a_template_can_run_it_is_not_opened(tmp_path: Path) -> None:
    (tmp_path / "t.yaml").write_text("\n".join(line for line in MADE.splitlines() if "Old" not in line))
    with pytest.raises(TargetError, match=r"the runtime nodejs18\.x is not installed"):
        await Runner(load(tmp_path / "t.yaml"), Machine("nodejs18.x")).open()


async def test_an_experiment_gets_the_runtime_that_it_names(experiment: Load) -> None:
    head = "functions: {F: {handler: a.b, source: '', runtime: python3.8}}\ntitle: t\n"
    with pytest.raises(TargetError, match=r"python3\.8 is not installed"):
        await Runner(experiment("  - {name: s}\n", head), Machine("python3.8")).open()  # type: ignore[call-arg]


async def test_version_and_alias_of_a_function_are_there_from_the_beginning(experiment: Load) -> None:
    target = FakeTarget()
    head = (
        "functions: {F: {handler: a.b, source: '', auto_publish_alias: live, provisioned_concurrent_executions: 2}}\n"
    )
    await Runner(experiment("  - {name: s}\n", f"title: t\n{head}"), target).open()  # type: ignore[call-arg]
    assert kinds(target)[-3:] == ["VersionPublished", "AliasPointed", "ProvisionedConcurrencyChanged"]
    assert isinstance(last := target.journal.records[-1].event, ev.ProvisionedConcurrencyChanged)
    assert (last.qualifier, last.requested) == ("live", 2)
