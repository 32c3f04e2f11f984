"""What the lifecycle of an execution environment wants done."""

from __future__ import annotations

from typing import TypeAlias

from lambdatui import events as ev
from lambdatui.fact import fact


@fact
class Spawn:
    """Start the runtime; answer with ProcessStarted, or Exited where it cannot be started."""


@fact
class SpawnExtensions:
    """Start these; answer for each with ExtensionStarted or ExtensionNotLaunched."""

    names: tuple[str, ...]


@fact
class Kill:
    """SIGKILL for every process there is; Exited or ExtensionExited follow."""


@fact
class KillRuntime:
    """SIGKILL for the runtime's process."""


@fact
class KillExtensions:
    """SIGKILL for the processes of these."""

    names: tuple[str, ...]


@fact
class Terminate:
    """SIGTERM for the runtime's process."""


@fact
class SendShutdown:
    """The SHUTDOWN event for these extensions."""

    names: tuple[str, ...]
    reason: str
    deadline: float


@fact
class Freeze:
    pass


@fact
class Thaw:
    pass


@fact
class AnswerNext:
    """Give the runtime its invocation, and these extensions INVOKE."""

    request_id: str
    deadline: float
    extensions: tuple[str, ...] = ()


@fact
class Reply:
    """Answer the caller: see :class:`lambdatui.events.InvocationAnswered`."""

    request_id: str
    status: str
    payload: str
    function_error: str | None
    error_code: str | None = None
    error_details: str | None = None


@fact
class Send:
    """Pass on to the caller what the function has sent of its response."""

    request_id: str
    part: bytes


@fact
class SetTimer:
    """Give TimeIsUp at this moment. Replaces the one before."""

    at: float


@fact
class CancelTimer:
    pass


@fact
class Emit:
    event: ev.Event


@fact
class Released:
    """The environment is done with its invocation, or with an init ahead of the first, and could take one, unless it is
    retired."""


@fact
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
