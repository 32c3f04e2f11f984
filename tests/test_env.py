"""How a terminal finds the laboratory that runs in another one, and nobody else finds its keys."""

from __future__ import annotations

import contextlib
import fcntl
import json
import os
import shlex
import shutil
import signal
import stat
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

import psutil
import pytest

from lambdatui.aws.address import Address, running, write
from lambdatui.aws.shells import WRITERS
from lambdatui.sandbox.guardian import living
from tests.test_nothing_outlives import until

EXPERIMENT = """\
title: A function
functions:
  F:
    handler: app.handler
    source: |
      import glob, os, time
      def handler(event, context):
          time.sleep(event.get("seconds", 0))
          return glob.glob(event.get("glob", "/nothing"))
steps:
  - {name: a, invoke: {}}
"""
ADDRESS = Address("http://127.0.0.1:8000", "eu-west-1", "AKIA", "it's $ecret", 1, 1.5, "/a/b.yaml")
Serve = Callable[..., subprocess.Popen[str]]


@pytest.fixture
def temporary(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """Where the laboratories of a test are alone; a short path, as a socket's must be. pytest's own is made before."""
    folder = Path(tempfile.mkdtemp(prefix="env-", dir="/tmp"))
    monkeypatch.setenv("TMPDIR", str(folder))
    monkeypatch.setattr(tempfile, "tempdir", None)
    yield folder
    shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture
def serve(temporary: Path) -> Iterator[Serve]:
    """A laboratory of the command line; it is ready."""
    with contextlib.ExitStack() as stack:

        def start(*arguments: object) -> subprocess.Popen[str]:
            command = [sys.executable, "-m", "lambdatui", "serve", *map(str, arguments)]
            process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
            stack.enter_context(process)
            stack.callback(process.terminate)
            assert process.stdout
            assert process.stdout.readline().startswith("ready http://127.0.0.1:")
            return process

        yield start


@pytest.fixture
def experiment(tmp_path: Path) -> Path:
    path = tmp_path / "small.yaml"
    path.write_text(EXPERIMENT)
    return path


def env(*arguments: object) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "lambdatui", "env", *map(str, arguments)]
    return subprocess.run(command, capture_output=True, text=True, timeout=60)


def shell(command: str) -> subprocess.CompletedProcess[str]:
    """In another terminal, for one whose own account is somewhere else."""
    python, aws = (shlex.quote(str(Path(sys.executable).with_name(name))) for name in ("python", "aws"))
    script = f'lambdatui() {{ {python} -m lambdatui "$@"; }}; aws() {{ {aws} "$@"; }}; {command}'
    mine = {"AWS_PROFILE": "mine", "AWS_SESSION_TOKEN": "mine", "HTTP_PROXY": "http://127.0.0.1:1"}
    return subprocess.run(["sh", "-c", script], env={**os.environ, **mine}, capture_output=True, text=True, timeout=60)


def test_another_terminal_invokes_what_is_open_here(serve: Serve, experiment: Path, tmp_path: Path) -> None:
    serve(experiment)
    answer = tmp_path / "answer"

    done = shell(f'eval "$(lambdatui env)"; aws lambda invoke --function-name F {shlex.quote(str(answer))}')

    assert (done.returncode, done.stderr) == (0, "")
    assert json.loads(done.stdout)["StatusCode"] == 200
    assert answer.read_text() == "[]"


def test_one_of_several_is_chosen(serve: Serve, experiment: Path) -> None:
    first, second = serve(experiment), serve()
    by_pid = {address.pid: address for address in running()}
    assert [*by_pid] == [second.pid, first.pid]

    newest, named, other = env(), env(experiment, "--format", "json"), env("timeout")

    assert by_pid[second.pid].endpoint in newest.stdout
    assert newest.stderr == (
        "lambdatui: 2 laboratories are running; these are the keys of the one opened last, which has no experiment\n"
    )
    assert json.loads(named.stdout)["AWS_ENDPOINT_URL_LAMBDA"] == by_pid[first.pid].endpoint
    assert named.stderr == ""
    assert (other.returncode, other.stdout) == (2, "")
    assert other.stderr == "lambdatui: no laboratory with timeout is running\n"


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGKILL])
def test_nothing_is_left_of_one_that_has_ended(serve: Serve, temporary: Path, number: signal.Signals) -> None:
    process = serve()
    (folder,) = temporary.glob("lambdatui-*")
    assert (folder / "endpoint.json").exists()
    guardian = next(each for each in psutil.Process(process.pid).children() if str(folder) in each.cmdline())

    process.send_signal(number)

    assert process.wait(30) == (-9 if number == signal.SIGKILL else 0)
    psutil.wait_procs([guardian], timeout=30)
    assert not [*temporary.iterdir()]
    assert process.stderr and process.stderr.read() == ""
    done = env()
    assert (done.returncode, done.stdout, done.stderr) == (2, "", "lambdatui: no laboratory is running\n")


def test_a_port_is_given_once(serve: Serve) -> None:
    serve()
    port = running()[0].endpoint.rpartition(":")[2]
    command = [sys.executable, "-m", "lambdatui", "serve", "--port", port]

    done = subprocess.run(command, capture_output=True, text=True, timeout=60)

    assert (done.returncode, done.stdout) == (2, "")
    sentence = f"the laboratory cannot be opened: port {port} cannot be had: Address already in use"
    assert done.stderr == f"lambdatui: {sentence}\n"


