"""The Lambda API: which operation a request is for."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from lambdatui.aws.call import Call
from lambdatui.aws.lambda_api.functions import Functions
from lambdatui.aws.lambda_api.invoke import Invoke
from lambdatui.aws.lambda_api.tags import Tags
from lambdatui.aws.lambda_api.versions import Versions
from lambdatui.aws.routes import Routes
from lambdatui.aws.wire import rest_error
from lambdatui.lab import Lab
from lambdatui.refusal import NotImplementedHere, ServiceRefusal
from lambdatui.service.deployments import Revision
from lambdatui.service.http import Response
from lambdatui.service.service import Service


class LambdaApi:
    """All operations that there are here."""

    def __init__(self, service: Service, lab: Lab, locate: Callable[[Revision], str]) -> None:
        """`locate` says where the code of a function can be fetched."""
        self.routes = Routes(
            [
                *Functions(service, locate).routes(),
                *Invoke(service, lab).routes(),
                *Tags(service).routes(),
                *Versions(service).routes(),
            ]
        )

    async def carry_out(self, call: Call) -> Response:
        """Raises ServiceRefusal."""
        found = self.routes.find(call.request.method, call.request.path)
        if found is None:
            raise NotImplementedHere(f"The laboratory does not implement {call.request.method} {call.request.path}.")
        route, parameters = found
        return await route.operation(replace(call, parameters=parameters))

    def refuse(self, refusal: ServiceRefusal) -> Response:
        return rest_error(refusal)
