"""The page to hand out: complete, well-formed, and harmless whatever is on it."""

from __future__ import annotations

import re
from collections.abc import Callable
from html.parser import HTMLParser
from xml.etree import ElementTree

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lambdatui import events as ev
from lambdatui.events import Json
from lambdatui.experiment.handout.markup import el, prose, text
from lambdatui.experiment.handout.page import MAX_LINES, MAX_ROWS, page
from lambdatui.experiment.handout.timeline import ROWS
from lambdatui.experiment.handout.words import WORDS
from lambdatui.experiment.visible import visible
from lambdatui.lab import Lab
from tests.tui import recorded
from tests.tui.recorded import ENVIRONMENTS, FUNCTION, GROUP, NASTY, REQUESTS, Script

SVG = "{http://www.w3.org/2000/svg}"
VOID = {"meta", "br"}
SCRIPTS = [
    recorded.at_start,
    recorded.cold_init,
    recorded.three_busy,
    recorded.after_timeout,
    recorded.all_done,
    recorded.reloaded,
    recorded.reused,
    recorded.step_error,
    recorded.chinese,
    recorded.hostile,
]
MARKUP = (
    "<script>alert(1)</script>",
    '"><img src=https://evil.example/x onerror=alert(1)>',
    "</style></title></svg></pre><script src=//evil.example></script>",
    "<!-- ]]> <![CDATA[ &lt;b&gt; &#x3c;",
    "' onmouseover='alert(1)",
    "![x](https://evil.example/x.png) <iframe srcdoc=x> [a](javascript:alert(1)) [b](data:text/html,x)",
    "<svg/onload=alert(1)> <style>@import 'https://evil.example'</style>",
    "```\n</code></pre><script>\n```\n\n> <base href=//evil.example>",
    "\x00\x1b]0;owned\x07\x9b31m\u202egnp.exe\u202c\u2066\ud800\ufeff",
    NASTY,
)


