"""Which function an operation is about. All ask here, so that who was let in for one function acts on no other."""

from __future__ import annotations

from lambdatui.aws.arns import FunctionReference, function_reference
from lambdatui.aws.call import Call
from lambdatui.refusal import InvalidParameter


def function_of(call: Call) -> FunctionReference:
    """The one that the path names, with the qualifier that stands there or in the query; of tags the one whose ARN
    it is. Raises ServiceRefusal."""
    if "FunctionName" in call.parameters:
        return function_reference(call.parameters["FunctionName"], call.query.get("Qualifier"))
    return function_reference(call.parameters["Resource"], member="resource")


def unqualified(call: Call) -> str:
    """Of an operation that is for a function as a whole. Raises ServiceRefusal."""
    function = function_of(call)
    if function.qualifier is not None:
        raise InvalidParameter(
            "This operation is permitted on Lambda functions only. Aliases and versions do not support this operation. "
            "Please specify either a function name or an unqualified function ARN."
        )
    return function.name
