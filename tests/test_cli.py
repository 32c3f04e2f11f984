from __future__ import annotations

import asyncio
import io
import json
import os
import re
import shutil
import signal
import subprocess
import sys
import tempfile
from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from lambdatui import cli
from lambdatui.cli import ExitCode
from lambdatui.events import Json
from lambdatui.experiment import headless
from lambdatui.experiment.bundled import bundled
from lambdatui.experiment.loader import load
from lambdatui.experiment.schema import ExperimentFile
from lambdatui.experiment.service_events import service_event
from lambdatui.journal import Journal
from lambdatui.journal import load as load_journal
from lambdatui.lab import Lab
from tests.experiment.fake import FakeTarget

EXPERIMENT = """\
title: {en: A small one, zh-Hant: 小的}
functions:
  F: {handler: app.handler, source: 'def handler(event, context): return 1'}
steps:
  - {name: a, invoke: {}, expect: {cold_starts: 1}}
"""
Main = Callable[..., int]
OPENED = Path(__file__).parent / "experiment/opened"


@pytest.fixture
def experiment(tmp_path: Path) -> Path:
    path = tmp_path / "small.yaml"
    path.write_text(EXPERIMENT)
    return path


@pytest.fixture
def main() -> Main:
    """The exit code of a command line."""

    def run(*arguments: object) -> int:
        with pytest.raises(SystemExit) as ended:
            cli.main([str(argument) for argument in arguments])
        assert isinstance(ended.value.code, int)
        return ended.value.code

    return run


@pytest.fixture
def target(monkeypatch: pytest.MonkeyPatch) -> Iterator[FakeTarget]:
    """What `run` finds instead of the service; it has to be closed again in any case."""
    target = FakeTarget()

    @asynccontextmanager
    async def opened(experiment: ExperimentFile, journal: Journal) -> AsyncIterator[tuple[FakeTarget, Lab]]:
        target.journal = journal
        journal.read_with((lab := Lab()).apply)
        try:
            yield target, lab
        finally:
            await target.close()

    monkeypatch.setattr(headless, "open_target", opened)
    monkeypatch.setenv("LC_ALL", "C")
    yield target
    assert target.closed


# -- run ------------------------------------------------------------------------------------------------------------


