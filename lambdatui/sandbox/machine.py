"""What this machine lets a laboratory do to its environments, found by trying."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from lambdatui.sandbox.limits import Pace
from lambdatui.sandbox.sandbox import Sandbox, choose, works
from lambdatui.sandbox.storage import Folders, Storage, Tmpfs


@dataclass(frozen=True)
class Machine:
    """Shared by all environments of a laboratory. Whoever opens it closes it."""

    sandbox: Sandbox
    storage: Storage
    pace: Pace

    @classmethod
    async def open(cls, variables: Mapping[str, str]) -> Machine:
        """`variables` are the environment variables of what is started for it."""
        sandbox = await choose()
        return cls(sandbox, await _storage_for(sandbox, variables), Pace())

    async def close(self) -> None:
        await self.storage.close()


async def _storage_for(sandbox: Sandbox, variables: Mapping[str, str]) -> Storage:
    """The best that works with this sandbox: one may be refused inside the other."""
    tmpfs = await Tmpfs.start(variables)
    if tmpfs is None:
        return Folders()
    if await works(sandbox, tmpfs):
        return tmpfs
    await tmpfs.close()
    return Folders()
