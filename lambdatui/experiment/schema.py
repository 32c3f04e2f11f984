"""The experiment file: its keys and their types.

What pydantic can say about a single value is said here; what needs the rest of the file, the folder it lies in or
Lambda's own limits is said by :mod:`lambdatui.experiment.references`. Several values have a short form, `wait: 5` for
`wait: {seconds: 5}`: see :class:`lambdatui.experiment.shapes.Shorthand`.
"""

from __future__ import annotations

import functools
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, ConfigDict, Field, JsonValue, PrivateAttr, model_validator
from typing_extensions import TypedDict

from lambdatui.events import Json
from lambdatui.experiment.document import Problem
from lambdatui.experiment.service_events import SERVICE_EVENTS, laid_over, service_event
from lambdatui.experiment.shapes import Model, Shorthand, Text
from lambdatui.function import (
    APPLICATION_LOG_LEVELS,
    ARCHITECTURES,
    LOG_FORMATS,
    MAX_DESCRIPTION,
    RUNTIMES,
    SYSTEM_LOG_LEVELS,
    Configuration,
    LoggingConfig,
)
from lambdatui.function_url import AUTH_TYPES, INVOKE_MODES, MAX_AGE, Cors, UrlConfiguration
from lambdatui.policy import Document
from lambdatui.role import LAMBDA, managed_policy, trusting

STATUSES = ("succeeded", "failed", "timed_out", "throttled")
Status = Literal["succeeded", "failed", "timed_out", "throttled"]
Count = Annotated[int, Field(ge=0)]


# -- functions ------------------------------------------------------------------------------------------------------


class Destination(TypedDict):
    """A function of the experiment, as `function:NAME` or its ARN, a `file:PATH`, or the ARN of an SQS queue, an SNS
    topic or an EventBridge bus."""

    __pydantic_config__ = ConfigDict(extra="forbid")  # type: ignore[misc]
    destination: str


class DestinationConfig(TypedDict, total=False):
    """Who is told what became of an asynchronous invocation."""

    __pydantic_config__ = ConfigDict(extra="forbid")  # type: ignore[misc]
    on_success: Destination
    on_failure: Destination


class DeadLetterConfig(TypedDict):
    """Where the events go that asynchronous invocation has failed for: an SQS queue, an SNS topic, a `file:PATH`."""

    __pydantic_config__ = ConfigDict(extra="forbid")  # type: ignore[misc]
    target_arn: str


class Logging(Model):
    """How and where the function logs. The levels are for the JSON format alone."""

    log_format: str = Field(default="Text", json_schema_extra={"enum": [*LOG_FORMATS]})
    application_log_level: str | None = Field(default=None, json_schema_extra={"enum": [*APPLICATION_LOG_LEVELS]})
    system_log_level: str | None = Field(default=None, json_schema_extra={"enum": [*SYSTEM_LOG_LEVELS]})
    log_group: str | None = None
    """Instead of /aws/lambda/ and the function's name."""


class CorsKeys(Model):
    """Which web pages may read what a function URL answers. '*' in a list stands for all."""

    allow_credentials: bool = False
    allow_headers: list[str] = Field(default=[])
    allow_methods: list[str] = Field(default=[])
    allow_origins: list[str] = Field(default=[])
    expose_headers: list[str] = Field(default=[])
    max_age: int | None = Field(default=None, json_schema_extra={"minimum": 0, "maximum": MAX_AGE})

    def cors(self) -> Cors:
        return Cors(
            self.allow_credentials,
            tuple(self.allow_headers),
            tuple(self.allow_methods),
            tuple(self.allow_origins),
            tuple(self.expose_headers),
            self.max_age,
        )


class UrlKeys(Model):
    """A function URL for $LATEST. Its values are checked by :class:`lambdatui.function_url.UrlConfiguration`."""

    auth_type: str = Field(json_schema_extra={"enum": [*AUTH_TYPES]})
    invoke_mode: str = Field(default="BUFFERED", json_schema_extra={"enum": [*INVOKE_MODES]})
    cors: CorsKeys | None = None

    def configuration(self) -> UrlConfiguration:
        """Raises ValidationFailed."""
        return UrlConfiguration(self.auth_type, self.invoke_mode, self.cors.cors() if self.cors else None)


