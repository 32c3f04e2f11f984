"""Invoke, as boto3 and the aws CLI see it."""

from __future__ import annotations

import asyncio
import base64
import json
from typing import Any

import pytest
from botocore.exceptions import ClientError

from lambdatui import events as ev
from lambdatui.function import LoggingConfig
from lambdatui.refusal import ServiceRefusal
from lambdatui.role import LAMBDA, trusting
from lambdatui.service import callers
from lambdatui.service.invocation import InvocationRequest
from tests.aws.conftest import Cloud, call

ECHO = """
    import os
    def handler(event, context):
        client = context.client_context
        return {"event": event, "arn": context.invoked_function_arn, "custom": client and client.custom}
"""


async def invoke(client: Any, **parameters: Any) -> dict[str, Any]:
    """The answer, and all of its payload."""
    answer = await call(client.invoke, **{"FunctionName": "F", **parameters})
    return {**answer, "Payload": await call(answer["Payload"].read)}


async def refused(cloud: Cloud, **parameters: Any) -> tuple[str, str, int]:
    """Code, message and status of what Invoke answers."""
    with pytest.raises(ClientError) as error:
        await invoke(cloud.client(), **parameters)
    response = error.value.response
    return response["Error"]["Code"], response["Error"]["Message"], response["ResponseMetadata"]["HTTPStatusCode"]


def tail(answer: dict[str, Any]) -> str:
    return base64.b64decode(answer["LogResult"]).decode()


async def test_a_function_answers(cloud: Cloud) -> None:
    await cloud.create("def handler(event, context):\n    return {'hello': event['name']}")

    answer = await invoke(cloud.client(), Payload=json.dumps({"name": "you"}))

    assert (answer["StatusCode"], answer["ExecutedVersion"]) == (200, "$LATEST")
    assert json.loads(answer["Payload"]) == {"hello": "you"}
    assert cloud.lab.invocations[answer["ResponseMetadata"]["RequestId"]].source == "endpoint"


async def test_every_form_of_a_name(cloud: Cloud) -> None:
    await cloud.create(ECHO)
    await cloud.service.publish("F")
    client = cloud.client()
    arn = "arn:aws:lambda:us-east-1:000000000000:function:F"
    for name, qualifier, expected, version in (
        ("F", None, arn, "$LATEST"),
        ("F", "1", f"{arn}:1", "1"),
        ("F:1", None, f"{arn}:1", "1"),
        ("F:1", "1", f"{arn}:1", "1"),
        ("F:$LATEST", None, f"{arn}:$LATEST", "$LATEST"),
        ("function:F", None, arn, "$LATEST"),
        ("000000000000:function:F", "$LATEST", f"{arn}:$LATEST", "$LATEST"),
        ("us-east-1:000000000000:function:F:1", None, f"{arn}:1", "1"),
        (arn, None, arn, "$LATEST"),
        (f"{arn}:1", None, f"{arn}:1", "1"),
    ):
        answer = await invoke(client, FunctionName=name, **({"Qualifier": qualifier} if qualifier else {}))
        assert (json.loads(answer["Payload"])["arn"], answer["ExecutedVersion"]) == (expected, version), name


async def test_names_that_lead_nowhere(cloud: Cloud) -> None:
    await cloud.create(ECHO)
    arn = "arn:aws:lambda:us-east-1:000000000000:function"
    not_found, denied = "ResourceNotFoundException", "AccessDeniedException"
    assert await refused(cloud, FunctionName="G") == (not_found, f"Function not found: {arn}:G:$LATEST", 404)
    assert await refused(cloud, Qualifier="7") == (not_found, f"Function not found: {arn}:F:7", 404)
    assert await refused(cloud, FunctionName="F:live") == (not_found, f"Function not found: {arn}:F:live", 404)
    assert await refused(cloud, FunctionName="F:1", Qualifier="2") == (
        "InvalidParameterValueException",
        "The derived qualifier from the function name does not match the specified qualifier.",
        400,
    )
    code, message, status = await refused(cloud, FunctionName=f"{arn}:F".replace("000000000000", "123456789012"))
    assert (code, status) == (denied, 403)
    assert "lambda:InvokeFunction on resource: arn:aws:lambda:us-east-1:123456789012:function:F because" in message
    assert await refused(cloud, FunctionName=f"{arn}:F".replace("us-east-1", "us-west-2")) == (
        not_found,
        "Functions from 'us-west-2' are not reachable in this region ('us-east-1')",
        404,
    )
    assert not cloud.lab.invocations


