"""The Extensions API (version 2020-01-01): where extensions register, and are told of invocations and of the end.

Status codes, headers and bodies are those of the service's own core, as aws-lambda-runtime-interface-emulator shows it
(`internal/lambda/rapi/handler/agent*.go`); which call is allowed when stands in `extension_states`. It is served on the
port of the Runtime API.
"""

from __future__ import annotations

import json
import uuid
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Protocol

from lambdatui.events import Json
from lambdatui.service.answers import ACCEPTED, json_answer, not_allowed, problem
from lambdatui.service.crew import MAX_EXTENSIONS
from lambdatui.service.extension_states import ExtensionStates, IllegalTransitionError
from lambdatui.service.http import Later, Request, Response

_PREFIX = "/2020-01-01/extension/"
_METHODS = {"register": "POST", "event/next": "GET", "init/error": "POST", "exit/error": "POST"}
_EXTERNAL_EVENTS = ("INVOKE", "SHUTDOWN")
_INTERNAL_EVENTS = ("INVOKE",)


@dataclass(frozen=True)
class Registration:
    """What an extension that registers is told about its function."""

    function_name: str
    function_version: str
    handler: str
    account_id: str


class Listener(Protocol):
    """Hears what the extensions say, at the moment they say it and before they get an answer."""

    def extension_registered(self, name: str, external: bool, events: tuple[str, ...]) -> None: ...

    def extension_next(self, name: str) -> None:
        """It asks for the next event: its init, or its work for the event before, is over."""

    def extension_error(self, name: str, call: str, error_type: str) -> None:
        """It cannot go on, and is about to end: `call` is 'init' or 'exit', `error_type` its own word for it."""


@dataclass
class Extension:
    """One that has registered, or is expected to."""

    name: str
    external: bool
    identifier: str = field(default_factory=lambda: str(uuid.uuid4()))
    states: ExtensionStates = field(default_factory=ExtensionStates)
    waiting: Later | None = None
    last_event: Response | None = None
    """SHUTDOWN, for one that is not waiting yet."""


