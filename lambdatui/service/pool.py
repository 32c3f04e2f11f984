"""The execution environments that there are: made, used and ended as the scheduler says."""

from __future__ import annotations

import asyncio
import itertools
import os
import time
import uuid
from collections.abc import Callable, Iterator, Mapping
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import TypeAlias

from lambdatui import events as ev
from lambdatui.events import Json
from lambdatui.journal import Journal
from lambdatui.role import Role
from lambdatui.runtimes.runtime import Folders
from lambdatui.sandbox import inspection
from lambdatui.sandbox.capture import Output
from lambdatui.sandbox.gauges import Gauges
from lambdatui.sandbox.guardian import Guardian, remove_tree
from lambdatui.sandbox.limits import Limits, Watch, cores_for
from lambdatui.sandbox.machine import Machine
from lambdatui.sandbox.process import Exit, Process
from lambdatui.sandbox.sandbox import Place, Program
from lambdatui.service import external_extensions, logs
from lambdatui.service.callers import Callers
from lambdatui.service.deployments import Revision
from lambdatui.service.environment import Environment, Host
from lambdatui.service.extensions_api import Registration
from lambdatui.service.inspection import NoSuchEnvironment, told
from lambdatui.service.lifecycle import INIT_LIMIT, Terms
from lambdatui.service.log_groups import LogGroups
from lambdatui.service.platform_records import PlatformRecords
from lambdatui.service.roles import Roles
from lambdatui.service.runtime_api import NextInvocation
from lambdatui.service.scheduler import Reuse, Scheduler, Throttle
from lambdatui.service.variables import extension_variables, function_variables

ON_DEMAND = "on-demand"
PROVISIONED = "provisioned-concurrency"

PROVISIONED_INIT_LIMIT = 130.0
"""Seconds that an init ahead of any invocation may take at least; as many as the function's timeout, if that is more
("Lambda execution environment lifecycle")."""

_OnOutput: TypeAlias = Callable[[list[Output]], None]
_OnExit: TypeAlias = Callable[[Exit], None]


@dataclass(frozen=True)
class Surroundings:
    """What all environments of a laboratory share. `folder` is where their own folders go; `idle_timeout` the seconds
    after which an idle one is reclaimed; without `cpu_limit`, every function has all of the CPU."""

    region: str
    log_groups: LogGroups
    log_dialect: str
    idle_timeout: float
    folder: Path
    guardian: Guardian
    machine: Machine
    cpu_limit: bool
    roles: Roles
    endpoint: Callable[[], str | None]
    """Where functions reach the laboratory's own APIs, if they can."""


@dataclass
class _Resident:
    """What is known of an environment: what it is made of, its log, its folders."""

    environment: Environment
    revision: Revision
    initialization_type: str
    log: logs.EnvironmentLog
    log_group: str
    log_stream: str
    place: Place
    logs_as: Role | None = None
    """The role that was found to allow it."""
    initialised: bool = False
    """Its first init has succeeded."""
    variables: Mapping[str, str] = field(default_factory=dict)
    """The runtime's, when it was started last."""


@dataclass(frozen=True)
class Provisioned:
    """What is to be initialised ahead for a version, and by which qualifier that was asked for. `status` and `reason`
    are the API's; `modified_at` is in seconds since the epoch."""

    qualifier: str
    version: str
    count: int
    modified_at: float
    status: str = "IN_PROGRESS"
    reason: str | None = None
    available: int = 0
    """Environments that are initialised."""


