"""Which function an operation is about: the same for all of them, and for their permissions."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

import botocore.session
import pytest

from lambdatui.aws.arns import function_reference
from lambdatui.aws.call import Call, Caller
from lambdatui.aws.lambda_api.api import LambdaApi
from lambdatui.refusal import AccessDenied, InvalidParameter, ResourceNotFound, ServiceRefusal, ValidationFailed
from lambdatui.role import LAMBDA, Role, trusting
from lambdatui.service.http import Request
from tests.aws.conftest import Cloud, call
from tests.aws.packages import ROLE

OWN = "arn:aws:lambda:us-east-1:000000000000:function:F"
ROOT = Caller("000000000000", "id", "arn:aws:iam::000000000000:root")
CALLER = Caller(
    "000000000000",
    "id",
    "arn:aws:sts::000000000000:assumed-role/caller/Caller",
    Role("caller", "arn:aws:iam::000000000000:role/caller", trusting(LAMBDA), {}),
)


async def refusal(cloud: Cloud, name: str, **request: Any) -> type[ServiceRefusal]:
    """That of an operation for the function that is named so."""
    api = LambdaApi(cloud.service, cloud.lab, str)
    route = next(each for each in api.routes if each.name == name)
    path, _, query = route.template.partition("?")
    known = {"FunctionName": OWN, "Resource": OWN, "Name": "live", "StatementId": "one", **request.get("path", {})}
    fixed = dict(each.split("=") for each in query.split("&") if each)
    sent = Request(route.method, path.format_map(known), body=json.dumps(request.get("body", {})).encode())
    with pytest.raises(ServiceRefusal) as refused:
        await api.carry_out(Call(request.get("caller", ROOT), sent, {}, {**fixed, **request.get("query", {})}))
    return type(refused.value)


def operations(cloud: Cloud) -> Mapping[str, str]:
    """Those that are for a function, and by what they name it."""
    found = {}
    for route in LambdaApi(cloud.service, cloud.lab, str).routes:
        if parameter := next((each for each in ("FunctionName", "Resource") if f"{{{each}}}" in route.template), None):
            found[route.name] = parameter
    return found


async def test_functions_of_others_and_of_elsewhere_are_refused(cloud: Cloud) -> None:
    await cloud.create("def handler(event, context): pass")
    found = operations(cloud)
    assert len(found) > 35

    for name, parameter in found.items():
        theirs, elsewhere = OWN.replace("000000000000", "111122223333"), OWN.replace("us-east-1", "eu-west-1")
        assert await refusal(cloud, name, path={parameter: theirs}) is AccessDenied, name
        assert await refusal(cloud, name, path={parameter: elsewhere}) is ResourceNotFound, name
    for name, kind in ((theirs, AccessDenied), (elsewhere, ResourceNotFound)):
        body = {"FunctionName": name, "Role": ROLE, "Runtime": "python3.11", "Handler": "app.handler", "Code": {}}
        assert await refusal(cloud, "CreateFunction", body=body) is kind


async def test_a_role_may_do_nothing_that_nobody_allows(cloud: Cloud) -> None:
    await cloud.create("def handler(event, context): pass")
    for name in operations(cloud):
        assert await refusal(cloud, name, caller=CALLER) is AccessDenied, name


async def test_a_qualifier_is_none_in_the_body(cloud: Cloud) -> None:
    """Who may use one alias cannot mean another there, past the check."""
    await cloud.create("def handler(event, context): pass")
    await cloud.service.publish("F")

    body = {"ProvisionedConcurrentExecutions": 1, "Qualifier": "1"}

    assert await refusal(cloud, "PutProvisionedConcurrencyConfig", body=body) is ValidationFailed


async def test_what_a_function_allows_needs_no_policy_of_the_role(cloud: Cloud) -> None:
    """Beyond Invoke."""
    await cloud.create("def handler(event, context): pass")
    grant = {"Action": "lambda:PublishVersion", "Principal": CALLER.role.arn if CALLER.role else ""}
    await call(cloud.client().add_permission, FunctionName="F", StatementId="one", **grant)

    body = {"CodeSha256": "another"}

    assert await refusal(cloud, "PublishVersion", caller=CALLER, body=body) is InvalidParameter


def test_the_forms_are_told_as_the_service_has_them() -> None:
    """Its own patterns, which need not be ours."""
    model = botocore.session.Session().get_service_model("lambda")
    for operation, name in (("Invoke", "FunctionName"), ("TagResource", "Resource")):
        pattern = model.operation_model(operation).input_shape.members[name].metadata["pattern"]
        with pytest.raises(ValidationFailed) as refused:
            function_reference("no name", member=name[0].lower() + name[1:])
        told = str(refused.value).partition("pattern: ")[2]
        assert told == pattern.replace("|(capacity-provider|network-connector):[a-zA-Z0-9-_]{1,64}", "")
