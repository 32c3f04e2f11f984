"""Starts awslambdaric as `python -m awslambdaric HANDLER` would, and says when the runtime is up.

It runs under the function's own interpreter, which knows nothing of this package; so it is a file of its own.
"""

import os
import resource
import runpy
import struct
import sys
import time

_RUNTIME_READY = 0xA55AFF01  # a type of frame that is none of awslambdaric's own

sys.path[0] = os.getcwd()  # where -m looks first, and not the folder of this file
resource.setrlimit(resource.RLIMIT_NOFILE, (1024, 1024))  # "Lambda quotas": file descriptors
sys.argv[0] = "awslambdaric"

import awslambdaric.bootstrap  # noqa: E402, F401

os.write(int(os.environ["_LAMBDA_TELEMETRY_LOG_FD"]), struct.pack(">IIQ", _RUNTIME_READY, 0, time.time_ns() // 1000))
runpy.run_module("awslambdaric", run_name="__main__", alter_sys=True)