class ConfigurationKeys(Model):
    """The Lambda API's own names, in snake_case. The ranges stand here for editors; they are enforced, in the
    service's words, by :class:`lambdatui.function.Configuration`."""

    runtime: str | None = Field(default=None, json_schema_extra={"enum": [*RUNTIMES]})
    """Without it: the Python that lambdatui itself runs on."""
    description: str = Field(default="", json_schema_extra={"maxLength": MAX_DESCRIPTION})
    architectures: list[str] = Field(default=["x86_64"], json_schema_extra={"enum": [[each] for each in ARCHITECTURES]})
    """Nothing but what the API answers: the function runs on what the machine has."""
    handler: str = ""
    timeout: int = Field(default=3, json_schema_extra={"minimum": 1, "maximum": 900})
    memory_size: int = Field(default=128, json_schema_extra={"minimum": 128, "maximum": 10240})
    ephemeral_storage: int = Field(default=512, json_schema_extra={"minimum": 512, "maximum": 10240})
    environment: dict[str, str] = Field(default={})
    reserved_concurrent_executions: int | None = Field(default=None, json_schema_extra={"minimum": 0})
    role: str | None = None
    """The name of one of the experiment's roles; without it, a role that may log."""
    layers: list[str] = Field(default=[], json_schema_extra={"maxItems": 5})
    """Folders or .zip files, relative to the experiment file, whose content the function finds at /opt."""
    maximum_retry_attempts: int | None = Field(default=None, json_schema_extra={"minimum": 0, "maximum": 2})
    """Of asynchronous invocations; 2 unless it is said otherwise. This and the next two are for $LATEST."""
    maximum_event_age_in_seconds: int | None = Field(default=None, json_schema_extra={"minimum": 60, "maximum": 21600})
    """21600 unless it is said otherwise."""
    destination_config: DestinationConfig = Field(default=DestinationConfig())
    dead_letter_config: DeadLetterConfig | None = None

    logging_config: Logging = Logging()

    def value(self, key: str) -> Any:
        """As :class:`lambdatui.function.Configuration` takes it."""
        value = getattr(self, key)
        return LoggingConfig(**value.model_dump()) if isinstance(value, Logging) else value


class Eventful(Model):
    """Says with which event a function is invoked."""

    event: JsonValue = Field(default={})
    service_event: str | None = Field(default=None, json_schema_extra={"enum": [*SERVICE_EVENTS]})
    """What a service of AWS typically sends, by its name (`lambdatui events` lists them); `event` is laid over it:
    mappings key by key, lists item by item."""

    @property
    def says_event(self) -> bool:
        return bool(self.model_fields_set & Eventful.model_fields.keys())

    @property
    def whole_event(self) -> Json:
        return self.event if self.service_event is None else laid_over(self.event, service_event(self.service_event))


class FunctionDefinition(ConfigurationKeys, Eventful):
    """A function as it is at the experiment's first step. Its event is for invocations that name none, by hand and in
    steps."""

    handler: str
    code: str | None = None
    """A folder or a .zip, relative to the experiment file."""
    source: str | None = None
    """Instead of `code`: the text of the handler's module."""
    python: str | None = None
    """The interpreter of a virtual environment, for a function with dependencies; relative to the experiment file."""
    provisioned_concurrent_executions: int = Field(default=0, ge=0)
    """Where it is not 0, version 1 is published before the first step, and so many of its environments are initialised
    ahead: provisioned concurrency is for versions and aliases only."""
    auto_publish_alias: str | None = None
    """Version 1 is published before the first step, and this alias leads to it; what is provisioned is the alias's."""

    function_url_config: UrlKeys | None = None
    """An address of the function's own, at which any HTTP client can reach it."""

    def configuration(self, folder: Path) -> Configuration:
        """As the service takes it; paths are relative to `folder`."""
        values = _paths_below(folder, {key: self.value(key) for key in ConfigurationKeys.model_fields})
        values["layers"], values["architectures"] = tuple(values["layers"]), tuple(values["architectures"])
        return Configuration(**values, python=str(below(folder, self.python)) if self.python else None)


