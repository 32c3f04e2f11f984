"""A target that answers at once: as much of Lambda as the runner can tell from its journal."""

from __future__ import annotations

import asyncio
import itertools
import json
from collections.abc import Callable, Mapping

from lambdatui import events as ev
from lambdatui.events import Json
from lambdatui.function import Code, Configuration
from lambdatui.function_url import UrlConfiguration
from lambdatui.journal import Journal
from lambdatui.policy import Document
from lambdatui.refusal import InvalidParameter

Answer = tuple[str, Json]
"""Status and payload."""


class FakeTarget:
    """`answer` decides what becomes of an event; one environment for each invocation in flight."""

    name = "local"

    def __init__(self, answer: Callable[[Json], Answer] = lambda event: ("succeeded", event)) -> None:
        ticks = itertools.count(1_700_000_000)
        self.journal = Journal(clock=lambda: float(next(ticks)))
        self.answer = answer
        self.functions: dict[str, Configuration] = {}
        self.codes: dict[str, Code] = {}
        self.edits: list[tuple[str, str, str]] = []
        self.held: asyncio.Event | None = None
        """When set, invocations wait for it."""
        self.closed = False
        self._idle: list[str] = []
        self._numbers = itertools.count(1)

    async def create_role(self, name: str, trust: Document, policies: Mapping[str, Document]) -> None:
        self.journal.append(ev.RoleChanged(name, f"arn:{name}", tuple(policies)))

    async def attach_role_policy(self, role: str, policy: str) -> None:
        self.journal.append(ev.RoleChanged(role, f"arn:{role}", (policy,)))

    async def detach_role_policy(self, role: str, policy: str) -> None:
        self.journal.append(ev.RoleChanged(role, f"arn:{role}", ()))

    async def create(self, name: str, configuration: Configuration, code: Code) -> None:
        self.functions[name], self.codes[name] = configuration, code
        self.journal.append(
            ev.FunctionCreated(name, f"arn:{name}", 1, configuration.to_json(), "0" * 64, code.location)
        )

    async def create_function_url(self, function: str, configuration: UrlConfiguration) -> None:
        self.journal.append(ev.FunctionUrlCreated(function, None, "http://127.0.0.1:9/", configuration.to_json()))

    async def invoke(
        self,
        function: str,
        payload: str,
        *,
        qualifier: str | None = None,
        invocation_type: str = "RequestResponse",
        step: int | None = None,
    ) -> str:
        state = self.journal.append
        request = f"request-{next(self._numbers)}"
        status, result = self.answer(json.loads(payload))
        state(ev.InvocationAccepted(request, function, "$LATEST", invocation_type, payload, step, qualifier))
        if status == "throttled":
            state(
                ev.InvocationThrottled(request, "ReservedFunctionConcurrentInvocationLimitExceeded", "Rate Exceeded.")
            )
            return request
        cold = not self._idle
        environment = self._idle.pop() if self._idle else self._created(function)
        state(ev.InvocationPlaced(request, environment, cold))
        state(ev.InvocationStarted(request, environment, 0.0))
        self._log(environment, f"START RequestId: {request} Version: $LATEST", request)
        await (self.held.wait() if self.held else asyncio.sleep(0))
        state(
            ev.InvocationAnswered(request, status, json.dumps(result), None if status == "succeeded" else "Unhandled")
        )
        self._log(environment, f"END RequestId: {request}", request)
        state(ev.InvocationFinished(request, environment, status, 12.5, 13, 50.0 if cold else None, 128, 40, None))
        self._idle.append(environment)
        return request

    async def settled(self) -> None: ...

    async def update(self, function: str, changes: dict[str, Json]) -> None:
        try:
            self.functions[function] = self.functions[function].updated(changes)
        except InvalidParameter as refusal:
            self.journal.append(ev.FunctionUpdateRejected(function, changes, str(refusal)))
        else:
            self._idle.clear()

    async def edit(self, function: str, file: str, text: str) -> None:
        self.edits.append((function, file, text))
        self._idle.clear()

    async def publish(self, function: str) -> None:
        configuration = self.functions[function].to_json()
        self.journal.append(ev.VersionPublished(function, "1", configuration, "0" * 64))

    async def point_alias(self, function: str, alias: str, version: str, weights: dict[str, float]) -> None:
        self.journal.append(ev.AliasPointed(function, alias, version, weights))

    async def provision(self, function: str, qualifier: str, count: int) -> None:
        self.journal.append(ev.ProvisionedConcurrencyChanged(function, qualifier, "1", count, "READY", None))

    async def reclaim(self, function: str | None) -> None:
        self._idle.clear()

    async def clear(self) -> None:
        self.functions.clear()
        self._idle.clear()

    async def close(self) -> None:
        self.closed = True

    def _created(self, function: str) -> str:
        environment = f"{next(self._numbers):032x}"
        stream = f"2023/11/14/[$LATEST]{environment}"
        group = f"/aws/lambda/{function}"
        self.journal.append(
            ev.EnvironmentCreated(environment, function, "$LATEST", 1, "0" * 64, group, stream, "none was idle")
        )
        self._log(environment, "INIT_START Runtime Version: python:3.11")
        return environment

    def _log(self, environment: str, line: str, request: str | None = None) -> None:
        group, stream = "/aws/lambda/F", f"2023/11/14/[$LATEST]{environment}"
        self.journal.append(ev.LogWritten(environment, group, stream, request, True, (line,)))
