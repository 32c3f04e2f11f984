"""Rows of the Environments panel: columns that are aligned, and grow in number with the width."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from lambdatui.lab import Environment, Function
from lambdatui.tui.glyphs import Glyphs, environment_state
from lambdatui.tui.model import Model
from lambdatui.tui.sanitise import clean_line
from lambdatui.tui.spans import Line, Span, crop, fit, flow, spread
from lambdatui.tui.wording import clock_time, listing, milliseconds, seconds, short

_BAR = 6
_NARROW = 70
"""Cells below which columns are left out and ids are shorter."""
_CLOSE, _CRITICAL = 0.75, 0.9
"""Parts of a limit from which on that is shown."""
_MB_OF_A_CORE = 1769
_URGENT = 1.0
"""Seconds to the deadline."""


# -- functions ------------------------------------------------------------------------------------------------------


def function_rows(function: Function, model: Model, cells: int) -> list[Line]:
    """A function's configuration, what is under way, and what the last change was."""
    configuration, glyphs = function.configuration, model.glyphs
    chosen = len(model.lab.functions) > 1 and model.function is function
    name: Line = [(f"{glyphs.pointer} " if chosen else "", "key"), (clean_line(function.name), "strong")]
    name.append((f"  {clean_line(str(configuration.get('handler', '')))}", "text"))
    busy = sum(each == function.name for each in model.in_flight.values())
    now: Line = [(f"{glyphs.busy} {busy} in flight", "busy") if busy else ("0 in flight", "dim")]
    facts: list[Line] = [
        [("timeout ", "dim"), (f"{configuration.get('timeout', 3)} s", "text")],
        [("memory ", "dim"), (f"{configuration.get('memory_size', 128)} MB", "text")],
        [
            ("uploaded " if function.code_location == "uploaded" else "code ", "dim"),
            (short(function.code_sha256, 8), "text"),
        ],
    ]
    if configuration.get("runtime"):
        facts.append([(clean_line(str(configuration["runtime"])), "dim")])
    if (reserved := configuration.get("reserved_concurrent_executions")) is not None:
        facts.insert(2, [("reserved ", "dim"), (str(reserved), "text")])
    rows = [spread([span for span in name if span[0]], now, cells), flow(facts, cells)[0]]
    if published := _published(function, model):
        rows.append(crop(flow(published, cells)[0], cells))
    for alias, url in function.urls.items():
        whose = f"{clean_line(alias)} " if alias else ""
        told = f"  {url.configuration['auth_type']}"
        rows.append(crop([(f"{whose}url ", "dim"), (clean_line(url.url), "text"), (told, "dim")], cells))
    if function.updated_at is not None:
        rows.append(crop(_change(function, model), cells))
    return rows


def _published(function: Function, model: Model) -> list[Line]:
    """Its versions, its aliases and what is provisioned for them."""
    facts: list[Line] = []
    if function.versions:
        facts.append([("versions ", "dim"), (" ".join(function.versions), "text")])
    for alias in function.aliases.values():
        shares = "".join(f" {share:.0%} {version}" for version, share in alias.weights.items())
        facts.append([(f"{clean_line(alias.name)} {model.glyphs.arrow} ", "dim"), (f"{alias.version}{shares}", "text")])
    for (name, qualifier), told in model.lab.provisioned.items():
        if name == function.name and told.requested:
            words = f"{told.requested} provisioned {told.status}"
            facts.append([(f"{clean_line(qualifier)}: ", "dim"), (words, "bad" if told.reason else "text")])
    for subject, statements in function.policies.items():
        sids = " ".join(clean_line(str(each["Sid"])) for each in statements)
        facts.append([(f"policy{f' of {clean_line(subject)}' if subject else ''} ", "dim"), (sids, "text")])
    for qualifier in function.event_invoke_configs:
        facts.append([("events by ", "dim"), (clean_line(qualifier), "text"), (" configured", "dim")])
    return facts


_CHANGES = {"save": "saw your save", "edit": "a step's edit", "upload": "an upload"}


