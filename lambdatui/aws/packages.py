"""Code to be fetched, at an address that GetFunction tells: nobody can guess it, and it is good for ten minutes."""

from __future__ import annotations

import secrets
import time
from dataclasses import dataclass
from pathlib import Path

from lambdatui.package import packed
from lambdatui.service.deployments import Revision
from lambdatui.service.http import Request, Response

VALID_SECONDS = 600.0
_PATH = "/packages/"


@dataclass(frozen=True)
class _Offer:
    package: Path | None
    folder: Path
    until: float


class Packages:
    """What has been offered. Like the real service's presigned addresses, they say all that one must know."""

    def __init__(self) -> None:
        self._offers: dict[str, _Offer] = {}

    def offer(self, revision: Revision) -> str:
        """The path, of the address, that leads to the package of this code."""
        now = time.monotonic()
        self._offers = {token: offer for token, offer in self._offers.items() if offer.until > now}
        token = secrets.token_urlsafe(32)
        self._offers[token] = _Offer(revision.package, revision.folder, now + VALID_SECONDS)
        return f"{_PATH}{token}"

    def answer(self, request: Request) -> Response | None:
        """None where the request is for something else."""
        if request.method != "GET" or not request.path.startswith(_PATH):
            return None
        offer = self._offers.get(request.path.removeprefix(_PATH))
        if offer is None or offer.until <= time.monotonic() or not offer.folder.is_dir():
            return Response(
                403, b"Request has expired or is for nothing that was offered.", (("Content-Type", "text/plain"),)
            )
        package = offer.package.read_bytes() if offer.package else packed(offer.folder)
        return Response(200, package, (("Content-Type", "application/zip"),))
