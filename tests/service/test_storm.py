"""Whatever one does to a laboratory: real functions, invoked, changed, killed and reclaimed at random.

`STORM_EXAMPLES=200 pytest tests/service/test_storm.py` storms for minutes instead of seconds.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import signal
import sys
import tempfile
from collections import Counter
from collections.abc import Awaitable, Callable, Iterable
from pathlib import Path
from typing import TypeAlias

import psutil
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from lambdatui import events as ev
from lambdatui.function import Code, Configuration
from lambdatui.journal import Journal
from lambdatui.sandbox.guardian import MARK
from lambdatui.service.service import Service, Settings, open_service

HANDLER = """
import os, subprocess, threading, time

def handler(event, context):
    print("generation", {generation})
    match event["do"]:
        case "sleep":
            time.sleep(event["seconds"])
        case "raise":
            raise ValueError("on purpose")
        case "exit":
            os._exit(3)
        case "spawn":
            subprocess.Popen(["sleep", "60"], start_new_session=True)
        case "talk":
            print("x" * 100_000)
        case "thread":
            threading.Thread(target=lambda: time.sleep(60), daemon=True).start()
    return event["do"]
"""
EXTENSION = f"""#!{sys.executable}
import json, os, urllib.request
API = f"http://{{os.environ['AWS_LAMBDA_RUNTIME_API']}}/2020-01-01/extension"
headers = {{"Lambda-Extension-Name": "storm"}}
body = json.dumps({{"events": ["INVOKE", "SHUTDOWN"]}}).encode()
with urllib.request.urlopen(urllib.request.Request(API + "/register", body, headers)) as answer:
    headers = {{"Lambda-Extension-Identifier": answer.headers["Lambda-Extension-Identifier"]}}
event = {{"eventType": "INVOKE"}}
while event["eventType"] == "INVOKE":
    with urllib.request.urlopen(urllib.request.Request(API + "/event/next", headers=headers)) as answer:
        event = json.load(answer)
"""
Action: TypeAlias = tuple[str, int]

DEEDS: tuple[tuple[str, float], ...] = (
    *(("return", 0.0), ("sleep", 0.1), ("sleep", 5.0), ("raise", 0.0), ("exit", 0.0)),
    *(("spawn", 0.0), ("talk", 0.0), ("thread", 0.0)),
)
actions = st.lists(
    st.one_of(
        st.tuples(st.just("invoke"), st.integers(0, len(DEEDS) - 1)),
        st.tuples(st.just("burst"), st.integers(0, len(DEEDS) - 1)),
        st.tuples(st.sampled_from(["save", "update", "reclaim", "publish", "kill", "wait"]), st.integers(0, 99)),
    ),
    min_size=5,
    max_size=25,
)


class Storm:
    """One laboratory, and everything that is under way in it."""

    def __init__(self, service: Service, folder: Path) -> None:
        self.service = service
        self.folder = folder
        self.calls: set[asyncio.Task[str]] = set()

    async def act(self, action: Action, number: int) -> None:
        what, n = action
        match what:
            case "invoke":
                self._invoke(n, 1)
            case "burst":
                self._invoke(n, 5)
            case "save":
                self._save(number)
            case "update":
                await self.service.update("F", {"memory_size": 128 + number})
            case "reclaim":
                await self.service.reclaim()
            case "publish":
                await self.service.publish("F")
                self._invoke(n % len(DEEDS), 1, "1")
            case "kill":
                self._kill(n)
            case "wait":
                await asyncio.sleep(n / 500)

    def _invoke(self, deed: int, times: int, qualifier: str | None = None) -> None:
        do, seconds = DEEDS[deed]
        event = json.dumps({"do": do, "seconds": seconds})
        for _ in range(times):
            self.calls.add(asyncio.create_task(self.service.invoke("F", event, qualifier=qualifier)))

    def _save(self, generation: int) -> None:
        (self.folder / "app.py").write_text(HANDLER.replace("{generation}", str(generation)))

    def _kill(self, n: int) -> None:
        """Somebody shoots at a process, whatever it is doing."""
        if victims := processes_of(self.service.folder):
            with contextlib.suppress(ProcessLookupError):
                os.kill(victims[n % len(victims)], signal.SIGKILL)

    async def over(self) -> None:
        async with asyncio.timeout(90):
            await asyncio.gather(*self.calls)
            await self.service.settled()


def processes_of(folder: Path) -> list[int]:
    """Those of the laboratory's environments, its guardian aside."""
    found = []
    for process in psutil.process_iter():
        with contextlib.suppress(psutil.Error):
            if process.environ().get(MARK) == str(folder):
                found.append(process.pid)
    return found


def check(events: Iterable[ev.Event]) -> None:
    """What must hold of every history."""
    accepted, throttled, answered, finished = (Counter[str]() for _ in range(4))
    busy: dict[str, str] = {}
    ended: set[str] = set()
    for event in events:
        match event:
            case ev.InvocationAccepted(request_id=request):
                accepted[request] += 1
            case ev.InvocationThrottled(request_id=request):
                throttled[request] += 1
            case ev.InvocationPlaced(request_id=request, environment=environment):
                assert environment not in busy, "one invocation at a time"
                assert environment not in ended
                busy[environment] = request
            case ev.InvocationStarted(request_id=request, environment=environment):
                assert busy[environment] == request
            case ev.InvocationAnswered(request_id=request):
                answered[request] += 1
            case ev.InvocationFinished(request_id=request, environment=environment):
                finished[request] += 1
                assert busy.pop(environment) == request
            case ev.EnvironmentEnded(environment=environment):
                ended.add(environment)
    assert not busy
    assert set(accepted.values()) <= {1}
    assert accepted == throttled + answered, "each is answered once"
    assert finished == answered, "and reported once"


def run(story: Callable[[Storm], Awaitable[None]], *, extended: bool) -> None:
    async def main(folder: Path, layer: Path) -> None:
        (folder / "app.py").write_text(HANDLER.replace("{generation}", "0"))
        (layer / "extensions").mkdir()
        (layer / "extensions" / "storm").write_text(EXTENSION)
        (layer / "extensions" / "storm").chmod(0o755)
        layers = (str(layer),) if extended else ()
        service = await open_service(Settings(), Journal())
        try:
            configuration = Configuration("app.handler", timeout=1, reserved_concurrent_executions=8, layers=layers)
            await service.create("F", configuration, Code(folder))
            storm = Storm(service, folder)
            await story(storm)
            await storm.over()
            check(record.event for record in service.journal.records)
        finally:
            await service.close()
        assert processes_of(service.folder) == []
        assert not service.folder.exists()

    with tempfile.TemporaryDirectory() as folder, tempfile.TemporaryDirectory() as layer:
        asyncio.run(main(Path(folder), Path(layer)))


@settings(
    max_examples=int(os.environ.get("STORM_EXAMPLES", "6")),
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow],
    print_blob=True,
)
@given(actions=actions, extended=st.booleans())
def test_nothing_is_lost_doubled_or_left_in_a_storm(actions: list[Action], extended: bool) -> None:
    async def story(storm: Storm) -> None:
        for number, action in enumerate(actions, 1):
            await storm.act(action, number)

    run(story, extended=extended)
