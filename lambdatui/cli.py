"""The command line. What is heavy is imported by the command that needs it; `run` never loads the screen."""

from __future__ import annotations

import asyncio
import contextlib
import difflib
import ipaddress
import json
import os
import signal
import sys
import tempfile
from enum import IntEnum
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any

import click
from click_default_group import DefaultGroup

from lambdatui import __version__

if TYPE_CHECKING:
    from contextlib import AbstractAsyncContextManager

    from lambdatui.aws.address import Address
    from lambdatui.events import Json
    from lambdatui.experiment.language import Language
    from lambdatui.experiment.outputs import Outputs
    from lambdatui.experiment.runner import Runner
    from lambdatui.experiment.schema import ExperimentFile
    from lambdatui.lab import Lab
    from lambdatui.service.service import Service


class ExitCode(IntEnum):
    """How a command ended. A signal other than SIGINT, and a reader of our output that went away, end it with 128 and
    the signal's number, as shells count."""

    PASSED = 0
    """All expectations held."""
    FAILED = 1
    """Some expectations did not hold."""
    BAD_USAGE = 2
    """Bad arguments, a bad experiment file, an output that cannot be written, a laboratory that cannot be opened."""
    INTERRUPTED = 130
    """Ctrl+C."""


class Trouble(click.ClickException):
    """Why a command cannot do its work, in plain sentences, one a line."""

    exit_code = ExitCode.BAD_USAGE

    def show(self, file: IO[Any] | None = None) -> None:
        for line in self.message.splitlines():
            click.echo(f"lambdatui: {line}", err=True)


def main(arguments: list[str] | None = None) -> None:
    """Run the command line and exit."""
    for stream in (sys.stdout, sys.stderr):
        if stream is not None:
            stream.reconfigure(errors="backslashreplace")  # type: ignore[union-attr]
    try:
        # not lambdatui.main(), which takes a reader that went away for a failure
        if sys.stdout is None:
            raise Trouble("standard output is closed")
        with lambdatui.make_context("lambdatui", sys.argv[1:] if arguments is None else arguments) as context:
            code = lambdatui.invoke(context)
        sys.stdout.flush()
    except click.exceptions.Exit as ended:
        code = ended.exit_code
    except click.ClickException as error:
        error.show()
        code = error.exit_code
    except (KeyboardInterrupt, click.exceptions.Abort):
        code = ExitCode.INTERRUPTED
    except BrokenPipeError:
        _forget_stdout()
        code = 128 + signal.SIGPIPE
    except OSError as error:
        _forget_stdout()
        Trouble(f"standard output cannot be written: {error.strerror}").show()
        code = ExitCode.BAD_USAGE
    sys.exit(code or ExitCode.PASSED)


# -- commands -------------------------------------------------------------------------------------------------------

_experiment = click.argument("experiment")
_parameters = click.option(
    "--parameter", "parameters", metavar="NAME=VALUE", multiple=True, help="A parameter of a template."
)
_language = click.option("--lang", "asked", metavar="LANGUAGE", help="en or zh-Hant; otherwise as your locale says.")
_port = click.option(
    "--port", type=click.IntRange(0, 65535), default=0, metavar="N", help="Of the endpoint; 0 is any that is free."
)
_file = click.Path(path_type=Path, dir_okay=False, allow_dash=True)
_report = click.option(
    "--json", "report", type=_file, metavar="FILE", help="Write a report; - for nothing else on stdout."
)
_junit = click.option("--junit", type=_file, metavar="FILE", help="Write the checks as JUnit XML.")
_page = click.option("--html", "page", type=_file, metavar="FILE", help="Write a page to read, print and hand on.")


class _Opening(DefaultGroup):  # type: ignore[misc]
    """Opens what is no command, unless more than one experiment follows: that was a command, mistyped."""

    def parse_args(self, context: click.Context, arguments: list[str]) -> list[str]:
        words = [word for word in arguments if not word.startswith("-")]
        if len(words) > 1 and words[0] == arguments[0] and words[0] not in self.commands:
            near = difflib.get_close_matches(words[0], self.commands, 1)
            if near:
                context.fail(f"there is no command {words[0]}; did you mean {near[0]}?")
        parsed: list[str] = super().parse_args(context, arguments)
        return parsed


_Group: type[click.Group] = _Opening


