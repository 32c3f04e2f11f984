"""Tells destinations and dead-letter queues what became of an event: which of them, and whether it may be told."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import TypeAlias

from lambdatui import events as ev
from lambdatui.function import Configuration
from lambdatui.journal import Journal
from lambdatui.policy import Document
from lambdatui.refusal import ServiceRefusal
from lambdatui.service import destinations
from lambdatui.service.destinations import DeliveryFailed, Message, Outcome, ToFunction, ToService
from lambdatui.service.permissions import Permissions
from lambdatui.service.qualified import EventInvokeConfig
from lambdatui.service.retries import Condition
from lambdatui.service.roles import Roles

Leave: TypeAlias = Callable[[str, str, str | None, int | None, str], object]
"""Leaves an event for a function: its name, the event, the qualifier, the experiment's step, the trace header. Raises
ServiceRefusal."""


class Forwarding:
    """`arn` is what the ARNs of the laboratory's functions begin with."""

    def __init__(self, arn: str, leave: Leave, roles: Roles, permissions: Permissions, journal: Journal) -> None:
        self._arn = arn
        self._leave = leave
        self._roles = roles
        self._permissions = permissions
        self._journal = journal

    async def tell(
        self,
        outcome: Outcome,
        configuration: Configuration,
        config: EventInvokeConfig,
        step: int | None,
        trace: str,
    ) -> None:
        """The destinations that `config` names, and the dead-letter queue of `configuration`, that of the version that
        ran. `trace`: the trace header, this function's run included. What does not arrive is stated in the journal."""
        by, to = "on_failure", config.on_failure
        if outcome.end.condition is Condition.SUCCESS:
            by, to = "on_success", config.on_success
        elif configuration.dead_letter:
            message = destinations.dead_letter(outcome)
            await self._tell("dead_letter", configuration.dead_letter, message, outcome, configuration, step, trace)
        if to and not self._would_go_on(to, outcome):
            message = destinations.record(outcome, time.time())
            await self._tell(by, to, message, outcome, configuration, step, trace)

    def _would_go_on(self, destination: str, outcome: Outcome) -> bool:
        """Whether this would be the next round of the loop that was just stopped."""
        target = destinations.target_of(destination, self._arn)
        return outcome.end.condition is Condition.RECURSIVE_INVOCATION and isinstance(target, ToFunction)

    async def _tell(
        self,
        by: str,
        to: str,
        message: Message,
        outcome: Outcome,
        configuration: Configuration,
        step: int | None,
        trace: str,
    ) -> None:
        error: str | None = None
        try:
            target = destinations.target_of(to, self._arn)
            self._check_role(configuration, target)
            if isinstance(target, ToFunction):
                self._leave(target.name, message.body, target.qualifier, step, trace)
            else:
                await destinations.send(message, target)
        except (DeliveryFailed, ServiceRefusal) as failure:
            error = str(failure)
        self._journal.append(ev.EventForwarded(outcome.request_id, by, to, message.to_line(), error))

    def _check_role(self, configuration: Configuration, target: destinations.Target) -> None:
        policy: Document | None = None
        match target:
            case ToFunction(name, qualifier):
                action, arn = "lambda:InvokeFunction", self._arn + ":".join(filter(None, (name, qualifier)))
                policy = self._permissions.document(name, qualifier)
            case ToService(service=service, arn=arn) if service in destinations.ACTIONS:
                action = destinations.ACTIONS[service]
            case _:
                return
        if not self._roles.may_send(configuration, action, arn, policy):
            raise DeliveryFailed(f"the role {configuration.role} does not allow {action} on {arn}")
