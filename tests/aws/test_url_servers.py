"""Function URLs as their clients see them: real HTTP, real functions."""

from __future__ import annotations

import asyncio
import base64
import json
import time
from collections.abc import Mapping
from typing import Any

import pytest
import urllib3
from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials

from lambdatui.aws.signature import Key
from lambdatui.function_url import Cors, UrlConfiguration
from lambdatui.role import LAMBDA, managed_policy, trusting
from tests.aws.conftest import Cloud, call

ECHO = "def handler(event, context): return event"
RETURN = "import json\ndef handler(event, context): return json.loads(event['body'])"
TEXT = {"Content-Type": "text/plain"}


async def send(url: str, method: str = "GET", **options: Any) -> urllib3.BaseHTTPResponse:
    """Without retries or redirects."""

    def blocking() -> urllib3.BaseHTTPResponse:
        with urllib3.PoolManager() as pool:
            return pool.request(method, url, retries=False, timeout=60, **options)

    return await asyncio.to_thread(blocking)


async def returned(url: str, result: Any) -> urllib3.BaseHTTPResponse:
    """What becomes of a function's response."""
    return await send(url, "POST", body=json.dumps(result), headers=TEXT)


async def open_url(
    cloud: Cloud,
    source: str = ECHO,
    cors: Cors | None = None,
    auth_type: str = "NONE",
    name: str = "F",
    **configuration: Any,
) -> str:
    await cloud.create(source, name=name, **configuration)
    return (await cloud.service.urls.create(name, None, UrlConfiguration(auth_type, cors=cors))).address


# -- requests -------------------------------------------------------------------------------------------------------


async def test_the_event_field_by_field(cloud: Cloud) -> None:
    url = await open_url(cloud)
    port = url.rstrip("/").rpartition(":")[2]
    before = int(time.time() * 1000)

    answer = await send(
        f"{url}my/pa%20th?parameter1=value1&parameter1=value2&parameter2=a%20b&empty",
        "POST",
        body='{"hello": "wörld"}'.encode(),
        headers={"Content-Type": "application/json", "User-Agent": "agent", "X-Two": "1, 2", "Cookie": "a=1; b=2"},
    )

    event, function_url = json.loads(answer.data), cloud.service.urls.get("F", None)
    [invocation] = cloud.lab.invocations.values()
    assert invocation.source == "function URL"
    context = event.pop("requestContext")
    assert before <= context.pop("timeEpoch") <= time.time() * 1000
    assert time.strptime(context.pop("time"), "%d/%b/%Y:%H:%M:%S +0000")
    assert event == {
        "version": "2.0",
        "routeKey": "$default",
        "rawPath": "/my/pa%20th",
        "rawQueryString": "parameter1=value1&parameter1=value2&parameter2=a%20b&empty",
        "cookies": ["a=1", "b=2"],
        "headers": {
            "host": f"127.0.0.1:{port}",
            "accept-encoding": "identity",
            "content-length": "19",
            "content-type": "application/json",
            "user-agent": "agent",
            "x-two": "1, 2",
            "cookie": "a=1; b=2",
            "x-forwarded-for": "127.0.0.1",
            "x-forwarded-proto": "http",
            "x-forwarded-port": port,
        },
        "queryStringParameters": {"parameter1": "value1,value2", "parameter2": "a b", "empty": ""},
        "body": '{"hello": "wörld"}',
        "isBase64Encoded": False,
    }
    assert context == {
        "accountId": "anonymous",
        "apiId": function_url.id,
        "domainName": f"{function_url.id}.lambda-url.us-east-1.on.aws",
        "domainPrefix": function_url.id,
        "http": {
            "method": "POST",
            "path": "/my/pa%20th",
            "protocol": "HTTP/1.1",
            "sourceIp": "127.0.0.1",
            "userAgent": "agent",
        },
        "requestId": invocation.request_id,
        "routeKey": "$default",
        "stage": "$default",
    }
    assert answer.headers["x-amzn-RequestId"] == invocation.request_id


async def test_what_there_is_none_of_is_left_out(cloud: Cloud) -> None:
    event = json.loads((await send(await open_url(cloud))).data)

    assert not {"body", "cookies", "queryStringParameters"} & event.keys()
    assert (event["rawPath"], event["rawQueryString"], event["isBase64Encoded"]) == ("/", "", False)


