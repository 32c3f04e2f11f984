"""Warm invocations by HTTP, side by side with AWS's runtime interface emulator: `python -m tests.bench.endpoint`.

Both serve the same handler in the same client, to processes that each keep one connection; they take turns, so that
what else the machine does falls on both. AWS_LAMBDA_RIE is the path of the emulator: the wheel that `pip download
--no-deps aws-sam-cli` gets has it as samcli/local/rapid/aws-lambda-rie-x86_64. It checks no signature, keeps no log
and no memory's high-water mark, and freezes nothing between invocations.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import socket
import sys
import tempfile
import time
from collections.abc import AsyncIterator
from pathlib import Path
from typing import NamedTuple

from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials

from lambdatui.aws.endpoint import Endpoint, open_endpoint
from lambdatui.function import Code, Configuration
from lambdatui.garbage import search_once
from lambdatui.journal import Journal
from lambdatui.lab import Lab
from lambdatui.service.service import Settings, open_service

CLIENT = Path(__file__).with_name("client.py")
HANDLER = "def handler(event, context):\n    return event\n"
BODY = b'{"name": "you"}'
ROUNDS = 6
COUNT = 150
"""Of requests that each client sends in a round."""


class Target(NamedTuple):
    address: str
    request: bytes


class Measured(NamedTuple):
    """Milliseconds of each answer, and answers a second."""

    times: list[float]
    throughput: float


def main() -> None:
    emulator = os.environ.get("AWS_LAMBDA_RIE")
    if not emulator:
        sys.exit("AWS_LAMBDA_RIE does not say where the emulator is: nothing was measured.")
    search_once()
    asyncio.run(_measure(emulator))


async def _measure(emulator: str) -> None:
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        (folder / "app.py").write_text(HANDLER)
        async with _laboratory(folder) as here, _emulator(emulator, folder) as there:
            for clients in (1, 3, 10):
                await _compare(clients, here, there)


async def _compare(clients: int, here: Target, there: Target) -> None:
    ours: list[Measured] = []
    theirs: list[Measured] = []
    failed = False
    for _ in range(ROUNDS):
        ours.append(await _round(clients, here))
        if not failed:
            try:
                theirs.append(await _round(clients, there))
            except ConnectionError:
                failed = True
    print(f"{clients} client{'s'[: clients > 1]}")
    _show("here", ours)
    if failed:
        print("  the emulator failed")
        return
    _show("emulator", theirs)
    ratios = [
        _percentile(ours, 50) / _percentile(theirs, 50),
        _percentile(ours, 99) / _percentile(theirs, 99),
        _throughput(ours) / _throughput(theirs),
    ]
    print("  ratio    p50 {:.2f}, p99 {:.2f}, throughput {:.2f}".format(*ratios))


def _show(who: str, measured: list[Measured]) -> None:
    p50, p99 = _percentile(measured, 50), _percentile(measured, 99)
    print(f"  {who:8} p50 {p50:.2f} ms, p99 {p99:.2f} ms, {_throughput(measured):.0f} a second")


def _percentile(measured: list[Measured], percent: int) -> float:
    times = sorted(time for each in measured for time in each.times)
    return times[min(len(times) * percent // 100, len(times) - 1)]


def _throughput(measured: list[Measured]) -> float:
    return sum(each.throughput for each in measured) / len(measured)


async def _round(clients: int, target: Target) -> Measured:
    """Raises ConnectionError where one of the clients has no answer."""
    host, _, port = target.address.partition(":")
    command = (sys.executable, "-S", "-E", str(CLIENT), host, port, str(COUNT))
    pipe = asyncio.subprocess.PIPE
    processes = [
        await asyncio.create_subprocess_exec(*command, stdin=pipe, stdout=pipe, stderr=asyncio.subprocess.DEVNULL)
        for _ in range(clients)
    ]
    for process in processes:
        assert process.stdin
        process.stdin.write(b"%d\n%b" % (len(target.request), target.request))
    for process in processes:
        assert process.stdout
        await process.stdout.readline()
    start = time.monotonic()
    said = await asyncio.gather(*(process.communicate(b"\n") for process in processes))
    seconds = time.monotonic() - start
    if any(process.returncode for process in processes):
        raise ConnectionError
    return Measured([each for output, _ in said for each in json.loads(output)], clients * COUNT / seconds)


@contextlib.asynccontextmanager
async def _laboratory(folder: Path) -> AsyncIterator[Target]:
    service, lab = await open_service(Settings(), Journal()), Lab()
    service.journal.read_with(lab.apply)
    endpoint = await open_endpoint(service, lab)
    try:
        await service.create("F", Configuration("app.handler", timeout=60, memory_size=1769), Code(folder))
        await service.invoke("F", "{}")
        yield Target(endpoint.url.removeprefix("http://"), _signed(endpoint))
    finally:
        await endpoint.close()
        await service.close()


def _signed(endpoint: Endpoint) -> bytes:
    """One request, good for some minutes."""
    path, key = "/2015-03-31/functions/F/invocations", endpoint.keys.own
    headers = {"Content-Type": "application/json", "Content-Length": str(len(BODY))}
    request = AWSRequest("POST", endpoint.url + path, headers, BODY)
    SigV4Auth(Credentials(key.access_key_id, key.secret_access_key), "lambda", "us-east-1").add_auth(request)
    return _wire(path, endpoint.url.removeprefix("http://"), dict(request.headers.items()))


def _wire(path: str, host: str, headers: dict[str, str]) -> bytes:
    lines = [f"POST {path} HTTP/1.1", f"Host: {host}", *(f"{name}: {value}" for name, value in headers.items())]
    return "\r\n".join([*lines, "", ""]).encode() + BODY


@contextlib.asynccontextmanager
async def _emulator(binary: str, folder: Path) -> AsyncIterator[Target]:
    address, runtime_api = _free_address(), _free_address()
    process = await asyncio.create_subprocess_exec(
        *(binary, "--log-level", "error"),
        *("--runtime-interface-emulator-address", address, "--runtime-api-address", runtime_api),
        *(sys.executable, "-m", "awslambdaric", "app.handler"),
        cwd=folder,
        env={**os.environ, "AWS_LAMBDA_FUNCTION_TIMEOUT": "60"},
        stdout=asyncio.subprocess.DEVNULL,
        stderr=asyncio.subprocess.DEVNULL,
    )
    try:
        await _until_listening(address)
        headers = {"Content-Type": "application/json", "Content-Length": str(len(BODY))}
        yield Target(address, _wire("/2015-03-31/functions/function/invocations", address, headers))
    finally:
        with contextlib.suppress(ProcessLookupError):
            process.kill()
        await process.wait()


def _free_address() -> str:
    with socket.create_server(("127.0.0.1", 0)) as server:
        return f"127.0.0.1:{server.getsockname()[1]}"


async def _until_listening(address: str) -> None:
    host, _, port = address.partition(":")
    async with asyncio.timeout(30):
        while True:
            try:
                _, writer = await asyncio.open_connection(host, int(port))
            except OSError:
                await asyncio.sleep(0.05)
            else:
                writer.close()
                return


if __name__ == "__main__":
    main()
