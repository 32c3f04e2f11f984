"""What is wrong with an experiment beyond the type of single values: Lambda's own limits, functions, files and regular
expressions that do not exist, actions and expectations that do not fit together."""

from __future__ import annotations

import re
from collections.abc import Iterator

from lambdatui.experiment.bundled import bundled
from lambdatui.experiment.code import CodeError, code_of, current_text, handler_file, is_code, is_inside
from lambdatui.experiment.document import Place
from lambdatui.experiment.schema import (
    ACTIONS,
    ConfigurationKeys,
    Edit,
    Eventful,
    ExperimentFile,
    FunctionDefinition,
    Invoke,
    RoleDefinition,
    RolePolicy,
    Step,
    Update,
    below,
)
from lambdatui.experiment.service_events import SERVICE_EVENTS
from lambdatui.experiment.wording import did_you_mean
from lambdatui.function import Configuration, check_provisioned, check_reserves
from lambdatui.policy import problems_in as problems_in_policy
from lambdatui.refusal import InvalidParameter, ValidationFailed
from lambdatui.role import MANAGED_POLICIES

Found = tuple[Place, str]

_OF_INVOCATIONS = (
    *("status", "cold_starts", "log_streams", "log", "no_log", "duration_ms", "billed_duration_ms"),
    *("payload", "error_type", "error_message", "attempts", "destinations"),
)
_LOGGED = ("log", "no_log")
ALIAS = re.compile(r"(?!\d+$)[a-zA-Z0-9-_]{1,128}")


def problems_in(experiment: ExperimentFile) -> Iterator[Found]:
    """Where, and what, in words."""
    for name, role in experiment.roles.items():
        yield from _in_role(role, ("roles", name))
    for name, definition in experiment.functions.items():
        yield from _in_function(experiment, name, definition)
    yield from _beyond_the_account(experiment)
    if experiment.next is not None and experiment.next not in (known := bundled()):
        yield ("next",), f"there is no bundled experiment '{experiment.next}'{did_you_mean(experiment.next, known)}"
    written: set[tuple[str, str]] = set()
    for index, step in enumerate(experiment.steps):
        place: Place = ("steps", index)
        yield from _in_action(experiment, step, place)
        yield from _in_expectations(step, place)
        if step.highlight:
            yield from _in_highlight(experiment, step, (*place, "highlight"), written)
        if step.edit:
            yield from _in_edit(experiment, step.edit, (*place, "edit"), written)
        if step.predict and step.predict.answer > len(step.predict.choices):
            message = f"there is no choice {step.predict.answer}: there are {len(step.predict.choices)}"
            yield (*place, "predict", "answer"), message


def _in_function(experiment: ExperimentFile, name: str, definition: FunctionDefinition) -> Iterator[Found]:
    place: Place = ("functions", name)
    if not re.fullmatch(r"[a-zA-Z0-9-_]{1,64}", name):
        yield place, "a function's name has letters, digits, hyphens and underscores, 64 at most"
    yield from _beyond_limits(definition, place)
    if (definition.code is None) == (definition.source is None):
        yield place, "a function needs either 'code', a folder or .zip, or 'source', the text of its module"
    else:
        try:
            code_of(definition, experiment.folder)
        except CodeError as error:
            yield (*place, error.key), str(error)
    yield from _in_event(definition, place)
    if definition.auto_publish_alias is not None and not ALIAS.fullmatch(definition.auto_publish_alias):
        yield (*place, "auto_publish_alias"), "an alias has letters, digits, hyphens and underscores, and is no number"
    yield from _in_layers(experiment, definition, place)
    yield from _role_named(experiment, definition.role, (*place, "role"))
    yield from _in_destinations(experiment, definition, place)
    if definition.function_url_config:
        try:
            definition.function_url_config.configuration()
        except ValidationFailed as refusal:
            yield (*place, "function_url_config"), str(refusal)
    if definition.python is not None and not below(experiment.folder, definition.python).is_file():
        yield (*place, "python"), f"there is no interpreter {definition.python}"


