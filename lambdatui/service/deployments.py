"""What is deployed: the functions, their code and configuration, and what a change of either makes of them."""

from __future__ import annotations

import asyncio
import base64
import contextlib
import time
import uuid
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path

from lambdatui import events as ev
from lambdatui.events import Json
from lambdatui.function import EVENT_INVOKE, NOT_OF_ENVIRONMENTS, Code, Configuration
from lambdatui.journal import Journal
from lambdatui.package import MAX_UNZIPPED_BYTES
from lambdatui.refusal import (
    InvalidParameter,
    PreconditionFailed,
    ResourceConflict,
    ResourceNotFound,
    RuntimeMissing,
)
from lambdatui.runtimes.find import find
from lambdatui.runtimes.runtime import Runtime, RuntimeNotInstalled
from lambdatui.service.code_text import code_text
from lambdatui.service.copies import Copies, Copy
from lambdatui.service.layers import Layers
from lambdatui.service.qualified import Alias, EventInvokeConfig, ResourcePolicy
from lambdatui.service.watch import saves

LATEST = "$LATEST"
MAX_TAGS = 50


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
    code_size: int
    """Bytes of the package; of the files, where there is none."""
    package: Path | None
    """What was uploaded."""
    revision_id: str
    modified: float

    @property
    def folders(self) -> tuple[Path, ...]:
        """The copies that it needs."""
        return tuple(each for each in (self.folder, self.layers, self.package) if each)


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
    published: int = 0
    """How many versions there have been, deleted ones too."""
    tags: dict[str, str] = field(default_factory=dict)
    changing: bool = False
    """An update is under way."""

    @property
    def files(self) -> Iterator[Path]:
        """Copies that it needs for further environments."""
        for revision in (self.latest, *self.versions.values()):
            yield from revision.folders
        if self.code.uploaded and self.code.path:
            yield self.code.path


