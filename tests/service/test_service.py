"""Lambda's behaviour, with real processes behind it."""

from __future__ import annotations

import asyncio
import json
import os
import re
import shutil
import sys
import zipfile
from collections.abc import Awaitable, Callable
from pathlib import Path

import pytest

from lambdatui import events as ev
from lambdatui.function import Code, Configuration
from lambdatui.refusal import InvalidParameter, InvalidRequestContent, ResourceNotFound
from lambdatui.role import LAMBDA, trusting
from lambdatui.service.service import Service
from tests.service.conftest import Laboratory, Opener

COUNTER = """
    import os
    count = 0
    def handler(event, context):
        global count
        count += 1
        return [count, os.environ["AWS_LAMBDA_LOG_STREAM_NAME"]]
"""
PATIENT = """
    import time
    def handler(event, context):
        print("waiting")
        time.sleep(event.get("seconds", 60))
        return "done"
"""


async def test_an_environment_is_reused_and_keeps_its_memory(laboratory: Laboratory) -> None:
    await laboratory.create(COUNTER)
    invocations = [await laboratory.invoke() for _ in range(3)]
    assert [each.payload for each in invocations] == [f'[{n}, "{invocations[0].log_stream}"]' for n in (1, 2, 3)]
    assert [each.cold_start for each in invocations] == [True, False, False]
    assert len(laboratory.lab.environments) == 1


async def test_the_log_of_a_cold_and_a_warm_invocation(laboratory: Laboratory) -> None:
    await laboratory.create("print('module')\ndef handler(event, context):\n    print('handler')\n    return 1")
    await laboratory.invoke()
    lines = laboratory.lines(await laboratory.invoke())
    identity = "[0-9a-f-]{36}"
    patterns = [
        r"INIT_START Runtime Version: python:3\.\d+\.v\d+"
        r"\tRuntime Version ARN: arn:aws:lambda:us-east-1::runtime:\w{64}",
        "module",
        rf"START RequestId: {identity} Version: \$LATEST",
        "handler",
        f"END RequestId: {identity}",
        rf"REPORT RequestId: {identity}\tDuration: [\d.]+ ms\tBilled Duration: \d+ ms\tMemory Size: 128 MB"
        r"\tMax Memory Used: \d+ MB\tInit Duration: [\d.]+ ms\t",
        rf"START RequestId: {identity} Version: \$LATEST",
        "handler",
        f"END RequestId: {identity}",
        rf"REPORT RequestId: {identity}\tDuration: [\d.]+ ms\tBilled Duration: \d+ ms\tMemory Size: 128 MB"
        r"\tMax Memory Used: \d+ MB\t",
    ]
    assert len(lines) == len(patterns)
    for line, pattern in zip(lines, patterns, strict=True):
        assert re.fullmatch(pattern, line), line


async def test_invocations_at_the_same_time_get_an_environment_each(laboratory: Laboratory) -> None:
    await laboratory.create("import time\ndef handler(event, context):\n    time.sleep(1)")
    first = await asyncio.gather(*(laboratory.invoke() for _ in range(3)))
    assert len({each.environment for each in first}) == len({each.log_stream for each in first}) == 3
    assert all(each.cold_start for each in first)
    second = await asyncio.gather(*(laboratory.invoke() for _ in range(3)))
    assert {each.environment for each in second} == {each.environment for each in first}