async def test_bodies_are_in_base64_unless_they_are_text(cloud: Cloud) -> None:
    url = await open_url(cloud)
    for content_type, body, in_base64 in (
        ("text/plain; charset=utf-8", b"text", False),
        ("application/vnd.api+json", b"{}", False),
        ("application/x-www-form-urlencoded", b"a=1", True),
        ("image/png", b"\x89PNG", True),
        ("text/plain", b"\xff is no UTF-8", True),
        ("", b"what is it?", True),
    ):
        event = (await send(url, "POST", body=body, headers={"Content-Type": content_type})).json()
        assert (content_type, event["isBase64Encoded"]) == (content_type, in_base64)
        assert (base64.b64decode(event["body"]) if in_base64 else event["body"].encode()) == body


async def test_paths_and_headers_are_handed_over_as_they_are(cloud: Cloud) -> None:
    url = await open_url(cloud)
    for path in (b"/a/../../etc/passwd", b"//x//", b"/%2e%2e/%00", b"/a;b", b"/*"):
        event = await sent_raw(url, path, b"X-Odd: \xff")
        assert event["rawPath"] == event["requestContext"]["http"]["path"] == path.decode()
        assert event["headers"]["x-odd"] == "\N{REPLACEMENT CHARACTER}"


async def sent_raw(url: str, path: bytes, header: bytes) -> Any:
    """No client that is in its right mind sends that."""
    host = url.removeprefix("http://").rstrip("/")
    reader, writer = await asyncio.open_connection(*host.split(":"))
    writer.write(b"GET %b HTTP/1.1\r\nHost: %b\r\n%b\r\nConnection: close\r\n\r\n" % (path, host.encode(), header))
    _, _, body = (await reader.read()).partition(b"\r\n\r\n")
    writer.close()
    return json.loads(body)


# -- responses ------------------------------------------------------------------------------------------------------


async def test_any_result_is_the_body_of_a_200(cloud: Cloud) -> None:
    url = await open_url(cloud, RETURN)
    for result, body in (
        ({"hello": "wörld"}, '{"hello":"wörld"}'),
        ({"body": "without a statusCode"}, '{"body":"without a statusCode"}'),
        (["hello", 3, True], '["hello",3,true]'),
        ("hello", "hello"),
        (3.1, "3.1"),
        (None, "null"),
    ):
        answer = await returned(url, result)
        assert (answer.status, answer.headers["Content-Type"], answer.data.decode()) == (200, "application/json", body)


async def test_a_result_with_a_status_code_says_all(cloud: Cloud) -> None:
    returning = await open_url(cloud, RETURN)
    answer = await returned(
        returning,
        {
            "statusCode": "418",
            "headers": {
                "content-type": "text/html",
                "X-Number": 7,
                "Transfer-Encoding": "chunked",
                "X-Two": "a\r\nb: c",
            },
            "cookies": ["a=1; Max-Age=5", "b=2"],
            "body": base64.b64encode(b"\x00tea").decode(),
            "isBase64Encoded": True,
        },
    )

    assert (answer.status, answer.data) == (418, b"\x00tea")
    assert answer.headers.getlist("Set-Cookie") == ["a=1; Max-Age=5", "b=2"]
    assert answer.headers.getlist("Content-Type") == ["text/html"]
    assert (answer.headers["X-Number"], answer.headers["X-Two"]) == ("7", "a  b: c")
    assert "b" not in answer.headers and "Transfer-Encoding" not in answer.headers
    empty = await returned(returning, {"statusCode": 204})
    assert (empty.status, empty.data) == (204, b"")


async def test_a_malformed_response_is_a_bad_gateway(cloud: Cloud) -> None:
    url = await open_url(cloud, RETURN)
    for result in (
        {"statusCode": "many"},
        {"statusCode": 99},
        {"statusCode": True},
        {"statusCode": 200, "headers": ["a"]},
        {"statusCode": 200, "headers": {"a": {}}},
        {"statusCode": 200, "headers": {"not a name": "x"}},
        {"statusCode": 200, "cookies": "a=1"},
        {"statusCode": 200, "body": "no base64!", "isBase64Encoded": True},
    ):
        answer = await returned(url, result)
        assert (result, answer.status, answer.data) == (result, 502, b"Internal Server Error")


async def test_a_function_that_fails_or_takes_too_long_is_a_bad_gateway(cloud: Cloud) -> None:
    source = "import time\ndef handler(event, context): time.sleep(5) if 'sleep' in event['rawPath'] else 1 / 0"
    url = await open_url(cloud, source, timeout=1)

    for path in ("", "sleep"):
        answer = await send(url + path)
        assert (answer.status, answer.data) == (502, b"Internal Server Error")
    assert [each.status for each in cloud.lab.invocations.values()] == ["failed", "timed_out"]


async def test_a_throttled_request_is_told_so(cloud: Cloud) -> None:
    url = await open_url(cloud, reserved_concurrent_executions=0)

    answer = await send(url)

    assert answer.status == 429
    assert answer.json()["Reason"] == "ReservedFunctionConcurrentInvocationLimitExceeded"


