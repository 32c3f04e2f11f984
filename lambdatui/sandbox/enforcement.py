"""Which of Lambda's limits hold on this machine, and by what means, in words."""

from __future__ import annotations

import os
import resource
from dataclasses import dataclass

from lambdatui.sandbox import tree
from lambdatui.sandbox.limits import DESCRIPTORS, LOOK_EVERY, MB_OF_A_CORE, TASKS
from lambdatui.sandbox.machine import Machine
from lambdatui.sandbox.sandbox import Bubblewrap
from lambdatui.sandbox.storage import Tmpfs


@dataclass(frozen=True)
class Measure:
    """What holds a limit. `brief` is a few words for a line that names them all; `better` says what would improve it,
    and is empty where nothing would."""

    limit: str
    brief: str
    full: str
    better: str = ""


def measures(machine: Machine, *, cpu_limit: bool = True) -> tuple[Measure, ...]:
    """The isolation first, then every limit."""
    return (
        _isolation(machine),
        _memory(),
        _cpu(cpu_limit),
        _tmp(machine),
        _descriptors(),
        _tasks(),
    )


def _isolation(machine: Machine) -> Measure:
    if isinstance(machine.sandbox, Bubblewrap):
        full = "bubblewrap: a read-only root, the code at /var/task, a /tmp and process numbers of its own"
        return Measure("isolation", "bubblewrap", full)
    return Measure(
        "isolation",
        "process group",
        "none: a process group with a TMPDIR of its own; a process that makes a session of its own and outlives its "
        "parent is found only when the laboratory ends",
        "install bubblewrap (apt install bubblewrap); where it is installed, this machine refuses it user namespaces",
    )


def _memory() -> Measure:
    if not _watchable():
        return Measure("memory", "memory not enforced", "shown only", _ON_LINUX)
    every = f"every {LOOK_EVERY * 1000:g} ms while an invocation or an init runs"
    full = f"memory_size: what all processes hold together is looked at {every}; over it, they are killed"
    return Measure("memory", "memory watched", full)


def _cpu(cpu_limit: bool) -> Measure:
    if not cpu_limit:
        return Measure("CPU", "CPU not limited", "as much as there is, because the experiment has cpu_limit: false")
    if not _watchable() or not _cpu_is_told():
        return Measure("CPU", "CPU not limited", "as much as there is", _ON_LINUX)
    cores = os.cpu_count() or 1
    full = (
        f"memory_size / {MB_OF_A_CORE:,} MB of a core, by stopping the processes for as long as they were ahead; "
        f"from {cores * MB_OF_A_CORE:,} MB all {cores} cores of this machine; inits are not limited"
    )
    return Measure("CPU", "CPU by pauses", full)


def _tmp(machine: Machine) -> Measure:
    if isinstance(machine.storage, Tmpfs):
        full = "ephemeral_storage: a tmpfs of that size; past it there is no space left on device"
        return Measure("/tmp", "/tmp a tmpfs", full)
    return Measure(
        "/tmp",
        "/tmp measured",
        "ephemeral_storage: not prevented, but told after an invocation that left more there",
        "the command nsenter (util-linux), and user namespaces for whoever is not root",
    )


def _descriptors() -> Measure:
    if not hasattr(resource, "prlimit"):
        return Measure("descriptors", "descriptors not enforced", "as many as the system allows", _ON_LINUX)
    return Measure(
        "descriptors", f"{DESCRIPTORS:,} descriptors", f"{DESCRIPTORS:,} open files a process, by the kernel"
    )


def _tasks() -> Measure:
    if not _watchable():
        return Measure("processes", "processes not enforced", "as many as the system allows", _ON_LINUX)
    full = f"{TASKS:,} processes and threads: watched like memory; over it, they are killed, where Lambda refuses more"
    return Measure("processes", f"{TASKS:,} processes watched", full)


_ON_LINUX = "Linux"


def _watchable() -> bool:
    """Whether the system tells of a process who its children are and what they use."""
    return os.path.exists(f"/proc/self/task/{os.getpid()}/children") and tree.resident_kb([os.getpid()]) > 0


def _cpu_is_told() -> bool:
    meter = tree.CpuMeter()
    meter.look([os.getpid()])
    return meter.total > 0
