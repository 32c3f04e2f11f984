"""The screen in a browser: one laboratory, and a screen attached to it for each visitor, through textual-serve.

textual-serve asks nobody who they are, and starts a process for whoever comes. So this stands before it: nothing is
answered without one of two tokens, the owner's or the guests', nor to a page of another site.
"""

from __future__ import annotations

import asyncio
import hmac
import ipaddress
import logging
import secrets
import shlex
import signal
import socket
import sys
from collections.abc import Awaitable, Callable
from pathlib import Path

import aiohttp_jinja2
from aiohttp import web
from textual_serve.server import Server

from lambdatui.control.attendant import door
from lambdatui.control.client import Launched
from lambdatui.control.roles import Role

LOOPBACK = "127.0.0.1"
_MAX_VISITORS = 64
"""Each has a process."""
_SECONDS_TO_END = 5.0
_READ_BYTES = 2**16
_POLICY = (
    "default-src 'self'; script-src 'self' 'unsafe-inline'; style-src 'self' 'unsafe-inline'; img-src 'self' data:;"
    " font-src 'self' data:; frame-ancestors 'none'; base-uri 'none'; form-action 'none'"
)
"""What makes the terminal is in the page itself; its font would come from elsewhere."""
_HEADERS = {
    "Content-Security-Policy": _POLICY,
    "Referrer-Policy": "no-referrer",
    "Cache-Control": "no-store",
    "X-Content-Type-Options": "nosniff",
}
_Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]
_ROLE = web.RequestKey("role", Role)


class Site(Server):
    """textual-serve's server behind a door. Visitors with the owner's token act, others watch."""

    def __init__(self, laboratory: Path, bind: str, port: int, title: str) -> None:
        """`laboratory` is its folder."""
        super().__init__("", host=bind, port=port, title=title)
        self.tokens = {role: secrets.token_urlsafe(24) for role in (Role.OWNER, Role.GUEST)}
        self._servers = {role: Server(_visitor(laboratory, role)) for role in self.tokens}
        self._visitors = 0
        self._names = {"localhost", bind, *({socket.gethostname().lower()} if bind != LOOPBACK else ())}

    def url(self, role: Role) -> str:
        """The address that lets somebody in."""
        name = socket.gethostname() if ipaddress.ip_address(self.host).is_unspecified else self.host
        return f"http://{f'[{name}]' if ':' in name else name}:{self.port}/?token={self.tokens[role]}"

    async def open(self) -> web.AppRunner:
        """Listen; raises OSError. Whoever it is closes what is returned."""
        app = await self._make_app()
        app.middlewares.append(self._guard)
        runner = web.AppRunner(app, access_log=None, shutdown_timeout=_SECONDS_TO_END)
        await runner.setup()
        try:
            await web.TCPSite(runner, self.host, self.port).start()
        except OSError:
            await runner.cleanup()
            raise
        self.port = runner.addresses[0][1]
        return runner

    async def on_startup(self, app: web.Application) -> None:
        """The command says what there is to say."""

    # -- the door -----------------------------------------------------------------------------------------------

    @web.middleware
    async def _guard(self, request: web.Request, handler: _Handler) -> web.StreamResponse:
        if not self._is_for_us(request.host) or not self._is_from_us(request):
            raise web.HTTPForbidden(text="This is for pages of its own alone.\n", headers=_HEADERS)
        token = request.query.get("token")
        role = self._role(token or request.cookies.get(self._cookie, ""))
        if role is None:
            sentence = "Open the address that `lambdatui web` has told, with its token.\n"
            raise web.HTTPForbidden(text=sentence, headers=_HEADERS)
        if token is not None:  # out of the address bar, and of the history
            response: web.StreamResponse = web.Response(status=303, headers={**_HEADERS, "Location": "/"})
            response.set_cookie(self._cookie, token, httponly=True, samesite="Lax")
            return response
        request[_ROLE] = role
        response = await handler(request)
        if not response.prepared:
            response.headers.update(_HEADERS)
        return response

    @property
    def _cookie(self) -> str:
        return f"lambdatui-{self.port}"  # cookies are shared by all ports

    def _role(self, token: str) -> Role | None:
        matching = [role for role, each in self.tokens.items() if hmac.compare_digest(token.encode(), each.encode())]
        return matching[0] if matching else None

    def _is_for_us(self, host: str) -> bool:
        """A page that rebinds the name of its own host to our address gives itself away by that name."""
        name, colon, port = host.rpartition(":")
        if not colon or port != str(self.port):
            return False
        if name.lower() in self._names:
            return True
        try:
            address = ipaddress.ip_address(name.strip("[]"))
        except ValueError:
            return False
        return ipaddress.ip_address(self.host).is_unspecified or address == ipaddress.ip_address(self.host)

    def _is_from_us(self, request: web.Request) -> bool:
        origin = request.headers.get("Origin")
        return origin is None or origin == f"http://{request.host}"

    # -- what is behind it --------------------------------------------------------------------------------------

    async def handle_index(self, request: web.Request) -> web.Response:
        """The page, with addresses of the host by whose name the visitor came."""
        base = f"//{request.host}"
        context = {
            "font_size": 16,
            "app_websocket_url": f"ws:{base}/ws",
            "config": {"static": {"url": f"http:{base}/static/"}},
            "application": {"name": self.title},
        }
        return aiohttp_jinja2.render_template("app_index.html", request, context)

    async def handle_websocket(self, request: web.Request) -> web.WebSocketResponse:
        """A screen for one visitor."""
        if self._visitors >= _MAX_VISITORS:
            raise web.HTTPServiceUnavailable(text=f"There are {_MAX_VISITORS} visitors already.\n")
        self._visitors += 1
        try:
            return await self._servers[request[_ROLE]].handle_websocket(request)
        finally:
            self._visitors -= 1


def _visitor(laboratory: Path, role: Role) -> str:
    """A shell's command, as textual-serve wants it; no shell stays."""
    command = [sys.executable, "-m", "lambdatui.tui.visitor", str(door(laboratory, role)), role.value]
    return f"exec {shlex.join(command)}"


async def serve(launched: Launched, title: str, bind: str, port: int, ready: Callable[[Site], None]) -> bool:
    """Have the laboratory on the web until a signal comes, and close it; whether it was still there then. Raises
    OSError where nobody can listen at that address and port."""
    logging.getLogger("textual-serve").setLevel(logging.CRITICAL)  # a visitor that has gone is no news
    laboratory = Path(launched.socket_path).parent
    site = Site(laboratory, bind, port, title)
    stopped = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        loop.add_signal_handler(number, stopped.set)
    ended = asyncio.create_task(_ended(door(laboratory, Role.GUEST)))
    stopping = asyncio.create_task(stopped.wait())
    try:
        runner = await site.open()
        ready(site)
        await asyncio.wait([ended, stopping], return_when=asyncio.FIRST_COMPLETED)
        there = not ended.done()
        await asyncio.to_thread(launched.close)  # whereupon the screens end by themselves
        await runner.cleanup()
        return there
    finally:
        for task in (ended, stopping):
            task.cancel()
        await asyncio.gather(ended, stopping, return_exceptions=True)


async def _ended(socket_path: Path) -> None:
    """Wait until the laboratory hangs up."""
    reader, writer = await asyncio.open_unix_connection(socket_path)
    try:
        while await reader.read(_READ_BYTES):
            pass
    finally:
        writer.close()
