"""What there is to see of an environment from outside, as plain data: processes, variables, files of its /tmp."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import asdict

from lambdatui.events import Json
from lambdatui.sandbox.inspection import FileSeen, ProcessSeen

_CREDENTIALS = frozenset({"AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN"})
"""Those of the function's role: nobody is told them."""
_SECRET = re.compile(
    r"(^|_)(key|keys|apikey|token|secret|secrets|password|passwd|pwd|passphrase|credential|credentials|auth)(_|$)", re.I
)
"""Names of variables whose values are told only who asks for them."""
_NO_SECRETS = frozenset({"PWD"})


class NoSuchEnvironment(ValueError):
    """There is none of that name, or none any more; the text is one sentence."""


def told(
    processes: Mapping[str, list[ProcessSeen]],
    variables: Mapping[str, str],
    files: tuple[list[FileSeen], bool],
    *,
    reveal: bool,
) -> dict[str, Json]:
    """`processes` are of the runtime ('') and of extensions, by their names. A variable without a value is one that is
    kept secret: 'credential', or 'masked', which `reveal` brings to light."""
    seen, complete = files
    return {
        "processes": [{"of": name, **asdict(each)} for name, of in processes.items() for each in of],
        "variables": [_variable(name, value, reveal) for name, value in sorted(variables.items())],
        "files": [asdict(each) for each in seen],
        "files_complete": complete,
    }


def _variable(name: str, value: str, reveal: bool) -> dict[str, Json]:
    if name in _CREDENTIALS:
        return {"name": name, "value": None, "why": "credential"}
    secret = name not in _NO_SECRETS and _SECRET.search(name) is not None
    return {"name": name, "value": None if secret and not reveal else value, "why": "masked" if secret else None}