def test_a_run_that_goes_as_expected(
    main: Main, experiment: Path, target: FakeTarget, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main("run", experiment) == ExitCode.PASSED
    out, err = capsys.readouterr()
    assert "A small one" in out and "✓ cold_starts 1" in out and "All went as expected in 1 step." in out
    assert "\x1b" not in out and err == ""


def test_a_run_that_does_not(
    main: Main, experiment: Path, target: FakeTarget, capsys: pytest.CaptureFixture[str]
) -> None:
    experiment.write_text(EXPERIMENT.replace("cold_starts: 1", "cold_starts: 2"))
    assert main("run", experiment, "--lang", "zh-Hant") == ExitCode.FAILED
    out = capsys.readouterr().out
    assert "小的" in out and "✗ cold_starts 2, but observed 1" in out


def test_without_a_terminal_opening_is_running(
    main: Main, experiment: Path, target: FakeTarget, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(experiment) == ExitCode.PASSED
    assert "✓ cold_starts 1" in capsys.readouterr().out


def test_on_a_terminal_the_screen_opens(main: Main, monkeypatch: pytest.MonkeyPatch) -> None:
    opened: list[tuple[str, str | None, int, tuple[str, ...]]] = []

    def open_screen(experiment: str, language: str | None = None, port: int = 0, parameters: Sequence[str] = ()) -> int:
        opened.append((experiment, language, port, tuple(parameters)))
        return 7

    monkeypatch.setattr("lambdatui.tui.app.open_screen", open_screen)
    monkeypatch.setattr(sys.stdout, "isatty", lambda: True)
    monkeypatch.setenv("TERM", "xterm-256color")
    assert main("--lang", "zh-Hant", "timeout") == main("open", "timeout", "--lang", "zh", "--port", "8000") == 7
    assert opened == [("timeout", "zh-Hant", 0, ()), ("timeout", "zh-Hant", 8000, ())]
    assert main("template.yaml", "--parameter", "A=1", "--parameter", "B=2") == 7
    assert opened[2][0] == "template.yaml" and opened[2][3] == ("A=1", "B=2")
    assert main("timeout", "--port", "65536") == ExitCode.BAD_USAGE


@pytest.mark.parametrize("term", ["dumb", "", None])
def test_a_dumb_terminal_gets_the_transcript(
    main: Main,
    experiment: Path,
    target: FakeTarget,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    term: str | None,
) -> None:
    monkeypatch.setattr(sys.stdout, "isatty", lambda: True)
    monkeypatch.delenv("TERM", raising=False)
    if term is not None:
        monkeypatch.setenv("TERM", term)
    assert main("open", experiment) == ExitCode.PASSED
    assert "1/1" in capsys.readouterr().out


def test_json_on_standard_output_is_alone_there(
    main: Main, experiment: Path, target: FakeTarget, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main("run", experiment, "--json", "-") == ExitCode.PASSED
    assert json.loads(capsys.readouterr().out)["experiment"] == "A small one"


def test_files(main: Main, experiment: Path, target: FakeTarget, tmp_path: Path) -> None:
    report, junit, journal = tmp_path / "r.json", tmp_path / "j.xml", tmp_path / "j.ndjson"
    assert main("run", experiment, "--json", report, "--junit", junit, "--journal", journal) == ExitCode.PASSED
    assert json.loads(report.read_text())["passed"] is True
    assert junit.read_text().startswith("<?xml")
    assert list(load_journal(journal)) == target.journal.records


@pytest.mark.parametrize("option", ["--json", "--junit", "--html", "--journal"])
def test_a_file_that_cannot_be_written_is_noticed_before_the_run(
    main: Main, experiment: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], option: str
) -> None:
    assert main("run", experiment, option, tmp_path / "nowhere" / "file") == ExitCode.BAD_USAGE
    out, err = capsys.readouterr()
    assert out == ""
    assert err == f"lambdatui: {tmp_path}/nowhere/file cannot be written: there is no folder {tmp_path}/nowhere\n"


def test_a_full_disk(main: Main, experiment: Path, target: FakeTarget, capsys: pytest.CaptureFixture[str]) -> None:
    assert main("run", experiment, "--journal", "/dev/full") == ExitCode.BAD_USAGE
    assert capsys.readouterr().err == "lambdatui: /dev/full cannot be written: No space left on device\n"


def test_two_files_cannot_share_standard_output(
    main: Main, experiment: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main("run", experiment, "--json", "-", "--junit", "-") == ExitCode.BAD_USAGE
    assert capsys.readouterr().err == "lambdatui: only one of the files can be standard output\n"


@pytest.mark.parametrize("command", ["run", "check", "open"])
def test_a_closed_standard_output(
    main: Main, experiment: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], command: str
) -> None:
    with monkeypatch.context() as patch:
        patch.setattr(sys, "stdout", None)
        code = main(command, experiment)
    assert (code, capsys.readouterr().err) == (ExitCode.BAD_USAGE, "lambdatui: standard output is closed\n")


def test_no_folder_for_temporary_files(
    main: Main, experiment: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(tempfile, "tempdir", None)
    monkeypatch.setattr(tempfile, "_candidate_tempdir_list", lambda: [str(experiment / "none")])
    assert main("run", experiment) == ExitCode.BAD_USAGE
    sentence = "no folder for temporary files can be written, which a laboratory needs; TMPDIR can name one"
    assert capsys.readouterr().err == f"lambdatui: {sentence}\n"


def test_a_mistyped_command(main: Main, capsys: pytest.CaptureFixture[str]) -> None:
    assert main("chek", "x") == ExitCode.BAD_USAGE
    assert "there is no command chek; did you mean check?" in capsys.readouterr().err


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_ends_a_run(main: Main, experiment: Path, target: FakeTarget, number: signal.Signals) -> None:
    def interrupted(event: object) -> tuple[str, None]:
        target.held = asyncio.Event()  # which nobody will set
        os.kill(os.getpid(), number)
        return "succeeded", None

    target.answer = interrupted
    assert main("run", experiment) == 128 + number


# -- other commands -------------------------------------------------------------------------------------------------


def test_a_bad_file_tells_all_that_is_wrong(main: Main, experiment: Path, capsys: pytest.CaptureFixture[str]) -> None:
    experiment.write_text(EXPERIMENT.replace("invoke: {}", "invke: {}"))
    told = [
        f"{experiment}:5:15: unknown key 'invke'; did you mean 'invoke'?",
        f"{experiment}:5:48: 'cold_starts' is about invocations, and this step has none",
    ]
    assert main("run", experiment) == ExitCode.BAD_USAGE
    assert capsys.readouterr().err.splitlines() == [f"lambdatui: {line}" for line in told]
    assert main("check", experiment, "timeout") == ExitCode.BAD_USAGE
    assert capsys.readouterr().out.splitlines() == [*told, f"{bundled()['timeout']}: ok"]


@pytest.mark.parametrize("command", [["run"], ["open"], []])
def test_no_such_experiment(main: Main, command: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    assert main(*command, "nonesuch") == ExitCode.BAD_USAGE
    known = ", ".join(bundled())
    expected = (
        f"lambdatui: nonesuch: there is no such file, and no bundled experiment of that name (there are: {known})\n"
    )
    assert capsys.readouterr().err == expected


def test_the_bundled_experiments_are_sound() -> None:
    experiments = {name: load(path) for name, path in bundled().items()}
    assert experiments.keys() >= {"timeout", "reuse", "parallel", "async-retries", "destinations"}
    for experiment in experiments.values():
        texts = [experiment.title, experiment.about]
        for step in experiment.steps:
            texts += [step.name, step.say, step.explain, *([step.predict.ask] if step.predict else [])]
        assert all(text and text.en and text.zh_hant for text in texts)


def test_the_list(main: Main, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setenv("LC_ALL", "en_GB.UTF-8")
    assert main("list") == ExitCode.PASSED
    lines = capsys.readouterr().out
    assert re.search("^timeout +Lambda timeout$", lines, re.MULTILINE)
    assert main() == ExitCode.PASSED
    assert capsys.readouterr().out == f"{lines}\nOpen one with `lambdatui NAME`; `lambdatui --help` has all commands.\n"
    assert main("list", "--lang", "zh-Hant") == ExitCode.PASSED
    assert "Lambda 逾時" in capsys.readouterr().out
    assert main("list", "--lang", "fr") == ExitCode.BAD_USAGE
    assert capsys.readouterr().err == "lambdatui: there are texts in en and zh-Hant, not in 'fr'\n"


def test_schemas(main: Main, capsys: pytest.CaptureFixture[str]) -> None:
    assert main("schema") == ExitCode.PASSED
    assert json.loads(capsys.readouterr().out)["required"] == ["title", "functions"]
    assert main("schema", "--report") == ExitCode.PASSED
    assert json.loads(capsys.readouterr().out)["title"] == "lambdatui report"


def test_typical_events(main: Main, capsys: pytest.CaptureFixture[str]) -> None:
    assert main("events") == ExitCode.PASSED
    assert re.search("^s3-put +S3: an object was put$", capsys.readouterr().out, re.MULTILINE)
    assert main("events", "sqs") == ExitCode.PASSED
    assert json.loads(capsys.readouterr().out)["Records"][0]["eventSource"] == "aws:sqs"
    assert main("events", "sqss") == ExitCode.BAD_USAGE
    assert capsys.readouterr().err == "lambdatui: there is no event sqss; did you mean 'sqs'?\n"


# -- without an experiment file -------------------------------------------------------------------------------------


@pytest.fixture
def module(tmp_path: Path) -> Path:
    path = tmp_path / "app.py"
    path.write_text("def handler(event, context): return event")
    return path


def test_a_module_is_invoked_once(
    main: Main, module: Path, target: FakeTarget, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(module) == ExitCode.PASSED
    out = capsys.readouterr().out
    assert "Invoke app" in out and "All went as expected in 1 step." in out and "lambdatui env" not in out
    target.answer = lambda event: ("failed", event)
    assert main("run", module) == ExitCode.FAILED


@pytest.mark.parametrize("given", ["text", "file", "stdin", "name"])
def test_the_event_of_a_run(
    main: Main, module: Path, target: FakeTarget, monkeypatch: pytest.MonkeyPatch, given: str
) -> None:
    seen: list[Json] = []
    target.answer = lambda event: (seen.append(event), ("succeeded", None))[1]  # type: ignore[func-returns-value]
    file = module.with_name("event.json")
    file.write_text('{"a": 1}')
    monkeypatch.setattr(sys, "stdin", io.StringIO('{"a": 1}'))
    event = {"text": '{"a": 1}', "file": str(file), "stdin": "-", "name": "sns"}[given]
    assert main("run", module, "--event", event, "--function", "app") == ExitCode.PASSED
    assert seen == [service_event("sns") if given == "name" else {"a": 1}]


@pytest.mark.parametrize(
    ("options", "sentence"),
    [
        (["--event", "{no"], "--event is no file, no JSON and no name of `lambdatui events`: "),
        (["--function", "ap"], "there is no function ap; did you mean 'app'?"),
        (["--parameter", "A"], "--parameter needs NAME=VALUE, not A"),
        (["--parameter", "A=b"], "parameters are for templates, and this is none"),
    ],
)
def test_what_cannot_be_run(
    main: Main, module: Path, options: list[str], sentence: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main("run", module, *options) == ExitCode.BAD_USAGE
    assert sentence in capsys.readouterr().err


def test_an_experiment_says_its_events_itself(main: Main, experiment: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main("run", experiment, "--event", "{}") == ExitCode.BAD_USAGE
    assert "has steps, which say what is invoked with which event" in capsys.readouterr().err


def test_checking_a_template_tells_what_is_not_here(main: Main, capsys: pytest.CaptureFixture[str]) -> None:
    template = OPENED / "plain/template.json"
    assert main("check", template, "--parameter", "Greeting=hi") == ExitCode.PASSED
    lines = capsys.readouterr().out.splitlines()
    assert lines[0] == f"{template}:24:3: note: of no effect here: VpcConfig (Inline)"
    assert lines[-1] == f"{template}: ok"


def test_bad_usage(main: Main) -> None:
    assert main("run") == ExitCode.BAD_USAGE
    assert main("run", "timeout", "--nonesuch") == ExitCode.BAD_USAGE


# -- the real thing -------------------------------------------------------------------------------------------------


def test_running_loads_no_screen(experiment: Path) -> None:
    program = f"""\
import atexit, sys
from lambdatui.cli import main
atexit.register(lambda: print([name for name in sys.modules if name.partition(".")[0] == "textual"], file=sys.stderr))
main(["run", {str(experiment)!r}])
"""
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, timeout=60)
    assert (done.returncode, done.stderr) == (0, "[]\n"), done.stdout


CALLING = """\
title: One calls another
functions:
  Caller:
    handler: app.handler
    timeout: 30
    memory_size: 1769
    source: |
      import boto3
      def handler(event, context):
          return boto3.client("lambda").invoke(FunctionName="Called")["Payload"].read().decode()
  Called: {handler: app.handler, source: "def handler(event, context): return 'called'"}
steps:
  - {name: a, invoke: {function: Caller}, expect: {status: succeeded, payload: '"called"'}}
"""


def test_a_function_finds_another_without_a_screen_too(experiment: Path) -> None:
    experiment.write_text(CALLING)
    command = [sys.executable, "-m", "lambdatui", "run", str(experiment), "--json", "-"]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60)
    assert (done.returncode, done.stderr) == (0, ""), done.stdout


def test_a_reader_that_goes_away_ends_the_run_quietly(experiment: Path) -> None:
    experiment.write_text(EXPERIMENT.replace("{}", "{times: 1000}"))
    command = [sys.executable, "-m", "lambdatui", "run", str(experiment)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as running:
        assert running.stdout and running.stderr
        running.stdout.readline()
        running.stdout.close()
        assert (running.wait(timeout=60), running.stderr.read()) == (128 + signal.SIGPIPE, b"")


@pytest.mark.parametrize("name", bundled())
def test_a_bundled_experiment_holds(name: str) -> None:
    if name == "custom-runtime" and not shutil.which("curl"):
        pytest.skip("curl is not installed")
    command = [sys.executable, "-m", "lambdatui", "run", name, "--json", "-"]
    done = subprocess.run(command, capture_output=True, text=True, timeout=100)
    report = json.loads(done.stdout)
    failed = [check for step in report["steps"] for check in step["checks"] if not check["passed"]]
    assert (done.returncode, failed, done.stderr) == (0, [], "")
    assert report["passed"] is True


@pytest.mark.parametrize(
    ("what", "options", "payloads"),
    [
        ("hello", [], ['{"statusCode": 200, "body": "{\\"message\\": \\"hello world\\"}"}']),
        ("orders", ["--parameter", "ApiKey=k"], ['{"records": ["{\\"message\\": \\"hello world\\"}"]}', None]),
        ("plain", ["--function", "Inline", "--parameter", "Greeting=hi"], [None]),
        ("hello/hello_world/app.py", ["--event", "api-gateway-rest"], [None]),
    ],
)
def test_what_one_has_runs(what: str, options: list[str], payloads: list[str | None]) -> None:
    command = [sys.executable, "-m", "lambdatui", "run", str(OPENED / what), "--json", "-", *options]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60)
    assert (done.returncode, done.stderr) == (0, ""), done.stdout
    found = [each["payload"] for each in json.loads(done.stdout)["invocations"]]
    assert len(found) == len(payloads)
    assert all(wanted in (None, payload) for wanted, payload in zip(payloads, found, strict=True))


def test_the_report_has_what_the_contract_says() -> None:
    command = [sys.executable, "-m", "lambdatui", "run", "reuse", "--json", "-"]
    report = json.loads(subprocess.run(command, capture_output=True, text=True, timeout=60).stdout)
    assert [environment["state"] for environment in report["environments"]] == ["ended", "ended", "idle"]
    assert len({invocation["log_stream"] for invocation in report["invocations"]}) == 3


# -- report ---------------------------------------------------------------------------------------------------------


def test_a_saved_journal_is_told_as_the_run_was(
    main: Main, experiment: Path, target: FakeTarget, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    def outputs(folder: Path) -> list[object]:
        folder.mkdir()
        return ["--json", folder / "r.json", "--junit", folder / "j.xml", "--html", folder / "p.html"]

    ran, told, journal = tmp_path / "ran", tmp_path / "told", tmp_path / "j.ndjson"
    assert main("run", experiment, "--journal", journal, *outputs(ran)) == ExitCode.PASSED
    transcript = capsys.readouterr().out
    assert main("report", journal) == ExitCode.PASSED
    assert capsys.readouterr().out == transcript
    assert main("report", journal, *outputs(told)) == ExitCode.PASSED
    assert capsys.readouterr() == ("", "")
    files = sorted(each.name for each in ran.iterdir())
    assert files == ["j.xml", "p.html", "r.json"]
    for name in files:
        assert (told / name).read_text() == (ran / name).read_text()
    assert "A small one" in (ran / "p.html").read_text()
    assert main("report", journal, "--html", "-") == ExitCode.PASSED
    assert capsys.readouterr().out == (ran / "p.html").read_text()


OPENED_WRONGLY = {"title": 1, "about": 2, "path": 3, "language": 4, "steps": [5]}


@pytest.mark.parametrize(
    "lines",
    [
        "",
        "[" * 100_000,
        "nonsense\n",
        '{"number": 0, "time": 0, "event": "Nothing"}\n',
        json.dumps({"number": 0, "time": 0, "event": "ExperimentOpened", **OPENED_WRONGLY}),
    ],
)
def test_a_bad_journal(main: Main, tmp_path: Path, capsys: pytest.CaptureFixture[str], lines: str) -> None:
    journal, page = tmp_path / "j.ndjson", tmp_path / "p.html"
    journal.write_text(lines)
    code = main("report", journal, "--html", page)
    out, err = capsys.readouterr()
    assert code == ExitCode.BAD_USAGE and out == "" and not page.exists()
    assert len(err.splitlines()) == 1 and str(journal) in err and "Traceback" not in err


def test_a_journal_that_cannot_be_read_or_has_no_experiment(
    main: Main, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main("report", tmp_path / "none") == ExitCode.BAD_USAGE
    assert "cannot be read: No such file" in capsys.readouterr().err
    journal = tmp_path / "j.ndjson"
    journal.write_text('{"number": 0, "time": 0, "event": "Noticed", "level": "info", "message": "m"}\n')
    assert main("report", journal, "--json", "-") == ExitCode.BAD_USAGE
    assert capsys.readouterr().err == "lambdatui: there is no experiment to report on\n"
    assert main("report", journal, "--html", "-") == ExitCode.PASSED
    assert "<h1>Laboratory</h1>" in capsys.readouterr().out
