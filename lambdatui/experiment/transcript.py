"""An experiment told in plain lines, while it runs."""

from __future__ import annotations

import json
import os
import re
from collections.abc import Iterable, Iterator, Mapping
from typing import TextIO

from lambdatui import events as ev
from lambdatui.events import Json, Record
from lambdatui.experiment.visible import visible
from lambdatui.highlight import highlighted
from lambdatui.lab import Lab

_MAX_VALUE = 200
_ID = 6
"""So many characters of an environment's id tell it from the others."""

_HINT = {"en": "Hint:", "zh-Hant": "提示："}
_LINE_END = re.compile("\r\n|\r|\n")
_EMPHASIS = re.compile(r"(?<!`)\*\*(?=\S)(.+?)(?<=\S)\*\*(?!`)")

_STYLES = {"bold": "1", "dim": "2", "good": "32", "bad": "31", "key": "36"}


class Transcript:
    """Writes to `out` what each record means to a reader. All that comes from functions and files is made harmless."""

    def __init__(self, out: TextIO, *, colour: bool) -> None:
        self._out = out
        self._colour = colour
        self._lab = Lab()

    def read(self, records: Iterable[Record]) -> None:
        """Raises OSError where `out` cannot be written any more."""
        for record in records:
            if self._lab.experiment and self._lab.experiment.passed is not None:
                break  # the story is over; what follows is the laboratory being closed
            self._lab.apply(record)
            for line in self._lines(record.event):
                self._out.write(f"{line}\n")
        self._out.flush()

    def _lines(self, event: ev.Event) -> Iterator[str]:
        match event:
            case ev.LaboratoryOpened():
                about = f"laboratory: {event.sandbox}, {event.region}, {event.log_dialect} log lines"
                if event.time_scale != 1:
                    about += f", retries {event.time_scale:g} times as fast as in the real service"
                limits = f"; {', '.join(event.limits)}" if event.limits else ""
                yield self._styled("dim", visible(f"{about}{limits}"))
            case ev.Noticed():
                yield self._styled(
                    "bad" if event.level == "error" else "dim", f"{event.level}: {visible(event.message)}"
                )
            case ev.ExperimentOpened():
                yield from ("", self._styled("bold", visible(event.title)), *_text(event.about, ""))
            case ev.StepStarted():
                yield from self._step(event.step)
            case ev.StepFinished():
                yield from self._outcome(event)
            case ev.ExperimentFinished():
                yield from ("", self._verdict(event.passed))
            case ev.LogWritten():
                for line in _physical(event.lines):
                    text = f"{event.environment[:_ID]} │ {visible(line)}"
                    yield f"  {self._styled('dim', text) if event.platform else text}"
            case ev.LogEventsPut():
                for line in _physical(event.messages):
                    yield f"  {visible(event.log_stream)} │ {visible(line)}"
            case _:
                told = self._told(event)
                if told:
                    yield f"  {told}"

    def _told(self, event: ev.Event) -> str:
        """A fact about functions, environments or invocations in one line; nothing where the log lines tell it."""
        match event:
            case ev.EnvironmentCreated():
                return self._key(f"+ environment {event.environment[:_ID]}", event.because)
            case ev.EnvironmentShutdown():
                return self._key(f"↓ environment {event.environment[:_ID]} shuts down", event.reason)
            case ev.EnvironmentReset():
                return self._key(f"↺ environment {event.environment[:_ID]} is reset", event.because)
            case ev.EnvironmentEnded():
                return self._key(f"- environment {event.environment[:_ID]}", event.because)
            case ev.FunctionUpdated():
                changed = ", ".join(event.changed) or f"code {event.code_sha256[:8]}"
                return self._key(f"~ {event.function} has changed", f"{event.because}: {changed}")
            case ev.FunctionCreated(code_location="uploaded"):
                return self._key(f"+ {event.function}", f"uploaded: code {event.code_sha256[:8]}")
            case ev.FunctionDeleted():
                return self._key(f"- {event.function}{f' version {event.version}' if event.version else ''}", "deleted")
            case ev.RoleChanged():
                return self._key(f"~ role {event.role}", f"policies: {', '.join(event.policies) or 'none'}")
            case ev.VersionPublished():
                return self._key(f"~ {event.function} has version {event.version}", f"code {event.code_sha256[:8]}")
            case ev.AliasPointed():
                shares = "".join(f", {share:.0%} to version {v}" for v, share in event.weights.items())
                return self._key(f"~ {event.function}:{event.alias}", f"leads to version {event.version}{shares}")
            case ev.AliasDeleted():
                return self._key(f"~ {event.function}:{event.alias}", "is deleted")
            case ev.EventInvokeConfigChanged(configuration=None):
                return self._key(f"~ {event.function}:{event.qualifier}", "treats events like any other")
            case ev.EventInvokeConfigChanged():
                said = {key: each for key, each in (event.configuration or {}).items() if each not in (None, {})}
                return self._key(f"~ {event.function}:{event.qualifier}", f"treats events by {json.dumps(said)}")
            case ev.PolicyChanged():
                of = f"{event.function}:{event.qualifier}" if event.qualifier else event.function
                sids = ", ".join(str(each["Sid"]) for each in event.statements)
                return self._key(f"~ {of} has a policy", f"statements: {sids or 'none'}")
            case ev.ProvisionedConcurrencyChanged():
                state = f"{event.status}{f', {event.reason}' if event.reason else ''}"
                return self._key(f"~ {event.function}:{event.qualifier}", f"{event.requested} provisioned: {state}")
            case ev.FunctionUrlCreated() | ev.FunctionUrlChanged() if function := self._lab.functions.get(
                event.function
            ):
                url, qualifier = function.urls[event.qualifier], f":{event.qualifier}" if event.qualifier else ""
                words = f"{url.url} ({url.configuration['auth_type']}, {url.configuration['invoke_mode']})"
                return self._key(f"~ {event.function}{qualifier} answers at", words)
            case ev.FunctionUrlDeleted():
                qualifier = f":{event.qualifier}" if event.qualifier else ""
                return self._key(f"~ {event.function}{qualifier}", "has no URL any more")
            case ev.LayerPublished():
                return self._key(f"~ layer {_layer(event.arn)}", f"is published, code {event.code_sha256[:8]}")
            case ev.LayerDeleted():
                return self._key(f"~ layer {_layer(event.arn)}", "is deleted")
            case ev.FunctionUpdateRejected():
                return self._key(f"~ {event.function} stays as it is", event.message)
            case ev.LogGroupCreated():
                return self._key(f"+ log group {event.log_group}", "")
            case ev.LogGroupChanged():
                days = "for ever" if event.retention_in_days is None else f"for {event.retention_in_days} days"
                return self._key(f"~ log group {event.log_group}", f"keeps its events {days}")
            case ev.LogGroupDeleted():
                return self._key(f"- log group {event.log_group}", "with all of its streams")
            case ev.LogStreamCreated():
                return self._key(f"+ log stream {event.log_stream}", f"in {event.log_group}")
            case ev.LogStreamDeleted():
                return self._key(f"- log stream {event.log_stream}", f"of {event.log_group}")
            case ev.InvocationStreamed() if invocation := self._lab.invocations.get(event.request_id):
                return self._key("← first byte", f"after {invocation.first_byte_ms:.2f} ms")
            case ev.InvocationAnswered(error_code=str(broken_off_by)):
                return self._key(f"← {event.status}, broken off by {broken_off_by}", _shortened(event.payload))
            case ev.InvocationAnswered():
                return self._answered(event)
            case ev.InvocationThrottled():
                return self._key(f"← {self._number(event.request_id)}throttled", event.message)
            case ev.EventQueued() | ev.AttemptStarted() | ev.EventConcluded() | ev.EventForwarded():
                return self._asynchronous(event)
        return ""

    def _answered(self, event: ev.InvocationAnswered) -> str:
        invocation = self._lab.invocations.get(event.request_id)
        if invocation and invocation.invocation_type == "DryRun":
            return self._key("← 204", "it could be invoked")
        sign = "=" if invocation and invocation.invocation_type == "Event" else "←"
        return self._key(f"{sign} {self._number(event.request_id)}{event.status}", _shortened(event.payload))

    def _asynchronous(self, event: ev.EventQueued | ev.AttemptStarted | ev.EventConcluded | ev.EventForwarded) -> str:
        """The way of an event, of which its caller sees nothing but 202."""
        invocation = self._lab.invocations.get(event.request_id)
        function, number = (invocation.function, f"#{invocation.number}") if invocation else ("", "")
        match event:
            case ev.EventQueued(because="accepted"):
                return self._key(f"← {number} 202", f"an event for {function} is in the queue")
            case ev.EventQueued(because="recovered"):
                return self._key(f"↻ {number} queue", f"an event for {function} that an earlier laboratory left behind")
            case ev.EventQueued():
                why = event.reason or event.because
                return self._key(f"… {number} queue", f"{why}: comes again in {event.delay:.2g} s")
            case ev.AttemptStarted():
                return self._key(f"» {number} attempt {event.attempt}", function)
            case ev.EventConcluded() if event.condition != "Success":
                ran = f"after {_counted(event.attempts, 'attempt')}" if event.attempts else "never run"
                return self._key(f"✗ {number} {event.condition}", f"{function}, {ran}")
            case ev.EventForwarded():
                return self._key(
                    f"⇒ {event.by}", f"{event.to} {f'failed: {event.error}' if event.error else ''}".strip()
                )
        return ""

    def _number(self, request_id: str) -> str:
        """Which invocation, and where it runs."""
        invocation = self._lab.invocations.get(request_id)
        if invocation is None:
            return ""
        where = f" in {invocation.environment[:_ID]}" if invocation.environment else ""
        return f"#{invocation.number}{where} "

    def _step(self, index: int) -> Iterator[str]:
        if not self._lab.experiment:
            return
        steps = self._lab.experiment.steps
        step = steps[index]
        yield from ("", self._styled("bold", f"{index + 1}/{len(steps)}  {visible(step.name)}"), *_text(step.say, "  "))
        yield from self._code(step.highlight)
        if step.predict:
            yield f"  ? {visible(str(step.predict['ask']))}"
            choices = step.predict["choices"]
            for number, choice in enumerate(choices if isinstance(choices, list) else [], 1):
                yield f"    {number} {visible(str(choice))}"
        for hint in step.hints:
            yield from _text(f"({_HINT.get(self._lab.experiment.language, _HINT['en'])} {hint})", "  ")
        if step.action:
            yield f"  {self._styled('key', f'→ {visible(step.action)}')}"

    def _code(self, highlight: Mapping[str, Json] | None) -> Iterator[str]:
        """The lines of the code that matter to a step."""
        function = self._lab.functions.get(str(highlight["function"])) if highlight else None
        if highlight is None or function is None:
            return
        lines = function.files.get(str(highlight["file"]), "").split("\n")
        for number in highlighted(highlight, lines):
            about = self._styled("dim", visible(f"{highlight['file']}:{number}"))
            yield f"  {about}  {visible(lines[number - 1].rstrip())}"

    def _outcome(self, event: ev.StepFinished) -> Iterator[str]:
        if event.error:
            yield f"  {self._styled('bad', f'✗ {visible(event.error)}')}"
        for check in event.checks:
            yield f"  {self._check(check)}"
        if not self._lab.experiment:
            return
        step = self._lab.experiment.steps[event.step]
        if step.predict:
            answer, choices = step.predict["answer"], step.predict["choices"]
            assert isinstance(answer, int) and isinstance(choices, list)
            yield f"  = {answer} {visible(str(choices[answer - 1]))}"
        yield from _text(step.explain, "  ")

    def _check(self, check: Mapping[str, Json]) -> str:
        expected = f"{check['expect']} {_value(check['expected'])}"
        if check["passed"]:
            return self._styled("good", f"✓ {expected}")
        return self._styled("bad", f"✗ {expected}, but observed {_value(check['actual'])}")

    def _verdict(self, passed: bool) -> str:
        steps = self._lab.experiment.steps if self._lab.experiment else []
        failed = sum(1 for step in steps if step.state != "passed")
        if passed:
            return self._styled("good", f"All went as expected in {_counted(len(steps), 'step')}.")
        return self._styled("bad", f"{failed} of {_counted(len(steps), 'step')} went otherwise than expected.")

    def _key(self, what: str, why: str) -> str:
        return f"{self._styled('key', visible(what))}  {visible(why)}".rstrip()

    def _styled(self, style: str, text: str) -> str:
        return f"\x1b[{_STYLES[style]}m{text}\x1b[0m" if self._colour else text


def wants_colour(out: TextIO) -> bool:
    """On a terminal, unless the user asked for none (no-color.org)."""
    return out.isatty() and not os.environ.get("NO_COLOR") and os.environ.get("TERM") != "dumb"


def _physical(lines: Iterable[str]) -> Iterator[str]:
    """A log event, such as a traceback, can be several lines on paper; awslambdaric ends them with \\r in its
    warnings, so that they stay one event."""
    for line in lines:
        yield from _LINE_END.split(line.rstrip("\r\n"))


def _text(text: str, indent: str) -> Iterator[str]:
    """Markdown as it was written; it is made to be read that way, too, but for the marks of emphasis."""
    for line in text.strip().split("\n") if text.strip() else []:
        yield (indent + _EMPHASIS.sub(r"\1", visible(line))).rstrip()


def _value(value: Json) -> str:
    return visible(_shortened(value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)))


def _layer(arn: str) -> str:
    """Name and version."""
    return ":".join(arn.split(":")[6:])


def _shortened(text: str) -> str:
    return text if len(text) <= _MAX_VALUE else f"{text[:_MAX_VALUE]}…"


def _counted(count: int, noun: str) -> str:
    return f"{count} {noun}{'' if count == 1 else 's'}"
