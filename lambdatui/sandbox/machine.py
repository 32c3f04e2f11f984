"""What this machine lets a laboratory do to its environments, found by trying."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from lambdatui.sandbox import sandbox, storage
from lambdatui.sandbox.limits import Pace
from lambdatui.sandbox.sandbox import Sandbox
from lambdatui.sandbox.storage import Storage


@dataclass(frozen=True)
class Machine:
    """Shared by all environments of a laboratory. Whoever opens it closes it."""

    sandbox: Sandbox
    storage: Storage
    pace: Pace

    @classmethod
    async def open(cls, variables: Mapping[str, str]) -> Machine:
        """`variables` are the environment variables of what is started for it."""
        return cls(await sandbox.choose(), await storage.choose(variables), Pace())

    async def close(self) -> None:
        await self.storage.close()
