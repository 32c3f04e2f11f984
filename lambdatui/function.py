"""What a function is: its configuration, with Lambda's limits, and its code with the digest that identifies it.

The ranges are those of the service's quotas ("Lambda quotas", "Environment variables" in the developer guide), and a
refusal is worded as the service words it.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import asdict, dataclass, field, fields, replace
from functools import partial
from pathlib import Path
from typing import NamedTuple

from lambdatui import package
from lambdatui.events import Json
from lambdatui.package import MAX_UNZIPPED_BYTES, Member
from lambdatui.refusal import InvalidParameter

RUNTIMES = (
    *(f"python3.{minor}" for minor in range(8, 15)),
    *(f"nodejs{major}.x" for major in range(16, 25, 2)),
    *("java8.al2", "java11", "java17", "java21", "java25", "dotnet6", "dotnet8", "dotnet10"),
    *("ruby3.2", "ruby3.3", "ruby3.4", "provided.al2", "provided.al2023"),
)
"""The identifiers the service accepts."""

EVENT_INVOKE = frozenset({"maximum_retry_attempts", "maximum_event_age_in_seconds", "destination_config"})
"""Configuration keys that say how asynchronous invocations of $LATEST are treated."""

NOT_OF_ENVIRONMENTS = EVENT_INVOKE | {"reserved_concurrent_executions"}
"""Configuration keys that say how a function is invoked: the service changes them by calls of their own
(PutFunctionConcurrency, PutFunctionEventInvokeConfig), and environments stay as they are."""

MINIMUM_UNRESERVED = 100
"""Of an account's concurrency, so much cannot be reserved ("Configuring reserved concurrency")."""
MAX_ENVIRONMENT_BYTES = 4096
MAX_LAYERS = 5
MAX_DESCRIPTION = 256
ARCHITECTURES = ("x86_64", "arm64")
LOG_FORMATS = ("JSON", "Text")
APPLICATION_LOG_LEVELS = ("TRACE", "DEBUG", "INFO", "WARN", "ERROR", "FATAL")
SYSTEM_LOG_LEVELS = ("DEBUG", "INFO", "WARN")

_RANGES = {
    "timeout": ("timeout", 1, 900),
    "memory_size": ("memorySize", 128, 10240),
    "ephemeral_storage": ("ephemeralStorage.size", 512, 10240),
    "maximum_retry_attempts": ("maximumRetryAttempts", 0, 2),
    "maximum_event_age_in_seconds": ("maximumEventAgeInSeconds", 60, 21600),
}
_FUNCTION = r"(arn:aws:lambda:[a-z0-9-]+:\d{12}:)?function:[a-zA-Z0-9-_]{1,64}(:(\$LATEST|[a-zA-Z0-9-_]{1,128}))?"
_SERVICE = r"arn:aws[a-z-]*:(sqs|sns|events):[a-z0-9-]+:\d{12}:\S+"
_DESTINATION = re.compile(rf"{_FUNCTION}|{_SERVICE}|file:.+", re.DOTALL)
_DEAD_LETTER = re.compile(r"arn:aws[a-z-]*:(sqs|sns):[a-z0-9-]+:\d{12}:\S+|file:.+", re.DOTALL)
_RESERVED_VARIABLES = re.compile(
    r"AWS_LAMBDA_(?!EXEC_WRAPPER\b|NODEJS_)\w*|LAMBDA_\w*|_HANDLER|_X_AMZN_TRACE_ID|AWS_EXECUTION_ENV|AWS_(DEFAULT_)?REGION"
    r"|AWS_ACCESS_KEY(_ID)?|AWS_SECRET_ACCESS_KEY|AWS_SESSION_TOKEN"
)
_NO_VALUE = re.compile("[\0\ud800-\udfff]")
_NOT_DEPLOYED = re.compile(
    r"__pycache__|\.git|\.hg|\.svn|\.mypy_cache|\.ruff_cache|\.pytest_cache|\.venv|\.idea|\.vscode"
)
_EDITORS_OWN = re.compile(r".*~|\.#.*|#.*#|\..*\.sw[a-z]|4913|.*\.pyc|\.DS_Store|.*___jb_(tmp|old)___")


