"""Node.js functions, run by the client of ours: what the caller gets, what stands in the log."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest

from lambdatui.experiment.code import code_of
from lambdatui.experiment.schema import FunctionDefinition
from lambdatui.function import RUNTIMES
from lambdatui.lab import Invocation
from lambdatui.runtimes import nodejs
from lambdatui.runtimes.nodejs import Node
from lambdatui.runtimes.runtime import Folders, RuntimeNotInstalled
from tests.runtimes.conftest import Create
from tests.service.conftest import Laboratory


def _installed() -> str:
    """The runtime of the Node.js on the PATH; of another, and the tests are skipped, if that is none of Lambda's."""
    node = shutil.which("node")
    version = subprocess.run([node, "--version"], capture_output=True, text=True).stdout if node else ""
    runtime = f"nodejs{version[1:].split('.')[0]}.x"
    return runtime if runtime in RUNTIMES else "nodejs20.x"


NODE = _installed()
CALLBACKS_EXIST = int(NODE.removeprefix("nodejs").removesuffix(".x")) < 24


async def invoked(laboratory: Laboratory, event: Any = None) -> tuple[Invocation, Any, list[str]]:
    """An invocation, its payload, and its lines between START and END."""
    invocation = await laboratory.invoke(json.dumps(event or {}))
    lines = laboratory.lines(invocation)
    starts = [
        number for number, line in enumerate(lines) if line.startswith(f"START RequestId: {invocation.request_id}")
    ]
    ends = [number for number, line in enumerate(lines) if line.startswith(f"END RequestId: {invocation.request_id}")]
    return invocation, json.loads(invocation.payload or "null"), lines[starts[0] + 1 : ends[0]]


async def test_a_console_call_is_one_record_with_time_request_and_level(laboratory: Laboratory, create: Create) -> None:
    source = """
        console.log("the module");
        exports.handler = async (event, context) => {
          console.log("one\\ntwo", {a: 1});
          console.trace("a trace");
          process.stdout.write("raw\\n");
          console.error(new RangeError("shown").message);
          return [context.functionName, context.awsRequestId, context.memoryLimitInMB,
                  context.getRemainingTimeInMillis() > 1000,
                  process.env.AWS_EXECUTION_ENV, process.cwd() === __dirname];
        };
    """
    await create({"index.js": source}, NODE)
    invocation, payload, lines = await invoked(laboratory)
    assert payload == ["F", invocation.request_id, "128", True, f"AWS_Lambda_{NODE}", True]
    time = r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z"
    expected = [
        rf"{time}\t{invocation.request_id}\tINFO\tone\ntwo {{ a: 1 }}",
        rf"{time}\t{invocation.request_id}\tTRACE\ta trace",
        "raw",
        rf"{time}\t{invocation.request_id}\tERROR\tshown",
    ]
    assert len(lines) == len(expected)
    assert all(re.fullmatch(pattern, line) for pattern, line in zip(expected, lines, strict=True)), lines
    before = laboratory.lines(invocation)
    assert re.match(rf"INIT_START Runtime Version: nodejs:{NODE[6:-2]}\.v\d+\t", before[0])
    assert re.fullmatch(rf"{time}\tundefined\tINFO\tthe module", before[1])


@pytest.mark.parametrize(
    ("files", "handler"),
    [
        ({"index.js": "exports.handler = async () => 'here'"}, "index.handler"),
        ({"index.cjs": "exports.handler = async () => 'here'"}, "index.handler"),
        ({"index.mjs": "export const handler = async () => 'here'"}, "index.handler"),
        (
            {"index.js": "export const handler = async () => 'here'", "package.json": '{"type": "module"}'},
            "index.handler",
        ),
        ({"lib/api/index.js": "exports.handler = async () => 'here'"}, "lib/api/index.handler"),
        ({"index.js": "exports.deep = {er: {handler: async () => 'here'}}"}, "index.deep.er.handler"),
        ({"node_modules/packaged/index.js": "exports.handler = async () => 'here'"}, "packaged.handler"),
    ],
)
async def test_handlers_are_found(laboratory: Laboratory, create: Create, files: dict[str, str], handler: str) -> None:
    await create(files, NODE, handler)
    assert (await invoked(laboratory))[1] == "here"