async def test_payloads_that_are_none(cloud: Cloud) -> None:
    await cloud.create(ECHO)
    code, message, status = await refused(cloud, Payload=b"{no json")
    assert (code, status) == ("InvalidRequestContentException", 400)
    assert message.startswith("Could not parse request body into json: Could not parse payload into json: ")
    assert (await refused(cloud, Payload=b'"\xff"'))[0] == "InvalidRequestContentException"
    size = 6 * 2**20 + 1
    large = b'"%b"' % (b"x" * (size - 2))
    assert await refused(cloud, Payload=large) == (
        "RequestEntityTooLargeException",
        f"{size} byte payload is too large for the RequestResponse invocation type (limit 6291456 bytes)",
        413,
    )
    assert await refused(cloud, Payload=large[: 2**20] + b'"', InvocationType="Event") == (
        "RequestEntityTooLargeException",
        "1048577 byte payload is too large for the Event invocation type (limit 1048576 bytes)",
        413,
    )
    assert (await refused(cloud, InvocationType="Sometimes"))[0] == "ValidationException"
    assert (await refused(cloud, LogType="Head"))[0] == "ValidationException"
    assert not cloud.lab.invocations
    answer = await invoke(cloud.client())
    assert json.loads(answer["Payload"])["event"] == {}


async def test_a_failure_is_an_answer(cloud: Cloud) -> None:
    await cloud.create("def handler(event, context): raise ValueError('no')")
    answer = await invoke(cloud.client())
    assert (answer["StatusCode"], answer["FunctionError"]) == (200, "Unhandled")
    assert json.loads(answer["Payload"])["errorType"] == "ValueError"


async def test_an_event_is_accepted_and_runs(cloud: Cloud) -> None:
    await cloud.create(ECHO)
    client = cloud.client()
    context = base64.b64encode(b'{"custom": {"a": 1}}').decode()
    answer = await invoke(
        client,
        InvocationType="Event",
        Payload=b'{"n": 1}',
        LogType="Tail",
        ClientContext=context,
    )
    assert (answer["StatusCode"], answer["Payload"]) == (202, b"")
    assert not {"ExecutedVersion", "LogResult"} & answer.keys()
    old = await call(client.invoke_async, FunctionName="F", InvokeArgs=b'{"n": 2}')
    assert old["Status"] == 202
    await cloud.service.settled()
    answers = [json.loads(each.payload or "") for each in cloud.lab.invocations.values()]
    assert [(each["event"]["n"], each["custom"]) for each in answers] == [(1, None), (2, None)]


async def test_a_dry_run_runs_nothing(cloud: Cloud) -> None:
    await cloud.create(ECHO)
    answer = await invoke(cloud.client(), InvocationType="DryRun")
    assert (answer["StatusCode"], answer["Payload"]) == (204, b"")
    assert not cloud.lab.environments
    assert (await refused(cloud, FunctionName="G", InvocationType="DryRun"))[0] == "ResourceNotFoundException"


async def test_a_throttle_says_whose_limit_it_is(cloud: Cloud) -> None:
    await cloud.create(ECHO, reserved_concurrent_executions=0)
    with pytest.raises(ClientError) as throttled:
        await invoke(cloud.client())
    response = throttled.value.response
    assert (response["Error"]["Code"], response["Error"]["Message"]) == ("TooManyRequestsException", "Rate Exceeded.")
    assert response["Reason"] == "ReservedFunctionConcurrentInvocationLimitExceeded"
    assert (response["Type"], response["ResponseMetadata"]["HTTPStatusCode"]) == ("User", 429)
    (invocation,) = cloud.lab.invocations.values()
    assert response["ResponseMetadata"]["RequestId"] == invocation.request_id


