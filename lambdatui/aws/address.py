"""Where clients find a running laboratory, and with which keys they may come in.

Each laboratory says so in a file of its own folder, which only its user can look into and which is gone when it is.
"""

from __future__ import annotations

import json
import os
import stat
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path

from lambdatui.sandbox.guardian import living
from lambdatui.service.variables import endpoint_variables

_FILE = "endpoint.json"
_PROXIES = ("http_proxy", "HTTP_PROXY", "all_proxy", "ALL_PROXY")


@dataclass(frozen=True)
class Address:
    """`experiment` is the absolute path of the file that is open there, `folder` that of the laboratory's folder;
    `opened_at` in seconds since the epoch."""

    endpoint: str
    region: str
    access_key_id: str
    secret_access_key: str
    pid: int
    opened_at: float
    experiment: str | None = None
    folder: str = ""

    def variables(self, environment: Mapping[str, str]) -> dict[str, str | None]:
        """What a shell with this environment must set, or unset, so that AWS's clients talk to the laboratory."""
        found: dict[str, str | None] = {
            **endpoint_variables(self.endpoint),
            "AWS_ACCESS_KEY_ID": self.access_key_id,
            "AWS_SECRET_ACCESS_KEY": self.secret_access_key,
            "AWS_REGION": self.region,
            "AWS_DEFAULT_REGION": self.region,
            "AWS_SESSION_TOKEN": None,
            "AWS_PROFILE": None,
            "AWS_DEFAULT_PROFILE": None,
            "AWS_IGNORE_CONFIGURED_ENDPOINT_URLS": None,
        }
        if any(environment.get(proxy) for proxy in _PROXIES):
            known = environment.get("no_proxy") or environment.get("NO_PROXY") or ""
            hosts = dict.fromkeys([*filter(None, known.split(",")), "127.0.0.1"])
            found |= dict.fromkeys(("no_proxy", "NO_PROXY"), ",".join(hosts))
        return found


def write(address: Address, folder: Path) -> None:
    """Into the laboratory's folder; whoever reads it finds all of it or nothing."""
    unfinished = folder / f"{_FILE}.new"
    descriptor = os.open(unfinished, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with open(descriptor, "w", encoding="utf-8") as file:
        json.dump(asdict(address), file)
    unfinished.rename(folder / _FILE)


def running() -> list[Address]:
    """Of this user's laboratories that are running, the newest first."""
    return sorted(_addresses(), key=lambda address: address.opened_at, reverse=True)


def _addresses() -> Iterator[Address]:
    for folder in living():
        try:
            descriptor = os.open(folder / _FILE, os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC)
            with open(descriptor, encoding="utf-8") as file:
                if _is_ours_alone(os.fstat(file.fileno())):
                    yield Address(**json.load(file))
        except (OSError, ValueError, TypeError):
            continue  # about to be opened or gone, or of another version


def _is_ours_alone(status: os.stat_result) -> bool:
    return status.st_uid == os.geteuid() and not stat.S_IMODE(status.st_mode) & 0o077