@dataclass(frozen=True)
class LoggingConfig:
    """How and where a function logs ("Configuring advanced logging controls for Lambda functions").

    The levels are for the JSON format alone, where they are INFO unless it is said otherwise."""

    log_format: str = "Text"
    application_log_level: str | None = None
    system_log_level: str | None = None
    log_group: str | None = None
    """None: /aws/lambda/ and the function's name."""

    @property
    def json(self) -> bool:
        return self.log_format == "JSON"

    @classmethod
    def from_json(cls, keys: Mapping[str, Json]) -> LoggingConfig:
        """Raises InvalidParameter for keys that there are not."""
        _refuse_unknown(keys, cls)
        return cls(**keys)  # type: ignore[arg-type]

    def violations(self) -> Iterator[str]:
        """What the service would not take, in its words."""
        for key, name, allowed in (
            ("log_format", "logFormat", LOG_FORMATS),
            ("application_log_level", "applicationLogLevel", APPLICATION_LOG_LEVELS),
            ("system_log_level", "systemLogLevel", SYSTEM_LOG_LEVELS),
        ):
            value = getattr(self, key)
            if value is not None and value not in allowed:
                yield (
                    f"Value '{value}' at 'loggingConfig.{name}' failed to satisfy constraint: "
                    f"Member must satisfy enum value set: [{', '.join(allowed)}]"
                )
        if self.log_group is not None and not re.fullmatch(r"[\.\-_/#A-Za-z0-9]{1,512}", self.log_group):
            yield (
                f"Value '{self.log_group}' at 'loggingConfig.logGroup' failed to satisfy constraint: Member must "
                r"satisfy regular expression pattern: [\.\-_/#A-Za-z0-9]+ and have length less than or equal to 512"
            )

    def check(self) -> None:
        """Raises InvalidParameter where valid values do not go together or are not to be had."""
        if not self.json and (self.application_log_level or self.system_log_level):
            raise InvalidParameter(
                'LogLevel is not supported when LogFormat is set to "Text". '
                'Remove LogLevel from your request or change the LogFormat to "Json" and try again.'
            )
        if self.log_group is not None and self.log_group.lower().startswith("aws/"):
            raise InvalidParameter("Log groups starting with AWS/ are reserved for AWS.")