async def test_what_makes_no_event_of_6_mb_is_refused(cloud: Cloud) -> None:
    url = await open_url(cloud, "def handler(event, context): return len(event['body'])")

    fits = await send(url, "POST", body=b"x" * (6 * 2**20 - 2000), headers=TEXT)
    too_large = await send(url, "POST", body=b"x" * (6 * 2**20 + 1), headers=TEXT)
    in_base64 = await send(url, "POST", body=b"x" * (5 * 2**20))

    assert (fits.status, fits.data) == (200, str(6 * 2**20 - 2000).encode())
    assert (too_large.status, in_base64.status) == (413, 413)
    assert len(cloud.lab.invocations) == 1


async def test_a_url_of_an_alias_leads_to_its_version(cloud: Cloud) -> None:
    await cloud.create("def handler(event, context): return context.function_version")
    await cloud.service.publish("F")
    await cloud.service.point_alias("F", "live", "1", {})
    url = await cloud.service.urls.create("F", "live", UrlConfiguration("NONE"))

    assert (await send(url.address)).data == b"1"


async def test_many_at_once(cloud: Cloud) -> None:
    url = await open_url(cloud, "def handler(event, context): return event['queryStringParameters']['n']")

    answers = await asyncio.gather(*(send(f"{url}?n={number}") for number in range(8)))

    assert [int(answer.data) for answer in answers] == list(range(8))


# -- who may ask ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("auth_type", ["NONE", "AWS_IAM"])
async def test_foreign_names_are_refused(cloud: Cloud, auth_type: str) -> None:
    url = await open_url(cloud, auth_type=auth_type, cors=Cors(allow_origins=("*",)))

    for host in ("evil.example", "evil.example:80", "127.0.0.1.evil.example", "localhost, evil.example"):
        answer = await send(url, headers={"Host": host})
        assert answer.status == 403
        preflight = await send(url, "OPTIONS", headers={"Host": host, **_asking("https://a.example", "GET")})
        assert preflight.status == 403
    assert not cloud.lab.invocations


async def test_only_signed_requests_reach_a_url_with_iam(cloud: Cloud) -> None:
    url = await open_url(cloud, auth_type="AWS_IAM")
    own = cloud.endpoint.keys.own

    unsigned = await send(url)
    forged = await send(url, headers=_signed(url, Key(own.access_key_id, "guessed")))
    of_another_service = await send(url, headers=_signed(url, own, service="s3"))
    changed = await send(f"{url}?admin=1", headers=_signed(url, own))
    refused = (unsigned, forged, of_another_service, changed)

    assert [answer.status for answer in refused] == [403] * 4
    assert unsigned.json()["Message"].startswith("Forbidden")
    assert forged.json()["message"].startswith("The request signature we calculated does not match")
    assert not cloud.lab.invocations

    answer = await send(f"{url}a%20b?q=1", "POST", body="x", headers=_signed(f"{url}a%20b?q=1", own, "POST", "x"))

    context = answer.json()["requestContext"]
    assert (answer.status, context["accountId"], context["authentication"]) == (200, "000000000000", None)
    assert context["authorizer"] == {
        "iam": {
            "accessKey": own.access_key_id,
            "accountId": "000000000000",
            "callerId": "000000000000",
            "cognitoIdentity": None,
            "principalOrgId": None,
            "userArn": "arn:aws:iam::000000000000:root",
            "userId": "000000000000",
        }
    }


async def test_a_role_needs_the_permission_for_urls(cloud: Cloud) -> None:
    credentials = """
        import os
        def handler(event, context):
            return [os.environ[f"AWS_{name}"] for name in ("ACCESS_KEY_ID", "SECRET_ACCESS_KEY", "SESSION_TOKEN")]
    """
    url = await open_url(cloud, auth_type="AWS_IAM")
    for role, policy in (("invoker", "AWSLambdaRole"), ("admin", "AWSLambda_FullAccess")):
        await cloud.service.create_role(role, trusting(LAMBDA), {policy: managed_policy(policy)})
        await cloud.create(credentials, name=role, role=role)

    statuses = {}
    for role in ("invoker", "admin"):
        key = Key(*json.loads((await cloud.invoke(function=role)).payload or ""))
        answer = await send(url, headers=_signed(url, key))
        statuses[role] = answer.status

    assert statuses == {"invoker": 403, "admin": 200}
    assert answer.json()["requestContext"]["authorizer"]["iam"]["userArn"].endswith("assumed-role/admin/admin")

    grant = {"FunctionName": "F", "Principal": "arn:aws:iam::000000000000:role/nobody"}
    await cloud.service.create_role("nobody", trusting(LAMBDA), {})
    await cloud.create(credentials, name="nobody", role="nobody")
    key, add = Key(*json.loads((await cloud.invoke(function="nobody")).payload or "")), cloud.client().add_permission
    url_action, action = "lambda:InvokeFunctionUrl", "lambda:InvokeFunction"
    await call(add, **grant, StatementId="url", Action=url_action, FunctionUrlAuthType="AWS_IAM")
    assert (await send(url, headers=_signed(url, key))).status == 403
    await call(add, **grant, StatementId="invoke", Action=action, InvokedViaFunctionUrl=True)
    assert (await send(url, headers=_signed(url, key))).status == 200