@click.group(
    cls=_Group,
    default="open",
    default_if_no_args=False,
    invoke_without_command=True,
    context_settings={"help_option_names": ["-h", "--help"]},
)
@click.version_option(__version__, prog_name="lambdatui")
@click.pass_context
def lambdatui(context: click.Context) -> None:
    """A local AWS Lambda laboratory: see execution environments being created, reused, frozen and timed out.

    Without a command it opens the gallery of bundled experiments.

    EXPERIMENT is an experiment file, the name of a bundled experiment, or what you have: an AWS SAM or CloudFormation
    template, a module (handler.py, index.mjs), a folder or a .zip of code. `lambdatui EXPERIMENT` opens it.
    """
    if context.invoked_subcommand is None:
        if _has_terminal():
            context.exit(_tour(_chosen(None)))
        _show_list()
        click.echo("\nOpen one with `lambdatui NAME`; `lambdatui --help` has all commands.")


@lambdatui.command("open")
@_experiment
@_parameters
@_language
@_port
def open_(experiment: str, parameters: tuple[str, ...], asked: str | None, port: int) -> int:
    """Open an experiment on the screen. Where standard output is no terminal, or a dumb one, this is `run`."""
    language = _chosen(asked)
    if not _has_terminal():
        from lambdatui.experiment.outputs import Outputs

        return _run(_with_steps(_load(experiment, parameters)), language, Outputs())
    from lambdatui.tui.app import open_screen

    _check_temporary_folder()
    _parsed(parameters)
    return open_screen(experiment, language, port, parameters)


@lambdatui.command()
@_experiment
@_report
@_junit
@_page
@click.option("--journal", type=_file, metavar="FILE", help="Write all that happens, a JSON object a line.")
@click.option("--function", metavar="NAME", help="Where there are no steps: invoke this function, not all.")
@click.option("--event", metavar="EVENT", help="With this: a file, - for stdin, JSON, or a name of `lambdatui events`.")
@_parameters
@_language
def run(
    experiment: str,
    report: Path | None,
    junit: Path | None,
    page: Path | None,
    journal: Path | None,
    function: str | None,
    event: str | None,
    parameters: tuple[str, ...],
    asked: str | None,
) -> int:
    """Run an experiment without a screen. Of what has no steps, a template or a module, each function is invoked once
    and has to succeed.

    Exits with 0 when all expectations held, 1 when some did not, 2 when it could not be run, 130 when interrupted.
    """
    from lambdatui.experiment.outputs import Outputs

    what = _with_steps(_load(experiment, parameters), function, event)
    return _run(what, _chosen(asked), Outputs(report, junit, journal, page))


@lambdatui.command("report")
@click.argument("journal", type=click.Path(path_type=Path, dir_okay=False))
@_report
@_junit
@_page
def report_(journal: Path, report: Path | None, junit: Path | None, page: Path | None) -> None:
    """Tell what a saved JOURNAL (`run --journal FILE`) has, as `run` told it: as a transcript, or in the files named.

    A page is in the language that the experiment ran in. Exits with 0 whether or not expectations held.
    """
    from lambdatui.experiment.outputs import OutputError, Outputs
    from lambdatui.experiment.retelling import BadJournal, retell

    try:
        retell(journal, Outputs(report, junit, None, page, transcript=not (report or junit or page)))
    except (BadJournal, OutputError) as error:
        raise Trouble(str(error)) from None


