"""Starts awslambdaric as `python -m awslambdaric HANDLER` would, and says when the runtime is up.

It runs under the function's own interpreter, which knows nothing of this package; so it is a file of its own.
"""

from __future__ import annotations

import io
import os
import runpy
import struct
import sys
import threading
import time

_RUNTIME_READY = 0xA55AFF01  # a type of frame that is none of awslambdaric's own

layers = os.path.join(os.environ.pop("_LAMBDATUI_LAYERS"), "python")
version = f"python{sys.version_info[0]}.{sys.version_info[1]}"
# "Packaging your layer content": what -m puts first, and not the folder of this file; then the layers.
sys.path[:1] = [os.getcwd(), os.path.join(layers, "lib", version, "site-packages"), layers]
sys.argv = ["awslambdaric", os.environ["_HANDLER"]]

import awslambdaric.bootstrap  # noqa: E402


class Whole(io.FileIO):
    """A pipe that takes every write as a whole, and one at a time. The system cuts a long write short when the process
    is stopped in the middle of it, as it is between invocations; and another thread's output may fall into the gap."""

    lock = threading.RLock()

    def write(self, data: bytes) -> int:  # type: ignore[override]
        with self.lock:
            rest = memoryview(data)
            while rest:
                rest = rest[super().write(rest) :]
            return len(data)


def open_sink(self: awslambdaric.bootstrap.FramedTelemetryLogSink) -> object:
    self.file = Whole(self.fd, "wb")
    return self


awslambdaric.bootstrap.FramedTelemetryLogSink.__enter__ = open_sink
for name in ("stdout", "stderr"):
    stream = getattr(sys, name)
    buffered = io.BufferedWriter(Whole(stream.fileno(), "wb", closefd=False))  # type: ignore[type-var]
    whole = io.TextIOWrapper(buffered, stream.encoding, stream.errors, line_buffering=stream.line_buffering)
    setattr(sys, name, whole)

os.write(int(os.environ["_LAMBDA_TELEMETRY_LOG_FD"]), struct.pack(">IIQ", _RUNTIME_READY, 0, time.time_ns() // 1000))
runpy.run_module("awslambdaric", run_name="__main__", alter_sys=True)
