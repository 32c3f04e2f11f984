"""Python functions: which interpreter runs them, and how awslambdaric, AWS's own runtime client, is started."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from lambdatui.runtimes.probe import on_path, output_of
from lambdatui.runtimes.runtime import Folders, RuntimeNotInstalled, wrapped

_LAUNCHER = Path(__file__).with_name("python_launcher.py")
_PROBE = """
import json, os, sys, sysconfig
try:
    import awslambdaric
except ImportError:
    awslambdaric = None
managed = sys.prefix == sys.base_prefix and os.path.exists(sysconfig.get_path("stdlib") + "/EXTERNALLY-MANAGED")
folders = [sys.prefix, sys.base_prefix] + [folder for folder in sys.path if folder]
print(json.dumps([sys.executable, sys.version_info[:3], folders, bool(awslambdaric), managed]))
"""


@dataclass(frozen=True)
class Interpreter:
    """A Python that has awslambdaric."""

    path: str
    version: tuple[int, int, int]
    reads: tuple[Path, ...]

    @property
    def identifier(self) -> str:
        return f"python{self.version[0]}.{self.version[1]}"

    @property
    def lambda_version(self) -> str:
        return f"python:{self.version[0]}.{self.version[1]}.v{self.version[2]}"

    def variables(self, folders: Folders) -> Mapping[str, str]:
        return {
            "AWS_EXECUTION_ENV": f"AWS_Lambda_{self.identifier}",
            "PYTHONPATH": "/var/runtime",
            "_LAMBDATUI_LAYERS": folders.layers_root,
        }

    def command(self, folders: Folders, environment: Mapping[str, str]) -> tuple[str, ...]:
        """The script is the last word, as in the service: wrappers put further options before it."""
        return wrapped((self.path, "-B", str(_LAUNCHER)), folders, environment)


@dataclass(frozen=True)
class _Probed:
    interpreter: Interpreter
    has_client: bool
    managed: bool
    """Whether the system's packages own it, so that pip does not touch it (PEP 668)."""


async def find(runtime: str | None, python: str | None) -> Interpreter:
    """The interpreter at the path `python`, else one for this `runtime`, else the laboratory's own. Raises
    RuntimeNotInstalled."""
    if python is not None:
        if not Path(python).is_file():
            raise RuntimeNotInstalled(f"python: there is no interpreter at {python}")
        found = await _probe(python)
        if found is None:
            raise RuntimeNotInstalled(f"python: {python} cannot be run as a Python interpreter")
        if runtime and found.interpreter.identifier != runtime:
            raise RuntimeNotInstalled(
                f"python: {python} is {found.interpreter.identifier}, and the function's runtime is {runtime}"
            )
        return _with_client(found)
    own = f"python{sys.version_info[0]}.{sys.version_info[1]}"
    candidates = [sys.executable] if runtime in (None, own) else list(_candidates(runtime or own))
    without_client: _Probed | None = None
    for candidate in candidates:
        found = await _probe(candidate)
        if found and (runtime is None or found.interpreter.identifier == runtime):
            if found.has_client:
                return found.interpreter
            without_client = without_client or found
    if without_client:
        return _with_client(without_client)
    raise RuntimeNotInstalled(
        f"the runtime {runtime} is not installed: install Python {(runtime or own).removeprefix('python')} "
        f"and awslambdaric for it, or name an interpreter with the key python"
    )


def _candidates(runtime: str) -> Iterator[str]:
    """Where interpreters are found: on the PATH, and where pyenv and uv put them."""
    for name in (runtime, "python3"):  # a virtual environment may have the second only
        yield from on_path(name)
    version = runtime.removeprefix("python")
    home = Path.home()
    for folder in (home / ".pyenv/versions", home / ".local/share/uv/python"):
        for name in (f"{version}.*", f"cpython-{version}.*"):
            yield from sorted(str(path) for path in folder.glob(f"{name}/bin/{runtime}"))


async def _probe(path: str) -> _Probed | None:
    """None if this is none that works. What is on the PATH may be a shim that wants the user's own environment; the
    interpreter itself is what it started."""
    output = await output_of(path, "-E", "-c", _PROBE)  # nor has a function the user's PYTHONPATH
    try:
        executable, version, folders, has_client, managed = json.loads(output or b"")
    except ValueError:
        return None
    reads = tuple(dict.fromkeys(Path(folder) for folder in (*folders, _LAUNCHER.parent) if Path(folder).exists()))
    return _Probed(Interpreter(executable, (version[0], version[1], version[2]), reads), has_client, managed)


def _with_client(found: _Probed) -> Interpreter:
    path = found.interpreter.path
    if found.has_client:
        return found.interpreter
    if found.managed:
        raise RuntimeNotInstalled(
            f"{path} lacks Lambda's runtime client, and belongs to the system: run `{path} -m venv FOLDER && "
            "FOLDER/bin/python -m pip install awslambdaric`, and name FOLDER/bin/python with the key python"
        )
    raise RuntimeNotInstalled(f"{path} lacks Lambda's runtime client: run `{path} -m pip install awslambdaric`")