@pytest.mark.parametrize("log_format", ["Text", "JSON"])
async def test_the_tail_of_the_log_is_complete(cloud: Cloud, log_format: str) -> None:
    await cloud.create(
        "print('init')\ndef handler(event, context): print('in the handler', event)",
        logging_config=LoggingConfig(log_format),
    )
    for payload in (b"1", b"2"):
        answer = await invoke(cloud.client(), LogType="Tail", Payload=payload)
        lines = tail(answer).removesuffix("\n").split("\n")
        request_id = answer["ResponseMetadata"]["RequestId"]
        if log_format == "Text":
            assert [line.split(":")[0] for line in lines[:1] + lines[2:]] == [
                *("START RequestId", "END RequestId", "REPORT RequestId")
            ]
        else:
            assert [json.loads(line)["type"] for line in lines[:1] + lines[2:]] == ["platform.start", "platform.report"]
        assert lines[1] == f"in the handler {payload.decode()}"
        assert request_id in lines[0] and request_id in lines[-1]
    assert "LogResult" not in await invoke(cloud.client(), LogType="None")


async def test_the_tail_has_four_kilobytes(cloud: Cloud) -> None:
    await cloud.create("def handler(event, context): print('ü' * 3000)")
    answer = await invoke(cloud.client(), LogType="Tail")
    decoded = base64.b64decode(answer["LogResult"])
    assert len(decoded) == 4096
    assert decoded.endswith(b" MB\t\n") or b"Init Duration" in decoded[-40:]


async def test_the_tail_after_an_init_inside_the_invocation(cloud: Cloud) -> None:
    await cloud.create("import os\nprint('init')\ndef handler(event, context): event.get('exit') and os._exit(1)")
    client = cloud.client()
    failed = await invoke(client, LogType="Tail", Payload=b'{"exit": true}')
    assert tail(failed).startswith("START ") and "Status: error" in tail(failed)
    after = await invoke(client, LogType="Tail")
    assert [line.split(" ")[0] for line in tail(after).splitlines()] == ["START", "END", "REPORT"]


async def test_a_client_context_reaches_the_function(cloud: Cloud) -> None:
    await cloud.create(ECHO)
    context = base64.b64encode('{"custom":\n {"käse": 1}}'.encode()).decode()
    answer = await invoke(cloud.client(), ClientContext=context)
    assert json.loads(answer["Payload"])["custom"] == {"käse": 1}
    longest = base64.b64encode(b'{"custom": {"a": "%b"}}' % (b"x" * 2664)).decode()
    assert len(longest) == 3580
    await invoke(cloud.client(), ClientContext=longest)


@pytest.mark.parametrize(
    "encoded", ["%%%", base64.b64encode(b"[1]").decode(), base64.b64encode(b"{").decode(), "A" * 3584]
)
async def test_a_client_context_that_is_none(cloud: Cloud, encoded: str) -> None:
    await cloud.create(ECHO)
    code, message, status = await refused(cloud, ClientContext=encoded)
    assert (code, status) == ("InvalidRequestContentException", 400)
    assert message.startswith("Client context must ")


async def test_a_restart_is_an_error_to_those_who_wait(cloud: Cloud) -> None:
    await cloud.create("import time\ndef handler(event, context): time.sleep(60)", timeout=90)
    waiting = asyncio.create_task(refused(cloud))
    await cloud.until(lambda event: isinstance(event, ev.InvocationStarted))
    await cloud.service.clear()
    assert await waiting == (ServiceRefusal.code, "The laboratory was cleared meanwhile.", 500)