async def test_what_is_deleted_answers_no_more(cloud: Cloud) -> None:
    url = await open_url(cloud)
    await open_url(cloud, name="G")

    await cloud.service.urls.drop("F")
    await cloud.service.clear()

    assert not cloud.service.urls.find("G")
    with pytest.raises(urllib3.exceptions.NewConnectionError):
        await send(url)


# -- pages of other origins -----------------------------------------------------------------------------------------

PAGE = "https://page.example"


def _asking(origin: str, method: str, headers: str | None = None) -> dict[str, str]:
    asking = {"Origin": origin, "Access-Control-Request-Method": method}
    return {**asking, "Access-Control-Request-Headers": headers} if headers else asking


def _said(answer: urllib3.BaseHTTPResponse) -> dict[str, str]:
    """About origins, without what all begins with."""
    prefix = "access-control-"
    return {k.lower().removeprefix(prefix): v for k, v in answer.headers.items() if k.lower().startswith(prefix)}


async def test_the_url_answers_preflights_itself(cloud: Cloud) -> None:
    cors = Cors(True, ("x-a", "x-b"), ("GET", "PUT"), (PAGE, "http://localhost:3000"), ("x-c",), 300)
    url = await open_url(cloud, cors=cors, auth_type="AWS_IAM")

    allowed = await send(url, "OPTIONS", headers=_asking(PAGE, "PUT", "x-a"))
    foreign = await send(url, "OPTIONS", headers=_asking("https://other.example", "PUT"))

    assert (allowed.status, allowed.headers["Vary"]) == (200, "Origin")
    assert _said(allowed) == {
        "allow-origin": PAGE,
        "allow-credentials": "true",
        "allow-methods": "GET,PUT",
        "allow-headers": "x-a,x-b",
        "max-age": "300",
    }
    assert (foreign.status, _said(foreign)) == (200, {})
    assert not cloud.lab.invocations


async def test_stars_allow_what_is_asked_for(cloud: Cloud) -> None:
    url = await open_url(cloud, cors=Cors(False, ("*",), ("*",), ("*",)))

    answer = await send(url, "OPTIONS", headers=_asking(PAGE, "PATCH", "authorization"))

    assert _said(answer) == {
        "allow-origin": "*",
        "allow-methods": "PATCH",
        "allow-headers": "authorization",
        "max-age": "0",
    }


async def test_what_the_url_says_outweighs_the_function(cloud: Cloud) -> None:
    source = "def handler(event, context): return {'statusCode': 200, 'headers': {'Access-Control-Allow-Origin': '*'}}"
    url = await open_url(cloud, source, cors=Cors(allow_origins=(PAGE,), expose_headers=("x-c",)))

    answers = [
        await send(url, headers=headers) for headers in ({"Origin": PAGE}, {"Origin": "https://other.example"}, {})
    ]

    assert [answer.status for answer in answers] == [200, 200, 200]
    assert [_said(answer) for answer in answers] == [{"allow-origin": PAGE, "expose-headers": "x-c"}, {}, {}]


async def test_without_cors_all_is_the_functions_business(cloud: Cloud) -> None:
    source = """
        def handler(event, context):
            assert event["requestContext"]["http"]["method"] == "OPTIONS"
            return {"statusCode": 204, "headers": {"Access-Control-Allow-Origin": event["headers"]["origin"]}}
    """
    url = await open_url(cloud, source)

    answer = await send(url, "OPTIONS", headers=_asking(PAGE, "PUT"))

    assert (answer.status, _said(answer)) == (204, {"allow-origin": PAGE})


# -- means ----------------------------------------------------------------------------------------------------------


def _signed(url: str, key: Key, method: str = "GET", body: str = "", service: str = "lambda") -> Mapping[str, str]:
    request = AWSRequest(method, url, data=body)
    credentials = Credentials(key.access_key_id, key.secret_access_key, key.session_token)
    SigV4Auth(credentials, service, "us-east-1").add_auth(request)
    return dict(request.headers.items())
