"""Code to be fetched, at an address that GetFunction tells: nobody can guess it, and it is good for ten minutes."""

from __future__ import annotations

import secrets
import time
from dataclasses import dataclass
from pathlib import Path

from lambdatui.package import packed
from lambdatui.service.http import Request, Response

VALID_SECONDS = 600.0
_PATH = "/packages/"


@dataclass(frozen=True)
class _Offer:
    code: Path
    until: float


class Packages:
    """What has been offered. Like the real service's presigned addresses, they say all that one must know."""

    def __init__(self) -> None:
        self._offers: dict[str, _Offer] = {}

    def offer(self, code: Path) -> str:
        """The path, of the address, that leads to this package, or to one of this folder."""
        now = time.monotonic()
        self._offers = {token: offer for token, offer in self._offers.items() if offer.until > now}
        token = secrets.token_urlsafe(32)
        self._offers[token] = _Offer(code, now + VALID_SECONDS)
        return f"{_PATH}{token}"

    def answer(self, request: Request) -> Response | None:
        """None where the request is for something else."""
        if request.method != "GET" or not request.path.startswith(_PATH):
            return None
        offer = self._offers.get(request.path.removeprefix(_PATH))
        if offer is None or offer.until <= time.monotonic() or not offer.code.exists():
            return Response(
                403, b"Request has expired or is for nothing that was offered.", (("Content-Type", "text/plain"),)
            )
        package = packed(offer.code) if offer.code.is_dir() else offer.code.read_bytes()
        return Response(200, package, (("Content-Type", "application/zip"),))
