"""Which of the runtimes on this machine is a function's."""

from __future__ import annotations

from lambdatui.function import Configuration
from lambdatui.runtimes import nodejs, python
from lambdatui.runtimes.provided import Provided
from lambdatui.runtimes.runtime import Runtime, RuntimeNotInstalled


async def find(configuration: Configuration) -> Runtime:
    """Raises RuntimeNotInstalled."""
    runtime = configuration.runtime
    if runtime is None or runtime.startswith("python") or configuration.python is not None:
        return await python.find(runtime, configuration.python)
    if runtime.startswith("nodejs"):
        return await nodejs.find(runtime)
    if runtime.startswith("provided"):
        return Provided(runtime)
    raise RuntimeNotInstalled(
        f"the runtime {runtime} is not there yet: give the function the runtime provided.al2023 and a program named "
        "bootstrap that starts its language and asks the Runtime API for invocations"
    )