@pytest.mark.parametrize(
    ("source", "handler", "kind", "message"),
    [
        ("require('nowhere')", "index.handler", "ImportModuleError", "Error: Cannot find module 'nowhere'"),
        ("", "other.handler", "ImportModuleError", "Error: Cannot find module 'other'"),
        ("exports.handler = )", "index.handler", "UserCodeSyntaxError", "SyntaxError: Unexpected token"),
        ("", "index.handler", "HandlerNotFound", "index.handler is undefined or not exported"),
        ("exports.handler = 7", "index.handler", "HandlerNotFound", "index.handler is not a function"),
        ("", "handler", "MalformedHandlerName", "Bad handler"),
        ("", "../index.handler", "MalformedHandlerName", "is not a valid handler name"),
    ],
)
async def test_what_cannot_be_loaded_fails_the_init(
    laboratory: Laboratory, create: Create, source: str, handler: str, kind: str, message: str
) -> None:
    await create({"index.js": source}, NODE, handler)
    invocation, payload, _ = await invoked(laboratory)
    assert payload["errorType"] == f"Runtime.{kind}"
    assert message in payload["errorMessage"]
    lines = laboratory.lines(invocation)
    assert any(re.search(rf"\tundefined\tERROR\tUncaught Exception \t.*Runtime\.{kind}", line) for line in lines)
    assert any(line.endswith(f"Phase: init\tStatus: error\tError Type: Runtime.{kind}") for line in lines)


FAILING = """
    exports.handler = async (event) => {
      const later = (action) => new Promise((_, reject) => setTimeout(() => action(reject), 1));
      switch (event.how) {
        case "throw": throw new TypeError("boom");
        case "text": throw "a text";
        case "circular": const ring = {}; ring.ring = ring; return ring;
        case "never": return new Promise(() => {});
        case "unhandled": Promise.reject(new Error("lost")); return later(() => {});
        case "uncaught": return later(() => { throw new RangeError("late") });
        case "exit": process.exit(7);
      }
      return "fine";
    };
"""


@pytest.mark.parametrize(
    ("how", "error_type", "message", "logged"),
    [
        ("throw", "TypeError", "boom", 'Invoke Error \t{"errorType":"TypeError","errorMessage":"boom","stack":['),
        ("text", "string", "a text", 'Invoke Error \t{"errorType":"Error","errorMessage":"a text"'),
        ("circular", "Error", "Unable to stringify response body", "Invoke Error \t"),
        ("never", "Runtime.NodeJsExit", "a Promise that was never settled", "Invoke Error \t"),
    ],
)
async def test_an_error_goes_to_the_caller_and_the_process_stays(
    laboratory: Laboratory, create: Create, how: str, error_type: str, message: str, logged: str
) -> None:
    await create({"index.js": FAILING}, NODE)
    invocation, payload, lines = await invoked(laboratory, {"how": how})
    assert invocation.status == "failed"
    assert (payload["errorType"], message in payload["errorMessage"]) == (error_type, True)
    assert [f"\t{invocation.request_id}\tERROR\t{logged}" in line for line in lines] == [True]
    assert how != "throw" or (payload["trace"][0], "index.js" in payload["trace"][1]) == ("TypeError: boom", True)
    after, payload, _ = await invoked(laboratory)
    assert (payload, after.environment) == ("fine", invocation.environment)
    assert not any("INIT_REPORT" in line for line in laboratory.lines(after))


@pytest.mark.parametrize(
    ("how", "error_type", "logged"),
    [
        ("unhandled", "Runtime.UnhandledPromiseRejection", "Unhandled Promise Rejection \t"),
        ("uncaught", "RangeError", "Uncaught Exception \t"),
        ("exit", "Runtime.ExitError", None),
    ],
)
async def test_an_error_that_nobody_catches_ends_the_process(
    laboratory: Laboratory, create: Create, how: str, error_type: str, logged: str | None
) -> None:
    await create({"index.js": FAILING}, NODE)
    invocation, payload, lines = await invoked(laboratory, {"how": how})
    assert payload["errorType"] == error_type
    assert [logged in line for line in lines if logged] == ([True] if logged else [])
    assert laboratory.lines(invocation)[-1].endswith("Status: error\tError Type: Runtime.ExitError")
    assert laboratory.lab.environments[invocation.environment or ""].state == "reset"
    assert (await invoked(laboratory))[1] == "fine"


