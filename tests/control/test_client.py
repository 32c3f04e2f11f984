"""The client against a laboratory of a few lines, and processes that start, fail to start, and die."""

from __future__ import annotations

import asyncio
import contextlib
import signal
import sys
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path

import pytest

from lambdatui import events as ev
from lambdatui.control.client import Client, CommandFailed, ConnectionEnded, LaunchFailed, Launching
from lambdatui.control.protocol import Decoder, encode
from lambdatui.events import Json, Record

Answer = Callable[[dict[str, Json], asyncio.StreamWriter], Awaitable[None]]


@contextlib.asynccontextmanager
async def laboratory(folder: Path, answer: Answer) -> AsyncIterator[Client]:
    """A client connected to a server that hands each message to `answer`."""

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        decoder = Decoder()
        while data := await reader.read(1000):
            for message in decoder.feed(data):
                await answer(message, writer)
        writer.close()

    server = await asyncio.start_unix_server(serve, folder / "socket")
    client = await Client.connect(str(folder / "socket"))
    try:
        yield client
    finally:
        await client.close()
        server.close()
        await server.wait_closed()


def records(count: int) -> list[Record]:
    return [Record(number, float(number), ev.StepStarted(number)) for number in range(count)]


async def test_a_command_gets_its_result(tmp_path: Path) -> None:
    seen: list[dict[str, Json]] = []

    async def answer(message: dict[str, Json], writer: asyncio.StreamWriter) -> None:
        seen.append(message)
        writer.write(encode({"reply": message["id"], "error": None, "result": {"done": True}}))

    async with laboratory(tmp_path, answer) as client:
        assert await client.command("invoke", function="F", times=3) == {"done": True}
    assert seen == [{"id": 0, "command": "invoke", "function": "F", "times": 3}]


async def test_replies_find_their_commands_in_any_order(tmp_path: Path) -> None:
    waiting: list[Json] = []

    async def answer(message: dict[str, Json], writer: asyncio.StreamWriter) -> None:
        waiting.append(message["id"])
        if len(waiting) == 2:
            for number in reversed(waiting):
                writer.write(encode({"reply": number, "error": None, "result": number}))

    async with laboratory(tmp_path, answer) as client:
        results = await asyncio.gather(client.command("a"), client.command("b"))
    assert list(results) == [0, 1]


async def test_a_refusal_is_its_sentence(tmp_path: Path) -> None:
    async def answer(message: dict[str, Json], writer: asyncio.StreamWriter) -> None:
        writer.write(encode({"reply": message["id"], "error": "There is no such function.", "result": None}))

    async with laboratory(tmp_path, answer) as client:
        with pytest.raises(CommandFailed, match=r"There is no such function\."):
            await client.command("invoke", function="G")


async def test_events_come_in_bounded_batches_until_the_end(tmp_path: Path) -> None:
    async def answer(message: dict[str, Json], writer: asyncio.StreamWriter) -> None:
        writer.write(encode({"events": [record.to_json() for record in records(1200)]}))
        writer.close()

    async with laboratory(tmp_path, answer) as client:
        with pytest.raises(ConnectionEnded):
            await client.command("stop")
        batches = [batch async for batch in client.events()]
        assert [record for batch in batches for record in batch] == records(1200)
        assert [len(batch) for batch in batches] == [100] * 12
        with pytest.raises(ConnectionEnded):
            await client.command("next")


async def test_garbage_ends_the_connection(tmp_path: Path) -> None:
    async def answer(message: dict[str, Json], writer: asyncio.StreamWriter) -> None:
        writer.write(b"\xff\xff\xff\xff")

    async with laboratory(tmp_path, answer) as client:
        with pytest.raises(ConnectionEnded):
            await client.command("next")
        assert [batch async for batch in client.events()] == []


# -- processes ------------------------------------------------------------------------------------------------------


def process(program: str) -> list[str]:
    return [sys.executable, "-c", program]


def test_a_laboratory_lives_until_its_standard_input_ends() -> None:
    program = "import sys; print('ready', *sys.argv[1:], flush=True); sys.stdin.read(); sys.exit(3)"
    launched = Launching("x.yaml", "zh", process(program)).ready()
    assert launched.socket_path == "x.yaml --lang zh"
    launched.close()
    assert launched.process.returncode == 3


def test_what_a_laboratory_says_when_it_cannot_start_is_passed_on() -> None:
    program = "import sys; sys.exit(print('x.yaml:3:4: unknown key', file=sys.stderr) or 2)"
    with pytest.raises(LaunchFailed, match=r"x\.yaml:3:4: unknown key") as failure:
        Launching("x.yaml", None, process(program)).ready()
    assert failure.value.exit_code == 2


def test_a_laboratory_that_says_nothing_has_failed_too() -> None:
    with pytest.raises(LaunchFailed, match=r"did not start \(exit code 5\)"):
        Launching("x.yaml", None, process("raise SystemExit(5)")).ready()


def test_a_launch_can_be_cancelled() -> None:
    Launching("x.yaml", None, process("import sys; sys.stdin.read()")).cancel()


@pytest.mark.parametrize(
    ("program", "sentence"),
    [
        ("os.kill(os.getpid(), signal.SIGKILL)", f"The laboratory was ended by {signal.SIGKILL.name}."),
        ("sys.exit(7)", "The laboratory ended unexpectedly, with exit code 7."),
    ],
)
def test_a_death_is_told_in_a_sentence(program: str, sentence: str) -> None:
    start = "import os, signal, sys; print('ready x', flush=True); sys.stdin.readline();"
    launched = Launching("x.yaml", None, process(start + program)).ready()
    assert launched.process.stdin
    launched.process.stdin.write(b"\n")
    launched.process.stdin.flush()
    launched.process.wait()
    assert launched.how_it_ended() == sentence
    launched.close()
