"""What a function URL is: who may call it, how its function is invoked, and which web pages may read what it answers
("Creating and managing Lambda function URLs" in the developer guide, "Cors" in the API reference)."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import asdict, dataclass

from lambdatui.events import Json
from lambdatui.refusal import ValidationFailed

AUTH_TYPES = ("AWS_IAM", "NONE")
INVOKE_MODES = ("RESPONSE_STREAM", "BUFFERED")
MAX_AGE = 86400
"""Seconds for which a browser may remember the answer to a preflight."""


@dataclass(frozen=True)
class Cors:
    """What the URL itself tells browsers, whatever the function says. '*' in a list stands for all."""

    allow_credentials: bool = False
    allow_headers: tuple[str, ...] = ()
    allow_methods: tuple[str, ...] = ()
    allow_origins: tuple[str, ...] = ()
    expose_headers: tuple[str, ...] = ()
    max_age: int | None = None


@dataclass(frozen=True)
class UrlConfiguration:
    """Raises ValidationFailed for what the service does not take. Without `cors` all is left to the function."""

    auth_type: str
    invoke_mode: str = "BUFFERED"
    cors: Cors | None = None

    def __post_init__(self) -> None:
        problems = list(self._problems())
        if problems:
            number = f"{len(problems)} validation error{'s' if len(problems) > 1 else ''} detected"
            raise ValidationFailed(f"{number}: {'; '.join(problems)}")

    def to_json(self) -> dict[str, Json]:
        """As it stands in an experiment file and in events."""
        return {key: _plain(value) for key, value in asdict(self).items() if value is not None}

    def _problems(self) -> Iterator[str]:
        yield from _of_enum("authType", self.auth_type, AUTH_TYPES)
        yield from _of_enum("invokeMode", self.invoke_mode, INVOKE_MODES)
        if self.cors is None:
            return
        yield from _of_list("allowHeaders", self.cors.allow_headers, 100, 0, 1024)
        yield from _of_list("allowMethods", self.cors.allow_methods, 6, 0, 6)
        yield from _of_list("allowOrigins", self.cors.allow_origins, 100, 1, 253)
        yield from _of_list("exposeHeaders", self.cors.expose_headers, 100, 0, 1024)
        age = self.cors.max_age
        if age is not None and age < 0:
            yield _violation("cors.maxAge", age, "Member must have value greater than or equal to 0")
        if age is not None and age > MAX_AGE:
            yield _violation("cors.maxAge", age, f"Member must have value less than or equal to {MAX_AGE}")


def _of_enum(member: str, value: str, known: tuple[str, ...]) -> Iterator[str]:
    if value not in known:
        yield _violation(member, value, f"Member must satisfy enum value set: [{', '.join(known)}]")


def _of_list(member: str, values: tuple[str, ...], most: int, shortest: int, longest: int) -> Iterator[str]:
    shown = f"[{', '.join(values)}]"
    if len(values) > most:
        yield _violation(f"cors.{member}", shown, f"Member must have length less than or equal to {most}")
    if any(not shortest <= len(value) <= longest for value in values):
        each = (
            f"Member must have length less than or equal to {longest}",
            f"Member must have length greater than or equal to {shortest}",
            "Member must satisfy regular expression pattern: .*",
        )
        yield _violation(f"cors.{member}", shown, f"Member must satisfy constraint: [{', '.join(each)}]")


def _violation(member: str, value: object, rule: str) -> str:
    return f"Value '{value}' at '{member}' failed to satisfy constraint: {rule}"


def _plain(value: Json | tuple[str, ...]) -> Json:
    if isinstance(value, dict):
        return {key: _plain(each) for key, each in value.items() if each is not None}
    return list(value) if isinstance(value, tuple) else value
