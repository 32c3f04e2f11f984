"""Lanes of the timeline, drawn from spans alone."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import accumulate

from hypothesis import given
from hypothesis import strategies as st

from lambdatui.history import INITS, Kind, Span
from lambdatui.time_axis import SCALES, Axis, elapsed
from lambdatui.tui.lanes import ASCII, UNICODE, Strokes, Window, instants, life, queue, ruler
from lambdatui.tui.spans import plain, width


def labels(span: Span) -> Sequence[str]:
    signs = {"succeeded": "✓", "failed": "✕", "timed_out": "◷"}
    sign = signs.get(span.outcome or "", "●")
    return (f"{sign} #{span.request_id} {span.outcome}", f"{sign} #{span.request_id}", sign)


def tiled(parts: Sequence[tuple[Kind, float, str | None]]) -> list[Span]:
    """Spans one after the other, of so many seconds each."""
    starts = accumulate((length for _, length, _ in parts), initial=0.0)
    spans = [
        Span(kind, start, start + length, str(number) if kind is Kind.INVOKE else None, outcome)
        for number, ((kind, length, outcome), start) in enumerate(zip(parts, starts, strict=False))
    ]
    return spans


def window(scale: float = 0.1, left: int = 0, cells: int = 40, now: float = 100.0) -> Window:
    return Window(Axis(0.0, scale, ()), left, cells, now)


def drawn(*parts: tuple[Kind, float, str | None], scale: float = 0.1, chosen: int | None = None) -> str:
    spans = tiled(parts)
    return plain(life(spans, window(scale), UNICODE, labels, None if chosen is None else spans[chosen], None)).rstrip()


INIT = (Kind.RUNTIME_INIT, 0.2, None), (Kind.FUNCTION_INIT, 0.1, "success")


def test_a_cold_start_and_a_reuse() -> None:
    line = drawn(*INIT, (Kind.INVOKE, 1.0, "succeeded"), (Kind.FROZEN, 0.5, None), (Kind.INVOKE, 1.2, "failed"))
    assert line == "▒▒▓" + "█✓ #2█████" + "─────" + "█✕ #4███████"


def test_what_is_short_is_seen() -> None:
    short = (Kind.INVOKE, 0.002, "succeeded")
    assert drawn((Kind.FROZEN, 1.0, None), short, (Kind.FROZEN, 1.0, None)) == "──────────▌─────────"
    assert drawn((Kind.FROZEN, 1.0, None), (Kind.INVOKE, 0.002, "timed_out"), (Kind.FROZEN, 0.2, None))[10] == "◷"
    assert drawn((Kind.RUNTIME_INIT, 0.02, None), (Kind.INVOKE, 0.5, "succeeded")).startswith("▒█")


def test_invocations_that_follow_at_once_are_told_apart() -> None:
    one = (Kind.INVOKE, 0.5, "succeeded")
    assert drawn(one, one) == "█✓██▌█✓███"


def test_a_chosen_one_is_pointed_at() -> None:
    spans = tiled([(Kind.INVOKE, 1.0, "succeeded"), (Kind.FROZEN, 1.0, None)])
    line = life(spans, window(), UNICODE, labels, spans[0], None)
    assert plain(line).startswith("▸✓ #0") and {"on-chosen", "bar-chosen"} <= {role for _, role in line}


def test_a_failed_init_is_seen() -> None:
    assert drawn((Kind.RUNTIME_INIT, 0.5, "timeout"), (Kind.RESET, 0.3, None)) == "▒▒▒▒✕┈┈┈"


def test_the_end_is_marked() -> None:
    spans = tiled([(Kind.INVOKE, 0.5, "succeeded"), (Kind.FROZEN, 0.5, None)])
    assert plain(life(spans, window(), UNICODE, labels, None, 1.0)).rstrip() == "█✓███─────†"


def test_throttled_invocations_are_marks() -> None:
    marks = [Span(Kind.THROTTLED, time, time, "1") for time in (0.5, 0.5, 2.0)]
    assert plain(instants(marks, window(), UNICODE, labels, None)).rstrip() == "     ✕✕             ✕"


def test_the_queue_is_a_line_with_a_name() -> None:
    spans = [Span(Kind.QUEUED, 0.5, 1.5, "1", "succeeded"), Span(Kind.QUEUED, 2.0, None, "2", "failed")]
    line = plain(queue(spans, window(now=2.2), UNICODE, labels))
    assert line.rstrip() == "     ✓ #1╌╌╌╌╌╌     ✕╌│"


def test_the_ruler_says_what_was_left_out() -> None:
    quiet = [(1.0, 61.0)]
    text = plain(ruler(Window(Axis(0.0, 0.1, quiet), 0, 50, 62.5), UNICODE))
    assert text.rstrip() == "▏0          //1:00 ▏1:01          │now ▏1:03"


def test_times_are_short() -> None:
    told = [elapsed(value) for value in (0, 0.05, 0.9, 1, 1.5, 59, 60, 125, 61.05, 3725)]
    assert told == ["0", "50 ms", "900 ms", "1 s", "1.5 s", "59 s", "1:00", "2:05", "1:01.05", "1:02:05"]


QUIET = st.sampled_from([Kind.FROZEN, Kind.RESET, Kind.IDLE, Kind.WAITING])
LOUD = st.sampled_from([Kind.INVOKE, Kind.SHUTDOWN, *sorted(INITS)])
PARTS = st.lists(
    st.tuples(
        QUIET | LOUD,
        st.sampled_from([0.0, 0.0005, 0.002, 0.03, 1.0, 20.0]),
        st.sampled_from(["succeeded", "failed", "timed_out"]),
    ).map(lambda part: part if part[0] is Kind.INVOKE else (part[0], part[1], None)),
    max_size=80,
)


@given(PARTS, st.sampled_from(SCALES), st.integers(0, 60), st.sampled_from([UNICODE, ASCII]))
def test_a_line_is_as_wide_as_the_window_and_shows_what_failed(
    parts: list[tuple[Kind, float, str | None]], scale: float, left: int, strokes: Strokes
) -> None:
    spans, seen = tiled(parts), window(scale, left)
    line = life([s for s in spans if s.end and s.end >= seen.first], seen, strokes, labels, None, None)
    assert width(line) == seen.cells
    inside = [
        span
        for span in spans
        if span.kind is Kind.INVOKE and seen.at(span.start) >= 1 and seen.at(span.end or 0.0) <= seen.cells - 2
    ]
    roles = {role for _, role in line}
    if any(span.outcome == "failed" for span in inside):
        assert roles & {"bad", "bar-bad", "on-bad"}
    if inside:
        assert any(role.removeprefix("bar-").removeprefix("on-") in ("good", "warn", "bad") for role in roles)
