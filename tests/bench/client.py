"""A client in a process of its own that sends one request again and again over one connection, and measures.

`python client.py HOST PORT COUNT < request`: prints `ready` after a first answer, which is not counted, waits for a
line, and prints the milliseconds of each of COUNT answers as JSON.
"""

from __future__ import annotations

import json
import socket
import sys
import time


def main(host: str, port: str, count: str) -> None:
    length = int(sys.stdin.buffer.readline())
    request = sys.stdin.buffer.read(length)
    with socket.create_connection((host, int(port))) as connection:
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        _ask(connection, request)
        print("ready", flush=True)
        sys.stdin.buffer.readline()
        times = []
        for _ in range(int(count)):
            start = time.perf_counter()
            _ask(connection, request)
            times.append((time.perf_counter() - start) * 1000)
    print(json.dumps(times))


def _ask(connection: socket.socket, request: bytes) -> None:
    connection.sendall(request)
    received = b""
    while b"\r\n\r\n" not in received:
        if not (data := connection.recv(65536)):
            raise ConnectionError("hung up")
        received += data
    head, _, body = received.partition(b"\r\n\r\n")
    if not head.startswith(b"HTTP/1.1 200 "):
        raise ConnectionError(received.decode(errors="replace"))
    fields = (line.partition(b":") for line in head.lower().split(b"\r\n"))
    left = next(int(value) for name, _, value in fields if name == b"content-length") - len(body)
    while left > 0:
        left -= len(connection.recv(65536))


if __name__ == "__main__":
    main(*sys.argv[1:])
