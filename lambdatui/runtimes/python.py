"""Python functions: which interpreter runs them, and how awslambdaric, AWS's own runtime client, is started."""

from __future__ import annotations

import asyncio
import json
import shutil
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

_LAUNCHER = Path(__file__).with_name("python_launcher.py")
_SECONDS_FOR_THE_PROBE = 20.0
_PROBE = """
import json, sys
try:
    import awslambdaric
except ImportError:
    awslambdaric = None
print(json.dumps([sys.version_info[:3], [sys.prefix, sys.base_prefix, *filter(None, sys.path)], bool(awslambdaric)]))
"""


class RuntimeNotInstalled(Exception):
    """No interpreter here can run the function; the text is one sentence that says what to install."""


@dataclass(frozen=True)
class Interpreter:
    """A Python that has awslambdaric. `reads` are the folders that it must be able to read."""

    path: str
    version: tuple[int, int, int]
    reads: tuple[Path, ...]

    @property
    def runtime(self) -> str:
        """Lambda's identifier, as 'python3.11'."""
        return f"python{self.version[0]}.{self.version[1]}"

    @property
    def lambda_version(self) -> str:
        """As INIT_START has it. The service counts its builds of a runtime; here it is the interpreter's own patch."""
        return f"python:{self.version[0]}.{self.version[1]}.v{self.version[2]}"

    def command(self, handler: str, layers_root: str) -> tuple[str, ...]:
        """What starts a function; it wants to be started in the folder of its code."""
        return (self.path, "-B", str(_LAUNCHER), handler, layers_root)


async def find(runtime: str | None, python: str | None) -> Interpreter:
    """The interpreter at the path `python`, else one for this `runtime`, else the laboratory's own. Raises
    RuntimeNotInstalled."""
    if python is not None:
        if not Path(python).is_file():
            raise RuntimeNotInstalled(f"python: there is no interpreter at {python}")
        found = await _probe(python)
        if found is None:
            raise RuntimeNotInstalled(f"python: {python} cannot be run as a Python interpreter")
        if runtime and found[0].runtime != runtime:
            raise RuntimeNotInstalled(
                f"python: {python} is {found[0].runtime}, and the function's runtime is {runtime}"
            )
        return _with_client(*found)
    if runtime is not None and not runtime.startswith("python"):
        raise RuntimeNotInstalled(f"the runtime {runtime} is not supported yet: functions are written in Python here")
    own = f"python{sys.version_info[0]}.{sys.version_info[1]}"
    candidates = [sys.executable] if runtime in (None, own) else list(_candidates(runtime or own))
    without_client: tuple[Interpreter, bool] | None = None
    for candidate in candidates:
        found = await _probe(candidate)
        if found and (runtime is None or found[0].runtime == runtime):
            if found[1]:
                return found[0]
            without_client = without_client or found
    if without_client:
        return _with_client(*without_client)
    raise RuntimeNotInstalled(
        f"the runtime {runtime} is not installed: install Python {(runtime or own).removeprefix('python')} "
        f"and awslambdaric for it, or name an interpreter with the key python"
    )


def _candidates(runtime: str) -> Iterator[str]:
    """Where interpreters are found: on the PATH, and where pyenv and uv put them."""
    if on_path := shutil.which(runtime):
        yield on_path
    version = runtime.removeprefix("python")
    home = Path.home()
    for folder in (home / ".pyenv/versions", home / ".local/share/uv/python"):
        for name in (f"{version}.*", f"cpython-{version}.*"):
            yield from sorted(str(path) for path in folder.glob(f"{name}/bin/{runtime}"))


async def _probe(path: str) -> tuple[Interpreter, bool] | None:
    """The interpreter, and whether it has awslambdaric; None if this is none that works."""
    try:
        process = await asyncio.create_subprocess_exec(
            path,
            "-c",
            _PROBE,
            cwd="/",
            stdin=asyncio.subprocess.DEVNULL,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.DEVNULL,
        )
    except OSError:
        return None
    try:
        output, _ = await asyncio.wait_for(process.communicate(), _SECONDS_FOR_THE_PROBE)
        version, folders, has_client = json.loads(output)
    except (TimeoutError, ValueError):
        return None
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()
    reads = tuple(dict.fromkeys(Path(folder) for folder in (*folders, _LAUNCHER.parent) if Path(folder).exists()))
    return Interpreter(path, (version[0], version[1], version[2]), reads), has_client


def _with_client(interpreter: Interpreter, has_client: bool) -> Interpreter:
    if not has_client:
        raise RuntimeNotInstalled(
            f"{interpreter.path} lacks Lambda's runtime client: run `{interpreter.path} -m pip install awslambdaric`"
        )
    return interpreter