def _in_role(role: RoleDefinition, place: Place) -> Iterator[Found]:
    if role.assume_role_policy_document:
        for problem in problems_in_policy(role.assume_role_policy_document):
            yield (*place, "assume_role_policy_document"), problem
    for index, policy in enumerate(role.policies):
        if isinstance(policy, dict):
            yield from (((*place, "policies", index), problem) for problem in problems_in_policy(policy))
        else:
            yield from _policy_named(policy, (*place, "policies", index))


def _policy_named(policy: str, place: Place) -> Iterator[Found]:
    if policy.rpartition("/")[2] not in MANAGED_POLICIES:
        yield place, f"there is no policy {policy} here{did_you_mean(policy, MANAGED_POLICIES)}"


def _role_named(experiment: ExperimentFile, role: str | None, place: Place) -> Iterator[Found]:
    if role is not None and role.rpartition("/")[2] not in experiment.roles:
        yield place, f"there is no role '{role}'{did_you_mean(role, experiment.roles)}"


def _in_event(says: Eventful, place: Place) -> Iterator[Found]:
    name = says.service_event
    if name is not None and name not in SERVICE_EVENTS:
        yield (*place, "service_event"), f"there is no event '{name}'{did_you_mean(name, SERVICE_EVENTS)}"


def _in_layers(experiment: ExperimentFile, keys: ConfigurationKeys, place: Place) -> Iterator[Found]:
    for index, layer in enumerate(keys.layers):
        if not is_code(below(experiment.folder, layer)):
            yield (*place, "layers", index), f"there is no folder and no .zip {layer}"


def _in_destinations(experiment: ExperimentFile, keys: ConfigurationKeys, place: Place) -> Iterator[Found]:
    """The functions that are named there must be among those of the experiment."""
    for when, each in keys.destination_config.items():
        name = re.fullmatch(r"function:([^:]*)(:.*)?", each["destination"])  # type: ignore[index]
        if name and name[1] not in experiment.functions:
            guess = did_you_mean(name[1], experiment.functions)
            where: Place = (*place, "destination_config", when, "destination")
            yield where, f"there is no function '{name[1]}'{guess}"


def _beyond_limits(definition: FunctionDefinition, place: Place) -> Iterator[Found]:
    """Each value is shown to the service's own rules by itself, so that each refusal finds its line."""
    for key in ConfigurationKeys.model_fields:
        try:
            Configuration(**{"handler": "index.handler", key: definition.value(key)})
        except InvalidParameter as refusal:
            yield (*place, key), str(refusal)


def _beyond_the_account(experiment: ExperimentFile) -> Iterator[Found]:
    limit, reserves = experiment.laboratory.concurrent_executions, list[int | None]()
    for name, definition in experiment.functions.items():
        reserves.append(definition.reserved_concurrent_executions)
        place: Place = ("functions", name)
        try:
            check_reserves(limit, reserves)
        except InvalidParameter as refusal:
            yield (*place, "reserved_concurrent_executions"), str(refusal)
        try:
            check_provisioned(limit, reserves[-1], definition.provisioned_concurrent_executions)
        except InvalidParameter as refusal:
            yield (*place, "provisioned_concurrent_executions"), str(refusal)


def _in_action(experiment: ExperimentFile, step: Step, place: Place) -> Iterator[Found]:
    named = [key for key in ACTIONS if getattr(step, key) is not None]
    if len(named) > 1:
        yield (*place, named[1]), f"a step has one action, and this one has {' and '.join(named)}"
    for key in named:
        action = getattr(step, key)
        function: str | None = getattr(action, "function", None)
        if function is None:
            if hasattr(action, "function") and key != "reclaim" and len(experiment.functions) > 1:
                yield (*place, key), f"'function' is missing, and there are {len(experiment.functions)} functions"
        elif function not in experiment.functions:
            guess = did_you_mean(function, experiment.functions)
            yield (*place, key, "function"), f"there is no function '{function}'{guess}"
        if isinstance(action, Invoke):
            yield from _in_event(action, (*place, key))
        elif isinstance(action, Update):
            yield from _in_update(experiment, action, (*place, key))
        elif isinstance(action, RolePolicy):
            yield from _role_named(experiment, action.role, (*place, key, "role"))
            yield from _policy_named(action.policy, (*place, key, "policy"))