class Pool:
    """States in `journal` all that its environments do; `callers` are told when that is their answer, `ended` when an
    environment is gone."""

    def __init__(
        self,
        surroundings: Surroundings,
        scheduler: Scheduler,
        journal: Journal,
        callers: Callers,
        ended: Callable[[], None],
    ) -> None:
        self._surroundings = surroundings
        self._scheduler = scheduler
        self._journal = journal
        self._callers = callers
        self._environment_ended = ended
        self._residents: dict[str, _Resident] = {}
        self._provisioned: dict[tuple[str, str], Provisioned] = {}
        """By function and version."""
        self._changed = asyncio.Event()
        self._addresses = _addresses()
        surroundings.folder.mkdir(parents=True, exist_ok=True)
        self._starts = asyncio.Semaphore(os.cpu_count() or 1)
        self._reclaiming: asyncio.TimerHandle | None = None
        self._clock_offset = time.time() - time.monotonic()

    @property
    def folders(self) -> set[Path]:
        """The copies of code and layers that environments work with."""
        return {folder for resident in self._residents.values() for folder in resident.revision.folders}

    def configure(self, revision: Revision, because: str) -> None:
        """From now on the version of `revision` is this; environments of what it was before are retired."""
        version, generation = revision.version, revision.generation
        for name in self._scheduler.configure(revision.function, version, generation, because):
            self._residents[name].environment.retire(because)

    def remove(self, function: str, version: str | None = None) -> None:
        """The function is deleted, or only one version of it."""
        for known in list(self._provisioned):
            if known[0] == function and version in (None, known[1]):
                del self._provisioned[known]
        for name in self._scheduler.remove(function, version):
            self._residents[name].environment.retire(f"the {'version' if version else 'function'} was deleted")

    def invoke(self, revision: Revision, invocation: NextInvocation) -> Throttle | None:
        """Hand the invocation to an environment, or say why none can be had."""
        placement = self._scheduler.place(revision.function, revision.version, self._clock())
        if isinstance(placement, Throttle):
            return placement
        if isinstance(placement, Reuse):
            resident = self._residents[placement.environment]
        else:
            resident = self._create(revision, placement.because, ON_DEMAND)
        cold_start = not isinstance(placement, Reuse)
        self._journal.append(ev.InvocationPlaced(invocation.request_id, resident.environment.name, cold_start))
        (resident.environment.begin if cold_start else resident.environment.invoke)(invocation)
        return None

    def provision(self, revision: Revision, qualifier: str, count: int) -> None:
        """Have `count` environments initialised ahead of any invocation."""
        create, surplus = self._scheduler.provision(revision.function, revision.version, count)
        version = revision.version
        self._provisioned[revision.function, version] = Provisioned(qualifier, version, count, self._clock())
        self._tell_provisioned(revision, "READY" if self._ready(revision) else "IN_PROGRESS")
        for name in surplus:
            self._residents[name].environment.retire("the provisioned concurrency was lowered")
        for _ in range(create):
            self._create(revision, "provisioned concurrency", PROVISIONED).environment.begin()

    def move_provisioned(self, old: Revision, new: Revision, alias: str) -> None:
        """The alias leads to another version now; what was provisioned by its name goes with it."""
        known = self._provisioned.get((old.function, old.version))
        if known and known.count and known.qualifier == alias:
            self.provision(old, alias, 0)
            self.provision(new, alias, known.count)

    def _initialised_ahead(self, resident: _Resident, succeeded: bool) -> None:
        revision = resident.revision
        if (revision.function, revision.version) not in self._provisioned:  # deleted meanwhile
            return
        if not succeeded:
            self._tell_provisioned(revision, "FAILED", "FUNCTION_ERROR_INIT_FAILURE")
            resident.environment.shut_down("its init failed")
        elif self._ready(revision):
            self._tell_provisioned(revision, "READY")

    def _ready(self, revision: Revision) -> bool:
        """Whether as many are initialised as are provisioned."""
        known = self._provisioned[revision.function, revision.version]
        return self._initialised(revision.function, revision.version) >= known.count

    def _initialised(self, function: str, version: str) -> int:
        return sum(
            each.initialised
            and each.initialization_type == PROVISIONED
            and (each.revision.function, each.revision.version) == (function, version)
            for each in self._residents.values()
        )

    def all_provisioned(self, function: str) -> list[Provisioned]:
        """What is provisioned for a function now."""
        return [
            replace(known, available=min(self._initialised(name, version), known.count))
            for (name, version), known in self._provisioned.items()
            if name == function and known.count
        ]

    def provisioned(self, function: str, qualifier: str | None = None) -> int:
        """The provisioned concurrency of a function, or of what this qualifier names."""
        return sum(
            known.count
            for (name, _), known in self._provisioned.items()
            if name == function and qualifier in (None, known.qualifier)
        )

    def provisioned_as(self, revision: Revision) -> str | None:
        """By which qualifier environments of it are provisioned, if any are."""
        known = self._provisioned.get((revision.function, revision.version))
        return known.qualifier if known and known.count else None

    def _tell_provisioned(self, revision: Revision, status: str, reason: str | None = None) -> None:
        known = replace(self._provisioned[revision.function, revision.version], status=status, reason=reason)
        self._provisioned[revision.function, revision.version] = known
        self._journal.append(
            ev.ProvisionedConcurrencyChanged(
                revision.function, known.qualifier, revision.version, known.count, status, reason
            )
        )

    # one environment

    def _create(self, revision: Revision, because: str, initialization_type: str) -> _Resident:
        surroundings = self._surroundings
        name, now = uuid.uuid4().hex, self._clock()
        function, logging_config = revision.function, revision.configuration.logging_config
        group = logs.group_name(function, logging_config)
        stream = logs.stream_name(function, logging_config, revision.version, now, name)
        tmp = surroundings.folder / name
        address = next(self._addresses)
        place = Place(revision.folder, tmp, revision.layers, _hosts(tmp.with_suffix(".hosts"), address), address)
        place.tmp.mkdir()
        configuration, runtime = revision.configuration, revision.runtime
        provisioned = initialization_type == PROVISIONED

        machine, roots = surroundings.machine, surroundings.machine.sandbox.roots(place)
        folders = Folders(place.code, place.layers, roots.task, roots.layers)
        memory_size, ephemeral_storage = configuration.memory_size, configuration.ephemeral_storage
        cores = cores_for(memory_size) if surroundings.cpu_limit else None
        gauges = Gauges(
            lambda: machine.storage.used_mb(tmp),
            lambda use: self._journal.append(ev.EnvironmentMeasured(name, *use)),
        )
        watch = Watch(Limits(memory_size, cores), machine.pace, gauges)

        async def spawn(extension: str | None, address: str, on_output: _OnOutput, on_exit: _OnExit) -> Process:
            variables = function_variables(
                revision.function,
                configuration,
                runtime.variables(folders),
                surroundings.region,
                surroundings.roles.credentials(revision.function, configuration),
                surroundings.endpoint(),
                version=revision.version,
                log_group=group,
                log_stream=stream,
                initialization_type=initialization_type,
                runtime_api=address,
                task_root=roots.task,
                layers_root=roots.layers,
            )
            if extension is None:
                resident.variables = variables
                command = runtime.command(folders, configuration.environment)
                program = Program(command, variables, runtime.reads)
            else:
                assert place.layers
                external_extensions.check(place.layers, extension)
                command = (f"{roots.layers}/extensions/{extension}",)
                program = Program(command, extension_variables(variables), runtime.reads, frames=False)
            await machine.storage.prepare(place.tmp, ephemeral_storage)
            return await Process.start(
                machine,
                program,
                place,
                watch=watch,
                guardian=surroundings.guardian,
                on_output=on_output,
                on_exit=on_exit,
            )

        account = revision.arn.split(":")[4]
        host = Host(
            address=roots.address,
            registration=Registration(revision.function, revision.version, configuration.handler, account),
            clock=self._clock,
            starts=self._starts,
            spawn=spawn,
            watch=watch,
            excess_mb=lambda: machine.storage.excess_mb(place.tmp, ephemeral_storage),
            emit=lambda event: self._emit(resident, event),
            wrote=lambda request_id, lines: self._write(resident, request_id, False, resident.log.of_function(lines)),
            sent=self._callers.sent,
            replied=self._callers.answered,
            released=lambda: self._released(resident),
            ended=lambda: self._ended(resident),
        )
        limit = max(PROVISIONED_INIT_LIMIT, configuration.timeout) if provisioned else INIT_LIMIT
        extensions = external_extensions.names(revision.layers)
        terms = Terms(configuration.timeout, configuration.memory_size, surroundings.log_dialect, limit, extensions)
        records = PlatformRecords(
            revision.function,
            revision.arn,
            revision.version,
            surroundings.region,
            runtime.lambda_version,
            initialization_type,
            stream,
            configuration.memory_size,
        )
        log = logs.EnvironmentLog(surroundings.log_dialect, logging_config, records)
        environment = Environment(name, terms, host)
        records.told = environment.tell
        resident = _Resident(environment, revision, initialization_type, log, group, stream, place)
        self._residents[name] = resident
        self._scheduler.created(revision.function, revision.version, name, now, provisioned=provisioned)
        self._journal.append(
            ev.EnvironmentCreated(
                name,
                revision.function,
                revision.version,
                revision.generation,
                revision.code_sha256,
                group,
                stream,
                because,
                initialization_type,
            )
        )
        return resident

    def _emit(self, resident: _Resident, event: ev.Event) -> None:
        record = self._journal.append(event)
        self._write(resident, getattr(event, "request_id", None), True, resident.log.after(record.time, event))
        if isinstance(event, ev.InvocationFinished):
            self._callers.finished(event.request_id)
        if isinstance(event, (ev.EnvironmentFrozen, ev.EnvironmentReset)):
            self._changed.set()
        if isinstance(event, ev.InitFinished) and event.phase == "init":
            resident.initialised = event.status == "success"
            if resident.initialization_type == PROVISIONED:
                if not resident.initialised:  # at once, before an invocation is placed there
                    revision = resident.revision
                    self._scheduler.ended(revision.function, revision.version, resident.environment.name)
                # Later, because the environment is in the middle of telling what happened.
                asyncio.get_running_loop().call_soon(self._initialised_ahead, resident, resident.initialised)

    def _write(self, resident: _Resident, request_id: str | None, platform: bool, lines: tuple[str, ...]) -> None:
        """Keep log events, if the function's role may log: otherwise the service drops them without a word."""
        if not lines:
            return
        surroundings, group, stream = self._surroundings, resident.log_group, resident.log_stream
        role = surroundings.roles.of(resident.revision.configuration)
        if resident.logs_as is not role or not surroundings.log_groups.has(group, stream):
            if not surroundings.log_groups.admit(role, group, stream):
                return
            resident.logs_as = role
        name = resident.environment.name
        self._journal.append(ev.LogWritten(name, group, stream, request_id, platform, lines))

    def _released(self, resident: _Resident) -> None:
        revision = resident.revision
        self._scheduler.released(revision.function, revision.version, resident.environment.name, self._clock())
        self._reclaim_in_time()

    def _ended(self, resident: _Resident) -> None:
        remove_tree(resident.place.tmp)
        if resident.place.hosts:
            resident.place.hosts.unlink(missing_ok=True)
        del self._residents[resident.environment.name]
        self._scheduler.ended(resident.revision.function, resident.revision.version, resident.environment.name)
        self._environment_ended()
        self._changed.set()

    def inspect(self, name: str, *, reveal: bool = False) -> dict[str, Json]:
        """See :func:`lambdatui.service.inspection.told`; raises NoSuchEnvironment, as the next does."""
        resident = self._resident(name)
        processes = {of: inspection.processes(pids) for of, pids in resident.environment.pids.items()}
        return told(processes, resident.variables, inspection.files(self._tmp(resident)), reveal=reveal)

    def preview(self, name: str, file: str) -> dict[str, Json]:
        """The beginning of a file of its /tmp; raises OSError."""
        return asdict(inspection.preview(self._tmp(self._resident(name)), file))

    def _tmp(self, resident: _Resident) -> Path:
        return self._surroundings.machine.storage.outside(resident.place.tmp)

    def _resident(self, name: str) -> _Resident:
        if name not in self._residents:
            raise NoSuchEnvironment(f"There is no environment {name[:6]}, or it has ended.")
        return self._residents[name]

    # all of them

    async def settled(self) -> None:
        """Wait until no invocation is in flight and no environment is on its way to its end."""
        await self._until(lambda: all(resident.environment.quiet for resident in self._residents.values()))

    async def reclaim(self, function: str) -> None:
        """End the idle environments, as the service does when it sees fit."""
        self._reclaim(function, 0.0, "reclaimed")
        await self._until(lambda: not any(resident.environment.ending for resident in self._residents.values()))

    async def end(self, because: str) -> None:
        """End every environment at once, whatever it is doing."""
        if self._reclaiming:
            self._reclaiming.cancel()
        for resident in list(self._residents.values()):
            resident.environment.end(because)
        await self._until(lambda: not self._residents)
        self._provisioned.clear()

    async def _until(self, true: Callable[[], bool]) -> None:
        while not true():
            self._changed.clear()
            await self._changed.wait()

    def _reclaim(self, function: str, idle_for: float, because: str) -> None:
        for name in self._scheduler.reclaim(function, self._clock(), idle_for, because):
            self._residents[name].environment.shut_down(because)

    def _reclaim_in_time(self) -> None:
        """Set the timer for the environment that has been idle the longest. One that is set is not too late: whoever
        is idle from now on has as long to go as anybody."""
        if self._reclaiming:
            return
        since = self._scheduler.idle_longest()
        if since is not None:
            delay = max(since + self._surroundings.idle_timeout - self._clock(), 0.0)
            self._reclaiming = asyncio.get_running_loop().call_later(delay, self._reclaim_the_old)

    def _reclaim_the_old(self) -> None:
        self._reclaiming = None
        timeout = self._surroundings.idle_timeout
        for function in {resident.revision.function for resident in self._residents.values()}:
            self._reclaim(function, timeout - 0.001, f"idle for {timeout:g} s")
        self._reclaim_in_time()

    def _clock(self) -> float:
        """Seconds since the epoch, never jumping."""
        return time.monotonic() + self._clock_offset


def _addresses() -> Iterator[str]:
    """Loopback addresses, for each environment another one, so that extensions that listen on the same port of
    sandbox.localdomain do not get into each other's way."""
    for number in itertools.count(1):
        yield f"127.{64 + (number >> 16) % 64}.{(number >> 8) % 256}.{number % 256}"


def _hosts(file: Path, address: str) -> Path | None:
    """Write an environment's /etc/hosts; None on a machine that has none."""
    own = Path("/etc/hosts")
    if not own.is_file():
        return None
    file.write_text(f"{own.read_text(errors='replace')}\n{address} sandbox.localdomain sandbox\n")
    return file
