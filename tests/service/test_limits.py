"""Limits that bite: memory, CPU, /tmp, descriptors, processes, with real processes."""

from __future__ import annotations

import asyncio
import json
import sys
import time

import pytest

from lambdatui import events as ev
from lambdatui.sandbox import machine
from lambdatui.sandbox.sandbox import Bubblewrap, ProcessGroup, Sandbox, choose
from lambdatui.sandbox.storage import Tmpfs
from tests.service.conftest import Laboratory, Opener


@pytest.fixture(params=["bubblewrap", "process group"])
async def laboratory(
    request: pytest.FixtureRequest, open_laboratory: Opener, monkeypatch: pytest.MonkeyPatch
) -> Laboratory:
    if request.param == "process group":
        monkeypatch.setattr(machine, "choose", process_group)
    elif not isinstance(await choose(), Bubblewrap):
        pytest.skip("bubblewrap does not work here")
    opened = await open_laboratory()
    assert isinstance(opened, Laboratory)
    return opened


async def process_group() -> Sandbox:
    return ProcessGroup()


async def refused(_: object) -> None:
    return None


# -- memory ---------------------------------------------------------------------------------------------------------

MEMORY_BOMB = """
def handler(event, context):
    held = []
    while event:
        held.append(bytearray(2**20))
    return "small"
"""


async def test_over_its_memory_a_function_is_killed_and_the_next_finds_a_new_process(laboratory: Laboratory) -> None:
    await laboratory.create(MEMORY_BOMB, timeout=60, memory_size=192)
    killed = await laboratory.invoke('{"grow": true}')
    assert killed.status == "failed"
    assert json.loads(killed.payload or "") == {
        "errorType": "Runtime.OutOfMemory",
        "errorMessage": f"RequestId: {killed.request_id} Error: Runtime exited with error: signal: killed",
    }
    assert killed.max_memory_used_mb == 192
    assert laboratory.lines(killed)[-1].endswith("Status: error\tError Type: Runtime.OutOfMemory")
    after = await laboratory.invoke()
    assert after.payload == '"small"' and after.environment == killed.environment


async def test_out_of_memory_in_the_classic_dialect(open_laboratory: Opener) -> None:
    laboratory = await open_laboratory(log_dialect="classic")
    await laboratory.create(MEMORY_BOMB, timeout=60)
    killed = await laboratory.invoke('{"grow": true}')
    assert json.loads(killed.payload)["errorType"] == "Runtime.ExitError"
    reason = f"RequestId: {killed.request_id} Error: Runtime exited with error: signal: killed"
    assert f"{reason}\nRuntime.ExitError" in laboratory.lines(killed)
    assert "\tMax Memory Used: 128 MB\t" in laboratory.lines(killed)[-1]


async def test_an_init_over_its_memory(laboratory: Laboratory) -> None:
    await laboratory.create("held = bytearray(400 * 2**20)\ndef handler(event, context): pass", timeout=60)
    killed = await laboratory.invoke()
    assert json.loads(killed.payload or "")["errorType"] == "Runtime.OutOfMemory"
    assert any("INIT_REPORT" in line and "Runtime.OutOfMemory" in line for line in laboratory.lines(killed))


async def test_what_children_share_with_their_parent_counts_once(laboratory: Laboratory) -> None:
    await laboratory.create(
        """
        import os, time
        def handler(event, context):
            held = bytearray(90 * 2**20)
            children = []
            for _ in range(3):
                if not (child := os.fork()):
                    time.sleep(0.2)
                    os._exit(0)
                children.append(child)
            for child in children:
                os.waitpid(child, 0)
            return len(held)
        """,
        timeout=60,
        memory_size=256,
    )
    done = await laboratory.invoke()
    assert done.status == "succeeded"
    assert done.max_memory_used_mb and 90 <= done.max_memory_used_mb <= 256


# -- CPU ------------------------------------------------------------------------------------------------------------

WORK = """
import sys
import time
def handler(event, context):
    def work():
        began = time.process_time()
        while time.process_time() - began < event["cpu"]:
            pass
    began = time.monotonic()
    work()
    return time.monotonic() - began
"""


async def test_cpu_in_proportion_to_memory(laboratory: Laboratory) -> None:
    """Never more than its share, whatever else this machine does; and not much less where it does nothing else."""
    await laboratory.create(WORK, timeout=60)
    took = float((await laboratory.invoke('{"cpu": 0.1}')).payload or 0)
    assert took >= 0.1 / (128 / 1769) * 0.85
    await laboratory.create(WORK, "Larger", timeout=60, memory_size=885)
    took = float((await laboratory.invoke('{"cpu": 0.3}', "Larger")).payload or 0)
    assert took >= 0.3 * 2 * 0.85


