"""Opening a module, a folder or a .zip without an experiment file: its handler is found, and it becomes an experiment
without steps."""

from __future__ import annotations

import ast
import re
import subprocess
import warnings
import zipfile
from collections.abc import Iterator
from pathlib import Path, PurePosixPath
from typing import NoReturn

from lambdatui.events import Json
from lambdatui.experiment.code import CodeError, current_text
from lambdatui.experiment.document import BadExperiment, Problem
from lambdatui.experiment.references import problems_in
from lambdatui.experiment.schema import ExperimentFile
from lambdatui.function import RUNTIMES, Code

SUFFIXES = frozenset({".py", ".js", ".mjs", ".cjs"})
_USUAL = ("lambda_handler", "handler", "lambdaHandler")
_USUAL_MODULES = ("lambda_function", "app", "handler", "main", "index")
_EXPORTED = re.compile(
    r"^\s*(?:module\.)?exports\.(\w+)\s*=|^\s*export\s+(?:const|let|var|(?:async\s+)?function)\s*\*?\s*(\w+)"
    r"|^\s*(?:export|module\.exports\s*=)\s*\{([^}]*)\}",
    re.MULTILINE,
)


def named(path: Path) -> tuple[Path, str | None]:
    """Path and handler of `PATH:HANDLER`."""
    before, colon, handler = path.name.rpartition(":")
    if not colon or path.exists():
        return path, None
    return path.with_name(before) if before else path.parent, handler


def open_module(path: Path, handler: str | None) -> ExperimentFile:
    """Raises BadExperiment. `handler` is the function's name, or with its module where `path` is no module."""
    if not path.exists():
        _stop(path, "cannot be read: No such file or directory")
    module = path if path.suffix in SUFFIXES and path.is_file() else None
    code = Code(path=path.parent.absolute() if module else path.absolute())
    if handler is not None:
        file = module.name if module else _module_named(code, path, handler)
        whole = f"{module.stem}.{handler}" if module and "." not in handler else handler
    else:
        file = module.name if module else _module_in(code, path)
        whole = f"{PurePosixPath(file).stem}.{_guessed(path, code, file)}" if file != "bootstrap" else file
    name = (module or path.absolute()).stem or "function"
    definition: dict[str, Json] = {"handler": whole, "code": str(code.path)}
    notices: tuple[Problem, ...] = ()
    if file.endswith(".py"):
        python, notices = _virtual_environment(code)
        definition |= {"python": str(python)} if python else {}
    else:
        definition["runtime"] = "provided.al2023" if file == "bootstrap" else _nodejs(path)
    experiment = ExperimentFile.model_validate(
        {
            "title": path.absolute().name,
            "about": {"en": f"The handler `{whole}`.", "zh-Hant": f"處理常式 `{whole}`。"},
            "functions": {re.sub(r"[^a-zA-Z0-9-_]", "-", name)[:64]: definition},
        }
    )
    experiment._path = path if path.is_file() else path / file
    experiment._made, experiment._notices = True, notices
    if problems := [Problem(str(path), 0, 0, message) for _, message in problems_in(experiment)]:
        raise BadExperiment(problems)
    return experiment


def _stop(path: Path, message: str, line: int = 0, column: int = 0) -> NoReturn:
    raise BadExperiment([Problem(str(path), line, column, message)])


# -- the module -----------------------------------------------------------------------------------------------------


def _files(code: Code) -> list[str]:
    """Of the topmost folder."""
    assert code.path
    try:
        if code.path.is_dir():
            return sorted(each.name for each in code.path.iterdir() if each.is_file())
        with zipfile.ZipFile(code.path) as archive:
            return sorted(name for name in archive.namelist() if "/" not in name)
    except (OSError, ValueError, zipfile.BadZipFile, NotImplementedError) as error:
        _stop(code.path, f"cannot be read: {error}")


def _module_in(code: Code, path: Path) -> str:
    """The module that has the handler, by its usual names, or the only one."""
    files = _files(code)
    if "bootstrap" in files:
        return "bootstrap"
    modules = [each for each in files if PurePosixPath(each).suffix in SUFFIXES]
    usual = [each for name in _USUAL_MODULES for each in modules if PurePosixPath(each).stem == name]
    if usual or len(modules) == 1:
        return (usual or modules)[0]
    if not modules:
        _stop(path, "there is neither a template.yaml in it nor a module of Python or Node.js")
    found = ", ".join(modules)
    _stop(path, f"which module has the handler? There are {found}: say it as {path}:MODULE.FUNCTION")


