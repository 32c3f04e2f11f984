"""What is deployed: the functions, their code and configuration, and what a change of either makes of them."""

from __future__ import annotations

import asyncio
import contextlib
import shutil
import uuid
from collections.abc import Callable, Collection, Iterator, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path

from lambdatui import events as ev
from lambdatui.events import Json
from lambdatui.function import Code, Configuration, InvalidParameter
from lambdatui.journal import Journal
from lambdatui.runtimes import python
from lambdatui.runtimes.python import Interpreter, RuntimeNotInstalled
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
    interpreter: Interpreter
    folder: Path
    """A copy of the code that nothing ever writes to again."""
    code_sha256: str


@dataclass
class _Function:
    code: Code
    latest: Revision
    overlay: dict[str, str] = field(default_factory=dict)
    """Files that were edited for an experiment, laid over the code: name to text."""


class Deployments:
    """All functions. `changed` is told of each new revision and, in a few words, why there is one."""

    def __init__(self, folder: Path, arn: str, journal: Journal, changed: Callable[[Revision, str], None]) -> None:
        """`folder` is where copies of code go; `arn` what the functions' ARNs begin with."""
        self._folder = folder
        self._arn = arn
        self._journal = journal
        self._changed = changed
        self._functions: dict[str, _Function] = {}
        self._watching: asyncio.Task[None] | None = None

    def __iter__(self) -> Iterator[str]:
        return iter(self._functions)

    def __contains__(self, function: object) -> bool:
        return function in self._functions

    def latest(self, function: str) -> Revision:
        """What its invocations run on now."""
        return self._functions[function].latest

    async def create(self, name: str, configuration: Configuration, code: Code) -> None:
        """Raises InvalidParameter where the service would refuse it, or its runtime is not to be had here."""
        interpreter = await _find_interpreter(configuration)
        folder, digest = self._deploy(code, {})
        arn = f"{self._arn}{name}"
        revision = Revision(name, arn, LATEST, 1, configuration, interpreter, folder, digest)
        self._functions[name] = _Function(code, revision)
        self._changed(revision, "created")
        self._journal.append(ev.FunctionCreated(name, arn, 1, configuration.to_json(), digest, code.location))
        self._watch()

    async def update(self, function: str, changes: Mapping[str, Json]) -> None:
        """Change the configuration. A refusal is stated in the journal, and nothing has changed."""
        before = self.latest(function)
        try:
            configuration = before.configuration.updated(changes)
            interpreter = before.interpreter
            if {"runtime", "python"} & changes.keys():
                interpreter = await _find_interpreter(configuration)
        except InvalidParameter as error:
            self._journal.append(ev.FunctionUpdateRejected(function, dict(changes), str(error)))
            return
        before = self.latest(function)  # its code may have been saved while the interpreter was looked for
        after = replace(before, configuration=configuration, interpreter=interpreter)
        self._new_generation(before, after, "configuration", tuple(changes))

    async def edit(self, function: str, file: str, text: str) -> None:
        """Change a file of the function's code here, while the file where it came from stays as it is."""
        self._functions[function].overlay[file] = text
        self._redeploy(function, "edit", (file,))

    def remove_unused(self, folder: Path, in_use: Collection[Path]) -> None:
        """Remove this copy of some code, unless a function or one of the environments (`in_use`) needs it."""
        if folder not in in_use and all(each.latest.folder != folder for each in self._functions.values()):
            shutil.rmtree(folder, ignore_errors=True)

    async def clear(self) -> None:
        """Forget all functions. Copies of code stay for those who use them."""
        self._functions.clear()
        if self._watching:
            self._watching.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await self._watching
            self._watching = None

    def _redeploy(self, function: str, because: str, changed: tuple[str, ...]) -> None:
        known = self._functions[function]
        folder, digest = self._deploy(known.code, known.overlay)
        if digest != known.latest.code_sha256:
            after = replace(known.latest, folder=folder, code_sha256=digest)
            self._new_generation(known.latest, after, because, changed)

    def _new_generation(self, before: Revision, after: Revision, because: str, changed: tuple[str, ...]) -> None:
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

    def _deploy(self, code: Code, overlay: Mapping[str, str]) -> tuple[Path, str]:
        """Copy the code; each digest has a folder of its own that never changes again."""
        fresh = self._folder / f"new-{uuid.uuid4().hex}"
        fresh.mkdir(parents=True)
        try:
            digest = code.deploy(fresh, overlay)
            folder = self._folder / digest
            if not folder.exists():
                fresh.rename(folder)
        except OSError as error:
            raise InvalidParameter(f"{error.filename or code.location}: {error.strerror}") from None
        finally:
            shutil.rmtree(fresh, ignore_errors=True)
        return folder, digest

    # hot reload

    def _watch(self) -> None:
        if self._watching:
            self._watching.cancel()
        folders = {folder.resolve() for each in self._functions.values() if (folder := each.code.folder)}
        self._watching = asyncio.create_task(self._reload(folders)) if folders else None

    async def _reload(self, folders: set[Path]) -> None:
        async for files in saves(folders):
            for name, known in self._functions.items():
                if folder := known.code.folder:
                    inside = (file for file in files if file.is_relative_to(folder.resolve()))
                    if names := sorted(file.relative_to(folder.resolve()).as_posix() for file in inside):
                        self._saved(name, tuple(names))

    def _saved(self, function: str, files: tuple[str, ...]) -> None:
        for file in files:  # what the user writes counts more than what the experiment wrote
            self._functions[function].overlay.pop(file, None)
        try:
            self._redeploy(function, "save", files)
        except InvalidParameter as error:
            self._journal.append(ev.Noticed("warning", f"{function} keeps its code: {error}"))


async def _find_interpreter(configuration: Configuration) -> Interpreter:
    try:
        return await python.find(configuration.runtime, configuration.python)
    except RuntimeNotInstalled as error:
        raise InvalidParameter(str(error)) from None
