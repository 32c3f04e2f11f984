"""What the Guide says: the experiment, the step on the page, what was predicted, expected and observed."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TypeAlias

from rich.cells import cell_len

from lambdatui.lab import Experiment, Step
from lambdatui.tui.model import Model
from lambdatui.tui.sanitise import clean, clean_line
from lambdatui.tui.spans import Line
from lambdatui.tui.wording import plural, value


@dataclass(frozen=True)
class Markdown:
    """A text of the experiment."""

    text: str


@dataclass(frozen=True)
class Lines:
    """Words of the screen; each line wraps by itself. `name` tells which part of the page it is."""

    name: str
    lines: tuple[tuple[tuple[str, str], ...], ...]


Block: TypeAlias = Markdown | Lines


def page(model: Model, cells: int = 60) -> list[Block]:
    """The page that is open, for that width."""
    experiment = model.lab.experiment
    if experiment is None:
        return [_lines("waiting", [[("Starting the laboratory…", "dim")]])]
    step = model.step
    if step is None:
        return _last_page(experiment)
    blocks: list[Block] = []
    if model.page == 0 and step.state == "waiting":
        blocks += [_lines("title", [[(clean_line(experiment.title), "strong")]]), *_markdown(experiment.about)]
    number = f"Step {model.page + 1} of {len(experiment.steps)}"
    blocks.append(_lines("step", [[(f"{number}  ", "key"), (clean_line(step.name), "strong")]]))
    blocks += _markdown(step.say)
    if step.action:
        blocks.append(_lines("action", [[(f"{model.glyphs.arrow} ", "key"), (clean_line(step.action), "text")]]))
    blocks += _prediction(step, model)
    blocks += _outcome(step, model, cells)
    return blocks


def prompt(model: Model) -> list[Line]:
    """What one can do now: the line below the page."""
    experiment, step = model.lab.experiment, model.step
    if experiment is None:
        return []
    if step is None:
        return [[("r", "key"), (" start again  ", "dim"), ("q", "key"), (" quit", "dim")]]
    if step.state == "running":
        return [[(f"{model.glyphs.busy} running…", "busy")]]
    if step.state == "waiting" and model.choices:
        keys = f"1-{len(model.choices)}" if len(model.choices) > 1 else "1"
        if model.choice is None:
            return [[(keys, "key"), (" predict  ", "dim"), ("enter", "key"), (" just run", "dim")]]
        return [[("enter", "key"), (f" with prediction {model.choice}", "text"), ("  esc", "key"), (" none", "dim")]]
    if step.state == "waiting":
        return [[("enter", "key"), (" run this step", "text")]]
    if model.page + 1 < len(experiment.steps):
        return [[("enter", "key"), (f" on to step {model.page + 2}", "text")]]
    return [[("enter", "key"), (" the summary", "text")]]


def _markdown(text: str) -> list[Block]:
    text = clean(text).strip()
    return [Markdown(text)] if text else []


def _lines(name: str, lines: list[Line]) -> Lines:
    return Lines(name, tuple(tuple(line) for line in lines))


def _prediction(step: Step, model: Model) -> list[Block]:
    if step.predict is None:
        return []
    lines: list[Line] = [[(clean_line(str(step.predict.get("ask", ""))), "strong")]]
    options = step.predict.get("choices")
    chosen = step.prediction if step.prediction is not None else model.choice
    over = step.state in ("passed", "failed")
    answer = step.predict.get("answer")
    for number, text in enumerate(options if isinstance(options, list) else [], 1):
        mark = model.glyphs.pointer if number == chosen else " "
        role = "key" if number == chosen else "text"
        if over and number == answer:
            role = "good"
        elif over:
            role = "bad" if number == chosen else "dim"
        lines.append([(f"{mark} ", role), (f"{number} ", "key" if not over else role), (clean_line(str(text)), role)])
    if over and step.prediction is not None:
        right = step.prediction == answer
        sign = model.glyphs.passed if right else model.glyphs.failed
        verdict = "Your prediction was right." if right else f"Your prediction was {step.prediction}; it is {answer}."
        lines.append([(f"{sign} {verdict}", "good" if right else "warn")])
    return [_lines("prediction", lines)]


def _outcome(step: Step, model: Model, cells: int) -> list[Block]:
    if step.state not in ("passed", "failed"):
        return []
    lines: list[Line] = []
    if step.error:
        lines.append([(f"{model.glyphs.failed} {clean_line(step.error)}", "bad")])
    lines += _checks(step, model, cells)
    blocks: list[Block] = [_lines("outcome", lines)] if lines else []
    return blocks + _markdown(step.explain)


def _checks(step: Step, model: Model, cells: int) -> list[Line]:
    """Expected beside observed, in columns; below each other where there is no room for that."""
    rows = [
        (
            clean_line(str(check.get("expect", ""))),
            value(check.get("expected")),
            value(check.get("actual")),
            bool(check.get("passed")),
        )
        for check in step.checks
    ]
    first = max((cell_len(f"{name} {expected}") for name, expected, _, _ in rows), default=0)
    second = max((cell_len(actual) for _, _, actual, _ in rows), default=0)
    beside = len("v ") + first + len("   observed ") + second <= cells
    lines: list[Line] = []
    for name, expected, actual, passed in rows:
        sign, role = (model.glyphs.passed, "good") if passed else (model.glyphs.failed, "bad")
        padding = " " * (first - cell_len(f"{name} {expected}") if beside else 0)
        line: Line = [(f"{sign} ", role), (f"{name} ", "text"), (expected, "strong")]
        if beside or cell_len(f"{name} {expected} {actual}") + 14 <= cells:
            lines.append([*line, (f"{padding}   observed ", "dim"), (actual, role)])
        else:
            lines += [line, [("  observed ", "dim"), (actual, role)]]
    return lines


def _last_page(experiment: Experiment) -> list[Block]:
    steps = experiment.steps
    done = [step for step in steps if step.state in ("passed", "failed")]
    failed = [step for step in done if step.state == "failed"]
    asked = [step for step in done if step.predict is not None and step.prediction is not None]
    right = [step for step in asked if step.predict is not None and step.prediction == step.predict.get("answer")]
    lines: list[Line] = [[("All steps are done.", "strong")], []]
    if failed:
        lines.append([(f"{len(failed)} of {plural(len(steps), 'step')} went otherwise than expected:", "bad")])
        lines += [[(f"  {steps.index(step) + 1} {clean_line(step.name)}", "text")] for step in failed]
    else:
        lines.append([(f"{plural(len(steps), 'step')} went as expected.", "good")])
    if asked:
        lines.append([(f"{len(right)} of {plural(len(asked), 'prediction')} were right.", "text")])
    lines += [[], [("The laboratory is still open: ", "text"), ("i", "key"), (" invokes the function, ", "text")]]
    lines[-1] += [("p", "key"), (" three times at once, ", "text"), ("e", "key"), (" edits the event.", "text")]
    return [_lines("end", lines)]
