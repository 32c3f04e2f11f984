"""The barest Runtime API: it parses nothing but what it must, keeps no state, and writes canned answers."""

from __future__ import annotations

import asyncio
import os
import sys
from pathlib import Path


class Floor:
    """One warm process of the official client behind a bare loop."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._answered: asyncio.Future[None] | None = None
        self._next: asyncio.Queue[asyncio.StreamWriter] = asyncio.Queue()
        self._server: asyncio.Server
        self._process: asyncio.subprocess.Process
        self._runtime: asyncio.StreamWriter

    @classmethod
    async def start(cls, folder: Path) -> Floor:
        floor = cls(folder)
        floor._server = await asyncio.start_server(floor._serve, "127.0.0.1", 0)
        floor._process = await floor._start_process()
        floor._runtime = await floor._next.get()
        return floor

    async def close(self) -> None:
        self._server.close()
        self._process.kill()
        await self._process.wait()

    async def invoke(self) -> None:
        """One invocation of the warm process, until it has answered."""
        self._answered = asyncio.get_running_loop().create_future()
        self._runtime.write(
            b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nLambda-Runtime-Aws-Request-Id: 1\r\n"
            b"Lambda-Runtime-Deadline-Ms: 9999999999999\r\nContent-Length: 2\r\n\r\n{}"
        )
        await self._answered

    async def settled(self) -> None:
        """The process asks for the next one."""
        self._runtime = await self._next.get()

    async def spawn(self) -> None:
        """A new process, until it asks for its first invocation."""
        process = await self._start_process()
        writer = await self._next.get()
        process.kill()
        await process.wait()
        writer.close()

    async def _start_process(self) -> asyncio.subprocess.Process:
        port = self._server.sockets[0].getsockname()[1]
        return await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", "awslambdaric", "app.handler"),
            cwd=self._folder,
            env={**os.environ, "AWS_LAMBDA_RUNTIME_API": f"127.0.0.1:{port}"},
            stdin=asyncio.subprocess.DEVNULL,
            stdout=asyncio.subprocess.DEVNULL,
        )

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while True:
                head = await reader.readuntil(b"\r\n\r\n")
                if head.startswith(b"GET"):
                    self._next.put_nowait(writer)
                    continue
                length = next(line for line in head.lower().split(b"\r\n") if line.startswith(b"content-length:"))
                await reader.readexactly(int(length.split(b":")[1]))
                if self._answered:
                    self._answered.set_result(None)
                writer.write(b"HTTP/1.1 202 Accepted\r\nContent-Length: 0\r\n\r\n")
        except (asyncio.IncompleteReadError, ConnectionError):
            writer.close()
