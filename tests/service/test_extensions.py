"""Extensions as real processes: they register, hear of invocations and of the end, and take the environment along."""

from __future__ import annotations

import asyncio
import json
import stat
import sys
import textwrap
from pathlib import Path

import pytest

from lambdatui import events as ev
from tests.service.conftest import Laboratory, Opener

HANDLER = "def handler(event, context):\n    print('handler')\n    return 'done'"

TALKATIVE = """
    # In the shape of AWS's own python-example-extension (aws-samples/aws-lambda-extensions).
    def main():
        extension = register(["INVOKE", "SHUTDOWN"])
        while True:
            event = next_event(extension)
            print(f"[{NAME}] {event['eventType']} {event.get('requestId') or event['shutdownReason']}", flush=True)
            if event["eventType"] == "SHUTDOWN":
                sys.exit(0)
"""

PRELUDE = """
    import json, os, sys, time, urllib.request
    NAME = os.path.basename(__file__)
    API = f"http://{os.environ['AWS_LAMBDA_RUNTIME_API']}/2020-01-01/extension"

    def call(path, data=None, **headers):
        headers = {"Lambda-Extension-" + name.replace("_", "-"): value for name, value in headers.items()}
        request = urllib.request.Request(f"{API}/{path}", data, headers, method="GET" if data is None else "POST")
        return urllib.request.urlopen(request)

    def register(events, name=NAME):
        answer = call("register", json.dumps({"events": events}).encode(), Name=name)
        return answer.headers["Lambda-Extension-Identifier"]

    def next_event(extension):
        return json.load(call("event/next", Identifier=extension))
"""


def layer(folder: Path, **extensions: str) -> str:
    """A layer with these external extensions, by name; each is the definition of its main()."""
    (folder / "layer" / "extensions").mkdir(parents=True)
    for name, source in extensions.items():
        file = folder / "layer" / "extensions" / name
        program = f"#!{sys.executable}\n{textwrap.dedent(PRELUDE)}{textwrap.dedent(source)}\nmain()\n"
        file.write_text(program)
        file.chmod(0o755)
    return str(folder / "layer")


async def test_an_external_extension_hears_of_every_invocation_and_of_the_end(laboratory: Laboratory) -> None:
    await laboratory.create(HANDLER, layers=(layer(laboratory.folder, listener=TALKATIVE),))
    first, second = await laboratory.invoke(), await laboratory.invoke()
    await laboratory.service.reclaim()
    lines = laboratory.lines(first)
    assert lines[0].startswith("INIT_START")
    assert lines[1] == "EXTENSION\tName: listener\tState: Ready\tEvents: [INVOKE, SHUTDOWN]"
    for invocation, position in ((first, 2), (second, 7)):
        assert lines[position].startswith(f"START RequestId: {invocation.request_id}")
        said = {f"[listener] INVOKE {invocation.request_id}", "handler"}
        assert set(lines[position + 1 : position + 3]) == said, "the two run side by side"
        assert lines[position + 3].startswith("END") and lines[position + 4].startswith("REPORT")
    assert lines[-1] == "[listener] SHUTDOWN spindown"
    assert laboratory.lab.environments[first.environment or ""].extensions == {"listener": "Ready"}


async def test_the_runtime_starts_after_the_extensions_have_registered(laboratory: Laboratory) -> None:
    slow = """
        def main():
            print("registering late")
            time.sleep(0.3)
            print("registering now", flush=True)
            extension = register([])
            next_event(extension)
    """
    await laboratory.create(f"print('module')\n{HANDLER}", layers=(layer(laboratory.folder, slow=slow),))
    invocation = await laboratory.invoke()
    assert laboratory.lines(invocation)[1:5] == [
        *("registering late", "registering now", "module"),
        "EXTENSION\tName: slow\tState: Ready\tEvents: []",
    ]
    parts = laboratory.lab.environments[invocation.environment or ""].init_parts_ms
    assert parts["extension"] > 300
    assert invocation.init_duration_ms and invocation.init_duration_ms > parts["extension"]


async def test_the_caller_does_not_wait_for_extensions_but_the_duration_does(laboratory: Laboratory) -> None:
    busy = """
        def main():
            extension = register(["INVOKE"])
            while True:
                next_event(extension)
                time.sleep(0.5)
                print("sent", flush=True)
    """
    await laboratory.create(HANDLER, layers=(layer(laboratory.folder, busy=busy),))
    request_id = await laboratory.service.invoke("F", "{}")
    answered = laboratory.lab.invocations[request_id]
    assert answered.status == "succeeded" and answered.finished_at is None
    await laboratory.service.settled()
    assert answered.duration_ms is not None and answered.duration_ms > 500
    assert laboratory.lines(answered)[-3] == "sent"


