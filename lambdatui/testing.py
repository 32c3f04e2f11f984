"""Lambda for a test suite: a laboratory in a process of its own, and boto3 clients of it.

boto3 is yours to install: `pip install 'lambdatui[aws]'` brings one.
"""

from __future__ import annotations

import contextlib
import io
import os
import subprocess
import sys
import tempfile
import zipfile
from collections.abc import Iterator, Mapping
from functools import cached_property
from pathlib import Path
from typing import IO, Any

from lambdatui.aws.address import Address, running

_SECONDS_TO_END = 10.0
_ROLE = "arn:aws:iam::000000000000:role/default"


class Laboratory:
    """One that is running. Its functions, logs and aliases are made, read and deleted with boto3."""

    def __init__(self, address: Address) -> None:
        self.url = address.endpoint
        self.environment: Mapping[str, str] = {
            name: value for name, value in address.variables(os.environ).items() if value is not None
        }
        """The variables with which other processes, the aws CLI say, find the laboratory."""
        self._address = address

    def client(self, service: str = "lambda", **options: Any) -> Any:
        """A boto3 client; `options` are those of boto3's."""
        from botocore.config import Config

        given: dict[str, Any] = {
            "endpoint_url": self.url,
            "region_name": self._address.region,
            "aws_access_key_id": self._address.access_key_id,
            "aws_secret_access_key": self._address.secret_access_key,
        }
        config = Config(inject_host_prefix=False, proxies={}).merge(options.pop("config", None) or Config())
        return self._session.client(service, config=config, **{**given, **options})

    @cached_property
    def _session(self) -> Any:
        """One, which reads the services' models once, and whose clients raise the same exceptions."""
        import boto3

        return boto3.session.Session()

    def create_function(self, name: str, code: str | Path, **configuration: Any) -> None:
        """A function that can be invoked at once. `code` is the source of its module, or a folder with that in it;
        `configuration` are CreateFunction's parameters, by default this Python as Runtime and app.handler as Handler.
        """
        minor = sys.version_info.minor
        given = {"Runtime": f"python3.{minor}", "Handler": "app.handler", "Role": _ROLE, **configuration}
        module = f"{given['Handler'].rpartition('.')[0]}.py"
        client = self.client()
        client.create_function(FunctionName=name, Code={"ZipFile": _packed(code, module)}, **given)
        client.get_waiter("function_active_v2").wait(
            FunctionName=name, WaiterConfig={"Delay": 0.05, "MaxAttempts": 600}
        )


@contextlib.contextmanager
def laboratory(experiment: str | Path | None = None, *, port: int = 0) -> Iterator[Laboratory]:
    """Have a laboratory with the functions of this experiment, or with none, on a port that is free, or on this one.

    It ends with the block, and in any case with this process. Raises RuntimeError with a sentence where it cannot be
    opened.
    """
    command = [sys.executable, "-m", "lambdatui", "serve", "--until-eof", "--port", str(port)]
    with tempfile.TemporaryFile() as complaints:
        process = subprocess.Popen(
            [*command, str(experiment)] if experiment else command,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=complaints,
            start_new_session=True,  # ctrl+c is for the tests, which then end the laboratory
        )
        try:
            assert process.stdout
            ready = process.stdout.readline()
            address = next((each for each in running() if each.pid == process.pid), None)
            if not ready or address is None:
                _end(process)
                raise RuntimeError(_text(complaints).strip() or "the laboratory has ended")
            yield Laboratory(address)
            sys.stderr.write(_text(complaints))
        finally:
            _end(process)


def _end(process: subprocess.Popen[bytes]) -> None:
    assert process.stdin and process.stdout
    process.stdin.close()
    process.stdout.close()
    try:
        process.wait(_SECONDS_TO_END)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()


def _text(file: IO[bytes]) -> str:
    file.seek(0)
    return file.read().decode(errors="replace")


def _packed(code: str | Path, module: str) -> bytes:
    package = io.BytesIO()
    with zipfile.ZipFile(package, "w", zipfile.ZIP_DEFLATED) as archive:
        if isinstance(code, str):
            archive.writestr(module, code)
        else:
            for file in sorted(path for path in code.rglob("*") if path.is_file()):
                archive.write(file, file.relative_to(code))
    return package.getvalue()
