"""What functions reserve of the account's concurrency, and what is initialised ahead for them ("Understanding Lambda
function scaling")."""

from __future__ import annotations

from collections.abc import Mapping

from lambdatui.function import check_provisioned, check_reserves
from lambdatui.refusal import (
    InvalidParameter,
    ProvisionedConcurrencyConfigNotFound,
    ResourceConflict,
    ResourceNotFound,
)
from lambdatui.service.deployments import LATEST, Deployments, Revision
from lambdatui.service.pool import Pool, Provisioned


class Concurrency:
    """Of an account with this limit. Every method raises ServiceRefusal where the service would."""

    def __init__(self, limit: int, deployments: Deployments, pool: Pool) -> None:
        self.limit = limit
        self._deployments = deployments
        self._pool = pool

    # reserved

    @property
    def unreserved(self) -> int:
        """What all functions share that have reserved nothing."""
        return max(self.limit - sum(self.reserved(each) or 0 for each in self._deployments), 0)

    def reserved(self, function: str) -> int | None:
        return self._deployments.latest(function).configuration.reserved_concurrent_executions

    async def reserve(self, function: str, reserved: int | None) -> None:
        """From now on it has so much, and no more; None: it shares with the others."""
        self.check_reserve(function, reserved)
        await self._deployments.update(function, {"reserved_concurrent_executions": reserved})

    def check_reserve(self, function: str, reserved: int | None) -> None:
        """Whether a function, be it new, can have so much."""
        check_reserves(self.limit, [reserved, *(self.reserved(each) for each in self._deployments if each != function)])
        provisioned = self._pool.provisioned(function)
        if reserved is not None and reserved < provisioned:
            raise InvalidParameter(
                f" ReservedConcurrentExecutions  {reserved} should not be lower than function's "
                f"total provisioned concurrency [{provisioned}]."
            )

    # provisioned

    def provision(self, function: str, qualifier: str, count: int) -> None:
        """Have environments of a published version, also by an alias, initialised ahead of its invocations."""
        revision = self._resolve(function, qualifier)
        self._check_provision(revision, qualifier, count)
        self._pool.provision(revision, qualifier, count)

    def provisioned(self, function: str, qualifier: str | None = None) -> list[Provisioned]:
        """What is provisioned for a function, or by one of its qualifiers."""
        if qualifier is not None:
            self._check_published(function, qualifier)
        return [each for each in self._pool.all_provisioned(function) if qualifier in (None, each.qualifier)]

    def provisioned_by(self, function: str, qualifier: str) -> Provisioned:
        if known := self.provisioned(function, qualifier):
            return known[0]
        raise ProvisionedConcurrencyConfigNotFound("No Provisioned Concurrency Config found for this function")

    def unprovision(self, function: str, qualifier: str) -> None:
        """It is no error where nothing is provisioned."""
        if self.provisioned(function, qualifier):
            self._pool.provision(self._resolve(function, qualifier), qualifier, 0)

    def _check_published(self, function: str, qualifier: str) -> None:
        if qualifier == LATEST:
            raise InvalidParameter("The function resource provided must be an alias or a published version.")
        self._resolve(function, qualifier)

    def _resolve(self, function: str, qualifier: str) -> Revision:
        if qualifier != LATEST and not qualifier.isdecimal() and qualifier not in self._deployments.aliases(function):
            raise ResourceNotFound(f"Cannot find alias arn: {self._deployments.arn}{function}:{qualifier}")
        return self._deployments.resolve(function, qualifier)

    def _check_provision(self, revision: Revision, qualifier: str, count: int) -> None:
        aliases = self._deployments.aliases(revision.function)
        alias = aliases.get(qualifier)
        check_provisioned_alias(revision.version, alias.weights if alias else {})
        if (other := self._pool.provisioned_as(revision)) not in (None, qualifier):
            raise ResourceConflict(
                "Version is pointed by a Provisioned Concurrency alias"
                if other in aliases
                else "Alias can't be used for Provisioned Concurrency configuration on an already Provisioned version"
            )
        count += self._pool.provisioned(revision.function) - self._pool.provisioned(revision.function, qualifier)
        check_provisioned(self.limit, self.reserved(revision.function), count)


def check_provisioned_alias(version: str, weights: Mapping[str, float]) -> None:
    """Whether an alias that leads there can have provisioned concurrency; raises InvalidParameter."""
    if version == LATEST:
        raise InvalidParameter("Provisioned Concurrency Configs cannot be applied to unpublished function versions.")
    if weights:
        raise InvalidParameter("Alias with weights can not be used with Provisioned Concurrency")
