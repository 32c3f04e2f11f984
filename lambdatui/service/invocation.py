"""The ways to invoke a function: wait for its answer, leave an event for it, or only ask whether one could."""

from __future__ import annotations

import asyncio
import random
import secrets
import time
import uuid
from collections.abc import Callable

from lambdatui import events as ev
from lambdatui.function import parse_json
from lambdatui.journal import Journal
from lambdatui.refusal import InvalidParameter
from lambdatui.service.asynchronous import Asynchronous
from lambdatui.service.deployments import Deployments, Revision
from lambdatui.service.event_queue import EventQueue, QueuedEvent
from lambdatui.service.forwarding import Forwarding
from lambdatui.service.retries import Course
from lambdatui.service.roles import Roles
from lambdatui.service.runtime_api import NextInvocation
from lambdatui.service.scheduler import Throttle

MAX_PAYLOAD_BYTES = {"RequestResponse": 6 * 2**20, "Event": 2**20, "DryRun": 6 * 2**20}
"""By the invocation types that there are ("Lambda quotas")."""


class LaboratoryCleared(Exception):
    """The functions were removed while an invocation was in flight."""


class Invocations:
    """All invocations. `place` hands one to an environment, or says why none can be had; whoever carries it out calls
    :meth:`answered` when the answer stands in the journal."""

    def __init__(
        self,
        deployments: Deployments,
        place: Callable[[Revision, NextInvocation], Throttle | None],
        queue: EventQueue,
        roles: Roles,
        journal: Journal,
        time_scale: float,
    ) -> None:
        self._deployments = deployments
        self._place = place
        self._journal = journal
        self._callers: dict[str, asyncio.Future[None]] = {}
        forwarding = Forwarding(deployments.arn, self._leave, roles, journal)
        self.asynchronous = Asynchronous(queue, deployments, self._hand_over, forwarding, journal, time_scale)

    async def invoke(
        self,
        function: str,
        payload: str,
        qualifier: str | None,
        invocation_type: str,
        step: int | None,
        request_id: str | None = None,
    ) -> str:
        """The request id, a new one unless it is given, once the caller is answered; the answer is in the journal.
        Raises ServiceRefusal for what is no function, version or alias, or no payload."""
        if invocation_type == "Event":
            return self._leave(function, payload, qualifier, step)
        payload = _checked(payload, invocation_type)
        revision = self._deployments.resolve(function, qualifier, random.random())
        request_id = self._accept(revision, payload, qualifier, invocation_type, step, request_id)
        if invocation_type == "DryRun":
            self._journal.append(ev.InvocationAnswered(request_id, "succeeded", "", None))
            return request_id
        answered = self._callers[request_id] = asyncio.get_running_loop().create_future()
        throttled = self._place(revision, _for_the_runtime(request_id, revision, qualifier, payload))
        if throttled:
            del self._callers[request_id]
            self._journal.append(ev.InvocationThrottled(request_id, throttled.reason, "Rate Exceeded."))
        else:
            await answered
        return request_id

    def answered(self, request_id: str) -> None:
        """Who invoked synchronously can go on."""
        if (caller := self._callers.pop(request_id, None)) and not caller.done():
            caller.set_result(None)

    async def clear(self) -> None:
        """Forget all of them; callers in flight get LaboratoryCleared."""
        for caller in self._callers.values():
            if not caller.done():
                caller.set_exception(LaboratoryCleared("The laboratory was cleared meanwhile."))
        self._callers.clear()
        await self.asynchronous.clear()

    def _leave(
        self, function: str, payload: str, qualifier: str | None, step: int | None, lineage: tuple[str, ...] = ()
    ) -> str:
        """Leave an event in the queue: all that the caller gets is 202."""
        payload = _checked(payload, "Event")
        revision = self._deployments.resolve(function, qualifier, random.random())
        request_id = self._accept(revision, payload, qualifier, "Event", step)
        course = Course(accepted_at=time.time(), due_at=time.time())
        event = QueuedEvent(request_id, function, revision.version, qualifier, payload, lineage, course)
        self.asynchronous.accept(event, step)
        return request_id

    def _accept(
        self,
        revision: Revision,
        payload: str,
        qualifier: str | None,
        invocation_type: str,
        step: int | None,
        request_id: str | None = None,
    ) -> str:
        request_id = request_id or str(uuid.uuid4())
        self._journal.append(
            ev.InvocationAccepted(
                request_id, revision.function, revision.version, invocation_type, payload, step, qualifier
            )
        )
        return request_id

    def _hand_over(self, revision: Revision, event: QueuedEvent) -> Throttle | None:
        return self._place(revision, _for_the_runtime(event.request_id, revision, event.qualifier, event.payload))


def _for_the_runtime(request_id: str, revision: Revision, qualifier: str | None, payload: str) -> NextInvocation:
    trace = f"Root=1-{int(time.time()):08x}-{secrets.token_hex(12)};Parent={secrets.token_hex(8)};Sampled=0"
    arn = f"{revision.arn}:{qualifier}" if qualifier else revision.arn
    return NextInvocation(request_id, payload.encode(), arn, 0, trace)


def _checked(payload: str, invocation_type: str) -> str:
    """The event as the function gets it: nothing is an empty object; what is no JSON, or too much, is refused."""
    if invocation_type not in MAX_PAYLOAD_BYTES:
        raise InvalidParameter(
            f"1 validation error detected: Value '{invocation_type}' at 'invocationType' failed to satisfy constraint: "
            "Member must satisfy enum value set: [Event, RequestResponse, DryRun]"
        )
    if not payload.strip():
        return "{}"
    limit = MAX_PAYLOAD_BYTES[invocation_type]
    if (size := len(payload.encode(errors="surrogatepass"))) > limit:
        raise InvalidParameter(
            f"{size} byte payload is too large for the {invocation_type} invocation type (limit {limit} bytes)"
        )
    try:
        parse_json(payload)
        payload.encode()
    except (ValueError, RecursionError) as error:
        message = f"Could not parse request body into json: Could not parse payload into json: {error}"
        raise InvalidParameter(message) from None
    return payload
