"""Node.js functions: which Node.js runs them, and with which runtime client.

AWS's own client, aws-lambda-ric, is built by a compiler when it is installed. Where that was done, for the function or
for all (`npm install --global`), it is used; else the one in `nodejs_client`, which behaves like it.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from lambdatui.runtimes.probe import on_path, output_of
from lambdatui.runtimes.runtime import Folders, RuntimeNotInstalled, wrapped

_LAUNCHER = Path(__file__).with_name("nodejs_client") / "launcher.mjs"
_VERSION_MANAGERS = (
    ".nvm/versions/node/v{major}.*/bin/node",
    ".local/share/fnm/node-versions/v{major}.*/installation/bin/node",
    ".volta/tools/image/node/{major}.*/bin/node",
    ".asdf/installs/nodejs/{major}.*/bin/node",
    ".local/share/mise/installs/node/{major}.*/bin/node",
)


@dataclass(frozen=True)
class Node:
    path: str
    version: tuple[int, int, int]
    installed: Path
    """The folder that it is installed in."""

    @property
    def identifier(self) -> str:
        return f"nodejs{self.version[0]}.x"

    @property
    def lambda_version(self) -> str:
        return f"nodejs:{self.version[0]}.v{self.version[1]}"

    @property
    def reads(self) -> tuple[Path, ...]:
        return (self.installed, _LAUNCHER.parent)

    def variables(self, folders: Folders) -> Mapping[str, str]:
        layers = f"{folders.layers_root}/nodejs"
        modules = (
            f"{layers}/node{self.version[0]}/node_modules",
            f"{layers}/node_modules",
            "/var/runtime/node_modules",
        )
        return {
            "AWS_EXECUTION_ENV": f"AWS_Lambda_{self.identifier}",
            "NODE_PATH": ":".join((*modules, "/var/runtime", folders.task_root)),
            "_LAMBDATUI_CLIENT": self._client_of_aws(folders) or "",
        }

    def command(self, folders: Folders, environment: Mapping[str, str]) -> tuple[str, ...]:
        return wrapped((self.path, str(_LAUNCHER)), folders, environment)

    def _client_of_aws(self, folders: Folders) -> str | None:
        """Where the function finds the module to start, if it has been built. Its version 4 is for Node.js 24 and
        later: it knows no callbacks."""
        module = "node_modules/aws-lambda-ric/" + ("index.mjs" if self.version[0] >= 24 else "dist/index.mjs")
        everywhere = self.installed / "lib"
        for folder, seen in ((folders.code, folders.task_root), (everywhere, str(everywhere))):
            if (folder / module).with_name("rapid-client.node").is_file():
                return f"{seen}/{module}"
        return None


async def find(runtime: str) -> Node:
    """The Node.js for this runtime, as 'nodejs22.x'. Raises RuntimeNotInstalled."""
    major = int(runtime.removeprefix("nodejs").removesuffix(".x"))
    others = set[str]()
    for candidate in _candidates(major):
        node = await _probe(candidate)
        if node and node.version[0] == major:
            return node
        if node:
            others.add(node.identifier)
    here = f" (there is {', '.join(sorted(others))} here)" if others else ""
    raise RuntimeNotInstalled(
        f"the runtime {runtime} is not installed{here}: install Node.js {major}, as node on the PATH or by a version "
        f"manager such as nvm (`nvm install {major}`)"
    )


def _candidates(major: int) -> Iterator[str]:
    for name in (f"node{major}", "node", "nodejs"):
        yield from on_path(name)
    for pattern in _VERSION_MANAGERS:
        yield from sorted(str(path) for path in Path.home().glob(pattern.format(major=major)))


async def _probe(path: str) -> Node | None:
    """None if this is none that works. What is on the PATH may be a shim of a version manager, and is not kept."""
    output = await output_of(path, "-p", "JSON.stringify([process.versions.node, process.execPath])")
    try:
        version, executable = json.loads(output or b"")
        major, minor, patch = map(int, version.split("."))
    except ValueError:
        return None
    return Node(executable, (major, minor, patch), Path(os.path.realpath(executable)).parents[1])
