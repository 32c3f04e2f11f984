"""The Lambda API: which operation a request is for, and whether its caller may do that."""

from __future__ import annotations

from dataclasses import replace

from lambdatui.aws.arns import check_reachable, function_reference
from lambdatui.aws.call import Call
from lambdatui.aws.lambda_api.invoke import Invoke
from lambdatui.aws.routes import Route, Routes
from lambdatui.aws.wire import rest_error
from lambdatui.lab import Lab
from lambdatui.refusal import NotImplementedHere, ServiceRefusal
from lambdatui.service.http import Response, Streamed
from lambdatui.service.service import Service


class LambdaApi:
    """All operations that there are here."""

    def __init__(self, service: Service, lab: Lab) -> None:
        self._service = service
        self.routes = Routes(
            [
                *Invoke(service, lab).routes(),
            ]
        )

    async def carry_out(self, call: Call) -> Response | Streamed:
        """Raises ServiceRefusal."""
        found = self.routes.find(call.request.method, call.request.path)
        if found is None:
            raise NotImplementedHere(f"The laboratory does not implement {call.request.method} {call.request.path}.")
        route, parameters = found
        call = replace(call, parameters=parameters)
        action = route.action or f"lambda:{route.name}"
        if name := parameters.get("FunctionName"):
            check_reachable(function_reference(name), self._service.arn_of(""), call.caller.arn, action)
        if call.caller.role is not None:
            call.caller.check(action, self._resource(route, call))
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

    def refuse(self, refusal: ServiceRefusal) -> Response:
        return rest_error(refusal)
