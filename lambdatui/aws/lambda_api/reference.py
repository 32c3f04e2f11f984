"""Which function an operation is about, and whether the caller may do that with it."""

from __future__ import annotations

from lambdatui.aws.arns import FunctionReference, check_reachable, function_reference
from lambdatui.aws.call import Call
from lambdatui.service.service import Service


def function_of(call: Call, service: Service, action: str) -> FunctionReference:
    """The one that the path names, with the qualifier that stands there or in the query; `action` is one of IAM's
    without its prefix. Raises ServiceRefusal: there is but one account, and one region."""
    function = function_reference(call.parameters["FunctionName"], call.query.get("Qualifier"))
    check(call, service, action, function)
    return function


def check(call: Call, service: Service, action: str, function: FunctionReference) -> None:
    """Raises AccessDenied or ResourceNotFound."""
    own = service.arn_of(function.name)
    arn = f"{own}:{function.qualifier}" if function.qualifier else own
    check_reachable(function, own, call.caller.arn, f"lambda:{action}")
    call.caller.check(f"lambda:{action}", arn)
