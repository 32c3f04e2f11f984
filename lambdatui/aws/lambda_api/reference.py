"""Which function an operation is about, and whether the caller may do that with it."""

from __future__ import annotations

from lambdatui.aws.arns import FunctionReference, function_reference
from lambdatui.aws.call import Call
from lambdatui.refusal import AccessDenied, ResourceNotFound
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
    region, account = own.split(":")[3:5]
    if function.account not in (None, account):
        raise AccessDenied(
            f"User: {call.caller.arn} is not authorized to perform: lambda:{action} on resource: "
            f"{arn.replace(account, function.account or '', 1)} "
            f"because no resource-based policy allows the lambda:{action} action"
        )
    if function.region not in (None, region):
        raise ResourceNotFound(f"Function not found: {arn.replace(region, function.region or '', 1)}")
    call.caller.check(f"lambda:{action}", arn)
