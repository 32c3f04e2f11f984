"""What Node.js functions stream reaches the caller while they are still at work; their logs in JSON."""

from __future__ import annotations

import asyncio
import json

from lambdatui import events as ev
from lambdatui.function import LoggingConfig
from tests.runtimes.conftest import Create
from tests.runtimes.test_nodejs import NODE
from tests.service.conftest import Laboratory

SOURCE = """
    import { once } from "node:events";
    import net from "node:net";

    export const handler = awslambda.streamifyResponse(async (event, out) => {
      console.debug("quiet");
      console.warn("it streams");
      process.stdout.write("raw\\n");
      out.write("one ");
      if (event.port) await once(net.connect(event.port, "127.0.0.1").resume(), "end");
      if (event.fail) throw new RangeError("in the middle");
      out.end("two");
    });
"""


async def test_the_first_byte_is_there_while_the_handler_is_at_work(laboratory: Laboratory, create: Create) -> None:
    connected = asyncio.get_running_loop().create_future()
    server = await asyncio.start_server(lambda _, writer: connected.set_result(writer), "127.0.0.1", 0)
    await create({"index.mjs": SOURCE}, NODE, timeout=30)
    invoking = asyncio.create_task(laboratory.invoke(json.dumps({"port": server.sockets[0].getsockname()[1]})))
    await laboratory.until(lambda event: isinstance(event, ev.InvocationStreamed))
    (invocation,) = laboratory.lab.invocations.values()
    assert (invocation.status, invocation.payload) == ("running", None)
    (await connected).close()
    server.close()
    assert ((await invoking).payload, invocation.error_code) == ("one two", None)


async def test_an_error_in_the_middle_follows_what_was_sent(laboratory: Laboratory, create: Create) -> None:
    await create({"index.mjs": SOURCE}, NODE, logging_config=LoggingConfig("JSON"))
    invocation = await laboratory.invoke('{"fail": true}')
    assert (invocation.status, invocation.payload, invocation.function_error) == ("succeeded", "one ", None)
    assert invocation.error_code is not None
    assert json.loads(invocation.error_details or "")["errorMessage"] == "in the middle"
    _, start, said, raw, error, report = laboratory.lines(invocation)
    assert [json.loads(line)["type"] for line in (start, report)] == ["platform.start", "platform.report"]
    assert raw == "raw"
    assert [json.loads(line)["level"] for line in (said, error)] == ["WARN", "ERROR"]
    assert json.loads(said)["message"] == "it streams"
