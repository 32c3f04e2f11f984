"""Which operation of a REST API a request is for."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import NamedTuple
from urllib.parse import parse_qsl, unquote

from lambdatui.aws.call import Operation


class Route(NamedTuple):
    """`name` is the operation's in the API; segments of `template` like `{FunctionName}` are parameters, and what comes
    after a `?` must be in the query. `action` is what policies call it, lambda: and its name where nothing is said."""

    name: str
    method: str
    template: str
    operation: Operation
    action: str = ""


class Routes:
    """All routes of an API; of several that fit, the first is meant."""

    def __init__(self, routes: Iterable[Route]) -> None:
        self._by_shape: dict[tuple[str, int], list[tuple[list[str], Route]]] = {}
        for route in routes:
            segments = route.template.partition("?")[0].strip("/").split("/")
            self._by_shape.setdefault((route.method, len(segments)), []).append((segments, route))

    def __iter__(self) -> Iterator[Route]:
        return (route for routes in self._by_shape.values() for _, route in routes)

    def find(self, method: str, path: str, query: Mapping[str, str]) -> tuple[Route, Mapping[str, str]] | None:
        """The route, and the parameters in the path, decoded."""
        given = path.strip("/").split("/")
        for segments, route in self._by_shape.get((method, len(given)), ()):
            if not query.items() >= dict(parse_qsl(route.template.partition("?")[2])).items():
                continue
            parameters = {}
            for segment, value in zip(segments, given, strict=True):
                if segment[0] == "{":
                    parameters[segment[1:-1]] = unquote(value)
                elif segment != value:
                    break
            else:
                return route, parameters
        return None
