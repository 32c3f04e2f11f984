"""What the Guide says: the experiment, the step on the page, what was predicted, expected and observed."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TypeAlias

from rich.cells import cell_len

from lambdatui.control.roles import Role
from lambdatui.lab import Experiment, Step
from lambdatui.tui.model import Model
from lambdatui.tui.sanitise import clean, clean_line
from lambdatui.tui.spans import Line, crop, fit, width, wrap
from lambdatui.tui.wording import plural, value
from lambdatui.tui.wrapping import joined


@dataclass(frozen=True)
class Markdown:
    """A text of the experiment."""

    text: str


@dataclass(frozen=True)
class _Check:
    name: str
    expected: str
    actual: str
    passed: bool


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
    if not experiment.steps:
        return _first_page(experiment)
    if step is None:
        return _last_page(experiment, model)
    blocks: list[Block] = []
    if model.page == 0 and step.state == "waiting":
        blocks += _first_page(experiment)
    blocks.append(_lines("step", [[(clean_line(step.name), "key")]]))
    blocks += _markdown(step.say)
    if step.action:
        blocks.append(_lines("action", [[(f"{model.glyphs.arrow} ", "key"), (clean_line(step.action), "text")]]))
    blocks += _prediction(step, model, cells)
    blocks += _outcome(step, model, cells)
    return blocks


def _first_page(experiment: Experiment) -> list[Block]:
    return [_lines("title", [[(clean_line(experiment.title), "strong")]]), *_markdown(experiment.about)]


def heading(model: Model) -> str:
    """Where one is."""
    count = len(model.steps)
    return f"step {model.page + 1} of {count}" if model.page < count else ""


def prompt(model: Model) -> list[Line]:
    """What one can do now: the line below the page."""
    experiment, step = model.lab.experiment, model.step
    if experiment is None:
        return []
    if model.refusal("next"):
        return _watching(model)
    if not experiment.steps:
        return [[*_button("i"), (" invoke  ", "text"), *_button("e"), (" its event", "text")]]
    if step is None:
        return [[*_button("r"), (" start again  ", "text"), *_button("q"), (" quit", "text")]]
    if model.starting:
        return [[(f"{model.glyphs.init} starting…", "busy")]]
    if step.state == "running":
        return [[(f"{model.glyphs.busy} running…", "busy"), ("  i, p work too", "dim")]]
    if step.state == "waiting" and model.choices:
        keys = f"1-{len(model.choices)}" if len(model.choices) > 1 else "1"
        if model.choice is None:
            return [[*_button(keys), (" predict  ", "text"), *_button("enter"), (" run", "text")]]
        return [[*_button("enter"), (f" run, I say {model.choice}", "text")]]
    if step.state == "waiting":
        return [[*_button("enter"), (" run this step", "text")]]
    if model.page + 1 < len(experiment.steps):
        return [[*_button("enter"), (f" on to step {model.page + 2}", "text")]]
    return [[*_button("enter"), (" the summary", "text")]]


def _watching(model: Model) -> list[Line]:
    """The same where one can only watch."""
    step = model.step
    if step is not None and step.state == "running":
        return [[(f"{model.glyphs.busy} running…", "busy")]]
    if model.role is Role.AUDIENCE:
        return [[*_button("enter"), (" next step  ", "text"), *_button("space"), (" play, pause", "text")]]
    if step is None or step.state == "waiting":
        return [[("You are watching.", "dim")]]
    return [[*_button("enter"), (" turn the page  ", "text"), ("You are watching.", "dim")]]


def _button(key: str) -> Line:
    return [(f" {key} ", "button")]


def _markdown(text: str) -> list[Block]:
    text = joined(clean(text).strip())
    return [Markdown(text)] if text else []


def _lines(name: str, lines: list[Line]) -> Lines:
    return Lines(name, tuple(tuple(line) for line in lines))


def _prediction(step: Step, model: Model, cells: int) -> list[Block]:
    if step.predict is None:
        return []
    lines: list[Line] = [[(clean_line(str(step.predict.get("ask", ""))), "strong")]]
    options = step.predict.get("choices")
    chosen = step.prediction if step.prediction is not None else model.choice
    over, open_ = step.state in ("passed", "failed"), step.state == "waiting"
    answer = step.predict.get("answer")
    for number, text in enumerate(options if isinstance(options, list) else [], 1):
        mark = model.glyphs.pointer if number == chosen else " "
        role = "key" if number == chosen else "text"
        if over and number == answer:
            role = "good"
        elif over:
            role = "bad" if number == chosen else "dim"
        head: Line = [(f"{mark} ", role), (f"{number} ", "key" if open_ else role)]
        pieces = wrap(clean_line(str(text)), max(2, cells - 4))
        lines += [[*(head if at == 0 else [("    ", role)]), (piece.rstrip(), role)] for at, piece in enumerate(pieces)]
    return [_lines("prediction", lines)]


def _verdict(step: Step, model: Model) -> list[Line]:
    if step.predict is None or step.prediction is None:
        return []
    answer = step.predict.get("answer")
    right = step.prediction == answer
    sign = model.glyphs.passed if right else model.glyphs.failed
    verdict = "Your prediction was right." if right else f"Your prediction was {step.prediction}; it is {answer}."
    return [[(f"{sign} {verdict}", "good" if right else "warn")]]


def _outcome(step: Step, model: Model, cells: int) -> list[Block]:
    if step.state not in ("passed", "failed"):
        return []
    lines = _verdict(step, model)
    if step.error:
        lines.append([(f"{model.glyphs.failed} {clean_line(step.error)}", "bad")])
    lines += _checks(step, model, cells)
    blocks: list[Block] = [_lines("outcome", lines)] if lines else []
    return blocks + _markdown(step.explain)


_LONG = 16
"""Cells from which on a value does not stand in the table."""


def _checks(step: Step, model: Model, cells: int) -> list[Line]:
    """Expected beside observed, in columns. What was expected and seen needs no second look: a long one is cut."""
    checks = [
        _Check(
            clean_line(str(check.get("expect", ""))),
            value(check.get("expected")),
            value(check.get("actual")),
            bool(check.get("passed")),
        )
        for check in step.checks
    ]
    short = [each for each in checks if max(cell_len(each.expected), cell_len(each.actual)) < _LONG]
    name = max((cell_len(each.name) for each in short), default=0)
    expected = max([len("expected"), *(cell_len(each.expected) for each in short)])
    actual = max([len("observed"), *(cell_len(each.actual) for each in short)])
    table = len(short) > 0 and 2 + name + 2 + expected + 2 + actual <= cells
    lines: list[Line] = []
    if table:
        lines.append([(f"{'':{name + 4}}{fit('expected', expected)}  observed", "dim")])
    for check in checks:
        sign, role = (model.glyphs.passed, "good") if check.passed else (model.glyphs.failed, "bad")
        head: Line = [(f"{sign} ", role)]
        if table and check in short:
            head += [(fit(check.name, name + 2), "text"), (fit(check.expected, expected + 2), "text")]
            lines.append([*head, (check.actual, role)])
            continue
        head += [(f"{check.name} ", "text"), (check.expected, "dim")]
        if check.passed:
            lines.append(crop(head, cells))
        elif width(head) + len(", observed ") + cell_len(check.actual) <= cells:
            lines.append([*head, (", observed ", "dim"), (check.actual, role)])
        else:
            lines += [head, [("  observed ", "dim"), (check.actual or "nothing", role)]]
    return lines


def _last_page(experiment: Experiment, model: Model) -> list[Block]:
    steps = experiment.steps
    failed = sum(step.state == "failed" for step in steps)
    asked = [step for step in steps if step.predict is not None and step.prediction is not None]
    right = sum(step.predict is not None and step.prediction == step.predict.get("answer") for step in asked)
    lines: list[Line] = [[("All steps are done.", "key")], []]
    for number, step in enumerate(steps, 1):
        sign, role = (model.glyphs.failed, "bad") if step.state == "failed" else (model.glyphs.passed, "good")
        lines.append([(f"{sign} ", role), (f"{number} {clean_line(step.name)}", "text")])
    lines.append([])
    if failed:
        lines.append([(f"{failed} of {plural(len(steps), 'step')} went otherwise than expected.", "bad")])
    else:
        lines.append([(f"{'All' if len(steps) > 1 else 'It'} went as expected.", "good")])
    if asked:
        lines.append([(f"You predicted {right} of {len(asked)} right.", "text")])
    lines += [[], [("The laboratory is still open: ", "text"), ("i", "key"), (" invokes the function, ", "text")]]
    lines[-1] += [("p", "key"), (" three times at once, ", "text"), ("e", "key"), (" edits the event.", "text")]
    return [_lines("end", lines)]