def test_what_happens_is_in_the_journal(serve: Serve, experiment: Path, tmp_path: Path) -> None:
    journal = tmp_path / "journal"
    serve(experiment, "--journal", journal)

    until(lambda: "FunctionCreated" in journal.read_text(), "the last event")

    events = [json.loads(line)["event"] for line in journal.read_text().splitlines()]
    assert events == ["LaboratoryOpened", "EndpointOpened", "ExperimentOpened", "FunctionCreated"]


def test_it_can_end_with_its_input(temporary: Path) -> None:
    command = [sys.executable, "-m", "lambdatui", "serve", "--until-eof"]
    done = subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=60)

    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.startswith("ready ")


# -- keys -----------------------------------------------------------------------------------------------------------


def test_the_keys_are_in_one_place_that_only_its_user_can_read(serve: Serve, experiment: Path, temporary: Path) -> None:
    process = serve(experiment)
    (folder,) = temporary.glob("lambdatui-*")
    (address,) = running()
    secret = address.secret_access_key.encode()

    assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    files = [path for path in folder.rglob("*") if path.is_file() and secret in path.read_bytes()]
    assert [path.name for path in files] == ["endpoint.json"]
    assert stat.S_IMODE(files[0].stat().st_mode) == 0o600
    for each in [psutil.Process(process.pid), *psutil.Process(process.pid).children(recursive=True)]:
        told = " ".join([*each.cmdline(), *each.environ().values()]).encode()
        assert secret not in told


@pytest.mark.skipif(not shutil.which("bwrap"), reason="bubblewrap is not installed")
def test_a_function_does_not_see_the_keys(serve: Serve, experiment: Path, temporary: Path, tmp_path: Path) -> None:
    journal, answer = tmp_path / "journal", tmp_path / "answer"
    serve(experiment, "--journal", journal)
    until(lambda: "\n" in journal.read_text(), "the first event")
    if json.loads(journal.read_text().splitlines()[0])["sandbox"] != "bubblewrap":
        pytest.skip("bubblewrap does not work here")
    payload = json.dumps({"glob": f"{temporary}/*/endpoint.json"})

    done = shell(
        f'eval "$(lambdatui env)"; aws lambda invoke --function-name F --payload {shlex.quote(payload)} {answer}'
    )

    assert (done.stderr, answer.read_text()) == ("", "[]")


def held(folder: Path, mode: int = 0o700) -> Iterator[None]:
    """A folder that looks like a laboratory's."""
    folder.mkdir()
    write(ADDRESS, folder)
    lock = os.open(folder / "lock", os.O_CREAT | os.O_RDWR, 0o600)
    fcntl.flock(lock, fcntl.LOCK_EX)
    folder.chmod(mode)
    yield
    os.close(lock)


def test_what_others_could_have_made_is_no_laboratory(temporary: Path) -> None:
    with contextlib.contextmanager(held)(temporary / "lambdatui-x"):
        assert running() == [ADDRESS]
        (temporary / "lambdatui-link").symlink_to(temporary / "lambdatui-x")
        assert running() == [ADDRESS]
        (temporary / "lambdatui-x").chmod(0o755)
        assert [*living()] == []
        (temporary / "lambdatui-x").chmod(0o700)
        if os.geteuid() == 0:
            os.chown(temporary / "lambdatui-x", 65534, 65534)
            assert [*living()] == []
            os.chown(temporary / "lambdatui-x", 0, 0)
        (temporary / "lambdatui-x/endpoint.json").chmod(0o644)
        assert running() == []
        (temporary / "lambdatui-x/endpoint.json").write_text("{")
        (temporary / "lambdatui-x/endpoint.json").chmod(0o600)
        assert running() == []
    write(ADDRESS, temporary / "lambdatui-x")
    assert running() == [], "nobody holds its lock"


# -- shells ---------------------------------------------------------------------------------------------------------


def test_a_shell_reads_what_was_meant() -> None:
    variables = {"A": ADDRESS.secret_access_key, "B": "back\\slash 'n' \"quotes\" $(no)", "C": None}
    show = 'printf "%s|%s|%s" "$A" "$B" "${C-unset}"'

    done = subprocess.run(
        ["sh", "-c", f"{WRITERS['sh'](variables)}\n{show}"], capture_output=True, text=True, env={"C": "set"}
    )

    assert done.stdout == f"{variables['A']}|{variables['B']}|unset"
    assert json.loads(WRITERS["json"](variables)) == variables
    assert WRITERS["fish"]({"A": "it's \\", "C": None}) == "set -gx A 'it\\'s \\\\'\nset -e C"


@pytest.mark.parametrize(
    ("environment", "excepted"),
    [
        ({}, None),
        ({"no_proxy": "a,b"}, None),
        ({"HTTP_PROXY": "http://proxy"}, "127.0.0.1"),
        ({"http_proxy": "http://proxy", "NO_PROXY": "a,b"}, "a,b,127.0.0.1"),
        ({"all_proxy": "http://proxy", "no_proxy": "127.0.0.1,c"}, "127.0.0.1,c"),
    ],
)
def test_a_proxy_is_passed_by(environment: dict[str, str], excepted: str | None) -> None:
    variables = ADDRESS.variables(environment)

    assert variables.get("no_proxy") == variables.get("NO_PROXY") == excepted
