"""Under which names the laboratory answers: those of loopback alone.

Any other was pointed here by somebody's domain, whose pages a browser would then take for the laboratory's own (DNS
rebinding)."""

from __future__ import annotations

import re
from ipaddress import ip_address

from lambdatui.refusal import AccessDenied
from lambdatui.service.http import Request


def check_host(request: Request) -> None:
    """Raises AccessDenied."""
    name = re.sub(r":\d*$", "", request.headers.get("host", "")).strip("[]").lower()
    if name != "localhost" and not _is_loopback(name):
        raise AccessDenied(f"The laboratory does not answer to the name {name}.")


def _is_loopback(name: str) -> bool:
    try:
        return ip_address(name).is_loopback
    except ValueError:
        return False
