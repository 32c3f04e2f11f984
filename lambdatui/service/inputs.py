"""What happens to an execution environment: what its lifecycle is given."""

from __future__ import annotations

from typing import TypeAlias

from lambdatui.fact import fact

EXIT_ERROR = "Runtime.ExitError"
OUT_OF_MEMORY = "Runtime.OutOfMemory"


@fact
class Invoke:
    """The scheduler placed an invocation here."""

    request_id: str


@fact
class ProcessStarted:
    """The runtime's exec happened: the init's clock starts, unless that of an extension was first."""


@fact
class ExtensionStarted:
    """The exec of an external extension happened."""

    name: str


@fact
class ExtensionRegistered:
    name: str
    external: bool
    events: tuple[str, ...]


@fact
class ExtensionNextRequested:
    """It asks for the next event. `memory_mb` as for NextRequested."""

    name: str
    memory_mb: int


@fact
class ExtensionErred:
    """It reported that its init failed, or why it will exit (`call`: 'init' or 'exit'), in its own word for it. What
    follows comes when it does exit."""

    name: str
    call: str
    error_type: str


@fact
class ExtensionExited:
    """Its process is gone and all it printed is written."""

    name: str
    reason: str
    memory_mb: int


@fact
class ExtensionNotLaunched:
    """Its program cannot be started; `error_type` as an EXTENSION line names it, 'PermissionDenied', say."""

    name: str
    reason: str
    error_type: str


@fact
class RuntimeInitDone:
    """The runtime turns to the function's own code."""


@fact
class NextRequested:
    """The runtime asks for the next invocation. `memory_mb` is the high-water mark of the environment's processes."""

    memory_mb: int


@fact
class Responded:
    body: str


@fact
class ResponseTooLarge:
    """The runtime posted a response over the limit and was refused."""

    limit: int


@fact
class ResponsePart:
    """Some of a response that the function streams."""

    data: bytes


@fact
class ResponseEnd:
    """All of a streamed response was sent; or, with an error type, the function failed in the middle of it."""

    error_type: str | None
    error_body: str


@fact
class Errored:
    """The runtime reports that the function failed."""

    body: str


@fact
class InitErrored:
    error_type: str
    body: str


@fact
class TimeIsUp:
    """The moment of the last SetTimer has come."""

    memory_mb: int


@fact
class Exited:
    """The process is gone and all it printed is written, or it could not be started at all."""

    reason: str
    memory_mb: int
    error_type: str = EXIT_ERROR


@fact
class Retire:
    """Its code or configuration is not the function's any more: end as soon as no invocation is in flight."""

    because: str


@fact
class ShutDown:
    """End, with a shutdown phase where there are extensions to notice it. No invocation is in flight."""

    because: str


@fact
class End:
    """End now, whatever is going on: nobody is told."""

    because: str


Input: TypeAlias = (
    Invoke
    | ProcessStarted
    | ExtensionStarted
    | ExtensionRegistered
    | ExtensionNextRequested
    | ExtensionErred
    | ExtensionExited
    | ExtensionNotLaunched
    | RuntimeInitDone
    | NextRequested
    | Responded
    | ResponseTooLarge
    | ResponsePart
    | ResponseEnd
    | Errored
    | InitErrored
    | TimeIsUp
    | Exited
    | Retire
    | ShutDown
    | End
)