class Deployments:
    """All functions. `changed` is told of each new revision and, in a few words, why there is one."""

    def __init__(
        self, copies: Copies, layers: Layers, arn: str, journal: Journal, changed: Callable[[Revision, str], None]
    ) -> None:
        self._copies = copies
        self._layers = layers
        self.arn = arn
        """What the functions' ARNs begin with."""
        self._journal = journal
        self._changed = changed
        self._functions: dict[str, _Function] = {}
        self._being_created: set[str] = set()
        self._watching: asyncio.Task[None] | None = None

    def __iter__(self) -> Iterator[str]:
        return iter(self._functions)

    def __contains__(self, function: object) -> bool:
        return function in self._functions

    def latest(self, function: str) -> Revision:
        """What its invocations run on now. Raises ResourceNotFound."""
        return self._known(function).latest

    async def create(
        self, name: str, configuration: Configuration, code: Code | bytes, tags: Mapping[str, str] | None = None
    ) -> None:
        """Raises ServiceRefusal where the service would refuse it, or its runtime is not to be had here."""
        if name in self._functions or name in self._being_created:
            raise ResourceConflict(f"Function already exist: {name}")
        self.check_destinations(name, (configuration.on_success, configuration.on_failure))
        self._layers.check(configuration.layers)
        self._being_created.add(name)
        try:
            runtime = await _find_runtime(configuration)
        finally:
            self._being_created.discard(name)
        code = self._copies.keep(code) if isinstance(code, bytes) else code
        copy, layers = self._copies.make([code]), self._copy_layers(configuration)
        _check_size(copy, layers)
        arn = f"{self.arn}{name}"
        revision = Revision(
            name,
            arn,
            LATEST,
            1,
            configuration,
            runtime,
            copy.folder,
            copy.digest,
            layers.folder if layers else None,
            copy.size,
            code.path if code.uploaded else None,
            str(uuid.uuid4()),
            time.time(),
        )
        self._functions[name] = _Function(code, revision)
        self._treat_events(name, configuration)
        self._changed(revision, "created")
        files = code_text(copy.folder, configuration.handler)
        self._journal.append(
            ev.FunctionCreated(name, arn, 1, configuration.to_json(), copy.digest, code.location, files)
        )
        if tags:
            self.tag(name, tags)
        self._watch()

    async def update(self, function: str, changes: Mapping[str, Json], revision_id: str | None = None) -> Revision:
        """Change the configuration; with a `revision_id`, only if it is still that one. Raises ServiceRefusal, and then
        nothing has changed."""
        with self._changing(function, revision_id) as known:
            before = known.latest
            configuration, runtime = before.configuration.updated(changes), before.runtime
            self.check_destinations(function, (configuration.on_success, configuration.on_failure))
            self._layers.check(configuration.layers, before.configuration.layers)
            if {"runtime", "python"} & changes.keys():
                runtime = await _find_runtime(configuration)
            layers = self._copy_layers(configuration)
            before = self.latest(function)  # its code may have been saved while the runtime was looked for
            folder = layers.folder if layers else None
            after = replace(before, configuration=configuration, runtime=runtime, layers=folder)
            after = self._changed_to(before, after, "configuration", tuple(changes))
            if EVENT_INVOKE & changes.keys():
                self._treat_events(function, configuration)
            return after

    def upload(
        self,
        function: str,
        archive: bytes,
        architectures: tuple[str, ...] | None = None,
        revision_id: str | None = None,
        *,
        dry_run: bool = False,
    ) -> Revision:
        """Replace the code by this package, from now on: nobody looks at the folder that it came from before, and edits
        are forgotten. A `dry_run` only says what would be. Raises ServiceRefusal."""
        with self._changing(function, revision_id) as known:
            before, code = known.latest, self._copies.keep(archive)
            copy = self._copies.make([code])
            _check_size(copy, self._copy_layers(before.configuration))
            changes: dict[str, Json] = {"architectures": [*architectures]} if architectures else {}
            after = replace(
                before,
                configuration=before.configuration.updated(changes),
                folder=copy.folder,
                code_sha256=copy.digest,
                code_size=copy.size,
                package=code.path,
            )
            if dry_run:
                return after
            known.code, known.overlay = code, {}
            self._watch()
            return self._changed_to(before, after, "upload", ())

    def delete(self, function: str, version: str | None = None) -> bool:
        """The function, or one version of it; False where there is none of that number. Raises ServiceRefusal."""
        known = self._functions.get(function)
        if known is None:
            raise ResourceNotFound(f"Function not found: {self.arn}{function}")
        if version == LATEST:
            raise InvalidParameter("$LATEST version cannot be deleted without deleting the function.")
        if version is None:
            del self._functions[function]
            self._watch()
        else:
            if version in known.aliases or not version.isdecimal():
                raise InvalidParameter("Deletion of aliases is not currently supported.")
            names = [name for name, alias in known.aliases.items() if version in (alias.version, *alias.weights)]
            if names:
                raise ResourceConflict(
                    f"Unable to delete version because the following aliases reference it: [{', '.join(names)}]"
                )
            if known.versions.pop(version, None) is None:
                return False
            self.forget_qualifier(function, version)
        self._journal.append(ev.FunctionDeleted(function, version))
        return True

    # tags

    def tags(self, function: str) -> Mapping[str, str]:
        """Raises ResourceNotFound, as the next do."""
        return self._known(function).tags

    def tag(self, function: str, tags: Mapping[str, str]) -> None:
        """Add these, or change their values. Raises InvalidParameter where they are too many."""
        known = self._known(function)
        together = {**known.tags, **tags}
        if len(together) > MAX_TAGS:
            raise InvalidParameter("Number of tags exceeds resource tag limit.")
        known.tags = together
        self._journal.append(ev.FunctionTagged(function, dict(together)))

    def untag(self, function: str, keys: Collection[str]) -> None:
        known = self._known(function)
        known.tags = {key: value for key, value in known.tags.items() if key not in keys}
        self._journal.append(ev.FunctionTagged(function, dict(known.tags)))

    # files

    def edit(self, function: str, file: str, text: str) -> None:
        """Change a file of the function's code here, while the file where it came from stays as it is."""
        self._redeploy(function, {**self._known(function).overlay, file: text}, "edit", (file,))

    # what goes by a qualifier

    def publish(
        self,
        function: str,
        description: str | None = None,
        code_sha256: str | None = None,
        revision_id: str | None = None,
    ) -> Revision:
        """What $LATEST is now, by a number; that of the last version if nothing changed since. With a digest (base64)
        or a revision id, only if $LATEST is still that. Raises ServiceRefusal."""
        with self._changing(function, revision_id) as known:
            latest = known.latest
            current = base64_digest(latest.code_sha256)
            if code_sha256 not in (None, current):
                raise InvalidParameter(
                    f"CodeSHA256 ({code_sha256}) is different from current CodeSHA256 in $LATEST ({current}). "
                    "Please try again with the CodeSHA256 in $LATEST."
                )
            last = next(reversed(known.versions.values()), None)
            if last and _same(last, latest):
                return last
            known.published += 1
            configuration = latest.configuration
            if description is not None:
                configuration = replace(configuration, description=description)
            revision = replace(
                latest, version=str(known.published), configuration=configuration, revision_id=str(uuid.uuid4())
            )
            known.versions[revision.version] = revision
            self._changed(revision, "published")
            self._journal.append(
                ev.VersionPublished(function, revision.version, revision.configuration.to_json(), revision.code_sha256)
            )
            return revision

    def versions(self, function: str) -> list[Revision]:
        """$LATEST and all that were published. Raises ResourceNotFound."""
        known = self._known(function)
        return [known.latest, *known.versions.values()]

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
        return {file for known in self._functions.values() for file in known.files}

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
        copy = self._copies.make([known.code], overlay)
        known.overlay = overlay
        if copy.digest != known.latest.code_sha256:
            after = replace(
                known.latest, folder=copy.folder, code_sha256=copy.digest, code_size=copy.size, package=None
            )
            self._changed_to(known.latest, after, because, changed)

    def _changed_to(self, before: Revision, after: Revision, because: str, changed: tuple[str, ...]) -> Revision:
        after = replace(after, revision_id=str(uuid.uuid4()), modified=time.time())
        if because != "configuration" or not NOT_OF_ENVIRONMENTS.issuperset(changed):
            after = replace(after, generation=before.generation + 1)
        self._functions[after.function].latest = after
        same = after.code_sha256 == before.code_sha256
        self._journal.append(
            ev.FunctionUpdated(
                after.function,
                after.generation,
                because,
                changed,
                after.configuration.to_json(),
                after.code_sha256,
                before.code_sha256,
                {} if same else code_text(after.folder, after.configuration.handler),
            )
        )
        self._changed(after, f"the {'configuration' if because == 'configuration' else 'code'} changed")
        return after

    @contextlib.contextmanager
    def _changing(self, function: str, revision_id: str | None) -> Iterator[_Function]:
        """One change at a time. Raises ResourceConflict, and PreconditionFailed where it is not what it was."""
        known = self._known(function)
        if known.changing:
            raise ResourceConflict(
                "The operation cannot be performed at this time. "
                f"An update is in progress for resource: {known.latest.arn}"
            )
        if revision_id is not None and revision_id != known.latest.revision_id:
            raise PreconditionFailed(
                "The Revision Id provided does not match the latest Revision Id. "
                "Call the GetFunction/GetAlias API to retrieve the latest Revision Id"
            )
        known.changing = True
        try:
            yield known
        finally:
            known.changing = False

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

    def _copy_layers(self, configuration: Configuration) -> Copy | None:
        layers = [self._layers.code(layer) for layer in configuration.layers]
        return self._copies.make(layers) if layers else None

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
    beside = {key: getattr(other.configuration, key) for key in (*NOT_OF_ENVIRONMENTS, "description")}
    return (replace(one.configuration, **beside), one.code_sha256) == (other.configuration, other.code_sha256)


def base64_digest(code_sha256: str) -> str:
    """A digest as the API has it."""
    return base64.b64encode(bytes.fromhex(code_sha256)).decode()


def _check_size(code: Copy, layers: Copy | None) -> None:
    size = code.unzipped + (layers.unzipped if layers else 0)
    if size > MAX_UNZIPPED_BYTES:
        raise InvalidParameter(
            f"Function code combined with layers exceeds the maximum allowed size of {MAX_UNZIPPED_BYTES} bytes. "
            f"The actual size is {size} bytes."
        )


async def _find_runtime(configuration: Configuration) -> Runtime:
    try:
        return await find(configuration)
    except RuntimeNotInstalled as error:
        raise RuntimeMissing(str(error)) from None