@lambdatui.command()
@click.argument("experiment", required=False)
@_parameters
@_port
@click.option("--journal", type=_file, metavar="FILE", help="Write all that happens, a JSON object a line.")
@click.option("--others-may-act", is_flag=True, help="Screens that `lambdatui attach` opens may act, not only watch.")
@click.option("--until-eof", is_flag=True, help="End with standard input, as when whoever started this is killed.")
@_language
def serve(
    experiment: str | None,
    parameters: tuple[str, ...],
    port: int,
    journal: Path | None,
    others_may_act: bool,
    until_eof: bool,
    asked: str | None,
) -> int:
    """Have functions behind the AWS endpoint: those of an experiment, whose steps do not run, or none yet.

    The first line on standard output is `ready http://127.0.0.1:PORT`. Goes on until SIGINT or SIGTERM.
    """
    from lambdatui import events as ev
    from lambdatui.control.attendant import Attendant, open_doors
    from lambdatui.experiment import headless
    from lambdatui.experiment.outputs import STDOUT, OutputError, Outputs
    from lambdatui.experiment.target import TargetError
    from lambdatui.garbage import search_once

    def ready(url: str) -> None:
        click.echo(f"ready {url}")

    def doors(service: Service, lab: Lab, runner: Runner | None) -> AbstractAsyncContextManager[None]:
        if others_may_act:
            service.journal.append(ev.OthersMayAct(True))
        attendant = Attendant(service, lab, runner, lambda: os.kill(os.getpid(), signal.SIGTERM))
        return open_doors(attendant, service.folder)

    if journal == STDOUT:
        raise Trouble("the journal cannot go to standard output, which says when the endpoint is ready")
    language = _chosen(asked)
    opened = _load(experiment, parameters) if experiment else None
    for notice in opened.notices if opened else ():
        click.echo(f"lambdatui: {notice}", err=True)
    _check_temporary_folder()
    try:
        with Outputs(journal_file=journal, transcript=False) as outputs:
            search_once()
            readers = outputs.readers()
            asyncio.run(headless.serve(opened, language, port, readers, ready, doors, until_eof=until_eof))
    except headless.Interrupted:
        pass
    except (OutputError, TargetError) as error:
        raise Trouble(str(error)) from None
    return ExitCode.PASSED


@lambdatui.command()
@click.argument("experiment", required=False)
@click.option("--format", "syntax", type=click.Choice(["sh", "fish", "json"]), default="sh", help="Of which shell.")
def env(experiment: str | None, syntax: str) -> None:
    """Tell a shell where the laboratory that is running here is, and its keys: eval "$(lambdatui env)".

    Where several are running it is the one with this EXPERIMENT, or else the one that was opened last.
    """
    from lambdatui.aws.shells import WRITERS

    addresses = _running(experiment)
    chosen, *others = addresses
    if others:
        about = f"{len(addresses)} laboratories are running; these are the keys of the one opened last"
        click.echo(f"lambdatui: {about}, {chosen.experiment or 'which has no experiment'}", err=True)
    click.echo(WRITERS[syntax](chosen.variables(os.environ)))


@lambdatui.command()
@click.argument("experiment", required=False)
def attach(experiment: str | None) -> int:
    """Show a laboratory that is running here, opened in another terminal or by `lambdatui serve`, on this screen, too.

    It can watch, and act where the screen that opened the laboratory lets others act. Where several are running it is
    the one with this EXPERIMENT, or else the one that was opened last. Leaving does not end the laboratory.
    """
    from lambdatui.control.attendant import door
    from lambdatui.control.roles import Role
    from lambdatui.tui.app import attach_screen

    _check_terminal()
    return attach_screen(str(door(Path(_running(experiment)[0].folder), Role.GUEST)), Role.GUEST)


@lambdatui.command()
@_experiment
@click.option("--port", type=click.IntRange(0, 65535), default=0, metavar="N", help="0 is any that is free.")
@click.option("--bind", metavar="ADDRESS", default="127.0.0.1", help="Let others than this computer come, to ADDRESS.")
@_parameters
@_language
def web(experiment: str, port: int, bind: str, parameters: tuple[str, ...], asked: str | None) -> int:
    """Open an experiment in a browser, for as many as come: all see the same laboratory.

    Two addresses are told, each with its token: who has the first acts, who has the second watches. Goes on until
    SIGINT or SIGTERM.
    """
    try:
        from lambdatui import web
    except ImportError:
        raise Trouble("for this, install the extra `web`: pip install 'lambdatui[web]'") from None
    from lambdatui.control.client import LaunchFailed, Launching
    from lambdatui.control.roles import Role

    language = _chosen(asked)
    _check_temporary_folder()
    _parsed(parameters)
    try:
        ipaddress.ip_address(bind)
    except ValueError:
        raise Trouble(f"--bind needs an address of this computer, such as 192.168.1.2, not {bind}") from None

    def ready(site: web.Site) -> None:
        click.echo(f"ready {site.url(Role.OWNER)}\nwatch {site.url(Role.GUEST)}")
        if not ipaddress.ip_address(bind).is_loopback:
            click.echo("lambdatui: what goes over the network is not encrypted, the tokens neither", err=True)

    try:
        launched = Launching(experiment, language, parameters=parameters).ready()
    except LaunchFailed as failure:
        raise Trouble(str(failure)) from None
    try:
        if not asyncio.run(web.serve(launched, experiment, bind, port, ready)):
            raise Trouble("the laboratory has ended unexpectedly")
    except OSError as error:
        raise Trouble(f"{bind}:{port} cannot be had: {error.strerror}") from None
    finally:
        launched.close()
    return ExitCode.PASSED