def _module_named(code: Code, path: Path, handler: str) -> str:
    module = handler.rpartition(".")[0]
    for suffix in sorted(SUFFIXES, reverse=True):
        file = f"{module.replace('.', '/') if suffix == '.py' else module}{suffix}"
        try:
            current_text(code, file)
        except CodeError:
            continue
        return file
    _stop(path, f"there is no module for the handler '{handler}': it has the form MODULE.FUNCTION")


# -- the handler ----------------------------------------------------------------------------------------------------


def _guessed(path: Path, code: Code, file: str) -> str:
    """A function of the usual name, or the only one that takes an event and a context."""
    try:
        text = current_text(code, file)
    except CodeError as error:
        _stop(path, str(error))
    where = path if path.name == file else path / file
    likely, others = _in_python(where, text) if file.endswith(".py") else _in_nodejs(text)
    usual = [name for name in _USUAL if name in (*likely, *others)]
    if usual or len(likely) == 1:
        return (usual or likely)[0]
    none = "no function with two parameters" if file.endswith(".py") else "none that is exported"
    module = "" if path.name == file else f"{PurePosixPath(file).stem}."
    found = f"it could be {' or '.join(likely)}" if likely else f"there is {none}"
    _stop(where, f"which function is the handler? {found}: say it as {path}:{module}{(likely or ['FUNCTION'])[0]}")


def _in_python(path: Path, text: str) -> tuple[list[str], list[str]]:
    """Public functions with two parameters, and other names that the module has."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            tree = ast.parse(text)
    except SyntaxError as error:
        _stop(path, error.msg, error.lineno or 0, error.offset or 0)
    except (ValueError, RecursionError, MemoryError):
        _stop(path, "this is no Python")
    likely: list[str] = []
    others: list[str] = []
    for node in tree.body:
        match node:
            case ast.FunctionDef(name=name) if not name.startswith("_") and _takes_two(node.args):
                likely.append(name)
            case ast.FunctionDef(name=name) | ast.ClassDef(name=name):
                others.append(name)
            case ast.Assign(targets=targets):
                others += [each.id for each in targets if isinstance(each, ast.Name)]
            case ast.Import(names=names) | ast.ImportFrom(names=names):
                others += [each.asname or each.name for each in names]
    return likely, others


def _takes_two(arguments: ast.arguments) -> bool:
    positional = len(arguments.posonlyargs) + len(arguments.args)
    return positional - len(arguments.defaults) <= 2 and (positional >= 2 or arguments.vararg is not None)


def _in_nodejs(text: str) -> tuple[list[str], list[str]]:
    """Names that are exported."""
    return [*dict.fromkeys(_exports(text))], []


def _exports(text: str) -> Iterator[str]:
    for match in _EXPORTED.finditer(text):
        if match[3] is None:
            yield match[1] or match[2]
            continue
        for each in match[3].split(","):
            if name := re.search(r"(\w+)\s*$", each.partition(":")[0]):
                yield name[1]


# -- the runtime ----------------------------------------------------------------------------------------------------


def _virtual_environment(code: Code) -> tuple[Path | None, tuple[Problem, ...]]:
    """The Python of one beside the module, if it has Lambda's runtime client."""
    assert code.path
    for name in (".venv", "venv"):
        python = code.path / name / "bin" / "python"
        if code.path.is_dir() and python.is_file():
            if any((code.path / name / "lib").glob("python*/site-packages/awslambdaric")):
                return python, ()
            hint = f"{python} is not used: for that, run `{python} -m pip install awslambdaric`"
            return None, (Problem(str(code.path), 1, 1, hint),)
    return None, ()


def _nodejs(path: Path) -> str:
    """The runtime of the Node.js on the PATH."""
    try:
        done = subprocess.run(["node", "--version"], capture_output=True, text=True, timeout=20)
    except (OSError, subprocess.TimeoutExpired):
        _stop(path, "Node.js is not installed here: there is no node on the PATH")
    runtime = f"nodejs{done.stdout.strip().removeprefix('v').partition('.')[0]}.x"
    if runtime not in RUNTIMES:
        _stop(path, f"Lambda has no runtime {runtime}, which the node on the PATH would be")
    return runtime
