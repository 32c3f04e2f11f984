"""The screen in a browser: who is let in, what they may do, and that nothing of it stays."""

from __future__ import annotations

import asyncio
import contextlib
import http.client
import os
import shutil
import signal
import subprocess
import sys
from collections.abc import AsyncIterator, Iterator
from email.message import Message
from pathlib import Path
from typing import NamedTuple
from urllib.parse import urlsplit

import psutil
import pytest

from tests.test_env import temporary
from tests.test_nothing_outlives import processes_with, until

pytest.importorskip("textual_serve")
import aiohttp

__all__ = ["temporary"]

EXPERIMENT = """\
title: In a browser
functions:
  F: {handler: app.handler, source: "def handler(event, context): return 'seen by all'"}
steps:
  - {name: the only step, invoke: {}}
"""


class Answer(NamedTuple):
    status: int
    headers: Message
    body: str


class Site:
    """`lambdatui web`, and what it said."""

    def __init__(self, process: subprocess.Popen[str]) -> None:
        assert process.stdout
        self.process = process
        self.owner, self.guest = (process.stdout.readline().split()[1] for _ in range(2))

    @property
    def host(self) -> str:
        return urlsplit(self.owner).netloc

    @property
    def port(self) -> int:
        return urlsplit(self.owner).port or 0

    def get(self, path: str, **headers: str) -> Answer:
        with contextlib.closing(http.client.HTTPConnection("127.0.0.1", self.port, timeout=30)) as connection:
            connection.request("GET", path, headers={"Host": self.host, **headers})
            with connection.getresponse() as answer:
                return Answer(answer.status, answer.headers, answer.read().decode())

    def cookie(self, url: str) -> str:
        answer = self.get("/?" + urlsplit(url).query)
        assert (answer.status, answer.headers["Location"]) == (303, "/")
        cookie = answer.headers["Set-Cookie"]
        assert "HttpOnly" in cookie and "SameSite=Lax" in cookie
        return str(cookie.partition(";")[0])


@pytest.fixture
def site(temporary: Path, tmp_path: Path) -> Iterator[Site]:
    (tmp_path / "browser.yaml").write_text(EXPERIMENT)
    command = [sys.executable, "-m", "lambdatui", "web", str(tmp_path / "browser.yaml")]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        try:
            yield Site(process)
        finally:
            process.terminate()


class Visitor:
    """A browser's terminal, as far as the bytes that it gets."""

    def __init__(self, websocket: aiohttp.ClientWebSocketResponse) -> None:
        self._websocket = websocket
        self.seen = b""

    async def press(self, keys: str) -> None:
        await self._websocket.send_json(["stdin", keys])

    async def until_seen(self, text: bytes) -> None:
        async with asyncio.timeout(30):
            while text not in self.seen:
                message = await self._websocket.receive()
                assert message.type in (aiohttp.WSMsgType.BINARY, aiohttp.WSMsgType.TEXT), message
                if message.type == aiohttp.WSMsgType.BINARY:
                    self.seen += message.data

    async def until_closed(self) -> None:
        async with asyncio.timeout(30):
            while not self._websocket.closed:
                await self._websocket.receive()


@contextlib.asynccontextmanager
async def visit(site: Site, url: str) -> AsyncIterator[Visitor]:
    headers = {"Cookie": site.cookie(url), "Origin": f"http://{site.host}"}
    async with aiohttp.ClientSession() as session:
        address = f"http://{site.host}/ws?width=120&height=40"
        async with session.ws_connect(address, headers=headers) as websocket:
            yield Visitor(websocket)


FOREIGN = (
    {"Host": "evil.example"},
    {"Host": "evil.example:{port}"},
    {"Host": "127.0.0.1:1"},
    {"Host": "192.168.1.2:{port}"},
    {"Origin": "http://evil.example"},
    {"Origin": "https://127.0.0.1:{port}"},
    {"Origin": "http://localhost:{port}"},
    {"Origin": "null"},
)


def test_who_is_answered(site: Site) -> None:
    for path in ("/", "/ws", "/static/js/textual.js", "/download/x", "/?token=wrong", "/?token=%ff", "/?token="):
        answer = site.get(path)
        assert answer.status == 403, path
        assert "with its token" in answer.body, path
    cookie = site.cookie(site.owner)
    for headers in FOREIGN:
        foreign = {name: each.replace("{port}", str(site.port)) for name, each in headers.items()}
        for path in ("/", "/ws", "/?" + urlsplit(site.owner).query):
            answer = site.get(path, Cookie=cookie, **foreign)
            assert answer.status == 403, (path, foreign)
            assert "pages of its own" in answer.body, (path, foreign)
            assert "Set-Cookie" not in answer.headers


