"""Init phases that fail or take too long, in the log and on the bill, with real processes."""

from __future__ import annotations

import json
import math
import re

import pytest

from lambdatui.lab import Invocation
from tests.service.conftest import Laboratory, Opener

pytestmark = pytest.mark.parametrize("dialect", ["current", "classic"])

FAILS_ONCE = """
    import os, time
    print("module")
    marker = os.environ.get("TMPDIR", "/tmp") + "/second"
    if not os.path.exists(marker):
        open(marker, "w").close()
        {first}
    {then}
    def handler(event, context):
        return "done"
"""


def kinds(laboratory: Laboratory, invocation: Invocation) -> list[str]:
    """The first word of each line of its stream, or what tells it apart from others of its kind."""
    lines = laboratory.lines(invocation)
    return [
        re.split(r"[ \t\n]", re.sub(r".* (Task timed out|Error: Runtime exited).*", r"\1", line))[0] for line in lines
    ]


def init_reports(laboratory: Laboratory, invocation: Invocation) -> list[tuple[float, str]]:
    """Milliseconds and the rest of every INIT_REPORT."""
    pattern = re.compile(r"INIT_REPORT Init Duration: ([\d.]+) ms\t(.*)")
    found = [match for line in laboratory.lines(invocation) if (match := pattern.fullmatch(line))]
    return [(float(match[1]), match[2].replace("\t", ", ")) for match in found]


async def test_an_init_that_exits_is_tried_again_inside_the_invocation(open_laboratory: Opener, dialect: str) -> None:
    laboratory = await open_laboratory(log_dialect=dialect)
    await laboratory.create(FAILS_ONCE.format(first="os._exit(3)", then=""))
    invocation = await laboratory.invoke()
    assert (invocation.status, invocation.payload) == ("succeeded", '"done"')
    assert kinds(laboratory, invocation) == ["INIT_START", "module", "INIT_REPORT", "module", "START", "END", "REPORT"]
    assert [rest for _, rest in init_reports(laboratory, invocation)] == [
        "Phase: init, Status: error, Error Type: Runtime.ExitError"
    ]
    environment = laboratory.lab.environments[invocation.environment or ""]
    assert invocation.init_duration_ms is None, "the retry is part of the duration, and billed with it"
    assert invocation.duration_ms and environment.init_duration_ms
    assert invocation.duration_ms > environment.init_duration_ms
    assert invocation.billed_duration_ms == math.ceil(round(invocation.duration_ms, 2)), "of what REPORT shows"
    assert "Init Duration" not in laboratory.lines(invocation)[-1]


async def test_an_init_that_always_exits_is_the_callers_error(open_laboratory: Opener, dialect: str) -> None:
    laboratory = await open_laboratory(log_dialect=dialect)
    await laboratory.create("import os\nprint('module')\nos._exit(3)")
    invocation = await laboratory.invoke()
    assert json.loads(invocation.payload or "") == {
        "errorType": "Runtime.ExitError",
        "errorMessage": f"RequestId: {invocation.request_id} Error: Runtime exited with error: exit status 3",
    }
    told = ["Error:"] if dialect == "classic" else []
    assert kinds(laboratory, invocation) == [
        *("INIT_START", "module", "INIT_REPORT", "module", "INIT_REPORT", "START", *told, "END", "REPORT")
    ]
    assert [rest for _, rest in init_reports(laboratory, invocation)] == [
        "Phase: init, Status: error, Error Type: Runtime.ExitError",
        "Phase: invoke, Status: error, Error Type: Runtime.ExitError",
    ]
    report = laboratory.lines(invocation)[-1]
    assert report.endswith("Status: error\tError Type: Runtime.ExitError") == (dialect == "current")


async def test_the_next_invocation_after_a_failed_init_pays_a_suppressed_one(
    open_laboratory: Opener, dialect: str
) -> None:
    laboratory = await open_laboratory(log_dialect=dialect)
    await laboratory.create("print('module')\nimport no_such_module")
    first, second = await laboratory.invoke(), await laboratory.invoke()
    assert second.environment == first.environment
    assert json.loads(second.payload or "")["errorType"] == "Runtime.ImportModuleError"
    assert sum(line == "module" for line in laboratory.lines(second)) == 3
    assert len(init_reports(laboratory, second)) == 2, "a suppressed init has no line"
    told = [line for line in laboratory.lines(first) if line == "Unknown application error occurred\nRuntime.Unknown"]
    assert len(told) == (2 if dialect == "classic" else 0)


async def test_a_retry_longer_than_the_timeout_times_out(open_laboratory: Opener, dialect: str) -> None:
    laboratory = await open_laboratory(log_dialect=dialect)
    await laboratory.create(FAILS_ONCE.format(first="os._exit(3)", then="time.sleep(60)"), timeout=1)
    invocation = await laboratory.invoke()
    assert invocation.status == "timed_out"
    told = ["Task"] if dialect == "classic" else []
    assert kinds(laboratory, invocation) == [
        *("INIT_START", "module", "INIT_REPORT", "module", "INIT_REPORT", "START", *told, "END", "REPORT")
    ]
    [_, (duration, rest)] = init_reports(laboratory, invocation)
    assert rest == "Phase: invoke, Status: timeout" and 1000 <= duration < 3000
    assert invocation.billed_duration_ms == 1000


async def test_an_init_over_ten_seconds_is_stopped_and_tried_again(open_laboratory: Opener, dialect: str) -> None:
    if dialect == "classic":
        pytest.skip("ten seconds once are enough: the log lines are the same")
    laboratory = await open_laboratory(log_dialect=dialect)
    await laboratory.create(FAILS_ONCE.format(first="time.sleep(60)", then=""))
    invocation = await laboratory.invoke()
    assert invocation.status == "succeeded"
    assert kinds(laboratory, invocation) == ["INIT_START", "module", "INIT_REPORT", "module", "START", "END", "REPORT"]
    [(duration, rest)] = init_reports(laboratory, invocation)
    assert rest == "Phase: init, Status: timeout" and 10_000 <= duration < 13_000
    assert invocation.duration_ms and invocation.duration_ms < 3000, "the ten seconds are not part of the invocation"
