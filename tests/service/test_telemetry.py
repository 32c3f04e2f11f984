"""The Telemetry API: what it accepts, its batches by themselves, and a subscriber that is a real process."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lambdatui.service.telemetry import Buffer, Subscription
from lambdatui.service.telemetry_api import parse
from tests.service.conftest import Laboratory
from tests.service.test_extensions import layer

GOOD: dict[str, Any] = {
    "schemaVersion": "2022-07-01",
    "types": ["platform", "function"],
    "destination": {"protocol": "HTTP", "URI": "http://sandbox.localdomain:4243/here"},
}

SUBSCRIBER = """
    # In the shape of AWS's own python-example-telemetry-api-extension (aws-samples/aws-lambda-extensions).
    import http.server, queue, socket, threading
    records = queue.Queue()

    class Receiver(http.server.BaseHTTPRequestHandler):
        def do_POST(self):
            for record in json.loads(self.rfile.read(int(self.headers["Content-Length"]))):
                records.put(record)
            self.send_response(200)
            self.end_headers()

        def log_message(self, *args):
            pass

    def subscribe(extension, port, **changes):
        api = API.replace("2020-01-01/extension", "2022-07-01/telemetry")
        body = {
            "schemaVersion": "2022-07-01",
            "types": ["platform", "function"],
            "buffering": {"maxItems": 1000, "maxBytes": 262144, "timeoutMs": 25},
            "destination": {"protocol": "HTTP", "URI": f"http://sandbox.localdomain:{port}"},
        } | changes
        headers = {"Lambda-Extension-Identifier": extension}
        request = urllib.request.Request(api, json.dumps(body).encode(), headers, method="PUT")
        return urllib.request.urlopen(request).read()

    def main():
        extension = register(["INVOKE", "SHUTDOWN"])
        server = http.server.ThreadingHTTPServer(("0.0.0.0", 0), Receiver)
        threading.Thread(target=server.serve_forever, daemon=True).start()
        print("answer", subscribe(extension, server.server_port), flush=True)
        event = next_event(extension)
        while event["eventType"] != "SHUTDOWN":
            event = next_event(extension)
        seen = []
        while not seen or seen[-1]["type"] != "platform.report":
            seen.append(records.get(timeout=2))
        print(json.dumps(seen), flush=True)
"""


async def test_a_subscriber_gets_platform_and_function_records(laboratory: Laboratory) -> None:
    source = "print('module')\ndef handler(event, context):\n    print('handler')"
    await laboratory.create(source, layers=(layer(laboratory.folder, subscriber=SUBSCRIBER),))
    invocation = await laboratory.invoke()
    await laboratory.service.reclaim()
    lines = laboratory.lines(invocation)
    assert "TELEMETRY\tName: subscriber\tState: Subscribed\tTypes: [Platform, Function]" in lines
    assert """answer b'"OK"'""" in lines
    records = json.loads(lines[-1])
    assert [record["type"] for record in records] == [
        "platform.initStart",
        "platform.telemetrySubscription",
        "function",
        "platform.initRuntimeDone",
        "platform.extension",
        "platform.initReport",
        "platform.start",
        "function",
        "platform.runtimeDone",
        "platform.report",
    ]
    by_type = {record["type"]: record["record"] for record in records}
    assert by_type["function"] == "handler" and records[2]["record"] == "module"
    assert by_type["platform.extension"] == {"name": "subscriber", "state": "Ready", "events": ["INVOKE", "SHUTDOWN"]}
    assert by_type["platform.report"]["requestId"] == invocation.request_id
    assert by_type["platform.report"]["metrics"]["durationMs"] == invocation.duration_ms
    assert all(record["time"].endswith("Z") for record in records)


async def test_sandbox_localdomain_is_the_environments_own(laboratory: Laboratory) -> None:
    await laboratory.create(
        """
        import socket
        def handler(event, context):
            return socket.gethostbyname("sandbox.localdomain")
        """
    )
    if laboratory.lab.laboratory and laboratory.lab.laboratory.sandbox != "bubblewrap":
        pytest.skip("the name is known only where environments have an /etc of their own")
    first = await laboratory.invoke()
    await laboratory.service.reclaim()
    second = await laboratory.invoke()
    assert first.payload != second.payload
    assert str(first.payload).startswith('"127.')


async def test_subscriptions_are_closed_after_the_init(laboratory: Laboratory) -> None:
    late = (
        SUBSCRIBER.partition("    def main():")[0]
        + """
    def main():
        extension = register(["INVOKE"])
        next_event(extension)
        try:
            subscribe(extension, 4243)
        except urllib.error.HTTPError as error:
            print(error.code, error.read().decode(), flush=True)
        next_event(extension)
    """
    )
    await laboratory.create("def handler(event, context): pass", layers=(layer(laboratory.folder, late=late),))
    lines = laboratory.lines(await laboratory.invoke())
    assert any(line.startswith("403") and "Telemetry.SubscriptionClosed" in line for line in lines)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"schemaVersion": "1"}, "schemaVersion should be one of"),
        ({"types": []}, "types should not be empty"),
        ({"types": ["platform", "weather"]}, "type weather is not known"),
        ({"destination": {"protocol": "HTTP", "URI": "http://sandbox.localdomain"}}, "URI port is not provided"),
        ({"destination": {"protocol": "HTTP", "URI": "http://example.com:80"}}, "URI host should be"),
        ({"destination": {"protocol": "UDP", "URI": "http://sandbox.localdomain:1"}}, "protocol should be"),
        ({"destination": None}, "destination should be an object"),
        ({"buffering": {"maxItems": 999}}, "maxItems should be between 1000 and 10000"),
        ({"buffering": {"timeoutMs": 24}}, "timeoutMs should be between 25 and 30000"),
        ({"buffering": {"maxBytes": "many"}}, "maxBytes should be between 262144 and 1048576"),
    ],
)
def test_what_is_wrong_with_a_subscription(changes: dict[str, Any], message: str) -> None:
    subscription, wrong = parse("x", json.dumps(GOOD | changes).encode())
    assert subscription is None
    assert len(wrong) == 1 and message in wrong[0]


def test_defaults_and_the_destination_of_a_subscription() -> None:
    subscription, wrong = parse("x", json.dumps(GOOD).encode())
    assert wrong == []
    assert subscription == Subscription(
        "x", ("platform", "function"), "HTTP", "sandbox.localdomain", 4243, "/here", 1000, 262144, 1.0
    )
    assert parse("x", b"no json")[0] is None


@given(st.lists(st.text(max_size=30)), st.integers(1, 5), st.integers(1, 50))
def test_batches_hold_everything_once_and_not_too_much(records: list[str], items: int, size: int) -> None:
    buffer = Buffer(items, size)
    for record in records:
        buffer.add(record)
    assert buffer.full == (len(records) >= items or sum(len(each.encode()) for each in records) >= size)
    taken = []
    while batch := buffer.take():
        assert len(batch) <= items
        assert len(batch) == 1 or sum(len(each.encode()) for each in batch) <= size
        taken += batch
    assert taken == records and not len(buffer) and not buffer.full