def _in_update(experiment: ExperimentFile, update: Update, place: Place) -> Iterator[Found]:
    if not update.changes:
        yield place, "an update needs a configuration key to change, such as 'timeout'"
    yield from _in_layers(experiment, update, place)
    yield from _in_destinations(experiment, update, place)
    yield from _role_named(experiment, update.role, (*place, "role"))


def _in_edit(experiment: ExperimentFile, edit: Edit, place: Place, written: set[tuple[str, str]]) -> Iterator[Found]:
    function = experiment.function_of(edit)
    if not is_inside(edit.file):
        yield (*place, "file"), f"'{edit.file}' is no file inside the function's code"
    elif (edit.text is None) == (edit.replace is None):
        yield place, "an edit needs either 'text', all of the file, or 'replace', the pieces that change"
    elif edit.replace is not None and function in experiment.functions and (function, edit.file) not in written:
        yield from _in_replace(experiment.functions[function], experiment, edit, place)
    written.add((function, edit.file))


def _in_replace(
    definition: FunctionDefinition, experiment: ExperimentFile, edit: Edit, place: Place
) -> Iterator[Found]:
    try:
        text = current_text(code_of(definition, experiment.folder), edit.file)
    except CodeError as error:
        if error.key == "file":
            yield (*place, "file"), str(error)
        return
    for old in edit.replace or {}:
        if not old or old not in text:
            yield (*place, "replace", old), f"{edit.file} has no {old!r} in it"


def _in_highlight(
    experiment: ExperimentFile, step: Step, place: Place, written: set[tuple[str, str]]
) -> Iterator[Found]:
    """What it points at must be there, as far as no step has edited the file before."""
    highlight, function = step.highlight, experiment.highlighted_function(step)
    assert highlight
    if function not in experiment.functions:
        if highlight.function is not None:
            yield (
                (*place, "function"),
                f"there is no function '{function}'{did_you_mean(function, experiment.functions)}",
            )
        return
    try:
        pattern = re.compile(highlight.pattern or "")
    except (re.error, OverflowError, RecursionError) as error:
        yield (*place, "pattern"), f"{highlight.pattern!r} is no regular expression: {error}"
        return
    definition = experiment.functions[function]
    try:
        file = highlight.file or handler_file(definition, experiment.folder)
        if (function, file) in written:
            return
        if not is_inside(file):
            raise CodeError("file", f"'{file}' is no file inside the function's code")
        lines = current_text(code_of(definition, experiment.folder), file).splitlines()
    except CodeError as error:
        if error.key == "file":
            yield (*place, "file"), str(error)
        return
    if highlight.lines is None:
        if not any(pattern.search(line) for line in lines):
            yield (*place, "pattern"), f"{file} has no line that matches {highlight.pattern!r}"
    elif not highlight.lines[0] <= highlight.lines[1] <= len(lines):
        yield (*place, "lines"), f"{file} has {len(lines)} lines, and the first must not be after the last"


def _in_expectations(step: Step, place: Place) -> Iterator[Found]:
    expect = step.expect
    for key in expect.model_fields_set:
        if key in _LOGGED and step.reclaim:
            continue  # what extensions write when they are told to end
        if key in _OF_INVOCATIONS and step.invoke is None:
            yield (*place, "expect", key), f"'{key}' is about invocations, and this step has none"
        elif key == "rejected" and not (step.update or step.publish or step.alias or step.provision):
            yield (*place, "expect", key), "'rejected' is about a change of the function, and this step has none"
    patterns: list[tuple[Place, str | None]] = [
        *((("log", index), pattern) for index, pattern in enumerate(expect.log)),
        *((("no_log", index), pattern) for index, pattern in enumerate(expect.no_log)),
        (("error_message",), expect.error_message),
        (("rejected",), expect.rejected),
    ]
    for where, pattern in patterns:
        try:
            re.compile(pattern or "")
        except (re.error, OverflowError, RecursionError) as error:
            yield (*place, "expect", *where), f"{pattern!r} is no regular expression: {error}"