def _change(function: Function, model: Model) -> Line:
    glyphs, at = model.glyphs, clock_time(function.updated_at or 0.0)
    if function.updated_because == "configuration":
        return [(f"{listing(function.changed)} changed at {at}", "good")]
    before, after = short(function.previous_code_sha256 or "", 4), short(function.code_sha256, 4)
    digests = f"code {before}{glyphs.ellipsis} {glyphs.arrow} {after}{glyphs.ellipsis}"
    what = f"{_CHANGES[function.updated_because]} at {at}"
    return [(f"{what}, ", "good"), (digests, "good")]


# -- environments ---------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Column:
    """`cells` are those of its values or its head, with what is left free beside them."""

    head: str
    cells: int
    right: bool = False
    rank: int = 0
    """Those of the lowest are there where room is scarce."""


_NARROW_COLUMNS = {
    **{"state": Column("state", 12), "start": Column("start", 6), "id": Column("id", 7)},
    **{"runs": Column("runs", 4, True), "code": Column(" code", 6), "memory": Column("mem", 4, True)},
    **{"cpu": Column("cpu", 6, True, 1), "gauge": Column("", 7, True, 2), "left": Column("left", 6, True)},
}
_COLUMNS = {
    **{"state": Column("state", 13), "start": Column("start", 7), "id": Column("id", 10)},
    **{"runs": Column("runs", 4, True), "code": Column("  code", 12)},
    "version": Column("version", 9, rank=3),
    **{"gauge": Column("", 6, rank=2), "memory": Column("mem", 7, True), "cpu": Column("cpu", 6, True, 1)},
    **{"tmp": Column("/tmp", 7, True, 5), "init": Column("init", 9, True, 4)},
    **{"left": Column("left", 8, True), "time": Column("", 10, True, 6)},
}


def columns_for(cells: int, versions: bool) -> dict[str, Column]:
    """As many as there is room for; that of the version only where there are `versions`."""
    known = _NARROW_COLUMNS if cells < _NARROW else _COLUMNS
    room, shown = cells, set()
    for name, column in sorted(known.items(), key=lambda item: item[1].rank):
        if name == "version" and not versions:
            continue
        if column.rank and column.cells > room:
            break
        room -= column.cells
        shown.add(name)
    return {name: column for name, column in known.items() if name in shown}


def columns_title(columns: Mapping[str, Column], inline_why: bool) -> Line:
    """The heads of the columns of :func:`environment_row`."""
    heads = "".join(fit(column.head, column.cells, column.right) for column in columns.values())
    return [(heads + ("  why" if inline_why else ""), "dim")]


def environment_row(environment: Environment, model: Model, columns: Mapping[str, Column], inline_why: bool) -> Line:
    """State, cold or warm, id, invocations, code, what it uses, and what is left of the time."""
    row: Line = []
    for name, column in columns.items():
        if name in ("gauge", "time"):
            gauge = _memory_gauge if name == "gauge" else _time_gauge
            row += gauge(environment, model, column.cells)
        else:
            text, role = _value(name, environment, model, columns)
            row.append((fit(text, column.cells, column.right), role))
    return [*row, ("  " + why(environment, model), "dim")] if inline_why else row


def _value(name: str, environment: Environment, model: Model, columns: Mapping[str, Column]) -> Span:
    narrow = columns["id"] is _NARROW_COLUMNS["id"]
    plain = "gone" if environment.state == "ended" else "text"
    match name:
        case "state":
            glyph, (word, role) = environment_state(environment, model.glyphs)
            return f"{glyph} {word}", role
        case "start":
            return _start(environment)
        case "id":
            return short(environment.id, 6 if narrow else 8), plain
        case "runs":
            return str(environment.invocations), plain
        case "code":
            published = environment.version != "$LATEST" and "version" not in columns
            code = f"v{environment.version}" if published else short(environment.code_sha256, 4 if narrow else 8)
            return (f" {code}" if narrow else f"  {code}"), plain
        case "version":
            return environment.version, plain
        case "memory":
            memory = memory_mb(environment)
            text = "" if memory is None else f"{memory}M" if narrow else f"{memory} MB"
            return text, memory_role(environment, plain)
        case "cpu":
            cpu = environment.cpu_percent if environment.state in ("init", "busy", "shutdown") else None
            return ("" if cpu is None else f"{cpu}%"), cpu_role(environment)
        case "tmp":
            tmp = environment.tmp_mb
            return ("" if not tmp else f"{tmp} MB"), tmp_role(environment)
        case "init":
            took = environment.init_duration_ms
            return (milliseconds(took) if took is not None and environment.state != "init" else ""), plain
    return _time(environment, model)