async def test_what_an_extension_is_told(laboratory: Laboratory) -> None:
    curious = """
        def main():
            body = json.dumps({"events": ["INVOKE"]}).encode()
            answer = call("register", body, Name=NAME, Accept_Feature="accountId")
            print(json.dumps(json.load(answer)), flush=True)
            print(json.dumps(dict(os.environ)), flush=True)
            while True:
                event = next_event(answer.headers["Lambda-Extension-Identifier"])
                print(json.dumps(event), flush=True)
    """
    await laboratory.create(
        HANDLER, layers=(layer(laboratory.folder, curious=curious),), environment={"GREETING": "hello"}
    )
    invocation = await laboratory.invoke()
    said = [json.loads(line) for line in laboratory.lines(invocation) if line.startswith("{")]
    assert said[0] == {
        "functionName": "F",
        "functionVersion": "$LATEST",
        "handler": "app.handler",
        "accountId": "000000000000",
    }
    variables = said[1]
    assert variables["GREETING"] == "hello" and variables["AWS_LAMBDA_FUNCTION_NAME"] == "F"
    assert not {"AWS_EXECUTION_ENV", "AWS_LAMBDA_LOG_STREAM_NAME", "LAMBDA_TASK_ROOT", "_HANDLER"} & set(variables)
    assert not [name for name in variables if name.startswith(("_LAMBDA", "AWS_XRAY"))]
    event = said[2]
    assert event.pop("tracing")["type"] == "X-Amzn-Trace-Id"
    assert event.pop("deadlineMs") > 1.7e12
    arn = "arn:aws:lambda:us-east-1:000000000000:function:F"
    assert event == {"eventType": "INVOKE", "requestId": invocation.request_id, "invokedFunctionArn": arn}


@pytest.mark.parametrize("dialect", ["current", "classic"])
async def test_after_a_timeout_the_extension_hears_why_and_starts_again(open_laboratory: Opener, dialect: str) -> None:
    laboratory = await open_laboratory(log_dialect=dialect)
    source = "import time\ndef handler(event, context):\n    time.sleep(event['seconds'])"
    await laboratory.create(source, timeout=1, layers=(layer(laboratory.folder, listener=TALKATIVE),))
    timed_out = await laboratory.invoke('{"seconds": 60}')
    assert timed_out.status == "timed_out"
    assert laboratory.lines(timed_out)[-1] == "[listener] SHUTDOWN timeout"
    after = await laboratory.invoke('{"seconds": 0}')
    assert (after.status, after.environment) == ("succeeded", timed_out.environment)
    lines = laboratory.lines(after)
    assert sum(line.startswith("EXTENSION") for line in lines) == 2, "once more for the suppressed init"
    assert sum(line.startswith("INIT_START") for line in lines) == 1
    assert f"[listener] INVOKE {after.request_id}" in lines


@pytest.mark.parametrize(
    ("main", "error_type", "state"),
    [
        ("sys.exit(1)", "Extension.Crash", "Started"),
        ("register([]); sys.exit(3)", "Extension.Crash", "Registered"),
        (
            "call('init/error', b'', Identifier=register([]), Function_Error_Type='My.Error'); sys.exit(1)",
            "Extension.InitError",
            "InitError",
        ),
        (
            "call('exit/error', b'', Identifier=register([]), Function_Error_Type='My.Error'); sys.exit(1)",
            "Extension.ExitError",
            "ExitError",
        ),
    ],
)
async def test_an_extension_that_ends_in_the_init(
    laboratory: Laboratory, main: str, error_type: str, state: str
) -> None:
    await laboratory.create(HANDLER, layers=(layer(laboratory.folder, bad=f"def main(): {main}"),))
    failed = await laboratory.invoke()
    assert json.loads(failed.payload or "")["errorType"] == error_type
    lines = laboratory.lines(failed)
    kinds = [line.split()[0] for line in lines]
    order = ["INIT_START", "EXTENSION", "INIT_REPORT", "EXTENSION", "INIT_REPORT", "START", "END", "REPORT"]
    assert [kind for kind in kinds if kind in order] == order
    own = "\tError Type: My.Error" if "My.Error" in main else ""
    assert lines[1] == f"EXTENSION\tName: bad\tState: {state}\tEvents: []{own}"
    assert f"Phase: init\tStatus: error\tError Type: {error_type}" in lines[2]
    assert lines[-1].endswith(f"Status: error\tError Type: {error_type}")


@pytest.mark.parametrize("how", ["not executable", "no such interpreter", "no program"])
async def test_an_extension_that_cannot_be_started(laboratory: Laboratory, how: str) -> None:
    folder = layer(laboratory.folder, bad="def main(): pass")
    file = Path(folder, "extensions", "bad")
    if how == "not executable":
        file.chmod(stat.S_IRUSR)
    else:
        file.write_text("#!/no/such/interpreter\n" if how == "no such interpreter" else "words\n")
    await laboratory.create(HANDLER, layers=(folder,))
    failed = await laboratory.invoke()
    assert json.loads(failed.payload or "")["errorType"] == "Extension.LaunchError"
    word = "PermissionDenied" if how == "not executable" else "UnknownError"
    assert laboratory.lines(failed)[1] == f"EXTENSION\tName: bad\tState: LaunchError\tEvents: []\tError Type: {word}"


