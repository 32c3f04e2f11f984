"""What is deployed: the functions, their code and configuration, and what a change of either makes of them."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path

from lambdatui import events as ev
from lambdatui.events import Json
from lambdatui.function import EVENT_INVOKE, NOT_OF_ENVIRONMENTS, Code, Configuration
from lambdatui.journal import Journal
from lambdatui.refusal import InvalidParameter, ResourceNotFound
from lambdatui.runtimes.find import find
from lambdatui.runtimes.runtime import Runtime, RuntimeNotInstalled
from lambdatui.service.copies import Copies
from lambdatui.service.qualified import Alias, EventInvokeConfig, ResourcePolicy
from lambdatui.service.watch import saves

LATEST = "$LATEST"


@dataclass(frozen=True)
class Revision:
    """What an environment is made of. It never changes: a change of the function makes another one."""

    function: str
    arn: str
    version: str
    generation: int
    configuration: Configuration
    runtime: Runtime
    folder: Path
    """A copy of the code that nothing ever writes to again."""
    code_sha256: str
    layers: Path | None
    """The same of all its layers, one laid over the other."""

    @property
    def folders(self) -> tuple[Path, ...]:
        """The copies that it needs."""
        return (self.folder, self.layers) if self.layers else (self.folder,)


@dataclass
class _Function:
    code: Code
    latest: Revision
    versions: dict[str, Revision] = field(default_factory=dict)
    """Published ones, by their number."""
    aliases: dict[str, Alias] = field(default_factory=dict)
    event_invokes: dict[str, EventInvokeConfig] = field(default_factory=dict)
    """By qualifier."""
    policies: dict[str | None, ResourcePolicy] = field(default_factory=dict)
    """By qualifier; None for the function's own."""
    overlay: Mapping[str, str] = field(default_factory=dict)
    """Files that were edited for an experiment, laid over the code: name to text."""