async def test_an_error_left_behind_fails_the_next_invocation(laboratory: Laboratory, create: Create) -> None:
    """Its timer was stopped with the environment, and fires when that is thawed."""
    source = """
        exports.handler = async (event) => {
          if (event.leave) setTimeout(() => { throw new Error("left behind") }, 1000);
          if (event.wait) await new Promise((resolve) => setTimeout(resolve, 2500));
        };
    """
    await create({"index.js": source}, NODE)
    assert (await laboratory.invoke('{"leave": true}')).status == "succeeded"
    assert (await laboratory.invoke('{"wait": true}')).status == "failed"
    assert (await laboratory.invoke()).status == "succeeded"


@pytest.mark.skipif(not CALLBACKS_EXIST, reason="since Node.js 24, Lambda has no callbacks")
async def test_a_callback_waits_for_an_empty_event_loop_unless_told_not_to(
    laboratory: Laboratory, create: Create
) -> None:
    source = """
        exports.handler = (event, context, callback) => {
          if (event.how === "nothing") return;
          if (event.how === "done") return context.done(null, "done");
          if (event.how === "fail") return callback(new Error("told"));
          context.callbackWaitsForEmptyEventLoop = event.waits;
          setTimeout(() => console.log("the timer"), 5);
          callback(null, "first");
          callback(null, "second");
        };
    """
    await create({"index.js": source}, NODE)
    assert (await invoked(laboratory, {"how": "nothing"}))[1] is None
    assert (await invoked(laboratory, {"how": "done"}))[1] == "done"
    assert (await invoked(laboratory, {"how": "fail"}))[1]["errorMessage"] == "told"
    _, payload, lines = await invoked(laboratory, {"waits": True})
    assert (payload, ["the timer" in line for line in lines]) == ("first", [True])
    assert (await invoked(laboratory, {"waits": False}))[1] == "first"


STREAMING = """
    import { Readable } from "node:stream";
    import { pipeline } from "node:stream/promises";
    const streaming = awslambda.streamifyResponse;
    export const piped = streaming((event, out) => pipeline(Readable.from(["one ", "two"]), out));
    export const objects = streaming(async (event, out) => { out.write("text "); out.write({a: 1}); out.end("!"); });
    export const prelude = streaming(async (event, out) => {
      const page = awslambda.HttpResponseStream.from(out, {statusCode: 201});
      page.write("body");
      page.end();
    });
    export const early = streaming(async () => { throw new TypeError("early"); });
    export const open = streaming(async () => {});
    export const sync = streaming(() => 1);
"""


@pytest.mark.parametrize(
    ("handler", "payload"),
    [
        ("piped", "one two"),
        ("objects", 'text {"a":1}!'),
        ("prelude", '{"statusCode":201}' + "\0" * 8 + "body"),
    ],
)
async def test_a_response_is_streamed(laboratory: Laboratory, create: Create, handler: str, payload: str) -> None:
    await create({"index.mjs": STREAMING}, NODE, f"index.{handler}")
    for _ in range(2):
        assert (await laboratory.invoke()).payload == payload


@pytest.mark.parametrize(
    ("handler", "message"),
    [
        ("early", "early"),
        ("open", "Response stream is not finished."),
        ("sync", "Streaming does not support non-async handlers."),
    ],
)
async def test_a_stream_that_has_not_begun_can_fail(
    laboratory: Laboratory, create: Create, handler: str, message: str
) -> None:
    await create({"index.mjs": STREAMING}, NODE, f"index.{handler}")
    for _ in range(2):
        invocation, payload, lines = await invoked(laboratory)
        assert (invocation.status, payload["errorMessage"]) == ("failed", message)
        assert ["Invoke Error \t" in line for line in lines] == [True]