@lambdatui.command()
@click.argument("journal", type=click.Path(path_type=Path, dir_okay=False))
def replay(journal: Path) -> int:
    """Show a saved JOURNAL (`run --journal FILE`) on the screen: play, pause, faster, slower, step by step, back."""
    from lambdatui.tui.replay_app import open_replay

    _check_terminal()
    try:
        return open_replay(journal)
    except ValueError as error:
        raise Trouble(str(error)) from None
    except OSError as error:
        raise Trouble(f"{journal} cannot be read: {error.strerror}") from None


@lambdatui.command()
@click.argument("experiments", metavar="EXPERIMENT...", nargs=-1, required=True)
@_parameters
def check(experiments: tuple[str, ...], parameters: tuple[str, ...]) -> int:
    """Tell what is wrong with experiment files and templates, a line each: file:line:column: message. What of a
    template is not to be had here is told, too, and is no error."""
    from lambdatui.experiment.bundled import find
    from lambdatui.experiment.loader import BadExperiment, load

    code, given = ExitCode.PASSED, _parsed(parameters)
    for experiment in experiments:
        try:
            loaded = load(find(experiment), given)
            for notice in loaded.notices:
                click.echo(notice._replace(message=f"note: {notice.message}"))
            click.echo(f"{loaded.path}: ok")
        except BadExperiment as error:
            click.echo(str(error))
            code = ExitCode.BAD_USAGE
    return code


@lambdatui.command()
@click.argument("name", required=False)
def events(name: str | None) -> None:
    """Typical events of AWS services: a list, or the one of that NAME as JSON."""
    from lambdatui.experiment.service_events import SERVICE_EVENTS, service_event
    from lambdatui.experiment.wording import did_you_mean

    if name is None:
        for each, what in SERVICE_EVENTS.items():
            click.echo(f"{each:{max(map(len, SERVICE_EVENTS))}}  {what}")
    elif name in SERVICE_EVENTS:
        click.echo(json.dumps(service_event(name), indent=2, ensure_ascii=False))
    else:
        raise Trouble(f"there is no event {name}{did_you_mean(name, SERVICE_EVENTS)}")


@lambdatui.command("list")
@_language
def list_(asked: str | None) -> None:
    """The bundled experiments, in the order of a course, with the score of those that were done."""
    _show_list(asked)


@lambdatui.command()
def doctor() -> None:
    """Which of Lambda's limits hold on this machine, by what means, and what would improve it."""
    from lambdatui.sandbox.enforcement import measures
    from lambdatui.sandbox.machine import Machine

    async def examine() -> None:
        machine = await Machine.open(os.environ)
        try:
            for measure in measures(machine):
                click.echo(f"{measure.limit:<12}{measure.full}")
                if measure.better:
                    click.echo(f"{'':<12}better with: {measure.better}")
        finally:
            await machine.close()

    asyncio.run(examine())


@lambdatui.command()
@click.option("--report", is_flag=True, help="The schema of the report that `run --json` writes.")
def schema(report: bool) -> None:
    """JSON Schema of experiment files, for editors."""
    from lambdatui.experiment.report import report_schema
    from lambdatui.experiment.schema import json_schema

    click.echo(json.dumps(report_schema() if report else json_schema(), indent=2, ensure_ascii=False))


# -- what they do ---------------------------------------------------------------------------------------------------


def _running(experiment: str | None) -> list[Address]:
    """The laboratories with this experiment that are running here, or all of them, the newest first."""
    from lambdatui.aws.address import running
    from lambdatui.experiment.bundled import bundled

    addresses = running()
    if experiment is not None:
        wanted = {str(path.resolve()) for path in (Path(experiment), bundled().get(experiment)) if path}
        addresses = [address for address in addresses if address.experiment in wanted]
    if not addresses:
        raise Trouble(f"no laboratory{f' with {experiment}' if experiment else ''} is running")
    return addresses