def _paths_below(folder: Path, values: Mapping[str, Any]) -> dict[str, Any]:
    """These values of configuration keys, with every path in them made absolute."""
    values = dict(values)
    if "layers" in values:
        values["layers"] = [str(below(folder, layer)) for layer in values["layers"]]
    if "destination_config" in values:
        values["destination_config"] = {
            name: {"destination": _destination_below(folder, each["destination"])}
            for name, each in values["destination_config"].items()
        }
    if dead_letter := values.get("dead_letter_config"):
        values["dead_letter_config"] = {"target_arn": _destination_below(folder, dead_letter["target_arn"])}
    return values


def below(folder: Path, path: str) -> Path:
    """Absolute. Links are not followed: the `python` of a virtual environment is one."""
    try:
        return (folder / Path(path).expanduser()).absolute()
    except RuntimeError:  # the home folder of somebody unknown
        return (folder / path).absolute()


def _destination_below(folder: Path, destination: str) -> str:
    path = destination.removeprefix("file:")
    return destination if path == destination else f"file:{below(folder, path)}"


class RoleDefinition(Model):
    """An execution role, as IAM has it."""

    assume_role_policy_document: dict[str, JsonValue] = Field(default={})
    """Who may assume it; without it, Lambda may."""
    policies: list[str | dict[str, JsonValue]] = Field(default=[])
    """Policies that AWS manages, by name (AWSLambdaBasicExecutionRole), and others as IAM writes them, in full."""

    @property
    def trust(self) -> Document:
        return self.assume_role_policy_document or trusting(LAMBDA)

    @property
    def attached(self) -> dict[str, Document]:
        """By name; inline ones have their number. Raises ServiceRefusal."""
        named = {each.rpartition("/")[2]: managed_policy(each) for each in self.policies if isinstance(each, str)}
        inline = [each for each in self.policies if isinstance(each, dict)]
        return {**named, **{f"inline-{number}": each for number, each in enumerate(inline, 1)}}


class Laboratory(Model):
    """What surrounds the functions. The keys are those of :class:`lambdatui.service.service.Settings`."""

    region: str = Field(default="us-east-1", pattern=r"^[a-z]{2}(-[a-z]+)+-\d$")
    log_dialect: Literal["current", "classic"] = "current"
    concurrent_executions: int = Field(default=1000, ge=1)
    idle_timeout: float = Field(default=300.0, gt=0, le=86400)
    """Seconds without an invocation after which an environment is ended."""
    time_scale: float = Field(default=1.0, ge=1, le=10000)
    """So many times faster than in the real service pass the waits of asynchronous invocation before a retry and after
    a throttle, and the age of its events. Everything else takes its time."""
    cpu_limit: bool = True
    """Whether a function gets CPU in proportion to its memory, or as much as there is."""


# -- steps ----------------------------------------------------------------------------------------------------------


class Predict(Model):
    """A question to the reader before the step runs."""

    ask: Text
    choices: list[Text] = Field(min_length=2, max_length=9)
    answer: int = Field(ge=1)
    """The number of the right choice, from 1."""


class Highlight(Shorthand):
    """Lines of a function's code that matter to a step. A pattern still finds them when the code was edited."""

    bare = "pattern"
    function: str | None = None
    """Without it, that of the step's action, or the first."""
    file: str | None = None
    """Without it, the handler's module."""
    pattern: str | None = None
    """A regular expression, searched in single lines."""
    lines: list[Annotated[int, Field(ge=1)]] | None = Field(default=None, min_length=2, max_length=2)
    """The first and the last, from 1."""

    @model_validator(mode="after")
    def _either(self) -> Highlight:
        if (self.pattern is None) == (self.lines is None):
            raise ValueError("needs either a regular expression or `lines`, the first and the last")
        return self


class Invoke(Eventful):
    function: str | None = None
    qualifier: str | None = None
    """A published version's number or an alias; without it, $LATEST."""
    times: int = Field(default=1, ge=1, le=1000)
    parallel: bool = False
    """At the same time instead of one after another."""
    invocation_type: Literal["RequestResponse", "Event", "DryRun"] = "RequestResponse"
    """'Event' is asynchronous: the step ends when every event has come to its end, retries and all."""