async def test_a_flood_of_records_beside_raw_output_stays_whole(laboratory: Laboratory, create: Create) -> None:
    source = """
        exports.handler = async () => {
          process.stdout.write("raw\\n");
          for (let number = 0; number < 3000; number++) console.log(number, "x".repeat(100));
        };
    """
    await create({"index.js": source}, NODE, timeout=30)
    _, _, lines = await invoked(laboratory)
    assert lines[0] == "raw"
    assert [line.split("\t")[3].split()[0] for line in lines[1:]] == [str(number) for number in range(3000)]


@pytest.mark.parametrize(
    "source",
    ["exports.handler = async () => 'inline'", "import 'node:fs';\nexport const handler = async () => 'inline'"],
)
async def test_the_module_can_be_a_text_of_the_experiment(
    laboratory: Laboratory, create: Create, tmp_path: Path, source: str
) -> None:
    definition = FunctionDefinition(runtime=NODE, handler="index.handler", source=source)
    code = code_of(definition, tmp_path)
    await create({code.name: code.source}, NODE)
    assert (await invoked(laboratory))[1] == "inline"


async def test_layers_bring_modules(laboratory: Laboratory, create: Create) -> None:
    module = laboratory.folder / "layer/nodejs/node_modules/shared/index.js"
    module.parent.mkdir(parents=True)
    module.write_text("exports.origin = 'layer'")
    layers = (str(laboratory.folder / "layer"),)
    await create({"index.js": "exports.handler = async () => require('shared').origin"}, NODE, layers=layers)
    assert (await invoked(laboratory))[1] == "layer"


async def test_json_records(laboratory: Laboratory, create: Create) -> None:
    source = """
        exports.handler = async () => { console.log("hello", 1); console.log({a: 1}); throw new TypeError("boom"); };
    """
    # The format is the service's to set; here a wrapper does it before Node.js starts.
    wrapper = laboratory.folder / "layer/json"
    wrapper.parent.mkdir()
    wrapper.write_text('#!/bin/sh\nexport AWS_LAMBDA_LOG_FORMAT=JSON AWS_LAMBDA_LOG_LEVEL=INFO\nexec "$@"\n')
    wrapper.chmod(0o755)
    keys = {"layers": (str(wrapper.parent),), "environment": {"AWS_LAMBDA_EXEC_WRAPPER": "/opt/json"}}
    await create({"index.js": source}, NODE, **keys)
    invocation, _, lines = await invoked(laboratory)
    records = [json.loads(line) for line in lines]
    assert [record["message"] for record in records[:2]] == ["hello 1", {"a": 1}]
    assert {(record["level"], record["requestId"]) for record in records[:2]} == {("INFO", invocation.request_id)}
    assert records[2]["level"] == "ERROR"
    assert (records[2]["message"]["errorType"], records[2]["message"]["errorMessage"]) == ("TypeError", "boom")


# -- which Node.js, and which client --------------------------------------------------------------------------------


async def test_a_node_that_is_not_installed_is_told_in_a_sentence() -> None:
    with pytest.raises(RuntimeNotInstalled, match=r"the runtime nodejs99\.x is not installed.*: install Node\.js 99"):
        await nodejs.find("nodejs99.x")


@pytest.mark.parametrize(("version", "module"), [(22, "dist/index.mjs"), (24, "index.mjs")])
def test_the_client_of_aws_is_used_where_it_was_built(tmp_path: Path, version: int, module: str) -> None:
    code, everywhere = tmp_path / "code", tmp_path / "node"
    node = Node("node", (version, 0, 0), everywhere)
    folders = Folders(code, None, "/var/task", "/opt")
    assert not node.variables(folders)["_LAMBDATUI_CLIENT"]
    for folder, seen in ((everywhere / "lib", str(everywhere / "lib")), (code, "/var/task")):
        client = folder / "node_modules/aws-lambda-ric" / module
        client.parent.mkdir(parents=True)
        client.with_name("rapid-client.node").write_text("")
        expected = f"{seen}/node_modules/aws-lambda-ric/{module}"
        assert node.variables(folders)["_LAMBDATUI_CLIENT"] == expected
