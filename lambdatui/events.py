"""Every fact the laboratory can state, in Lambda's own terms.

A fact is a frozen dataclass with plain JSON fields; the journal adds its number and time. All that one sees - the
screen, the report, the checks of an experiment - is a fold over these (:mod:`lambdatui.lab`). Durations are in
milliseconds as the service prints them, instants in seconds since the epoch, sizes in MB as Lambda counts (2**20).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import field
from datetime import UTC, datetime
from typing import Any, TypeAlias, get_args

from lambdatui.fact import fact

Json: TypeAlias = bool | int | float | str | list["Json"] | dict[str, "Json"] | None


# -- the laboratory and its functions -------------------------------------------------------------------------------


@fact
class LaboratoryOpened:
    """The laboratory is ready. `sandbox` names what isolates an environment here: 'bubblewrap' or 'process group';
    `limits` says in a few words each which of Lambda's limits hold here and how, as in 'memory watched'."""

    pid: int
    sandbox: str
    region: str
    account_id: str
    log_dialect: str
    concurrent_executions: int
    idle_timeout: float
    time_scale: float = 1.0
    """So many times faster than real do the waits and ages of asynchronous invocation pass."""
    limits: tuple[str, ...] = ()


@fact
class EndpointOpened:
    """The laboratory speaks the APIs of AWS at this address, to those who have its keys."""

    url: str


@fact
class Noticed:
    """Something the user should know that is no fact about Lambda. `level` is 'info', 'warning' or 'error'."""

    level: str
    message: str


@fact
class OthersMayAct:
    """Whether screens that were attached to somebody's laboratory may act in it from now on; at first they may not."""

    allowed: bool


@fact
class RoleChanged:
    """An execution role is new, or has other policies attached; `policies` are their names."""

    role: str
    arn: str
    policies: tuple[str, ...]


@fact
class FunctionCreated:
    """A function exists. `configuration` has the keys of an experiment file; `code_location` is a path, 'inline', or
    'uploaded': it came over the API."""

    function: str
    arn: str
    generation: int
    configuration: dict[str, Json]
    code_sha256: str
    code_location: str
    files: Mapping[str, str] = field(default_factory=dict)
    """The text of its code, by file, the handler's first; only what is text and small enough to be read by somebody."""


@fact
class FunctionUpdated:
    """Code or configuration changed: invocations from now on get environments of the new `generation`. It is the one
    before where the change is none of an environment's, such as that of its reserved concurrency.

    `because` is 'configuration', 'edit' (a step wrote a file), 'save' (hot reload) or 'upload' (code came over the API,
    and the folder that it came from before is watched no more); `changed` names the configuration keys or the files.
    `files` is as in FunctionCreated; nothing where the code is what it was.
    """

    function: str
    generation: int
    because: str
    changed: tuple[str, ...]
    configuration: dict[str, Json]
    code_sha256: str
    previous_code_sha256: str
    files: Mapping[str, str] = field(default_factory=dict)


@fact
class FunctionDeleted:
    """There is no such function any more; or, where it is said, only no such `version` of it. Its environments go as
    soon as their invocations have finished."""

    function: str
    version: str | None = None


@fact
class FunctionTagged:
    """All of the function's tags, as they are now."""

    function: str
    tags: dict[str, str]


@fact
class VersionPublished:
    """What $LATEST is at this moment can be invoked by this number for ever after."""

    function: str
    version: str
    configuration: dict[str, Json]
    code_sha256: str


@fact
class AliasPointed:
    """An alias leads to `version`, or to others for a share of the invocations each: `weights` from 0 to 1."""

    function: str
    alias: str
    version: str
    weights: dict[str, float]


@fact
class AliasDeleted:
    """The alias is gone, with all that was kept by its name."""

    function: str
    alias: str


@fact
class EventInvokeConfigChanged:
    """Asynchronous invocations by this qualifier, a version or an alias, are treated like this from now on:
    `configuration` has the keys of an experiment file, and is None where nothing of its own holds any more. (What holds
    for $LATEST is in the function's configuration.)"""

    function: str
    qualifier: str
    configuration: dict[str, Json] | None


@fact
class PolicyChanged:
    """The resource-based policy of a function, or of one of its versions and aliases, has these statements now."""

    function: str
    qualifier: str | None
    statements: tuple[dict[str, Json], ...]


@fact
class ProvisionedConcurrencyChanged:
    """So many environments of this version are to be initialised ahead. `status` is 'IN_PROGRESS', 'READY' or
    'FAILED', and then `reason` is the API's StatusReason."""

    function: str
    qualifier: str
    version: str
    requested: int
    status: str
    reason: str | None


