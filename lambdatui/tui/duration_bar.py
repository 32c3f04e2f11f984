"""How long the parts of an invocation took, as figures and as a bar in the Timeline's signs."""

from __future__ import annotations

from dataclasses import dataclass

from lambdatui.history import Kind
from lambdatui.lab import Invocation
from lambdatui.tui import lanes
from lambdatui.tui.glyphs import UNICODE
from lambdatui.tui.model import Model
from lambdatui.tui.spans import Line
from lambdatui.tui.wording import milliseconds

_WORTH_TELLING = 10.0
"""Milliseconds below which nobody cares for how long an invocation was waiting."""
_OUTCOMES = {"succeeded": "good", "timed_out": "warn", "failed": "bad"}


@dataclass(frozen=True)
class Part:
    """`text` is the duration as figures, `stroke` the sign that the bar has for it."""

    word: str
    ms: float
    text: str
    stroke: str
    role: str

    @property
    def figure(self) -> Line:
        return [(self.text, "text"), (f" {self.word}", "dim")]


def parts(invocation: Invocation, model: Model) -> list[Part]:
    """Waiting, init and invoke, as far as it has come; of a streamed response the invoke is split at the first byte."""
    if invocation.started_at is None:
        return []
    strokes = lanes.UNICODE if model.glyphs is UNICODE else lanes.ASCII
    found: list[Part] = []
    init = invocation.init_duration_ms
    if init is None and invocation.duration_ms is None and invocation.cold_start:
        environment = model.lab.environments.get(invocation.environment or "")
        init = environment.init_duration_ms if environment else None
    waited = (invocation.started_at - invocation.accepted_at) * 1000 - (init or 0.0)
    if waited >= _WORTH_TELLING and invocation.attempt == 1:  # later ones have waited in the queue
        found.append(Part("waiting", waited, milliseconds(waited), strokes.kinds[Kind.QUEUED], "dim"))
    if init is not None:
        found.append(Part("init", init, milliseconds(init), strokes.kinds[Kind.RUNTIME_INIT], "init"))
    took = invocation.duration_ms
    so_far = max(0.0, (model.clock() - invocation.started_at) * 1000) if took is None else took
    role = _OUTCOMES.get(invocation.status, "busy")
    first = invocation.first_byte_ms
    if first is not None:
        found.append(Part("first byte", first, milliseconds(first), strokes.kinds[Kind.INVOKE], role))
        rest = Part("streaming", max(0.0, so_far - first), "", strokes.kinds[Kind.FUNCTION_INIT], role)
        found.append(rest)
    text = f"{took:.2f} ms" if took is not None else milliseconds(so_far)
    invoke = Part("invoke" if took is not None else "invoke so far", so_far, text, strokes.kinds[Kind.INVOKE], role)
    return [*found, invoke]


def bar(of: list[Part], cells: int) -> Line:
    """All parts in proportion, each of at least one cell."""
    split = any(part.word == "first byte" for part in of)
    shown = [part for part in of if part.ms > 0 and not (split and part.word.startswith("invoke"))]
    whole = sum(part.ms for part in shown)
    if not shown or cells < len(shown):
        return []
    sizes = [max(1, round(cells * part.ms / whole)) for part in shown]
    sizes[sizes.index(max(sizes))] += cells - sum(sizes)
    return [(part.stroke * size, part.role) for part, size in zip(shown, sizes, strict=True)]


def figures(of: list[Part], with_strokes: bool = False) -> list[Line]:
    """Each part's duration and word; after its sign, where a bar shows that."""
    items: list[Line] = []
    for part in of:
        if part.text:
            sign: Line = [(f"{part.stroke} ", part.role)] if with_strokes else []
            items.append([*sign, *part.figure])
        elif with_strokes:
            items.append([(f"{part.stroke} ", part.role), (milliseconds(part.ms), "text"), (f" {part.word}", "dim")])
    return items
