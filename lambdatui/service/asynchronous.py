"""Asynchronous invocation: each event on its way from the queue to its end, and then to its destinations.

What to do next is decided by :mod:`lambdatui.service.retries`; this carries it out.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from dataclasses import replace

from lambdatui import events as ev
from lambdatui.journal import Journal
from lambdatui.refusal import ResourceNotFound
from lambdatui.service import retries
from lambdatui.service.deployments import Deployments, Revision
from lambdatui.service.destinations import Outcome
from lambdatui.service.event_queue import EventQueue, QueuedEvent
from lambdatui.service.forwarding import Forwarding
from lambdatui.service.retries import Attempt, Conclude, Next, Policy, Wait
from lambdatui.service.scheduler import Throttle
from lambdatui.service.trace import Trace


class Asynchronous:
    """All events on their way. `hand_over` gives an event to an environment, or says why there is none."""

    def __init__(
        self,
        queue: EventQueue,
        deployments: Deployments,
        hand_over: Callable[[Revision, QueuedEvent], Throttle | None],
        forwarding: Forwarding,
        journal: Journal,
        time_scale: float,
    ) -> None:
        self._queue = queue
        self._deployments = deployments
        self._hand_over = hand_over
        self._forwarding = forwarding
        self._journal = journal
        self._time_scale = time_scale
        self._tasks: dict[str, asyncio.Task[None]] = {}
        self._recovered: set[str] = set()
        self._orphans: list[QueuedEvent] = []
        """Recovered, for versions that are not there."""
        self._answers: dict[str, ev.InvocationAnswered] = {}
        self._running: dict[str, asyncio.Future[ev.InvocationAnswered]] = {}
        journal.read_with(self._read)

    def accept(self, event: QueuedEvent, step: int | None) -> None:
        """Queue an event whose caller is answered with this."""
        self._queue.put(event)
        self._tell_if_private()
        self._journal.append(ev.EventQueued(event.request_id, "accepted", 0.0))
        self._follow(event, step)

    def recover(self) -> None:
        """Take over what is in the queue from a laboratory that came to a sudden end."""
        for event in self._queue.left_over():
            try:
                self._deployments.resolve(event.function, event.version)
            except ResourceNotFound as error:  # a step may still publish that version
                self._orphans.append(event)
                message = f"An event of an earlier laboratory waits in the queue: {error}"
                self._journal.append(ev.Noticed("warning", message))
            else:
                self._take_over(event)
        self._tell_if_private()

    def _take_over(self, event: QueuedEvent) -> None:
        self._recovered.add(event.request_id)
        self._journal.append(
            ev.InvocationAccepted(
                event.request_id,
                event.function,
                event.version,
                "Event",
                event.payload,
                None,
                event.qualifier,
                "recovered",
            )
        )
        delay = max(event.course.due_at - time.time(), 0.0)
        self._journal.append(ev.EventQueued(event.request_id, "recovered", delay))
        self._follow(event, None)

    def _adopt(self, function: str, version: str) -> None:
        """The version is there for which events of an earlier laboratory have waited."""
        adopted = [event for event in self._orphans if (event.function, event.version) == (function, version)]
        for event in adopted:
            self._orphans.remove(event)
            self._take_over(event)

    def _tell_if_private(self) -> None:
        if because := self._queue.private_because:
            self._queue.private_because = None
            self._journal.append(ev.Noticed("info", f"What is queued will not survive the laboratory: {because}."))

    async def settled(self) -> None:
        """Wait until every event accepted here has come to its end. Recovered ones are not waited for."""
        while tasks := [task for request_id, task in self._tasks.items() if request_id not in self._recovered]:
            await asyncio.wait(tasks)

    async def clear(self) -> None:
        """Forget all events."""
        tasks = dict(self._tasks)
        for request_id, task in tasks.items():
            task.cancel()
            self._queue.remove(request_id)
        for event in self._orphans:
            self._queue.remove(event.request_id)
        self._orphans.clear()
        await asyncio.gather(*tasks.values(), return_exceptions=True)

    def close(self) -> None:
        self._queue.close()

    # one event

    def _follow(self, event: QueuedEvent, step: int | None) -> None:
        request_id = event.request_id
        task = self._tasks[request_id] = asyncio.create_task(self._see_through(event, step))
        task.add_done_callback(lambda _: self._ended(request_id))

    def _ended(self, request_id: str) -> None:
        self._recovered.discard(request_id)
        task = self._tasks.pop(request_id)
        if not task.cancelled() and (defect := task.exception()):
            self._journal.append(ev.Noticed("error", f"The event {request_id} was lost: {defect}"))

    async def _see_through(self, event: QueuedEvent, step: int | None) -> None:
        """From the queue to the end, and to the destinations."""
        answer: ev.InvocationAnswered | None = None
        try:
            while True:
                await asyncio.sleep(max(event.course.due_at - time.time(), 0.0))
                revision = self._deployments.resolve(event.function, event.version)
                visits = Trace.parse(event.trace).visits(revision.arn)
                following: Next = retries.due(event.course, self._policy(event), time.time(), visits)
                result: ev.InvocationAnswered | Throttle | None = None
                if isinstance(following, Attempt):
                    self._journal.append(ev.AttemptStarted(event.request_id, following.number))
                    result = await self._attempt(revision, event)
                    following = self._after(result, event)
                if isinstance(result, ev.InvocationAnswered):
                    answer = result
                match following:
                    case Wait(course):
                        event = replace(event, course=course)
                        self._requeue(event, result.reason if isinstance(result, Throttle) else None)
                    case Conclude() as end:
                        await self._conclude(event, revision, end, answer, step)
                        return
        except ResourceNotFound:  # it was deleted meanwhile, and with it what it says of retries and destinations
            self._journal.append(ev.EventConcluded(event.request_id, "FunctionDeleted", event.course.attempts))
            self._queue.remove(event.request_id)

    def _after(self, result: ev.InvocationAnswered | Throttle, event: QueuedEvent) -> Wait | Conclude:
        policy, now = self._policy(event), time.time()
        if isinstance(result, Throttle):
            return retries.throttled(event.course, policy, now)
        return retries.ran(event.course, policy, now, succeeded=result.function_error is None)

    def _policy(self, event: QueuedEvent) -> Policy:
        """By what holds now for the qualifier that it came by."""
        config = self._deployments.event_invoke(event.function, event.qualifier)
        return Policy(
            config.retry_attempts,
            config.event_age,
            self._deployments.latest(event.function).configuration.reserved_concurrent_executions,
            self._time_scale,
        )

    async def _attempt(self, revision: Revision, event: QueuedEvent) -> ev.InvocationAnswered | Throttle:
        """What the function answered, once its environment has finished with it too."""
        finished = self._running[event.request_id] = asyncio.get_running_loop().create_future()
        try:
            return self._hand_over(revision, event) or await finished
        finally:
            del self._running[event.request_id]
            self._answers.pop(event.request_id, None)

    def _read(self, record: ev.Record) -> None:
        match record.event:
            case ev.InvocationAnswered(request_id=request_id) as answer if request_id in self._running:
                self._answers[request_id] = answer
            case ev.VersionPublished() as published if self._orphans:
                # Later, because a reader of the journal does not write to it.
                asyncio.get_running_loop().call_soon(self._adopt, published.function, published.version)
            case ev.InvocationFinished(request_id=request_id) if request_id in self._running:
                if not (finished := self._running[request_id]).done():  # it is cancelled by a clear
                    finished.set_result(self._answers[request_id])

    def _requeue(self, event: QueuedEvent, throttled: str | None) -> None:
        self._queue.put(event)
        because = "throttled" if throttled else "function error"
        delay = max(event.course.due_at - time.time(), 0.0)
        self._journal.append(ev.EventQueued(event.request_id, because, delay, throttled))

    async def _conclude(
        self,
        event: QueuedEvent,
        revision: Revision,
        end: Conclude,
        answer: ev.InvocationAnswered | None,
        step: int | None,
    ) -> None:
        self._journal.append(ev.EventConcluded(event.request_id, str(end.condition), end.attempts))
        arn = f"{revision.arn}:{event.qualifier or event.version}"
        outcome = Outcome(event.request_id, arn, revision.version, event.payload, end, answer)
        config = self._deployments.event_invoke(event.function, event.qualifier)
        trace = str(Trace.parse(event.trace).through(revision.arn))
        await self._forwarding.tell(outcome, revision.configuration, config, step, trace)
        self._queue.remove(event.request_id)
