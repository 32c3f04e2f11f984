"""Resource-based policies, as boto3 sees them, and what they let in."""

from __future__ import annotations

import json

from lambdatui.policy import Document
from lambdatui.role import LAMBDA, trusting
from tests.aws.conftest import Cloud, call, refused

ARN = "arn:aws:lambda:us-east-1:000000000000:function:F"
ROLE = "arn:aws:iam::000000000000:role/caller"
CALLER = """
    import boto3
    def handler(event, context):
        try:
            return boto3.client("lambda").invoke(FunctionName=event["name"])["Payload"].read().decode()
        except Exception as error:
            return error.response["Error"]["Code"]
"""


async def test_statements_are_added_shown_and_removed(cloud: Cloud) -> None:
    await cloud.create("def handler(event, context): pass")
    client = cloud.client()
    statement = {"StatementId": "s3", "Action": "lambda:InvokeFunction", "Principal": "s3.amazonaws.com"}

    added = await call(
        client.add_permission,
        FunctionName="F",
        **statement,
        SourceArn="arn:aws:s3:::bucket",
        SourceAccount="123456789012",
    )
    expected = {
        "Sid": "s3",
        "Effect": "Allow",
        "Principal": {"Service": "s3.amazonaws.com"},
        "Action": "lambda:InvokeFunction",
        "Resource": ARN,
        "Condition": {
            "StringEquals": {"AWS:SourceAccount": "123456789012"},
            "ArnLike": {"AWS:SourceArn": "arn:aws:s3:::bucket"},
        },
    }
    assert added["ResponseMetadata"]["HTTPStatusCode"] == 201 and json.loads(added["Statement"]) == expected

    policy = await call(client.get_policy, FunctionName="F")
    assert json.loads(policy["Policy"]) == {"Version": "2012-10-17", "Id": "default", "Statement": [expected]}
    assert cloud.lab.functions["F"].policies[None] == (expected,)
    other = {"Action": "lambda:*", "Principal": "123456789012", "RevisionId": policy["RevisionId"]}
    await call(client.add_permission, FunctionName="F", StatementId="account", **other)
    assert await refused(client.add_permission, FunctionName="F", StatementId="late", **other) == (
        "PreconditionFailedException",
        "The Revision Id provided does not match the latest Revision Id. "
        "Call the GetPolicy API to retrieve the latest Revision Id",
    )

    for sid in ("s3", "account"):
        gone = await call(client.remove_permission, FunctionName="F", StatementId=sid)
        assert gone["ResponseMetadata"]["HTTPStatusCode"] == 204
    assert await refused(client.get_policy, FunctionName="F") == (
        "ResourceNotFoundException",
        "The resource you requested does not exist.",
    )
    assert not cloud.lab.functions["F"].policies


async def test_what_is_no_permission_is_refused(cloud: Cloud) -> None:
    await cloud.create("def handler(event, context): pass")
    client = cloud.client()
    add, remove = client.add_permission, client.remove_permission
    good = {"StatementId": "s", "Action": "lambda:InvokeFunction", "Principal": "*"}
    await call(add, FunctionName="F", **good)
    new, missing = {**good, "StatementId": "new"}, "ResourceNotFoundException"
    for operation, parameters, code, message in (
        (add, good, "ResourceConflictException", "The statement id (s) provided already exists."),
        (add, {**new, "Principal": "somebody"}, "InvalidParameterValueException", "provided principal was invalid"),
        (add, {**new, "Action": "s3:Get"}, "ValidationException", "at 'action'"),
        (add, {**new, "PrincipalOrgID": "o-UPPERCASE12"}, "ValidationException", "at 'principalOrgID'"),
        (add, {**new, "Qualifier": "$LATEST"}, "InvalidParameterValueException", "adding policies for $LATEST"),
        (add, {**new, "Qualifier": "live"}, missing, f"Cannot find alias arn: {ARN}:live"),
        (add, {**new, "Qualifier": "3"}, missing, f"Function not found: {ARN}:3"),
        (remove, {"StatementId": "none"}, missing, "Statement none is not found in resource policy."),
        (remove, {"StatementId": "s", "RevisionId": "old"}, "PreconditionFailedException", "does not match"),
    ):
        got = await refused(operation, FunctionName="F", **parameters)
        assert got[0] == code and message in got[1]


async def test_a_policy_may_be_so_long_and_no_longer(cloud: Cloud) -> None:
    await cloud.create("def handler(event, context): pass")
    long = {"Action": "lambda:InvokeFunction", "Principal": "*", "SourceArn": f"arn:aws:s3:::{'x' * 9900}"}
    for sid in ("one", "two"):
        await call(cloud.client().add_permission, FunctionName="F", StatementId=sid, **long)

    code, message = await refused(cloud.client().add_permission, FunctionName="F", StatementId="three", **long)

    assert code == "PolicyLengthExceededException" and "bigger than the limit (20480)" in message
    assert len(cloud.lab.functions["F"].policies[None]) == 2


async def test_a_role_may_do_what_the_function_itself_allows_it(cloud: Cloud) -> None:
    await cloud.create("def handler(event, context): return 'called'")
    await cloud.service.create_role("caller", trusting(LAMBDA), {})
    await cloud.create(CALLER, name="Caller", role="caller", timeout=30, memory_size=1769)
    client, allow = cloud.client(), {"FunctionName": "F", "Action": "lambda:InvokeFunction"}

    async def answer(name: str = "F") -> str:
        got = await call(client.invoke, FunctionName="Caller", Payload=json.dumps({"name": name}))
        text = json.loads(got["Payload"].read())
        assert isinstance(text, str)
        return text

    assert await answer() == "AccessDeniedException"
    await call(client.add_permission, **allow, StatementId="account", Principal="000000000000")
    assert await answer() == "AccessDeniedException"  # it only lets the account's own policies say yes
    await call(client.add_permission, **allow, StatementId="url", Principal="*", FunctionUrlAuthType="NONE")
    assert await answer() == "AccessDeniedException"
    await call(client.add_permission, **allow, StatementId="role", Principal=ROLE)
    assert await answer() == '"called"'
    assert await answer("F:$LATEST") == "AccessDeniedException"
    await call(client.remove_permission, FunctionName="F", StatementId="role")
    deny: Document = {"Statement": [{"Effect": "Deny", "Action": "lambda:*", "Resource": "*"}]}
    await call(client.add_permission, **allow, StatementId="all", Principal="*")
    assert await answer() == '"called"'
    await cloud.service.create_role("caller", trusting(LAMBDA), {"no": deny})
    assert await answer() == "AccessDeniedException"
