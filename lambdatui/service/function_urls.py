"""Function URLs: which functions and aliases have one, and how each is configured.

The servers behind them belong to whoever speaks HTTP with the world; here is told only when one opens and closes.
"""

from __future__ import annotations

import asyncio
import secrets
import string
import time
from dataclasses import dataclass, replace
from typing import Protocol

from lambdatui import events as ev
from lambdatui.function_url import UrlConfiguration
from lambdatui.journal import Journal
from lambdatui.refusal import ResourceConflict, ResourceNotFound, ServiceRefusal, ValidationFailed
from lambdatui.service.deployments import Deployments

_ID_CHARACTERS = string.ascii_lowercase + string.digits


@dataclass(frozen=True)
class FunctionUrl:
    """`address` is where it answers, `id` what the real service has in its domain's name; times are in seconds since
    the epoch."""

    function: str
    alias: str | None
    arn: str
    id: str
    address: str
    configuration: UrlConfiguration
    created_at: float
    modified_at: float


class UrlHost(Protocol):
    """Has a server for each URL."""

    async def open(self, url_id: str) -> str:
        """The address at which it answers from now on. Raises OSError."""

    async def close(self, url_id: str) -> None:
        """Requests in flight there get no answer. Does nothing for what is closed already."""


class FunctionUrls:
    """All of them. What is changed here is stated in the journal."""

    def __init__(self, deployments: Deployments, journal: Journal) -> None:
        self.host: UrlHost | None = None
        """Set before functions are made; without it there are no URLs."""
        self._deployments = deployments
        self._journal = journal
        self._urls: dict[tuple[str, str | None], FunctionUrl] = {}
        self._changing = asyncio.Lock()
        """Servers take a moment to open and to close."""

    async def create(self, function: str, alias: str | None, configuration: UrlConfiguration) -> FunctionUrl:
        """Raises ServiceRefusal, as all of these do."""
        async with self._changing:
            self._check(function, alias, "Function does not exist")
            arn = self._arn(function, alias)
            if (function, alias) in self._urls:
                raise ResourceConflict(
                    f"Failed to create function url config for [functionArn = {arn}]. "
                    "Error message:  FunctionUrlConfig exists for this Lambda function"
                )
            if self.host is None:
                raise ServiceRefusal("This laboratory has no endpoint, and so no function URLs.")
            url_id = "".join(secrets.choice(_ID_CHARACTERS) for _ in range(32))
            try:
                address = await self.host.open(url_id)
            except OSError as error:
                raise ServiceRefusal(f"No server can be opened for the function URL: {error}") from error
            now = time.time()
            url = FunctionUrl(function, alias, arn, url_id, address, configuration, now, now)
            self._urls[function, alias] = url
            self._journal.append(ev.FunctionUrlCreated(function, alias, address, configuration.to_json()))
            return url

    def get(self, function: str, alias: str | None) -> FunctionUrl:
        missing = "The resource you requested does not exist."
        self._check(function, alias, missing)
        if (url := self._urls.get((function, alias))) is None:
            raise ResourceNotFound(missing)
        return url

    def update(self, function: str, alias: str | None, configuration: UrlConfiguration) -> FunctionUrl:
        """The address stays."""
        url = replace(self.get(function, alias), configuration=configuration, modified_at=time.time())
        self._urls[function, alias] = url
        self._journal.append(ev.FunctionUrlChanged(function, alias, configuration.to_json()))
        return url

    async def delete(self, function: str, alias: str | None) -> None:
        self.get(function, alias)
        await self.drop(function, alias)

    def of(self, function: str) -> list[FunctionUrl]:
        if function not in self._deployments:
            raise ResourceNotFound("Function does not exist")
        return [url for url in self._urls.values() if url.function == function]

    def find(self, url_id: str) -> FunctionUrl | None:
        """For its server: what it is now."""
        return next((url for url in self._urls.values() if url.id == url_id), None)

    async def drop(self, function: str, *aliases: str | None) -> None:
        """Close the URLs of these aliases, None being the function itself; without any, all of the function's."""
        async with self._changing:
            for url in list(self._urls.values()):
                if url.function == function and (not aliases or url.alias in aliases):
                    await self._close(url)
                    self._journal.append(ev.FunctionUrlDeleted(function, url.alias))

    async def clear(self) -> None:
        """Close all of them."""
        async with self._changing:
            for url in list(self._urls.values()):
                await self._close(url)

    async def _close(self, url: FunctionUrl) -> None:
        del self._urls[url.function, url.alias]
        if self.host is not None:
            await self.host.close(url.id)

    def _check(self, function: str, alias: str | None, missing: str) -> None:
        _check_alias(alias)
        if function not in self._deployments:
            raise ResourceNotFound(missing)
        if alias is not None and alias not in self._deployments.aliases(function):
            raise ResourceNotFound(missing)

    def _arn(self, function: str, alias: str | None) -> str:
        arn = f"{self._deployments.arn}{function}"
        return f"{arn}:{alias}" if alias else arn


def _check_alias(alias: str | None) -> None:
    """A function URL is for an alias, or for $LATEST, which is said by saying nothing."""
    if alias == "$LATEST":
        pattern = r"((?!^\d+$)^[0-9a-zA-Z-_]+$)"
    elif alias is not None and alias.isdecimal():
        pattern = r"(^\$LATEST$)|((?!^[0-9]+$)([a-zA-Z0-9-_]+))"
    else:
        return
    raise ValidationFailed(
        f"1 validation error detected: Value '{alias}' at 'qualifier' failed to satisfy constraint: "
        f"Member must satisfy regular expression pattern: {pattern}"
    )
