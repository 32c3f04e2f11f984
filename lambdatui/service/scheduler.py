"""Which environment gets an invocation, when a new one is made, and when there is none to be had: no I/O, no clock.

An environment handles one invocation at a time and belongs to one version of one function ("Understanding Lambda
function scaling"). Of those that are warm and idle the provisioned ones are taken first, and of these or the others the
most recently used one, which the service does not document and which lets the others grow old and be reclaimed.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import TypeAlias

SCALING_RATE = 1000
"""So many environments more may a function have in every SCALING_SECONDS: what is unused is refilled continuously and
never adds up to more ("Lambda scaling behavior")."""
SCALING_SECONDS = 10.0


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
    provisioned: bool
    last_used: float
    busy: bool = True
    """With an invocation, or in an init ahead of the first."""
    invoked: bool = False
    """Busy with an invocation."""
    retired: bool = False
    """To be used no more."""


@dataclass
class _Version:
    """The environments of $LATEST or of a published version; only $LATEST ever gets another generation."""

    generation: int
    because: str = "first invocation"
    provisioned: int = 0
    environments: dict[str, _Environment] = field(default_factory=dict)

    @property
    def concurrency(self) -> int:
        """Invocations in flight, also on environments of an older generation."""
        return sum(each.invoked for each in self.environments.values())

    @property
    def claim(self) -> int:
        """What it takes of the account's concurrency: provisioned concurrency counts whether it is used or not."""
        return max(self.concurrency, self.provisioned)

    def idle(self) -> Iterator[tuple[str, _Environment]]:
        """Those that can take an invocation now."""
        for name, each in self.environments.items():
            if not each.busy and not each.retired and each.generation == self.generation:
                yield name, each


@dataclass
class _Function:
    reserved: int | None = None
    versions: dict[str, _Version] = field(default_factory=dict)
    room: float = SCALING_RATE
    """Environments that it may have more at the moment `room_at`."""
    room_at: float = 0.0

    @property
    def concurrency(self) -> int:
        return sum(each.concurrency for each in self.versions.values())

    @property
    def claim(self) -> int:
        return sum(each.claim for each in self.versions.values())