class Deployments:
    """All functions. `changed` is told of each new revision and, in a few words, why there is one."""

    def __init__(self, copies: Copies, arn: str, journal: Journal, changed: Callable[[Revision, str], None]) -> None:
        self._copies = copies
        self.arn = arn
        """What the functions' ARNs begin with."""
        self._journal = journal
        self._changed = changed
        self._functions: dict[str, _Function] = {}
        self._watching: asyncio.Task[None] | None = None

    def __iter__(self) -> Iterator[str]:
        return iter(self._functions)

    def __contains__(self, function: object) -> bool:
        return function in self._functions

    def latest(self, function: str) -> Revision:
        """What its invocations run on now. Raises ResourceNotFound."""
        return self._known(function).latest

    async def create(self, name: str, configuration: Configuration, code: Code) -> None:
        """Raises InvalidParameter where the service would refuse it, or its runtime is not to be had here."""
        self.check_destinations(name, (configuration.on_success, configuration.on_failure))
        runtime = await _find_runtime(configuration)
        folder, digest = self._copies.make([code])
        layers = self._copy_layers(configuration)
        arn = f"{self.arn}{name}"
        revision = Revision(name, arn, LATEST, 1, configuration, runtime, folder, digest, layers)
        self._functions[name] = _Function(code, revision)
        self._treat_events(name, configuration)
        self._changed(revision, "created")
        self._journal.append(ev.FunctionCreated(name, arn, 1, configuration.to_json(), digest, code.location))
        self._watch()

    async def update(self, function: str, changes: Mapping[str, Json]) -> None:
        """Change the configuration. Raises InvalidParameter, and then nothing has changed."""
        before = self.latest(function)
        configuration, runtime = before.configuration.updated(changes), before.runtime
        self.check_destinations(function, (configuration.on_success, configuration.on_failure))
        if {"runtime", "python"} & changes.keys():
            runtime = await _find_runtime(configuration)
        layers = self._copy_layers(configuration)
        before = self.latest(function)  # its code may have been saved while the runtime was looked for
        after = replace(before, configuration=configuration, runtime=runtime, layers=layers)
        self._changed_to(before, after, "configuration", tuple(changes))
        if EVENT_INVOKE & changes.keys():
            self._treat_events(function, configuration)

    def edit(self, function: str, file: str, text: str) -> None:
        """Change a file of the function's code here, while the file where it came from stays as it is."""
        self._redeploy(function, {**self._known(function).overlay, file: text}, "edit", (file,))

    # what goes by a qualifier

    def publish(self, function: str) -> Revision:
        """What $LATEST is now, by a number; that of the last version if nothing changed since."""
        known = self._known(function)
        last = next(reversed(known.versions.values()), None)
        if last and _same(last, known.latest):
            return last
        revision = replace(known.latest, version=str(len(known.versions) + 1))
        known.versions[revision.version] = revision
        self._changed(revision, "published")
        self._journal.append(
            ev.VersionPublished(function, revision.version, revision.configuration.to_json(), revision.code_sha256)
        )
        return revision

    def resolve(self, function: str, qualifier: str | None, draw: float = 1.0) -> Revision:
        """What a version, an alias, or none of them, means now; `draw` as for Alias.choose. Raises ResourceNotFound."""
        known = self._known(function)
        if qualifier is None or qualifier == LATEST:
            return known.latest
        alias = known.aliases.get(qualifier)
        version = alias.choose(draw) if alias else qualifier
        if version == LATEST:
            return known.latest
        if version not in known.versions:
            raise ResourceNotFound(f"Function not found: {known.latest.arn}:{qualifier}")
        return known.versions[version]

    def versions(self, function: str) -> Mapping[str, Revision]:
        """Published ones, by their number."""
        return self._known(function).versions

    def aliases(self, function: str) -> dict[str, Alias]:
        """By name. Whoever changes them, or one of the next two, keeps to the service's rules and states it."""
        return self._known(function).aliases

    def event_invokes(self, function: str) -> dict[str, EventInvokeConfig]:
        """By qualifier."""
        return self._known(function).event_invokes

    def policies(self, function: str) -> dict[str | None, ResourcePolicy]:
        """By qualifier, None for the function's own."""
        return self._known(function).policies

    def event_invoke(self, function: str, qualifier: str | None) -> EventInvokeConfig:
        """What holds for events that come by this qualifier."""
        return self._known(function).event_invokes.get(qualifier or LATEST, EventInvokeConfig())

    def has_qualifier(self, function: str, qualifier: str) -> bool:
        known = self._known(function)
        return qualifier == LATEST or qualifier in known.versions or qualifier in known.aliases

    def forget_qualifier(self, function: str, qualifier: str) -> None:
        """With all that is kept by it."""
        known = self._known(function)
        known.aliases.pop(qualifier, None)
        known.event_invokes.pop(qualifier, None)
        known.policies.pop(qualifier, None)

    @property
    def folders(self) -> set[Path]:
        """The copies of code and layers that are needed for further environments."""
        return {
            folder
            for known in self._functions.values()
            for revision in (known.latest, *known.versions.values())
            for folder in revision.folders
        }

    async def clear(self) -> None:
        """Forget all functions. Copies of code stay for those who use them."""
        self._functions.clear()
        if watching := self._watching:
            self._watching = None
            watching.cancel()
            await asyncio.gather(watching, return_exceptions=True)

    def _known(self, function: str) -> _Function:
        if function not in self._functions:
            raise ResourceNotFound(f"Function not found: {self.arn}{function}:{LATEST}")
        return self._functions[function]

    def _redeploy(self, function: str, overlay: Mapping[str, str], because: str, changed: tuple[str, ...]) -> None:
        known = self._known(function)
        folder, digest = self._copies.make([known.code], overlay)
        known.overlay = overlay
        if digest != known.latest.code_sha256:
            after = replace(known.latest, folder=folder, code_sha256=digest)
            self._changed_to(known.latest, after, because, changed)

    def _changed_to(self, before: Revision, after: Revision, because: str, changed: tuple[str, ...]) -> None:
        if because != "configuration" or not NOT_OF_ENVIRONMENTS.issuperset(changed):
            after = replace(after, generation=before.generation + 1)
        self._functions[after.function].latest = after
        self._journal.append(
            ev.FunctionUpdated(
                after.function,
                after.generation,
                because,
                changed,
                after.configuration.to_json(),
                after.code_sha256,
                before.code_sha256,
            )
        )
        self._changed(after, f"the {'configuration' if because == 'configuration' else 'code'} changed")

    def _treat_events(self, function: str, configuration: Configuration) -> None:
        event_invokes, config = self.event_invokes(function), EventInvokeConfig.of(configuration, time.time())
        event_invokes.pop(LATEST, None)
        if config:
            event_invokes[LATEST] = config

    def check_destinations(self, function: str, destinations: Iterable[str | None]) -> None:
        """Whether a function can have them; raises InvalidParameter."""
        for destination in destinations:
            for start in (self.arn, "function:"):
                if destination and destination.removeprefix(start).partition(":")[0] == function:
                    raise InvalidParameter("You can't specify the function as a destination for itself.")

    def _copy_layers(self, configuration: Configuration) -> Path | None:
        layers = [Code(Path(layer)) for layer in configuration.layers]
        return self._copies.make(layers)[0] if layers else None

    # hot reload

    def _watch(self) -> None:
        if self._watching:
            self._watching.cancel()
        folders = {folder.resolve() for each in self._functions.values() if (folder := each.code.folder)}
        self._watching = asyncio.create_task(self._reload(folders)) if folders else None

    async def _reload(self, folders: set[Path]) -> None:
        try:
            await self._reload_saved(folders)
        except Exception as error:  # no more watches to be had, or a file name that is no text: nothing else suffers
            self._journal.append(ev.Noticed("warning", f"hot reload is off until the next restart: {error}"))

    async def _reload_saved(self, folders: set[Path]) -> None:
        async for files in saves(folders):
            for name, known in self._functions.items():
                if folder := known.code.folder:
                    inside = (file for file in files if file.is_relative_to(folder.resolve()))
                    if names := sorted(file.relative_to(folder.resolve()).as_posix() for file in inside):
                        self._saved(name, tuple(names))

    def _saved(self, function: str, files: tuple[str, ...]) -> None:
        # What the user writes counts more than what the experiment wrote.
        overlay = {file: text for file, text in self._functions[function].overlay.items() if file not in files}
        try:
            self._redeploy(function, overlay, "save", files)
        except InvalidParameter as error:
            self._journal.append(ev.Noticed("warning", f"{function} keeps its code: {error}"))


def _same(one: Revision, other: Revision) -> bool:
    """Whether a version of each would be the same: what is set beside the configuration does not count."""
    beside = {key: getattr(other.configuration, key) for key in NOT_OF_ENVIRONMENTS}
    return (replace(one.configuration, **beside), one.code_sha256) == (other.configuration, other.code_sha256)


async def _find_runtime(configuration: Configuration) -> Runtime:
    try:
        return await find(configuration)
    except RuntimeNotInstalled as error:
        raise InvalidParameter(str(error)) from None
