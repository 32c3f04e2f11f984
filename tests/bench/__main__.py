"""How fast the laboratory is, as ratios measured in one run: `python -m tests.bench`.

The floor of a warm invocation is the same handler in the same client behind the barest Runtime API there can be; that
of a cold start, the bare spawn of `python -m awslambdaric` until it first asks for an invocation. Floor and laboratory
take turns, so that what else the machine does falls on both.
"""

from __future__ import annotations

import asyncio
import os
import statistics
import sys
import tempfile
import time
from collections.abc import Awaitable, Callable
from pathlib import Path

import psutil

from lambdatui import events as ev
from lambdatui.function import Code, Configuration
from lambdatui.garbage import search_once
from lambdatui.journal import Journal
from lambdatui.service.service import Service, Settings, open_service
from tests.bench.floor import Floor
from tests.bench.screen import live_screen

HANDLER = """
import time

def handler(event, context):
    if "sleep" in event:
        time.sleep(event["sleep"])
    return event

def chatter(event, context):
    end = time.monotonic() + event["seconds"]
    while time.monotonic() < end:
        for n in range(10):
            print("a line of the usual length, number", n, "of ten, and then a pause")
        time.sleep(0.01)
"""
WARM_ROUNDS = 40
WARM_BATCH = 25
COLD_ROUNDS = 15


def main() -> None:
    search_once()
    asyncio.run(_measure())


async def _measure() -> None:
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        (folder / "app.py").write_text(HANDLER)
        service = await open_service(Settings(), Journal())
        floor = await Floor.start(folder)
        try:
            sandbox = service.journal.records[0].event
            assert isinstance(sandbox, ev.LaboratoryOpened)
            print(f"{os.cpu_count()} cores, Python {sys.version.split()[0]}, {sandbox.sandbox}\n")
            await service.create("F", Configuration("app.handler", timeout=2), Code(folder))
            await service.create("Chatter", Configuration("app.chatter", timeout=900), Code(folder))
            await _warm("without a screen", service, floor)
            async with live_screen(service):
                chatter = asyncio.create_task(service.invoke("Chatter", '{"seconds": 12}'))
                await _warm("with the screen live and 1,000 log lines a second", service, floor)
                await chatter
            await _cold(service, floor)
            await _timeouts(service)
            await _reload(service, folder)
        finally:
            await floor.close()
            await service.close()
        await _memory(folder)


async def _warm(title: str, service: Service, floor: Floor) -> None:
    await service.invoke("F", "{}")
    ours: list[float] = []
    bare: list[float] = []
    for _ in range(WARM_ROUNDS):
        bare += await _times(WARM_BATCH, floor.invoke, floor.settled)
        ours += await _times(WARM_BATCH, lambda: service.invoke("F", "{}"), lambda: _idle(service))
    p50, p99 = _percentile(ours, 50), _percentile(ours, 99)
    print(f"warm invocation, {title}")
    print(f"  floor p50 {_percentile(bare, 50):.2f} ms, p99 {_percentile(bare, 99):.2f} ms")
    print(f"  here  p50 {p50:.2f} ms, p99 {p99:.2f} ms")
    print(f"  p50 is {p50 / _percentile(bare, 50):.2f}x the floor (aim: 1.5), p99 is {p99 / p50:.1f}x p50 (aim: 3)")


async def _cold(service: Service, floor: Floor) -> None:
    ours: list[float] = []
    bare: list[float] = []
    for _ in range(COLD_ROUNDS):
        bare += await _times(1, floor.spawn)
        await service.reclaim("F")
        ours += await _times(1, lambda: service.invoke("F", "{}"))
    here, there = statistics.median(ours), statistics.median(bare)
    print("cold start, from the call to the answer")
    print(f"  bare spawn until next {there:.1f} ms, here {here:.1f} ms: {here / there:.2f}x")


async def _timeouts(service: Service) -> None:
    late: list[float] = []
    for _ in range(5):
        request_id = await service.invoke("F", '{"sleep": 60}')
        answered = time.time()
        started = next(
            record.event
            for record in reversed(service.journal.records)
            if isinstance(record.event, ev.InvocationStarted) and record.event.request_id == request_id
        )
        assert isinstance(started, ev.InvocationStarted)
        late.append((answered - started.deadline) * 1000)
        await service.settled()
    print(f"timeout, past the deadline: median {statistics.median(late):.1f} ms, worst {max(late):.1f} ms (aim: 20)")


async def _reload(service: Service, folder: Path) -> None:
    reload: list[float] = []
    total: list[float] = []
    for n in range(8):
        await service.invoke("F", "{}")
        position = len(service.journal.records)
        start = time.monotonic()
        (folder / "app.py").write_text(f"{HANDLER}# {n}\n")
        async for records in service.journal.follow(position):
            updated = {r.event.function for r in records if isinstance(r.event, ev.FunctionUpdated)}
            if "F" in updated:
                break
        reload.append((time.monotonic() - start) * 1000)
        await service.invoke("F", "{}")
        total.append((time.monotonic() - start) * 1000)
    print(f"hot reload, from the save until new code is deployed: median {statistics.median(reload):.0f} ms (aim: 200)")
    print(f"  until the first answer by the new code: median {statistics.median(total):.0f} ms")


async def _memory(folder: Path) -> None:
    """Of the laboratory's own process, the journal's growth included."""
    service = await open_service(Settings(), Journal())
    try:
        await service.create("F", Configuration("app.handler", timeout=60), Code(folder))
        await service.invoke("F", "{}")
        before = psutil.Process().memory_info().rss
        count = 40
        await asyncio.gather(*(service.invoke("F", '{"sleep": 5}') for _ in range(count)))
        growth = (psutil.Process().memory_info().rss - before) / count / 1024
        print(f"memory of the laboratory: {before / 2**20:.0f} MB, and {growth:.0f} KB for each environment")
    finally:
        await service.close()


async def _idle(service: Service) -> None:
    """Until the last invocation has finished and its environment is frozen."""
    position = len(service.journal.records)
    while not isinstance(service.journal.records[position - 1].event, ev.InvocationAnswered):
        position -= 1
    async for records in service.journal.follow(position):
        if any(isinstance(record.event, ev.EnvironmentFrozen) for record in records):
            return


async def _nothing() -> None:
    pass


async def _times(
    count: int, what: Callable[[], Awaitable[object]], then: Callable[[], Awaitable[object]] = _nothing
) -> list[float]:
    """Milliseconds of each; what comes `then` is not counted."""
    times = []
    for _ in range(count):
        start = time.perf_counter()
        await what()
        times.append((time.perf_counter() - start) * 1000)
        await then()
    return times


def _percentile(values: list[float], percent: int) -> float:
    return sorted(values)[min(len(values) * percent // 100, len(values) - 1)]


if __name__ == "__main__":
    main()
