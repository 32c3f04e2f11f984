"""Aliases: names that lead to a version, or to two of them ("Create an alias for a Lambda function")."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping

from lambdatui import events as ev
from lambdatui.journal import Journal
from lambdatui.refusal import InvalidParameter, PreconditionFailed, ResourceConflict, ResourceNotFound
from lambdatui.service.concurrency import check_provisioned_alias
from lambdatui.service.deployments import LATEST, Deployments
from lambdatui.service.function_urls import FunctionUrls
from lambdatui.service.pool import Pool
from lambdatui.service.qualified import Alias

_NAME = re.compile(r"(?!^[0-9]+$)[a-zA-Z0-9-_]{1,128}")


class Aliases:
    """Of all functions. Every method raises ServiceRefusal where the service would."""

    def __init__(self, deployments: Deployments, pool: Pool, urls: FunctionUrls, journal: Journal) -> None:
        self._deployments = deployments
        self._pool = pool
        self._urls = urls
        self._journal = journal

    def create(
        self, function: str, name: str, version: str, weights: Mapping[str, float], description: str = ""
    ) -> Alias:
        """One that there is not yet."""
        if name in self._deployments.aliases(function):
            raise ResourceConflict(f"Alias already exists: {self._deployments.arn}{function}:{name}")
        return self._keep(function, Alias(name, version, dict(weights), description))

    def update(
        self,
        function: str,
        name: str,
        version: str | None = None,
        weights: Mapping[str, float] | None = None,
        description: str | None = None,
        revision_id: str | None = None,
    ) -> Alias:
        """One that there is; what is None stays as it was. `revision_id` is the one that it must still have."""
        before = self.get(function, name)
        if revision_id not in (None, before.revision_id):
            raise PreconditionFailed(
                "The Revision Id provided does not match the latest Revision Id. "
                "Call the GetFunction/GetAlias API to retrieve the latest Revision Id"
            )
        after = Alias(
            name,
            before.version if version is None else version,
            before.weights if weights is None else dict(weights),
            before.description if description is None else description,
        )
        return self._keep(function, after)

    def point(self, function: str, name: str, version: str, weights: Mapping[str, float]) -> Alias:
        """One that there is or is not: it leads to `version`, and to another for its share."""
        if name in self._deployments.aliases(function):
            return self.update(function, name, version, weights)
        return self.create(function, name, version, weights)

    def get(self, function: str, name: str) -> Alias:
        alias = self._deployments.aliases(function).get(name)
        if alias is None:
            raise ResourceNotFound(f"Cannot find alias arn: {self._deployments.arn}{function}:{name}")
        return alias

    def of(self, function: str, version: str | None = None) -> Iterator[Alias]:
        """All of a function, or those that lead to this version, be it for a share."""
        for alias in self._deployments.aliases(function).values():
            if version in (None, alias.version, *alias.weights):
                yield alias

    async def delete(self, function: str, name: str) -> None:
        """With all that is kept by its name. One that there is not is none the less gone."""
        if name not in self._deployments.aliases(function):
            return
        if self._pool.provisioned(function, name):
            self._pool.provision(self._deployments.resolve(function, name), name, 0)
        self._deployments.forget_qualifier(function, name)
        await self._urls.drop(function, name)
        self._journal.append(ev.AliasDeleted(function, name))

    def _keep(self, function: str, alias: Alias) -> Alias:
        self._check(function, alias)
        aliases, name = self._deployments.aliases(function), alias.name
        before, aliases[name] = aliases.get(name), alias
        self._journal.append(ev.AliasPointed(function, name, alias.version, dict(alias.weights)))
        if before and before.version != alias.version:
            old, new = (self._deployments.resolve(function, each.version) for each in (before, alias))
            self._pool.move_provisioned(old, new, name)
        return alias

    def _check(self, function: str, alias: Alias) -> None:
        version, weights = alias.version, alias.weights
        if not _NAME.fullmatch(alias.name):
            raise InvalidParameter(
                f"1 validation error detected: Value '{alias.name}' at 'name' failed to satisfy constraint: "
                "Member must satisfy regular expression pattern: (?!^[0-9]+$)([a-zA-Z0-9-_]+)"
            )
        known = {each.version for each in self._deployments.versions(function)}
        for each in (version, *weights):
            if each not in known:
                raise ResourceNotFound(f"Function not found: {self._deployments.arn}{function}:{each}")
        if len(weights) > 1:
            raise InvalidParameter("Number of items in AdditionalVersionWeights cannot be greater than 1.")
        if weights and LATEST in (version, *weights):
            raise InvalidParameter("$LATEST is not supported for an alias pointing to more than 1 version")
        if version in weights:
            raise InvalidParameter(
                f"Invalid function version {version}. "
                f"Function version {version} is already included in routing configuration."
            )
        if any(not 0.0 <= weight <= 1.0 for weight in weights.values()):
            raise InvalidParameter("An alias shares out weights from 0.0 to 1.0.")
        if self._pool.provisioned(function, alias.name):
            check_provisioned_alias(version, weights)