async def test_an_extension_that_crashes_takes_the_invocation_along(laboratory: Laboratory) -> None:
    crashing = """
        def main():
            extension = register(["INVOKE"])
            next_event(extension)
            os._exit(5)
    """
    source = "import time\ndef handler(event, context):\n    time.sleep(60)"
    await laboratory.create(source, layers=(layer(laboratory.folder, crashing=crashing),), timeout=30)
    failed = await laboratory.invoke()
    assert json.loads(failed.payload or "") == {
        "errorType": "Extension.Crash",
        "errorMessage": f"RequestId: {failed.request_id} Error: exit status 5",
    }
    environment = laboratory.lab.environments[failed.environment or ""]
    assert environment.state == "reset"
    assert laboratory.lines(failed)[-1].endswith("Status: error\tError Type: Extension.Crash")


async def test_a_stubborn_runtime_and_a_stubborn_extension_are_killed_at_their_deadlines(
    laboratory: Laboratory,
) -> None:
    stubborn = """
        def main():
            extension = register(["SHUTDOWN"])
            print(next_event(extension)["shutdownReason"], flush=True)
            time.sleep(60)
    """
    source = "import signal\nsignal.signal(signal.SIGTERM, signal.SIG_IGN)\n" + HANDLER
    await laboratory.create(source, layers=(layer(laboratory.folder, stubborn=stubborn),))
    invocation = await laboratory.invoke()
    await laboratory.service.reclaim()
    times = {type(each.event): each.time for each in laboratory.service.journal.records}
    assert 2.0 <= times[ev.EnvironmentEnded] - times[ev.EnvironmentShutdown] < 4.0
    assert laboratory.lines(invocation)[-1] == "spindown"


async def test_the_runtime_hears_sigterm_when_there_is_an_extension(laboratory: Laboratory) -> None:
    await laboratory.create(POLITE, layers=(layer(laboratory.folder, listener=TALKATIVE),))
    invocation = await laboratory.invoke()
    await laboratory.service.reclaim()
    assert laboratory.lines(invocation)[-2:] == ["cleaning up", "[listener] SHUTDOWN spindown"]


# Not in a signal handler: the main thread waits in native code, where no handler of Python's runs.
POLITE = """
    import os, signal, threading
    signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGTERM})
    def wait():
        signal.sigwait({signal.SIGTERM})
        print("cleaning up", flush=True)
        os._exit(0)
    threading.Thread(target=wait, daemon=True).start()
    def handler(event, context):
        return "done"
"""


async def test_an_end_of_the_laboratory_does_not_wait_for_extensions(open_laboratory: Opener) -> None:
    laboratory = await open_laboratory()
    stubborn = "def main():\n    next_event(register(['SHUTDOWN']))\n    time.sleep(60)"
    await laboratory.create(HANDLER, layers=(layer(laboratory.folder, stubborn=stubborn),))
    await laboratory.invoke()
    await laboratory.service.close()
    facts = [type(each.event) for each in laboratory.service.journal.records]
    assert ev.EnvironmentShutdown not in facts and facts[-1] == ev.EnvironmentEnded
    assert not laboratory.service.folder.exists()


async def test_a_frozen_extension_does_not_move(laboratory: Laboratory) -> None:
    ticking = """
        import threading
        def main():
            extension = register(["INVOKE"])
            ticks = []
            def tick():
                while True:
                    ticks.append(time.monotonic())
                    time.sleep(0.01)
            threading.Thread(target=tick, daemon=True).start()
            while True:
                next_event(extension)
                time.sleep(0.1)
                print("gap", max(b - a for a, b in zip(ticks, ticks[1:])), flush=True)
    """
    await laboratory.create(HANDLER, layers=(layer(laboratory.folder, ticking=ticking),))
    await laboratory.invoke()
    await asyncio.sleep(1.2)  # time itself is what is tested here
    invocation = await laboratory.invoke()
    gaps = [float(line.split()[1]) for line in laboratory.lines(invocation) if line.startswith("gap")]
    assert gaps[1] > 1.0


async def test_an_internal_extension_of_somebody_else(laboratory: Laboratory) -> None:
    """`lambda-sigterm` from PyPI, unmodified: with it inside the runtime, the function hears SIGTERM."""
    await laboratory.create(textwrap.dedent(POLITE) + "import lambda_sigterm\nlambda_sigterm.register()\n")
    invocation = await laboratory.invoke()
    assert invocation.status == "succeeded"
    await laboratory.service.reclaim()
    lines = laboratory.lines(invocation)
    assert "EXTENSION\tName: lambda-sigterm\tState: Ready\tEvents: []" in lines
    assert lines[-1] == "cleaning up"
