"""How asynchronous invocations are treated, by the qualifier they come with ("Configuring error handling settings for
Lambda asynchronous invocations")."""

from __future__ import annotations

import re
import time
from collections.abc import Mapping
from dataclasses import replace

from lambdatui import events as ev
from lambdatui.journal import Journal
from lambdatui.refusal import InvalidParameter, ResourceNotFound
from lambdatui.service.deployments import LATEST, Deployments
from lambdatui.service.qualified import EventInvokeConfig

_SERVICES = ("lambda", "sqs", "sns", "events")


class EventInvokeConfigs:
    """Of all functions. That of $LATEST is part of the function's configuration, where an experiment has it. Every
    method raises ServiceRefusal where the service would."""

    def __init__(self, deployments: Deployments, journal: Journal) -> None:
        self._deployments = deployments
        self._journal = journal

    def get(self, function: str, qualifier: str) -> EventInvokeConfig:
        config = self._deployments.event_invokes(function).get(qualifier) if function in self._deployments else None
        if config is None:
            arn = f"{self._deployments.arn}{function}:{qualifier}"
            raise ResourceNotFound(f"The function {arn} doesn't have an EventInvokeConfig")
        return config

    def of(self, function: str) -> Mapping[str, EventInvokeConfig]:
        """By qualifier."""
        if function not in self._deployments:
            raise ResourceNotFound("The function doesn't exist.")
        return self._deployments.event_invokes(function)

    async def put(self, function: str, qualifier: str, config: EventInvokeConfig) -> EventInvokeConfig:
        """Instead of the one that there is, if there is one."""
        self._check(function, qualifier, config)
        config = replace(config, last_modified=time.time())
        if qualifier == LATEST:
            await self._deployments.update(function, config.to_json())
        else:
            self._journal.append(ev.EventInvokeConfigChanged(function, qualifier, config.to_json()))
        self._deployments.event_invokes(function)[qualifier] = config
        return config

    async def delete(self, function: str, qualifier: str) -> None:
        self.get(function, qualifier)
        if qualifier == LATEST:
            await self._deployments.update(function, EventInvokeConfig().to_json())
        else:
            del self._deployments.event_invokes(function)[qualifier]
            self._journal.append(ev.EventInvokeConfigChanged(function, qualifier, None))

    def _check(self, function: str, qualifier: str, config: EventInvokeConfig) -> None:
        if function not in self._deployments or not self._deployments.has_qualifier(function, qualifier):
            raise ResourceNotFound("The function doesn't exist.")
        destinations = [each for each in (config.on_success, config.on_failure) if each]
        if not all(re.match(rf"arn:[a-z-]+:({'|'.join(_SERVICES)}):", each) for each in destinations):
            success, failure = (
                f"{name}(destination={each})" if each else "null"
                for name, each in (("OnSuccess", config.on_success), ("OnFailure", config.on_failure))
            )
            shown = f"DestinationConfig(onSuccess={success}, onFailure={failure})"
            raise InvalidParameter(f"The provided destination config {shown} is invalid.")
        for each in destinations:
            if each.startswith(self._deployments.arn):
                name = each.removeprefix(self._deployments.arn).partition(":")[0]
                if name not in self._deployments:
                    raise InvalidParameter(f"The destination ARN {each} is invalid.")
        self._deployments.check_destinations(function, destinations)
