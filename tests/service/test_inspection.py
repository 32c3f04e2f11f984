"""A look inside environments: real processes, real files."""

from __future__ import annotations

import asyncio
import os
from pathlib import Path
from typing import Any

import pytest

from lambdatui import events as ev
from lambdatui.sandbox import inspection
from lambdatui.service.inspection import NoSuchEnvironment
from tests.service.conftest import Laboratory, Opener

SOURCE = """
import os, subprocess, tempfile, time

children = []

def handler(event, context):
    folder = tempfile.gettempdir()
    os.makedirs(os.path.join(folder, "deep/er"), exist_ok=True)
    with open(os.path.join(folder, "deep/er/notes.txt"), "w") as file:
        file.write("said in /tmp")
    with open(os.path.join(folder, "binary"), "wb") as file:
        file.write(bytes(range(256)) * 100)
    os.path.lexists(os.path.join(folder, "link")) or os.symlink("/etc/hostname", os.path.join(folder, "link"))
    os.path.lexists(os.path.join(folder, "pipe")) or os.mkfifo(os.path.join(folder, "pipe"))
    children.append(subprocess.Popen(["sleep", "4711"]))
    print("ready", flush=True)
    time.sleep(event.get("sleep", 0))
"""


@pytest.fixture
async def laboratory(with_and_without_isolation: None, open_laboratory: Opener) -> Laboratory:
    opened = await open_laboratory()
    assert isinstance(opened, Laboratory)
    return opened


def look(laboratory: Laboratory, name: str | None, **how: bool) -> Any:
    return laboratory.service.inspect(name or "", **how)


async def test_processes_variables_and_files_of_a_frozen_environment(laboratory: Laboratory) -> None:
    secrets = {"GREETING": "hello", "DB_PASSWORD": "hunter2", "API_KEY": "k", "MONKEY": "ape"}
    await laboratory.create(SOURCE, environment=secrets, timeout=60)
    invocation = await laboratory.invoke()
    name = invocation.environment or ""
    while any(each["state"] == "running" for each in look(laboratory, name)["processes"]):
        await asyncio.sleep(0)  # they were told to stop, and are still on their way out of the processor
    seen = look(laboratory, name)
    runtime, child = seen["processes"]
    assert child["command"] == "sleep 4711" and runtime["resident_kb"] > 5000 and runtime["of"] == ""
    assert {each["state"] for each in (runtime, child)} == {"stopped"}
    assert runtime["threads"] >= 1 and runtime["pid"] in laboratory.service._pool._residents[name].environment.pids[""]

    variables = {each["name"]: (each["value"], each["why"]) for each in seen["variables"]}
    assert variables["GREETING"] == ("hello", None) and variables["MONKEY"] == ("ape", None)
    assert variables["_HANDLER"] == ("app.handler", None) and variables["PWD"][0]
    assert variables["DB_PASSWORD"] == variables["API_KEY"] == (None, "masked")
    for credential in ("AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN", "AWS_ACCESS_KEY_ID"):
        assert variables[credential] == (None, "credential")
    revealed = look(laboratory, name, reveal=True)["variables"]
    shown = {each["name"]: each["value"] for each in revealed}
    assert (shown["DB_PASSWORD"], shown["AWS_SECRET_ACCESS_KEY"]) == ("hunter2", None)

    files = {each["name"]: each for each in seen["files"]}
    kinds = {
        **{"binary": "file", "deep": "folder", "deep/er": "folder", "deep/er/notes.txt": "file"},
        **{"link": "link", "pipe": "other"},
    }
    # Where this repository lies in /tmp, there are also the folders that bubblewrap needs for what it binds there.
    assert {name: each["kind"] for name, each in files.items() if name in kinds} == kinds
    assert files["binary"]["size"] == 25600 and seen["files_complete"]
    preview = laboratory.service.preview(name, "deep/er/notes.txt")
    assert preview == {"text": "said in /tmp", "size": 12, "complete": True}
    assert laboratory.service.preview(name, "binary")["text"] is None
    for forbidden in ("link", "pipe", "deep", "../../lock", "/etc/passwd", "", "nothing"):
        with pytest.raises(OSError):
            laboratory.service.preview(name, forbidden)


async def test_of_a_reset_environment_there_are_files_and_no_processes(laboratory: Laboratory) -> None:
    await laboratory.create(SOURCE, timeout=1)
    invocation = await laboratory.invoke('{"sleep": 60}')
    seen = look(laboratory, invocation.environment)
    assert seen["processes"] == [] and "binary" in {each["name"] for each in seen["files"]}
    await laboratory.service.reclaim()
    with pytest.raises(NoSuchEnvironment, match="or it has ended"):
        laboratory.service.inspect(invocation.environment or "")


async def test_an_environment_at_work(laboratory: Laboratory) -> None:
    await laboratory.create(SOURCE, timeout=60)
    invoked = asyncio.ensure_future(laboratory.invoke('{"sleep": 1}'))
    await laboratory.until(lambda event: isinstance(event, ev.LogWritten) and "ready" in event.lines)
    (name,) = laboratory.lab.environments
    states = {each["command"]: each["state"] for each in look(laboratory, name)["processes"]}
    assert states["sleep 4711"] in ("sleeping", "running", "stopped"), "stopped, if it used up its share just now"
    await invoked


def test_of_many_files_the_first_are_listed(tmp_path: Path) -> None:
    for number in range(600):
        (tmp_path / f"{number:03}").touch()
    seen, complete = inspection.files(tmp_path)
    assert len(seen) == 500 and not complete
    assert [each.name for each in seen] == sorted(each.name for each in seen)
    assert inspection.files(tmp_path / "nowhere") == ([], True)


def test_links_in_the_way_are_not_followed(tmp_path: Path) -> None:
    (tmp_path / "outside").mkdir()
    (tmp_path / "outside/secret").write_text("secret")
    (tmp_path / "tmp").mkdir()
    os.symlink(tmp_path / "outside", tmp_path / "tmp/inside")
    assert [each.name for each in inspection.files(tmp_path / "tmp")[0]] == ["inside"]
    with pytest.raises(OSError):
        inspection.preview(tmp_path / "tmp", "inside/secret")


def test_who_has_gone_meanwhile_is_left_out() -> None:
    here, gone = os.getpid(), 2**22 + 1
    assert [each.pid for each in inspection.processes([gone, here])] == [here]


@pytest.mark.parametrize(
    ("data", "text"), [("日本語\n".encode(), "日本語\n"), (b"\xff\xfe\x80" * 50, None), (b"", ""), (b"a\0b", None)]
)
def test_what_is_text(tmp_path: Path, data: bytes, text: str | None) -> None:
    (tmp_path / "file").write_bytes(data)
    assert inspection.preview(tmp_path, "file").text == text


def test_of_a_long_file_the_beginning_is_shown(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("é" * 100_000)
    preview = inspection.preview(tmp_path, "file")
    assert preview.text and preview.text.startswith("éé") and not preview.complete and preview.size == 200_000
