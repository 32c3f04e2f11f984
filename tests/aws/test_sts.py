"""Who somebody is, as boto3 and the aws CLI hear it."""

from __future__ import annotations

import json

import pytest
from botocore.exceptions import ClientError

from lambdatui.role import LAMBDA, trusting
from tests.aws.conftest import Cloud, call

WHO = """
import boto3
def handler(event, context):
    answer = boto3.client("sts").get_caller_identity()
    return {name: answer[name] for name in ("Account", "Arn", "UserId")}
"""


async def test_the_laboratorys_keys_are_the_accounts_own(cloud: Cloud) -> None:
    answer = await call(cloud.client("sts").get_caller_identity)

    assert answer.pop("ResponseMetadata")["HTTPHeaders"]["content-type"] == "text/xml"
    assert answer == {"Account": "000000000000", "Arn": "arn:aws:iam::000000000000:root", "UserId": "000000000000"}


async def test_a_function_is_its_role_whatever_that_allows(cloud: Cloud) -> None:
    await cloud.service.create_role("may-nothing", trusting(LAMBDA), {})
    await cloud.create(WHO, role="may-nothing", timeout=30, memory_size=1769)

    invocation = await cloud.invoke()

    assert json.loads(invocation.payload or "") == {
        "Account": "000000000000",
        "Arn": "arn:aws:sts::000000000000:assumed-role/may-nothing/F",
        "UserId": "AROAMAYNOTHINGAAAAAAA:F",
    }


async def test_the_cli_says_it_with_what_env_tells_it(cloud: Cloud) -> None:
    assert (await cloud.aws("sts", "get-caller-identity"))["Arn"] == "arn:aws:iam::000000000000:root"


@pytest.mark.parametrize(
    ("options", "code", "status"),
    [
        ({"aws_access_key_id": "AKIAOTHER"}, "InvalidClientTokenId", 403),
        ({"aws_secret_access_key": "other"}, "SignatureDoesNotMatch", 403),
        ({"aws_session_token": "token"}, "InvalidClientTokenId", 403),
    ],
)
async def test_refusals_are_in_the_words_of_sts(cloud: Cloud, options: dict[str, str], code: str, status: int) -> None:
    with pytest.raises(ClientError) as refused:
        await call(cloud.client("sts", **options).get_caller_identity)

    answer = refused.value.response
    assert (answer["Error"]["Code"], answer["Error"]["Type"]) == (code, "Sender")
    assert answer["ResponseMetadata"]["HTTPStatusCode"] == status


async def test_what_sts_does_not_have_here_it_says(cloud: Cloud) -> None:
    with pytest.raises(ClientError, match="The laboratory does not implement the action GetSessionToken of STS"):
        await call(cloud.client("sts").get_session_token)