@dataclass(frozen=True)
class Configuration:
    """A function's configuration; the names are the Lambda API's own, in snake_case."""

    handler: str
    runtime: str | None = None
    """None: the Python that the laboratory itself runs on."""
    description: str = ""
    architectures: tuple[str, ...] = ("x86_64",)
    """As the function was told; it runs on what the machine has."""
    python: str | None = None
    """The interpreter (its path) that runs the function; not Lambda's, for functions with a virtual environment."""
    timeout: int = 3
    """Seconds."""
    memory_size: int = 128
    """MB."""
    ephemeral_storage: int = 512
    """MB of /tmp."""
    environment: Mapping[str, str] = field(default_factory=dict)
    reserved_concurrent_executions: int | None = None
    role: str | None = None
    """The execution role, by name or ARN; None: one that may log and nothing else."""
    layers: tuple[str, ...] = ()
    """Folders, .zip files and ARNs of published layers, whose content is laid over /opt, the later over the earlier."""
    maximum_retry_attempts: int | None = None
    """Of an asynchronous invocation whose function failed; None: 2. This and the next two hold for $LATEST alone:
    versions and aliases have their own."""
    maximum_event_age_in_seconds: int | None = None
    """For which the event of an asynchronous invocation stays in the queue; None: six hours."""
    destination_config: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    """`on_success` and `on_failure`, each a mapping with `destination`: the ARN of a function of the laboratory, also
    as `function:NAME`, of an SQS queue, an SNS topic, an EventBridge bus, or `file:PATH`."""
    dead_letter_config: Mapping[str, str] | None = None
    """`target_arn`: the ARN of an SQS queue or an SNS topic, or `file:PATH`."""

    @property
    def on_success(self) -> str | None:
        return self.destination_config.get("on_success", {}).get("destination")

    @property
    def on_failure(self) -> str | None:
        return self.destination_config.get("on_failure", {}).get("destination")

    @property
    def dead_letter(self) -> str | None:
        return self.dead_letter_config["target_arn"] if self.dead_letter_config else None

    logging_config: LoggingConfig = LoggingConfig()

    def __post_init__(self) -> None:
        violations = [
            f"Value '{value}' at '{name}' failed to satisfy constraint: Member must have value {rule}"
            for key, (name, low, high) in _RANGES.items()
            for value in [getattr(self, key)]
            if value is not None
            for rule in [_out_of_range(value, low, high)]
            if rule
        ]
        if not re.fullmatch(r"[^\s\0]{1,128}", self.handler):
            violations.append(
                f"Value '{self.handler}' at 'handler' failed to satisfy constraint: "
                r"Member must satisfy regular expression pattern: [^\s]+ and have length less than or equal to 128"
            )
        if self.runtime is not None and self.runtime not in RUNTIMES:
            violations.append(
                f"Value {self.runtime} at 'runtime' failed to satisfy constraint: "
                f"Member must satisfy enum value set: [{', '.join(RUNTIMES)}] or be a valid ARN"
            )
        if self.reserved_concurrent_executions is not None and self.reserved_concurrent_executions < 0:
            violations.append(
                f"Value '{self.reserved_concurrent_executions}' at 'reservedConcurrentExecutions' failed to satisfy "
                "constraint: Member must have value greater than or equal to 0"
            )
        if len(self.description) > MAX_DESCRIPTION:
            violations.append(
                f"Value '{self.description}' at 'description' failed to satisfy constraint: "
                f"Member must have length less than or equal to {MAX_DESCRIPTION}"
            )
        if [*self.architectures] not in [[each] for each in ARCHITECTURES]:
            violations.append(
                f"Value '[{', '.join(self.architectures)}]' at 'architectures' failed to satisfy constraint: "
                f"Member must satisfy constraint: [Member must satisfy enum value set: [{', '.join(ARCHITECTURES)}]]"
            )
        if len(self.layers) > MAX_LAYERS:
            violations.append(
                f"Value '[{', '.join(self.layers)}]' at 'layers' failed to satisfy constraint: "
                f"Member must have length less than or equal to {MAX_LAYERS}"
            )
        violations += self._unreachable()
        violations += [
            f"Value '{name}' at 'environment' failed to satisfy constraint: "
            "Member must satisfy regular expression pattern: [a-zA-Z]([a-zA-Z0-9_])+"
            for name in self.environment
            if not re.fullmatch(r"[a-zA-Z]([a-zA-Z0-9_])+", name) and not _RESERVED_VARIABLES.fullmatch(name)
        ]
        violations += self.logging_config.violations()
        if violations:
            plural = "s" if len(violations) > 1 else ""
            raise InvalidParameter(f"{len(violations)} validation error{plural} detected: {'; '.join(violations)}")
        self._check_environment()
        self.logging_config.check()

    def _unreachable(self) -> Iterator[str]:
        for place, destination in (("onSuccess", self.on_success), ("onFailure", self.on_failure)):
            if destination is not None and not _DESTINATION.fullmatch(destination):
                yield (
                    f"Value '{destination}' at 'destinationConfig.{place}.destination' failed to satisfy constraint: "
                    "Member must be the ARN of a function, an SQS queue, an SNS topic or an EventBridge bus, "
                    "function:NAME or file:PATH"
                )
        if self.dead_letter is not None and not _DEAD_LETTER.fullmatch(self.dead_letter):
            yield (
                f"Value '{self.dead_letter}' at 'deadLetterConfig.targetArn' failed to satisfy constraint: "
                "Member must be the ARN of an SQS queue or an SNS topic, or file:PATH"
            )

    def _check_environment(self) -> None:
        prefix = (
            "Lambda was unable to configure your environment variables because "
            "the environment variables you have provided "
        )
        if reserved := [name for name in self.environment if _RESERVED_VARIABLES.fullmatch(name)]:
            raise InvalidParameter(
                f"{prefix}contains reserved keys that are currently not supported for modification. "
                f"Reserved keys used in this request: {', '.join(reserved)}"
            )
        if unfit := [name for name, value in self.environment.items() if _NO_VALUE.search(value)]:
            raise InvalidParameter(f"{prefix}have values that no process can be given: {', '.join(unfit)}")
        measured = json.dumps(dict(self.environment), separators=(",", ":"), ensure_ascii=False)
        if len(measured.encode()) > MAX_ENVIRONMENT_BYTES:
            raise InvalidParameter(f"{prefix}exceeded the 4KB limit. String measured: {measured}")

    def updated(self, changes: Mapping[str, Json]) -> Configuration:
        """With these keys changed; raises InvalidParameter where the service would refuse."""
        _refuse_unknown(changes, Configuration)
        for key, value in changes.items():
            if not _TYPES[key].fits(value):
                raise InvalidParameter(f"'{key}' must be {_TYPES[key].words}, not {json.dumps(value)}")
        values: dict[str, object] = {**changes}
        for key in {"layers", "architectures"} & changes.keys():
            values[key] = tuple(changes[key])  # type: ignore[arg-type]
        if isinstance(logging_config := changes.get("logging_config"), Mapping):
            values["logging_config"] = LoggingConfig.from_json(logging_config)
        return replace(self, **values)  # type: ignore[arg-type]

    def to_json(self) -> dict[str, Json]:
        destinations: Json = {name: dict(each) for name, each in self.destination_config.items()}
        return {
            **asdict(self),
            "environment": dict(self.environment),
            "layers": list(self.layers),
            "architectures": list(self.architectures),
            "destination_config": destinations,
            "dead_letter_config": dict(self.dead_letter_config) if self.dead_letter_config else None,
        }