class Update(ConfigurationKeys):
    """Configuration keys to change. Values may lie outside Lambda's ranges: the refusal is worth seeing."""

    function: str | None = None

    @property
    def changes(self) -> dict[str, Json]:
        return self.model_dump(
            include=self.model_fields_set & ConfigurationKeys.model_fields.keys(), exclude_unset=True
        )

    def changes_below(self, folder: Path) -> dict[str, Json]:
        """As the service takes them; paths are relative to `folder`."""
        return _paths_below(folder, self.changes)


class Edit(Model):
    """A file of the function's code gets another text, in the laboratory and not on disk."""

    function: str | None = None
    file: str
    text: str | None = None
    replace: dict[str, str] | None = None
    """Pieces of the file's text and what stands there instead."""


class Publish(Shorthand):
    """Make a version of what the function is now: they are numbered from 1."""

    bare = "function"
    function: str | None = None


class AliasTo(Model):
    """Let an alias lead to a version; new if there is none of that name."""

    function: str | None = None
    name: str
    function_version: str
    additional_version_weights: dict[str, float] = Field(default={})
    """The share, from 0 to 1, of another version."""


class Provision(Model):
    """Have environments of a version initialised ahead of its invocations."""

    function: str | None = None
    qualifier: str
    provisioned_concurrent_executions: int = Field(ge=0)


class RolePolicy(Model):
    """Attach a policy that AWS manages to a role, or take it away."""

    role: str
    policy: str


class Wait(Shorthand):
    bare = "seconds"
    seconds: float | None = Field(default=None, ge=0, le=3600)
    until: Literal["idle"] | None = None
    """'idle': until nothing is in flight."""

    @model_validator(mode="after")
    def _either(self) -> Wait:
        if (self.seconds is None) == (self.until is None):
            raise ValueError("needs a number of seconds or `until: idle`")
        return self


class Reclaim(Shorthand):
    """End idle environments, of one function or of all."""

    bare = "function"
    function: str | None = None


class StatusExpected(Shorthand):
    """What became of the invocations: the same of `each`, or how many ended in which way."""

    bare = "each"
    each: Status | None = None
    succeeded: Count = 0
    failed: Count = 0
    timed_out: Count = 0
    throttled: Count = 0

    @property
    def counts(self) -> dict[str, int]:
        return {status: count for status in STATUSES if (count := getattr(self, status))}

    @model_validator(mode="after")
    def _either(self) -> StatusExpected:
        if (self.each is None) == (not self.counts):
            raise ValueError(f"needs one of {', '.join(STATUSES)}, or how many invocations ended in which way")
        return self


class DestinationsExpected(Model):
    """How many records arrived at the destinations of each kind."""

    on_success: Count = 0
    on_failure: Count = 0
    dead_letter: Count = 0


class Range(Model):
    """Bounds that include their ends; milliseconds."""

    min: float | None = None
    max: float | None = None

    @model_validator(mode="after")
    def _holds_something(self) -> Range:
        if self.min is None and self.max is None:
            raise ValueError("needs `min`, `max` or both")
        if self.min is not None and self.max is not None and self.min > self.max:
            raise ValueError("has a `min` above its `max`")
        return self


def _in_list(value: Any) -> Any:
    return value if isinstance(value, list) else [value]


Patterns = Annotated[
    list[str],
    BeforeValidator(_in_list, json_schema_input_type=str | list[str]),
]
"""Regular expressions, searched in single lines."""


class Expect(Model):
    """What a step's invocations, its own and no others, should show. Every key is a check; every pattern is. What a
    destination invokes belongs to the step too; the status of an asynchronous invocation is that of its last attempt.
    """

    status: StatusExpected | None = None
    cold_starts: Count | None = None
    """Invocations for which an environment was made."""
    attempts: Count | None = None
    """How often functions ran for the invocations: once for each, and once more for each retry of an event."""
    destinations: DestinationsExpected | None = None
    new_environments: Count | None = None
    """Environments that were created during the step."""
    log_streams: Count | None = None
    """Distinct log streams of the invocations."""
    log: Patterns = Field(default=[])
    """Each matches a line that was logged for the invocations, or by an init during the step; where environments are
    reclaimed, one that was logged at their end."""
    no_log: Patterns = Field(default=[])
    duration_ms: Range | None = None
    """Of every REPORT."""
    billed_duration_ms: Range | None = None
    payload: JsonValue = None
    """The last result has at least this."""
    error_type: str | None = None
    error_message: str | None = None
    """A regular expression."""
    rejected: str | None = None
    """A regular expression for the message with which an update is refused."""


