"""The laboratory's process as a screen meets it: real processes, the real socket."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from lambdatui.control.client import Client, CommandFailed, Launched, LaunchFailed, Launching, launch
from lambdatui.events import Json
from lambdatui.experiment import progress
from lambdatui.lab import Lab

EXPERIMENT = """
title: Control
functions:
  F: {handler: app.handler, code: ./code, timeout: 30, environment: {DB_PASSWORD: hunter2}}
steps:
  - name: one
    predict: {ask: What?, choices: [a, b], answer: 1}
    invoke: {event: {sleep: 0}}
    expect: {status: succeeded}
  - name: two
    invoke: {event: {sleep: 0}, times: 2}
"""
HANDLER = """
import time

def handler(event, context):
    time.sleep(event.get("sleep", 0))
    return event
"""


@pytest.fixture
def launched(tmp_path: Path) -> Iterator[Launched]:
    (tmp_path / "code").mkdir()
    (tmp_path / "code/app.py").write_text(HANDLER)
    (tmp_path / "experiment.yaml").write_text(EXPERIMENT)
    launched = launch(str(tmp_path / "experiment.yaml"))
    yield launched
    launched.close()
    assert not Path(launched.socket_path).parent.exists(), "it leaves nothing"


class Screen:
    """A connection that keeps the fold."""

    def __init__(self, client: Client) -> None:
        self.client = client
        self.lab = Lab()
        self._changed = asyncio.Event()
        self._task = asyncio.create_task(self._follow())

    async def _follow(self) -> None:
        async for records in self.client.events():
            for record in records:
                self.lab.apply(record)
            self._changed.set()

    async def until(self, true: Callable[[Lab], object]) -> None:
        async with asyncio.timeout(30):
            while not true(self.lab):
                self._changed.clear()
                await self._changed.wait()

    async def command(self, name: str, **arguments: Json) -> Json:
        return await asyncio.wait_for(self.client.command(name, **arguments), 30)

    async def close(self) -> None:
        self._task.cancel()
        await asyncio.gather(self._task, return_exceptions=True)
        await self.client.close()


@pytest.fixture
async def connect(launched: Launched) -> Callable[[], asyncio.Future[Screen]]:
    async def connected() -> Screen:
        return Screen(await Client.connect(launched.socket_path))

    return lambda: asyncio.ensure_future(connected())


Connect = Callable[[], asyncio.Future[Screen]]


async def test_steps_with_a_prediction(connect: Connect) -> None:
    screen = await connect()
    await screen.command("next", choice=2)
    await screen.command("next")
    await screen.until(lambda lab: lab.experiment and lab.experiment.passed)
    assert screen.lab.experiment and screen.lab.experiment.steps[0].prediction == 2
    assert [each.cold_start for each in screen.lab.invocations.values()] == [True, False, False]
    with pytest.raises(CommandFailed, match="there is no further step"):
        await screen.command("next")
    await screen.close()


async def test_what_was_achieved_is_kept_when_the_last_step_is_over(connect: Connect, tmp_path: Path) -> None:
    name = progress.name_of(tmp_path / "experiment.yaml")
    screen = await connect()
    await screen.command("next", choice=2)
    assert name not in progress.results()
    await screen.command("next")
    result = progress.results()[name]
    assert (result.steps, result.failed, result.asked, result.right, result.hints) == (2, 0, 1, 0, 0)
    await screen.command("restart")
    await screen.command("next", choice=1)
    await screen.command("next")
    assert progress.results()[name].score == "1/1"
    await screen.close()


async def test_a_save_tells_the_code(connect: Connect, tmp_path: Path) -> None:
    screen = await connect()
    await screen.until(lambda lab: lab.functions)
    (function,) = screen.lab.functions.values()
    assert function.files == {"app.py": HANDLER} and function.previous_files is None
    (tmp_path / "code/app.py").write_text(HANDLER + "# saved\n")
    await screen.until(lambda lab: next(iter(lab.functions.values())).generation == 2)
    assert function.files == {"app.py": HANDLER + "# saved\n"} and function.previous_files == {"app.py": HANDLER}
    await screen.command("update", changes={"timeout": 5})
    await screen.until(lambda lab: next(iter(lab.functions.values())).generation == 3)
    assert function.previous_files == {"app.py": HANDLER}, "the configuration is not the code"
    await screen.close()


async def test_three_at_once_by_hand_while_a_step_is_waiting(connect: Connect) -> None:
    screen = await connect()
    ids = await screen.command("invoke", function="F", event='{"sleep": 0.3}', times=3)
    assert isinstance(ids, list) and len(ids) == 3
    await screen.until(lambda lab: len(lab.invocations) == 3 and all(each.done for each in lab.invocations.values()))
    assert len(screen.lab.environments) == 3
    await screen.close()


async def test_again_by_a_qualifier_and_without_waiting_for_the_answer(connect: Connect) -> None:
    screen = await connect()
    await screen.command("invoke", qualifier="$LATEST", invocation_type="Event")
    await screen.until(lambda lab: [each.condition for each in lab.invocations.values()] == ["Success"])
    [invocation] = screen.lab.invocations.values()
    assert (invocation.qualifier, invocation.invocation_type, invocation.source) == ("$LATEST", "Event", "")
    wrong: tuple[tuple[str, Json], ...] = (("qualifier", 3), ("qualifier", "7"), ("invocation_type", "Whenever"))
    for name, value in (*wrong, ("invocation_type", [])):
        with pytest.raises(CommandFailed):
            await screen.command("invoke", **{name: value})
    await screen.close()


async def test_a_late_screen_sees_all_that_the_first_one_saw(connect: Connect) -> None:
    first = await connect()
    await first.command("next")
    second = await connect()
    for screen in (first, second):
        await screen.until(lambda lab: lab.experiment and lab.experiment.steps[0].state == "passed")
    assert second.lab.invocations == first.lab.invocations
    await first.close()
    await second.command("next")
    await second.close()


async def test_a_restart_forgets_everything_also_in_the_middle_of_an_invocation(connect: Connect) -> None:
    screen = await connect()
    by_hand = asyncio.create_task(screen.command("invoke", event='{"sleep": 20}'))
    await screen.until(lambda lab: any(each.status == "running" for each in lab.invocations.values()))
    await screen.command("restart")
    await by_hand
    await screen.until(lambda lab: not lab.invocations and lab.functions)
    await screen.command("next")
    await screen.until(lambda lab: lab.experiment and lab.experiment.steps[0].state == "passed")
    await screen.close()


async def test_an_update_and_a_reclaim_by_hand(connect: Connect) -> None:
    screen = await connect()
    await screen.command("invoke")
    await screen.command("update", changes={"timeout": 5})
    await screen.command("invoke")
    await screen.until(lambda lab: [each.done for each in lab.invocations.values()] == [True, True])
    await screen.command("reclaim")
    await screen.until(lambda lab: [each.state for each in lab.environments.values()] == ["ended", "ended"])
    await screen.command("update", changes={"timeout": 901})
    await screen.until(lambda lab: lab.rejections)
    await screen.close()


@pytest.mark.parametrize(
    ("name", "arguments", "sentence"),
    [
        ("dance", {}, "There is no such command: 'dance'"),
        ("invoke", {"function": "G"}, "There is no function G"),
        ("invoke", {"event": "{no"}, "Could not parse request body into json"),
        ("invoke", {"times": 101}, "1 to 100 times"),
        ("invoke", {"times": "x"}, "is no number"),
        ("predict", {"step": 1, "choice": 1}, "asks for no prediction"),
        ("inspect", {"environment": "abcdefgh"}, "There is no environment abcdef, or it has ended"),
        ("preview", {"environment": "abcdefgh", "file": "x"}, "There is no environment abcdef"),
        ("hint", {"step": 1}, "has no hint"),
    ],
)
async def test_what_makes_no_sense_is_refused_in_a_sentence(
    connect: Connect, name: str, arguments: dict[str, Json], sentence: str
) -> None:
    screen = await connect()
    with pytest.raises(CommandFailed, match=sentence):
        await screen.command(name, **arguments)
    await screen.close()


async def test_a_look_inside_an_environment(connect: Connect) -> None:
    screen = await connect()
    await screen.command("invoke")
    await screen.until(lambda lab: [each.frozen for each in lab.environments.values()] == [True])
    (name,) = screen.lab.environments
    seen = await screen.command("inspect", environment=name)
    assert isinstance(seen, dict) and seen["processes"] and seen["files_complete"]
    with pytest.raises(CommandFailed, match="nothing cannot be read: No such file or directory"):
        await screen.command("preview", environment=name, file="nothing")
    await screen.close()


def test_a_bad_experiment_is_told_when_it_is_launched(tmp_path: Path) -> None:
    file = tmp_path / "bad.yaml"
    file.write_text("title: x\nfuntions: {}\n")
    with pytest.raises(LaunchFailed, match=r"bad\.yaml:2:1: .*funtions") as failure:
        launch(str(file))
    assert failure.value.exit_code == 2


TEMPLATE = """
Transform: AWS::Serverless-2016-10-31
Parameters: {Greeting: {Type: String}}
Resources:
  F:
    Type: AWS::Serverless::Function
    Properties:
      Handler: app.handler
      CodeUri: code
      Environment: {Variables: {GREETING: !Ref Greeting}}
      Events: {Queue: {Type: SQS, Properties: {Queue: arn}}}
