"""What a function has beside its code and configuration, for itself or for one of its versions and aliases each."""

from __future__ import annotations

import uuid
from collections.abc import Mapping
from dataclasses import dataclass, field

from lambdatui.events import Json
from lambdatui.function import Configuration
from lambdatui.policy import Document

DEFAULT_RETRY_ATTEMPTS = 2
DEFAULT_EVENT_AGE = 21600
"""Seconds."""


def new_revision_id() -> str:
    """Of something that has just changed: who knows an older one has not seen the change."""
    return str(uuid.uuid4())


@dataclass(frozen=True)
class Alias:
    """`weights` are the shares, from 0 to 1, of other versions; `version` gets the rest."""

    name: str
    version: str
    weights: Mapping[str, float]
    description: str = ""
    revision_id: str = field(default_factory=new_revision_id)

    def choose(self, draw: float) -> str:
        """The version that an invocation goes to, for a `draw` that is uniform from 0 to 1."""
        for version, weight in self.weights.items():
            if draw < weight:
                return version
            draw -= weight
        return self.version


@dataclass(frozen=True)
class EventInvokeConfig:
    """How asynchronous invocations by one qualifier are treated ("Configuring error handling settings for Lambda
    asynchronous invocations"). What was not said is None."""

    maximum_retry_attempts: int | None = None
    maximum_event_age_in_seconds: int | None = None
    on_success: str | None = None
    on_failure: str | None = None
    """Destinations, in the forms that :class:`lambdatui.function.Configuration` has."""
    last_modified: float = 0.0
    """Seconds since the epoch."""

    @classmethod
    def of(cls, configuration: Configuration, now: float) -> EventInvokeConfig | None:
        """Of $LATEST, as the function's configuration has it; None where it has nothing of the kind."""
        attempts, age = configuration.maximum_retry_attempts, configuration.maximum_event_age_in_seconds
        said = (attempts, age, configuration.on_success, configuration.on_failure)
        return None if said == (None,) * 4 else cls(*said, last_modified=now)

    @property
    def retry_attempts(self) -> int:
        return DEFAULT_RETRY_ATTEMPTS if self.maximum_retry_attempts is None else self.maximum_retry_attempts

    @property
    def event_age(self) -> int:
        """Seconds."""
        return DEFAULT_EVENT_AGE if self.maximum_event_age_in_seconds is None else self.maximum_event_age_in_seconds

    def to_json(self) -> dict[str, Json]:
        """As the keys of a configuration."""
        destinations = {"on_success": self.on_success, "on_failure": self.on_failure}
        return {
            "maximum_retry_attempts": self.maximum_retry_attempts,
            "maximum_event_age_in_seconds": self.maximum_event_age_in_seconds,
            "destination_config": {name: {"destination": each} for name, each in destinations.items() if each},
        }


@dataclass(frozen=True)
class ResourcePolicy:
    """Who may use a function, by its own word. `statements` by their ids."""

    statements: Mapping[str, Mapping[str, Json]]
    revision_id: str = field(default_factory=new_revision_id)

    def document(self) -> Document:
        statements: Json = [dict(each) for each in self.statements.values()]
        return {"Version": "2012-10-17", "Id": "default", "Statement": statements}
