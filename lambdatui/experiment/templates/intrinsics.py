"""What the intrinsic functions of a template come to, as far as that can be known without a stack ("Intrinsic function
reference" and "Pseudo parameters reference" in the CloudFormation user guide)."""

from __future__ import annotations

import base64
import contextlib
import json
import re
from collections.abc import Callable, Iterator, Mapping
from typing import NoReturn

from lambdatui.events import Json
from lambdatui.experiment.document import Place
from lambdatui.experiment.templates.document import Template, is_intrinsic
from lambdatui.experiment.templates.resources import attribute, name_property, reference
from lambdatui.experiment.wording import did_you_mean

_MAX_CHARACTERS = 2**20
_MADE_BY_SAM = ("Role", "Url", ".Version", ".Alias", "Stage", "DeadLetterQueue")
_VARIABLE = re.compile(r"\$\{([^}]*)\}")


class Unresolvable(Exception):
    """Nobody knows the value of what stands at `place`; the text says why."""

    def __init__(self, place: Place, message: str) -> None:
        super().__init__(message)
        self.place = place


class Scope:
    """What a template's references are resolved with. None stands for AWS::NoValue: nothing at all."""

    def __init__(self, template: Template, parameters: Mapping[str, str], account: str) -> None:
        self._template = template
        self._given = parameters
        region = parameters.get("AWS::Region", "us-east-1")
        self._pseudo: dict[str, Json] = {
            "AWS::AccountId": account,
            "AWS::NoValue": None,
            "AWS::NotificationARNs": [],
            "AWS::Partition": "aws",
            "AWS::Region": region,
            "AWS::StackId": f"arn:aws:cloudformation:{region}:{account}:stack/local/51af3dc0",
            "AWS::StackName": "local",
            "AWS::URLSuffix": "amazonaws.com",
        }
        self._pseudo |= {name: value for name, value in parameters.items() if name in self._pseudo}
        self._looking_at: set[str] = set()
        self._functions: Mapping[str, Callable[[Json, Place], Json]] = {
            "Ref": self._ref,
            "Fn::Base64": lambda value, place: base64.b64encode(self._text(value, place).encode()).decode(),
            "Fn::FindInMap": self._find_in_map,
            "Fn::GetAtt": self._get_att,
            "Fn::GetAZs": lambda value, place: [f"{self.region}{letter}" for letter in "abc"],
            "Fn::If": self._if,
            "Fn::Join": self._join,
            "Fn::Length": lambda value, place: len(self._list(value, place)),
            "Fn::Select": self._select,
            "Fn::Split": self._split,
            "Fn::Sub": self._sub,
            "Fn::ToJsonString": lambda value, place: json.dumps(self.value(value, place), separators=(",", ":")),
            **dict.fromkeys(("Fn::And", "Fn::Equals", "Fn::Not", "Fn::Or"), self._logic),
        }

    @property
    def region(self) -> str:
        return str(self._pseudo["AWS::Region"])

    @property
    def account(self) -> str:
        return str(self._pseudo["AWS::AccountId"])

    def section(self, name: str) -> dict[str, Json]:
        """Of the template, such as its Resources; empty where there is none."""
        whole = self._template.value
        section = whole.get(name) if isinstance(whole, dict) else None
        return section if isinstance(section, dict) else {}

    def value(self, value: Json, place: Place) -> Json:
        """`value`, which stands at `place`, with every intrinsic function in it resolved. Raises Unresolvable."""
        if is_intrinsic(value) and isinstance(value, dict):
            ((name, argument),) = value.items()
            if name not in self._functions:
                raise Unresolvable(place, f"the value of {name} is known to a stack only")
            return self._functions[name](argument, (*place, name))
        if isinstance(value, dict):
            found = {key: self.value(each, (*place, key)) for key, each in value.items()}
            return {key: each for key, each in found.items() if each is not None}
        if isinstance(value, list):
            items = [self.value(each, (*place, index)) for index, each in enumerate(value)]
            return [each for each in items if each is not None]
        return value

    def text(self, value: Json, place: Place) -> str | None:
        """The same for what must be a text. Raises Unresolvable."""
        found = self.value(value, place)
        return None if found is None else self._plain(found, place)

    def holds(self, condition: str, place: Place) -> bool:
        """Whether this one of the template's conditions is true. Raises Unresolvable."""
        conditions = self.section("Conditions")
        if condition not in conditions:
            raise Unresolvable(place, f"there is no condition '{condition}'{did_you_mean(condition, conditions)}")
        with self._not_in_circles(f"condition {condition}", place):
            return self._truth(conditions[condition], ("Conditions", condition))

    def name(self, resource: str) -> str:
        """The physical name of a resource: the one it is given, or its logical id. Raises Unresolvable."""
        kind, properties = self._resource(resource)
        key = name_property(kind)
        if key is None or properties.get(key) is None:
            return resource
        place: Place = ("Resources", resource, "Properties", key)
        with self._not_in_circles(f"name of {resource}", place):
            return self._text(properties[key], place)

    # -- functions ----------------------------------------------------------------------------------------------

    def _ref(self, value: Json, place: Place) -> Json:
        name = self._string(value, place)
        if name in self._pseudo:
            return self._pseudo[name]
        if name in self.section("Parameters"):
            return self._parameter(name, place)
        if name in self.section("Resources"):
            kind, _ = self._resource(name)
            return reference(kind, self.name(name), self.region, self.account)
        if self._is_made_by_sam(name):
            return name
        known = [*self.section("Parameters"), *self.section("Resources"), *self._pseudo]
        raise Unresolvable(place, f"there is no parameter and no resource '{name}'{did_you_mean(name, known)}")

    def _parameter(self, name: str, place: Place) -> Json:
        definition = self.section("Parameters")[name]
        if not isinstance(definition, dict):
            definition = {}
        kind, default = str(definition.get("Type")), definition.get("Default")
        if kind.startswith("AWS::SSM::Parameter::Value") and name not in self._given:
            raise Unresolvable(place, f"the parameter '{name}' is in SSM: say --parameter {name}=VALUE")
        value = self._given.get(name, default)
        if value is None:
            raise Unresolvable(place, f"the parameter '{name}' has no Default: say --parameter {name}=VALUE")
        text = self._plain(value, ("Parameters", name, "Default"))
        if kind == "CommaDelimitedList" or "List<" in kind:
            return [each.strip() for each in text.split(",")]
        return text

    def _is_made_by_sam(self, name: str) -> bool:
        """SAM makes resources that do not stand in the template, such as the role of a function."""
        if name.startswith(("ServerlessRestApi", "ServerlessHttpApi")):
            return True
        return any(name == resource + each for resource in self.section("Resources") for each in _MADE_BY_SAM)

    def _get_att(self, value: Json, place: Place) -> Json:
        if isinstance(value, list):
            resource, _, key = ".".join(map(str, value)).partition(".")
        else:
            resource, _, key = self._string(value, place).partition(".")
        if resource not in self.section("Resources") and not self._is_made_by_sam(resource):
            guess = did_you_mean(resource, self.section("Resources"))
            raise Unresolvable(place, f"there is no resource '{resource}'{guess}")
        kind, _ = self._resource(resource)
        found = attribute(kind, key, self.name(resource), self.region, self.account)
        if found is None:
            raise Unresolvable(place, f"the value of {resource}.{key} is known to a stack only")
        return found

    def _sub(self, value: Json, place: Place) -> Json:
        text, variables = (value[0], value[1]) if isinstance(value, list) and len(value) == 2 else (value, {})
        if not isinstance(text, str) or not isinstance(variables, dict):
            raise Unresolvable(place, "Fn::Sub needs a text, or a list of a text and a mapping")
        pieces: list[str] = []
        end = 0
        for match in _VARIABLE.finditer(text):
            pieces += [text[end : match.start()], self._substituted(match[1].strip(), variables, place)]
            end = match.end()
        return self._joined("", [*pieces, text[end:]], place)

    def _substituted(self, name: str, variables: dict[str, Json], place: Place) -> str:
        if name.startswith("!"):
            return f"${{{name[1:]}}}"
        if name in variables:
            return self._text(variables[name], (*place, 1, name))
        value = self._get_att(name, place) if "." in name else self._ref(name, place)
        return self._plain(value, place)

    def _join(self, value: Json, place: Place) -> Json:
        if not isinstance(value, list) or len(value) != 2 or not isinstance(value[0], str):
            raise Unresolvable(place, "Fn::Join needs a list of a delimiter and a list")
        parts = self._list(value[1], (*place, 1))
        return self._joined(value[0], [self._plain(each, (*place, 1)) for each in parts], place)

    def _joined(self, delimiter: str, parts: list[str], place: Place) -> str:
        if sum(map(len, parts)) + len(delimiter) * len(parts) > _MAX_CHARACTERS:
            raise Unresolvable(place, f"this comes to more than {_MAX_CHARACTERS} characters")
        return delimiter.join(parts)

    def _if(self, value: Json, place: Place) -> Json:
        if not isinstance(value, list) or len(value) != 3:
            raise Unresolvable(place, "Fn::If needs a list of a condition and two values")
        index = 1 if self.holds(self._string(value[0], place), place) else 2
        return self.value(value[index], (*place, index))

    def _find_in_map(self, value: Json, place: Place) -> Json:
        if not isinstance(value, list) or len(value) not in (3, 4):
            raise Unresolvable(place, "Fn::FindInMap needs a list of a mapping and two keys")
        found: Json = self.section("Mappings")
        keys = [self._text(each, (*place, index)) for index, each in enumerate(value[:3])]
        for key in keys:
            if not isinstance(found, dict) or key not in found:
                if len(value) == 4 and isinstance(value[3], dict) and "DefaultValue" in value[3]:
                    return self.value(value[3]["DefaultValue"], (*place, 3, "DefaultValue"))
                raise Unresolvable(place, f"there is nothing at {' / '.join(keys)} in the Mappings")
            found = found[key]
        return found

    def _select(self, value: Json, place: Place) -> Json:
        if not isinstance(value, list) or len(value) != 2:
            raise Unresolvable(place, "Fn::Select needs a list of an index and a list")
        items = self._list(value[1], (*place, 1))
        index = self._text(value[0], (*place, 0))
        if not re.fullmatch(r"\d{1,6}", index) or int(index) >= len(items):
            raise Unresolvable(place, f"there is no item {index} among {len(items)}")
        return items[int(index)]

    def _split(self, value: Json, place: Place) -> Json:
        if not isinstance(value, list) or len(value) != 2 or not isinstance(value[0], str) or not value[0]:
            raise Unresolvable(place, "Fn::Split needs a list of a delimiter and a text")
        return [*self._text(value[1], (*place, 1)).split(value[0])]

    # -- conditions ---------------------------------------------------------------------------------------------

    def _logic(self, value: Json, place: Place) -> Json:
        return self._truth({str(place[-1]): value}, place[:-1])

    def _truth(self, value: Json, place: Place) -> bool:
        match value:
            case {"Condition": str(name)}:
                return self.holds(name, place)
            case {"Fn::Equals": [one, other]}:
                where = (*place, "Fn::Equals")
                return self._text(one, (*where, 0)) == self._text(other, (*where, 1))
            case {"Fn::Not": [inner]}:
                return not self._truth(inner, (*place, "Fn::Not", 0))
            case {"Fn::And": [*parts]}:
                return all([self._truth(each, (*place, "Fn::And", index)) for index, each in enumerate(parts)])
            case {"Fn::Or": [*parts]}:
                return any([self._truth(each, (*place, "Fn::Or", index)) for index, each in enumerate(parts)])
        raise Unresolvable(place, "a condition is one of Fn::Equals, Fn::And, Fn::Or, Fn::Not and Condition")

    # -- what stands there --------------------------------------------------------------------------------------

    def _resource(self, name: str) -> tuple[str, dict[str, Json]]:
        resource = self.section("Resources").get(name)
        if not isinstance(resource, dict):
            return "", {}
        properties = resource.get("Properties")
        return str(resource.get("Type")), properties if isinstance(properties, dict) else {}

    def _string(self, value: Json, place: Place) -> str:
        return value if isinstance(value, str) else _refuse(place, "this must be a text")

    def _text(self, value: Json, place: Place) -> str:
        return self._plain(self.value(value, place), place)

    def _plain(self, value: Json, place: Place) -> str:
        """A scalar as text: numbers as they were written, where they stand there."""
        if isinstance(value, str):
            return value
        if value is None or isinstance(value, dict | list):
            return _refuse(place, "this must be a text")
        written = self._template.written(place) if self._template.existing(place) == place else None
        return str(value).lower() if isinstance(value, bool) else written or json.dumps(value)

    def _list(self, value: Json, place: Place) -> list[Json]:
        found = self.value(value, place)
        return found if isinstance(found, list) else _refuse(place, "this must be a list")

    @contextlib.contextmanager
    def _not_in_circles(self, what: str, place: Place) -> Iterator[None]:
        if what in self._looking_at:
            raise Unresolvable(place, f"the {what} depends on itself")
        self._looking_at.add(what)
        try:
            yield
        finally:
            self._looking_at.remove(what)


def _refuse(place: Place, message: str) -> NoReturn:
    raise Unresolvable(place, message)
