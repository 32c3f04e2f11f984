"""The ways to invoke a function: wait for its answer, leave an event for it, or only ask whether one could."""

from __future__ import annotations

import random
import time
import uuid
from collections.abc import Callable
from dataclasses import dataclass

from lambdatui import events as ev
from lambdatui.function import parse_json
from lambdatui.journal import Journal
from lambdatui.refusal import InvalidRequestContent, RecursiveInvocation, RequestTooLarge, ValidationFailed
from lambdatui.service.asynchronous import Asynchronous
from lambdatui.service.callers import Caller, Callers
from lambdatui.service.deployments import Deployments, Revision
from lambdatui.service.event_queue import EventQueue, QueuedEvent
from lambdatui.service.forwarding import Forwarding
from lambdatui.service.permissions import Permissions
from lambdatui.service.retries import Course
from lambdatui.service.roles import Roles
from lambdatui.service.runtime_api import NextInvocation
from lambdatui.service.scheduler import Throttle
from lambdatui.service.trace import MAX_VISITS, Trace

MAX_PAYLOAD_BYTES = {"RequestResponse": 6 * 2**20, "Event": 2**20, "DryRun": 6 * 2**20}
"""By the invocation types that there are ("Lambda quotas")."""


@dataclass(frozen=True)
class InvocationRequest:
    """What a caller wants. `payload` and `client_context` are JSON; `trace` is the X-Amzn-Trace-Id header, if there is
    one; `step` the number of the experiment's step. Only synchronous invocations have a client context. A `request_id`
    is given by who must know it before; `source` is that of InvocationAccepted."""

    function: str
    payload: str
    qualifier: str | None = None
    invocation_type: str = "RequestResponse"
    step: int | None = None
    client_context: str = ""
    trace: str = ""
    request_id: str = ""
    source: str = ""


class Invocations:
    """All invocations. `place` hands one to an environment, or says why none can be had; whoever carries it out tells
    the `callers`."""

    def __init__(
        self,
        deployments: Deployments,
        place: Callable[[Revision, NextInvocation], Throttle | None],
        callers: Callers,
        queue: EventQueue,
        roles: Roles,
        permissions: Permissions,
        journal: Journal,
        time_scale: float,
    ) -> None:
        self._deployments = deployments
        self._place = place
        self._callers = callers
        self._journal = journal
        forwarding = Forwarding(deployments.arn, self._forward, roles, permissions, journal)
        self.asynchronous = Asynchronous(queue, deployments, self._hand_over, forwarding, journal, time_scale)

    def begin(self, request: InvocationRequest) -> Caller:
        """An invocation whose answer is still to come, unless it is throttled or not synchronous. Raises ServiceRefusal
        for what is no function, version or alias, or no payload."""
        payload = _checked(request.payload, request.invocation_type)
        revision = self._deployments.resolve(request.function, request.qualifier, random.random())
        trace = Trace.parse(request.trace)
        if request.invocation_type == "RequestResponse":
            self._check_recursion(revision, trace)
        caller = Caller(request.request_id or str(uuid.uuid4()), revision.function)
        self._journal.append(
            ev.InvocationAccepted(
                caller.request_id,
                revision.function,
                revision.version,
                request.invocation_type,
                payload,
                request.step,
                request.qualifier,
                request.source,
            )
        )
        match request.invocation_type:
            case "Event":
                self._queue(caller.request_id, request, revision, payload, trace)
                caller.finish()
            case "DryRun":
                self._journal.append(ev.InvocationAnswered(caller.request_id, "succeeded", "", None))
                caller.finish()
            case _:
                self._run(caller, request, revision, payload, trace)
        return caller

    async def begin_in_turn(self, request: InvocationRequest) -> Caller:
        """The same for whoever has just had an answer, and may be faster than the environment that gave it."""
        if request.invocation_type == "RequestResponse":
            await self._callers.follow(request.function)
        return self.begin(request)

    def _run(self, caller: Caller, request: InvocationRequest, revision: Revision, payload: str, trace: Trace) -> None:
        self._callers.add(caller)
        throttled = self._place(
            revision,
            _for_the_runtime(caller.request_id, revision, request.qualifier, payload, trace, request.client_context),
        )
        if throttled:
            self._journal.append(ev.InvocationThrottled(caller.request_id, throttled.reason, "Rate Exceeded."))
            self._callers.finished(caller.request_id)

    def _check_recursion(self, revision: Revision, trace: Trace) -> None:
        """An event's is checked when it comes out of the queue."""
        if trace.visits(revision.arn) >= MAX_VISITS:
            self._journal.append(
                ev.Noticed("warning", f"A loop was stopped: {revision.function} ran {MAX_VISITS} times for one request")
            )
            raise RecursiveInvocation(
                "Lambda has detected your function being invoked in a recursive loop with other Amazon Web Services "
                "resources and stopped your function's invocation."
            )

    async def clear(self) -> None:
        """Forget all of them; callers in flight get LaboratoryCleared."""
        self._callers.clear()
        await self.asynchronous.clear()

    # events

    def _queue(
        self, request_id: str, request: InvocationRequest, revision: Revision, payload: str, trace: Trace
    ) -> None:
        """All that its caller gets is 202."""
        course = Course(accepted_at=time.time(), due_at=time.time())
        event = QueuedEvent(
            request_id, revision.function, revision.version, request.qualifier, payload, str(trace), course
        )
        self.asynchronous.accept(event, request.step)

    def _forward(self, function: str, payload: str, qualifier: str | None, step: int | None, trace: str) -> None:
        self.begin(InvocationRequest(function, payload, qualifier, "Event", step, trace=trace, source="destination"))

    def _hand_over(self, revision: Revision, event: QueuedEvent) -> Throttle | None:
        trace = Trace.parse(event.trace)
        return self._place(
            revision, _for_the_runtime(event.request_id, revision, event.qualifier, event.payload, trace)
        )


def _for_the_runtime(
    request_id: str, revision: Revision, qualifier: str | None, payload: str, trace: Trace, client_context: str = ""
) -> NextInvocation:
    arn = f"{revision.arn}:{qualifier}" if qualifier else revision.arn
    header = str(trace.through(revision.arn))
    return NextInvocation(request_id, payload.encode(), arn, 0, header, client_context)


def _checked(payload: str, invocation_type: str) -> str:
    """The event as the function gets it: nothing is an empty object; what is no JSON, or too much, is refused."""
    if invocation_type not in MAX_PAYLOAD_BYTES:
        raise ValidationFailed(
            f"1 validation error detected: Value '{invocation_type}' at 'invocationType' failed to satisfy constraint: "
            "Member must satisfy enum value set: [Event, RequestResponse, DryRun]"
        )
    if not payload.strip():
        return "{}"
    limit = MAX_PAYLOAD_BYTES[invocation_type]
    if (size := len(payload.encode(errors="surrogatepass"))) > limit:
        raise RequestTooLarge(
            f"{size} byte payload is too large for the {invocation_type} invocation type (limit {limit} bytes)"
        )
    try:
        parse_json(payload)
        payload.encode()
    except (ValueError, RecursionError) as error:
        message = f"Could not parse request body into json: Could not parse payload into json: {error}"
        raise InvalidRequestContent(message) from None
    return payload