@dataclass(frozen=True)
class _Type:
    words: str
    fits: Callable[[Json], bool]


def _is_number(value: Json) -> bool:
    return isinstance(value, int) and not isinstance(value, bool)


def _is_texts(value: Json) -> bool:
    return isinstance(value, list) and all(isinstance(each, str) for each in value)


def _is_variables(value: Json) -> bool:
    return isinstance(value, dict) and all(isinstance(each, str) for each in value.values())


def _is_only(key: str, value: Json) -> bool:
    """A mapping of this key to a text."""
    return isinstance(value, dict) and value.keys() == {key} and isinstance(value[key], str)


def _is_destinations(value: Json) -> bool:
    known = {"on_success", "on_failure"}
    return (
        isinstance(value, dict) and value.keys() <= known and all(map(partial(_is_only, "destination"), value.values()))
    )


def _is_logging(value: Json) -> bool:
    return isinstance(value, dict) and all(each is None or isinstance(each, str) for each in value.values())


_TEXT = _Type("a text", lambda value: isinstance(value, str))
_TEXT_OR_NOTHING = _Type("a text or null", lambda value: value is None or isinstance(value, str))
_NUMBER = _Type("a whole number", _is_number)
_NUMBER_OR_NOTHING = _Type("a whole number or null", lambda value: value is None or _is_number(value))
_TYPES: Mapping[str, _Type] = {
    "handler": _TEXT,
    "runtime": _TEXT_OR_NOTHING,
    "description": _TEXT,
    "architectures": _Type("a list of texts", _is_texts),
    "python": _TEXT_OR_NOTHING,
    "timeout": _NUMBER,
    "memory_size": _NUMBER,
    "ephemeral_storage": _NUMBER,
    "environment": _Type("a mapping of names to texts", _is_variables),
    "reserved_concurrent_executions": _NUMBER_OR_NOTHING,
    "role": _TEXT_OR_NOTHING,
    "layers": _Type("a list of paths", _is_texts),
    "maximum_retry_attempts": _NUMBER_OR_NOTHING,
    "maximum_event_age_in_seconds": _NUMBER_OR_NOTHING,
    "destination_config": _Type(
        "a mapping of on_success and on_failure to mappings with a 'destination'", _is_destinations
    ),
    "dead_letter_config": _Type(
        "a mapping with a 'target_arn' or null",
        lambda value: value is None or _is_only("target_arn", value),
    ),
    "logging_config": _Type("a mapping of names to texts", _is_logging),
}
"""What JSON may have there."""


def parse_json(text: str) -> Json:
    """Without what Python's parser takes beyond JSON: NaN and Infinity. Raises ValueError or RecursionError."""
    value: Json = json.loads(text, parse_constant=_refuse_constant)
    return value


def _refuse_constant(name: str) -> Json:
    raise ValueError(f"{name} is no JSON")


def _refuse_unknown(keys: Iterable[str], of: type[Configuration | LoggingConfig]) -> None:
    known = {each.name for each in fields(of)}
    if unknown := [key for key in keys if key not in known]:
        raise InvalidParameter(f"Unknown parameter in input: {', '.join(map(repr, unknown))}")


def check_reserves(concurrent_executions: int, reserves: Iterable[int | None]) -> None:
    """Whether an account with this limit can give its functions these reserved concurrencies; raises
    InvalidParameter."""
    if sum(each or 0 for each in reserves) > max(concurrent_executions - MINIMUM_UNRESERVED, 0):
        raise InvalidParameter(
            "Specified ReservedConcurrentExecutions for function decreases account's UnreservedConcurrentExecution "
            f"below its minimum value of [{MINIMUM_UNRESERVED}]."
        )