async def test_who_invokes_again_at_once_finds_the_environment_at_rest(
    cloud: Cloud, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The answer comes before the runtime asks for the next invocation."""
    monkeypatch.setattr(callers, "_MOMENT", 60)
    await cloud.create("def handler(event, context):\n    return event")
    for payload in map(str, range(10)):
        caller = await cloud.service.begin_in_turn(InvocationRequest("F", payload))
        await caller.until_answered()
        assert not caller.finished

    assert list(cloud.lab.environments) == [cloud.lab.invocations[caller.request_id].environment]


async def test_three_terminals_at_once_get_three_environments(cloud: Cloud) -> None:
    """Each of them waits in its handler until all three are there."""
    arrived: asyncio.Queue[asyncio.StreamWriter] = asyncio.Queue()
    server = await asyncio.start_server(lambda _, writer: arrived.put_nowait(writer), "127.0.0.1", 0)
    wait = """
        import socket
        def handler(event, context):
            socket.create_connection(("127.0.0.1", event)).recv(1)
            return context.log_stream_name
    """
    await cloud.create(wait, timeout=120)
    port = str(server.sockets[0].getsockname()[1])
    command = ("lambda", "invoke", "--function-name", "F", "--payload", port)
    terminals = [asyncio.create_task(cloud.aws(*command, f"answer-{number}")) for number in range(3)]
    async with asyncio.timeout(120):
        writers = [await arrived.get() for _ in terminals]
    for writer in writers:
        writer.close()
    server.close()
    assert await asyncio.gather(*terminals) == [{"StatusCode": 200, "ExecutedVersion": "$LATEST"}] * 3
    streams = {json.loads((cloud.folder / f"answer-{number}").read_text()) for number in range(3)}
    assert streams == {each.log_stream for each in cloud.lab.environments.values()}
    assert len(streams) == 3


async def test_what_is_signed_with_another_secret_is_refused(cloud: Cloud) -> None:
    await cloud.create("def handler(event, context): pass")

    with pytest.raises(ClientError) as denied:
        await invoke(cloud.client(aws_secret_access_key="guessed"))

    assert denied.value.response["Error"]["Code"] == "InvalidSignatureException"
    assert not cloud.lab.invocations


async def test_a_function_invokes_another_without_any_configuration(cloud: Cloud) -> None:
    await cloud.create("def handler(event, context): return 'called'", name="Called")
    caller = """
        import boto3
        def handler(event, context):
            return boto3.client("lambda").invoke(FunctionName="Called")["Payload"].read().decode()
    """
    await cloud.create(caller, name="Caller", timeout=30, memory_size=1769)

    answer = await invoke(cloud.client(), FunctionName="Caller")

    assert json.loads(answer["Payload"]) == '"called"'


async def test_a_role_that_does_not_allow_it_invokes_nothing(cloud: Cloud) -> None:
    await cloud.service.create_role("logger", trusting(LAMBDA), {})
    caller = """
        import boto3
        def handler(event, context):
            boto3.client("lambda").invoke(FunctionName="F", Qualifier="1")
    """
    await cloud.create(caller, role="logger", timeout=30, memory_size=1769)

    answer = await invoke(cloud.client())

    assert json.loads(answer["Payload"])["errorMessage"] == (
        "An error occurred (AccessDeniedException) when calling the Invoke operation: "
        "User: arn:aws:sts::000000000000:assumed-role/logger/F is not authorized to perform: lambda:InvokeFunction "
        "on resource: arn:aws:lambda:us-east-1:000000000000:function:F:1 "
        "because no identity-based policy allows the lambda:InvokeFunction action"
    )


async def test_clients_find_the_laboratory_in_functions_as_in_terminals(cloud: Cloud) -> None:
    source = """
        import os
        def handler(event, context):
            return {name: os.environ.get(name) for name in event}
    """
    await cloud.create(source)
    told = {name: value for name, value in cloud.variables.items() if "ENDPOINT" in name or "HOST_PREFIX" in name}
    assert len(told) == 4

    answer = await invoke(cloud.client(), Payload=json.dumps([*told]))

    assert json.loads(answer["Payload"]) == told