@fact
class FunctionUrlCreated:
    """A function, or the `qualifier`, an alias of it, answers at `url` from now on. `configuration` has the keys of an
    experiment file: auth_type, invoke_mode, cors."""

    function: str
    qualifier: str | None
    url: str
    configuration: dict[str, Json]


@fact
class FunctionUrlChanged:
    """The URL is the same, and answers otherwise."""

    function: str
    qualifier: str | None
    configuration: dict[str, Json]


@fact
class FunctionUrlDeleted:
    """Nothing answers there any more, and nothing ever will."""

    function: str
    qualifier: str | None


@fact
class LayerPublished:
    """A version of a layer, which functions can have from now on by this ARN."""

    arn: str
    code_sha256: str
    code_size: int


@fact
class LayerDeleted:
    """No function can be given this version of a layer any more; those that have it keep it."""

    arn: str


@fact
class FunctionUpdateRejected:
    """An update was refused with the service's own message; nothing changed."""

    function: str
    changes: dict[str, Json]
    message: str


# -- execution environments -----------------------------------------------------------------------------------------


@fact
class EnvironmentCreated:
    """A new execution environment. `because` says in a few words why none that existed could serve.

    `initialization_type` is 'on-demand', for an invocation that waits, or 'provisioned-concurrency'.
    """

    environment: str
    function: str
    version: str
    generation: int
    code_sha256: str
    log_group: str
    log_stream: str
    because: str
    initialization_type: str = "on-demand"


@fact
class InitStarted:
    """The runtime's process starts. `phase` is 'init', or 'invoke' when the init is paid inside an invocation:
    a retry after a failed init, or a suppressed init (`suppressed`) after a reset."""

    environment: str
    phase: str
    suppressed: bool
    request_id: str | None


@fact
class InitPhaseFinished:
    """One part of the init is over. `part` is 'extension', 'runtime' or 'function'."""

    environment: str
    part: str
    duration_ms: float


@fact
class ExtensionInitFinished:
    """How far an extension has come when the init is over: `state` is 'Ready', or one that the Extensions API knows
    where the init failed; `events` are those that it asked for, `error_type` is its own word for what went wrong."""

    environment: str
    name: str
    state: str
    events: tuple[str, ...]
    error_type: str | None


@fact
class TelemetrySubscribed:
    """An extension subscribed to telemetry; `types` are of 'platform', 'function' and 'extension'."""

    environment: str
    name: str
    types: tuple[str, ...]


@fact
class InitFinished:
    """The init is over. `status` is 'success', 'error' or 'timeout'."""

    environment: str
    phase: str
    suppressed: bool
    status: str
    duration_ms: float
    error_type: str | None


@fact
class EnvironmentMeasured:
    """What its processes use while they work: memory, CPU time in percent of one core since the measurement before,
    and files in /tmp (None: too many to add them up). Told at most twice a second, and only where it has changed; once
    more when the work is over."""

    environment: str
    memory_mb: int
    cpu_percent: int
    tmp_mb: int | None


@fact
class EnvironmentFrozen:
    """Nothing to do: every process of the environment is stopped until the next invocation."""

    environment: str


@fact
class EnvironmentThawed:
    """The processes run on, just where they were."""

    environment: str


@fact
class EnvironmentShutdown:
    """The shutdown phase begins, which there is only with extensions: the runtime gets SIGTERM, then the extensions get
    SHUTDOWN with this `reason`, 'spindown', 'timeout' or 'failure'. A frozen environment is thawed for it."""

    environment: str
    reason: str


@fact
class EnvironmentReset:
    """The processes were killed; /tmp and the log stream stay. `because` is 'timeout' or 'failure'."""

    environment: str
    because: str


@fact
class EnvironmentRetired:
    """No further invocation will be placed here; it ends when the one in flight has finished."""

    environment: str
    because: str


@fact
class EnvironmentEnded:
    """The environment is gone, with its processes and its /tmp. `because` says why in a few words."""

    environment: str
    because: str


# -- invocations ----------------------------------------------------------------------------------------------------


@fact
class InvocationAccepted:
    """A caller asks. `payload` is the event as JSON text; `step` the number of the experiment's step, from 0, or
    None when fired by hand. `version` is what `qualifier`, an alias or a version, led to. `invocation_type` is
    'RequestResponse', 'Event' (asynchronous) or 'DryRun'. `source` is '' for a step and for what is fired by hand, else
    by what way it came: 'endpoint', 'function URL', 'destination', or 'recovered' where a laboratory that came to a
    sudden end had it in its queue."""

    request_id: str
    function: str
    version: str
    invocation_type: str
    payload: str
    step: int | None
    qualifier: str | None = None
    source: str = ""


