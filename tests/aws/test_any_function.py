"""Whatever is sent to the operations on functions is answered as the service's model allows, and never by a failure."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from lambdatui.aws.lambda_api.api import LambdaApi
from lambdatui.function import Configuration
from tests.aws.conftest import Cloud
from tests.aws.generated import MODEL, carried_out, inputs
from tests.aws.model import problems_in
from tests.aws.packages import ROLE, package

ARN = "arn:aws:lambda:us-east-1:000000000000:function:F"
KNOWN = {
    "FunctionName": st.sampled_from(["F", "New", ARN, "F:1", "F:live", f"{ARN}:$LATEST", "no/name", "é"]),
    "Qualifier": st.sampled_from(["1", "live", "$LATEST", "9", ""]),
    "Resource": st.sampled_from([ARN, f"{ARN}:1", "F", f"{ARN}2"]),
    "Role": st.sampled_from([ROLE, "role"]),
    "Runtime": st.sampled_from(["python3.11", "python2.7", "ruby3.3"]),
    "Handler": st.sampled_from(["app.handler", "a b", ""]),
    "Code": st.sampled_from([{"ZipFile": package()}, {"ZipFile": b"no zip"}, {"S3Bucket": "bucket"}, {}]),
    "ZipFile": st.sampled_from([package(), b"no zip", b""]),
    "Timeout": st.sampled_from([0, 1, 900, 901]),
    "MemorySize": st.sampled_from([127, 128, 10240, 32768]),
    "RevisionId": st.sampled_from(["", "other"]),
    "MaxItems": st.sampled_from([0, 1, 10000, 10001]),
    "Variables": st.dictionaries(st.sampled_from(["A1", "1", "AWS_REGION", "é"]), st.sampled_from(["", "\0", "é"])),
}
"""Some of it the model does not allow."""
OPERATIONS = (
    *("CreateFunction", "GetFunction", "ListFunctions", "DeleteFunction", "GetFunctionConfiguration"),
    *("UpdateFunctionConfiguration", "UpdateFunctionCode", "PublishVersion", "ListVersionsByFunction"),
    *("TagResource", "UntagResource", "ListTags"),
)


async def prepare(cloud: Cloud) -> None:
    """One function, with a version and an alias."""
    if [each.function for each in cloud.service.functions] == ["F"] and len(cloud.service.versions("F")) == 2:
        return
    for revision in cloud.service.functions:
        await cloud.service.delete(revision.function)
    await cloud.service.create("F", Configuration("app.handler"), package())
    cloud.service.publish_version("F")
    await cloud.service.point_alias("F", "live", "1", {})


@pytest.mark.parametrize("name", OPERATIONS)
@settings(max_examples=20, deadline=None, phases=[Phase.generate], suppress_health_check=list(HealthCheck))
@given(data=st.data())
async def test_no_input_makes_an_operation_fail(cloud: Cloud, name: str, data: st.DataObject) -> None:
    given_: dict[str, Any] = data.draw(inputs(name, KNOWN))
    await prepare(cloud)
    operation = MODEL.operation_model(name)

    api = LambdaApi(cloud.service, cloud.lab, lambda _: f"{cloud.endpoint.url}/packages/x")
    response = await carried_out(api, operation, given_)

    assert response["headers"].get("x-amzn-ErrorType") != "ServiceException"
    assert not list(problems_in(operation, response))