class Parsed(HTMLParser):
    """What a page has; whatever is not balanced fails."""

    def __init__(self, source: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.texts: list[str] = []
        self.lines: list[str] = []
        """Of the logs."""
        self._open: list[tuple[str, str]] = []
        self.feed(source)
        self.close()
        assert not self._open

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        names = [name for name, _ in attrs]
        assert len(names) == len(set(names)), f"{tag} has an attribute twice"
        self.tags.append((tag, dict(attrs)))
        if tag not in VOID:
            self._open.append((tag, dict(attrs).get("class") or ""))
            if self._open[-1] == ("span", "line"):
                self.lines.append("")

    def handle_endtag(self, tag: str) -> None:
        assert self._open.pop()[0] == tag

    def handle_data(self, data: str) -> None:
        if self._open and self._open[-1][0] == "style":
            return
        self.texts.append(data)
        if self._open and self._open[-1] == ("span", "line"):
            self.lines[-1] += data

    def handle_comment(self, data: str) -> None:
        raise AssertionError(f"a comment: {data}")

    @property
    def text(self) -> str:
        return "\n".join(self.texts)


def lab_of(script: Script) -> Lab:
    lab = Lab()
    for record in script.records:
        lab.apply(record)
    return lab


def page_of(script: Script) -> str:
    return page(lab_of(script), script.time)


def pictures(source: str) -> list[ElementTree.Element]:
    return [ElementTree.fromstring(each) for each in re.findall(r"<svg .*?</svg>", source, re.DOTALL)]


def with_texts(nasty: str) -> Script:
    """That text wherever there is any of others."""
    step: dict[str, Json] = {
        **{"name": nasty, "say": nasty, "action": nasty, "expects": [nasty], "explain": nasty},
        "predict": {"ask": nasty, "choices": [nasty, "b"], "answer": 1},
    }
    script = Script().add(
        ev.LaboratoryOpened(1, nasty, nasty, "1", nasty, 10, 300.0, 2.0, (nasty,)),
        ev.ExperimentOpened(nasty, nasty, nasty, nasty, (step,)),
        ev.FunctionCreated(FUNCTION, nasty, 1, {"runtime": nasty, "handler": nasty}, nasty, nasty),
        ev.FunctionCreated(nasty, nasty, 1, {}, nasty, nasty),
        ev.PredictionMade(0, 1),
        ev.StepStarted(0),
        ev.InvocationAccepted("r", nasty, nasty, "RequestResponse", nasty, 0, nasty),
        ev.InvocationAccepted("s", FUNCTION, "1", "RequestResponse", nasty, 0),
        ev.InvocationThrottled("s", nasty, nasty),
        ev.EnvironmentCreated(nasty, nasty, nasty, 1, nasty, nasty, nasty, nasty),
        ev.InvocationPlaced("r", nasty, True),
        ev.InvocationStarted("r", nasty, 3.0),
    )
    script.at(1).add(
        ev.LogWritten(nasty, nasty, nasty, "r", False, (nasty,)),
        ev.InvocationAnswered("r", nasty, nasty, nasty),
        ev.InvocationFinished("r", nasty, nasty, 1.0, 1, None, 128, 1, nasty),
        ev.EnvironmentEnded(nasty, nasty),
        ev.Noticed("warning", nasty),
        ev.StepFinished(0, False, ({"expect": nasty, "expected": nasty, "actual": [nasty], "passed": False},), nasty),
    )
    return script


def check_harmless(source: str) -> Parsed:
    """Nothing runs, nothing is loaded, nothing steers."""
    parsed = Parsed(source)
    for tag, attributes in parsed.tags:
        assert tag not in {
            "script",
            "img",
            "image",
            "iframe",
            "link",
            "base",
            "object",
            "embed",
            "form",
            "use",
            "video",
        }
        assert not {"src", "srcset", "style", "background", "xlink:href", "poster", "data"} & attributes.keys()
        assert not [name for name in attributes if name.startswith("on")]
        if "href" in attributes:
            assert tag == "a" and not re.match(r"\s*(javascript|data|vbscript|file):", attributes["href"] or "", re.I)
        assert "url(" not in (attributes.get("fill") or "").replace("url(#", "")
    styles = "".join(re.findall(r"<style>(.*?)</style>", source, re.DOTALL))
    assert "url(" not in styles and "@import" not in styles and "//" not in styles
    assert not re.search("[\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069\ud800-\udfff]", source)
    policy = next(each["content"] for _, each in parsed.tags if each.get("http-equiv") == "Content-Security-Policy")
    assert (policy or "").startswith("default-src 'none'; style-src 'sha256-") and "unsafe" not in (policy or "")
    return parsed


# -- the page -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("script", SCRIPTS)
def test_every_page_is_well_formed_and_loads_nothing(script: Callable[[], Script]) -> None:
    source = page_of(script())
    check_harmless(source)
    assert "http" not in re.sub(r'xmlns="[^"]*"|http-equiv', "", source)
    ids = re.findall(r' id="([^"]*)"', source)
    assert len(ids) == len(set(ids))


def test_an_empty_laboratory_has_a_page() -> None:
    assert "Laboratory" in check_harmless(page(Lab())).text


def test_everything_is_there() -> None:
    source = page_of(recorded.all_done())
    told = Parsed(source).text
    for each in ("Lambda timeout", "Not as expected: 1 of 2.", "sleep past the timeout", "What does the caller get?"):
        assert each in told
    for each in ("cold_starts", "timed_out", "predicted", "what happens", "3,000.00 ms", "61.25 ms", "41 / 128 MB"):
        assert each in told
    for each in (GROUP, "[INFO] going to sleep, number 2", "idle for 300 s", "bubblewrap", "no environment was idle"):
        assert each in told
    for environment in ENVIRONMENTS:
        assert environment[:6] in told
    for request in REQUESTS:
        assert request in told
    assert "<strong>5 s</strong>" in source and "<li>the processes</li>" in source  # Markdown


def test_expected_stands_beside_observed() -> None:
    source = page_of(recorded.all_done())
    row = next(row for row in re.findall(r"<tr.*?</tr>", source, re.DOTALL) if "log_streams" in row)
    assert Parsed(row).texts == ["✕", "not as expected", "log_streams", "1", "3"]


def test_the_answer_is_not_told_before_the_step_is_over() -> None:
    told = Parsed(page_of(recorded.three_busy())).text
    assert "an error after 3 s" in told and "predicted" in told and "So far: 0 of 2." in told
    assert "what happens" not in told and "At the deadline" not in told and "Predictions right" not in told


def test_a_page_in_chinese() -> None:
    lab = lab_of(recorded.chinese())
    assert lab.experiment
    lab.experiment.language = "zh-Hant"
    source = page(lab)
    told = Parsed(source).text
    assert '<html lang="zh-Hant">' in source
    for each in ("睡滿整段逾時時間", "你的預測", "實際情況", "時間軸", "符合預期", "逾時", "日誌", "執行環境"):
        assert each in told
    assert "計時從處理常式執行之前就開始了，所以睡滿" in told  # lines of a Chinese text are joined without a space


def test_both_languages_say_the_same() -> None:
    assert WORDS["en"].keys() == WORDS["zh-Hant"].keys()
    for key, english in WORDS["en"].items():
        assert english.count("{}") == WORDS["zh-Hant"][key].count("{}")


# -- foreign text ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("nasty", MARKUP)
def test_foreign_text_is_harmless(nasty: str) -> None:
    source = page_of(with_texts(nasty))
    parsed = check_harmless(source)
    assert "\n".join(map(visible, nasty.split("\n"))) in parsed.lines
    assert all(each.tag.startswith(SVG) for picture in pictures(source) for each in picture.iter())


@given(st.text(), st.text())
def test_any_text_is_what_one_reads(inside: str, attribute: str) -> None:
    parsed = Parsed(el("p", inside, title=attribute))
    assert "".join(parsed.texts) == "\n".join(map(visible, inside.replace("\r\n", "\n").split("\n")))
    assert [tag for tag, _ in parsed.tags] == ["p"] and set(parsed.tags[0][1]) == {"title"}


@given(st.text("<>[]()!`*_#&\"'=/:- \nabjx"))
def test_markdown_makes_no_markup_of_theirs(markdown: str) -> None:
    parsed = Parsed(prose(markdown))
    allowed = {"p", "a", "em", "strong", "code", "pre", "ul", "ol", "li", "blockquote", "hr", "br", "table"}
    tags = {tag for tag, _ in parsed.tags}
    assert tags <= allowed | {"thead", "tbody", "tr", "th", "td", *(f"h{n}" for n in range(1, 7))}
    assert all(set(attributes) <= {"href", "title", "class", "start"} for _, attributes in parsed.tags)


def test_what_steers_is_spelled_out() -> None:
    assert text("\x1b[2J\u202e\ud800") == "\\x1b[2J\\u202e\\ud800"


# -- the timeline ---------------------------------------------------------------------------------------------------


def test_the_timeline_says_what_it_is() -> None:
    (picture,) = pictures(page_of(recorded.all_done()))
    title, description = picture.find(f"{SVG}title"), picture.find(f"{SVG}desc")
    assert picture.get("role") == "img" and title is not None and description is not None
    assert picture.get("aria-labelledby") == title.get("id")
    assert title.text == "Timeline of Lambda timeout"
    assert "Environments: 3; Invocations: 4; succeeded: 1; timed out: 3; Time: 9.2 s" in (description.text or "")


def test_bars_have_words_and_signs_beside_colours() -> None:
    (picture,) = pictures(page_of(recorded.all_done()))
    told = [each.text for each in picture.iter(f"{SVG}text")]
    assert told.count("◷ #1 3 s") == 1 and "timed out" in told and "reset: no processes" in told
    titles = [each.text for each in picture.iter(f"{SVG}title")]
    assert "#4 succeeded · 200 ms" in titles
    fills = {each.get("fill") for each in picture.iter(f"{SVG}rect")}
    assert {"url(#tl-timed_out)", "url(#tl-function)"} & fills


def test_idle_time_is_cut_and_throttles_are_marked() -> None:
    (picture,) = pictures(page_of(recorded.reused()))
    told = [each.text for each in picture.iter(f"{SVG}text")]
    assert "1:00" in told and "idle time left out" in told and "throttled" in told
    assert [title.text for title in picture.iterfind(f".//{SVG}text/{SVG}title")] == ["throttled"]


def test_nothing_is_outside_of_the_picture() -> None:
    for script in SCRIPTS:
        for picture in pictures(page_of(script())):
            width = float((picture.get("viewBox") or "").split()[2])
            for bar in picture.iter(f"{SVG}rect"):
                assert float(bar.get("x", 0)) >= -9 and float(bar.get("x", 0)) + float(bar.get("width", 0)) <= width + 9


def busy(environments: int, invocations: int) -> Script:
    script = recorded.at_start()
    for number in range(environments):
        script.at(1 + number).accepted(f"r{number}", step=None).cold(f"e{number:05}", f"r{number}")
        script.running(f"e{number:05}", f"r{number}").succeeded(f"e{number:05}", f"r{number}")
    for number in range(invocations):
        request = f"s{number}"
        script.at(1000 + number / 100).accepted(request, step=None)
        script.add(ev.InvocationPlaced(request, "e00000", False), ev.EnvironmentThawed("e00000"))
        script.running("e00000", request, None).at(1000 + number / 100 + 0.005).succeeded("e00000", request)
    return script


def test_many_environments_make_several_pictures() -> None:
    parts = pictures(page_of(busy(100, 0)))
    assert len(parts) == 4
    for part in parts:
        names = [each.text for each in part.iter(f"{SVG}text")]
        assert names.count(FUNCTION) == 1 and len([each for each in names if (each or "").startswith("e0")]) < ROWS
    drawn = [each.text for part in parts for each in part.iter(f"{SVG}text") if (each.text or "").startswith("e0")]
    assert drawn == [f"e{number:05}" for number in range(100)]


def test_a_page_of_very_much_stays_bearable() -> None:
    source = page_of(busy(1, 3000))
    assert len(source) < 3_000_000
    told = Parsed(source).text
    assert f"More, left out here: {3001 - MAX_ROWS}" in told and "left out here: " in told
    assert len(Parsed(source).lines) == MAX_LINES
    assert len(list(pictures(source)[0].iter(f"{SVG}rect"))) < 1500