"""


async def test_a_template_is_opened_with_its_parameters_and_reloaded_when_its_code_is_saved(tmp_path: Path) -> None:
    (tmp_path / "code").mkdir()
    (tmp_path / "code/app.py").write_text("import os\ndef handler(event, context): return os.environ['GREETING']")
    (tmp_path / "template.yaml").write_text(TEMPLATE)
    launched = Launching(str(tmp_path), parameters=["Greeting=a=b"]).ready()
    try:
        screen = Screen(await Client.connect(launched.socket_path))
        await screen.until(lambda lab: lab.experiment and lab.functions)
        assert screen.lab.experiment and "aws:sqs" in screen.lab.experiment.events["F"]
        assert "aws lambda invoke --function-name F" in screen.lab.experiment.about
        await screen.command("invoke")
        (tmp_path / "code/app.py").write_text("def handler(event, context): return 'saved'")
        await screen.until(lambda lab: lab.functions["F"].updated_because == "save")
        await screen.command("invoke")
        await screen.until(lambda lab: [each.done for each in lab.invocations.values()] == [True, True])
        assert [each.payload for each in screen.lab.invocations.values()] == ['"a=b"', '"saved"']
        await screen.close()
    finally:
        launched.close()


ASYNCHRONOUS = """
title: Asynchronous
functions:
  F: {handler: app.handler, code: ./code, timeout: 60}
