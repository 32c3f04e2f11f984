"""What the page of an environment says, tab by tab: rows, what each of them copies, and what it opens."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Protocol

from lambdatui.lab import Environment, Invocation
from lambdatui.tui.environment_rows import (
    cpu_role,
    cpu_share,
    gauge,
    memory_limit,
    memory_role,
    tmp_limit,
    tmp_role,
)
from lambdatui.tui.glyphs import environment_state, invocation_state
from lambdatui.tui.inside import Inside, Preview
from lambdatui.tui.model import Model
from lambdatui.tui.sanitise import clean_line, clean_lines
from lambdatui.tui.spans import Line, fit, flow, wrap
from lambdatui.tui.wording import clock_time, milliseconds, plural, size

_LABEL = 13
_BAR = 20
_PREVIEW_LINES = 200


@dataclass(frozen=True)
class Entry:
    """`opens` is the request id of an invocation, or the name of a file."""

    line: Line
    copied: str = ""
    opens: str = ""


class Page(Protocol):
    """The rows of a tab."""

    def __len__(self) -> int: ...

    def __getitem__(self, number: int, /) -> Entry: ...

    def __iter__(self) -> Iterator[Entry]: ...


def _row(label: str, items: Iterable[Line], copied: str, cells: int) -> list[Entry]:
    """A label and what belongs to it, on as many lines as that takes."""
    lines = flow([item for item in items if item], max(2, cells - _LABEL))
    return [
        Entry([(fit(label if number == 0 else "", _LABEL), "dim"), *line], copied) for number, line in enumerate(lines)
    ]


def _text(label: str, text: str, cells: int, role: str = "text") -> list[Entry]:
    return _row(label, [[(clean_line(text), role)]], text, cells)


# -- overview -------------------------------------------------------------------------------------------------------


def overview(environment: Environment, model: Model, cells: int) -> list[Entry]:
    """What it is, what it uses, why it was made, and why it ended."""
    rows = _text("environment", environment.id, cells)
    of: list[Line] = [[(clean_line(environment.function), "strong")], [(environment.version, "text")]]
    of += [[("generation ", "dim"), (str(environment.generation), "text")]]
    rows += _row("function", of, environment.function, cells)
    rows += _moment("created", environment.created_at, environment.created_because, cells)
    if environment.retired and environment.state != "ended":
        rows += _text("retired", "ends when the invocation in flight is done", cells, "warn")
    if environment.ended_at is not None:
        rows += _moment("ended", environment.ended_at, environment.ended_because or "", cells)
    rows += _init(environment, cells)
    if environment.extensions:
        told = [[(f"{clean_line(name)} ", "text"), (state, "dim")] for name, state in environment.extensions.items()]
        rows += _row("extensions", told, " ".join(environment.extensions), cells)
    rows += _uses(environment, model, cells)
    rows += _text("log group", environment.log_group, cells)
    rows += _text("log stream", environment.log_stream, cells)
    return rows + _text("code sha256", environment.code_sha256, cells)


def _moment(label: str, at: float, why: str, cells: int) -> list[Entry]:
    return _row(label, [[(clock_time(at, milliseconds=True), "text")], [(clean_line(why), "dim")]], why, cells)


def _init(environment: Environment, cells: int) -> list[Entry]:
    if environment.init_duration_ms is None:
        return []
    good = environment.init_status == "success"
    items: list[Line] = [[(milliseconds(environment.init_duration_ms), "text")]]
    items += [[(environment.init_status or "", "good" if good else "bad")]]
    for part, took in environment.init_parts_ms.items():
        if took:
            items.append([(f"{part} ", "dim"), (milliseconds(took), "text")])
    if environment.init_suppressed:
        items.append([("paid inside an invocation, after a reset", "warn")])
    return _row("init", items, "", cells)


def _uses(environment: Environment, model: Model, cells: int) -> list[Entry]:
    """Gauges of what is limited, as far as it was measured."""
    rows: list[Entry] = []
    most = environment.max_memory_used_mb
    peak: Line = [("most ", "dim"), (f"{most} MB", "text")] if most is not None else []
    if (memory := environment.memory_mb) is not None:
        limit, role = memory_limit(environment), memory_role(environment)
        items: list[Line] = [_bar(memory / limit, role, model), [(f"{memory} of {limit:g} MB", role)], peak]
        rows += _row("memory", items, "", cells)
    elif peak:
        rows += _row("memory", [peak, [(f"of {memory_limit(environment):g} MB", "dim")]], "", cells)
    if (cpu := environment.cpu_percent) is not None:
        share, role = cpu_share(environment), cpu_role(environment)
        told: Line = [(f"{cpu} % of a core", role)]
        rows += _row("CPU", [_bar(cpu / share, role, model), told, [(f"its share {share:.0f} %", "dim")]], "", cells)
    if (tmp := environment.tmp_mb) is not None:
        limit, role = tmp_limit(environment), tmp_role(environment)
        rows += _row("/tmp", [_bar(tmp / limit, role, model), [(f"{tmp} of {limit:g} MB", role)]], "", cells)
    return rows


def _bar(part: float, role: str, model: Model) -> Line:
    return gauge(part, "busy" if role == "text" else role, model.glyphs, _BAR)


# -- invocations ----------------------------------------------------------------------------------------------------


class InvocationsPage(Sequence[Entry]):
    """Those that were placed here, the last one first. A row is made when it is looked at: there may be thousands."""

    def __init__(self, environment: Environment, model: Model) -> None:
        spans = environment.history.spans
        ids = dict.fromkeys(span.request_id for span in reversed(spans) if span.request_id is not None)
        self._found = [model.lab.invocations[each] for each in ids if each in model.lab.invocations]
        self._model, self._id = model, environment.id

    def __len__(self) -> int:
        return len(self._found)

    def __getitem__(self, number: int) -> Entry:  # type: ignore[override]
        whole = self._found[number]
        here = [each for each in whole.attempts if each.environment == self._id]
        return Entry(self._line(here[-1] if here else whole), whole.request_id, whole.request_id)

    def _line(self, invocation: Invocation) -> Line:
        glyph, (word, role) = invocation_state(invocation, self._model.glyphs)
        started, took = invocation.started_at, invocation.duration_ms
        init, memory = invocation.init_duration_ms, invocation.max_memory_used_mb
        if took is not None:
            duration: tuple[str, str] = f"{took:.2f} ms", "text"
        elif started is not None:
            duration = milliseconds((self._model.clock() - started) * 1000), "busy"
        else:
            duration = "", "text"
        cold = invocation.cold_start
        return [
            (fit(f"#{invocation.number}", 6), "strong"),
            (fit(f"{glyph} {word}", 13), role),
            (fit("cold" if cold else "warm", 6), "init" if cold else "idle"),
            (fit(clock_time(invocation.accepted_at), 10), "dim"),
            (fit(duration[0], 13, right=True), duration[1]),
            (fit("" if init is None else f"init {milliseconds(init)}", 14, right=True), "dim"),
            (fit("" if memory is None else f"{memory} MB", 9, right=True), "dim"),
            (f"  {clean_line(invocation.error_type or '')}", "bad"),
        ]


# -- inside ---------------------------------------------------------------------------------------------------------


def processes(inside: Inside, cells: int) -> list[Entry]:
    """Each with its number outside, and the one that it has for itself where that is another."""
    if not inside.processes:
        return [Entry([("No processes: the next invocation starts them.", "dim")])]
    own = any(each.pid != each.own_pid for each in inside.processes)
    head = f"{'pid':>8}{'inside':>8}" if own else f"{'pid':>8}"
    rows = [Entry([(f"{head}  {'state':<11}{'memory':>8}{'threads':>9}  command", "dim")])]
    for each in inside.processes:
        numbers = f"{each.pid:>8}{each.own_pid:>8}" if own else f"{each.pid:>8}"
        state = clean_line(each.state)
        line: Line = [(f"{numbers}  ", "text"), (fit(state, 11), _STATES.get(state, "text"))]
        line.append((f"{each.resident_kb / 1024:>5.0f} MB{each.threads:>9}  ", "text"))
        if each.of:
            line.append((f"{clean_line(each.of)}: ", "name"))
        rows.append(Entry([*line, (clean_line(each.command), "text")], f"{each.pid} {each.command}"))
    return rows


_STATES = {"running": "busy", "sleeping": "busy", "stopped": "idle", "zombie": "bad"}


def variables(inside: Inside, model: Model, cells: int, revealed: bool) -> list[Entry]:
    """Those that the runtime was started with; secrets are covered."""
    if not inside.variables:
        return [Entry([("Its processes were not started yet.", "dim")])]
    longest = max(len(each.name) for each in inside.variables)
    name_cells = min(longest, max(12, cells // 2 - 2)) + 2
    rows: list[Entry] = []
    cover = (model.glyphs.dot * 8, "dim")
    for each in inside.variables:
        name = (fit(clean_line(each.name), name_cells), "name")
        if each.value is None:
            why = "  never shown" if each.why == "credential" else "  v shows it"
            rows.append(Entry([name, cover, (why, "dim")], each.name))
            continue
        pieces = wrap(clean_line(each.value), max(8, cells - name_cells)) if each.value else [""]
        role = "warn" if each.why and revealed else "text"
        for number, piece in enumerate(pieces):
            rows.append(Entry([name if number == 0 else (" " * name_cells, "text"), (piece, role)], each.value))
    return rows


def files(inside: Inside, model: Model, cells: int, opened: str, preview: Preview | str | None) -> list[Entry]:
    """Of /tmp, the preview below the one that is `opened`; a preview that cannot be had is a sentence."""
    if not inside.files:
        return [Entry([("/tmp is empty.", "dim")])]
    name_cells = max(12, cells - 24)
    rows = [Entry([(f"{fit('name', name_cells)}{'size':>12}{'changed':>12}", "dim")])]
    for each in inside.files:
        name = clean_line(each.name) + {"folder": "/", "link": " (link)"}.get(each.kind, "")
        amount = size(each.size) if each.kind == "file" else ""
        role = "name" if each.kind == "folder" else "text"
        line: Line = [
            (fit(name, name_cells - 1) + " ", role),
            (f"{amount:>12}{clock_time(each.modified_at):>12}", "dim"),
        ]
        rows.append(Entry(line, each.name, each.name if each.kind == "file" else ""))
        if each.name == opened and preview is not None:
            rows += [replace(row, opens=each.name) for row in _preview(preview, model, cells)]
    if not inside.files_complete:
        rows.append(Entry([(f"The first {plural(len(inside.files), 'name')} that were found.", "dim")]))
    return rows


def _preview(preview: Preview | str, model: Model, cells: int) -> list[Entry]:
    margin = (f"  {model.glyphs.bar_left} ", "dim")
    if isinstance(preview, str):
        return [Entry([margin, (preview, "bad")])]
    if preview.text is None:
        return [Entry([margin, (f"{size(preview.size)} that are no text", "dim")])]
    lines = [piece for line in clean_lines(preview.text) for piece in wrap(line, max(8, cells - 4))]
    rows = [Entry([margin, (line, "text")], preview.text) for line in lines[:_PREVIEW_LINES]]
    if not preview.complete or len(lines) > _PREVIEW_LINES:
        rows.append(Entry([margin, (f"{model.glyphs.ellipsis} {size(preview.size)} in all", "dim")]))
    return rows


def headline(environment: Environment, model: Model) -> tuple[Line, Line]:
    """What stands at the left and at the right above everything."""
    glyph, (word, role) = environment_state(environment, model.glyphs)
    left: Line = [(" environment ", "key"), (environment.id[:8], "strong"), (f"  {glyph} {word}", role)]
    left += [(f"  {clean_line(environment.function)}", "text")]
    runs = plural(environment.invocations, "invocation")
    remaining = model.until(environment)
    right: Line = [(f"{runs} ", "dim")]
    if remaining is not None:
        right.insert(0, (f"{remaining:.1f} s left  ", "urgent" if remaining <= 1 else "busy"))
    return left, right
