"""The first line: what is open, how far it is, and what is going on."""

from __future__ import annotations

from lambdatui.tui.model import Model
from lambdatui.tui.sanitise import clean_line
from lambdatui.tui.spans import Line, spread
from lambdatui.tui.widgets.line_view import LineStrip


class TopBar(LineStrip):
    """One line, always there."""

    def __init__(self, model: Model, *, id: str | None = None) -> None:
        super().__init__(id=id)
        self._model = model

    def sync(self) -> None:
        self.lines = [self._line()]
        super().sync()

    def _line(self) -> Line:
        model, lab = self._model, self._model.lab
        left: Line = [(" lambdatui ", "key")]
        if lab.experiment is None:
            return left
        left.append((f" {clean_line(lab.experiment.title)}", "strong"))
        alive = sum(each.state != "ended" for each in lab.environments.values())
        busy = len(model.in_flight)
        right: Line = [
            (f"{model.glyphs.busy} {busy} in flight" if busy else "0 in flight", "busy" if busy else "dim"),
            (f"  {alive} env" if self.cells < 100 else f"  {alive} alive", "dim"),
            (f"  {self._progress()} " if model.steps else " ", "dim"),
        ]
        if model.queued:
            right.insert(1, (f"  {len(model.queued)} queued", "init"))
        return spread(left, right, self.cells)

    def _progress(self) -> str:
        done = sum(step.state in ("passed", "failed") for step in self._model.steps)
        return f"{done}/{len(self._model.steps)} steps"