def _chosen(asked: str | None) -> Language:
    from lambdatui.experiment.language import language

    try:
        return language(asked, os.environ)
    except ValueError as error:
        raise Trouble(str(error)) from None


def _load(experiment: str, parameters: tuple[str, ...] = ()) -> ExperimentFile:
    from lambdatui.experiment.bundled import find
    from lambdatui.experiment.loader import BadExperiment, load

    try:
        return load(find(experiment), _parsed(parameters))
    except BadExperiment as error:
        raise Trouble(str(error)) from None


def _parsed(parameters: tuple[str, ...]) -> dict[str, str]:
    parsed = dict[str, str]()
    for each in parameters:
        name, equals, value = each.partition("=")
        if not equals:
            raise Trouble(f"--parameter needs NAME=VALUE, not {each}")
        parsed[name] = value
    return parsed


def _with_steps(experiment: ExperimentFile, function: str | None = None, event: str | None = None) -> ExperimentFile:
    """Ready to run: with steps in any case."""
    from lambdatui.experiment.playground import tried
    from lambdatui.experiment.wording import did_you_mean

    if experiment.steps:
        if function is not None or event is not None:
            raise Trouble(f"{experiment.path} has steps, which say what is invoked with which event")
        return experiment
    if function is not None and function not in experiment.functions:
        raise Trouble(f"there is no function {function}{did_you_mean(function, experiment.functions)}")
    return tried(experiment, experiment.functions if function is None else [function], _event(event))


def _event(event: str | None) -> Json:
    """What `--event` means; None for nothing."""
    from lambdatui.experiment.service_events import SERVICE_EVENTS, service_event
    from lambdatui.function import parse_json

    if event is None or event in SERVICE_EVENTS:
        return None if event is None else service_event(event)
    try:
        if event == "-":
            return parse_json(sys.stdin.read())
        if Path(event).is_file():
            return parse_json(Path(event).read_text(encoding="utf-8-sig"))
        return parse_json(event)
    except (OSError, ValueError, RecursionError) as error:
        raise Trouble(f"--event is no file, no JSON and no name of `lambdatui events`: {error}") from None


def _tour(language: Language) -> int:
    """The gallery, and one experiment after the other; what comes next is at the cursor when one comes back."""
    from lambdatui.tui.app import open_screen
    from lambdatui.tui.gallery import choose

    _check_temporary_folder()
    at: str | None = None
    while True:
        name, code = choose(language, at)
        code = open_screen(name, language) if name else code
        if not name or code != ExitCode.PASSED:
            return code
        at = name


def _show_list(asked: str | None = None) -> None:
    from lambdatui.experiment.bundled import bundled
    from lambdatui.experiment.course import course
    from lambdatui.experiment.progress import results

    done, longest = results(), max(map(len, bundled()))
    for lesson in course(_chosen(asked)):
        result = done.get(lesson.name)
        click.echo(f"{lesson.name:{longest}}  {lesson.title}{f'  ✓ {result.score}'.rstrip() if result else ''}")


def _run(experiment: ExperimentFile, language: Language, outputs: Outputs) -> int:
    from lambdatui.experiment import headless
    from lambdatui.experiment.outputs import OutputError
    from lambdatui.experiment.target import TargetError

    _check_temporary_folder()
    try:
        with outputs:
            lab = asyncio.run(headless.run(experiment, language, outputs.readers()))
            outputs.finish(lab)
    except headless.Interrupted as interrupted:
        return 128 + interrupted.number
    except (OutputError, TargetError) as error:
        raise Trouble(str(error)) from None
    return ExitCode.PASSED if lab.experiment and lab.experiment.passed else ExitCode.FAILED


def _has_terminal() -> bool:
    return sys.stdout.isatty() and os.environ.get("TERM", "") not in ("", "dumb")


def _check_terminal() -> None:
    if not _has_terminal():
        raise Trouble("this is for a terminal, and standard output is none, or a dumb one")


def _check_temporary_folder() -> None:
    """Everything that a laboratory writes goes there."""
    try:
        tempfile.gettempdir()
    except FileNotFoundError:
        raise Trouble(
            "no folder for temporary files can be written, which a laboratory needs; TMPDIR can name one"
        ) from None


def _forget_stdout() -> None:
    """Nobody reads it any more, so the interpreter must not flush it at exit either."""
    with contextlib.suppress(OSError):
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
