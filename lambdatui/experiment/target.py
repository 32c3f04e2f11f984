"""What an experiment is carried out on: the local service today, an AWS account tomorrow.

The runner and the screens act through this interface alone; all that they see of the consequences is the journal.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Protocol

from lambdatui.events import Json
from lambdatui.function import Code, Configuration
from lambdatui.function_url import UrlConfiguration
from lambdatui.journal import Journal
from lambdatui.policy import Document


class TargetError(Exception):
    """The target could not do what it was asked; the text is one sentence."""


class Target(Protocol):
    """Functions that can be created, invoked, changed and removed.

    A refusal is a :class:`lambdatui.refusal.ServiceRefusal` with the service's own wording.
    """

    @property
    def name(self) -> str:
        """'local'."""

    @property
    def journal(self) -> Journal:
        """Where the target states what happened."""

    async def create_role(self, name: str, trust: Document, policies: Mapping[str, Document]) -> None:
        """An execution role that functions can name, with its trust policy and what is attached to it."""

    async def attach_role_policy(self, role: str, policy: str) -> None:
        """Attach a policy that AWS manages, by its name."""

    async def detach_role_policy(self, role: str, policy: str) -> None: ...

    async def create(self, name: str, configuration: Configuration, code: Code) -> None: ...

    async def create_function_url(self, function: str, configuration: UrlConfiguration) -> None:
        """An address for $LATEST."""

    async def invoke(
        self,
        function: str,
        payload: str,
        *,
        qualifier: str | None = None,
        invocation_type: str = "RequestResponse",
        step: int | None = None,
    ) -> str:
        """The request id, once the caller is answered: with a result, an error or a throttling; an asynchronous one
        with nothing but that."""

    async def settled(self) -> None:
        """Return when nothing is in flight any more, no event waits for a retry, and every END and REPORT is
        written."""

    async def update(self, function: str, changes: dict[str, Json]) -> None:
        """States FunctionUpdated or FunctionUpdateRejected; a refusal is not raised, neither here nor below."""

    async def publish(self, function: str) -> None:
        """Make a version of what the function is now."""

    async def point_alias(self, function: str, alias: str, version: str, weights: dict[str, float]) -> None:
        """Let an alias lead to a version, and to others for their share of the invocations."""

    async def provision(self, function: str, qualifier: str, count: int) -> None:
        """Have environments of a version initialised ahead of its invocations."""

    async def edit(self, function: str, file: str, text: str) -> None:
        """Lay `text` over one file of the function's code. The file on disk stays as it is."""

    async def reclaim(self, function: str | None) -> None:
        """End the idle environments of this function, or of all."""

    async def clear(self) -> None:
        """Remove all functions with their environments, whatever is in flight."""

    async def close(self) -> None: ...


class OpenTarget(Target, Protocol):
    """One whose environments can be looked into, as those of the local service."""

    def inspect(self, environment: str, *, reveal: bool = False) -> dict[str, Json]:
        """What is inside of an environment now: processes, variables, files. Raises ValueError, in a sentence, where
        one cannot look into it."""

    def preview(self, environment: str, file: str) -> dict[str, Json]:
        """The beginning of a file of its /tmp. Raises ValueError as above, and OSError."""
