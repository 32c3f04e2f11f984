"""An error as the runtime told it: what went wrong, and where. Lines of the handler's own files stand out."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass

from lambdatui.tui.json_lines import wrapped
from lambdatui.tui.sanitise import clean_lines
from lambdatui.tui.spans import Line

_FRAME = re.compile(r'^\s*(?:File "|at )')
_FOREIGN = re.compile(
    r"/var/runtime/|/var/lang/|/opt/|site-packages|dist-packages|node_modules|node:|<frozen|/lib/python3|awslambdaric"
    r"|nodejs_client|python_launcher|\(native\)|\(<anonymous>\)"
)
"""In a frame: it is the runtime's, a library's or a layer's."""
_STACKS = ("stackTrace", "trace")
"""Where Python and Node.js put their frames."""


@dataclass(frozen=True)
class FunctionError:
    """The members of an error's JSON that it is made of."""

    type: str
    message: str
    frames: tuple[str, ...]

    @classmethod
    def parse(cls, payload: str) -> FunctionError | None:
        """None for what is no such error."""
        try:
            error = json.loads(payload)
        except (ValueError, RecursionError):
            return None
        if not isinstance(error, dict) or not ("errorMessage" in error or "errorType" in error):
            return None
        stack: list[object] = next((error[name] for name in _STACKS if isinstance(error.get(name), list)), [])
        frames = tuple(line.rstrip() for entry in stack for line in clean_lines(_text_of(entry)) if line.strip())
        kind, message = str(error.get("errorType") or ""), str(error.get("errorMessage") or "")
        if frames and frames[0].strip() == f"{kind}: {message}":  # Node.js says it again
            frames = frames[1:]
        return cls(kind, message, frames)

    @property
    def summary(self) -> str:
        """The same JSON without its frames."""
        return json.dumps({"errorType": self.type, "errorMessage": self.message}, ensure_ascii=False)

    def lines(self, pointer: str, cells: int) -> list[Line]:
        """`pointer` is the sign before frames of the handler's own files."""
        lines: list[Line] = []
        for name, value in (("errorType", self.type), ("errorMessage", self.message)):
            for number, text in enumerate(clean_lines(value) if value else []):
                lines += wrapped([(f"{name:<12} " if number == 0 else " " * 13, "name"), (text, "bad")], cells)
        own = False
        for frame in self.frames:
            starts = bool(_FRAME.match(frame))
            own = not _FOREIGN.search(frame) if starts else own
            mark = pointer if own and starts else " " * len(pointer)
            lines += wrapped([(f"{mark} ", "key"), (frame.removeprefix("  "), "strong" if own else "dim")], cells)
        return lines


def _text_of(entry: object) -> str:
    """Older runtimes tell a frame as [file, line, function, code]."""
    if isinstance(entry, list) and len(entry) >= 3:
        code = f"\n    {entry[3]}" if len(entry) > 3 else ""
        return f'  File "{entry[0]}", line {entry[1]}, in {entry[2]}{code}'
    return str(entry)