Hints = Annotated[list[Text], BeforeValidator(_in_list, json_schema_input_type=Text | list[Text])]

Action = Invoke | Update | Edit | Publish | AliasTo | Provision | RolePolicy | Wait | Reclaim
ACTIONS = (
    *("invoke", "update", "edit", "publish", "alias", "provision"),
    *("attach_role_policy", "detach_role_policy", "wait", "reclaim"),
)


class Step(Model):
    """Say, let predict, do, check, explain. At most one action; a step without any is a page to read."""

    name: Text
    say: Text | None = None
    highlight: Highlight | None = None
    predict: Predict | None = None
    hint: Hints = Field(default=[])
    """One or several, told one after the other to whoever asks before the step has run."""
    invoke: Invoke | None = None
    update: Update | None = None
    edit: Edit | None = None
    publish: Publish | None = None
    alias: AliasTo | None = None
    provision: Provision | None = None
    attach_role_policy: RolePolicy | None = None
    detach_role_policy: RolePolicy | None = None
    wait: Wait | None = None
    reclaim: Reclaim | None = None
    expect: Expect = Expect()
    explain: Text | None = None

    @model_validator(mode="before")
    @classmethod
    def _spell_out_actions(cls, value: Any) -> Any:
        """`publish:` with nothing behind it means to publish."""
        if not isinstance(value, dict):
            return value
        return {key: {} if each is None and key in ACTIONS else each for key, each in value.items()}

    @property
    def action(self) -> Action | None:
        return next((action for key in ACTIONS if (action := getattr(self, key)) is not None), None)


class ExperimentFile(Model):
    """A whole experiment."""

    title: Text
    about: Text | None = None
    summary: Text | None = None
    """One line for a list of experiments."""
    minutes: int | None = Field(default=None, ge=1)
    """How long it takes to read, think and run."""
    next: str | None = None
    """The bundled experiment to try next."""
    roles: dict[str, RoleDefinition] = Field(default={})
    functions: dict[str, FunctionDefinition] = Field(min_length=1)
    laboratory: Laboratory = Laboratory()
    steps: list[Step] = Field(default=[])
    """Without any it is a laboratory to play in."""
    _path: Path = PrivateAttr(default=Path("experiment.yaml"))
    _notices: tuple[Problem, ...] = PrivateAttr(default=())
    _made: bool = PrivateAttr(default=False)

    @property
    def path(self) -> Path:
        """Where it was loaded from."""
        return self._path

    @property
    def notices(self) -> tuple[Problem, ...]:
        """What of a template is not to be had here."""
        return self._notices

    @property
    def made(self) -> bool:
        """Whether there is no experiment file: it was made of a template or a module."""
        return self._made

    @property
    def folder(self) -> Path:
        """What its relative paths are relative to."""
        return self._path.absolute().parent

    def function_of(self, action: Invoke | Update | Edit | Publish | AliasTo | Provision) -> str:
        """The function that the action names, or the only one."""
        return action.function or next(iter(self.functions))

    def highlighted_function(self, step: Step) -> str:
        """The function whose code a step's highlight is about."""
        named = step.highlight.function if step.highlight else None
        return named or getattr(step.action, "function", None) or next(iter(self.functions))

    def event_of(self, invoke: Invoke) -> Json:
        """The event that it names, or that of its function."""
        return invoke.whole_event if invoke.says_event else self.functions[self.function_of(invoke)].whole_event


@functools.cache
def json_schema() -> dict[str, Json]:
    """JSON Schema of the experiment file, for editors."""
    schema: dict[str, Json] = ExperimentFile.model_json_schema(by_alias=True)
    return {"$schema": "https://json-schema.org/draft/2020-12/schema", **schema, "title": "lambdatui experiment"}
