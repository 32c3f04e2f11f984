"""Which environment gets an invocation, when a new one is made, and when there is none to be had: no I/O, no clock.

An environment handles one invocation at a time ("Understanding Lambda function scaling"). Of those that are warm and
idle the most recently used one is taken, which the service does not document and which lets the others grow old and be
reclaimed.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TypeAlias


@dataclass(frozen=True)
class Reuse:
    environment: str


@dataclass(frozen=True)
class Create:
    """`because` says in a few words why no environment there is could serve."""

    because: str


@dataclass(frozen=True)
class Throttle:
    """`reason` as in TooManyRequestsException."""

    reason: str


Placement: TypeAlias = Reuse | Create | Throttle


@dataclass
class _Environment:
    generation: int
    busy: bool
    last_used: float


@dataclass
class _Function:
    generation: int
    reserved: int | None
    because: str = "first invocation"
    environments: dict[str, _Environment] = field(default_factory=dict)

    @property
    def concurrency(self) -> int:
        """Invocations in flight, also on environments of an older generation."""
        return sum(each.busy for each in self.environments.values())


class Scheduler:
    """All environments of one account and region; `concurrent_executions` is the account's limit. Times are seconds
    on any one clock."""

    def __init__(self, concurrent_executions: int) -> None:
        self._limit = concurrent_executions
        self._functions: dict[str, _Function] = {}

    def configure(self, function: str, generation: int, reserved: int | None, because: str) -> list[str]:
        """The function is of this generation from now on; the environments of older ones, to be retired. `because`
        says why the next invocation finds no environment."""
        known = self._functions.get(function)
        if known is None:
            self._functions[function] = _Function(generation, reserved)
            return []
        older = [name for name, each in known.environments.items() if each.generation != generation]
        if known.environments or known.because != "first invocation":
            known.because = because
        known.generation, known.reserved = generation, reserved
        for name in older:
            if not known.environments[name].busy:
                del known.environments[name]
        return older

    def place(self, function: str) -> Placement:
        """Where an invocation goes that comes now. Reuse marks that environment as busy; after Create the caller
        names the new one by :meth:`created`."""
        known = self._functions[function]
        if reason := self._exceeded(known):
            return Throttle(reason)
        current = {name: each for name, each in known.environments.items() if each.generation == known.generation}
        if idle := [name for name, each in current.items() if not each.busy]:
            name = max(idle, key=lambda each: current[each].last_used)
            current[name].busy = True
            return Reuse(name)
        if current:
            count = len(current)
            return Create("the only environment is busy" if count == 1 else f"all {count} environments are busy")
        return Create(known.because)

    def created(self, function: str, environment: str, now: float) -> None:
        """The environment that :meth:`place` asked for, busy with the invocation it was made for."""
        known = self._functions[function]
        known.environments[environment] = _Environment(known.generation, True, now)

    def released(self, function: str, environment: str, now: float) -> None:
        """Its invocation has finished."""
        known = self._functions[function]
        if each := known.environments.get(environment):
            each.busy, each.last_used = False, now
            if each.generation != known.generation:
                del known.environments[environment]

    def reclaim(self, function: str, now: float, idle_for: float = 0.0, because: str = "reclaimed") -> list[str]:
        """Give up environments that have been idle for so many seconds; which these are."""
        known = self._functions[function]
        idle = [name for name, each in known.environments.items() if not each.busy and now - each.last_used >= idle_for]
        for name in idle:
            del known.environments[name]
        if idle:
            known.because = f"the last one was {because}"
        return idle

    def idle_longest(self) -> float | None:
        """When the environment that has been idle the longest was last used."""
        return min(
            (
                each.last_used
                for known in self._functions.values()
                for each in known.environments.values()
                if not each.busy
            ),
            default=None,
        )

    def remove(self, function: str) -> None:
        """The function is deleted."""
        del self._functions[function]

    def _exceeded(self, function: _Function) -> str | None:
        """The limit that leaves no room: the function's own reserve, or what all reserves leave of the account's
        concurrency ("Configuring reserved concurrency")."""
        if function.reserved is not None:
            if function.concurrency >= function.reserved:
                return "ReservedFunctionConcurrentInvocationLimitExceeded"
            return None
        reserved = sum(each.reserved for each in self._functions.values() if each.reserved is not None)
        unreserved = sum(each.concurrency for each in self._functions.values() if each.reserved is None)
        return "ConcurrentInvocationLimitExceeded" if unreserved >= self._limit - reserved else None
