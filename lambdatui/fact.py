"""Values that are made many times for each invocation."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TypeVar, dataclass_transform

_Class = TypeVar("_Class")


@dataclass_transform(frozen_default=True)
def fact(cls: type[_Class]) -> type[_Class]:
    """A frozen dataclass, of which the type checker alone makes sure that it is one: to set each field past a guard of
    its own would take Python three times as long."""
    return dataclass(unsafe_hash=True)(cls)
