"""Functions that bring their own runtime: a bootstrap of any language, found, started and told of its errors."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import zipfile
from pathlib import Path

import pytest

from lambdatui.function import Code, Configuration
from tests.runtimes.conftest import Create
from tests.service.conftest import Laboratory

SOURCES = Path(__file__).with_name("bootstraps")
BASH, HANDLER, PERL = ((SOURCES / name).read_text() for name in ("bootstrap.sh", "hello.sh", "bootstrap.pl"))

needs_curl = pytest.mark.skipif(not shutil.which("curl"), reason="curl is not installed")
needs_bash = pytest.mark.skipif(not shutil.which("bash"), reason="bash is not installed")


@needs_bash
@needs_curl
async def test_bash_and_curl(laboratory: Laboratory, create: Create) -> None:
    await create({"bootstrap": BASH, "hello.sh": HANDLER}, "provided.al2023", "hello.handler")
    invocations = [await laboratory.invoke(f'{{"n": {number}}}') for number in range(2)]
    payloads = [json.loads(each.payload or "") for each in invocations]
    assert [payload["got"] for payload in payloads] == [{"n": 0}, {"n": 1}]
    assert payloads[0]["env"] == "unset", "the service sets AWS_EXECUTION_ENV for its own runtimes only"
    assert invocations[0].environment == invocations[1].environment
    failed = await laboratory.invoke('"fail"')
    assert (failed.status, json.loads(failed.payload or "")["errorType"]) == ("failed", "Handler.Failed")
    lines = laboratory.lines(failed)
    assert lines[0].startswith("INIT_START Runtime Version: provided:al2023.v1\t")
    assert 'an event: {"n": 1}' in lines


@pytest.mark.skipif(
    subprocess.run(["perl", "-MHTTP::Tiny", "-e", "1"], check=False, capture_output=True).returncode != 0
    if shutil.which("perl")
    else True,
    reason="Perl with HTTP::Tiny is not installed",
)
async def test_perl(laboratory: Laboratory, create: Create) -> None:
    await create({"bootstrap": PERL}, "provided.al2023")
    for number in (12, 34):
        invocation = await laboratory.invoke(str(number))
        assert invocation.payload == str(number)[::-1]
    assert "Perl was asked: 34" in laboratory.lines(invocation)


async def _echoes(laboratory: Laboratory, language: str) -> None:
    invocations = [await laboratory.invoke(payload) for payload in ('{"a":1}', '"b"')]
    assert [each.payload for each in invocations] == ['{"a":1}', '"b"']
    assert len({each.environment for each in invocations}) == 1
    lines = laboratory.lines(invocations[1])
    start = lines.index(f"START RequestId: {invocations[1].request_id} Version: $LATEST")
    assert lines[start + 1] == f'{language} was asked: "b"', "between START and END of its own invocation"


def _build(folder: Path, source: str, *compiler: str) -> None:
    """A bootstrap of this source, in a folder F."""
    (folder / "F").mkdir()
    subprocess.run([*compiler, str(SOURCES / source), "-o", str(folder / "F/bootstrap")], check=True)


@pytest.mark.skipif(not shutil.which("gcc"), reason="gcc is not installed")
async def test_compiled_c(laboratory: Laboratory, create: Create) -> None:
    _build(laboratory.folder, "bootstrap.c", "gcc", "-D_GNU_SOURCE", "-w")
    await create({}, "provided.al2")
    await _echoes(laboratory, "C")


@pytest.mark.skipif(not shutil.which("rustc"), reason="rustc is not installed")
async def test_a_static_binary(laboratory: Laboratory, create: Create) -> None:
    _build(laboratory.folder, "bootstrap.rs", "rustc", "-C", "target-feature=+crt-static")
    await create({}, "provided.al2023")
    await _echoes(laboratory, "Rust")


@pytest.mark.skipif(not shutil.which("javac"), reason="no Java Development Kit is installed")
async def test_java_started_by_a_bootstrap(laboratory: Laboratory, create: Create) -> None:
    (laboratory.folder / "F").mkdir()
    classes = str(laboratory.folder / "F")
    subprocess.run(["javac", "-d", classes, str(SOURCES / "Bootstrap.java")], check=True)
    java = os.path.realpath(shutil.which("java") or "java")
    await create({"bootstrap": f"#!/bin/sh\nexec {java} -Xshare:auto -cp . Bootstrap\n"}, "provided.al2023", timeout=30)
    await _echoes(laboratory, "Java")


# -- which bootstrap, and why it does not start ---------------------------------------------------------------------


@pytest.mark.parametrize(
    ("content", "mode", "message"),
    [
        (None, 0, "Couldn't find valid bootstrap(s): [/var/task/bootstrap /opt/bootstrap]"),
        (b"#!/bin/sh\n", 0o644, "fork/exec /var/task/bootstrap: permission denied"),
        (b"#!/bin/sh\r\n", 0o755, "fork/exec /var/task/bootstrap: no such file or directory"),
        (b"#!/opt/bin/perl\n", 0o755, "fork/exec /var/task/bootstrap: no such file or directory"),
        (b"no program", 0o755, "fork/exec /var/task/bootstrap: exec format error"),
        (b"\x7fELF\x02\x01\x01" + bytes(11) + b"\xff\xff", 0o755, "fork/exec /var/task/bootstrap: exec format error"),
    ],
)
async def test_without_a_bootstrap_that_starts_the_entry_point_is_invalid(
    laboratory: Laboratory, create: Create, content: bytes | None, mode: int, message: str
) -> None:
    (laboratory.folder / "F").mkdir()
    if content is not None:
        (laboratory.folder / "F/bootstrap").write_bytes(content)
        (laboratory.folder / "F/bootstrap").chmod(mode)
    await create({}, "provided.al2023")
    invocation = await laboratory.invoke()
    assert json.loads(invocation.payload or "") == {
        "errorType": "Runtime.InvalidEntrypoint",
        "errorMessage": f"RequestId: {invocation.request_id} Error: {message}",
    }
    reports = [line for line in laboratory.lines(invocation) if line.startswith("INIT_REPORT")]
    assert [line.endswith("Status: error\tError Type: Runtime.InvalidEntrypoint") for line in reports] == [True, True]


@needs_bash
@needs_curl
async def test_a_package_and_a_layer_can_be_zip_files(laboratory: Laboratory) -> None:
    """The layer brings the bootstrap, executable as the archive has it, and the package only the handler."""
    package, layer = laboratory.folder / "package.zip", laboratory.folder / "layer.zip"
    with zipfile.ZipFile(package, "w") as archive:
        archive.writestr("hello.sh", HANDLER)
    with zipfile.ZipFile(layer, "w") as archive:
        bootstrap = zipfile.ZipInfo("bootstrap")
        bootstrap.external_attr = 0o100755 << 16
        archive.writestr(bootstrap, BASH)
    configuration = Configuration("hello.handler", "provided.al2023", layers=(str(layer),))
    await laboratory.service.create("F", configuration, Code(package))
    assert json.loads((await laboratory.invoke("7")).payload or "")["got"] == 7


@needs_bash
@needs_curl
async def test_an_edited_bootstrap_stays_executable(laboratory: Laboratory, create: Create) -> None:
    await create({"bootstrap": BASH, "hello.sh": HANDLER}, "provided.al2023", "hello.handler")
    await laboratory.service.edit("F", "bootstrap", BASH.replace("set -euo pipefail", "set -euo pipefail; echo edited"))
    assert "edited" in laboratory.lines(await laboratory.invoke())


async def test_a_package_made_without_permissions_cannot_be_executed(laboratory: Laboratory) -> None:
    """The classical mistake: zipped on Windows."""
    package = laboratory.folder / "package.zip"
    with zipfile.ZipFile(package, "w") as archive:
        archive.writestr("bootstrap", "#!/bin/sh\n")
    await laboratory.service.create("F", Configuration("any", "provided.al2023"), Code(package))
    payload = json.loads((await laboratory.invoke()).payload or "")
    assert payload["errorMessage"].endswith("fork/exec /var/task/bootstrap: permission denied")
