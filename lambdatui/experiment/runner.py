"""An experiment, step by step: what it does goes to a target, what it finds goes to the journal."""

from __future__ import annotations

import asyncio
import json

from lambdatui import events as ev
from lambdatui.events import Json
from lambdatui.experiment import actions, expectations
from lambdatui.experiment.actions import Actions
from lambdatui.experiment.bundled import bundled
from lambdatui.experiment.code import CodeError, handler_file
from lambdatui.experiment.expectations import Before, Check, Seen
from lambdatui.experiment.language import Language
from lambdatui.experiment.loader import load
from lambdatui.experiment.playground import about
from lambdatui.experiment.schema import ExperimentFile, Predict, Step
from lambdatui.experiment.target import Target, TargetError
from lambdatui.lab import Lab
from lambdatui.refusal import ServiceRefusal


class Runner:
    """Runs one experiment, again and again if asked to. A step that goes wrong is stated in the journal and never
    raised; a request that makes no sense, such as a step after the last, is a ValueError of one sentence."""

    def __init__(
        self, experiment: ExperimentFile, target: Target, language: Language = "en", lab: Lab | None = None
    ) -> None:
        """`lab` is the fold of the target's journal, where there is one already."""
        self.experiment = experiment
        self.lab = lab or Lab()
        self._target = target
        self._language = language
        self._actions = Actions(experiment, target)
        self._running: asyncio.Task[None] | None = None
        self._opening = asyncio.Lock()
        if lab is None:
            target.journal.read_with(self.lab.apply)

    @property
    def next_step(self) -> int | None:
        """The step that would run now; None before :meth:`open` and after the last."""
        return self.lab.experiment.next_step if self.lab.experiment else None

    async def open(self) -> None:
        """Begin at the first step, with nothing left of what was before. Raises TargetError when a function cannot
        be created."""
        async with self._opening:
            await self._open()

    async def _open(self) -> None:
        await self._target.clear()
        self._target.journal.append(
            ev.ExperimentOpened(
                self.experiment.title.in_language(self._language),
                about(self.experiment, self._language),
                str(self.experiment.path),
                self._language,
                tuple(self._told(step) for step in self.experiment.steps),
                {
                    name: json.dumps(definition.whole_event, ensure_ascii=False)
                    for name, definition in self.experiment.functions.items()
                    if definition.says_event
                },
                self._following(),
            )
        )
        try:
            await self._actions.create_functions()
        except (ServiceRefusal, CodeError, OSError) as error:
            raise TargetError(str(error)) from error

    def predict(self, step: int, choice: int) -> None:
        """Somebody's answer to the question of a step that has not run yet; choices count from 1."""
        predict = self.experiment.steps[step].predict if 0 <= step < len(self.experiment.steps) else None
        if predict is None:
            raise ValueError(f"step {step + 1} asks for no prediction")
        if not 1 <= choice <= len(predict.choices):
            raise ValueError(f"step {step + 1} has choices from 1 to {len(predict.choices)}, not {choice}")
        if self.lab.experiment is None or self.lab.experiment.steps[step].state != "waiting":
            raise ValueError(f"step {step + 1} cannot be predicted now")
        self._target.journal.append(ev.PredictionMade(step, choice))

    def take_hint(self, step: int) -> None:
        """Somebody wants to read the next hint to a step that has not run yet."""
        of = self.lab.experiment.steps[step] if self.lab.experiment and 0 <= step < len(self.experiment.steps) else None
        if of is None or of.state != "waiting":
            raise ValueError(f"step {step + 1} has no hints now")
        if of.hints_taken >= len(of.hints):
            raise ValueError(f"step {step + 1} has {'no further hint' if of.hints else 'no hint'}")
        self._target.journal.append(ev.HintTaken(step))

    async def step(self, choice: int | None = None) -> None:
        """Run the next step, and return when all about it is stated."""
        if self._opening.locked():
            raise ValueError("the experiment is just being opened")
        if self._running:
            raise ValueError("a step is running")
        index = self.next_step
        if index is None:
            raise ValueError("there is no further step")
        if choice is not None:
            self.predict(index, choice)
        self._running = asyncio.ensure_future(self._run(index))
        try:
            await self._running
        except asyncio.CancelledError:
            task = asyncio.current_task()
            if task and task.cancelling():  # this caller is cancelled, and not the step by a restart
                raise
        finally:
            self._running = None

    async def restart(self) -> None:
        """Begin anew; a step that runs is abandoned."""
        if running := self._running:
            running.cancel()
            await asyncio.wait([running])
        await self.open()

    async def run_all(self) -> bool:
        """All steps that are left; whether every step of the experiment went as expected."""
        while self.next_step is not None:
            await self.step()
        return bool(self.lab.experiment and self.lab.experiment.passed)

    async def _run(self, index: int) -> None:
        journal, step = self._target.journal, self.experiment.steps[index]
        journal.append(ev.StepStarted(index))
        seen = Seen(self.lab, index, Before.of(self.lab))
        error = await self._attempt(step, index)
        if error is None and seen.rejection is not None and step.expect.rejected is None:
            error = f"The update was refused: {seen.rejection}"
        checks = expectations.checks(step.expect, seen)
        passed = error is None and all(check.passed for check in checks)
        evidence = tuple(check.evidence for check in checks)
        journal.append(ev.StepFinished(index, passed, tuple(map(Check.to_json, checks)), error, evidence))
        if self.next_step is None and self.lab.experiment:
            journal.append(ev.ExperimentFinished(all(each.state == "passed" for each in self.lab.experiment.steps)))

    async def _attempt(self, step: Step, index: int) -> str | None:
        """One sentence when the action could not be carried out."""
        try:
            await self._actions.carry_out(step, index)
        except (TargetError, ServiceRefusal) as error:
            return str(error)
        except Exception as error:  # a defect of ours must not end somebody's lesson
            return f"The step could not be carried out: {type(error).__name__}: {error}"
        return None

    def _told(self, step: Step) -> dict[str, Json]:
        """As ExperimentOpened has it."""
        say, explain = (text.in_language(self._language) if text else "" for text in (step.say, step.explain))
        return {
            "name": step.name.in_language(self._language),
            "say": say,
            "action": actions.in_words(step, self.experiment),
            "predict": self._asked(step.predict) if step.predict else None,
            "expects": [*expectations.in_words(step.expect)],
            "explain": explain,
            "hints": [hint.in_language(self._language) for hint in step.hint],
            "highlight": self._highlighted(step),
        }

    def _highlighted(self, step: Step) -> dict[str, Json] | None:
        if step.highlight is None:
            return None
        function = self.experiment.highlighted_function(step)
        file = step.highlight.file
        if file is None:
            try:
                file = handler_file(self.experiment.functions[function], self.experiment.folder)
            except CodeError:  # it has gone since the experiment was loaded
                return None
        lines: Json = list[Json](step.highlight.lines) if step.highlight.lines else None
        return {"function": function, "file": file, "pattern": step.highlight.pattern, "lines": lines}

    def _following(self) -> dict[str, str] | None:
        name = self.experiment.next
        if name is None or (path := bundled().get(name)) is None:
            return None
        return {"name": name, "title": load(path).title.in_language(self._language)}

    def _asked(self, predict: Predict) -> dict[str, Json]:
        choices: list[Json] = [choice.in_language(self._language) for choice in predict.choices]
        return {"ask": predict.ask.in_language(self._language), "choices": choices, "answer": predict.answer}
