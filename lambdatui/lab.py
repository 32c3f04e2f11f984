"""The state of the laboratory as a fold over events.

`Lab.apply` is the only thing that changes it. Screens, checks and reports read it; the same records give the same
state, which is how a saved journal shows the same screens again.
"""

from __future__ import annotations

from bisect import insort
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, fields, replace

from lambdatui import events as ev
from lambdatui.events import Json
from lambdatui.history import Activity, Arrivals, History


@dataclass
class Function:
    """A function as it is configured now; `generation` grows with each change of code or configuration."""

    name: str
    arn: str
    generation: int
    configuration: dict[str, Json]
    code_sha256: str
    code_location: str
    updated_because: str = ""
    updated_at: float | None = None
    previous_code_sha256: str | None = None
    changed: tuple[str, ...] = ()
    versions: dict[str, Version] = field(default_factory=dict)
    """Published ones, by their number."""
    aliases: dict[str, Alias] = field(default_factory=dict)
    event_invoke_configs: dict[str, dict[str, Json]] = field(default_factory=dict)
    """Of versions and aliases, by qualifier."""
    policies: dict[str | None, tuple[dict[str, Json], ...]] = field(default_factory=dict)
    """Statements of resource-based policies, by qualifier; None for the function's own."""
    tags: dict[str, str] = field(default_factory=dict)
    urls: dict[str | None, FunctionUrl] = field(default_factory=dict)
    """By the alias that they lead to; None is $LATEST."""
    arrivals: Arrivals = field(default_factory=Arrivals)
    files: Mapping[str, str] = field(default_factory=dict)
    """The text of its code, as in FunctionCreated."""
    previous_files: Mapping[str, str] | None = None
    """The same before it last changed."""


@dataclass(frozen=True)
class FunctionUrl:
    """Where it answers, and how it is configured now."""

    url: str
    configuration: dict[str, Json]


@dataclass(frozen=True)
class Version:
    number: str
    configuration: dict[str, Json]
    code_sha256: str


@dataclass(frozen=True)
class Alias:
    """`weights` are the shares of other versions, from 0 to 1; `version` gets the rest."""

    name: str
    version: str
    weights: dict[str, float]


@dataclass
class Environment:
    """An execution environment. `state`: 'created' (waits for its start), 'init', 'busy', 'idle' (warm, frozen
    between invocations), 'shutdown' (its runtime and extensions are told to end), 'reset' (its processes were killed;
    the next invocation pays a suppressed init), 'ended'."""

    id: str
    function: str
    generation: int
    code_sha256: str
    log_group: str
    log_stream: str
    created_because: str
    created_at: float
    version: str = "$LATEST"
    initialization_type: str = "on-demand"
    state: str = "created"
    frozen: bool = False
    retired: bool = False
    init_phase: str | None = None
    init_suppressed: bool = False
    init_started_at: float | None = None
    init_status: str | None = None
    init_duration_ms: float | None = None
    init_parts_ms: dict[str, float] = field(default_factory=dict)
    extensions: dict[str, str] = field(default_factory=dict)
    """How far each had come when the init was over: 'Ready', if all went well."""
    invocations: int = 0
    """Invocations that were started here."""
    current: str | None = None
    """Request id of the invocation in flight."""
    deadline: float | None = None
    last_status: str | None = None
    """Status of the last invocation that ended here."""
    max_memory_used_mb: int | None = None
    memory_mb: int | None = None
    """What its processes hold, as it was measured last; None without processes, too, as is the next."""
    cpu_percent: int | None = None
    """Of one core."""
    tmp_mb: int | None = None
    configuration: dict[str, Json] = field(default_factory=dict)
    """The function's, of the generation that it runs."""
    last_used_at: float | None = None
    ended_because: str | None = None
    ended_at: float | None = None
    history: History = field(init=False)

    def __post_init__(self) -> None:
        self.history = History(self.created_at)

    @property
    def cold(self) -> bool:
        """No invocation has finished its init here yet: the one in flight, if any, is a cold start."""
        return not self.provisioned and self.invocations <= 1 and self.last_status is None

    @property
    def provisioned(self) -> bool:
        """Initialised ahead of any invocation."""
        return self.initialization_type == "provisioned-concurrency"


