"""What becomes of an environment when something goes wrong that ought not to."""

from __future__ import annotations

import asyncio
import time

import pytest

from lambdatui import events as ev
from lambdatui.sandbox.gauges import Gauges
from lambdatui.sandbox.limits import Limits, Pace, Watch
from lambdatui.service.environment import Environment, Host
from lambdatui.service.extensions_api import Registration
from lambdatui.service.lifecycle import Terms
from lambdatui.service.runtime_api import NextInvocation


@pytest.mark.parametrize("error", [OSError(8, "Exec format error"), ValueError("embedded null byte")])
async def test_a_process_that_cannot_be_started_fails_the_invocation_and_gives_up_its_turn(error: Exception) -> None:
    told: list[object] = []
    asyncio.get_running_loop().set_exception_handler(lambda _, context: told.append(context["exception"]))
    stated: list[ev.Event] = []
    starts, released, ended = asyncio.Semaphore(1), asyncio.Event(), asyncio.Event()

    async def spawn(*_: object) -> None:
        raise error

    host = Host(
        address="127.0.0.1",
        registration=Registration("F", "$LATEST", "app.handler", "000000000000"),
        clock=time.time,
        starts=starts,
        spawn=spawn,  # type: ignore[arg-type]
        watch=Watch(Limits(128, None), Pace(), Gauges(lambda: None, lambda use: None)),
        excess_mb=lambda: 0,
        emit=stated.append,
        wrote=lambda *_: None,
        sent=lambda *_: None,
        replied=lambda _: None,
        released=released.set,
        ended=ended.set,
    )
    environment = Environment("e", Terms(3, 128), host)
    environment.begin(NextInvocation("1", b"{}", "arn", 0))
    await asyncio.wait_for(released.wait(), 10)
    finished = [event for event in stated if isinstance(event, ev.InvocationFinished)]
    assert [event.error_type for event in finished] == ["Runtime.InvalidEntrypoint"]
    assert finished[0].failure == f"RequestId: 1 Error: {error.args[-1]}"
    assert not starts.locked()
    assert bool(told) == (not isinstance(error, OSError)), "a defect is not kept quiet"
    environment.end("over")
    await asyncio.wait_for(ended.wait(), 10)
