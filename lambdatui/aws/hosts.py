"""Under which names the laboratory answers: those of loopback alone.

Any other was pointed here by somebody's domain, whose pages a browser would then take for the laboratory's own (DNS
rebinding)."""

from __future__ import annotations

import re
from functools import lru_cache
from ipaddress import ip_address

from lambdatui.refusal import AccessDenied
from lambdatui.service.http import Request


def check_host(request: Request) -> None:
    """Raises AccessDenied."""
    host = request.headers.get("host", "")
    if not _is_loopback(host):
        raise AccessDenied(f"The laboratory does not answer to the name {_name(host)}.")


def _name(host: str) -> str:
    return re.sub(r":\d*$", "", host).strip("[]").lower()


@lru_cache
def _is_loopback(host: str) -> bool:
    name = _name(host)
    try:
        return name == "localhost" or ip_address(name).is_loopback
    except ValueError:
        return False