@dataclass
class Invocation:
    """`status`: 'pending' (accepted, or its environment is in init), 'running', then 'succeeded', 'failed',
    'timed_out' or 'throttled' once the caller is answered; `finished_at` is set when the environment is done too.

    An asynchronous one can have several attempts: all that is said here is said of the last."""

    request_id: str
    function: str
    version: str
    invocation_type: str
    event: str
    step: int | None
    accepted_at: float
    number: int
    """From 1, in order of acceptance."""
    status: str = "pending"
    environment: str | None = None
    cold_start: bool | None = None
    log_group: str | None = None
    log_stream: str | None = None
    started_at: float | None = None
    deadline: float | None = None
    answered_at: float | None = None
    finished_at: float | None = None
    payload: str | None = None
    function_error: str | None = None
    error_code: str | None = None
    """The type of the error that broke off a streamed response."""
    error_details: str | None = None
    """The body of that error."""
    first_byte_at: float | None = None
    """Of a streamed response."""
    throttle_reason: str | None = None
    qualifier: str | None = None
    duration_ms: float | None = None
    billed_duration_ms: int | None = None
    init_duration_ms: float | None = None
    memory_size_mb: int | None = None
    max_memory_used_mb: int | None = None
    error_type: str | None = None
    attempt: int = 1
    earlier: list[Invocation] = field(default_factory=list)
    """How it stood at the end of each attempt before."""
    due_at: float | None = None
    """When the event comes out of the queue, if it is in there."""
    condition: str | None = None
    """How an event's way ended, as in EventConcluded."""
    forwarded: list[ev.EventForwarded] = field(default_factory=list)
    source: str = ""
    """By what way it came, as in InvocationAccepted."""

    @property
    def attempts(self) -> list[Invocation]:
        """How it stood at the end of each attempt; the last is this one itself."""
        return [*self.earlier, self]

    @property
    def first_byte_ms(self) -> float | None:
        """From the start of the invocation to the first byte of its response, where that was streamed."""
        if self.first_byte_at is None or self.started_at is None:
            return None
        return round((self.first_byte_at - self.started_at) * 1000, 3)

    @property
    def done(self) -> bool:
        """The caller has its answer, and the environment, where there was one, has finished with it; no further
        attempt will be made."""
        if self.invocation_type == "Event":
            return self.condition is not None
        answered = self.answered_at is not None
        return self.finished_at is not None or (answered and self.environment is None)


_OF_THE_WHOLE = {
    *("request_id", "function", "version", "invocation_type", "event", "step", "accepted_at", "number", "qualifier"),
    *("attempt", "earlier", "condition", "forwarded", "source"),
}
_OF_AN_ATTEMPT = [each for each in fields(Invocation) if each.name not in _OF_THE_WHOLE]


@dataclass(frozen=True, slots=True)
class LogEvent:
    """`number` counts all log events of the laboratory, in the order of their arrival. What somebody put arrived at
    `put_at`, and may be of another `time`; it is None for what came from an environment."""

    time: float
    text: str
    request_id: str | None
    platform: bool
    number: int
    put_at: float | None = None

    @property
    def timestamp(self) -> int:
        """Milliseconds since the epoch."""
        return round(self.time * 1000)

    @property
    def order(self) -> tuple[int, int]:
        """Of events in a stream, or in several."""
        return self.timestamp, self.number


@dataclass
class LogStream:
    """`events` are in the order of their time, and of their arrival where that is the same. `stored_bytes` are those of
    their texts in UTF-8."""

    group: str
    name: str
    created_at: float
    events: list[LogEvent] = field(default_factory=list)
    last_arrival: float | None = None
    stored_bytes: int = 0

    def add(self, event: LogEvent) -> None:
        if self.events and event.time < self.events[-1].time:
            insort(self.events, event, key=lambda each: each.order)
        else:
            self.events.append(event)
        self.stored_bytes += len(event.text) if event.text.isascii() else len(event.text.encode(errors="replace"))


@dataclass
class LogGroup:
    """Of functions that may not log there is none."""

    name: str
    created_at: float
    tags: dict[str, Json] = field(default_factory=dict)
    retention_in_days: int | None = None
    """None: for ever."""
    streams: dict[str, LogStream] = field(default_factory=dict)

    def stream(self, name: str, now: float) -> LogStream:
        """The stream of this name, which is made now if there is none."""
        if name not in self.streams:
            self.streams[name] = LogStream(self.name, name, now)
        return self.streams[name]


