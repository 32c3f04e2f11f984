"""A function of a template as an experiment has it ("AWS::Serverless::Function" in the SAM developer guide,
"AWS::Lambda::Function" in the CloudFormation user guide)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from lambdatui.events import Json
from lambdatui.experiment.document import Place
from lambdatui.experiment.templates.document import SERVERLESS_FUNCTION
from lambdatui.experiment.templates.event_sources import typical_event
from lambdatui.experiment.templates.intrinsics import Scope, Unresolvable
from lambdatui.experiment.templates.properties import Findings, Properties
from lambdatui.experiment.templates.roles import Role, role_by_sam

_READ = frozenset(
    {
        *("Handler", "Runtime", "CodeUri", "InlineCode", "Code", "FunctionName", "Timeout", "MemorySize"),
        *("EphemeralStorage", "Environment", "Layers", "ReservedConcurrentExecutions", "Role", "Policies"),
        *("ProvisionedConcurrencyConfig", "AutoPublishAlias", "EventInvokeConfig", "DeadLetterQueue"),
        *("DeadLetterConfig", "LoggingConfig", "Events", "FunctionUrlConfig", "PackageType", "ImageUri"),
        *("Description", "Architectures"),
    }
)
_OF_NO_EFFECT = frozenset(
    {
        *("Tags", "AssumeRolePolicyDocument", "PermissionsBoundary", "RolePath"),
        *("DeploymentPreference", "VersionDescription", "AutoPublishAliasAllProperties", "PropagateTags"),
        *("VersionDeletionPolicy", "AutoPublishCodeSha256", "PublishToLatestPublished", "RuntimeManagementConfig"),
    }
)
"""Properties that nobody misses here."""
_LOGGING = (
    ("log_format", "LogFormat"),
    ("application_log_level", "ApplicationLogLevel"),
    ("system_log_level", "SystemLogLevel"),
    ("log_group", "LogGroup"),
)
_CORS: Mapping[str, str] = {
    "allow_headers": "AllowHeaders",
    "allow_methods": "AllowMethods",
    "allow_origins": "AllowOrigins",
    "expose_headers": "ExposeHeaders",
}
_SENDING: Mapping[str, str] = {
    "events": "events:PutEvents",
    "lambda": "lambda:InvokeFunction",
    "sns": "sns:Publish",
    "sqs": "sqs:SendMessage",
}
"""What it takes to send something to a service."""


class LeftOut(Exception):
    """A function that cannot be opened here, and why."""

    def __init__(self, place: Place, message: str) -> None:
        super().__init__(message)
        self.place = place


@dataclass
class Translated:
    """`definition` is what an experiment file would say, `origins` where its keys come from."""

    definition: dict[str, Json] = field(default_factory=dict)
    origins: dict[str, Place] = field(default_factory=dict)
    role: Role | None = None

    def put(self, key: str, value: Json, place: Place) -> None:
        if value is not None:
            self.definition[key], self.origins[key] = value, place


class Translator:
    def __init__(self, scope: Scope, findings: Findings, layers: Mapping[str, str], roles: Mapping[str, str]) -> None:
        """`layers` are the paths of the template's layers, by logical id; `roles` the names of its roles, by ARN."""
        self._scope, self._findings, self._layers, self._roles = scope, findings, layers, roles
        self.ignored: dict[str, list[Place]] = {}
        """Properties that have no effect here, and the functions that have them."""
        self.sources: dict[str, list[Place]] = {}
        """What would invoke functions, and which."""

    def function(self, kind: str, resource: dict[str, Json], place: Place) -> Translated:
        """Raises LeftOut."""
        properties = Properties(resource.get("Properties"), (*place, "Properties"), self._scope, self._findings)
        result = Translated()
        if properties.text("PackageType") == "Image" or "ImageUri" in properties:
            raise LeftOut(properties.place, "its code is a container image, which cannot be run here")
        handler = properties.text("Handler")
        runtime = properties.text("Runtime")
        if handler is None and (runtime or "").startswith("provided"):
            handler = "bootstrap"
        if handler is None and "Handler" not in properties:
            self._findings.problem(place, "the function has no 'Handler'", at_key=True)
        result.put("handler", handler if handler is not None else "index.handler", properties.at("Handler"))
        result.put("runtime", runtime, properties.at("Runtime"))
        self._code(kind, resource, properties, result)
        result.put("description", properties.optional.text("Description"), properties.at("Description"))
        result.put("architectures", properties.texts("Architectures"), properties.at("Architectures"))
        result.put("timeout", properties.number("Timeout"), properties.at("Timeout"))
        result.put("memory_size", properties.number("MemorySize"), properties.at("MemorySize"))
        storage = properties.inner("EphemeralStorage")
        result.put("ephemeral_storage", storage.number("Size"), storage.at("Size"))
        result.put("environment", self._environment(properties), properties.at("Environment"))
        reserved = "ReservedConcurrentExecutions"
        result.put("reserved_concurrent_executions", properties.number(reserved), properties.at(reserved))
        result.put("layers", self._layers_of(properties), properties.at("Layers"))
        self._logging(properties, result)
        result.put("function_url_config", self._url(properties), properties.at("FunctionUrlConfig"))
        self._provisioned(properties, result)
        sends = self._asynchronous(properties, result)
        self._role(kind, properties, result, sends)
        self._event(properties, result)
        for key in properties:
            if key not in _READ | _OF_NO_EFFECT:
                self.ignored.setdefault(key, []).append(place)
        return result

    # -- code ---------------------------------------------------------------------------------------------------

    def _code(self, kind: str, resource: dict[str, Json], properties: Properties, result: Translated) -> None:
        metadata = resource.get("Metadata")
        if isinstance(metadata, dict) and isinstance(asset := metadata.get("aws:asset:path"), str):  # of the CDK
            return result.put("code", asset, (*properties.place[:-1], "Metadata"))
        if kind == SERVERLESS_FUNCTION:
            key = "CodeUri"
            result.put("source", properties.text("InlineCode"), properties.at("InlineCode"))
        else:
            key = "Code"
        found = properties.resolved(key)
        if isinstance(found, dict) and isinstance(source := found.get("ZipFile"), str):
            return result.put("source", source, (*properties.at(key), "ZipFile"))
        if isinstance(found, dict) or (isinstance(found, str) and found.startswith(("s3://", "https://"))):
            raise LeftOut(properties.at(key), "its code is in S3: name a local folder or .zip, or run `sam build`")
        if found is not None and not isinstance(found, str):
            self._findings.problem(properties.at(key), f"'{key}' must be a folder or a .zip")
        elif found is None and "source" not in result.definition and key not in properties:
            self._findings.problem(properties.place[:-1], f"the function has no '{key}'", at_key=True)
        result.put("code", found if isinstance(found, str) else None, properties.at(key))
        if "source" not in result.definition and "code" not in result.definition:
            result.put("source", "", properties.place)  # a problem is told already
        return None

    # -- configuration ------------------------------------------------------------------------------------------

    def _environment(self, properties: Properties) -> Json:
        variables = properties.inner("Environment").inner("Variables")
        found: dict[str, Json] = {}
        for name in variables:
            try:
                value = self._scope.text(variables.raw(name), variables.at(name))
            except Unresolvable as error:
                self._findings.notice(variables.at(name), f"the variable {name} is left out: {error}")
                continue
            if value is not None:
                found[name] = value
            if value is not None and "{{resolve:" in value:
                self._findings.notice(variables.at(name), f"the variable {name} keeps its dynamic reference as text")
        return found or None

    def _layers_of(self, properties: Properties) -> Json:
        paths: list[Json] = []
        for item, place in properties.items("Layers"):
            if isinstance(item, dict) and isinstance(name := item.get("Ref"), str) and name in self._layers:
                paths.append(self._layers[name])
                continue
            try:
                value = self._scope.value(item, place)
            except Unresolvable as error:
                self._findings.notice(error.place, f"this layer is left out: {error}")
                continue
            for each in value if isinstance(value, list) else [value]:
                if isinstance(each, str) and each in self._layers:
                    paths.append(self._layers[each])
                elif each is not None:
                    self._findings.notice(place, f"the layer {each} is not to be had here")
        return paths or None

    def _logging(self, properties: Properties, result: Translated) -> None:
        logging = properties.inner("LoggingConfig")
        found: dict[str, Json] = {ours: value for ours, key in _LOGGING if (value := logging.text(key)) is not None}
        result.put("logging_config", found or None, properties.at("LoggingConfig"))

    def _url(self, properties: Properties) -> Json:
        if "FunctionUrlConfig" not in properties:
            return None
        url = properties.inner("FunctionUrlConfig")
        found: dict[str, Json] = {"auth_type": url.text("AuthType") or "AWS_IAM"}
        if (mode := url.text("InvokeMode")) is not None:
            found["invoke_mode"] = mode
        if "Cors" in url:
            cors = url.inner("Cors")
            lists = {key: cors.texts(name) for key, name in _CORS.items()}
            found["cors"] = {
                **{key: each for key, each in lists.items() if each is not None},
                "allow_credentials": cors.text("AllowCredentials") == "true",
                "max_age": cors.number("MaxAge"),
            }
        return found

    def _provisioned(self, properties: Properties, result: Translated) -> None:
        provisioned = properties.inner("ProvisionedConcurrencyConfig")
        key = "ProvisionedConcurrentExecutions"
        result.put("provisioned_concurrent_executions", provisioned.number(key), provisioned.at(key))
        result.put("auto_publish_alias", properties.text("AutoPublishAlias"), properties.at("AutoPublishAlias"))

    def _asynchronous(self, properties: Properties, result: Translated) -> list[str]:
        """What becomes of events; the actions that sending them on takes."""
        config = properties.inner("EventInvokeConfig")
        for ours, key in (
            ("maximum_retry_attempts", "MaximumRetryAttempts"),
            ("maximum_event_age_in_seconds", "MaximumEventAgeInSeconds"),
        ):
            result.put(ours, config.number(key), config.at(key))
        destinations: dict[str, Json] = {}
        sends: list[str] = []
        for ours, key in (("on_success", "OnSuccess"), ("on_failure", "OnFailure")):
            each = config.inner("DestinationConfig").inner(key)
            if arn := self._target(each, "Destination", sends):
                destinations[ours] = {"destination": arn}
        result.put("destination_config", destinations or None, config.at("DestinationConfig"))
        key = "DeadLetterQueue" if "DeadLetterQueue" in properties else "DeadLetterConfig"
        letters = self._target(properties.inner(key), "TargetArn", sends)
        result.put("dead_letter_config", {"target_arn": letters} if letters else None, properties.at(key))
        return sends

    def _target(self, properties: Properties, key: str, sends: list[str]) -> str | None:
        if not list(properties):
            return None
        arn = properties.optional.text(key)
        parts = (arn or "").split(":")
        if arn is None or (len(parts) > 4 and parts[2] != "lambda" and parts[4] == self._scope.account):
            self._findings.notice(properties.place, f"nothing is sent to {arn or properties.place[-1]}: it is not here")
            return None
        if len(parts) > 2 and parts[2] in _SENDING:
            sends.append(_SENDING[parts[2]])
        return arn

    def _role(self, kind: str, properties: Properties, result: Translated, sends: list[str]) -> None:
        if "Role" not in properties:
            if kind == SERVERLESS_FUNCTION:
                result.role = role_by_sam(properties, self._scope, self._findings, sends)
            return
        arn = properties.optional.text("Role")
        if arn is not None and arn in self._roles:
            result.put("role", self._roles[arn], properties.at("Role"))
        else:
            role = f"the role {arn}" if arn else "its role"
            self._findings.notice(properties.at("Role"), f"{role} is not here: the function may log, no more")

    # -- events -------------------------------------------------------------------------------------------------

    def _event(self, properties: Properties, result: Translated) -> None:
        """The function is fired by hand with what the first of its sources sends."""
        sources = properties.optional.inner("Events")
        kinds = list(dict.fromkeys(filter(None, (sources.inner(name).text("Type") for name in sources))))
        for kind in kinds:
            self.sources.setdefault(kind, []).append(properties.place[:-1])
        event, place = next(
            ((event, sources.at(name)) for name in sources if (event := typical_event(sources.inner(name)))),
            ({}, sources.place),
        )
        if not event and "FunctionUrlConfig" in properties:
            event, place = {"service_event": "function-url"}, properties.at("FunctionUrlConfig")
        for key, value in event.items():
            result.put(key, value, place)
