"""A laboratory whole: the service, what its journal says, folded, and the endpoint at which AWS's clients find it."""

from __future__ import annotations

import os
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import NamedTuple

from lambdatui.aws.address import Address, write
from lambdatui.aws.endpoint import Endpoint, open_endpoint
from lambdatui.journal import Journal
from lambdatui.lab import Lab
from lambdatui.service.service import Service, Settings, open_service


class Laboratory(NamedTuple):
    service: Service
    lab: Lab
    endpoint: Endpoint


@asynccontextmanager
async def laboratory(
    settings: Settings,
    journal: Journal,
    *,
    queue: Path | None = None,
    port: int = 0,
    experiment: Path | None = None,
) -> AsyncIterator[Laboratory]:
    """Open a laboratory without functions; nothing is left of it in the end. `queue` is as in
    :func:`~lambdatui.service.service.open_service`, `port` the endpoint's, 0 for any that is free; `experiment` is what
    it is opened for, by which clients can choose it.

    Raises OSError, and ServiceRefusal where functions could not run here.
    """
    service = await open_service(settings, journal, queue)
    try:
        lab = Lab()
        journal.read_with(lab.apply)
        endpoint = await open_endpoint(service, lab, port)
        try:
            write(_address(service, endpoint, experiment), service.folder)
            yield Laboratory(service, lab, endpoint)
        finally:
            await endpoint.close()
    finally:
        await service.close()


def _address(service: Service, endpoint: Endpoint, experiment: Path | None) -> Address:
    key = endpoint.keys.own
    return Address(
        endpoint.url,
        service.region,
        key.access_key_id,
        key.secret_access_key,
        os.getpid(),
        time.time(),
        str(experiment.resolve()) if experiment else None,
        str(service.folder),
    )
