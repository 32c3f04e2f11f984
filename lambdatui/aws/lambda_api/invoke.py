"""Invoke: a function's answer, a place in the queue, or whether one might ("Invoke" in the API reference)."""

from __future__ import annotations

from collections.abc import Iterator

from lambdatui.aws.arns import function_reference
from lambdatui.aws.call import Call
from lambdatui.aws.routes import Route
from lambdatui.aws.wire import rest_answer
from lambdatui.events import Json
from lambdatui.lab import Invocation, Lab
from lambdatui.refusal import InvalidRequestContent
from lambdatui.service.http import Response
from lambdatui.service.service import Service


class Invoke:
    def __init__(self, service: Service, lab: Lab) -> None:
        self._service = service
        self._lab = lab

    def routes(self) -> Iterator[Route]:
        yield Route(
            "Invoke", "POST", "/2015-03-31/functions/{FunctionName}/invocations", self.invoke, "lambda:InvokeFunction"
        )

    async def invoke(self, call: Call) -> Response:
        function = function_reference(call.parameters["FunctionName"], call.query.get("Qualifier"))
        headers = call.request.headers
        try:
            payload = call.request.body.decode()
        except UnicodeDecodeError as error:
            message = f"Could not parse request body into json: Could not parse payload into json: {error}"
            raise InvalidRequestContent(message) from None
        request_id = await self._service.invoke(
            function.name,
            payload,
            qualifier=function.qualifier,
            invocation_type=headers.get("x-amz-invocation-type", "RequestResponse"),
        )
        return _answer(self._lab.invocations[request_id])


def _answer(invocation: Invocation) -> Response:
    headers = [("x-amzn-RequestId", invocation.request_id)]
    if invocation.invocation_type == "Event":
        return Response(202, b"", headers)
    if invocation.invocation_type == "DryRun":
        return Response(204, b"", headers)
    if invocation.status == "throttled":
        members: dict[str, Json] = {
            "Type": "User",
            "message": "Rate Exceeded.",
            "Reason": invocation.throttle_reason,
        }
        return rest_answer(429, members, (("x-amzn-ErrorType", "TooManyRequestsException"),))
    headers += [("Content-Type", "application/json"), ("X-Amz-Executed-Version", invocation.version)]
    if invocation.function_error:
        headers.append(("X-Amz-Function-Error", invocation.function_error))
    return Response(200, (invocation.payload or "").encode(), headers)
