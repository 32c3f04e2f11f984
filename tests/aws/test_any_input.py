"""Whatever the service's model allows is answered, and never by a failure."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from lambdatui.aws.lambda_api.api import LambdaApi
from tests.aws.conftest import Cloud
from tests.aws.generated import MODEL, carried_out, inputs
from tests.aws.model import problems_in
from tests.aws.packages import package

KNOWN = {
    "FunctionName": st.sampled_from(["F", "F:1", "F:live", "arn:aws:lambda:us-east-1:000000000000:function:F"]),
    "Qualifier": st.sampled_from(["1", "live", "$LATEST"]),
    "FunctionVersion": st.sampled_from(["1", "2", "$LATEST"]),
    "AdditionalVersionWeights": st.dictionaries(st.sampled_from(["1", "2"]), st.floats(0, 1), max_size=2),
    "Name": st.sampled_from(["live", "other"]),
    "Principal": st.sampled_from(["*", "s3.amazonaws.com", "000000000000", "arn:aws:iam::000000000000:role/r"]),
    "StatementId": st.sampled_from(["one", "two"]),
    "LayerName": st.sampled_from(["L", "arn:aws:lambda:us-east-1:000000000000:layer:L"]),
    "VersionNumber": st.integers(1, 3),
    "Arn": st.sampled_from([f"arn:aws:lambda:us-east-1:000000000000:layer:L:{number}" for number in range(4)]),
    "Content": st.just({"ZipFile": package("", "python/there.py")}),
    "Destination": st.sampled_from(["", "arn:aws:lambda:us-east-1:000000000000:function:G", "arn:aws:sqs:x-y-1:1:q"]),
}
OPERATIONS = (
    *("CreateAlias", "GetAlias", "ListAliases", "UpdateAlias", "DeleteAlias"),
    *("PutFunctionConcurrency", "GetFunctionConcurrency", "DeleteFunctionConcurrency"),
    *("PutProvisionedConcurrencyConfig", "GetProvisionedConcurrencyConfig", "DeleteProvisionedConcurrencyConfig"),
    *("ListProvisionedConcurrencyConfigs", "AddPermission", "RemovePermission", "GetPolicy"),
    *("PutFunctionEventInvokeConfig", "UpdateFunctionEventInvokeConfig", "GetFunctionEventInvokeConfig"),
    *("DeleteFunctionEventInvokeConfig", "ListFunctionEventInvokeConfigs", "GetAccountSettings"),
    *("PublishLayerVersion", "GetLayerVersion", "GetLayerVersionByArn", "DeleteLayerVersion"),
    *("ListLayers", "ListLayerVersions"),
)


@pytest.fixture
async def small(open_cloud: Callable[..., Any]) -> Cloud:
    """So small an account that hardly anything can be provisioned."""
    cloud: Cloud = await open_cloud(concurrent_executions=101)
    for name in ("F", "G"):
        await cloud.create("def handler(event, context): pass", name)
    await cloud.service.publish("F")
    await cloud.service.update("F", {"memory_size": 256})
    await cloud.service.publish("F")
    cloud.service.aliases.create("F", "live", "1", {})
    return cloud


@settings(max_examples=400, deadline=None, phases=[Phase.generate], suppress_health_check=list(HealthCheck))
@given(st.one_of([st.tuples(st.just(name), inputs(name, KNOWN)) for name in OPERATIONS]))
async def test_no_input_makes_an_operation_fail(small: Cloud, step: tuple[str, dict[str, Any]]) -> None:
    operation = MODEL.operation_model(step[0])

    api = LambdaApi(small.service, small.lab, lambda _: f"{small.endpoint.url}/packages/x")
    response = await carried_out(api, operation, step[1])

    assert response["status_code"] < 500 and not list(problems_in(operation, response))
