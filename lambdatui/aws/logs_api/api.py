"""The CloudWatch Logs API: which operation a request is for. The protocol is JSON 1.1, which names it in a header."""

from __future__ import annotations

from collections.abc import Mapping

from lambdatui.aws.call import Call, Operation
from lambdatui.aws.logs_api.groups import Groups
from lambdatui.aws.logs_api.live_tail import LiveTail
from lambdatui.aws.logs_api.log_events import LogEvents
from lambdatui.aws.logs_api.streams import Streams
from lambdatui.aws.wire import json_error
from lambdatui.lab import Lab
from lambdatui.refusal import NotImplementedHere, ServiceRefusal
from lambdatui.service.http import Response, Streamed
from lambdatui.service.service import Service

TARGET = "Logs_20140328."


class LogsApi:
    """All operations that there are here."""

    def __init__(self, service: Service, lab: Lab) -> None:
        groups = service.log_groups
        live_tail = LiveTail(groups, lab, service.journal)
        parts = Groups(groups, lab), Streams(groups, lab), LogEvents(groups, lab), live_tail
        self.operations: Mapping[str, Operation] = {
            name: operation for part in parts for name, operation in part.operations()
        }

    async def carry_out(self, call: Call) -> Response | Streamed:
        """Raises ServiceRefusal."""
        name = call.request.headers.get("x-amz-target", "").removeprefix(TARGET)
        if name not in self.operations:
            raise NotImplementedHere(f"The laboratory does not implement logs:{name}.")
        return await self.operations[name](call)

    def refuse(self, refusal: ServiceRefusal) -> Response:
        return json_error(refusal)
