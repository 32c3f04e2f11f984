"""The Extensions API: the table by itself, and every answer to the letter."""

from __future__ import annotations

import json
import uuid
from typing import get_args

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lambdatui.service.extension_states import (
    ASKED_FOR,
    TRANSITIONS,
    ExtensionStates,
    IllegalTransitionError,
    Input,
    State,
)
from lambdatui.service.extensions_api import ExtensionsApi, Registration
from lambdatui.service.http import Later, Request, Response

PREFIX = "/2020-01-01/extension/"
UNKNOWN = "00000000-0000-0000-0000-000000000000"


class Listener:
    """Writes down what it hears."""

    def __init__(self) -> None:
        self.heard: list[tuple[object, ...]] = []

    def extension_registered(self, name: str, external: bool, events: tuple[str, ...]) -> None:
        self.heard.append(("registered", name, external, events))

    def extension_next(self, name: str) -> None:
        self.heard.append(("next", name))

    def extension_error(self, name: str, call: str, error_type: str) -> None:
        self.heard.append(("error", name, call, error_type))


class Laboratory:
    """The API of an environment with one external extension, `outside`."""

    def __init__(self) -> None:
        self.listener = Listener()
        self.api = ExtensionsApi(self.listener, Registration("F", "$LATEST", "app.handler", "000000000000"))
        self.api.begin(["outside"])

    def call(self, path: str, body: bytes = b"{}", **headers: str) -> Response | Later | None:
        method = "GET" if path == "event/next" else "POST"
        fields = {f"lambda-extension-{name.replace('_', '-')}": value for name, value in headers.items()}
        return self.api.handle(Request(method, PREFIX + path, "", fields, body))

    def register(self, name: str = "outside", events: str = '["INVOKE","SHUTDOWN"]') -> str:
        answer = self.call("register", b'{"events":%b}' % events.encode(), name=name)
        assert isinstance(answer, Response) and answer.status == 200
        return dict(answer.headers)["Lambda-Extension-Identifier"]

    def next(self, identifier: str) -> Later:
        later = self.call("event/next", identifier=identifier)
        assert isinstance(later, Later)
        return later

    def refused(self, error_type: str, message: str, path: str, body: bytes = b"{}", **headers: str) -> None:
        answer = self.call(path, body, **headers)
        assert isinstance(answer, Response)
        assert answer.status == 403
        assert answer.body == f'{{"errorMessage":"{message}","errorType":"{error_type}"}}\n'.encode()


@pytest.fixture
def laboratory() -> Laboratory:
    return Laboratory()


def event_of(later: Later) -> dict[str, object]:
    response = later.attach(lambda _: None)
    assert isinstance(response, Response) and response.status == 200
    event = json.loads(response.body)
    assert isinstance(event, dict)
    return event


def test_an_external_extension_registers(laboratory: Laboratory) -> None:
    answer = laboratory.call(
        "register", b'{"events":["INVOKE"]}', name="outside", accept_feature="somethingElse, accountId"
    )
    assert isinstance(answer, Response)
    expected = b'{"functionName":"F","functionVersion":"$LATEST","handler":"app.handler","accountId":"000000000000"}\n'
    assert (answer.status, answer.body) == (200, expected)
    assert uuid.UUID(dict(answer.headers)["Lambda-Extension-Identifier"])
    assert laboratory.listener.heard == [("registered", "outside", True, ("INVOKE",))]


def test_an_internal_extension_registers_for_invocations_only(laboratory: Laboratory) -> None:
    laboratory.register("inside", '["INVOKE"]')
    laboratory.register("lazy", "[]")
    assert laboratory.listener.heard[0] == ("registered", "inside", False, ("INVOKE",))
    message = "SHUTDOWN: ShutdownEventNotSupportedForInternalExtension"
    laboratory.refused("Extension.InvalidEventType", message, "register", b'{"events":["SHUTDOWN"]}', name="other")


def test_registrations_that_are_refused(laboratory: Laboratory) -> None:
    laboratory.refused("Extension.InvalidExtensionName", "Empty extension name", "register")
    for body in (b"no json", b"[]", b'{"events":"INVOKE"}', b'{"events":[1]}', b'{"configurationKeys":["a"]}'):
        answer = laboratory.call("register", body, name="outside")
        assert isinstance(answer, Response)
        assert (answer.status, json.loads(answer.body)["errorType"]) == (403, "InvalidRequestFormat")
    message = "SNOW: ErrorInvalidEventType"
    laboratory.refused("Extension.InvalidEventType", message, "register", b'{"events":["SNOW"]}', name="outside")
    laboratory.register()
    message = "State transition from Registered to Registered failed for extension outside."
    message += " Error: State transition is not allowed"
    laboratory.refused("Extension.InvalidExtensionState", message, "register", name="outside")
    laboratory.register("inside", "[]")
    message = "Extension with this name already registered"
    laboratory.refused("Extension.InvalidExtensionState", message, "register", name="inside")
    for number in range(8):
        laboratory.register(f"inside-{number}", "[]")
    laboratory.refused("Extension.TooManyExtensions", "Extension limit (10) reached", "register", name="one more")