steps:
  - name: one
    invoke: {event: {sleep: 60}, invocation_type: Event}
  - name: two
    invoke: {event: {}, times: 2, invocation_type: Event}
    expect: {status: succeeded, attempts: 2}
"""


async def test_an_event_outlives_a_laboratory_that_is_killed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    state = tmp_path / "state"
    monkeypatch.setenv("XDG_STATE_HOME", str(state))
    (tmp_path / "code").mkdir()
    (tmp_path / "code/app.py").write_text(HANDLER)
    (tmp_path / "experiment.yaml").write_text(ASYNCHRONOUS)

    killed = launch(str(tmp_path / "experiment.yaml"))
    screen = Screen(await Client.connect(killed.socket_path))
    step = asyncio.create_task(screen.command("next"))
    await screen.until(lambda lab: any(each.status == "running" for each in lab.invocations.values()))
    (request_id,) = screen.lab.invocations
    killed.process.kill()
    await asyncio.gather(step, return_exceptions=True)
    await screen.close()
    killed.close()
    assert list((state / "lambdatui").iterdir())

    (tmp_path / "code/app.py").write_text("def handler(event, context):\n    return event")
    next_one = launch(str(tmp_path / "experiment.yaml"))
    try:
        screen = Screen(await Client.connect(next_one.socket_path))
        await screen.until(lambda lab: request_id in lab.invocations and lab.invocations[request_id].done)
        assert screen.lab.invocations[request_id].payload == '{"sleep": 60}'
        await screen.command("next")
        await screen.command("next")
        await screen.until(lambda lab: lab.experiment and lab.experiment.passed)
        await screen.close()
    finally:
        next_one.close()
    assert list((state / "lambdatui").glob("queue*")) == []


async def test_the_endpoint_is_at_the_port_that_was_wished_for() -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        port = taken.getsockname()[1]
        taken.listen()
        with pytest.raises(LaunchFailed, match=f"port {port} cannot be had") as failed:
            Launching("reuse", port=port).ready()
        assert failed.value.exit_code == 2
    launched = Launching("reuse", port=port).ready()
    try:
        screen = Screen(await Client.connect(launched.socket_path))
        await screen.until(lambda lab: lab.endpoint == f"http://127.0.0.1:{port}")
        await screen.close()
    finally:
        launched.close()
