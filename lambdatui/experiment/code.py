"""The code of an experiment's functions: where it lies, and what one of its files says before an edit."""

from __future__ import annotations

import contextlib
import re
import zipfile
from pathlib import Path, PurePosixPath

from lambdatui.experiment.schema import FunctionDefinition, below
from lambdatui.function import Code

_MAX_TEXT_BYTES = 2**20
_SUFFIXES = (".py", ".mjs", ".js", ".cjs")


class CodeError(Exception):
    """There is no such code; `key` is the key of the definition, or of the edit, that says so."""

    def __init__(self, key: str, message: str) -> None:
        super().__init__(message)
        self.key = key


def code_of(definition: FunctionDefinition, folder: Path) -> Code:
    """Where the code comes from; paths are relative to `folder`. Raises CodeError."""
    if definition.source is not None:
        return Code(source=definition.source, name=_module_file(definition))
    path = below(folder, definition.code or ".")
    if not is_code(path):
        raise CodeError("code", f"there is no folder and no .zip {definition.code}")
    return Code(path=path)


def is_code(path: Path) -> bool:
    """Whether there is something to deploy: a folder or a .zip."""
    try:
        return path.is_dir() or (path.is_file() and path.suffix == ".zip")
    except (OSError, ValueError):
        return False


def _module_file(definition: FunctionDefinition) -> str:
    """The file in which the runtime looks for the handler."""
    module = definition.handler.rpartition(".")[0]
    runtime = definition.runtime or "python"
    if runtime.startswith("python"):
        name = f"{module.replace('.', '/')}.py"
    elif runtime.startswith("nodejs"):
        name = f"{module}.mjs" if re.search(r"^\s*(import|export)\b", definition.source or "", re.M) else f"{module}.js"
    else:
        raise CodeError("source", f"'source' is for Python and Node.js; {runtime} needs 'code'")
    if not module or not is_inside(name):
        raise CodeError(
            "handler", f"'{definition.handler}' does not name a module and its function, as index.handler does"
        )
    return name


def handler_file(definition: FunctionDefinition, folder: Path) -> str:
    """The file of its code that one reads first. Raises CodeError."""
    code = code_of(definition, folder)
    if code.path is None:
        return code.name
    module = definition.handler.rpartition(".")[0]
    for name in (*(f"{module.replace('.', '/')}{suffix}" for suffix in _SUFFIXES), "bootstrap"):
        with contextlib.suppress(CodeError):
            current_text(code, name)
            return name
    raise CodeError("handler", f"the module of '{definition.handler}' is not in {code.location}")


def is_inside(file: str) -> bool:
    """Whether this relative path stays inside the folder it is relative to."""
    path = PurePosixPath(file)
    return bool(path.parts) and not path.is_absolute() and ".." not in path.parts and file.isprintable()


def current_text(code: Code, file: str) -> str:
    """What the file says now. Raises CodeError."""
    try:
        if code.path is None:
            if file == code.name:
                return code.source
            raise KeyError(file)
        if code.path.is_dir():
            with (code.path / file).open("rb") as opened:
                return opened.read(_MAX_TEXT_BYTES).decode()
        with zipfile.ZipFile(code.path) as archive, archive.open(file) as member:
            return member.read(_MAX_TEXT_BYTES).decode()
    except UnicodeDecodeError:
        raise CodeError("file", f"{file} is no text") from None
    except (OSError, KeyError, ValueError, RuntimeError, NotImplementedError, zipfile.BadZipFile):
        raise CodeError("file", f"there is no file {file} in {code.location}") from None
