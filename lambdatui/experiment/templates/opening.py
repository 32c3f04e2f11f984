"""Opening a template: what can be run of it becomes an experiment without steps, and the rest is told."""

from __future__ import annotations

from collections.abc import Mapping

from pydantic import ValidationError

from lambdatui.events import Json
from lambdatui.experiment.document import BadExperiment, Document, Place
from lambdatui.experiment.references import problems_in
from lambdatui.experiment.schema import ExperimentFile
from lambdatui.experiment.templates.document import FUNCTION, SERVERLESS_FUNCTION, Template
from lambdatui.experiment.templates.functions import LeftOut, Translated, Translator
from lambdatui.experiment.templates.intrinsics import Scope, Unresolvable
from lambdatui.experiment.templates.properties import Findings, Properties
from lambdatui.experiment.templates.roles import Role, role_of_resource
from lambdatui.experiment.wording import complaint, did_you_mean

_LAYERS = {"AWS::Serverless::LayerVersion": "ContentUri", "AWS::Lambda::LayerVersion": "Content"}
_ROLE, _VERSION, _ALIAS = "AWS::IAM::Role", "AWS::Lambda::Version", "AWS::Lambda::Alias"
_UNSEEN = frozenset({_VERSION, "AWS::Lambda::Permission", "AWS::CDK::Metadata", "AWS::IAM::Policy"})
_PSEUDO = "AWS::"


def open_template(document: Document, parameters: Mapping[str, str]) -> ExperimentFile:
    """The functions of this template. Raises BadExperiment."""
    # The account is the service's; that module is too much to import for everybody who loads an experiment.
    from lambdatui.service.service import ACCOUNT_ID

    template = Template(document.path, document.root)
    try:
        return _Opening(template, Scope(template, parameters, ACCOUNT_ID)).experiment(parameters)
    except RecursionError:
        raise BadExperiment([template.problem((), "this is nested too deeply")]) from None