@pytest.mark.parametrize("dialect", ["current", "classic"])
async def test_a_timeout_resets_the_environment(open_laboratory: Opener, dialect: str) -> None:
    laboratory = await open_laboratory(log_dialect=dialect)
    await laboratory.create(
        """
        import os, time
        def handler(event, context):
            print("kept" if os.path.exists("/tmp/file" if os.environ.get("TMPDIR") is None else
                                           os.environ["TMPDIR"] + "/file") else "new")
            open(os.environ.get("TMPDIR", "/tmp") + "/file", "w").close()
            time.sleep(event["seconds"])
        """,
        timeout=1,
    )
    timed_out = await laboratory.invoke('{"seconds": 60}')
    assert timed_out.status == "timed_out"
    body = json.loads(timed_out.payload)
    assert body["errorMessage"].endswith("Task timed out after 1.00 seconds")
    assert body.get("errorType") == ("Sandbox.Timedout" if dialect == "current" else None)
    report = laboratory.lines(timed_out)[-1]
    assert ("Status: timeout" in report) == (dialect == "current")
    assert any("Task timed out" in line for line in laboratory.lines(timed_out)) == (dialect == "classic")
    after = await laboratory.invoke('{"seconds": 0}')
    assert (after.status, after.environment, after.cold_start) == ("succeeded", timed_out.environment, False)
    lines = laboratory.lines(after)
    assert [line for line in lines if line in ("new", "kept")] == ["new", "kept"], "/tmp outlives the reset"
    assert sum(line.startswith("INIT_START") for line in lines) == 1, "the second init is suppressed"


async def test_a_handlers_error_resets_nothing(laboratory: Laboratory) -> None:
    await laboratory.create(
        "count = 0\ndef handler(event, context):\n    global count\n    count += 1\n    1 / (count - 1)"
    )
    failed = await laboratory.invoke()
    assert (failed.status, failed.function_error) == ("failed", "Unhandled")
    assert json.loads(failed.payload or "")["errorType"] == "ZeroDivisionError"
    assert "[ERROR] ZeroDivisionError: division by zero" in laboratory.lines(failed)[2]
    assert (await laboratory.invoke()).status == "succeeded"
    assert len(laboratory.lab.environments) == 1


async def test_an_exit_is_reported_with_its_status(laboratory: Laboratory) -> None:
    await laboratory.create("import os\ndef handler(event, context):\n    os._exit(7)")
    failed = await laboratory.invoke()
    assert json.loads(failed.payload or "") == {
        "errorType": "Runtime.ExitError",
        "errorMessage": f"RequestId: {failed.request_id} Error: Runtime exited with error: exit status 7",
    }
    assert laboratory.lines(failed)[-1].endswith("Status: error\tError Type: Runtime.ExitError")


async def test_a_signal_is_reported_by_name(laboratory: Laboratory) -> None:
    await laboratory.create("import os\ndef handler(event, context):\n    os.kill(os.getpid(), 9)")
    failed = await laboratory.invoke()
    assert json.loads(failed.payload or "")["errorMessage"].endswith("Runtime exited with error: signal: killed")


async def test_a_module_that_cannot_be_imported_runs_twice_before_start(laboratory: Laboratory) -> None:
    await laboratory.create("print('module')\nimport no_such_module")
    failed = await laboratory.invoke()
    assert json.loads(failed.payload or "")["errorType"] == "Runtime.ImportModuleError"
    words = [line.split()[0] for line in laboratory.lines(failed) if not line.startswith("[")]
    assert words == ["INIT_START", "module", "INIT_REPORT", "module", "INIT_REPORT", "START", "END", "REPORT"]


async def test_a_background_thread_stops_with_the_environment_and_goes_on_with_it(laboratory: Laboratory) -> None:
    await laboratory.create(
        """
        import threading, time
        ticks = []
        def tick():
            while True:
                ticks.append(time.monotonic())
                time.sleep(0.01)
        threading.Thread(target=tick, daemon=True).start()
        def handler(event, context):
            time.sleep(0.1)
            gaps = [b - a for a, b in zip(ticks, ticks[1:])]
            return [len(ticks), max(gaps)]
        """
    )
    first = json.loads((await laboratory.invoke()).payload or "")
    await asyncio.sleep(1.5)  # time itself is what is tested here
    count, gap = json.loads((await laboratory.invoke()).payload or "")
    assert count > first[0], "it went on"
    assert gap > 1.2, "and stood still between the invocations"