@dataclass
class Step:
    """`state`: 'waiting', 'running', 'passed' or 'failed'. Texts are those of the experiment, see ExperimentOpened."""

    name: str
    say: str
    action: str
    predict: dict[str, Json] | None
    expects: list[str]
    explain: str
    hints: list[str] = field(default_factory=list)
    highlight: dict[str, Json] | None = None
    state: str = "waiting"
    hints_taken: int = 0
    prediction: int | None = None
    checks: tuple[dict[str, Json], ...] = ()
    evidence: tuple[dict[str, Json] | None, ...] = ()
    error: str | None = None
    started_at: float | None = None
    finished_at: float | None = None

    @property
    def over(self) -> bool:
        return self.state in ("passed", "failed")

    @property
    def predicted_right(self) -> bool | None:
        """None where nothing was predicted."""
        if self.predict is None or self.prediction is None:
            return None
        return self.prediction == self.predict.get("answer")

    @property
    def duration_ms(self) -> float | None:
        """None until the step is over."""
        if self.started_at is None or self.finished_at is None:
            return None
        return (self.finished_at - self.started_at) * 1000


@dataclass
class Experiment:
    title: str
    about: str
    path: str
    language: str
    steps: list[Step]
    events: dict[str, str] = field(default_factory=dict)
    """What functions are invoked with by hand at first (JSON text), where they name it."""
    following: Mapping[str, str] | None = None
    """The bundled experiment to try next: name and title."""
    passed: bool | None = None
    """None until the last step is over."""

    @property
    def asked(self) -> int:
        """How many predictions it asks for."""
        return sum(step.predict is not None for step in self.steps)

    @property
    def right(self) -> int:
        """How many predictions were right."""
        return sum(step.predicted_right is True for step in self.steps)

    @property
    def hints_taken(self) -> int:
        return sum(step.hints_taken for step in self.steps)

    @property
    def next_step(self) -> int | None:
        """Index of the first step that is not over (it may be running), None after the last."""
        return next((i for i, step in enumerate(self.steps) if step.state in ("waiting", "running")), None)


@dataclass
class Notice:
    time: float
    level: str
    message: str


