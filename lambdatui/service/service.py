"""Lambda, as far as this laboratory has it: functions, and their invocation in execution environments."""

from __future__ import annotations

import contextlib
import os
import resource
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from lambdatui import events as ev
from lambdatui.events import Json
from lambdatui.function import Code, Configuration
from lambdatui.function_url import UrlConfiguration
from lambdatui.journal import Journal
from lambdatui.policy import Document
from lambdatui.refusal import ServiceRefusal
from lambdatui.sandbox.enforcement import measures
from lambdatui.sandbox.guardian import Guardian
from lambdatui.sandbox.machine import Machine
from lambdatui.service.aliases import Aliases
from lambdatui.service.callers import Caller, Callers
from lambdatui.service.concurrency import Concurrency
from lambdatui.service.copies import Copies
from lambdatui.service.deployments import LATEST, Deployments, Revision
from lambdatui.service.event_invoke import EventInvokeConfigs
from lambdatui.service.event_queue import EventQueue
from lambdatui.service.function_urls import FunctionUrls
from lambdatui.service.invocation import InvocationRequest, Invocations
from lambdatui.service.layers import Layers
from lambdatui.service.log_groups import LogGroups
from lambdatui.service.permissions import Permissions
from lambdatui.service.pool import Pool, Surroundings
from lambdatui.service.roles import Roles, Session
from lambdatui.service.scheduler import Scheduler

ACCOUNT_ID = "000000000000"


@dataclass(frozen=True)
class Settings:
    """Of a laboratory. `log_dialect` is 'current' or 'classic'; `idle_timeout` the seconds after which an idle
    environment is reclaimed, which the real service does not document. The waits and ages of asynchronous invocation
    pass `time_scale` times faster than in the real service. Without `cpu_limit` every function has as much CPU as there
    is, whatever its memory."""

    region: str = "us-east-1"
    log_dialect: str = "current"
    concurrent_executions: int = 1000
    idle_timeout: float = 300.0
    time_scale: float = 1.0
    cpu_limit: bool = True


async def open_service(settings: Settings, journal: Journal, queue: Path | None = None) -> Service:
    """A laboratory without functions. Whoever opens it closes it.

    `queue` is the file in which events of asynchronous invocations survive the laboratory's sudden death; without it
    they do not.
    """
    _raise_limit_on_open_files()
    guardian = Guardian.start()
    try:
        machine = await Machine.open({**os.environ, **guardian.mark()})
        return Service(settings, journal, guardian, machine, EventQueue(queue))
    except BaseException:
        guardian.close()
        raise


