"""Every operation, with whatever the service's model allows and a little more: the answer is one that the model allows
too, and never the laboratory's own failure."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Callable, Mapping
from typing import Any

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from lambdatui.aws.lambda_api.api import LambdaApi
from lambdatui.aws.logs_api.api import LogsApi
from lambdatui.function import Configuration
from lambdatui.refusal import ResourceAlreadyExists
from lambdatui.service.log_groups import RETENTIONS
from tests.aws.conftest import Cloud
from tests.aws.generated import LOGS_MODEL, MODEL, carried_out, inputs
from tests.aws.model import problems_in
from tests.aws.packages import ROLE, package

Strategies = Mapping[str, st.SearchStrategy[Any]]

# -- Lambda ---------------------------------------------------------------------------------------------------------

FUNCTION = "arn:aws:lambda:us-east-1:000000000000:function:F"
LAYER = "arn:aws:lambda:us-east-1:000000000000:layer:L"
LAMBDA: Strategies = {
    "FunctionName": st.sampled_from(["F", "G", "New", "F:1", "F:live", FUNCTION, f"{FUNCTION}:$LATEST", "no/name"]),
    "Resource": st.sampled_from([FUNCTION, f"{FUNCTION}:1", f"{FUNCTION}2", "F"]),
    "Qualifier": st.sampled_from(["1", "live", "$LATEST", "9"]),
    "FunctionVersion": st.sampled_from(["1", "2", "$LATEST"]),
    "AdditionalVersionWeights": st.dictionaries(st.sampled_from(["1", "2"]), st.floats(0, 1), max_size=2),
    "Name": st.sampled_from(["live", "other"]),
    "Role": st.just(ROLE),
    "Runtime": st.sampled_from(["python3.11", "python2.7", "ruby3.3"]),
    "Handler": st.sampled_from(["app.handler", "a b"]),
    "Timeout": st.sampled_from([1, 900, 901]),
    "MemorySize": st.sampled_from([128, 10240, 32768]),
    "Code": st.sampled_from([{"ZipFile": package()}, {"ZipFile": b"no zip"}, {"S3Bucket": "bucket"}, {}]),
    "ZipFile": st.sampled_from([package(), package("def handler(event, context): return 2"), b"no zip"]),
    "Variables": st.dictionaries(st.sampled_from(["A1", "1", "AWS_REGION", "é"]), st.sampled_from(["", "\0", "é"])),
    "Principal": st.sampled_from(["*", "s3.amazonaws.com", "000000000000", "arn:aws:iam::000000000000:role/r"]),
    "StatementId": st.sampled_from(["one", "two"]),
    "LayerName": st.sampled_from(["L", LAYER]),
    "VersionNumber": st.integers(1, 3),
    "Arn": st.sampled_from([f"{LAYER}:{number}" for number in range(4)]),
    "Layers": st.lists(st.sampled_from([f"{LAYER}:{number}" for number in range(4)]), max_size=2),
    "Content": st.just({"ZipFile": package("", "python/there.py")}),
    "Destination": st.sampled_from(["", f"{FUNCTION[:-1]}G", "arn:aws:sqs:x-y-1:1:q"]),
    "InvocationType": st.just("DryRun"),  # that a function's answers arrive is seen elsewhere
    "TracingConfig": st.just({"Mode": "PassThrough"}),
    **{name: st.just({}) for name in ("SnapStart", "VpcConfig", "ImageConfig", "DurableConfig", "TenancyConfig")},
    "CapacityProviderConfig": st.just({}),
    "KMSKeyArn": st.just(""),
    "CodeSigningConfigArn": st.just(""),
    "FileSystemConfigs": st.just([]),
}


@pytest.fixture
async def small(open_cloud: Callable[..., Any]) -> Cloud:
    """So small an account that hardly anything can be provisioned."""
    opened = await open_cloud(concurrent_executions=101)
    assert isinstance(opened, Cloud)
    return opened


async def make_functions(cloud: Cloud) -> None:
    """F with its versions and its alias, and G, unless they are there; and no others."""
    service = cloud.service
    known = {each.function for each in service.functions}
    if known == {"F", "G"} and len(service.versions("F")) > 2 and list(service.aliases.of("F")):
        return
    for name in known:
        await service.delete(name)
    for name in ("F", "G"):
        await service.create(name, Configuration("app.handler"), package())
    service.publish_version("F")
    await service.configure("F", {"memory_size": 256})
    service.publish_version("F")
    service.aliases.create("F", "live", "1", {})


OF_LAMBDA = [
    *("CreateFunction", "GetFunction", "ListFunctions", "DeleteFunction", "GetFunctionConfiguration"),
    *("UpdateFunctionConfiguration", "UpdateFunctionCode", "PublishVersion", "ListVersionsByFunction"),
    *("Invoke", "InvokeAsync", "InvokeWithResponseStream", "TagResource", "UntagResource", "ListTags"),
    *("CreateAlias", "GetAlias", "ListAliases", "UpdateAlias", "DeleteAlias"),
    *("PutFunctionConcurrency", "GetFunctionConcurrency", "DeleteFunctionConcurrency"),
    *("PutProvisionedConcurrencyConfig", "GetProvisionedConcurrencyConfig", "DeleteProvisionedConcurrencyConfig"),
    *("ListProvisionedConcurrencyConfigs", "AddPermission", "RemovePermission", "GetPolicy"),
    *("PutFunctionEventInvokeConfig", "UpdateFunctionEventInvokeConfig", "GetFunctionEventInvokeConfig"),
    *("DeleteFunctionEventInvokeConfig", "ListFunctionEventInvokeConfigs", "GetAccountSettings"),
    *("CreateFunctionUrlConfig", "GetFunctionUrlConfig", "UpdateFunctionUrlConfig", "DeleteFunctionUrlConfig"),
    *("ListFunctionUrlConfigs", "PublishLayerVersion", "GetLayerVersion", "GetLayerVersionByArn"),
    *("DeleteLayerVersion", "ListLayers", "ListLayerVersions"),
]


@settings(max_examples=300, deadline=None, phases=[Phase.generate], suppress_health_check=list(HealthCheck))
@given(st.one_of([st.tuples(st.just(name), inputs(name, LAMBDA)) for name in OF_LAMBDA]))
async def test_any_input_of_lambda_is_answered(small: Cloud, step: tuple[str, dict[str, Any]]) -> None:
    await make_functions(small)
    api = LambdaApi(small.service, small.lab, lambda _: f"{small.endpoint.url}/packages/x")
    assert {route.name for route in api.routes} == set(OF_LAMBDA)
    operation = MODEL.operation_model(step[0])

    response = await carried_out(api, operation, step[1])

    assert response["headers"].get("x-amzn-ErrorType") != "ServiceException"
    assert not list(problems_in(operation, response))


# -- CloudWatch Logs ------------------------------------------------------------------------------------------------

GROUP = "arn:aws:logs:us-east-1:000000000000:log-group:"
GROUPS, STREAMS = ["g", "/aws/lambda/F"], ["a", "b", "2026/11/25/[$LATEST]0"]
NOW = round(time.time() * 1000)
TIMES = st.integers(NOW - 2 * 24 * 3600 * 1000, NOW)


def in_order(events: list[dict[str, Any]]) -> list[dict[str, Any]]:
    return sorted(events, key=lambda event: int(event["timestamp"]))


LOGS: Strategies = {
    "logGroupName": st.sampled_from(GROUPS),
    "logGroupIdentifier": st.sampled_from([*GROUPS, *(f"{GROUP}{name}" for name in GROUPS)]),
    "logGroupIdentifiers": st.lists(st.sampled_from([f"{GROUP}{name}" for name in GROUPS]), min_size=1, max_size=2),
    "resourceArn": st.sampled_from([f"{GROUP}{name}" for name in GROUPS]),
    "logStreamName": st.sampled_from(STREAMS),
    "logStreamNames": st.lists(st.sampled_from(STREAMS), min_size=1, max_size=3),
    "logStreamNamePrefix": st.sampled_from(["a", "2026/"]),
    "logEvents": st.lists(
        st.fixed_dictionaries({"timestamp": TIMES, "message": st.text(min_size=1, max_size=9)}), min_size=1, max_size=5
    ).map(in_order),
    "timestamp": TIMES,
    "retentionInDays": st.sampled_from(RETENTIONS),
    "logGroupClass": st.just("STANDARD"),
    "filterPattern": st.sampled_from(["", "a ?b -c", "{ $.a = 1 }", "[a, ...]", "%x|y%"]),
    "nextToken": st.sampled_from([f"f/{NOW << 144:056}/s", f"b/{NOW << 144:056}/s", f"f/{9**70}/s"]),
}
OF_LOGS = [
    *("CreateLogGroup", "DescribeLogGroups", "DeleteLogGroup", "PutRetentionPolicy", "DeleteRetentionPolicy"),
    *("TagResource", "UntagResource", "ListTagsForResource", "CreateLogStream", "DescribeLogStreams"),
    *("DeleteLogStream", "PutLogEvents", "GetLogEvents", "FilterLogEvents", "StartLiveTail"),
]


def make_groups(cloud: Cloud) -> None:
    """Those that are missing, and their streams."""
    for group in GROUPS:
        with contextlib.suppress(ResourceAlreadyExists):
            cloud.service.log_groups.create_group(group, {})
        for stream in STREAMS:
            with contextlib.suppress(ResourceAlreadyExists):
                cloud.service.log_groups.create_stream(group, stream)


def with_one_name(step: tuple[str, dict[str, Any]]) -> tuple[str, dict[str, Any]]:
    """Of the members of which the service takes one only, seldom more."""
    name, members = step
    for one, other in (("logGroupName", "logGroupIdentifier"), ("logStreamNames", "logStreamNamePrefix")):
        if one in members and len(members) % 5:
            members = {key: value for key, value in members.items() if key != other}
    return name, members


@settings(max_examples=300, deadline=None, phases=[Phase.generate], suppress_health_check=list(HealthCheck))
@given(st.one_of([st.tuples(st.just(name), inputs(name, LOGS, LOGS_MODEL)) for name in OF_LOGS]).map(with_one_name))
async def test_any_input_of_logs_is_answered(cloud: Cloud, step: tuple[str, dict[str, Any]]) -> None:
    """And what the service knows of log groups is what the journal tells of them."""
    make_groups(cloud)
    api = LogsApi(cloud.service, cloud.lab)
    assert api.operations.keys() == set(OF_LOGS)
    operation = LOGS_MODEL.operation_model(step[0])

    response = await carried_out(api, operation, step[1])

    assert not list(problems_in(operation, response))
    known = cloud.service.log_groups
    assert all(known.has(stream.group, stream.name) for stream in cloud.lab.streams)
    for group in GROUPS:
        assert all((cloud.lab.stream(group, name) is not None) == known.has(group, name) for name in STREAMS)
