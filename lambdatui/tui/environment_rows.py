"""Rows of the Environments panel: columns that are aligned, and grow in number with the width."""

from __future__ import annotations

from lambdatui.lab import Environment, Function
from lambdatui.tui.glyphs import environment_state
from lambdatui.tui.model import Model
from lambdatui.tui.sanitise import clean_line
from lambdatui.tui.spans import Line, Span, crop, fit, flow, spread
from lambdatui.tui.wording import clock_time, listing, milliseconds, seconds, short

_GAUGE = 10
_NARROW = 70
"""Cells below which columns are left out and ids are shorter."""
_ROOMY = 92
"""Cells from which on there is room for a gauge and the duration of the init."""
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


def columns_title(cells: int, inline_why: bool) -> Line:
    """The heads of the columns of :func:`environment_row`."""
    heads = _columns("state", "start", "id", "runs", "code", "version", "max mem", "left", cells)
    if cells >= _ROOMY:
        heads[-1:] = [fit("init", 9, right=True), heads[-1], " " * (_GAUGE + 2)]
    if inline_why:
        heads.append("  why")
    return [("".join(heads), "dim")]


def environment_row(environment: Environment, model: Model, cells: int, inline_why: bool) -> Line:
    """State, cold or warm, id, invocations, code, memory and what is left of the time."""
    glyph, (word, role) = environment_state(environment, model.glyphs)
    plain = "gone" if environment.state == "ended" else "text"
    start, start_role = _start(environment)
    memory, published = environment.max_memory_used_mb, environment.version != "$LATEST"
    time, time_role = _time(environment, model)
    id_size, code_size = (6, 4) if cells < _NARROW else (8, 8)
    columns = _columns(
        f"{glyph} {word}",
        start,
        short(environment.id, id_size),
        str(environment.invocations),
        f"v{environment.version}" if published and cells < _NARROW else short(environment.code_sha256, code_size),
        environment.version,
        ("" if memory is None else f"{memory}M" if cells < _NARROW else f"{memory} MB"),
        time,
        cells,
    )
    row: Line = [(columns[0], role), (columns[1], start_role), *((each, plain) for each in columns[2:-1])]
    if cells >= _ROOMY:
        took = environment.init_duration_ms
        init = milliseconds(took) if took is not None and environment.state != "init" else ""
        row.append((fit(init, 9, right=True), plain))
    row.append((columns[-1], time_role))
    if cells >= _ROOMY:
        row += [("  ", plain), *_gauge(environment, model)]
    return [*row, ("  " + why(environment, model), "dim")] if inline_why else row


def _columns(
    state: str, start: str, name: str, runs: str, code: str, version: str, memory: str, left: str, cells: int
) -> list[str]:
    """Each in its width, which is that of its values or its head."""
    if cells < _NARROW:
        memory = "mem" if memory == "max mem" else memory
        return [
            f"{fit(state, 11)} ",
            f"{fit(start, 5)} ",
            f"{fit(name, 6)} ",
            f"{fit(runs, 4, right=True)} ",
            f"{fit(code, 4)} ",
            fit(memory, 4, right=True),
            fit(left, 6, right=True),
        ]
    return [
        f"{fit(state, 11)}  ",
        f"{fit(start, 5)}  ",
        f"{fit(name, 8)}  ",
        f"{fit(runs, 4, right=True)}  ",
        f"{fit(code, 8)}  ",
        f"{fit(version, 7)}  ",
        fit(memory, 7, right=True),
        fit(left, 8, right=True),
    ]


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


def _gauge(environment: Environment, model: Model) -> Line:
    """How much of the timeout has gone by."""
    left = model.until(environment)
    function = model.lab.functions.get(environment.function)
    timeout = function.configuration.get("timeout", 3) if function else None
    if left is None or not isinstance(timeout, int | float) or timeout <= 0:
        return [(" " * _GAUGE, "text")]
    used = round(_GAUGE * min(1.0, max(0.0, 1 - left / timeout)))
    role = "urgent" if left <= _URGENT else "busy"
    return [(model.glyphs.bar * used, role), (model.glyphs.bar_left * (_GAUGE - used), "dim")]
