"""One page of what a laboratory has shown: what was asked, predicted, expected and observed, the timeline, the logs and
the figures.

Pure: from the fold of a journal to HTML that needs nothing else. It loads nothing and runs nothing, and says so in its
policy to the browser; it is legible in light and dark, on a phone and on paper.
"""

from __future__ import annotations

import base64
import hashlib
import json
from collections.abc import Iterable, Sequence
from importlib.resources import files
from typing import NamedTuple, Protocol, TypeVar

from lambdatui import __version__
from lambdatui.events import Json, iso_time
from lambdatui.experiment.handout.markup import Child, Html, el, join, prose
from lambdatui.experiment.handout.timeline import STYLE as TIMELINE_STYLE
from lambdatui.experiment.handout.timeline import timelines
from lambdatui.experiment.handout.words import Words, words
from lambdatui.lab import Invocation, Lab, Step
from lambdatui.time_axis import elapsed

MAX_ROWS = 500
"""Of a table."""
MAX_LINES = 600
"""Of a log stream: the first third and the last two."""
_OPEN_LINES = 40
"""A longer one is closed at first."""
_MAX_TEXT = 4000
"""Characters of a payload or a log event."""
_BRIEF = 160
"""Characters of a result beside its step."""
_RESULTS = 6
"""Invocations told beside their step; the table has all."""
_SIGNS = {"succeeded": "✓", "failed": "✕", "timed_out": "◷", "throttled": "✕", "running": "●", "pending": "◐"}
_T = TypeVar("_T")


class Printed(Protocol):
    """A log event."""

    @property
    def time(self) -> float: ...
    @property
    def text(self) -> str: ...
    @property
    def platform(self) -> bool: ...


class Stream(NamedTuple):
    """A log stream, as far as the page needs it."""

    group: str
    name: str
    events: Sequence[Printed]


def page(lab: Lab, now: float | None = None, streams: Iterable[Stream] | None = None) -> str:
    """The page. `now`, in seconds since the epoch, is when it is, where something is under way; `streams` are the logs
    where `lab` has not folded them."""
    if streams is None:
        streams = [Stream(each.group, each.name, each.events) for each in lab.streams]
    return _Page(lab, now, list(streams)).html()


