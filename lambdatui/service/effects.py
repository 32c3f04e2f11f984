"""What the lifecycle of an execution environment wants done."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TypeAlias

from lambdatui import events as ev


@dataclass(frozen=True)
class Spawn:
    """Start the runtime; answer with ProcessStarted, or Exited where it cannot be started."""


@dataclass(frozen=True)
class SpawnExtensions:
    """Start these; answer for each with ExtensionStarted or ExtensionNotLaunched."""

    names: tuple[str, ...]


@dataclass(frozen=True)
class Kill:
    """SIGKILL for every process there is; Exited or ExtensionExited follow."""


@dataclass(frozen=True)
class KillRuntime:
    """SIGKILL for the runtime's process."""


@dataclass(frozen=True)
class KillExtensions:
    """SIGKILL for the processes of these."""

    names: tuple[str, ...]


@dataclass(frozen=True)
class Terminate:
    """SIGTERM for the runtime's process."""


@dataclass(frozen=True)
class SendShutdown:
    """The SHUTDOWN event for these extensions."""

    names: tuple[str, ...]
    reason: str
    deadline: float


@dataclass(frozen=True)
class Freeze:
    pass


@dataclass(frozen=True)
class Thaw:
    pass


@dataclass(frozen=True)
class AnswerNext:
    """Give the runtime its invocation, and these extensions INVOKE."""

    request_id: str
    deadline: float
    extensions: tuple[str, ...] = ()


@dataclass(frozen=True)
class Reply:
    """Answer the caller: see :class:`lambdatui.events.InvocationAnswered`."""

    request_id: str
    status: str
    payload: str
    function_error: str | None
    error_code: str | None = None
    error_details: str | None = None


@dataclass(frozen=True)
class Send:
    """Pass on to the caller what the function has sent of its response."""

    request_id: str
    part: bytes


@dataclass(frozen=True)
class SetTimer:
    """Give TimeIsUp at this moment. Replaces the one before."""

    at: float


@dataclass(frozen=True)
class CancelTimer:
    pass


@dataclass(frozen=True)
class Emit:
    event: ev.Event


@dataclass(frozen=True)
class Released:
    """The environment is done with its invocation, or with an init ahead of the first, and could take one, unless it is
    retired."""


@dataclass(frozen=True)
class Ended:
    """Nothing is left of the processes."""


Effect: TypeAlias = (
    Spawn
    | SpawnExtensions
    | Kill
    | KillRuntime
    | KillExtensions
    | Terminate
    | SendShutdown
    | Freeze
    | Thaw
    | AnswerNext
    | Reply
    | Send
    | SetTimer
    | CancelTimer
    | Emit
    | Released
    | Ended
)