class Lab:
    """Everything there is to see. Dictionaries keep the order of creation."""

    def __init__(self) -> None:
        self.laboratory: ev.LaboratoryOpened | None = None
        self.endpoint: str | None = None
        """Where clients of AWS find the laboratory."""
        self.others_may_act = False
        """Whether attached screens may do more than watch."""
        self.notices: list[Notice] = []
        self.rejections: list[ev.FunctionUpdateRejected] = []
        self._clear()

    def _clear(self) -> None:
        self.roles: dict[str, ev.RoleChanged] = {}
        """As they are now."""
        self.functions: dict[str, Function] = {}
        self.layers: dict[str, ev.LayerPublished] = {}
        """Versions that were published and not deleted, by ARN."""
        self.environments: dict[str, Environment] = {}
        self.invocations: dict[str, Invocation] = {}
        self.log_groups: dict[str, LogGroup] = {}
        self.log_events = 0
        """How many there have been."""
        self.provisioned: dict[tuple[str, str], ev.ProvisionedConcurrencyChanged] = {}
        """By function and qualifier, as it was said last."""
        self.experiment: Experiment | None = None
        self.activity = Activity()

    def logs_of(self, request_id: str) -> list[LogEvent]:
        """The log events of one invocation, all of its attempts: those that carry its request id. (Those of an init
        belong to none.)"""
        places = dict.fromkeys((each.log_group, each.log_stream) for each in self.invocations[request_id].attempts)
        streams = (self.stream(*place) for place in places)
        return [event for stream in streams if stream for event in stream.events if event.request_id == request_id]

    @property
    def streams(self) -> Iterator[LogStream]:
        """Of all log groups."""
        return (stream for group in self.log_groups.values() for stream in group.streams.values())

    def stream(self, group: str | None, name: str | None) -> LogStream | None:
        """The log stream, an environment's or another, if there is one: not before its first event, nor for a function
        that may not log."""
        return self.log_groups[group].streams.get(name or "") if group in self.log_groups else None

    def apply(self, record: ev.Record) -> None:
        """Fold one record in. Events about things that a restart has swept away are passed over."""
        time = record.time
        match record.event:
            case ev.LaboratoryOpened() as event:
                self.laboratory = event
            case ev.EndpointOpened() as event:
                self.endpoint = event.url
            case ev.OthersMayAct() as event:
                self.others_may_act = event.allowed
            case ev.Noticed() as event:
                self.notices.append(Notice(time, event.level, event.message))
            case ev.RoleChanged() as event:
                self.roles[event.role] = event
            case ev.FunctionCreated() as event:
                self.functions[event.function] = Function(
                    event.function,
                    event.arn,
                    event.generation,
                    event.configuration,
                    event.code_sha256,
                    event.code_location,
                    files=event.files,
                )
            case ev.FunctionUpdated() as event if function := self.functions.get(event.function):
                function.generation = event.generation
                function.configuration = event.configuration
                function.code_sha256 = event.code_sha256
                function.previous_code_sha256 = event.previous_code_sha256
                function.updated_because, function.changed = event.because, event.changed
                function.updated_at = time
                if event.code_sha256 != event.previous_code_sha256:
                    function.files, function.previous_files = event.files, function.files
                if event.because == "upload":
                    function.code_location = "uploaded"
            case ev.FunctionDeleted() as event if function := self.functions.get(event.function):
                for name, qualifier in list(self.provisioned):
                    told = self.provisioned[name, qualifier]
                    if name == event.function and event.version in (None, told.version):
                        del self.provisioned[name, qualifier]
                if event.version is None:
                    del self.functions[event.function]
                else:
                    function.versions.pop(event.version, None)
            case ev.FunctionTagged() as event if function := self.functions.get(event.function):
                function.tags = event.tags
            case ev.VersionPublished() as event if function := self.functions.get(event.function):
                version = Version(event.version, event.configuration, event.code_sha256)
                function.versions[event.version] = version
            case ev.AliasPointed() as event if function := self.functions.get(event.function):
                function.aliases[event.alias] = Alias(event.alias, event.version, event.weights)
            case ev.AliasDeleted() as event if function := self.functions.get(event.function):
                for kept in (function.aliases, function.event_invoke_configs, function.policies):
                    kept.pop(event.alias, None)
            case ev.EventInvokeConfigChanged() as event if function := self.functions.get(event.function):
                function.event_invoke_configs.pop(event.qualifier, None)
                if event.configuration is not None:
                    function.event_invoke_configs[event.qualifier] = event.configuration
            case ev.PolicyChanged() as event if function := self.functions.get(event.function):
                function.policies.pop(event.qualifier, None)
                if event.statements:
                    function.policies[event.qualifier] = event.statements
            case ev.ProvisionedConcurrencyChanged() as event:
                self.provisioned[event.function, event.qualifier] = event
            case ev.FunctionUrlCreated() as event if function := self.functions.get(event.function):
                function.urls[event.qualifier] = FunctionUrl(event.url, event.configuration)
            case ev.FunctionUrlChanged() as event if function := self.functions.get(event.function):
                url = function.urls[event.qualifier]
                function.urls[event.qualifier] = replace(url, configuration=event.configuration)
            case ev.FunctionUrlDeleted() as event if function := self.functions.get(event.function):
                function.urls.pop(event.qualifier, None)
            case ev.LayerPublished() as event:
                self.layers[event.arn] = event
            case ev.LayerDeleted() as event:
                self.layers.pop(event.arn, None)
            case ev.FunctionUpdateRejected() as event:
                self.rejections.append(event)
            case (
                ev.EnvironmentCreated()
                | ev.InitStarted()
                | ev.InitPhaseFinished()
                | ev.ExtensionInitFinished()
                | ev.InitFinished()
                | ev.EnvironmentMeasured()
                | ev.EnvironmentFrozen()
                | ev.EnvironmentThawed()
                | ev.EnvironmentShutdown()
                | ev.EnvironmentReset()
                | ev.EnvironmentRetired()
                | ev.EnvironmentEnded()
            ) as event:
                self._apply_environment(time, event)
            case (
                ev.InvocationAccepted()
                | ev.InvocationThrottled()
                | ev.InvocationPlaced()
                | ev.InvocationStarted()
                | ev.InvocationStreamed()
                | ev.InvocationAnswered()
                | ev.InvocationFinished()
                | ev.EventQueued()
                | ev.AttemptStarted()
                | ev.EventConcluded()
                | ev.EventForwarded()
            ) as event:
                self._apply_invocation(time, event)
            case (
                ev.LogWritten()
                | ev.LogGroupCreated()
                | ev.LogGroupChanged()
                | ev.LogGroupDeleted()
                | ev.LogStreamCreated()
                | ev.LogStreamDeleted()
                | ev.LogEventsPut()
            ) as event:
                self._apply_log(time, event)
            case (
                ev.ExperimentOpened()
                | ev.HintTaken()
                | ev.PredictionMade()
                | ev.StepStarted()
                | ev.StepFinished()
                | ev.ExperimentFinished()
            ) as event:
                self._apply_experiment(time, event)

    def _apply_environment(self, time: float, event: ev.Event) -> None:
        if isinstance(event, ev.EnvironmentCreated):
            self.environments[event.environment] = Environment(
                event.environment,
                event.function,
                event.generation,
                event.code_sha256,
                event.log_group,
                event.log_stream,
                event.because,
                time,
                event.version,
                event.initialization_type,
                configuration=self._configuration(event.function, event.version),
            )
            self.activity.change(time, 1)
            return
        environment = self.environments.get(event.environment)  # type: ignore[union-attr]
        if environment is None:
            return
        if isinstance(event, ev.EnvironmentMeasured):
            environment.memory_mb, environment.cpu_percent = event.memory_mb, event.cpu_percent
            environment.tmp_mb = event.tmp_mb
            return
        self._lengthen(environment.history, time, event)
        match event:
            case ev.InitStarted():
                environment.state = "init"
                environment.init_phase, environment.init_suppressed = event.phase, event.suppressed
                environment.init_started_at, environment.init_parts_ms = time, {}
                environment.extensions = {}
            case ev.InitPhaseFinished():
                environment.init_parts_ms[event.part] = event.duration_ms
            case ev.ExtensionInitFinished():
                environment.extensions[event.name] = event.state
            case ev.InitFinished():
                environment.init_status, environment.init_duration_ms = event.status, event.duration_ms
                environment.state = "busy" if environment.current else "idle"
            case ev.EnvironmentFrozen():
                environment.frozen, environment.state = True, "idle"
                environment.cpu_percent = None if environment.cpu_percent is None else 0
            case ev.EnvironmentThawed():
                environment.frozen, environment.state = False, "busy"
            case ev.EnvironmentShutdown():
                environment.state, environment.frozen = "shutdown", False
            case ev.EnvironmentReset():
                environment.state, environment.frozen = "reset", False
                environment.memory_mb = environment.cpu_percent = None
            case ev.EnvironmentRetired():
                environment.retired = True
            case ev.EnvironmentEnded():
                environment.state, environment.frozen = "ended", False
                environment.ended_because, environment.ended_at = event.because, time
                environment.memory_mb = environment.cpu_percent = environment.tmp_mb = None

    def _configuration(self, name: str, version: str) -> dict[str, Json]:
        function = self.functions.get(name)
        if function is None:
            return {}
        published = function.versions.get(version)
        return published.configuration if published else function.configuration

    def _apply_invocation(self, time: float, event: ev.Event) -> None:
        if isinstance(event, ev.InvocationAccepted):
            self.invocations[event.request_id] = Invocation(
                event.request_id,
                event.function,
                event.version,
                event.invocation_type,
                event.payload,
                event.step,
                time,
                len(self.invocations) + 1,
                qualifier=event.qualifier,
                source=event.source,
            )
            return
        invocation = self.invocations.get(event.request_id)  # type: ignore[union-attr, arg-type]
        if invocation is None:
            return
        environment = self.environments.get(invocation.environment or "")
        match event:
            case ev.InvocationThrottled():
                self.activity.change(time, 0)
                invocation.status, invocation.throttle_reason = "throttled", event.reason
                invocation.payload, invocation.answered_at = event.message, time
            case ev.InvocationPlaced():
                invocation.environment, invocation.cold_start = event.environment, event.cold_start
                if environment := self.environments.get(event.environment):
                    invocation.log_group, invocation.log_stream = environment.log_group, environment.log_stream
                    environment.current = event.request_id
                    self._lengthen(environment.history, time, event, invocation.attempt)
            case ev.InvocationStarted():
                invocation.status = "running"
                invocation.started_at, invocation.deadline = time, event.deadline
                if environment:
                    environment.invocations += 1
                    environment.deadline = event.deadline
                    environment.state = "busy"
                    self._lengthen(environment.history, time, event)
            case ev.InvocationStreamed():
                invocation.first_byte_at = time
            case ev.InvocationAnswered():
                invocation.error_code, invocation.error_details = event.error_code, event.error_details
                invocation.status, invocation.answered_at = event.status, time
                invocation.payload, invocation.function_error = event.payload, event.function_error
            case ev.InvocationFinished():
                invocation.finished_at = time
                invocation.duration_ms, invocation.billed_duration_ms = event.duration_ms, event.billed_duration_ms
                invocation.init_duration_ms = event.init_duration_ms
                invocation.memory_size_mb = event.memory_size_mb
                invocation.max_memory_used_mb = event.max_memory_used_mb
                invocation.error_type = event.error_type
                if environment:
                    environment.current = environment.deadline = None
                    environment.last_status, environment.last_used_at = event.status, time
                    environment.max_memory_used_mb = event.max_memory_used_mb
                    self._lengthen(environment.history, time, event)
            case ev.EventQueued():
                invocation.due_at = time + event.delay
                if event.because == "throttled":
                    invocation.status, invocation.throttle_reason = "throttled", event.reason
            case ev.AttemptStarted():
                if invocation.environment is not None:
                    invocation.earlier.append(replace(invocation, earlier=[], due_at=None))
                for attribute in _OF_AN_ATTEMPT:
                    setattr(invocation, attribute.name, attribute.default)
                invocation.attempt = event.attempt
            case ev.EventConcluded():
                invocation.condition, invocation.due_at = event.condition, None
                if invocation.status == "pending":
                    invocation.status = "failed" if event.condition == "RecursiveInvocation" else "throttled"
            case ev.EventForwarded():
                invocation.forwarded.append(event)
        if function := self.functions.get(invocation.function):
            function.arrivals.apply(time, event, invocation.attempt)

    def _lengthen(self, history: History, time: float, event: ev.Event, attempt: int = 1) -> None:
        was_active = history.active
        history.apply(time, event, attempt)
        self.activity.change(time, history.active - was_active)

    def _apply_log(self, time: float, event: ev.Event) -> None:
        match event:
            case ev.LogWritten() if event.environment in self.environments:
                group = self.log_groups.setdefault(event.log_group, LogGroup(event.log_group, time))
                stream = group.stream(event.log_stream, time)
                for line in event.lines:
                    self._add(stream, time, LogEvent(time, line, event.request_id, event.platform, self.log_events))
            case ev.LogEventsPut() if put_to := self.stream(event.log_group, event.log_stream):
                for timestamp, message in zip(event.timestamps, event.messages, strict=True):
                    self._add(put_to, time, LogEvent(timestamp / 1000, message, None, False, self.log_events, time))
            case ev.LogGroupCreated():
                self.log_groups[event.log_group] = LogGroup(event.log_group, time, event.tags)
            case ev.LogGroupDeleted():
                self.log_groups.pop(event.log_group, None)
            case ev.LogGroupChanged() if changed := self.log_groups.get(event.log_group):
                changed.retention_in_days, changed.tags = event.retention_in_days, event.tags
            case ev.LogStreamCreated() if holder := self.log_groups.get(event.log_group):
                holder.stream(event.log_stream, time)
            case ev.LogStreamDeleted() if holder := self.log_groups.get(event.log_group):
                holder.streams.pop(event.log_stream, None)

    def _add(self, stream: LogStream, now: float, event: LogEvent) -> None:
        stream.add(event)
        stream.last_arrival = now
        self.log_events += 1

    def _apply_experiment(self, time: float, event: ev.Event) -> None:
        if isinstance(event, ev.ExperimentOpened):
            self._clear()
            steps = [Step(**step) for step in event.steps]  # type: ignore[arg-type]
            self.experiment = Experiment(
                event.title, event.about, event.path, event.language, steps, dict(event.events), event.following
            )
            return
        if self.experiment is None:
            return
        match event:
            case ev.HintTaken():
                self.experiment.steps[event.step].hints_taken += 1
            case ev.PredictionMade():
                self.experiment.steps[event.step].prediction = event.choice
            case ev.StepStarted():
                step = self.experiment.steps[event.step]
                step.state, step.started_at = "running", time
            case ev.StepFinished():
                step = self.experiment.steps[event.step]
                step.state = "passed" if event.passed else "failed"
                step.checks, step.error, step.finished_at = event.checks, event.error, time
                step.evidence = event.evidence
            case ev.ExperimentFinished():
                self.experiment.passed = event.passed
