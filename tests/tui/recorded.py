"""Recorded laboratories: lists of records at fixed times, and a client that plays them."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator

from lambdatui import events as ev
from lambdatui.events import Json, Record

START = 1_700_000_000.0
FUNCTION = "TestInvocation"
GROUP = f"/aws/lambda/{FUNCTION}"
CODE = "3f9a12c4d5e6f708" * 4
NEW_CODE = "71bc90aa55ee1234" * 4
FILES = {
    "timeout.py": """\
import time


def lambda_handler(event, context):
    print("going to sleep for", event["seconds"], "s")
    time.sleep(event["seconds"])  # longer than the timeout
    return "slept well"
"""
}
SAVED = {"timeout.py": FILES["timeout.py"].replace('event["seconds"])  #', "2)  #") + "\n# the end\n"}

STEPS: tuple[dict[str, Json], ...] = (
    {
        "name": "sleep past the timeout",
        "say": "The handler sleeps **5 s**; the timeout is `3 s`.",
        "action": 'invoke TestInvocation 3 times at once with {"seconds": 5}',
        "predict": {
            "ask": "What does the caller get?",
            "choices": ["the result", "an error after 3 s", "nothing"],
            "answer": 2,
        },
        "expects": ["status timed_out", "cold_starts 3"],
        "explain": "At the deadline Lambda kills the *whole* environment:\n\n- the processes\n- not the log stream",
        "hints": ["Nobody set a timeout, so it is `3 s`.", "Somebody still waits for an answer."],
        "highlight": {"function": FUNCTION, "file": "timeout.py", "pattern": "sleep\\(", "lines": None},
    },
    {
        "name": "invoke it again",
        "say": "Now the same once more. Is there a warm environment?",
        "action": "invoke TestInvocation once",
        "predict": None,
        "expects": ["cold_starts 1"],
        "explain": "",
    },
)


class Script:
    """Writes records; time only moves by :meth:`at` (seconds since START)."""

    def __init__(self) -> None:
        self.records: list[Record] = []
        self._time = START

    @property
    def time(self) -> float:
        """Of the last chapter."""
        return self._time

    def at(self, seconds: float) -> Script:
        self._time = START + seconds
        return self

    def add(self, *events: ev.Event) -> Script:
        for event in events:
            self.records.append(Record(len(self.records), self._time, event))
        return self

    # -- chapters -----------------------------------------------------------------------------------------------

    def opened(self, steps: tuple[dict[str, Json], ...] = STEPS, title: str = "Lambda timeout") -> Script:
        configuration: dict[str, Json] = {
            "handler": "timeout.lambda_handler",
            "runtime": "python3.11",
            "timeout": 3,
            "memory_size": 128,
            "environment": {},
        }
        return self.add(
            ev.LaboratoryOpened(4711, "bubblewrap", "us-east-1", "123456789012", "current", 1000, 300.0),
            ev.ExperimentOpened(
                title,
                "What the *default* timeout of three seconds does.",
                "timeout.yaml",
                "en",
                steps,
                following={"name": "reuse", "title": "Reuse of execution environments"},
            ),
            ev.FunctionCreated(FUNCTION, f"arn:{FUNCTION}", 1, configuration, CODE, "/functions", FILES),
        )

    def accepted(self, request: str, event: str = '{"seconds": 5}', step: int | None = 0) -> Script:
        return self.add(ev.InvocationAccepted(request, FUNCTION, "$LATEST", "RequestResponse", event, step))

    def cold(
        self,
        environment: str,
        request: str,
        because: str = "no environment was idle",
        generation: int = 1,
        code: str = CODE,
    ) -> Script:
        return self.add(
            ev.EnvironmentCreated(
                environment,
                FUNCTION,
                "$LATEST",
                generation,
                code,
                GROUP,
                f"2023/11/14/[$LATEST]{environment * 2}",
                because,
            ),
            ev.InvocationPlaced(request, environment, True),
            ev.InitStarted(environment, "init", False, None),
            ev.InitPhaseFinished(environment, "extension", 0.0),
        )

    def running(self, environment: str, request: str, init_ms: float | None = 61.0, timeout: float = 3.0) -> Script:
        if init_ms is not None:
            self.add(ev.InitFinished(environment, "init", False, "success", init_ms, None))
        self.add(ev.InvocationStarted(request, environment, self._time + timeout))
        return self.log(environment, f"START RequestId: {request} Version: $LATEST", request=request, platform=True)

    def log(self, environment: str, *lines: str, request: str | None = None, platform: bool = False) -> Script:
        stream = f"2023/11/14/[$LATEST]{environment * 2}"
        return self.add(ev.LogWritten(environment, GROUP, stream, request, platform, lines))

    def timed_out(self, environment: str, request: str) -> Script:
        message = f"2023-11-14T22:13:23.000Z {request} Task timed out after 3.00 seconds"
        sentence = f"RequestId: {request} Error: Task timed out after 3.00 seconds"
        payload = f'{{"errorType":"Sandbox.Timedout","errorMessage":"{sentence}"}}'
        self.add(ev.InvocationAnswered(request, "timed_out", payload, "Unhandled"))
        self.log(environment, message, f"END RequestId: {request}", request=request, platform=True)
        return self.add(
            ev.InvocationFinished(request, environment, "timed_out", 3000.0, 3000, 61.25, 128, 41, "timeout"),
            ev.EnvironmentReset(environment, "timeout"),
        )

    def succeeded(
        self, environment: str, request: str, payload: str = '{"statusCode": 200, "body": "hello"}'
    ) -> Script:
        self.add(ev.InvocationAnswered(request, "succeeded", payload, None))
        self.log(environment, f"END RequestId: {request}", request=request, platform=True)
        return self.add(
            ev.InvocationFinished(request, environment, "succeeded", 12.34, 13, None, 128, 42, None),
            ev.EnvironmentFrozen(environment),
        )


ENVIRONMENTS = ("a1b2c3d4e5f60718", "91bc00ffaa2233e1", "7e57ab1e0dd5c0de")
REQUESTS = tuple(f"{number}f0c1d2e-0000-4000-8000-00000000000{number}" for number in (1, 2, 3))


def at_start() -> Script:
    return Script().opened()


def three_busy() -> Script:
    """A second into three cold invocations at once."""
    script = at_start().at(1).add(ev.PredictionMade(0, 2), ev.StepStarted(0))
    for request in REQUESTS:
        script.accepted(request)
    for environment, request in zip(ENVIRONMENTS, REQUESTS, strict=True):
        script.cold(environment, request)
    script.at(1.1)
    for number, (environment, request) in enumerate(zip(ENVIRONMENTS, REQUESTS, strict=True), 1):
        script.running(environment, request)
        script.log(environment, f"[INFO] going to sleep, number {number}", request=request)
    return script


def after_timeout() -> Script:
    """All three have timed out and the first step is over."""
    script = three_busy().at(4.1)
    for environment, request in zip(ENVIRONMENTS, REQUESTS, strict=True):
        script.timed_out(environment, request)
    checks: tuple[dict[str, Json], ...] = (
        {"expect": "status", "expected": "timed_out", "actual": "timed_out", "passed": True},
        {"expect": "cold_starts", "expected": 3, "actual": 3, "passed": True},
        {"expect": "log_streams", "expected": 1, "actual": 3, "passed": False},
    )
    line = f"2023-11-14T22:13:23.000Z {REQUESTS[0]} Task timed out after 3.00 seconds"
    evidence: tuple[dict[str, Json] | None, ...] = (
        {"request_id": REQUESTS[0], "time": script.time, "line": line},
        {"request_id": REQUESTS[1]},
        None,
    )
    return script.add(ev.StepFinished(0, False, checks, None, evidence))


def all_done() -> Script:
    """Also the second step, a save of the code and an environment that is gone."""
    script = after_timeout().at(10).add(ev.StepStarted(1)).accepted("4a", step=1)
    script.add(ev.InvocationPlaced("4a", ENVIRONMENTS[0], False), ev.InitStarted(ENVIRONMENTS[0], "invoke", True, "4a"))
    script.add(ev.InitFinished(ENVIRONMENTS[0], "invoke", True, "success", 60.0, None))
    script.running(ENVIRONMENTS[0], "4a", init_ms=None).at(10.2).succeeded(ENVIRONMENTS[0], "4a")
    script.add(ev.StepFinished(1, True, (), None), ev.ExperimentFinished(False))
    script.add(ev.EnvironmentEnded(ENVIRONMENTS[2], "idle for 300 s")).at(12)
    return script.add(
        ev.FunctionUpdated(
            FUNCTION,
            2,
            "save",
            ("timeout.py",),
            {"handler": "timeout.lambda_handler", "timeout": 3, "memory_size": 128},
            NEW_CODE,
            CODE,
        )
    )


def cold_init() -> Script:
    """Three environments start their runtimes; nothing has run yet."""
    script = at_start().at(1).add(ev.StepStarted(0))
    for request in REQUESTS:
        script.accepted(request)
    for environment, request in zip(ENVIRONMENTS, REQUESTS, strict=True):
        script.cold(environment, request)
    return script.at(1.04)


def reloaded() -> Script:
    """A save of the code while an environment is warm, and an invocation that runs the new code in a new one."""
    old, new, _ = ENVIRONMENTS
    first, second, _ = REQUESTS
    script = at_start().at(1).accepted(first, "{}", None).cold(old, first, "first invocation").running(old, first)
    script.at(1.2).succeeded(old, first).at(5).add(
        ev.FunctionUpdated(
            FUNCTION,
            2,
            "save",
            ("timeout.py",),
            {"handler": "timeout.lambda_handler", "runtime": "python3.11", "timeout": 3, "memory_size": 128},
            NEW_CODE,
            CODE,
            SAVED,
        ),
        ev.EnvironmentEnded(old, "the code has changed"),
    )
    script.at(7).accepted(second, "{}", None).cold(new, second, "the code has changed", 2, NEW_CODE)
    return script.running(new, second).at(7.1)


TRACE = (
    '  File "/var/task/app.py", line 12, in lambda_handler\n    return divide(event)\n',
    '  File "/opt/python/tracing.py", line 3, in wrapped\n    return call()\n',
    '  File "/var/task/app.py", line 4, in divide\n    return event["a"] / 0\n',
)


def failed() -> Script:
    """An invocation by hand whose handler raised an error, after a wait and a cold start."""
    request, environment = REQUESTS[0], ENVIRONMENTS[0]
    event = {"a": 1, "list": [1.5, None, True, "text"], "name": {"deep": 'say "hello"'}}
    script = at_start().at(1).accepted(request, json.dumps(event), None).cold(environment, request).at(1.3)
    script.running(environment, request, init_ms=180.0).log(environment, "[INFO] dividing", request=request)
    error = {"errorMessage": "division by zero", "errorType": "ZeroDivisionError", "stackTrace": [*TRACE]}
    script.at(1.5).add(ev.InvocationAnswered(request, "failed", json.dumps(error), "Unhandled"))
    script.log(environment, f"END RequestId: {request}", request=request, platform=True)
    finished = ev.InvocationFinished(request, environment, "failed", 200.12, 201, 180.0, 128, 41, None)
    return script.add(finished, ev.EnvironmentFrozen(environment))


def many(count: int = 30) -> Script:
    """The same, and then others that succeed, by steps, by hand and by the endpoint."""
    script, environment = failed(), ENVIRONMENTS[0]
    for number in range(count):
        request, step = f"{number:08x}-0000-4000-8000-000000000000", number % 2 or None
        source = "" if step is not None or number % 4 else "endpoint"
        accepted = ev.InvocationAccepted(
            request, FUNCTION, "$LATEST", "RequestResponse", json.dumps({"n": number}), step, None, source
        )
        script.at(2 + number).add(accepted, ev.InvocationPlaced(request, environment, False))
        script.running(environment, request, None).at(2.1 + number)
        payload = json.dumps({"statusCode": 200, "n": number})
        script.add(ev.InvocationAnswered(request, "succeeded", payload, None))
        script.log(environment, f"END RequestId: {request}", request=request, platform=True)
        took = 12.34 + number * 7 % 10
        script.add(
            ev.InvocationFinished(request, environment, "succeeded", took, int(took) + 1, None, 128, 42, None),
            ev.EnvironmentFrozen(environment),
        )
    return script


def reused() -> Script:
    """Three environments at once, of which one is used again, and a throttled invocation a minute later."""
    script = three_busy().at(2)
    for environment, request in zip(ENVIRONMENTS, REQUESTS, strict=True):
        script.succeeded(environment, request)
    script.at(3).accepted("4a").add(
        ev.InvocationPlaced("4a", ENVIRONMENTS[1], False), ev.EnvironmentThawed(ENVIRONMENTS[1])
    )
    script.running(ENVIRONMENTS[1], "4a", None).at(3.5).succeeded(ENVIRONMENTS[1], "4a")
    return script.at(63.5).accepted("5b").add(ev.InvocationThrottled("5b", "x", "no")).at(64)


def step_error() -> Script:
    """A step that could not be carried out."""
    script = at_start().at(1).add(ev.StepStarted(0))
    return script.add(ev.StepFinished(0, False, (), "The function TestInvocation could not be updated: no such file."))


NASTY = (
    "\x1b]0;owned\x07\x1b[2J\x9b31m red\x1b[0m \u202egnp.exe\u202c"
    " Zo\u0301\u0301\u0301\u0301e \ud83d 日本語 👩\u200d👩\u200d👧 [bold]x[/] $(reboot)"
)
"""Everything that a terminal, a layout or markup could stumble over."""


def hostile() -> Script:
    """Foreign text wherever there is any."""
    steps: tuple[dict[str, Json], ...] = (
        {
            "name": NASTY,
            "say": NASTY,
            "action": NASTY,
            "predict": {"ask": NASTY, "choices": [NASTY, "b"], "answer": 1},
            "expects": [NASTY],
            "explain": NASTY,
        },
    )
    script = Script().opened(steps, NASTY).at(1).add(ev.PredictionMade(0, 2), ev.StepStarted(0))
    request, environment = REQUESTS[0], ENVIRONMENTS[0]
    script.accepted(request, NASTY).cold(environment, request, NASTY).running(environment, request)
    script.log(environment, NASTY, NASTY * 20, "\u0301\u0301combining", "tab\there", request=request)
    script.succeeded(environment, request, NASTY)
    checks: tuple[dict[str, Json], ...] = ({"expect": NASTY, "expected": NASTY, "actual": NASTY, "passed": False},)
    return script.add(ev.StepFinished(0, False, checks, NASTY), ev.Noticed("warning", NASTY))


CHINESE: tuple[dict[str, Json], ...] = (
    {
        "name": "睡滿整段逾時時間",
        "say": "用預設的逾時設定呼叫函式。計時從處理常式執行之前就開始了，\n所以睡滿 3 秒一定來不及。",
        "action": "呼叫 TestInvocation 一次",
        "predict": {
            "ask": "呼叫端會得到什麼？",
            "choices": [
                "3 秒後得到結果",
                "3 秒後得到錯誤，內容是「Task timed out after 3.00 seconds」",
                "什麼也得不到",
            ],
            "answer": 2,
        },
        "expects": [],
        "explain": "日誌裡有 `START` 和處理常式印出的訊息，但結果沒有送到呼叫端：時限一到，不管程式跑到哪裡，"
        "Lambda 都會直接終止它。\n\n- 程式收不到訊號，也沒有機會收尾。\n- 不能做到一半的工作，逾時要留點餘裕。",
    },
)


def chinese() -> Script:
    """A step in Chinese, over."""
    script = Script().opened(CHINESE, "Lambda 逾時").at(1).add(ev.PredictionMade(0, 1), ev.StepStarted(0))
    request, environment = REQUESTS[0], ENVIRONMENTS[0]
    script.accepted(request).cold(environment, request).running(environment, request)
    script.log(environment, "開始睡覺：處理常式會睡滿三秒，然後傳回結果，不過在那之前時限就到了。", request=request)
    script.at(4).timed_out(environment, request)
    return script.add(
        ev.StepFinished(0, True, ({"expect": "cold_starts", "expected": 1, "actual": 1, "passed": True},), None)
    )


class Player:
    """A laboratory that plays records and notes commands."""

    def __init__(self, *records: Record) -> None:
        self.commands: list[tuple[str, dict[str, Json]]] = []
        self.failure: Exception | None = None
        self._queue: asyncio.Queue[list[Record] | None] = asyncio.Queue()
        self._taken = asyncio.Event()
        self.play(*records)

    def play(self, *records: Record) -> None:
        self._taken.clear()
        self._queue.put_nowait(list(records))

    def end(self) -> None:
        """As if the laboratory was killed."""
        self._queue.put_nowait(None)

    async def taken(self) -> None:
        """Wait until the screen has folded all that was played."""
        await self._taken.wait()

    async def events(self) -> AsyncIterator[list[Record]]:
        while True:
            if self._queue.empty():
                self._taken.set()
            batch = await self._queue.get()
            if batch is None:
                return
            yield batch

    async def command(self, name: str, **arguments: Json) -> Json:
        self.commands.append((name, arguments))
        if self.failure is not None:
            raise self.failure
        return None


TRACEBACK = (
    "[ERROR] ZeroDivisionError: division by zero\rTraceback (most recent call last):\r"
    + "\r".join(f'  File "/var/task/app.py", line {line}, in part_{line}\r    half(10 / {line})' for line in range(6))
    + "\rZeroDivisionError: division by zero"
)
"""One log event, as awslambdaric writes it."""


def logging() -> Script:
    """Streams of two log groups: records in JSON, a long one, an error, and events that somebody put."""
    script = after_timeout().at(6)
    environment, request = ENVIRONMENTS[1], REQUESTS[1]
    script.log(environment, f"START RequestId: {request} Version: $LATEST", request=request, platform=True)
    order = '{"level": "INFO", "message": "order taken", "order": {"id": 17, "items": ["tea", "rice"], "paid": true}}'
    script.at(6.012).log(environment, order, request=request)
    script.at(6.05).log(environment, TRACEBACK, request=request)
    script.at(6.1).log(environment, f"END RequestId: {request}", request=request, platform=True)
    script.add(ev.LogGroupCreated("/ecs/audit", {}), ev.LogStreamCreated("/ecs/audit", "cashier/1"))
    times = (int(START + 6) * 1000, int(START + 7) * 1000)
    return script.at(7).add(ev.LogEventsPut("/ecs/audit", "cashier/1", times, ("drawer opened", "drawer closed")))