class Scheduler:
    """All environments of one account and region; `concurrent_executions` is the account's limit. Times are seconds
    on any one clock."""

    def __init__(self, concurrent_executions: int) -> None:
        self._limit = concurrent_executions
        self._functions: dict[str, _Function] = {}

    # what there is to run

    def reserve(self, function: str, reserved: int | None) -> None:
        """The function's reserved concurrency, over all of its versions, from now on."""
        self._functions.setdefault(function, _Function()).reserved = reserved

    def configure(self, function: str, version: str, generation: int, because: str) -> list[str]:
        """The version is of this generation from now on; the environments of older ones, to be retired. `because`
        says why the next invocation finds no environment."""
        versions = self._functions.setdefault(function, _Function()).versions
        known = versions.get(version)
        if known is None:
            versions[version] = _Version(generation)
            return []
        older = [name for name, each in known.environments.items() if each.generation != generation]
        if known.environments or known.because != "first invocation":
            known.because = because
        known.generation = generation
        for name in older:
            if not known.environments[name].busy:
                del known.environments[name]
        return older

    def provision(self, function: str, version: str, count: int) -> tuple[int, list[str]]:
        """The version's provisioned concurrency from now on: how many environments are to be initialised ahead, and
        which of those that were are to be retired."""
        known = self._functions[function].versions[version]
        known.provisioned = count
        ahead = [name for name, each in known.environments.items() if each.provisioned]
        surplus = sorted(ahead, key=lambda name: known.environments[name].busy)[: max(len(ahead) - count, 0)]
        for name in surplus:
            known.environments[name].provisioned, known.environments[name].retired = False, True
            if not known.environments[name].busy:
                del known.environments[name]
        return max(count - len(ahead), 0), surplus

    def remove(self, function: str, version: str | None = None) -> list[str]:
        """The function is deleted, or only one version of it; the environments, to be retired."""
        versions = self._functions[function].versions
        gone = [versions.pop(version)] if version else list(versions.values())
        if version is None:
            del self._functions[function]
        return [name for each in gone for name in each.environments]

    # invocations

    def place(self, function: str, version: str, now: float) -> Placement:
        """Where an invocation goes that comes now. Reuse marks that environment as busy; after Create the caller
        names the new one by :meth:`created`."""
        known = self._functions[function]
        pool = known.versions[version]
        if known.reserved is not None and known.concurrency >= known.reserved:
            return Throttle("ReservedFunctionConcurrentInvocationLimitExceeded")
        idle = dict(pool.idle())
        name = max(idle, key=lambda each: (idle[each].provisioned, idle[each].last_used), default=None)
        if self._exhausted(known) and not (name and idle[name].provisioned):
            return Throttle("ConcurrentInvocationLimitExceeded")
        if name:
            idle[name].busy = idle[name].invoked = True
            return Reuse(name)
        if self._room(known, now) < 1:
            return Throttle("ConcurrentInvocationLimitExceeded")
        return Create(self._why(pool))

    def created(self, function: str, version: str, environment: str, now: float, *, provisioned: bool = False) -> None:
        """The environment that :meth:`place` asked for, busy with the invocation it was made for; or one that is
        `provisioned`, and busy with its init."""
        known = self._functions[function]
        pool = known.versions[version]
        known.room = self._room(known, now) - 1
        known.room_at = now
        pool.environments[environment] = _Environment(pool.generation, provisioned, now, invoked=not provisioned)

    def released(self, function: str, version: str, environment: str, now: float) -> None:
        """Its invocation has finished, or the init ahead of the first."""
        pool = self._pool(function, version)
        if pool and (each := pool.environments.get(environment)):
            each.busy, each.invoked, each.last_used = False, False, now
            if each.retired or each.generation != pool.generation:
                del pool.environments[environment]

    def ended(self, function: str, version: str, environment: str) -> None:
        """It is gone, whatever it was doing."""
        if pool := self._pool(function, version):
            pool.environments.pop(environment, None)

    def _pool(self, function: str, version: str) -> _Version | None:
        """None where it has been deleted meanwhile."""
        known = self._functions.get(function)
        return known.versions.get(version) if known else None

    # idle environments

    def reclaim(self, function: str, now: float, idle_for: float = 0.0, because: str = "reclaimed") -> list[str]:
        """Give up environments that have been idle for so many seconds; which these are. Provisioned ones stay."""
        given_up: list[str] = []
        known = self._functions.get(function)
        for pool in known.versions.values() if known else ():
            old = [
                name
                for name, each in pool.environments.items()
                if not each.busy and not each.provisioned and now - each.last_used >= idle_for
            ]
            for name in old:
                del pool.environments[name]
            if old:
                pool.because = f"the last one was {because}"
            given_up += old
        return given_up

    def idle_longest(self) -> float | None:
        """When the environment that has been idle the longest was last used."""
        return min(
            (
                each.last_used
                for known in self._functions.values()
                for pool in known.versions.values()
                for each in pool.environments.values()
                if not each.busy and not each.provisioned
            ),
            default=None,
        )

    # limits

    def _exhausted(self, function: _Function) -> bool:
        """Whether the account has no concurrency left for a function that reserved none: reserves of others and
        provisioned concurrency are theirs ("Configuring reserved concurrency")."""
        if function.reserved is not None:
            return False
        everyone = self._functions.values()
        reserved = sum(each.reserved for each in everyone if each.reserved is not None)
        return sum(each.claim for each in everyone if each.reserved is None) >= self._limit - reserved

    @staticmethod
    def _room(function: _Function, now: float) -> float:
        refilled = (now - function.room_at) * SCALING_RATE / SCALING_SECONDS
        return min(function.room + refilled, SCALING_RATE)

    @staticmethod
    def _why(pool: _Version) -> str:
        current = [each for each in pool.environments.values() if each.generation == pool.generation]
        if not current:
            return pool.because
        if any(each.provisioned for each in current):
            return "all provisioned environments are busy"
        match len(current):
            case 1:
                return "the only environment is busy"
            case 2:
                return "both environments are busy"
        return f"all {len(current)} environments are busy"
