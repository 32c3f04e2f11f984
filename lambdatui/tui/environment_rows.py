"""Rows of the Environments panel: columns that are aligned, and grow in number with the width."""

from __future__ import annotations

from lambdatui.lab import Environment, Function
from lambdatui.tui.glyphs import environment_state
from lambdatui.tui.model import Model
from lambdatui.tui.sanitise import clean_line
from lambdatui.tui.spans import Line, Span, crop, fit, flow, spread
from lambdatui.tui.wording import clock_time, listing, milliseconds, seconds, short

_STATE = 11
_GAUGE = 10
_ROOMY = 88
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
        [("code ", "dim"), (short(function.code_sha256, 8), "text")],
    ]
    if configuration.get("runtime"):
        facts.append([(clean_line(str(configuration["runtime"])), "dim")])
    if (reserved := configuration.get("reserved_concurrent_executions")) is not None:
        facts.append([("reserved concurrency ", "dim"), (str(reserved), "text")])
    rows = [spread([span for span in name if span[0]], now, cells), flow(facts, cells)[0]]
    if function.updated_at is not None:
        rows.append(crop(_change(function, model), cells))
    return rows


def _change(function: Function, model: Model) -> Line:
    glyphs, at = model.glyphs, clock_time(function.updated_at or 0.0)
    if function.updated_because == "configuration":
        return [(f"{listing(function.changed)} changed at {at}, generation {function.generation}", "good")]
    before, after = short(function.previous_code_sha256 or "", 4), short(function.code_sha256, 4)
    digests = f"code {before}{glyphs.ellipsis} {glyphs.arrow} {after}{glyphs.ellipsis}"
    what = f"saw your save at {at}" if function.updated_because == "save" else f"the step edited the code at {at}"
    return [(f"{what}, ", "good"), (digests, "good")]


# -- environments ---------------------------------------------------------------------------------------------------


def columns_title(cells: int, inline_why: bool) -> Line:
    """The heads of the columns of :func:`environment_row`."""
    if cells < 60:
        return [(f"{fit('state', _STATE)} start id     runs code  mem   time", "dim")]
    title = f"{fit('state', _STATE)}  start  id        runs  code      gen  max mem  time    "
    if cells >= _ROOMY:
        title += f"{' ' * _GAUGE}  {fit('init', 7, right=True)}"
    return [(f"{title}  why" if inline_why else title, "dim")]


def environment_row(environment: Environment, model: Model, cells: int, inline_why: bool) -> Line:
    """State, cold or warm, id, invocations, code, memory and what is left of the time."""
    glyph, (word, role) = environment_state(environment, model.glyphs)
    gone = environment.state == "ended"
    plain = "gone" if gone else "text"
    start: Span = ("cold", "gone" if gone else "init") if environment.cold else ("warm", "gone" if gone else "idle")
    memory = environment.max_memory_used_mb
    time, time_role = _time(environment, model)
    state: Line = [(fit(f"{glyph} {word}", _STATE), role)]
    if cells < 60:
        return [
            *state,
            (f" {start[0]}  ", start[1]),
            (f"{short(environment.id)} ", plain),
            (f"{fit(str(environment.invocations), 4, right=True)} ", plain),
            (f"{short(environment.code_sha256, 4)} ", plain),
            (fit(f"{memory}M" if memory else "", 5, right=True), plain),
            (fit(time, 7, right=True), time_role),
        ]
    row: Line = [
        *state,
        (f"  {start[0]}   ", start[1]),
        (f"{fit(short(environment.id, 8), 8)}  ", plain),
        (f"{fit(str(environment.invocations), 4, right=True)}  ", plain),
        (f"{fit(short(environment.code_sha256, 8), 8)}  ", plain),
        (f"{fit(str(environment.generation), 3, right=True)}  ", plain),
        (f"{fit(f'{memory} MB' if memory else '', 7, right=True)}  ", plain),
        (f"{fit(time, 8)}", time_role),
    ]
    if cells >= _ROOMY:
        took = environment.init_duration_ms
        init = milliseconds(took) if took is not None and environment.state != "init" else ""
        row += [*_gauge(environment, model), (f"  {fit(init, 7, right=True)}", plain)]
    return [*row, ("  " + why(environment, model), "dim")] if inline_why else row


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
