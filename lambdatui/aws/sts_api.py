"""STS, as far as it needs no permission: GetCallerIdentity, in the query protocol with its XML."""

from __future__ import annotations

import uuid
from collections.abc import Mapping
from urllib.parse import parse_qsl
from xml.sax.saxutils import escape

from lambdatui.aws.call import Call
from lambdatui.aws.wire import STATUS
from lambdatui.refusal import NotImplementedHere, ServiceRefusal
from lambdatui.service.http import Response

_NAMESPACE = "https://sts.amazonaws.com/doc/2011-06-15/"
_CODES: Mapping[str, str] = {
    "AccessDeniedException": "AccessDenied",
    "IncompleteSignatureException": "IncompleteSignature",
    "InvalidSignatureException": "SignatureDoesNotMatch",
    "UnrecognizedClientException": "InvalidClientTokenId",
}
"""What this service calls errors that have other names elsewhere ("Common errors" in the AWS STS API Reference)."""


class StsApi:
    """Who somebody is ("GetCallerIdentity" in the AWS STS API Reference)."""

    async def carry_out(self, call: Call) -> Response:
        """Raises ServiceRefusal."""
        action = {**call.query, **dict(parse_qsl(call.request.body.decode(errors="replace")))}.get("Action")
        if action != "GetCallerIdentity":
            raise NotImplementedHere(f"The laboratory does not implement the action {action} of STS.")
        caller = call.caller
        members = {"Arn": caller.arn, "UserId": caller.user_id, "Account": caller.account}
        metadata = {"RequestId": str(uuid.uuid4())}
        content = f"<{action}Result>{_elements(members)}</{action}Result>"
        return _answer(200, f"{action}Response", f"{content}<ResponseMetadata>{_elements(metadata)}</ResponseMetadata>")

    def refuse(self, refusal: ServiceRefusal) -> Response:
        status = STATUS.get(refusal.code, 400)
        error = {
            "Type": "Receiver" if status >= 500 else "Sender",
            "Code": _CODES.get(refusal.code, refusal.code),
            "Message": str(refusal),
        }
        request = {"RequestId": str(uuid.uuid4())}
        return _answer(status, "ErrorResponse", f"<Error>{_elements(error)}</Error>{_elements(request)}")


def _elements(members: Mapping[str, str]) -> str:
    return "".join(f"<{name}>{escape(value)}</{name}>" for name, value in members.items())


def _answer(status: int, element: str, content: str) -> Response:
    xml = f'<{element} xmlns="{_NAMESPACE}">{content}</{element}>'
    return Response(status, xml.encode(errors="replace"), (("Content-Type", "text/xml"),))