class Service:
    """The face of the laboratory; states in `journal` all that happens."""

    name = "local"

    def __init__(
        self, settings: Settings, journal: Journal, guardian: Guardian, machine: Machine, queue: EventQueue
    ) -> None:
        self.journal = journal
        self.folder = guardian.folder
        """The laboratory's own, which is gone when it is; only its user can look into it."""
        self.endpoint: str | None = None
        """Where functions find the APIs of AWS that the laboratory has; None: nowhere."""
        self.region = settings.region
        self._settings = settings
        self._guardian = guardian
        self._machine = machine
        arn = f"arn:aws:lambda:{settings.region}:{ACCOUNT_ID}:function:"
        self._roles = Roles(f"arn:aws:iam::{ACCOUNT_ID}:role/", journal)
        self.log_groups = LogGroups(f"arn:aws:logs:{settings.region}:{ACCOUNT_ID}:log-group:", journal)
        self._copies = Copies(self.folder / "code")
        self.layers = Layers(arn.replace(":function:", ":layer:"), self._copies, journal)
        self._deployments = Deployments(self._copies, self.layers, arn, journal, self._function_changed)
        self.urls = FunctionUrls(self._deployments, journal)
        self._scheduler = Scheduler(settings.concurrent_executions)
        surroundings = Surroundings(
            settings.region,
            self.log_groups,
            settings.log_dialect,
            settings.idle_timeout,
            self.folder / "tmp",
            guardian,
            machine,
            settings.cpu_limit,
            self._roles,
            lambda: self.endpoint,
        )
        callers = Callers()
        self._pool = Pool(surroundings, self._scheduler, journal, callers, self._forget_old_code)
        self.aliases = Aliases(self._deployments, self._pool, self.urls, journal)
        self.concurrency = Concurrency(settings.concurrent_executions, self._deployments, self._pool)
        self.event_invoke_configs = EventInvokeConfigs(self._deployments, journal)
        self.permissions = Permissions(self._deployments, journal)
        self._queue = queue
        self._invocations = Invocations(
            self._deployments,
            self._pool.invoke,
            callers,
            queue,
            self._roles,
            self.permissions,
            journal,
            settings.time_scale,
        )
        journal.append(
            ev.LaboratoryOpened(
                os.getpid(),
                machine.sandbox.name,
                settings.region,
                ACCOUNT_ID,
                settings.log_dialect,
                settings.concurrent_executions,
                settings.idle_timeout,
                settings.time_scale,
                tuple(each.brief for each in measures(machine, cpu_limit=settings.cpu_limit)[1:]),
            )
        )

    def arn_of(self, function: str) -> str:
        """Whether or not there is such a function."""
        return f"{self._deployments.arn}{function}"

    # functions

    @property
    def functions(self) -> list[Revision]:
        """What $LATEST of each is."""
        return [self._deployments.latest(name) for name in self._deployments]

    def versions(self, function: str) -> list[Revision]:
        """$LATEST and what was published, in order. Raises ResourceNotFound, as the next does."""
        return self._deployments.versions(function)

    def revision(self, function: str, qualifier: str | None) -> Revision:
        """What a version or an alias is, or $LATEST. Of two versions that an alias shares out the main one."""
        return self._deployments.resolve(function, qualifier)

    def role_arn(self, configuration: Configuration) -> str:
        return self._roles.of(configuration).arn

    async def create(
        self, name: str, configuration: Configuration, code: Code | bytes, tags: Mapping[str, str] | None = None
    ) -> None:
        """`code` can be a package. Raises ServiceRefusal where the service would refuse it, or its runtime is not to be
        had here."""
        self._roles.of(configuration).check_trust()
        self.concurrency.check_reserve(name, configuration.reserved_concurrent_executions)
        await self._deployments.create(name, configuration, code, tags)

    async def update(self, function: str, changes: Mapping[str, Json]) -> None:
        """Change the configuration. A refusal is stated in the journal, and nothing has changed."""
        with self._stating_refusals(function, changes):
            await self.configure(function, changes)

    async def configure(self, function: str, changes: Mapping[str, Json], revision_id: str | None = None) -> Revision:
        """Change the configuration, with a `revision_id` only if it is still that. Raises ServiceRefusal."""
        reserved = changes.get("reserved_concurrent_executions")
        if isinstance(reserved, int):
            self.concurrency.check_reserve(function, reserved)
        if isinstance(role := changes.get("role"), str):
            self._roles.get(role).check_trust()
        return await self._deployments.update(function, changes, revision_id)

    def upload(
        self,
        function: str,
        archive: bytes,
        architectures: tuple[str, ...] | None = None,
        revision_id: str | None = None,
        *,
        dry_run: bool = False,
    ) -> Revision:
        """Replace the code by a package, from now on: a folder that it came from before is watched no more, and edits
        are forgotten. A `dry_run` only says what would be. Raises ServiceRefusal."""
        return self._deployments.upload(function, archive, architectures, revision_id, dry_run=dry_run)

    async def delete(self, function: str, version: str | None = None) -> None:
        """The function with all that belongs to it, or one version; what is in flight is finished. Raises
        ServiceRefusal."""
        if self._deployments.delete(function, version):
            self._pool.remove(function, version)
            if version is None:
                await self.urls.drop(function)
            self._forget_old_code()

    def tags(self, function: str) -> Mapping[str, str]:
        """Raises ServiceRefusal, as the next do."""
        return self._deployments.tags(function)

    def tag(self, function: str, tags: Mapping[str, str]) -> None:
        self._deployments.tag(function, tags)

    def untag(self, function: str, keys: Collection[str]) -> None:
        self._deployments.untag(function, keys)

    async def create_function_url(self, function: str, configuration: UrlConfiguration) -> None:
        """An address for what the function is now; `urls` has all that can be done with it."""
        await self.urls.create(function, None, configuration)

    async def create_role(self, name: str, trust: Document, policies: Mapping[str, Document]) -> None:
        """A role that functions can name."""
        self._roles.put(name, trust, policies)

    async def attach_role_policy(self, role: str, policy: str) -> None:
        """Attach a policy that AWS manages, by its name. Raises ResourceNotFound, as the next does."""
        self._roles.attach(role, policy)

    async def detach_role_policy(self, role: str, policy: str) -> None:
        self._roles.detach(role, policy)

    def session(self, access_key_id: str) -> Session | None:
        """The function that has been given these credentials."""
        return self._roles.session(access_key_id)

    async def edit(self, function: str, file: str, text: str) -> None:
        """Change a file of the function's code here, while the file where it came from stays as it is."""
        self._deployments.edit(function, file, text)

    async def publish(self, function: str) -> None:
        """Make a version of what the function is now. A refusal is stated in the journal, here and below."""
        with self._stating_refusals(function, {"publish": True}):
            self.publish_version(function)

    def publish_version(
        self,
        function: str,
        description: str | None = None,
        code_sha256: str | None = None,
        revision_id: str | None = None,
    ) -> Revision:
        """What $LATEST is now, by a number; that of the last version if nothing changed since. With a digest (base64)
        or a revision id, only if $LATEST is still that. Raises ServiceRefusal."""
        return self._deployments.publish(function, description, code_sha256, revision_id)

    async def point_alias(self, function: str, alias: str, version: str, weights: Mapping[str, float]) -> None:
        """Let an alias lead to a version, and to another for its share of the invocations."""
        with self._stating_refusals(function, {"alias": alias, "version": version}):
            self.aliases.point(function, alias, version, weights)

    async def provision(self, function: str, qualifier: str, count: int) -> None:
        """Have environments of a published version initialised ahead of its invocations; 0 ends that."""
        with self._stating_refusals(function, {"qualifier": qualifier, "provisioned_concurrent_executions": count}):
            self.concurrency.provision(function, qualifier, count)

    @contextlib.contextmanager
    def _stating_refusals(self, function: str, changes: Mapping[str, Json]) -> Iterator[None]:
        try:
            yield
        except ServiceRefusal as refusal:
            self.journal.append(ev.FunctionUpdateRejected(function, dict(changes), str(refusal)))

    def _function_changed(self, revision: Revision, because: str) -> None:
        if revision.version == LATEST:
            self._scheduler.reserve(revision.function, revision.configuration.reserved_concurrent_executions)
        self._pool.configure(revision, because)
        self._forget_old_code()

    def _forget_old_code(self) -> None:
        self._copies.keep_only(self._deployments.folders | self._pool.folders | self.layers.files)

    # invocation

    async def invoke(
        self,
        function: str,
        payload: str,
        *,
        qualifier: str | None = None,
        invocation_type: str = "RequestResponse",
        step: int | None = None,
    ) -> str:
        """The request id, once the caller is answered; the answer is in the journal. Raises ServiceRefusal for what
        is no function, version or alias, or no payload. Of an asynchronous invocation ('Event') the answer is that it
        was accepted."""
        request = InvocationRequest(function, payload, qualifier, invocation_type, step)
        caller = self._invocations.begin(request)
        await caller.until_answered()
        return caller.request_id

    def begin(self, request: InvocationRequest) -> Caller:
        """An invocation whose answer is still to come, unless it is throttled, or not synchronous. Raises
        ServiceRefusal."""
        return self._invocations.begin(request)

    async def begin_in_turn(self, request: InvocationRequest) -> Caller:
        """The same for whoever has just had an answer, and may be faster than the environment that gave it."""
        return await self._invocations.begin_in_turn(request)

    def recover(self) -> None:
        """Go on with the events that a laboratory before this one had in the queue when it came to a sudden end. The
        functions should be there."""
        self._invocations.asynchronous.recover()

    # a look inside

    def inspect(self, environment: str, *, reveal: bool = False) -> dict[str, Json]:
        """The processes, the variables and the files of an environment that there is; values of variables that look
        secret are left out unless `reveal`. Raises NoSuchEnvironment, as the next does."""
        return self._pool.inspect(environment, reveal=reveal)

    def preview(self, environment: str, file: str) -> dict[str, Json]:
        """The beginning of a file in its /tmp, as :class:`lambdatui.sandbox.inspection.Preview`. Raises OSError."""
        return self._pool.preview(environment, file)

    # the end

    async def settled(self) -> None:
        """Wait until no invocation is in flight and no environment is on its way to its end. An asynchronous
        invocation is in flight until its event has come to its end, whatever it waits for meanwhile."""
        await self._invocations.asynchronous.settled()
        await self._pool.settled()

    async def reclaim(self, function: str | None = None) -> None:
        """End the idle environments, of one function or of all, as the service does when it sees fit."""
        for name in [function] if function else list(self._deployments):
            await self._pool.reclaim(name)

    async def clear(self) -> None:
        """Remove all functions and environments; callers in flight get LaboratoryCleared."""
        functions = list(self._deployments)
        await self.urls.clear()
        await self._invocations.clear()
        await self._deployments.clear()
        await self._pool.end("the laboratory was cleared")
        self.layers.clear()
        self._roles.clear()  # not before: what a function prints as it dies asks for its role
        self.log_groups.clear()
        for name in functions:
            self._scheduler.remove(name)

    async def close(self) -> None:
        """End everything. Nothing is left, no process and no file."""
        try:
            await self.clear()
            self._queue.close()
        finally:
            await self._machine.close()
            self._guardian.close()


def _raise_limit_on_open_files() -> None:
    """An environment takes ten descriptors or so; a hundred of them are more than the usual soft limit allows."""
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    with contextlib.suppress(ValueError, OSError):
        resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
