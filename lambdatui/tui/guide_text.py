"""What the Guide says: the experiment, the step on the page, what was predicted, expected and observed."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TypeAlias

from rich.cells import cell_len

from lambdatui.control.roles import Role
from lambdatui.events import Json
from lambdatui.highlight import highlighted
from lambdatui.lab import Experiment, Step
from lambdatui.tui.model import Model
from lambdatui.tui.sanitise import clean, clean_line
from lambdatui.tui.spans import Line, crop, fit, spread, width, wrap
from lambdatui.tui.wording import clock_time, value
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
        return [_lines("waiting", [[(model.say("starting"), "dim")]])]
    step = model.step
    if not experiment.steps:
        return _first_page(experiment)
    if step is None:
        return _last_page(experiment, model, cells)
    blocks: list[Block] = []
    if model.page == 0 and step.state == "waiting":
        blocks += _first_page(experiment)
    blocks.append(_lines("step", [[(clean_line(step.name), "key")]]))
    blocks += _markdown(step.say)
    if step.action:
        blocks.append(_lines("action", [[(f"{model.glyphs.arrow} ", "key"), (clean_line(step.action), "text")]]))
    blocks += excerpt(step, model, cells)
    blocks += _prediction(step, model, cells)
    blocks += _hints(step, model)
    blocks += _outcome(step, model, cells)
    return blocks


def _first_page(experiment: Experiment) -> list[Block]:
    return [_lines("title", [[(clean_line(experiment.title), "strong")]]), *_markdown(experiment.about)]


def heading(model: Model) -> str:
    """Where one is."""
    count = len(model.steps)
    return model.say("step of", step=model.page + 1, steps=count) if model.page < count else ""


def prompt(model: Model) -> list[Line]:
    """What one can do now: the line below the page."""
    experiment, step, say = model.lab.experiment, model.step, model.say
    if experiment is None:
        return []
    if model.refusal("next"):
        return _watching(model)
    if not experiment.steps:
        return [[*button("i"), (f" {say('invoke')}  ", "text"), *button("e"), (f" {say('its event')}", "text")]]
    if step is None:
        return [[*button("r"), (f" {say('again')}  ", "text"), *button("q"), (f" {say('quit')}", "text")]]
    if model.starting:
        return [[(f"{model.glyphs.init} {say('step starts')}", "busy")]]
    if step.state == "running":
        return [[(f"{model.glyphs.busy} {say('step runs')}", "busy"), (f"  {say('by hand too')}", "dim")]]
    if step.state == "waiting" and model.choices:
        keys = f"1-{len(model.choices)}" if len(model.choices) > 1 else "1"
        if model.choice is None:
            return [[*button(keys), (f" {say('predict')}  ", "text"), *button("enter"), (f" {say('run')}", "text")]]
        return [[*button("enter"), (f" {say('run as predicted', choice=model.choice)}", "text")]]
    if step.state == "waiting":
        return [[*button("enter"), (f" {say('run step')}", "text")]]
    if model.page + 1 < len(experiment.steps):
        return [[*button("enter"), (f" {say('on', step=model.page + 2)}", "text")]]
    return [[*button("enter"), (f" {say('summary')}", "text")]]


def _watching(model: Model) -> list[Line]:
    """The same where one can only watch."""
    step, say = model.step, model.say
    if step is not None and step.state == "running":
        return [[(f"{model.glyphs.busy} {say('step runs')}", "busy")]]
    if model.role is Role.AUDIENCE:
        return [[*button("enter"), (f" {say('next step')}  ", "text"), *button("space"), (f" {say('play')}", "text")]]
    if step is None or step.state == "waiting":
        return [[(say("watching"), "dim")]]
    return [[*button("enter"), (f" {say('turn')}  ", "text"), (say("watching"), "dim")]]


def button(key: str) -> Line:
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


def _hints(step: Step, model: Model) -> list[Block]:
    """Those that were asked for, and that there are more."""
    blocks: list[Block] = []
    for number, hint in enumerate(step.hints[: step.hints_taken], 1):
        label = model.say("hint") + (f" {number}" if len(step.hints) > 1 else "")
        blocks.append(_lines("hint", [[(f"{label}  ", "warn"), (clean_line(hint.replace("`", "")), "text")]]))
    left = len(step.hints) - step.hints_taken
    if step.state == "waiting" and not model.starting and not model.refusal("hint") and left > 0:
        word = model.say("another hint" if step.hints_taken else "a hint")
        blocks.append(_lines("hints", [[*button("h"), (f" {word}", "text"), (f"  {left}" if left > 1 else "", "dim")]]))
    return blocks


def _choice(step: Step, number: Json) -> str:
    """The words of a choice."""
    choices = (step.predict or {}).get("choices")
    known = isinstance(choices, list) and isinstance(number, int) and 0 < number <= len(choices)
    return clean_line(str(choices[number - 1])) if known else ""  # type: ignore[index, operator]


def _verdict(step: Step, model: Model, cells: int) -> list[Line]:
    if step.predict is None or step.prediction is None:
        return []
    answer, sign = step.predict.get("answer"), f"{model.glyphs.passed} "
    right = step.prediction == answer
    said = model.say("your prediction", number=step.prediction, choice=_choice(step, step.prediction))
    if right:
        return [*_hanging(sign, said, "good", cells), []]
    was = model.say("the answer", number=answer, choice=_choice(step, answer))
    return [*_hanging(f"{model.glyphs.failed} ", said, "warn", cells), *_hanging(sign, was, "good", cells), []]


def _hanging(sign: str, text: str, role: str, cells: int) -> list[Line]:
    """A text behind a sign, its further lines below its first word."""
    pieces = wrap(text, max(2, cells - 2))
    return [[(sign if at == 0 else "  ", role), (piece.rstrip(), role)] for at, piece in enumerate(pieces)]


def _outcome(step: Step, model: Model, cells: int) -> list[Block]:
    if step.state not in ("passed", "failed"):
        return []
    lines = _verdict(step, model, cells)
    if step.error:
        lines.append([(f"{model.glyphs.failed} {clean_line(step.error)}", "bad")])
    lines += _checks(step, model, cells)
    if (following := model.next_evidence()) is not None:
        again = model.evidence is not None
        if not (again and following == model.evidence):
            lines += [[], [*button("y"), (f" {model.say('next evidence' if again else 'show evidence')}", "text")]]
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
    expected = max([cell_len(model.say("expected")), *(cell_len(each.expected) for each in short)])
    actual = max([cell_len(model.say("observed")), *(cell_len(each.actual) for each in short)])
    observed = model.say("observed")
    head: Line
    table = len(short) > 0 and 2 + name + 2 + expected + 2 + actual <= cells
    lines: list[Line] = []
    if table:
        head = [(f"{'':{name + 4}}{fit(model.say('expected'), expected)}  {model.say('observed')}", "dim")]
        lines.append(head)
    for number, check in enumerate(checks):
        sign, role = (model.glyphs.passed, "good") if check.passed else (model.glyphs.failed, "bad")
        head = [(f"{sign} ", role)]
        shown = _evidence(step, number, model, cells)
        if table and check in short:
            head += [(fit(check.name, name + 2), "text"), (fit(check.expected, expected + 2), "text")]
            lines += [[*head, (check.actual, role)], *shown]
            continue
        head += [(f"{check.name} ", "text"), (check.expected, "dim")]
        if check.passed:
            lines.append(crop(head, cells))
        elif width(head) + cell_len(f", {observed} ") + cell_len(check.actual) <= cells:
            lines.append([*head, (f", {observed} ", "dim"), (check.actual, role)])
        else:
            lines += [head, [(f"  {observed} ", "dim"), (check.actual or model.say("nothing"), role)]]
        lines += shown
    return lines


_EVIDENCE = 3
"""Rows of a line of the log, which stands in full in the Logs."""
_WHOSE = re.compile(r"\d{4}-\d\d-\d\dT\S+\s+|RequestId: |[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}\s*")
"""When a line was written, and for which invocation: not what it shows."""


def _evidence(step: Step, number: int, model: Model, cells: int) -> list[Line]:
    """What was looked at as the evidence of a check, below it."""
    evidence = step.evidence[number] if number < len(step.evidence) else None
    if evidence is None or number != model.evidence:
        return []
    invocation = model.lab.invocations.get(str(evidence.get("request_id")))
    line = _WHOSE.sub("", clean_line(str(evidence.get("line", ""))))
    text = line or (model.say("of invocation", number=invocation.number) if invocation else "")
    pieces = wrap(text, max(2, cells - 4))[:_EVIDENCE]
    return [
        [(f"  {model.glyphs.pointer} " if at == 0 else "    ", "key"), (piece.rstrip(), "key")]
        for at, piece in enumerate(pieces)
    ]


_EXCERPT = 4
"""Lines of code at most that stand on the page; all of it is a key away."""


def excerpt(step: Step, model: Model, cells: int) -> list[Block]:
    """The lines of the code that matter to the step, as they are now."""
    highlight = step.highlight
    function = model.lab.functions.get(str(highlight.get("function"))) if highlight else None
    if highlight is None or function is None:
        return []
    file = str(highlight.get("file"))
    code = function.files.get(file, "").split("\n")
    numbers = highlighted(highlight, code)[:_EXCERPT]
    if not numbers:
        return []
    texts = [clean(code[number - 1]).expandtabs(4).replace("\n", " ") for number in numbers]
    indent = min(len(text) - len(text.lstrip()) for text in texts)
    places = max(len(str(number)) for number in numbers)
    lines: list[Line] = [
        spread([(clean_line(file), "dim")], [*button("d"), (f" {model.say('all the code')}", "dim")], cells)
    ]
    for number, text in zip(numbers, texts, strict=True):
        lines.append(crop([(f"{number:{places}}  ", "dim"), (text[indent:].rstrip(), "name")], cells))
    if function.updated_because == "save" and function.updated_at is not None:
        saw = model.say("saw save", time=clock_time(function.updated_at))
        lines.append(crop([(f"{model.glyphs.passed} {saw}", "good")], cells))
    return [_lines("code", lines)]


def _last_page(experiment: Experiment, model: Model, cells: int) -> list[Block]:
    """The score: every step with what was predicted and what happened."""
    say, steps = model.say, experiment.steps
    failed = sum(step.state == "failed" for step in steps)
    lines: list[Line] = [[(say("all done"), "key")], []]
    for number, step in enumerate(steps, 1):
        sign, role = (model.glyphs.failed, "bad") if step.state == "failed" else (model.glyphs.passed, "good")
        lines.append([(f"{sign} ", role), (f"{number} {clean_line(step.name)}", "text")])
        lines += _told(step, model, cells)
    lines.append([])
    if failed:
        sentence = "otherwise" if len(steps) > 1 else "it went otherwise"
        lines.append([(say(sentence, failed=failed, steps=len(steps)), "bad")])
    else:
        lines.append([(say("as expected" if len(steps) > 1 else "it went as expected"), "good")])
    if any(step.prediction is not None for step in steps):
        hints = experiment.hints_taken
        helped = say("no hints" if not hints else "one hint" if hints == 1 else "hints", hints=hints)
        lines.append([(say("score", right=experiment.right, asked=experiment.asked), "strong"), (f" {helped}", "dim")])
    if following := experiment.following:
        title = clean_line(following.get("title", ""))
        lines += [[], [(f"{model.glyphs.arrow} ", "key"), (say("try next", title=title), "text")]]
    lines += [[], [(say("still open"), "text"), ("i", "key"), (say("invokes"), "text")]]
    lines[-1] += [("p", "key"), (say("three at once"), "text"), ("e", "key"), (say("edits"), "text")]
    return [_lines("end", lines)]


def _told(step: Step, model: Model, cells: int) -> list[Line]:
    """What somebody predicted, and what happened where that is something else."""
    if step.predict is None or step.prediction is None:
        return []
    right = step.predicted_right
    sign, role = (model.glyphs.passed, "good") if right else (model.glyphs.failed, "warn")
    texts = [(model.say("you said", choice=_choice(step, step.prediction)), role)]
    if not right:
        texts.append((model.say("it was", choice=_choice(step, step.predict.get("answer"))), "dim"))
    lines: list[Line] = []
    for at, (text, each) in enumerate(texts):
        mark = f"{sign} " if at == 0 else "  "
        lines += [[("    ", "text"), *line] for line in _hanging(mark, text, each, cells - 4)]
    return lines