async def test_a_configuration_change_gives_a_new_environment_and_the_old_one_finishes(laboratory: Laboratory) -> None:
    await laboratory.create(PATIENT)
    in_flight = asyncio.create_task(laboratory.service.invoke("F", '{"seconds": 1}'))
    await laboratory.until(lambda event: isinstance(event, ev.LogWritten) and "waiting" in event.lines)
    await laboratory.service.update("F", {"memory_size": 256})
    after = await laboratory.invoke('{"seconds": 0}')
    old = laboratory.lab.invocations[await in_flight]
    await laboratory.service.settled()
    assert (old.status, old.memory_size_mb, after.memory_size_mb) == ("succeeded", 128, 256)
    assert old.environment != after.environment and old.log_stream != after.log_stream
    assert laboratory.lab.environments[old.environment or ""].ended_because == "the configuration changed"


async def test_a_refused_update_changes_nothing(laboratory: Laboratory) -> None:
    await laboratory.create(COUNTER)
    await laboratory.invoke()
    await laboratory.service.update("F", {"timeout": 901})
    assert "Member must have value less than or equal to 900" in laboratory.lab.rejections[0].message
    assert (await laboratory.invoke()).cold_start is False


@pytest.mark.parametrize("how", ["write", "rename", "burst"])
async def test_saving_a_file_makes_the_next_invocation_cold_on_the_new_code(laboratory: Laboratory, how: str) -> None:
    await laboratory.create("def handler(event, context):\n    return 'old'")
    before = await laboratory.invoke()
    file = laboratory.folder / "F" / "app.py"
    new = "def handler(event, context):\n    return 'new'"
    if how == "rename":
        temporary = file.with_name(".app.py.swp")
        temporary.write_text(new)
        temporary.rename(file)
    else:
        for n in range(20 if how == "burst" else 0):
            (file.parent / f"module{n}.py").write_text("x = 1")
        file.write_text(new)
    await laboratory.until(lambda event: isinstance(event, ev.FunctionUpdated))
    await laboratory.until(lambda event: isinstance(event, ev.EnvironmentEnded))
    after = await laboratory.invoke()
    while after.payload == '"old"':  # a burst may be told in two parts
        after = await laboratory.invoke()
    assert after.payload == '"new"' and after.environment != before.environment
    created = [each for each in laboratory.service.journal.records if isinstance(each.event, ev.EnvironmentCreated)]
    assert isinstance(created[-1].event, ev.EnvironmentCreated) and created[-1].event.because == "the code changed"


async def test_a_code_folder_that_is_replaced_goes_on_being_watched(laboratory: Laboratory) -> None:
    await laboratory.create("def handler(event, context):\n    return 1")
    await laboratory.invoke()
    folder = laboratory.folder / "F"
    for number in (2, 3):
        shutil.rmtree(folder)
        folder.mkdir()
        (folder / "app.py").write_text(f"def handler(event, context):\n    return {number}")
        position = len(laboratory.service.journal.records)
        while (await laboratory.invoke()).payload != str(number):
            await laboratory.until(lambda event: isinstance(event, ev.FunctionUpdated), position)
            position = len(laboratory.service.journal.records)


async def test_a_watch_that_breaks_is_told_and_breaks_nothing_else(laboratory: Laboratory) -> None:
    await laboratory.create(COUNTER)
    await laboratory.invoke()
    (laboratory.folder / "F" / os.fsdecode(b"caf\xe9.txt")).write_text("")
    told = await laboratory.until(lambda event: isinstance(event, ev.Noticed))
    assert isinstance(told, ev.Noticed) and told.message.startswith("hot reload is off")
    assert (await laboratory.invoke()).cold_start is False
    await laboratory.service.close()
    assert not laboratory.service.folder.exists()


async def test_code_behind_links_is_deployed(laboratory: Laboratory) -> None:
    (laboratory.folder / "F").mkdir()
    (laboratory.folder / "shared").mkdir()
    (laboratory.folder / "shared" / "origin.py").write_text("name = 'shared'")
    (laboratory.folder / "shared" / "again").symlink_to(".")
    (laboratory.folder / "F" / "common").symlink_to("../shared")
    await laboratory.create("from common.origin import name\ndef handler(event, context):\n    return name")
    assert (await laboratory.invoke()).payload == '"shared"'