@fact
class InvocationThrottled:
    """TooManyRequestsException; `reason` is the API's Reason. Nothing is logged for it."""

    request_id: str
    reason: str
    message: str


@fact
class InvocationPlaced:
    """The invocation has its environment. `cold_start`: that environment was made for it."""

    request_id: str
    environment: str
    cold_start: bool


@fact
class InvocationStarted:
    """The timeout's clock runs: at `deadline` the invocation is over. (Where an init is paid inside the invocation
    the clock starts before that init, and the START line is written after it.)"""

    request_id: str
    environment: str
    deadline: float


@fact
class InvocationStreamed:
    """The first byte of a streamed response reaches the caller."""

    request_id: str


@fact
class InvocationAnswered:
    """What the caller got: `status` is 'succeeded', 'failed' or 'timed_out', `payload` the body as text,
    `function_error` the X-Amz-Function-Error header ('Unhandled') or None.

    Where a streamed response broke off, the payload is the part that was sent, and the rest is what
    InvokeWithResponseStream tells at its end: `error_code`, an error type, and `error_details`, the error's body.
    """

    request_id: str
    status: str
    payload: str
    function_error: str | None
    error_code: str | None = None
    error_details: str | None = None


@fact
class InvocationFinished:
    """END and REPORT: the environment is done with it. `status` is how it ended here, which can be worse than what the
    caller was told (a runtime that exits after its response); `error_type` only where the REPORT line names one.
    `failure` is the service's own sentence about a timeout or an exit."""

    request_id: str
    environment: str
    status: str
    duration_ms: float
    billed_duration_ms: int
    init_duration_ms: float | None
    memory_size_mb: int
    max_memory_used_mb: int
    error_type: str | None
    failure: str | None = None


# -- asynchronous invocation ----------------------------------------------------------------------------------------


@fact
class EventQueued:
    """The event of an asynchronous invocation is in the queue, and comes out of it after `delay` seconds.

    `because` is 'accepted' (the caller got its 202 and nothing else), 'function error', 'throttled', and then `reason`
    is the API's Reason, or 'recovered': a laboratory that came to a sudden end had it in its queue.
    """

    request_id: str
    because: str
    delay: float
    reason: str | None = None


@fact
class AttemptStarted:
    """The event is out of the queue, to be handed to the function for the `attempt`-th time, counted from 1; the
    request id is always the same. A throttled attempt is made again by the same number."""

    request_id: str
    attempt: int


@fact
class EventConcluded:
    """Nothing more will be attempted. `condition` is that of destination records: 'Success', 'RetriesExhausted',
    'EventAgeExceeded', 'ZeroReservedConcurrency' or 'RecursiveInvocation'; or 'FunctionDeleted', which nobody is told.
    `attempts` is how often the function ran."""

    request_id: str
    condition: str
    attempts: int


@fact
class EventForwarded:
    """What became of the event was told to a destination. `by` is 'on_success', 'on_failure' or 'dead_letter', `to`
    the destination as it was configured, `record` what was sent, as JSON text; `error` says why it did not arrive."""

    request_id: str
    by: str
    to: str
    record: str
    error: str | None = None


# -- logs -----------------------------------------------------------------------------------------------------------


@fact
class LogWritten:
    """Log events appended to a stream, in order, without their final newline. `platform`: written by the service
    (INIT_START, START, END, REPORT...), else output of the function. `request_id` is None outside an invocation."""

    environment: str
    log_group: str
    log_stream: str
    request_id: str | None
    platform: bool
    lines: tuple[str, ...]


@fact
class LogGroupCreated:
    """Somebody made a log group; a function's comes into being, like its streams, when the first event is written to
    it."""

    log_group: str
    tags: dict[str, Json]


@fact
class LogGroupChanged:
    """Its settings are these now; `retention_in_days` is None where events are kept for ever."""

    log_group: str
    retention_in_days: int | None
    tags: dict[str, Json]


@fact
class LogGroupDeleted:
    """With all of its streams."""

    log_group: str


@fact
class LogStreamCreated:
    log_group: str
    log_stream: str


@fact
class LogStreamDeleted:
    log_group: str
    log_stream: str


@fact
class LogEventsPut:
    """Somebody appended log events to a stream (PutLogEvents), which may be events of the past: `timestamps` are in
    milliseconds since the epoch, one for each of `messages`."""

    log_group: str
    log_stream: str
    timestamps: tuple[int, ...]
    messages: tuple[str, ...]


