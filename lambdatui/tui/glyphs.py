"""Signs for states. Each comes with a word and a colour, so none of the three has to be seen for itself."""

from __future__ import annotations

import locale
from dataclasses import dataclass

from lambdatui.lab import Environment, Invocation
from lambdatui.tui.spans import Span


@dataclass(frozen=True)
class Glyphs:
    """The signs in use: :data:`UNICODE`, or :data:`ASCII` where the locale knows no better."""

    idle: str
    init: str
    busy: str
    timed_out: str
    failed: str
    gone: str
    passed: str
    pointer: str
    bar: str
    bar_left: str
    ellipsis: str
    dot: str
    arrow: str
    times: str


UNICODE = Glyphs("○", "◐", "●", "◷", "✕", "†", "✓", "▸", "━", "─", "…", "·", "→", "×")
ASCII = Glyphs("o", "%", "*", "T", "x", "+", "v", ">", "#", "-", "~", "-", "->", "x")


def for_locale() -> Glyphs:
    """The signs that this terminal can show, as far as the locale tells."""
    return UNICODE if locale.getpreferredencoding(False).lower().replace("-", "") == "utf8" else ASCII


def environment_state(environment: Environment, glyphs: Glyphs) -> tuple[str, Span]:
    """The sign of an environment's state, and the word for it with its role."""
    match environment.state:
        case "created" | "init":
            return glyphs.init, ("init" if environment.state == "init" else "waiting", "init")
        case "busy":
            return glyphs.busy, ("busy", "busy")
        case "shutdown":
            return glyphs.busy, ("shutdown", "warn")
        case "reset" if environment.last_status == "timed_out":
            return glyphs.timed_out, ("timed out", "warn")
        case "reset":
            return glyphs.failed, ("failed", "bad")
        case "ended":
            return glyphs.gone, ("gone", "gone")
    return glyphs.idle, ("frozen" if environment.frozen else "idle", "idle")


def invocation_state(invocation: Invocation, glyphs: Glyphs) -> tuple[str, Span]:
    """The same for an invocation."""
    if invocation.due_at is not None:
        return glyphs.init, ("queued", "init")
    match invocation.status:
        case "pending":
            return glyphs.init, ("pending", "init")
        case "running":
            return glyphs.busy, ("running", "busy")
        case "succeeded":
            return glyphs.passed, ("succeeded", "good")
        case "timed_out":
            return glyphs.timed_out, ("timed out", "warn")
    return glyphs.failed, (invocation.status.replace("_", " "), "bad")