async def test_a_refused_edit_is_forgotten(laboratory: Laboratory) -> None:
    await laboratory.create("def handler(event, context):\n    return 'old'")
    await laboratory.invoke()
    with pytest.raises(InvalidParameter):
        await laboratory.service.edit("F", "app.py/impossible.py", "")
    (laboratory.folder / "F" / "app.py").write_text("def handler(event, context):\n    return 'new'")
    await laboratory.until(lambda event: isinstance(event, ev.FunctionUpdated))
    assert (await laboratory.invoke()).payload == '"new"'


async def test_a_package_that_is_broken_is_refused(laboratory: Laboratory) -> None:
    package = laboratory.folder / "code.zip"
    with zipfile.ZipFile(package, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("app.py", "def handler(event, context):\n    return 1\n" * 100)
    content = bytearray(package.read_bytes())
    content[60:70] = b"\xff" * 10
    package.write_bytes(content)
    with pytest.raises(InvalidParameter, match="Could not unzip uploaded file"):
        await laboratory.service.create("Z", Configuration("app.handler"), Code(package))


async def test_only_copies_of_code_that_are_needed_are_kept(laboratory: Laboratory) -> None:
    await laboratory.create(COUNTER)
    for number in range(5):
        await laboratory.service.edit("F", "app.py", f"def handler(event, context):\n    return {number}")
    assert len(list((laboratory.service.folder / "code").iterdir())) == 1


async def test_long_records_of_a_thread_survive_the_freeze(laboratory: Laboratory) -> None:
    await laboratory.create(
        """
        import logging, threading, time
        def log():
            for number in range(1000):
                logging.getLogger().error("%05d %s", number, "y" * 200_000)
        def talk():
            for number in range(100_000):
                print("talk", number)
        def handler(event, context):
            if event:
                threading.Thread(target=log, daemon=True).start()
                threading.Thread(target=talk, daemon=True).start()
            time.sleep(0.05)
        """,
        timeout=60,
    )
    for n in range(10):
        last = await laboratory.invoke("{}" if n else '{"start": 1}')
    lines = [line for line in laboratory.lines(last) if not re.match("INIT_START|START|END|REPORT", line)]
    records = [line for line in lines if "y" in line]
    numbers = [re.fullmatch(r"\[ERROR\]\t[^\t]*\t[^\t]*\t(\d{5}) y{200000}", line) for line in records]
    assert records and [number and int(number[1]) for number in numbers] == list(range(len(records)))
    talk = "".join(line for line in lines if "y" not in line).replace(" ", "")
    assert talk and "".join(f"talk{number}" for number in range(100_000)).startswith(talk)


async def test_an_edit_leaves_the_file_on_disk_alone(laboratory: Laboratory) -> None:
    await laboratory.create("def handler(event, context):\n    return 'old'")
    await laboratory.service.edit("F", "app.py", "def handler(event, context):\n    return 'edited'")
    assert (await laboratory.invoke()).payload == '"edited"'
    assert "old" in (laboratory.folder / "F" / "app.py").read_text()


async def test_output_arrives_whole_and_in_order(laboratory: Laboratory) -> None:
    await laboratory.create(
        r"""
        import os, sys
        def handler(event, context):
            for n in range(100_000):
                print(n)
            os.write(1, b"x" * 1_000_000 + b"\n")
            os.write(1, b"not utf-8: \xff\xfe\n")
            sys.stderr.write("error\n")
            print("no newline", end="")
        """,
        timeout=60,
        memory_size=10240,  # never paused: a write that is stopped halfway is a short one, which this handler ignores
    )
    lines = laboratory.lines(await laboratory.invoke())
    start = next(n for n, line in enumerate(lines) if line.startswith("START"))
    assert lines[start + 1 : start + 100_001] == [str(n) for n in range(100_000)]
    assert lines[start + 100_001 : -2] == ["x" * 1_000_000, "not utf-8: \ufffd\ufffd", "error", "no newline"]


async def test_the_function_sees_what_lambda_shows(laboratory: Laboratory) -> None:
    await laboratory.create(
        """
        import os
        def handler(event, context):
            return {"env": dict(os.environ), "cwd": os.getcwd(), "id": context.aws_request_id,
                    "memory": context.memory_limit_in_mb, "left": context.get_remaining_time_in_millis(),
                    "arn": context.invoked_function_arn}
        """,
        environment={"GREETING": "hello"},
    )
    invocation = await laboratory.invoke()
    seen = json.loads(invocation.payload or "")
    assert seen["id"] == invocation.request_id
    assert (seen["memory"], seen["env"]["GREETING"], seen["cwd"]) == ("128", "hello", seen["env"]["LAMBDA_TASK_ROOT"])
    assert 0 < seen["left"] <= 3000
    assert seen["arn"] == "arn:aws:lambda:us-east-1:000000000000:function:F"
    assert seen["env"]["AWS_LAMBDA_LOG_STREAM_NAME"] == invocation.log_stream
    assert seen["env"]["_HANDLER"] == "app.handler"
    assert seen["env"]["AWS_ACCESS_KEY_ID"].startswith("ASIA")


async def test_throttling_is_answered_at_once_and_logged_nowhere(laboratory: Laboratory) -> None:
    await laboratory.create(PATIENT, reserved_concurrent_executions=1)
    in_flight = asyncio.create_task(laboratory.service.invoke("F", '{"seconds": 1}'))
    await laboratory.until(lambda event: isinstance(event, ev.InvocationPlaced))
    throttled = laboratory.lab.invocations[await laboratory.service.invoke("F", "{}")]
    assert throttled.throttle_reason == "ReservedFunctionConcurrentInvocationLimitExceeded"
    await in_flight
    assert len(list(laboratory.lab.streams)) == 1


async def test_idle_environments_are_reclaimed_in_time(open_laboratory: Opener) -> None:
    laboratory = await open_laboratory(idle_timeout=0.2)
    await laboratory.create(COUNTER)
    await laboratory.invoke()
    ended = await laboratory.until(lambda event: isinstance(event, ev.EnvironmentEnded))
    assert isinstance(ended, ev.EnvironmentEnded) and ended.because == "idle for 0.2 s"


async def test_nothing_is_left_after_close(open_laboratory: Opener) -> None:
    laboratory = await open_laboratory()
    await laboratory.create(
        "import subprocess\ndef handler(event, context):\n    subprocess.Popen(['sleep', '60'], start_new_session=True)"
    )
    await laboratory.invoke()
    folder = laboratory.service.folder
    await laboratory.service.close()
    assert not folder.exists()
    assert processes_of(folder) == []


def processes_of(folder: Path) -> list[str]:
    found = []
    for entry in Path("/proc").glob("[0-9]*/environ"):
        try:
            if str(folder).encode() in entry.read_bytes():
                found.append(entry.parent.name)
        except OSError:
            continue
    return found


async def test_what_cannot_be_created_is_refused_in_a_sentence(laboratory: Laboratory, tmp_path: Path) -> None:
    for configuration, sentence in (
        (Configuration("app.handler", runtime="ruby3.4"), "ruby3.4"),
        (Configuration("app.handler", python="/no/such/python"), "no interpreter at /no/such/python"),
    ):
        with pytest.raises(InvalidParameter, match=sentence):
            await laboratory.service.create("G", configuration, Code(source="", name="app.py"))
    await laboratory.create(COUNTER)
    for payload in ("{no json", "[NaN]"):
        with pytest.raises(InvalidRequestContent, match="Could not parse request body into json"):
            await laboratory.service.invoke("F", payload)


async def test_a_function_can_name_its_interpreter(laboratory: Laboratory) -> None:
    await laboratory.create(
        "import sys\ndef handler(event, context):\n    return sys.executable", python=sys.executable
    )
    assert os.path.samefile(json.loads((await laboratory.invoke()).payload or ""), sys.executable)


# -- versions, aliases, provisioned concurrency ---------------------------------------------------------------------

INITIALIZED = """
    import os, time
    def handler(event, context):
        time.sleep(event.get("seconds", 0))
        return [os.environ["AWS_LAMBDA_INITIALIZATION_TYPE"], context.function_version, context.invoked_function_arn]
"""


async def test_a_version_keeps_its_code_and_has_environments_and_streams_of_its_own(laboratory: Laboratory) -> None:
    await laboratory.create("def handler(event, context):\n    return 'one'")
    await laboratory.service.publish("F")
    await laboratory.service.publish("F")
    assert [*laboratory.lab.functions["F"].versions] == ["1"], "nothing has changed since"
    await laboratory.service.edit("F", "app.py", "def handler(event, context):\n    return 'two'")
    latest = await laboratory.invoke()
    one = await laboratory.invoke(qualifier="1")
    assert (latest.payload, one.payload) == ('"two"', '"one"')
    assert "[$LATEST]" in (latest.log_stream or "") and "[1]" in (one.log_stream or "")
    assert laboratory.lines(one)[1].endswith("Version: 1")


async def test_an_alias_shares_out_invocations_by_weight(laboratory: Laboratory) -> None:
    await laboratory.create(INITIALIZED)
    await laboratory.service.publish("F")
    await laboratory.service.update("F", {"memory_size": 256})
    await laboratory.service.publish("F")
    await laboratory.service.point_alias("F", "live", "1", {"2": 0.5})
    invocations = [await laboratory.invoke(qualifier="live") for _ in range(20)]
    assert {each.version for each in invocations} == {"1", "2"}
    assert json.loads(invocations[0].payload or "")[2] == "arn:aws:lambda:us-east-1:000000000000:function:F:live"
    await laboratory.service.point_alias("F", "live", "2", {})
    assert (await laboratory.invoke(qualifier="live")).version == "2"


async def test_provisioned_environments_wait_for_invocations_and_others_come_beside_them(
    laboratory: Laboratory,
) -> None:
    await laboratory.create(INITIALIZED)
    await laboratory.service.publish("F")
    await laboratory.service.provision("F", "1", 2)
    await laboratory.service.settled()
    ahead = list(laboratory.lab.environments.values())
    assert [each.state for each in ahead] == ["idle", "idle"] and not laboratory.lab.invocations
    assert laboratory.lab.provisioned["F", "1"].status == "READY"
    invocations = await asyncio.gather(*(laboratory.invoke('{"seconds": 1}', qualifier="1") for _ in range(3)))
    assert [each.cold_start for each in invocations] == [False, False, True]
    kinds = [json.loads(each.payload or "")[0] for each in invocations]
    assert kinds == ["provisioned-concurrency", "provisioned-concurrency", "on-demand"]
    first = next(each for each in invocations if each.environment == ahead[0].id)
    assert re.fullmatch(
        r"INIT_REPORT Init Duration: [\d.]+ ms\tPhase: init\tStatus: success", laboratory.lines(first)[1]
    )
    await laboratory.service.reclaim()
    assert [each.id for each in laboratory.lab.environments.values() if each.state == "idle"] == [e.id for e in ahead]
    await laboratory.service.provision("F", "1", 0)
    await laboratory.service.settled()
    assert all(each.state == "ended" for each in laboratory.lab.environments.values())


async def test_an_init_that_fails_ahead_of_its_invocations_is_told(laboratory: Laboratory) -> None:
    await laboratory.create("1 / 0")
    await laboratory.service.publish("F")
    await laboratory.service.provision("F", "1", 1)
    await laboratory.until(lambda event: isinstance(event, ev.EnvironmentEnded))
    told = laboratory.lab.provisioned["F", "1"]
    assert (told.status, told.reason) == ("FAILED", "FUNCTION_ERROR_INIT_FAILURE")


@pytest.mark.parametrize(
    ("what", "message"),
    [
        (lambda service: service.provision("F", "$LATEST", 1), "cannot be applied to unpublished function versions"),
        (lambda service: service.provision("F", "7", 1), "Function not found: arn:aws:lambda:"),
        (lambda service: service.provision("F", "1", 901), "greater than account's unreserved concurrency [900]"),
        (lambda service: service.point_alias("F", "12", "1", {}), "failed to satisfy constraint"),
        (lambda service: service.point_alias("F", "live", "2", {}), "Function not found"),
        (lambda service: service.point_alias("F", "live", "1", {"$LATEST": 0.5}), "$LATEST is not supported"),
        (lambda service: service.update("F", {"timeout": "3"}), "'timeout' must be a whole number, not \"3\""),
        (lambda service: service.update("F", {"environment": {"AB": 1}}), "must be a mapping of names to texts"),
        (lambda service: service.update("F", {"environment": {"AB": "\0"}}), "no process can be given: AB"),
        (lambda service: service.update("F", {"reserved_concurrent_executions": 901}), "minimum value of [100]"),
    ],
)
async def test_what_cannot_be_is_refused(
    laboratory: Laboratory, what: Callable[[Service], Awaitable[None]], message: str
) -> None:
    await laboratory.create(COUNTER)
    await laboratory.service.publish("F")
    await what(laboratory.service)
    assert message in laboratory.lab.rejections[0].message
    with pytest.raises(ResourceNotFound, match=re.escape("function:F:nowhere")):
        await laboratory.service.invoke("F", "{}", qualifier="nowhere")


async def test_layers_are_laid_over_opt(laboratory: Laboratory) -> None:
    for name, text in (("lower", "lower"), ("upper", "upper")):
        (laboratory.folder / name / "python").mkdir(parents=True)
        (laboratory.folder / name / "python" / "shared.py").write_text(f"origin = {text!r}")
        (laboratory.folder / name / text).write_text("")
    layers = tuple(str(laboratory.folder / name) for name in ("lower", "upper"))
    await laboratory.create(
        """
        import os, shared
        def handler(event, context):
            return [shared.origin, os.listdir(os.path.dirname(os.path.dirname(shared.__file__)))]
        """,
        layers=layers,
    )
    origin, files = json.loads((await laboratory.invoke()).payload or "")
    assert (origin, sorted(files)) == ("upper", ["lower", "python", "upper"])
    await laboratory.service.update("F", {"layers": [layers[0]]})
    assert json.loads((await laboratory.invoke()).payload or "")[0] == "lower"


# -- roles ----------------------------------------------------------------------------------------------------------


async def test_without_permission_to_log_there_is_no_stream_and_everything_else_works(laboratory: Laboratory) -> None:
    await laboratory.service.create_role("r", trusting(LAMBDA), {})
    await laboratory.create(
        """
        import os
        def handler(event, context):
            print("seen?")
            return os.environ["AWS_ACCESS_KEY_ID"]
        """,
        role="r",
    )
    silent = await laboratory.invoke()
    assert silent.status == "succeeded" and laboratory.lab.log_groups == {}
    await laboratory.service.attach_role_policy("r", "AWSLambdaBasicExecutionRole")
    heard = await laboratory.invoke()
    assert heard.environment == silent.environment and "seen?" in laboratory.lines(heard)
    await laboratory.service.detach_role_policy("r", "AWSLambdaBasicExecutionRole")
    count = len(laboratory.lines(heard))
    assert len(laboratory.lines(await laboratory.invoke())) == count
    await laboratory.create("import os\ndef handler(event, context):\n    return os.environ['AWS_ACCESS_KEY_ID']", "G")
    assert (await laboratory.invoke(function="G")).payload != heard.payload, "another role, other credentials"


async def test_a_role_that_lambda_may_not_assume_is_refused(laboratory: Laboratory) -> None:
    await laboratory.service.create_role("r", trusting("ec2.amazonaws.com"), {})
    for role in ("r", "nobody"):
        with pytest.raises(InvalidParameter, match="cannot be assumed by Lambda"):
            await laboratory.create(COUNTER, role=role)


# -- where these meet -----------------------------------------------------------------------------------------------


async def test_a_function_that_prints_as_it_dies_does_not_keep_the_laboratory_from_ending(
    laboratory: Laboratory,
) -> None:
    for _ in range(3):
        await laboratory.service.create_role("r", trusting(LAMBDA), {})
        await laboratory.create(
            "import sys\ndef handler(event, context):\n    while True:\n        print('a\\nb', flush=True)", role="r"
        )
        in_flight = asyncio.create_task(laboratory.service.invoke("F", "{}"))
        await laboratory.until(
            lambda event: isinstance(event, ev.InvocationStarted), len(laboratory.service.journal.records)
        )
        await asyncio.wait_for(laboratory.service.clear(), 20)
        await asyncio.gather(in_flight, return_exceptions=True)


async def test_an_environment_that_is_given_up_takes_no_further_invocation(laboratory: Laboratory) -> None:
    await laboratory.create(INITIALIZED)
    await laboratory.service.publish("F")
    await laboratory.service.provision("F", "1", 1)
    await laboratory.service.settled()
    first = asyncio.create_task(laboratory.service.invoke("F", '{"seconds": 0.5}', qualifier="1"))
    await laboratory.until(lambda event: isinstance(event, ev.InvocationPlaced))
    await laboratory.service.provision("F", "1", 0)
    await first
    second = await laboratory.invoke(qualifier="1")
    assert (second.status, second.cold_start) == ("succeeded", True)


async def test_an_environment_whose_init_failed_ahead_takes_no_invocation(laboratory: Laboratory) -> None:
    await laboratory.create("raise ValueError(1)")
    await laboratory.service.publish("F")
    await laboratory.service.provision("F", "1", 1)
    failed = await laboratory.until(lambda event: isinstance(event, ev.InitFinished))
    assert isinstance(failed, ev.InitFinished)
    invocation = await laboratory.invoke(qualifier="1")
    assert invocation.status == "failed" and invocation.environment != failed.environment


async def test_what_is_provisioned_is_counted_over_versions_and_ends_with_the_laboratorys_functions(
    laboratory: Laboratory,
) -> None:
    service, rejections = laboratory.service, laboratory.lab.rejections
    await laboratory.create(INITIALIZED, reserved_concurrent_executions=3)
    await service.publish("F")
    await service.update("F", {"memory_size": 256})
    await service.publish("F")
    await service.point_alias("F", "live", "1", {})
    await service.provision("F", "live", 2)
    for refused, message in (
        (service.provision("F", "2", 2), "should not be greater than the reservedConcurrentExecution"),
        (service.provision("F", "1", 1), "Version is pointed by a Provisioned Concurrency alias"),
        (service.point_alias("F", "live", "1", {"2": 0.5}), "Alias with weights can not be used"),
        (service.point_alias("F", "live", "$LATEST", {}), "cannot be applied to unpublished function versions"),
        (service.update("F", {"reserved_concurrent_executions": 1}), "should not be lower than"),
    ):
        count = len(rejections)
        await refused
        assert len(rejections) == count + 1 and message in rejections[-1].message
    await service.clear()
    await laboratory.create(INITIALIZED)
    for _ in range(2):
        await service.publish("F")
        await service.update("F", {"memory_size": 256})
    await service.point_alias("F", "live", "1", {})
    await service.point_alias("F", "live", "2", {})
    assert all(each.state == "ended" for each in laboratory.lab.environments.values())


async def test_what_is_set_beside_the_configuration_makes_no_version(laboratory: Laboratory) -> None:
    await laboratory.create(COUNTER)
    await laboratory.service.publish("F")
    await laboratory.service.update("F", {"reserved_concurrent_executions": 5})
    await laboratory.service.publish("F")
    assert [*laboratory.lab.functions["F"].versions] == ["1"]


async def test_a_start_that_takes_its_time_keeps_no_other_function_waiting(laboratory: Laboratory) -> None:
    extension = laboratory.folder / "layer" / "extensions" / "slow"
    extension.parent.mkdir(parents=True)
    extension.write_text("#!/bin/sh\nexec sleep 60\n")
    extension.chmod(0o755)
    await laboratory.create(COUNTER, "Slow", layers=(str(laboratory.folder / "layer"),))
    await laboratory.create(COUNTER)
    slow = [asyncio.create_task(laboratory.service.invoke("Slow", "{}")) for _ in range(2 * (os.cpu_count() or 1))]
    await laboratory.until(lambda event: isinstance(event, ev.InitStarted))
    assert (await asyncio.wait_for(laboratory.service.invoke("F", "{}"), 9)) in laboratory.lab.invocations
    assert not any(task.done() for task in slow)
    await laboratory.service.clear()
    await asyncio.gather(*slow, return_exceptions=True)