def check_provisioned(concurrent_executions: int, reserved: int | None, requested: int) -> None:
    """Whether a function with this reserved concurrency can have `requested` environments initialised ahead; raises
    InvalidParameter."""
    if reserved is not None and requested > reserved:
        raise InvalidParameter(
            "Requested Provisioned Concurrency should not be greater than the reservedConcurrentExecution for function"
        )
    if reserved is None and requested > (left := max(concurrent_executions - MINIMUM_UNRESERVED, 0)):
        raise InvalidParameter(
            f"Specified ConcurrentExecutions for function is greater than account's unreserved concurrency [{left}]."
        )


def _out_of_range(value: int, low: int, high: int) -> str | None:
    if value > high:
        return f"less than or equal to {high}"
    return f"greater than or equal to {low}" if value < low else None


# -- code -----------------------------------------------------------------------------------------------------------


class Deployed(NamedTuple):
    """What was deployed: the digest that identifies it (hexadecimal SHA-256), of the package itself where it is one,
    else of names and contents; the bytes of the package, and of its files."""

    digest: str
    size: int
    unzipped: int


@dataclass(frozen=True)
class Code:
    """Where a function's code comes from: a folder, a .zip, or the text of one module (`source`, whose file is `name`).

    Deploying copies it, so environments in flight keep the code they began with while its files change.
    """

    path: Path | None = None
    source: str = ""
    name: str = ""
    uploaded: bool = False
    """It came over the API; `path` is the laboratory's own copy."""

    @property
    def location(self) -> str:
        if self.uploaded:
            return "uploaded"
        return str(self.path) if self.path else "inline"

    @property
    def folder(self) -> Path | None:
        """The folder to watch for hot reload, if it is one."""
        return self.path if self.path and self.path.is_dir() else None

    def deploy(self, into: Path, overlay: Mapping[str, str]) -> Deployed:
        """Write the files, those of `overlay` (name to text) laid over them, below the empty folder `into`. Raises
        InvalidParameter or OSError."""
        with contextlib.ExitStack() as opened:
            members = {member.name: member for member in self._members(opened)}
            members |= {
                name: _text(name, text, executable=name in members and members[name].executable)
                for name, text in overlay.items()
            }
            if sum(member.size for member in members.values()) > MAX_UNZIPPED_BYTES:
                raise InvalidParameter(f"Unzipped size must be smaller than {MAX_UNZIPPED_BYTES} bytes")
            digest, size = hashlib.sha256(), 0
            for name, member in sorted(members.items()):
                try:
                    content = member.read()
                except FileNotFoundError:  # an editor's own file, gone between listing and reading
                    continue
                size += len(content)
                head = f"{name}\0{member.executable:d}\0{len(content)}\0"
                digest.update(head.encode(errors="surrogateescape") + content)
                file = into / name
                file.parent.mkdir(parents=True, exist_ok=True)
                file.write_bytes(content)
                file.chmod(0o755 if member.executable else 0o644)
        if self.path and not self.path.is_dir() and not overlay:
            with self.path.open("rb") as package:
                return Deployed(hashlib.file_digest(package, "sha256").hexdigest(), self.path.stat().st_size, size)
        return Deployed(digest.hexdigest(), size, size)

    def _members(self, opened: contextlib.ExitStack) -> Iterator[Member]:
        """Every file that is deployed. They are read one by one, so that only one at a time is in memory."""
        if self.path is None:
            yield _text(self.name, self.source)
        elif self.path.is_dir():
            for name, file in _files_below(self.path):
                with contextlib.suppress(FileNotFoundError):
                    status = file.stat()
                    yield Member(name.as_posix(), status.st_size, bool(status.st_mode & 0o100), file.read_bytes)
        else:
            yield from package.members(self.path, opened)


def _text(name: str, text: str, *, executable: bool = False) -> Member:
    content = text.encode()
    return Member(name, len(content), executable, lambda: content)


def is_deployed(name: Path) -> bool:
    """Whether a file of a code folder (relative path) belongs to the code: caches, version control and what editors
    leave beside a file that is being saved do not."""
    return not any(_NOT_DEPLOYED.fullmatch(part) for part in name.parts) and not _EDITORS_OWN.fullmatch(name.name)


def _files_below(folder: Path) -> Iterator[tuple[Path, Path]]:
    """Relative name and path of every file that is deployed, those behind links included, as `zip -r` has them."""
    for parent, folders, files in os.walk(folder, followlinks=True):
        here = Path(parent)
        name = here.relative_to(folder)
        around = {(folder / above).resolve() for above in (name, *name.parents)}
        folders[:] = [each for each in folders if is_deployed(name / each) and (here / each).resolve() not in around]
        yield from (
            (name / each, here / each) for each in files if is_deployed(name / each) and (here / each).is_file()
        )