def test_registration_closes_with_the_init(laboratory: Laboratory) -> None:
    laboratory.api.close_registration()
    laboratory.refused(
        "Extension.RegistrationClosed", "Extension registration closed already", "register", name="inside"
    )


@pytest.mark.parametrize("path", ["event/next", "init/error", "exit/error"])
def test_who_calls_must_be_known(laboratory: Laboratory, path: str) -> None:
    missing = "Missing Lambda-Extension-Identifier header"
    laboratory.refused("Extension.MissingExtensionIdentifier", missing, path)
    invalid = "Invalid Lambda-Extension-Identifier"
    laboratory.refused("Extension.InvalidExtensionIdentifier", invalid, path, identifier="me")
    laboratory.refused("Extension.UnknownExtensionIdentifier", f"Unknown extension {UNKNOWN}", path, identifier=UNKNOWN)


def test_an_invocation_is_handed_to_those_who_wait(laboratory: Laboratory) -> None:
    identifier = laboratory.register()
    later = laboratory.next(identifier)
    laboratory.api.hand_out_invoke(["outside"], {"deadlineMs": 5, "requestId": "1"})
    response = later.attach(lambda _: None)
    assert (
        isinstance(response, Response) and response.body == b'{"eventType":"INVOKE","deadlineMs":5,"requestId":"1"}\n'
    )
    assert uuid.UUID(dict(response.headers)["Lambda-Extension-Event-Identifier"])
    assert laboratory.next(identifier).waiting
    message = f"State transition from Ready to Ready failed for extension {identifier}."
    message += " Error: State transition is not allowed"
    laboratory.refused("Extension.InvalidExtensionState", message, "event/next", identifier=identifier)


def test_one_that_is_about_to_exit_gets_no_invocation(laboratory: Laboratory) -> None:
    identifier = laboratory.register()
    later = laboratory.next(identifier)
    laboratory.call("exit/error", identifier=identifier, function_error_type="My.Error")
    laboratory.api.hand_out_invoke(["outside"], {"requestId": "1"})
    assert later.waiting


@pytest.mark.parametrize("waits", [True, False])
def test_shutdown_is_handed_out_at_once_or_as_soon_as_it_is_asked_for(laboratory: Laboratory, waits: bool) -> None:
    identifier = laboratory.register()
    later = laboratory.next(identifier) if waits else None
    laboratory.api.hand_out_shutdown(["outside"], "spindown", 7)
    event = event_of(later or laboratory.next(identifier))
    assert event == {"eventType": "SHUTDOWN", "deadlineMs": 7, "shutdownReason": "spindown"}


def test_errors_that_an_extension_reports(laboratory: Laboratory) -> None:
    identifier = laboratory.register()
    laboratory.refused(
        *("Extension.MissingHeader", "Lambda-Extension-Function-Error-Type not found", "init/error"),
        identifier=identifier,
    )
    for error_type in ("First.Error", "Second.Error"):
        answer = laboratory.call("init/error", identifier=identifier, function_error_type=error_type)
        assert isinstance(answer, Response)
        assert (answer.status, answer.body) == (202, b'{"status":"OK"}\n')
    assert laboratory.listener.heard[1:] == [("error", "outside", "init", "First.Error")], "only the first counts"
    message = f"State transition from InitError to Exited failed for extension {identifier}."
    message += " Error: State transition is not allowed"
    laboratory.refused(
        *("Extension.InvalidExtensionState", message, "exit/error"),
        identifier=identifier,
        function_error_type="E",
    )


def test_a_new_generation_knows_nobody(laboratory: Laboratory) -> None:
    identifier = laboratory.register()
    laboratory.api.begin(["outside"])
    message = f"Unknown extension {identifier}"
    laboratory.refused("Extension.UnknownExtensionIdentifier", message, "event/next", identifier=identifier)
    laboratory.register()


def test_other_paths_and_methods(laboratory: Laboratory) -> None:
    assert laboratory.call("restart") is None
    assert laboratory.api.handle(Request("GET", "/2018-06-01/runtime/invocation/next")) is None
    answer = laboratory.api.handle(Request("GET", PREFIX + "register"))
    assert answer == Response(405, headers=[("Allow", "POST")])


@given(st.lists(st.sampled_from(get_args(Input))))
def test_the_table(inputs: list[Input]) -> None:
    assert TRANSITIONS.keys() == set(get_args(State)) and ASKED_FOR.keys() == set(get_args(Input))
    states = ExtensionStates()
    for each in inputs:
        before = states.state
        if each in TRANSITIONS[before]:
            assert states.take(each, "x") == TRANSITIONS[before][each] == states.state
        else:
            with pytest.raises(IllegalTransitionError, match=f"from {before} to {ASKED_FOR[each]} failed"):
                states.take(each, "x")
            assert states.state == before