class _Opening:
    def __init__(self, template: Template, scope: Scope) -> None:
        self._template, self._scope = template, scope
        self._findings = Findings(template)
        self._resources = self._wanted()

    def experiment(self, parameters: Mapping[str, str]) -> ExperimentFile:
        self._check_parameters(parameters)
        roles, names = self._roles()
        translator = Translator(self._scope, self._findings, self._layers(), names)
        functions: dict[str, Translated] = {}
        places: dict[str, Place] = {}
        left_out: list[LeftOut] = []
        for logical, kind, resource in self._of_types(FUNCTION, SERVERLESS_FUNCTION):
            place: Place = ("Resources", logical)
            try:
                translated = translator.function(kind, resource, place)
            except LeftOut as reason:
                left_out.append(reason)
                self._findings.notice(reason.place, f"{logical} is left out: {reason}")
                continue
            name = self._name(logical)
            if name in functions:
                self._findings.problem(place, f"there is another function of the name '{name}'", at_key=True)
            functions[name], places[name] = translated, place
            if translated.role is not None:
                translated.put("role", f"{logical}Role", (*place, "Properties", "Policies"))
                roles[f"{logical}Role"] = translated.role
        self._aliases(functions)
        self._tell("nobody but you invokes functions here: there is no", translator.sources)
        self._tell("of no effect here:", translator.ignored)
        self._tell("only functions are here, and no", self._others())
        if not functions and not self._findings.problems:
            for each in left_out:
                self._findings.problem(each.place, f"{each.place[1]}: {each}")
            if not left_out:
                self._findings.problem(("Resources",), "there is no function in this template")
        if self._findings.problems:
            raise BadExperiment(list(dict.fromkeys(self._findings.problems)))
        return self._made(functions, roles, places)

    def _name(self, logical: str) -> str:
        try:
            return self._scope.name(logical)
        except Unresolvable as error:
            self._findings.notice(error.place, f"{logical} keeps its logical id for a name: {error}")
            return logical

    def _made(
        self, functions: Mapping[str, Translated], roles: Mapping[str, Role], places: Mapping[str, Place]
    ) -> ExperimentFile:
        path = self._template.path
        listed = ", ".join(f"**{name}**" for name in functions)
        try:
            experiment = ExperimentFile.model_validate(
                {
                    "title": path.name,
                    "about": {
                        "en": f"The functions of the template `{path.name}`: {listed}.",
                        "zh-Hant": f"範本 `{path.name}` 的函式：{listed}。",
                    },
                    "roles": roles,
                    "functions": {name: each.definition for name, each in functions.items()},
                    "laboratory": {"region": self._scope.region},
                }
            )
        except ValidationError as error:
            raise BadExperiment([complaint(self._template, each) for each in error.errors()]) from None
        experiment._path, experiment._made = path, True
        experiment._notices = tuple(sorted(dict.fromkeys(self._findings.notices)))
        for place, message in problems_in(experiment):
            name, key = str(place[1]), str(place[2:3] and place[2])
            origins = functions[name].origins if place[0] == "functions" else {}
            self._findings.problem(
                origins.get(key, places.get(name, ("Resources",))), message, at_key=key not in origins
            )
        if self._findings.problems:
            raise BadExperiment(self._findings.problems)
        return experiment

    # -- resources ----------------------------------------------------------------------------------------------

    def _wanted(self) -> dict[str, tuple[str, dict[str, Json]]]:
        """Type and content of those whose condition holds."""
        found: dict[str, tuple[str, dict[str, Json]]] = {}
        for logical, resource in self._scope.section("Resources").items():
            place: Place = ("Resources", logical)
            if not isinstance(resource, dict) or not isinstance(kind := resource.get("Type"), str):
                self._findings.notice(place, f"{logical} is no resource with a Type")
                continue
            try:
                condition = resource.get("Condition")
                if isinstance(condition, str) and not self._scope.holds(condition, (*place, "Condition")):
                    continue
            except Unresolvable as error:
                self._findings.problem(error.place, str(error))
                continue
            found[logical] = (kind, resource)
        return found

    def _of_types(self, *types: str) -> list[tuple[str, str, dict[str, Json]]]:
        return [(logical, kind, each) for logical, (kind, each) in self._resources.items() if kind in types]

    def _properties(self, logical: str, resource: dict[str, Json]) -> Properties:
        place: Place = ("Resources", logical, "Properties")
        return Properties(resource.get("Properties"), place, self._scope, self._findings)

    def _layers(self) -> dict[str, str]:
        """Their paths, by logical id."""
        layers: dict[str, str] = {}
        for logical, kind, resource in self._of_types(*_LAYERS):
            path = self._properties(logical, resource).resolved(_LAYERS[kind])
            if isinstance(path, str) and not path.startswith("s3://"):
                layers[logical] = path
        return layers

    def _roles(self) -> tuple[dict[str, Role], dict[str, str]]:
        """The roles, and their names by ARN."""
        roles: dict[str, Role] = {}
        names: dict[str, str] = {}
        for logical, _, resource in self._of_types(_ROLE):
            properties = self._properties(logical, resource)
            roles[logical] = role_of_resource(properties, self._scope, self._findings)
            try:
                arn = self._scope.value({"Fn::GetAtt": [logical, "Arn"]}, properties.place)
                names[str(arn)] = names[self._scope.name(logical)] = logical
            except Unresolvable as error:
                self._findings.problem(error.place, str(error))
        return roles, names

    def _aliases(self, functions: Mapping[str, Translated]) -> None:
        """An AWS::Lambda::Alias leads to the first version, and there is one for each function."""
        for logical, _, resource in self._of_types(_ALIAS):
            properties = self._properties(logical, resource)
            function = functions.get((properties.text("FunctionName") or "").rpartition(":")[2])
            if function is None or "auto_publish_alias" in function.definition:
                self._findings.notice(properties.place, f"the alias {logical} is left out")
                continue
            function.put("auto_publish_alias", properties.text("Name"), properties.at("Name"))
            provisioned = properties.inner("ProvisionedConcurrencyConfig")
            key = "ProvisionedConcurrentExecutions"
            function.put("provisioned_concurrent_executions", provisioned.number(key), provisioned.at(key))

    def _others(self) -> dict[str, list[Place]]:
        """Types of resources that have no place here, and which those are."""
        known = {FUNCTION, SERVERLESS_FUNCTION, _ROLE, _ALIAS, *_LAYERS, *_UNSEEN}
        others: dict[str, list[Place]] = {}
        for logical, (kind, _) in self._resources.items():
            if kind not in known:
                others.setdefault(kind, []).append(("Resources", logical))
        return others

    def _tell(self, what: str, found: Mapping[str, list[Place]]) -> None:
        """All of a kind at once, at the place of the first."""
        if found:
            told = ", ".join(f"{key} ({', '.join(str(place[1]) for place in places)})" for key, places in found.items())
            self._findings.notice(next(iter(found.values()))[0], f"{what} {told}")

    def _check_parameters(self, given: Mapping[str, str]) -> None:
        known = self._scope.section("Parameters")
        for name, value in given.items():
            definition = known.get(name)
            if definition is None and not name.startswith(_PSEUDO):
                self._findings.problem(("Parameters",), f"there is no parameter '{name}'{did_you_mean(name, known)}")
            allowed = definition.get("AllowedValues") if isinstance(definition, dict) else None
            if isinstance(allowed, list) and value not in map(str, allowed):
                place: Place = ("Parameters", name, "AllowedValues")
                self._findings.problem(place, f"'{name}' must be one of {', '.join(map(str, allowed))}, not '{value}'")
