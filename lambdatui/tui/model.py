"""What the panels read: the fold over the events, the log lines, and what the user has chosen."""

from __future__ import annotations

from collections.abc import Callable

from lambdatui import events as ev
from lambdatui.control.roles import Role, refusal
from lambdatui.lab import Environment, Function, Lab, Step
from lambdatui.tui.glyphs import UNICODE, Glyphs
from lambdatui.tui.log_rows import TROUBLE
from lambdatui.tui.logbook import Logbook
from lambdatui.tui.pulse import FINE_PERIOD, PERIOD
from lambdatui.tui.words import say

_OLD_NOTICE = 10.0


_OF_INVOCATIONS = (
    *(ev.InvocationAccepted, ev.InvocationThrottled, ev.InvocationPlaced, ev.InvocationStarted, ev.InvocationStreamed),
    *(ev.InvocationAnswered, ev.InvocationFinished),
    *(ev.EventQueued, ev.AttemptStarted, ev.EventConcluded, ev.EventForwarded),
)

STALE = ("", "")
"""Among the news: those before are of no interest any more."""


class Model:
    """The laboratory as seen from this screen. `clock` gives seconds since the epoch."""

    def __init__(self, clock: Callable[[], float], glyphs: Glyphs = UNICODE, role: Role = Role.OWNER) -> None:
        self._clock, self.glyphs, self.role = clock, glyphs, role
        self._now = clock()
        self.lab = Lab()
        self.logbook = Logbook()
        self.in_flight: dict[str, str] = {}
        """Request ids of what is under way, and their functions."""
        self.queued: set[str] = set()
        """Request ids of the events that wait for another attempt."""
        self.front: str | None = None
        """The first invocation of the last burst."""
        self.chosen: str | None = None
        """Request id of the invocation that is looked at, in whatever panel it was chosen."""
        self.touched: set[str] = set()
        """Request ids of invocations that something was said about since the table of them looked."""
        self.marked: str | None = None
        """Request id of the invocation that another is to be compared with."""
        self.odd: str | None = None
        """The first invocation of the step that has just ended which did not succeed, where others did."""
        self.page = 0
        """The step on the Guide's page, from 0; one more than the last: the end."""
        self.choice: int | None = None
        """The prediction chosen for that step and not yet sent."""
        self.evidence: int | None = None
        """The check of the step on the page whose evidence was looked at last."""
        self.function_chosen: str | None = None
        self.events_edited: dict[str, str] = {}
        """The event (JSON text) that the user wrote for a function."""
        self.opened = 0
        """How often the experiment has begun: lists that belong to an earlier beginning are stale."""
        self.starting = False
        """The step on the page was told to begin, and has not yet."""
        self.news: list[tuple[str, str]] = []
        """Sentences to tell once, with their severity."""
        self.restless_until = 0.0
        """Until this instant something moves although nothing is under way."""
        self._looked_at: str | None = None
        """What was chosen before the events began anew: it is chosen again when it is there."""

    def rewind(self) -> None:
        """The events are about to come again, from the first. What the user has chosen stays."""
        fresh = Model(self._clock, self.glyphs, self.role)
        fresh.function_chosen, fresh.events_edited = self.function_chosen, self.events_edited
        fresh._looked_at = self.chosen or self._looked_at
        vars(self).update(vars(fresh))

    # -- taking in events ---------------------------------------------------------------------------------------

    def apply(self, record: ev.Record) -> None:
        if not isinstance(record.event, ev.LogWritten | ev.LogEventsPut):  # log lines are the logbook's: once is enough
            self.lab.apply(record)
            self._apply(record)
            if isinstance(record.event, _OF_INVOCATIONS):
                self.touched.add(record.event.request_id)
        self.logbook.apply(record, self.lab)

    def _apply(self, record: ev.Record) -> None:
        match record.event:
            case ev.ExperimentOpened():
                self.in_flight.clear()
                self.queued.clear()
                self.front = self.odd = self.chosen = self.marked = None
                self.page, self.choice, self.evidence, self.opened = 0, None, None, self.opened + 1
                self.starting = False
            case ev.InvocationAccepted() as event:
                if not self.in_flight:
                    self.front, self.odd = event.request_id, None
                self.in_flight[event.request_id] = event.function
                if event.request_id == self._looked_at:
                    self.chosen = event.request_id
            case ev.InvocationFinished(request_id=request) | ev.InvocationThrottled(request_id=request):
                self.in_flight.pop(request, None)
            case ev.InvocationAnswered(request_id=request):
                if (invocation := self.lab.invocations.get(request)) and invocation.done:  # a dry run
                    self.in_flight.pop(request, None)
            case ev.EventQueued(request_id=request, because=because) if because != "accepted":
                self.in_flight.pop(request, None)
                self.queued.add(request)
            case ev.AttemptStarted(request_id=request):
                if invocation := self.lab.invocations.get(request):
                    self.in_flight[request] = invocation.function
                self.queued.discard(request)
            case ev.EventConcluded(request_id=request):
                self.in_flight.pop(request, None)
                self.queued.discard(request)
            case ev.StepStarted(step=step):
                self.page, self.choice, self.evidence, self.starting = step, None, None, False
                self.news = [STALE]
            case ev.StepFinished(step=step):
                mine = [each for each in self.lab.invocations.values() if each.step == step]
                bad = [each.request_id for each in mine if each.status != "succeeded"]
                self.odd = bad[0] if 0 < len(bad) < len(mine) else None
            case ev.OthersMayAct(allowed=allowed):
                whom = "You" if self.role is Role.GUEST else "Attached screens"
                told = "may act now" if allowed else "can only watch"
                self.news.append(("information", f"{whom} {told}."))
            case ev.Noticed() as event if self._clock() - record.time < _OLD_NOTICE:
                self.news.append((event.level if event.level != "info" else "information", event.message))
            case ev.FunctionUpdateRejected() as event if self._clock() - record.time < _OLD_NOTICE:
                self.news.append(("warning", f"{event.function} was not changed: {event.message}"))

    # -- acting -------------------------------------------------------------------------------------------------

    def refusal(self, command: str) -> str:
        """One sentence where this screen may not give that command, or ''."""
        return refusal(self.role, command, self.lab.others_may_act)

    def say(self, key: str, **values: object) -> str:
        """Words of the catalogue in the experiment's language."""
        return say(self.lab.experiment.language if self.lab.experiment else "en", key, **values)

    # -- the guide ----------------------------------------------------------------------------------------------

    @property
    def steps(self) -> list[Step]:
        return self.lab.experiment.steps if self.lab.experiment else []

    @property
    def step(self) -> Step | None:
        """The step on the page."""
        return self.steps[self.page] if self.page < len(self.steps) else None

    @property
    def choices(self) -> list[str]:
        """What can be predicted now; empty where nothing is asked."""
        step = self.step
        if (
            self.refusal("predict")
            or self.starting
            or step is None
            or step.state != "waiting"
            or step.predict is None
            or step.prediction is not None
        ):
            return []
        choices = step.predict.get("choices")
        return [str(choice) for choice in choices] if isinstance(choices, list) else []

    def next_evidence(self) -> int | None:
        """The check of the step on the page whose evidence is to be looked at next: one that did not hold, before
        what the log shows best; None where there is none."""
        step = self.step
        if step is None or not step.over:
            return None
        found = [number for number, each in enumerate(step.evidence) if each is not None]
        if self.evidence in found:
            return found[(found.index(self.evidence) + 1) % len(found)]
        return min(
            found, key=lambda number: (bool(step.checks[number]["passed"]), _weakness(step, number)), default=None
        )

    def turn_page(self) -> None:
        if self.page < len(self.steps):
            self.page, self.choice, self.evidence = self.page + 1, None, None

    # -- firing by hand -----------------------------------------------------------------------------------------

    @property
    def function(self) -> Function | None:
        """The function that is fired by hand: the one chosen, else the one used last, else the first."""
        functions = self.lab.functions
        if self.function_chosen in functions:
            return functions[self.function_chosen]
        used = next(reversed(self.lab.invocations.values()), None)
        name = used.function if used and used.function in functions else next(iter(functions), None)
        return functions[name] if name is not None else None

    def choose_next_function(self) -> Function | None:
        names = list(self.lab.functions)
        if self.function is not None:
            self.function_chosen = names[(names.index(self.function.name) + 1) % len(names)]
        return self.function

    def event_for(self, function: str) -> str:
        """The event to fire: the one written here, else the one that function got last, else the one that the
        experiment has for it, else an empty object."""
        if (edited := self.events_edited.get(function)) is not None:
            return edited
        used = reversed(self.lab.invocations.values())
        at_first = self.lab.experiment.events.get(function, "{}") if self.lab.experiment else "{}"
        return next((each.event for each in used if each.function == function), at_first)

    # -- what moves by itself -----------------------------------------------------------------------------------

    def clock(self) -> float:
        """The instant that is on the screen, one for all of its figures."""
        return self._now

    def tick(self) -> None:
        """A new frame, at a new instant."""
        self._now = self._clock()

    def until(self, environment: Environment) -> float | None:
        """Seconds to the environment's deadline."""
        return None if environment.deadline is None else max(0.0, environment.deadline - self.clock())

    @property
    def period(self) -> float | None:
        """How soon figures on the screen change without any event, None where none does."""
        live = [each for each in self.lab.environments.values() if each.state in ("init", "busy", "created")]
        if not live:
            return PERIOD if self.queued or self.clock() < self.restless_until else None
        left = [self.until(each) for each in live]
        return FINE_PERIOD if any(each is not None and each <= 1.2 for each in left) else PERIOD


def _weakness(step: Step, number: int) -> int:
    """Of evidence: nothing says more than a line about trouble, and the invocation as a whole says least."""
    line = (step.evidence[number] or {}).get("line")
    return 2 if not isinstance(line, str) else 0 if TROUBLE.search(line) else 1
