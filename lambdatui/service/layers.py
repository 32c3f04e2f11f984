"""Layers that were published ("Managing Lambda dependencies with layers"): each version is a package that never
changes, and that functions name by its ARN."""

from __future__ import annotations

import time
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

from lambdatui import events as ev
from lambdatui.function import Code
from lambdatui.journal import Journal
from lambdatui.refusal import InvalidParameter, ResourceNotFound
from lambdatui.service.copies import Copies

_MISSING = "The resource you requested does not exist."


@dataclass(frozen=True)
class Description:
    """What is said of a layer version, and binds nobody."""

    text: str = ""
    license_info: str | None = None
    runtimes: tuple[str, ...] = ()
    architectures: tuple[str, ...] = ()


@dataclass(frozen=True)
class LayerVersion:
    """`package` is the .zip; `code_sha256` its digest (hexadecimal), `code_size` its bytes, `created` seconds since the
    epoch."""

    layer: str
    number: int
    layer_arn: str
    description: Description
    package: Path
    code_sha256: str
    code_size: int
    created: float

    @property
    def arn(self) -> str:
        return f"{self.layer_arn}:{self.number}"


@dataclass
class _Layer:
    published: int = 0
    """How many versions there have been, deleted ones too."""
    versions: dict[int, LayerVersion] = field(default_factory=dict)


class Layers:
    """All of them. Every method raises ServiceRefusal where the service would."""

    def __init__(self, arn: str, copies: Copies, journal: Journal) -> None:
        self.arn = arn
        """What the ARNs of layers begin with."""
        self._copies = copies
        self._journal = journal
        self._layers: dict[str, _Layer] = {}
        self._packages: dict[str, Path] = {}
        """By ARN, those of deleted versions too: functions that have one keep it."""

    def publish(self, layer: str, archive: bytes, description: Description) -> LayerVersion:
        """The next version of a layer, which may be new."""
        code = self._copies.keep(archive)
        copy = self._copies.make([code])
        assert code.path
        known = self._layers.setdefault(layer, _Layer())
        known.published += 1
        version = LayerVersion(
            layer,
            known.published,
            f"{self.arn}{layer}",
            description,
            code.path,
            copy.digest,
            copy.size,
            time.time(),
        )
        known.versions[version.number] = version
        self._packages[version.arn] = code.path
        self._journal.append(ev.LayerPublished(version.arn, version.code_sha256, version.code_size))
        return version

    def __iter__(self) -> Iterator[LayerVersion]:
        """All versions that there are, of each layer the latest first."""
        for known in self._layers.values():
            yield from reversed(known.versions.values())

    def of(self, layer: str) -> list[LayerVersion]:
        """Its versions, the latest first; none of a layer that there is not."""
        return [each for each in self if each.layer == layer]

    def get(self, layer: str, number: int) -> LayerVersion:
        if number < 1:
            raise InvalidParameter("Layer Version Cannot be less than 1")
        version = self._layers.get(layer, _Layer()).versions.get(number)
        if version is None:
            raise ResourceNotFound(_MISSING)
        return version

    def by_arn(self, arn: str) -> LayerVersion:
        version = next((each for each in self if each.arn == arn), None)
        if version is None:
            raise ResourceNotFound(_MISSING)
        return version

    def delete(self, layer: str, number: int) -> None:
        """No function can be given it any more. One that there is not is none the less gone."""
        if number < 1:
            raise InvalidParameter("Layer Version Cannot be less than 1")
        if version := self._layers.get(layer, _Layer()).versions.pop(number, None):
            self._journal.append(ev.LayerDeleted(version.arn))

    # for functions

    def code(self, layer: str) -> Code:
        """The content of a layer as a configuration names it: a path, or the ARN of a version that there is or was."""
        if not layer.startswith("arn:"):
            return Code(Path(layer))
        if layer not in self._packages:
            raise InvalidParameter(f"Layer version {layer} does not exist.")
        return Code(self._packages[layer], uploaded=True)

    def check(self, layers: Iterable[str], before: Iterable[str] = ()) -> None:
        """Whether a function that had the layers `before` can have these."""
        arns = [each for each in layers if each.startswith("arn:")]
        there = {each.arn for each in self}.union(before)
        for arn in arns:
            if arn not in there:
                raise InvalidParameter(f"Layer version {arn} does not exist.")
        if len({arn.rpartition(":")[0] for arn in arns}) < len(arns):
            raise InvalidParameter(
                "Two different versions of the same layer are not allowed to be referenced in the same function."
            )

    def size(self, arn: str) -> int:
        """Bytes of the package of a version that there is or was."""
        return self._packages[arn].stat().st_size

    @property
    def files(self) -> set[Path]:
        """The packages that are needed."""
        return set(self._packages.values())

    @property
    def code_size(self) -> int:
        """Bytes, of all versions."""
        return sum(each.code_size for each in self)

    def clear(self) -> None:
        self._layers.clear()
        self._packages.clear()