def test_the_page_has_addresses_of_its_own_host_alone(site: Site) -> None:
    cookie = site.cookie(site.guest)
    for host in (site.host, f"localhost:{site.port}"):
        answer = site.get("/", Cookie=cookie, Host=host)
        assert answer.status == 200
        assert f'data-session-websocket-url="ws://{host}/ws"' in answer.body
        assert "default-src 'self'" in answer.headers["Content-Security-Policy"]
        assert answer.headers["Referrer-Policy"] == "no-referrer"
    assert site.get("/static/js/textual.js", Cookie=cookie).status == 200


async def test_all_see_one_laboratory_and_guests_only_watch(site: Site) -> None:
    async with visit(site, site.owner) as owner, visit(site, site.guest) as guest, visit(site, site.guest) as other:
        await owner.until_seen(b"run this step")
        for each in (guest, other):
            await each.until_seen(b"You are watching.")
        await guest.press("i")
        await guest.until_seen(b"can let others act")
        await owner.press("\r")
        for each in (owner, guest, other):
            await each.until_seen(b"seen by all")
        await other.press("q")
        await other.until_closed()
        await owner.press("i")
        await guest.until_seen(b"#2")


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGKILL])
async def test_nothing_outlives_it(site: Site, temporary: Path, number: signal.Signals) -> None:
    async with visit(site, site.owner) as owner, visit(site, site.guest) as guest:
        await owner.until_seen(b"run this step")
        await guest.until_seen(b"You are watching.")
        site.process.send_signal(number)
        code = await asyncio.to_thread(site.process.wait, 30)
    assert code == (-9 if number == signal.SIGKILL else 0)
    until(lambda: not processes_with(f"{temporary}", "python"), "the end of all processes")
    until(lambda: not list(temporary.iterdir()), "the end of all files")
    assert site.process.stderr
    assert site.process.stderr.read() == ""


async def test_the_end_of_the_laboratory_is_the_end_of_the_site(site: Site, temporary: Path) -> None:
    async with visit(site, site.guest) as guest:
        await guest.until_seen(b"You are watching.")
        children = psutil.Process(site.process.pid).children()
        next(each for each in children if "lambdatui.control.server" in each.cmdline()).kill()
        await guest.until_closed()
    assert await asyncio.to_thread(site.process.wait, 30) == 2
    assert site.process.stderr
    assert site.process.stderr.read() == "lambdatui: the laboratory has ended unexpectedly\n"
    until(lambda: not list(temporary.iterdir()), "the end of all files")


def web(*arguments: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "lambdatui", "web", *arguments]
    return subprocess.run(command, capture_output=True, text=True, timeout=60)


def test_what_cannot_be_is_one_sentence(site: Site, temporary: Path) -> None:
    taken = web("timeout", "--port", str(site.port))
    assert (taken.returncode, taken.stdout) == (2, "")
    assert taken.stderr.startswith(f"lambdatui: 127.0.0.1:{site.port} cannot be had: ")
    assert len(taken.stderr.splitlines()) == 1
    assert web("timeout", "--bind", "everywhere").stderr.startswith("lambdatui: --bind needs an address")
    assert "nowhere.yaml" in web("nowhere.yaml").stderr


@pytest.mark.skipif(not shutil.which("chromium"), reason="chromium is not installed")
def test_a_browser_shows_it(site: Site, tmp_path: Path) -> None:
    """Its terminal is drawn on a canvas, so what is looked at is how the page says that the first bytes have come."""
    command = ["chromium", "--headless", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-sync"]
    command += ["--no-sandbox"] if os.geteuid() == 0 else []
    command += ["--disable-background-networking", "--disable-component-update", f"--user-data-dir={tmp_path}/user"]
    command += ["--virtual-time-budget=60000", "--dump-dom", site.guest]
    done = subprocess.run(command, capture_output=True, text=True, timeout=100)
    assert "-first-byte" in done.stdout
    assert "Content Security Policy" not in done.stderr
