"""What the service refuses, in its own words. `code` is what the API calls the error."""

from __future__ import annotations

from collections.abc import Mapping


class ServiceRefusal(ValueError):
    """The service refuses what it was asked; the text is its message."""

    code = "ServiceException"
    details: Mapping[str, str] = {}
    """Further members of the error's body."""
    request_id: str | None = None
    """Under which the journal knows what was refused, if it does."""


class InvalidParameter(ServiceRefusal):
    """A configuration, a code package or a payload that the service does not take."""

    code = "InvalidParameterValueException"


class InvalidLogsParameter(ServiceRefusal):
    """What CloudWatch Logs does not take, by its own name for that."""

    code = "InvalidParameterException"


class ValidationFailed(ServiceRefusal):
    """Values that break the constraints of an operation's model; `code` is the same for every operation."""

    code = "ValidationException"


class SerializationFailed(ServiceRefusal):
    """A value of another type than the operation's model has."""

    code = "SerializationException"


class RuntimeMissing(InvalidParameter):
    """Nothing on this machine can run the function."""


class ResourceNotFound(ServiceRefusal):
    """There is no such function, version or alias, log group or log stream."""

    code = "ResourceNotFoundException"


class ResourceAlreadyExists(ServiceRefusal):
    """There is such a log group or log stream already."""

    code = "ResourceAlreadyExistsException"


class ResourceConflict(ServiceRefusal):
    """There is one already, or it cannot be changed in the state that it is in."""

    code = "ResourceConflictException"


class PreconditionFailed(ServiceRefusal):
    """It has changed since the revision that the caller knows."""

    code = "PreconditionFailedException"


class ProvisionedConcurrencyConfigNotFound(ServiceRefusal):
    """Nothing is provisioned there."""

    code = "ProvisionedConcurrencyConfigNotFoundException"


class PolicyLengthExceeded(ServiceRefusal):
    """A resource-based policy would be longer than it may be."""

    code = "PolicyLengthExceededException"


class InvalidRequestContent(ServiceRefusal):
    """The body is no JSON, or not of the shape that the operation takes."""

    code = "InvalidRequestContentException"


class RequestTooLarge(ServiceRefusal):
    """A payload or a package over its limit; the name on the wire is not that of the API's model."""

    code = "RequestEntityTooLargeException"


class TooManyRequests(ServiceRefusal):
    """There is no concurrency to be had; `reason` says whose limit it is."""

    code = "TooManyRequestsException"

    def __init__(self, reason: str, request_id: str) -> None:
        super().__init__("Rate Exceeded.")
        self.details = {"Reason": reason}
        self.request_id = request_id


class RecursiveInvocation(ServiceRefusal):
    """A function has led to its own invocation too often."""

    code = "RecursiveInvocationException"


class AccessDenied(ServiceRefusal):
    """The caller is known, and may not do that."""

    code = "AccessDeniedException"


class NotImplementedHere(ServiceRefusal):
    """The real service has it, this one does not."""

    code = "NotImplementedException"
