"""The Lambda API: which operation a request is for, and whether its caller may do that."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

from lambdatui.aws.arns import check_reachable, function_reference
from lambdatui.aws.call import Call
from lambdatui.aws.lambda_api.aliases import Aliases
from lambdatui.aws.lambda_api.concurrency import Concurrency
from lambdatui.aws.lambda_api.event_invoke import EventInvoke
from lambdatui.aws.lambda_api.function_urls import FunctionUrls
from lambdatui.aws.lambda_api.functions import Functions
from lambdatui.aws.lambda_api.invoke import Invoke
from lambdatui.aws.lambda_api.layers import Layers
from lambdatui.aws.lambda_api.permissions import Permissions
from lambdatui.aws.lambda_api.tags import Tags
from lambdatui.aws.lambda_api.versions import Versions
from lambdatui.aws.routes import Route, Routes
from lambdatui.aws.wire import rest_error
from lambdatui.lab import Lab
from lambdatui.policy import Document
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
        action = route.action or f"lambda:{route.name}"
        if name := parameters.get("FunctionName"):
            check_reachable(function_reference(name), self._service.arn_of(""), call.caller.arn, action)
        if call.caller.role is not None:
            call.caller.check(action, self._resource(route, call), self._policy_of_resource(call))
        return await route.operation(call)

    def _resource(self, route: Route, call: Call) -> str:
        """The ARN of what the operation is for, as policies name it ("Actions, resources, and condition keys for AWS
        Lambda" in the Service Authorization Reference): a function with the qualifier that was said, a layer, or *."""
        match call.parameters:
            case {"FunctionName": name}:
                function = function_reference(name, call.query.get("Qualifier"))
                arn = self._service.arn_of(function.name)
                return f"{arn}:{function.qualifier}" if function.qualifier else arn
            case {"LayerName": name}:
                layer = name if name.startswith("arn:") else self._service.arn_of(name).replace(":function:", ":layer:")
                return ":".join(filter(None, (layer, call.parameters.get("VersionNumber"))))
            case {"Resource": arn}:  # of tags
                return arn
        created = call.members().get("FunctionName") if route.name == "CreateFunction" else None
        return self._service.arn_of(created) if isinstance(created, str) else "*"

    def _policy_of_resource(self, call: Call) -> Document | None:
        """What the function itself says, if the operation is for one."""
        if "FunctionName" not in call.parameters:
            return None
        function = function_reference(call.parameters["FunctionName"], call.query.get("Qualifier"))
        return self._service.permissions.document(function.name, function.qualifier)

    def refuse(self, refusal: ServiceRefusal) -> Response:
        return rest_error(refusal)