# -- experiments ----------------------------------------------------------------------------------------------------


@fact
class ExperimentOpened:
    """An experiment begins from its first step, with nothing left of what was before (also after a restart).

    Each of `steps` is {name, say, action, predict: {ask, choices, answer} | None, expects: [str], explain, hints:
    [str], highlight: {function, file, pattern, lines: [first, last] | None} | None}, the texts in the language chosen,
    Markdown where the experiment file has Markdown; `action` is one line in words; `answer` counts from 1. `events`
    has, for functions that name one, the event (JSON text) they are invoked with by hand. `following` is the bundled
    experiment to try next, {name, title}.
    """

    title: str
    about: str
    path: str
    language: str
    steps: tuple[dict[str, Json], ...]
    events: Mapping[str, str] = field(default_factory=dict)
    following: Mapping[str, str] | None = None


@fact
class HintTaken:
    """Somebody asked for another hint to a step that has not run yet."""

    step: int


@fact
class PredictionMade:
    """Somebody said what will happen: `choice` counts from 1."""

    step: int
    choice: int


@fact
class StepStarted:
    step: int


@fact
class StepFinished:
    """`checks` are {expect, expected, actual, passed}, the first of them in words or plain JSON; `error` is one
    sentence when the step could not be carried out. `evidence` has for each check what shows it: {request_id, time,
    line}, the last two only where it is a line of the log (as it was written, and when); or None."""

    step: int
    passed: bool
    checks: tuple[dict[str, Json], ...]
    error: str | None
    evidence: tuple[dict[str, Json] | None, ...] = ()


@fact
class ExperimentFinished:
    passed: bool


Event: TypeAlias = (
    LaboratoryOpened
    | EndpointOpened
    | Noticed
    | OthersMayAct
    | RoleChanged
    | FunctionCreated
    | FunctionUpdated
    | FunctionDeleted
    | FunctionTagged
    | VersionPublished
    | AliasPointed
    | AliasDeleted
    | EventInvokeConfigChanged
    | PolicyChanged
    | ProvisionedConcurrencyChanged
    | FunctionUrlCreated
    | FunctionUrlChanged
    | FunctionUrlDeleted
    | LayerPublished
    | LayerDeleted
    | FunctionUpdateRejected
    | EnvironmentCreated
    | InitStarted
    | InitPhaseFinished
    | ExtensionInitFinished
    | TelemetrySubscribed
    | InitFinished
    | EnvironmentMeasured
    | EnvironmentFrozen
    | EnvironmentThawed
    | EnvironmentShutdown
    | EnvironmentReset
    | EnvironmentRetired
    | EnvironmentEnded
    | InvocationAccepted
    | InvocationThrottled
    | InvocationPlaced
    | InvocationStarted
    | InvocationStreamed
    | InvocationAnswered
    | InvocationFinished
    | EventQueued
    | AttemptStarted
    | EventConcluded
    | EventForwarded
    | LogWritten
    | LogGroupCreated
    | LogGroupChanged
    | LogGroupDeleted
    | LogStreamCreated
    | LogStreamDeleted
    | LogEventsPut
    | ExperimentOpened
    | HintTaken
    | PredictionMade
    | StepStarted
    | StepFinished
    | ExperimentFinished
)

_KINDS: dict[str, type[Event]] = {kind.__name__: kind for kind in get_args(Event)}
_TUPLES = {
    name: frozenset(field for field, kind in cls.__annotations__.items() if kind.startswith("tuple"))
    for name, cls in _KINDS.items()
}


def iso_time(seconds: float) -> str:
    """An instant as the service writes it, in UTC to the millisecond."""
    return datetime.fromtimestamp(seconds, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


@fact
class Record:
    """An event in the journal: its number, from 0 without gaps, and when it happened (seconds since the epoch)."""

    number: int
    time: float
    event: Event

    def to_json(self) -> dict[str, Any]:
        return {"number": self.number, "time": self.time, "event": type(self.event).__name__, **vars(self.event)}

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> Record:
        """The inverse of :meth:`to_json`; raises ValueError where the data is no record of this version."""
        try:
            fields = dict(data)
            name = fields.pop("event")
            number, time = int(fields.pop("number")), float(fields.pop("time"))
            for field in _TUPLES[name] & fields.keys():
                fields[field] = tuple(fields[field])
            return cls(number, time, _KINDS[name](**fields))
        except (KeyError, TypeError, ValueError) as error:
            raise ValueError(f"no event of this version of lambdatui: {error}") from None