class _Page:
    def __init__(self, lab: Lab, now: float | None, streams: Sequence[Stream]) -> None:
        self._lab, self._now, self._streams = lab, now, streams
        self._words: Words = words(lab.experiment.language if lab.experiment else "en")
        self._start = lab.activity.start
        self._title = lab.experiment.title if lab.experiment else self._words["laboratory"]

    def html(self) -> str:
        style = files(__package__).joinpath("page.css").read_text(encoding="utf-8")
        policy = (
            f"default-src 'none'; style-src {_hash(style)} {_hash(TIMELINE_STYLE)}; base-uri 'none'; form-action 'none'"
        )
        head = el(
            "head",
            el("meta", charset="utf-8"),
            el("meta", http_equiv="Content-Security-Policy", content=policy),
            el("meta", name="viewport", content="width=device-width, initial-scale=1"),
            el("meta", name="referrer", content="no-referrer"),
            el("meta", name="color-scheme", content="light dark"),
            el("meta", name="generator", content=f"lambdatui {__version__}"),
            el("title", self._title),
            el("style", Html(style)),
        )
        sections = (
            self._timeline(),
            self._steps(),
            self._invocations(),
            self._environments(),
            self._functions(),
            self._logs(),
            self._laboratory(),
        )
        footer = el("footer", self._words["made by"].format(__version__))
        body = el("body", self._header(), el("main", sections), footer)
        return f"<!DOCTYPE html>\n{el('html', head, body, lang=self._words['lang'])}\n"

    # -- from the top to the bottom ---------------------------------------------------------------------------------

    def _header(self) -> Html:
        experiment, said = self._lab.experiment, self._words
        when = iso_time(self._start).replace("T", " ").removesuffix("Z") if self._start else ""
        return el(
            "header",
            el("p", "lambdatui", el("span", f"{when[:19]} UTC") if when else None, class_="kicker"),
            el("h1", self._title),
            self._verdict(),
            self._facts(),
            el("div", prose(experiment.about), class_="about") if experiment and experiment.about.strip() else None,
            lang=said["lang"],
        )

    def _verdict(self) -> Html | None:
        experiment, said = self._lab.experiment, self._words
        if experiment is None or not experiment.steps:
            return None
        passed = sum(step.state == "passed" for step in experiment.steps)
        count = len(experiment.steps)
        if experiment.passed:
            return el("p", el("span", "✓ ", class_="sign"), said["passed"], class_="verdict good")
        if experiment.passed is None:
            over = sum(step.state in ("passed", "failed") for step in experiment.steps)
            return el("p", el("span", "● ", class_="sign"), said["so far"].format(over, count), class_="verdict")
        otherwise = said["otherwise"].format(count - passed, count)
        return el("p", el("span", "✕ ", class_="sign"), otherwise, class_="verdict bad")

    def _facts(self) -> Html:
        lab, said = self._lab, self._words
        steps = lab.experiment.steps if lab.experiment else []
        facts: list[tuple[str, str]] = []
        if steps:
            passed = sum(step.state == "passed" for step in steps)
            facts.append((said["steps"], said["of"].format(passed, len(steps))))
        if predicted := [step for step in steps if step.predict and step.prediction and _over(step)]:
            right = sum(step.prediction == _answer(step) for step in predicted)
            facts.append((said["predictions right"], said["of"].format(right, len(predicted))))
        attempts = [attempt for each in lab.invocations.values() for attempt in each.attempts]
        facts.append((said["invocations"], str(len(lab.invocations))))
        facts.append((said["environments"], str(len(lab.environments))))
        facts.append((said["cold starts"], str(sum(1 for each in attempts if each.cold_start))))
        if self._start is not None:
            facts.append((said["time"], elapsed(round(lab.activity.last - self._start, 1))))
        return el("dl", [el("div", el("dt", name), el("dd", value)) for name, value in facts], class_="facts")

    def _timeline(self) -> Html | None:
        pictures = timelines(self._lab, self._words, self._title, self._now)
        if not pictures:
            return None
        figures = [self._scrolling(picture, self._words["timeline"], "picture") for picture in pictures]
        caption = el("figcaption", self._words["what to see"])
        return self._section("timeline", el("figure", caption, figures))

    def _steps(self) -> Html | None:
        steps = self._lab.experiment.steps if self._lab.experiment else []
        if not steps:
            return None
        return self._section("steps", [self._step(number, step) for number, step in enumerate(steps)])

    def _step(self, number: int, step: Step) -> Html:
        said = self._words
        sign, words_, role = {
            "passed": ("✓", said["as expected"], "good"),
            "failed": ("✕", said["not as expected"], "bad"),
            "running": ("●", said["running"], "busy"),
        }.get(step.state, ("○", said["waiting"], "soft"))
        heading = el(
            "h3",
            el("span", number + 1, class_="number"),
            el("span", step.name, class_="name"),
            el("span", f"{sign} {words_}", class_=f"state {role}"),
        )
        told = el(
            "div",
            prose(step.say),
            self._question(step),
            el("div", prose(step.explain), class_="explain") if _over(step) and step.explain.strip() else None,
            class_="told",
        )
        seen = el(
            "div",
            el("p", el("code", step.action), class_="action") if step.action else None,
            el("p", step.error, class_="error") if step.error else None,
            self._checks(step),
            self._results(number),
            class_="seen",
        )
        return el("article", heading, el("div", told, seen, class_="columns"), class_="step")

    def _question(self, step: Step) -> Html | None:
        choices = step.predict.get("choices") if step.predict else None
        if step.predict is None or not isinstance(choices, list):
            return None
        answer = _answer(step) if _over(step) else None
        items = [self._choice(str(choice), n == answer, n == step.prediction) for n, choice in enumerate(choices, 1)]
        ask = el("p", el("b", self._words["prediction"]), " ", str(step.predict.get("ask", "")))
        return el("div", ask, el("ol", items), class_="question")

    def _choice(self, choice: str, is_answer: bool, is_prediction: bool) -> Html:
        marks: list[Child] = []
        if is_prediction:
            marks += [" ", el("span", f"● {self._words['predicted']}", class_="mark")]
        if is_answer:
            marks += [" ", el("span", f"✓ {self._words['answer']}", class_="mark good")]
        return el("li", choice, marks, class_="answer" if is_answer else None)

    def _checks(self, step: Step) -> Html | None:
        said = self._words
        if not step.checks:
            return None
        rows = [
            el(
                "tr",
                el(
                    "td",
                    el("span", "✓" if check.get("passed") else "✕", class_="good" if check.get("passed") else "bad"),
                    el("span", said["as expected" if check.get("passed") else "not as expected"], class_="unseen"),
                    class_="sign",
                ),
                el("th", el("code", str(check.get("expect", ""))), scope="row"),
                el("td", el("code", _value(check.get("expected")))),
                el("td", self._observed(check.get("actual"))),
                class_=None if check.get("passed") else "otherwise",
            )
            for check in step.checks
        ]
        head = el(
            "tr", el("td"), el("td"), el("th", said["expected"], scope="col"), el("th", said["observed"], scope="col")
        )
        return el("table", el("thead", head), el("tbody", rows), class_="checks")

    def _observed(self, value: Json) -> Html:
        return el("span", self._words["nothing"], class_="soft") if value is None else el("code", _value(value))

    def _results(self, number: int) -> Html | None:
        mine = [each for each in self._lab.invocations.values() if each.step == number]
        items = [
            el("li", f"#{each.number} ", self._status(each), " ", el("code", _shortened(each.payload, _BRIEF)))
            for each in mine[:_RESULTS]
            if each.payload is not None
        ]
        return el("ul", items, class_="results") if items else None

    # -- tables -----------------------------------------------------------------------------------------------------

    def _invocations(self) -> Html | None:
        said, lab = self._words, self._lab
        if not lab.invocations:
            return None
        several = len({each.function for each in lab.invocations.values()}) > 1
        rows: list[tuple[Child, ...]] = []
        attempts = [attempt for each in lab.invocations.values() for attempt in each.attempts]
        for each in attempts[:MAX_ROWS]:
            attempt = f".{each.attempt}" if each.attempt > 1 else ""
            memory = f"{each.max_memory_used_mb} / {each.memory_size_mb} MB" if each.memory_size_mb else ""
            start = {True: said["cold"], False: said["warm"], None: ""}[each.cold_start]
            rows.append(
                (
                    f"{each.number}{attempt}",
                    "" if each.step is None else each.step + 1,
                    *([el("code", _qualified(each))] if several else []),
                    self._status(each),
                    self._since(each.started_at or each.accepted_at),
                    start,
                    _ms(each.duration_ms),
                    _ms(each.billed_duration_ms),
                    _ms(each.init_duration_ms),
                    memory,
                    el("code", (each.environment or "")[:6]),
                )
            )
        columns = [
            ("#", True),
            (said["step"], True),
            *([(said["function"], False)] if several else []),
            (said["status"], False),
            (said["at"], True),
            (said["start"], False),
            (said["duration"], True),
            (said["billed"], True),
            (said["init"], True),
            (said["memory used"], True),
            (said["environment"], False),
        ]
        table = self._table("invocations", columns, rows, len(attempts))
        pairs = [self._event_and_result(each) for each in [*lab.invocations.values()][:MAX_ROWS]]
        more = self._more(len(lab.invocations) - len(pairs))
        details = el("details", el("summary", said["events and results"]), el("dl", pairs, class_="payloads"), more)
        return self._section("invocations", table, details)

    def _event_and_result(self, invocation: Invocation) -> Html:
        result = el("pre", _pretty(invocation.payload)) if invocation.payload is not None else None
        return el(
            "div",
            el("dt", f"#{invocation.number} ", self._status(invocation), " ", el("code", invocation.request_id)),
            el("dd", el("h4", self._words["event"]), el("pre", _pretty(invocation.event))),
            el("dd", el("h4", self._words["result"]), result) if result else None,
        )

    def _environments(self) -> Html | None:
        said, lab = self._words, self._lab
        if not lab.environments:
            return None
        several = len({each.function for each in lab.environments.values()}) > 1
        columns = [
            (said["environment"], False),
            *([(said["function"], False)] if several else []),
            (said["state"], False),
            (said["invocations"], True),
            (said["init"], True),
            (said["memory used"], True),
            (said["code"], False),
            (said["created because"], False),
            (said["ended because"], False),
        ]
        rows: list[tuple[Child, ...]] = [
            (
                el("code", each.id[:6]),
                *([el("code", each.function)] if several else []),
                said.get(each.state, each.state),
                each.invocations,
                _ms(each.init_duration_ms),
                f"{each.max_memory_used_mb} MB" if each.max_memory_used_mb else "",
                el("code", each.code_sha256[:8]),
                each.created_because,
                each.ended_because or "",
            )
            for each in [*lab.environments.values()][:MAX_ROWS]
        ]
        return self._section("environments", self._table("environments", columns, rows, len(lab.environments)))

    def _functions(self) -> Html | None:
        said, functions = self._words, self._lab.functions
        if not functions:
            return None
        columns = [
            (said["function"], False),
            (said["runtime"], False),
            (said["handler"], False),
            (said["memory"], True),
            (said["timeout"], True),
            (said["code"], False),
        ]
        rows: list[tuple[Child, ...]] = [
            (
                el("code", each.name),
                _plain(each.configuration.get("runtime")),
                el("code", _plain(each.configuration.get("handler"))),
                f"{_plain(each.configuration.get('memory_size'))} MB",
                f"{_plain(each.configuration.get('timeout'))} s",
                el("code", each.code_sha256[:8]),
            )
            for each in [*functions.values()][:MAX_ROWS]
        ]
        return self._section("functions", self._table("functions", columns, rows, len(functions)))

    def _table(self, name: str, columns: list[tuple[str, bool]], rows: list[tuple[Child, ...]], count: int) -> Html:
        """Figures stand on the right; columns that are empty all the way down are left out."""
        kept = [at for at in range(len(columns)) if any(row[at] not in ("", None, _NO_CODE) for row in rows)]
        head = [el("th", columns[at][0], scope="col", class_="figure" if columns[at][1] else None) for at in kept]
        body = [
            el("tr", [el("td", row[at], class_="figure" if columns[at][1] else None) for at in kept]) for row in rows
        ]
        table = el("table", el("thead", el("tr", head)), el("tbody", body), class_="wide")
        return join((self._scrolling(table, self._words[name], "table"), self._more(count - len(rows))))

    def _more(self, count: int) -> Html | None:
        return el("p", f"{self._words['more']}: {count}", class_="soft") if count else None

    # -- logs and the rest ------------------------------------------------------------------------------------------

    def _logs(self) -> Html | None:
        groups: dict[str, list[Stream]] = {}
        for stream in self._streams:
            groups.setdefault(stream.group, []).append(stream)
        told = [[el("h3", el("code", group)), map(self._stream, streams)] for group, streams in groups.items()]
        return self._section("logs", told) if told else None

    def _stream(self, stream: Stream) -> Html:
        count = len(stream.events)
        first, last = (count, 0) if count <= MAX_LINES else (MAX_LINES // 3, MAX_LINES - MAX_LINES // 3)
        events = [stream.events[at] for at in range(first)]
        cut = el("p", f"… {self._words['lines']} {self._words['left out']}: {count - first - last}", class_="soft")
        later = [stream.events[at] for at in range(count - last, count)]
        summary = el(
            "summary", el("code", stream.name), " ", el("span", f"{self._words['lines']}: {count}", class_="soft")
        )
        body = (self._lines(events), (cut, self._lines(later)) if later else None)
        return el("details", summary, body, open=count <= _OPEN_LINES, class_="stream")

    def _lines(self, events: Iterable[Printed]) -> Html:
        lines = [
            el(
                "li",
                el("span", self._since(event.time), class_="when"),
                el("span", _shortened(event.text.rstrip("\r\n"), _MAX_TEXT), class_="line"),
                class_="platform" if event.platform else None,
            )
            for event in events
        ]
        return el("ol", lines, class_="log")

    def _laboratory(self) -> Html | None:
        said, laboratory, lab = self._words, self._lab.laboratory, self._lab
        if laboratory is None:
            return None
        facts = [
            (said["isolation"], laboratory.sandbox),
            (said["limits"], ", ".join(laboratory.limits)),
            (said["region"], laboratory.region),
            (said["log dialect"], laboratory.log_dialect),
            (said["idle timeout"], f"{laboratory.idle_timeout:g} s"),
        ]
        if laboratory.time_scale != 1:
            facts.append((said["time scale"], said["times as fast"].format(f"{laboratory.time_scale:g}")))
        if lab.notices:
            facts.append((said["notices"], "\n".join(each.message for each in lab.notices)))
        listed = [el("div", el("dt", name), el("dd", value)) for name, value in facts if value]
        return self._section("laboratory", el("dl", listed, class_="colophon"))

    # -- pieces -----------------------------------------------------------------------------------------------------

    def _section(self, name: str, *inside: Child) -> Html:
        heading = el("h2", self._words[name], id=name)
        return el("section", heading, inside, aria_labelledby=name, class_=f"of-{name}")

    def _scrolling(self, inside: Html, label: str, class_: str) -> Html:
        """What may be wider than a phone, in a box that can be scrolled with the keyboard, too."""
        return el("div", inside, class_=f"scrolling {class_}", tabindex=0, role="region", aria_label=label)

    def _status(self, invocation: Invocation) -> Html:
        status = invocation.status
        role = {"succeeded": "good", "failed": "bad", "throttled": "bad", "timed_out": "warn"}.get(status, "busy")
        return el("span", f"{_SIGNS.get(status, '●')} {self._words.get(status, status)}", class_=f"status {role}")

    def _since(self, time: float) -> str:
        """Seconds since the first thing that happened."""
        return f"{time - self._start:+.3f}" if self._start is not None else ""


_NO_CODE = el("code", "")


def _over(step: Step) -> bool:
    return step.state in ("passed", "failed")


def _answer(step: Step) -> Json:
    return step.predict.get("answer") if step.predict else None


def _qualified(invocation: Invocation) -> str:
    return f"{invocation.function}:{invocation.qualifier}" if invocation.qualifier else invocation.function


def _ms(value: float | None) -> str:
    if value is None:
        return ""
    return f"{value:,.0f} ms" if isinstance(value, int) else f"{value:,.2f} ms"


def _plain(value: Json) -> str:
    return "" if value is None else str(value)


def _value(value: Json) -> str:
    return _shortened(value if isinstance(value, str) else json.dumps(value, ensure_ascii=False), _MAX_TEXT)


def _shortened(of: str | None, size: int) -> str:
    of = of or ""
    return of if len(of) <= size else f"{of[:size]}…"


def _pretty(payload: str | None) -> str:
    """JSON in lines, other text as it is."""
    if payload is None or len(payload) > _MAX_TEXT:
        return _shortened(payload, _MAX_TEXT)
    try:
        return json.dumps(json.loads(payload), indent=2, ensure_ascii=False)
    except (ValueError, RecursionError):
        return payload


def _hash(style: str) -> str:
    """By which the policy knows a style sheet: no other is obeyed."""
    return f"'sha256-{base64.b64encode(hashlib.sha256(style.encode()).digest()).decode()}'"