# -- what it uses ---------------------------------------------------------------------------------------------------


def memory_mb(environment: Environment) -> int | None:
    """What it holds; the most that it held, where nothing else is known, or where it has no processes any more."""
    return environment.max_memory_used_mb if environment.memory_mb is None else environment.memory_mb


def memory_role(environment: Environment, otherwise: str = "text") -> str:
    return otherwise if environment.memory_mb is None else _near(environment.memory_mb, memory_limit(environment))


def tmp_role(environment: Environment) -> str:
    return _near(environment.tmp_mb or 0, tmp_limit(environment))


def cpu_role(environment: Environment) -> str:
    """That a function has all the CPU that it may have is usual, and slows it down."""
    share = cpu_share(environment)
    return "warn" if share and (environment.cpu_percent or 0) >= 0.9 * share else "text"


def memory_limit(environment: Environment) -> float:
    return _number(environment, "memory_size", 128)


def tmp_limit(environment: Environment) -> float:
    return _number(environment, "ephemeral_storage", 512)


def cpu_share(environment: Environment) -> float:
    """In percent of a core, of which 1,769 MB of memory bring one ("Configure Lambda function memory")."""
    return 100 * memory_limit(environment) / _MB_OF_A_CORE


def _number(environment: Environment, key: str, otherwise: float) -> float:
    value = environment.configuration.get(key, otherwise)
    return value if isinstance(value, int | float) and value > 0 else otherwise


def _near(used: float, limit: float) -> str:
    return "urgent" if used >= _CRITICAL * limit else "warn" if used >= _CLOSE * limit else "text"


def gauge(part: float, role: str, glyphs: Glyphs, cells: int) -> Line:
    """So much of the whole, as a bar: full only where all is used up, empty only where nothing is."""
    filled = cells if part >= 1 else min(cells - 1, max(1, round(cells * part))) if part > 0 else 0
    return [(glyphs.bar * filled, role), (glyphs.bar_left * (cells - filled), "dim")]


def _memory_gauge(environment: Environment, model: Model, cells: int) -> Line:
    memory = environment.memory_mb
    if memory is None:
        return [(" " * cells, "text")]
    role = memory_role(environment)
    role = role if role != "text" else "idle" if environment.frozen else "busy"
    bar = gauge(memory / memory_limit(environment), role, model.glyphs, _BAR)
    return [(" " * (cells - _BAR), "text"), *bar] if cells > _BAR else bar


def _start(environment: Environment) -> Span:
    """Whether the last start was cold, or the next one will be warm."""
    match environment.state:
        case "ended":
            return "", "gone"
        case "reset":
            return "reset", "warn"
        case "idle":
            return "ahead" if environment.provisioned and not environment.invocations else "warm", "idle"
        case "created" | "init" if environment.provisioned:
            return "ahead", "init"
    return ("cold", "init") if environment.cold else ("warm", "idle")


def why(environment: Environment, model: Model) -> str:
    """Why it ended, or else why it was made."""
    if environment.state == "ended":
        at = f" at {clock_time(environment.ended_at)}" if environment.ended_at is not None else ""
        return f"ended{at}: {clean_line(environment.ended_because or '')}"
    retired = ", ends when it is done" if environment.retired else ""
    return f"created: {clean_line(environment.created_because)}{retired}"


def _time(environment: Environment, model: Model) -> Span:
    """What is left until the deadline; in an init without one, how long it has taken."""
    left = model.until(environment)
    if left is not None:
        return seconds(left), "urgent" if left <= _URGENT else "busy"
    if environment.state == "init" and environment.init_started_at is not None:
        return f"+{seconds(model.clock() - environment.init_started_at)}", "init"
    return "", "dim"


def _time_gauge(environment: Environment, model: Model, cells: int) -> Line:
    """How much of the timeout has gone by."""
    left, timeout = model.until(environment), _number(environment, "timeout", 3)
    if left is None:
        return [(" " * cells, "text")]
    role = "urgent" if left <= _URGENT else "busy"
    return [("  ", "text"), *gauge(1 - left / timeout, role, model.glyphs, cells - 2)]