class ExtensionsApi:
    """The Extensions API of one environment. `begin` makes it new, for new processes."""

    def __init__(self, listener: Listener, registration: Registration) -> None:
        self._listener = listener
        self._registration = registration
        self.begin(())

    def begin(self, external: Iterable[str]) -> None:
        """Nobody has registered; programs of these names are about to start."""
        self._extensions = [Extension(name, external=True) for name in external]
        self._open = True

    def close_registration(self) -> None:
        """The runtime's init is over: whoever comes now is too late."""
        self._open = False

    def hand_out_invoke(self, names: Iterable[str], fields: dict[str, Json]) -> None:
        """Give INVOKE to these, which wait for it, unless one has said meanwhile that it will exit."""
        event = {"eventType": "INVOKE", **fields}
        for extension in self._named(names):
            if extension.states.state != "Ready":
                continue
            self._send(extension, json_answer(200, event, (("Lambda-Extension-Event-Identifier", str(uuid.uuid4())),)))

    def hand_out_shutdown(self, names: Iterable[str], reason: str, deadline_ms: int) -> None:
        """Give SHUTDOWN to these: at once, or as soon as they ask."""
        event = json_answer(200, {"eventType": "SHUTDOWN", "deadlineMs": deadline_ms, "shutdownReason": reason})
        for extension in self._named(names):
            if extension.states.state == "Ready":
                self._send(extension, event)
            else:
                extension.last_event = event

    def _send(self, extension: Extension, event: Response) -> None:
        extension.states.take("event", extension.identifier)
        later, extension.waiting = extension.waiting, None
        if later:
            later.send(event)

    def _named(self, names: Iterable[str]) -> list[Extension]:
        wanted = set(names)
        return [each for each in self._extensions if each.name in wanted]

    # calls

    def handle(self, request: Request) -> Response | Later | None:
        """The answer to a call of this API; None for other paths."""
        call = request.path.removeprefix(_PREFIX)
        if call == request.path or call not in _METHODS:
            return None
        if request.method != _METHODS[call]:
            return not_allowed(_METHODS[call])
        if call == "register":
            return self._register(request)
        extension = self.identify(request)
        if isinstance(extension, Response):
            return extension
        try:
            return self._next(extension) if call == "event/next" else self._error(extension, call[:4], request)
        except IllegalTransitionError as error:
            return problem(403, "Extension.InvalidExtensionState", str(error))

    def identify(self, request: Request) -> Extension | Response:
        """Whose call it is, or why that cannot be told."""
        identifier = request.headers.get("lambda-extension-identifier", "")
        if not identifier:
            return problem(403, "Extension.MissingExtensionIdentifier", "Missing Lambda-Extension-Identifier header")
        try:
            identifier = str(uuid.UUID(identifier))
        except ValueError:
            return problem(403, "Extension.InvalidExtensionIdentifier", "Invalid Lambda-Extension-Identifier")
        for extension in self._extensions:
            if extension.identifier == identifier:
                return extension
        return problem(403, "Extension.UnknownExtensionIdentifier", f"Unknown extension {identifier}")

    def _register(self, request: Request) -> Response:
        name = request.headers.get("lambda-extension-name", "")
        if not name:
            return problem(403, "Extension.InvalidExtensionName", "Empty extension name")
        try:
            events = _events(request.body)
        except ValueError as error:
            return problem(403, "InvalidRequestFormat", str(error))
        extension = next((each for each in self._extensions if each.name == name and each.external), None)
        allowed = _EXTERNAL_EVENTS if extension else _INTERNAL_EVENTS
        for event in events:
            if event not in allowed:
                known = event in _EXTERNAL_EVENTS
                why = "ShutdownEventNotSupportedForInternalExtension" if known else "ErrorInvalidEventType"
                return problem(403, "Extension.InvalidEventType", f"{event}: {why}")
        if extension is None:
            if refusal := self._refuse_internal(name):
                return refusal
            extension = Extension(name, external=False)
            self._extensions.append(extension)
        try:
            extension.states.take("register", name)
        except IllegalTransitionError as error:
            return problem(403, "Extension.InvalidExtensionState", str(error))
        self._listener.extension_registered(name, extension.external, events)
        return self._registered(request, extension)

    def _refuse_internal(self, name: str) -> Response | None:
        if not self._open:
            return problem(403, "Extension.RegistrationClosed", "Extension registration closed already")
        if len(self._extensions) >= MAX_EXTENSIONS:
            return problem(403, "Extension.TooManyExtensions", f"Extension limit ({MAX_EXTENSIONS}) reached")
        if any(each.name == name for each in self._extensions):
            return problem(403, "Extension.InvalidExtensionState", "Extension with this name already registered")
        return None

    def _registered(self, request: Request, extension: Extension) -> Response:
        known = self._registration
        answer: dict[str, Json] = {
            "functionName": known.function_name,
            "functionVersion": known.function_version,
            "handler": known.handler,
        }
        features = request.headers.get("lambda-extension-accept-feature", "").split(",")
        if "accountId" in (feature.strip() for feature in features):
            answer["accountId"] = known.account_id
        return json_answer(200, answer, (("Lambda-Extension-Identifier", extension.identifier),))

    def _next(self, extension: Extension) -> Response | Later:
        extension.states.take("next", extension.identifier)
        later = extension.waiting = Later()
        self._listener.extension_next(extension.name)
        if extension.last_event:
            self._send(extension, extension.last_event)
        return later

    def _error(self, extension: Extension, call: str, request: Request) -> Response:
        error_type = request.headers.get("lambda-extension-function-error-type", "")
        if not error_type:
            return problem(403, "Extension.MissingHeader", "Lambda-Extension-Function-Error-Type not found")
        before = extension.states.state
        if extension.states.take("init error" if call == "init" else "exit error", extension.identifier) != before:
            self._listener.extension_error(extension.name, call, error_type)
        return ACCEPTED


def _events(body: bytes) -> tuple[str, ...]:
    """What a registration subscribes to; raises ValueError, in whose message it says what is wrong."""
    given = json.loads(body)
    events = given.get("events") if isinstance(given, dict) else None
    if not isinstance(given, dict) or not (events is None or isinstance(events, list)):
        raise ValueError("json: cannot unmarshal the request into RegisterRequest")
    if given.get("configurationKeys"):
        raise ValueError("configurationKeys are deprecated; use environment variables instead")
    if not all(isinstance(event, str) for event in events or ()):
        raise ValueError("json: cannot unmarshal the events into core.Event")
    return tuple(dict.fromkeys(events or ()))