async def test_threads_and_children_share_what_there_is(laboratory: Laboratory) -> None:
    await laboratory.create(
        """
        import hashlib, os, time
        def handler(event, context):
            began = time.monotonic()
            for _ in range(3):
                if not os.fork():
                    while time.process_time() < 0.1:
                        hashlib.sha256(bytes(2**16)).digest()
                    os._exit(0)
            for _ in range(3):
                os.wait()
            return time.monotonic() - began
        """,
        timeout=60,
        memory_size=354,
    )
    took = float((await laboratory.invoke()).payload or 0)
    assert took >= 0.3 / (354 / 1769) * 0.75


async def test_without_a_cpu_limit_nothing_is_paused(open_laboratory: Opener) -> None:
    laboratory = await open_laboratory(cpu_limit=False)
    await laboratory.create(WORK, timeout=60)
    took = min([float((await laboratory.invoke('{"cpu": 0.1}')).payload) for _ in range(5)])
    assert took < 0.1 / (128 / 1769) / 2


async def test_the_deadline_comes_while_it_is_paused(laboratory: Laboratory) -> None:
    await laboratory.create(WORK, timeout=1)
    late = await laboratory.invoke('{"cpu": 60}')
    assert late.status == "timed_out"
    assert float((await laboratory.invoke('{"cpu": 0}')).payload or 0) < 1


# -- /tmp -----------------------------------------------------------------------------------------------------------

STORE = """
import os, tempfile
def handler(event, context):
    path = os.path.join(tempfile.gettempdir(), "file")
    if "die" in event:
        os.kill(os.getpid(), 9)
    with open(path, "ab", buffering=0) as file:
        for _ in range(event.get("mb", 0)):
            file.write(bytes(2**20))
    return os.path.getsize(path) // 2**20
"""


async def test_tmp_holds_its_size_over_a_reset_and_ends_with_the_environment(laboratory: Laboratory) -> None:
    if "/tmp a tmpfs" not in told_limits(laboratory):
        pytest.skip("no tmpfs can be had here")
    await laboratory.create(STORE, timeout=60, memory_size=3008)
    assert (await laboratory.invoke('{"mb": 300}')).payload == "300"
    assert (await laboratory.invoke('{"die": true}')).status == "failed"
    assert (await laboratory.invoke('{"mb": 200}')).payload == "500", "a reset leaves /tmp as it is"
    full = await laboratory.invoke('{"mb": 20}')
    assert "No space left on device" in (full.payload or "")
    assert (await laboratory.invoke("{}")).payload == "512"
    await laboratory.service.reclaim()
    assert (await laboratory.invoke('{"mb": 1}')).payload == "1"


async def test_where_tmp_has_no_size_too_much_is_told_once(
    open_laboratory: Opener, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Tmpfs, "start", refused)
    laboratory = await open_laboratory()
    await laboratory.create(STORE, timeout=60, memory_size=3008)
    await laboratory.invoke('{"mb": 500}')
    assert not laboratory.lab.notices
    await laboratory.invoke('{"mb": 20}')
    await laboratory.invoke('{"mb": 20}')
    [notice] = laboratory.lab.notices
    assert "holds 8 MB more in /tmp" in notice.message


# -- descriptors and processes --------------------------------------------------------------------------------------


async def test_descriptors_of_every_process(laboratory: Laboratory) -> None:
    await laboratory.create(
        """
        import resource, subprocess
        def handler(event, context):
            shell = subprocess.run(["sh", "-c", "ulimit -Hn; ulimit -Sn"], capture_output=True, text=True)
            return [*resource.getrlimit(resource.RLIMIT_NOFILE), *map(int, shell.stdout.split())]
        """
    )
    assert json.loads((await laboratory.invoke()).payload or "") == [1024] * 4


FORK_BOMB = """
import os, threading, time
def handler(event, context):
    for _ in range(1500):
        if event["fork"]:
            if not os.fork():
                time.sleep(60)
                os._exit(0)
        else:
            threading.Thread(target=time.sleep, args=(60,), daemon=True).start()
    time.sleep(60)
"""
FLOOD = """
def handler(event, context):
    while True:
        print("a line that is as long as lines are, and then one more, and one more")
"""
DEAF = """
import signal, time
def handler(event, context):
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    while True:
        time.sleep(1)
"""


