"""What those may cost whom nobody knows yet: whoever runs a program on this machine can connect."""

from __future__ import annotations

import resource

from lambdatui.service.http import Limits

_CONNECTIONS = 2048
_OPEN_FILES_SHARE = 8
"""Of the files that may be open, the connections of one server take no more than this part: environments need the
others."""


def open_to_all(body_bytes: int) -> Limits:
    """Of a server at which anybody may knock."""
    files, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
    connections = _CONNECTIONS if files == resource.RLIM_INFINITY else min(_CONNECTIONS, files // _OPEN_FILES_SHARE)
    return Limits(body_bytes=body_bytes, request_seconds=60.0, connections=connections)
