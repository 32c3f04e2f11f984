"""The Lambda API: which operation a request is for, and whether its caller may do that."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

from lambdatui.aws.arns import FunctionReference, check_reachable, function_reference
from lambdatui.aws.call import Call
from lambdatui.aws.lambda_api.aliases import Aliases
from lambdatui.aws.lambda_api.concurrency import Concurrency
from lambdatui.aws.lambda_api.event_invoke import EventInvoke
from lambdatui.aws.lambda_api.function_urls import FunctionUrls
from lambdatui.aws.lambda_api.functions import Functions
from lambdatui.aws.lambda_api.invoke import Invoke
from lambdatui.aws.lambda_api.layers import Layers
from lambdatui.aws.lambda_api.permissions import Permissions
from lambdatui.aws.lambda_api.reference import function_of
from lambdatui.aws.lambda_api.tags import Tags
from lambdatui.aws.lambda_api.versions import Versions
from lambdatui.aws.routes import Route, Routes
from lambdatui.aws.wire import rest_error
from lambdatui.lab import Lab
from lambdatui.refusal import NotImplementedHere, ServiceRefusal
from lambdatui.service.http import Response, Streamed
from lambdatui.service.service import Service


class LambdaApi:
    """All operations that there are here."""

    def __init__(self, service: Service, lab: Lab, locate: Callable[[Path], str]) -> None:
        """`locate` says where a package, or a folder as one, can be fetched."""
        self._service = service
        self.routes = Routes(
            [
                *Functions(service, locate).routes(),
                *Invoke(service, lab).routes(),
                *Aliases(service).routes(),
                *Concurrency(service).routes(),
                *EventInvoke(service).routes(),
                *Permissions(service).routes(),
                *Tags(service).routes(),
                *Versions(service).routes(),
                *FunctionUrls(service).routes(),
                *Layers(service, locate).routes(),
            ]
        )

    async def carry_out(self, call: Call) -> Response | Streamed:
        """Raises ServiceRefusal."""
        found = self.routes.find(call.request.method, call.request.path, call.query)
        if found is None:
            raise NotImplementedHere(f"The laboratory does not implement {call.request.method} {call.request.path}.")
        route, parameters = found
        call = replace(call, parameters=parameters)
        self._check(route, call)
        return await route.operation(call)

    def _check(self, route: Route, call: Call) -> None:
        """Whether the caller may do it; there is but one account, and one region. Raises ServiceRefusal."""
        action = route.action or f"lambda:{route.name}"
        function, own = _function(route, call), self._service.arn_of("")
        if function is None:
            call.caller.check(action, _layer(call, own) or "*")
        else:
            check_reachable(function, own, call.caller.arn, action)
            arn = own + ":".join(filter(None, (function.name, function.qualifier)))
            call.caller.check(action, arn, self._service.permissions.document(function.name, function.qualifier))

    def refuse(self, refusal: ServiceRefusal) -> Response:
        return rest_error(refusal)


def _function(route: Route, call: Call) -> FunctionReference | None:
    """The one that the operation is about; CreateFunction names it in its body."""
    if route.name != "CreateFunction":
        return function_of(call) if {"FunctionName", "Resource"} & call.parameters.keys() else None
    name = call.members().get("FunctionName")
    return function_reference(name) if isinstance(name, str) else None


def _layer(call: Call, functions_arn: str) -> str | None:
    """The ARN as policies have it ("Actions, resources, and condition keys for AWS Lambda" in the Service Authorization
    Reference)."""
    name = call.parameters.get("LayerName")
    if name is None:
        return None
    arn = name if name.startswith("arn:") else functions_arn.replace(":function:", ":layer:") + name
    return ":".join(filter(None, (arn, call.parameters.get("VersionNumber"))))