@pytest.mark.parametrize(
    ("source", "payload", "status"),
    [
        (FORK_BOMB, '{"fork": true}', "failed"),
        (FORK_BOMB, '{"fork": false}', "failed"),
        (MEMORY_BOMB, '{"grow": true}', "failed"),
        (FLOOD, "{}", "timed_out"),
        (DEAF, "{}", "timed_out"),
    ],
    ids=["processes", "threads", "memory", "output", "SIGTERM ignored"],
)
async def test_a_bad_neighbour_is_contained(laboratory: Laboratory, source: str, payload: str, status: str) -> None:
    """And the other functions' invocations go on meanwhile."""
    await laboratory.create(source, "Bad", timeout=20 if status == "failed" else 1, memory_size=1024)
    await laboratory.create("def handler(event, context): return 'fine'")
    await laboratory.invoke()
    bad = asyncio.create_task(laboratory.service.invoke("Bad", payload))
    slowest = 0.0
    while not bad.done():
        began = time.monotonic()
        request_id = await laboratory.service.invoke("F", "{}")
        slowest = max(slowest, time.monotonic() - began)
        assert laboratory.lab.invocations[request_id].payload == '"fine"'
        await asyncio.sleep(0.02)
    await laboratory.service.settled()
    assert laboratory.lab.invocations[await bad].status == status
    assert slowest < 3, "the laboratory stays responsive"
    if source == FORK_BOMB:
        assert any("more than 1,024 processes and threads" in notice.message for notice in laboratory.lab.notices)


def told_limits(laboratory: Laboratory) -> tuple[str, ...]:
    opened = laboratory.service.journal.records[0].event
    assert isinstance(opened, ev.LaboratoryOpened)
    return opened.limits


# -- several processes ----------------------------------------------------------------------------------------------


async def test_memory_that_a_child_held_counts_when_the_child_has_gone(laboratory: Laboratory) -> None:
    await laboratory.create(
        """
        import subprocess, sys
        def handler(event, context):
            subprocess.run([sys.executable, "-c", "import time; x = b'x' * 200_000_000; time.sleep(0.3)"])
        """,
        memory_size=1024,
        timeout=30,
    )
    assert 200 <= ((await laboratory.invoke()).max_memory_used_mb or 0) < 300


async def test_memory_that_processes_share_counts_once(laboratory: Laboratory) -> None:
    await laboratory.create(
        """
        import os, time
        def handler(event, context):
            shared = b"x" * 100_000_000
            children = []
            for _ in range(4):
                pid = os.fork()
                if pid == 0:
                    time.sleep(0.3)
                    os._exit(0)
                children.append(pid)
            for pid in children:
                os.waitpid(pid, 0)
        """,
        memory_size=1024,
        timeout=30,
    )
    for _ in range(5):  # also: nobody is left behind, stopped, when the share of CPU is up during a fork
        invocation = await laboratory.invoke()
        assert invocation.status == "succeeded"
        assert 100 <= (invocation.max_memory_used_mb or 0) < 200


async def test_an_init_that_ends_the_process_has_held_memory_too(laboratory: Laboratory) -> None:
    await laboratory.create("import os, time\ntime.sleep(0.1)\nos._exit(1)")
    assert ((await laboratory.invoke()).max_memory_used_mb or 0) > 5


async def test_what_an_extension_holds_is_the_environments(laboratory: Laboratory) -> None:
    extension = laboratory.folder / "layer" / "extensions" / "greedy"
    extension.parent.mkdir(parents=True)
    extension.write_text(
        f"""#!{sys.executable}
import json, os, urllib.request
api = f"http://{{os.environ['AWS_LAMBDA_RUNTIME_API']}}/2020-01-01/extension"
body = json.dumps({{"events": ["INVOKE"]}}).encode()
request = urllib.request.Request(f"{{api}}/register", body, {{"Lambda-Extension-Name": "greedy"}})
with urllib.request.urlopen(request) as answer:
    name = {{"Lambda-Extension-Identifier": answer.headers["Lambda-Extension-Identifier"]}}
held = b"x" * 60_000_000
while True:
    urllib.request.urlopen(urllib.request.Request(f"{{api}}/event/next", headers=name)).read()
"""
    )
    extension.chmod(0o755)
    await laboratory.create(
        """
        import time
        def handler(event, context):
            held = b"x" * event["mb"] * 1_000_000
            time.sleep(event["seconds"])
        """,
        layers=(str(laboratory.folder / "layer"),),
        memory_size=128,
        timeout=30,
    )
    assert (await laboratory.invoke('{"mb": 10, "seconds": 0}')).status == "succeeded"
    killed = await laboratory.invoke('{"mb": 80, "seconds": 20}')
    assert (killed.status, killed.max_memory_used_mb) == ("failed", 128)


async def test_memory_that_is_shared_less_and_less_counts(laboratory: Laboratory) -> None:
    await laboratory.create(
        """
        import os, time
        def handler(event, context):
            shared = bytearray(b"x" * 40_000_000)
            for _ in range(6):
                if os.fork() == 0:
                    time.sleep(0.5)
                    for at in range(0, len(shared), 4096):
                        shared[at] = 1
                    time.sleep(30)
                    os._exit(0)
            time.sleep(30)
        """,
        memory_size=128,
        timeout=60,
    )
    killed = await laboratory.invoke()
    assert (killed.status, killed.max_memory_used_mb) == ("failed", 128)
