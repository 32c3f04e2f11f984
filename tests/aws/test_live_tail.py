"""StartLiveTail, as boto3 sees it."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

import pytest
from botocore.exceptions import ClientError, EventStreamError

from lambdatui import events as ev
from lambdatui.aws.logs_api import live_tail
from tests.aws.conftest import Cloud, call
from tests.aws.test_logs_api import ARN, GROUP, SPEAKING, refusal


class Session:
    """What a client has been sent."""

    def __init__(self, cloud: Cloud, **parameters: Any) -> None:
        self._client = cloud.client("logs")
        self._parameters = {"logGroupIdentifiers": [ARN], **parameters}

    async def open(self) -> Session:
        answer = await call(self._client.start_live_tail, **self._parameters)
        self._stream = answer["responseStream"]
        self._events = iter(self._stream)
        return self

    async def next(self) -> dict[str, Any]:
        event: dict[str, Any] = await asyncio.to_thread(next, self._events)
        return event

    async def results(self, enough: Callable[[list[dict[str, Any]]], bool]) -> list[dict[str, Any]]:
        """Those of all updates until there are enough."""
        results: list[dict[str, Any]] = []
        while not enough(results):
            results += (await self.next())["sessionUpdate"]["sessionResults"]
        return results

    def close(self) -> None:
        self._stream.close()


async def test_what_is_logged_meanwhile_is_sent(cloud: Cloud, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(live_tail, "PERIOD", 0.05)
    await cloud.create(SPEAKING)
    before = await cloud.invoke()
    session = await Session(cloud, logEventFilterPattern="-INIT_START").open()

    start = (await session.next())["sessionStart"]
    assert start["logGroupIdentifiers"] == [ARN] and start["logEventFilterPattern"] == "-INIT_START"
    assert start["sessionId"] and start["requestId"]
    invocation = await cloud.invoke('{"lines": 2}')
    results = await session.results(lambda results: any("REPORT" in each["message"] for each in results))

    logged = [f"{line}\n" for line in cloud.lines(invocation) if invocation.request_id in line or "line" in line]
    assert [each["message"] for each in results] == logged[-5:]
    assert {each["logGroupIdentifier"] for each in results} == {f"000000000000:{GROUP}"}
    assert {each["logStreamName"] for each in results} == {before.log_stream}
    assert (await session.next())["sessionUpdate"] == {"sessionMetadata": {"sampled": False}, "sessionResults": []}
    session.close()


async def test_streams_can_be_chosen_and_much_is_sampled(cloud: Cloud, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(live_tail, "PERIOD", 0.05)
    groups = cloud.service.log_groups
    groups.create_group(GROUP, {})
    for name in ("a1", "a2", "b"):
        groups.create_stream(GROUP, name)
    sessions = [
        await Session(cloud, logStreamNames=["a2"]).open(),
        await Session(cloud, logStreamNamePrefixes=["a", "c"]).open(),
    ]
    for session in sessions:
        await session.next()

    for name in ("a1", "a2", "b"):
        cloud.service.journal.append(ev.LogEventsPut(GROUP, name, (1, 2), (f"{name} 1", f"{name} 2")))

    by_name = await sessions[0].results(bool)
    by_prefix = await sessions[1].results(bool)
    assert [each["message"] for each in by_name] == ["a2 1", "a2 2"]
    assert [each["message"] for each in by_prefix] == ["a1 1", "a1 2", "a2 1", "a2 2"]
    assert [each["timestamp"] for each in by_name] == [1, 2] and by_name[0]["ingestionTime"] > 2

    cloud.service.journal.append(ev.LogEventsPut(GROUP, "a2", (1,) * 1200, ("m",) * 1200))
    while not (update := (await sessions[0].next())["sessionUpdate"])["sessionResults"]:
        pass
    assert update["sessionMetadata"] == {"sampled": True} and len(update["sessionResults"]) == 400
    for session in sessions:
        session.close()


async def test_a_session_ends_after_its_time(cloud: Cloud, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(live_tail, "PERIOD", 0.01)
    monkeypatch.setattr(live_tail, "LONGEST_SESSION", 0.05)
    cloud.service.log_groups.create_group(GROUP, {})
    session = await Session(cloud).open()
    with pytest.raises(EventStreamError, match="SessionTimeoutException"):
        while True:
            await session.next()
    session.close()


async def test_a_client_that_goes_away_ends_its_session(cloud: Cloud, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(live_tail, "PERIOD", 0.05)
    cloud.service.log_groups.create_group(GROUP, {})
    session = await Session(cloud).open()
    await session.next()
    sending = cloud.endpoint._server.sending
    assert len(sending) == 1
    session.close()
    await asyncio.wait(sending, timeout=30)
    assert not sending


async def test_what_no_session_can_be_about(cloud: Cloud) -> None:
    logs = cloud.client("logs")
    cloud.service.log_groups.create_group(GROUP, {})
    invalid = "InvalidParameterException"
    assert await refusal(logs.start_live_tail, logGroupIdentifiers=[f"{ARN}2"]) == (
        "ResourceNotFoundException",
        "The specified log group does not exist.",
    )
    assert (await refusal(logs.start_live_tail, logGroupIdentifiers=[GROUP]))[0] == invalid
    assert (await refusal(logs.start_live_tail, logGroupIdentifiers=[ARN, ARN], logStreamNames=["a"]))[0] == invalid
    both = {"logStreamNames": ["a"], "logStreamNamePrefixes": ["a"]}
    with pytest.raises(ClientError, match="mutually exclusive"):
        await call(logs.start_live_tail, logGroupIdentifiers=[ARN], **both)
    assert await refusal(logs.start_live_tail, logGroupIdentifiers=[ARN], logEventFilterPattern='""') == (
        invalid,
        "Invalid filter pattern: Invalid character(s) in term '\"\"'",
    )
