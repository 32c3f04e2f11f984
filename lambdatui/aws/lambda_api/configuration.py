"""A function's configuration in the API's form ("FunctionConfiguration" in the API reference), both ways."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Annotated, ClassVar, Literal

from pydantic import Field

from lambdatui.aws.inputs import Input, matching
from lambdatui.aws.lambda_api.layers import VersionArn
from lambdatui.events import Json
from lambdatui.function import MAX_DESCRIPTION
from lambdatui.refusal import InvalidParameter
from lambdatui.service.deployments import LATEST, Revision, base64_digest
from lambdatui.service.logs import group_name
from lambdatui.service.platform_records import runtime_version_arn
from lambdatui.service.service import Service

Architectures = Annotated[list[Literal["x86_64", "arm64"]], Field(min_length=1, max_length=1)]


class EnvironmentInput(Input):
    variables: dict[Annotated[str, matching("[a-zA-Z]([a-zA-Z0-9_])+")], str] | None = None


class EphemeralStorageInput(Input):
    size: Annotated[int, Field(ge=512, le=10240)]


class DeadLetterConfigInput(Input):
    target_arn: Annotated[str, matching(r"(arn:(aws[a-zA-Z-]*)?:[a-z0-9-.]+:.*)|()")] | None = None


class LoggingConfigInput(Input):
    log_format: Literal["JSON", "Text"] | None = None
    application_log_level: Literal["TRACE", "DEBUG", "INFO", "WARN", "ERROR", "FATAL"] | None = None
    system_log_level: Literal["DEBUG", "INFO", "WARN"] | None = None
    log_group: Annotated[str, Field(min_length=1, max_length=512), matching(r"[\.\-_/#A-Za-z0-9]+")] | None = None


class ConfigurationInput(Input):
    """What CreateFunction and UpdateFunctionConfiguration have in common."""

    role: Annotated[str, matching(r"arn:(aws[a-zA-Z-]*)?:iam::\d{12}:role/?[a-zA-Z_0-9+=,.@\-_/]+")] | None = None
    runtime: str | None = None
    handler: Annotated[str, Field(max_length=128), matching(r"[^\s]+")] | None = None
    description: Annotated[str, Field(max_length=MAX_DESCRIPTION)] | None = None
    timeout: Annotated[int, Field(ge=1, le=900)] | None = None
    memory_size: Annotated[int, Field(ge=128)] | None = None
    environment: EnvironmentInput | None = None
    ephemeral_storage: EphemeralStorageInput | None = None
    dead_letter_config: DeadLetterConfigInput | None = None
    logging_config: LoggingConfigInput | None = None
    layers: list[VersionArn] | None = None
    tracing_config: dict[str, object] = Field(default={})
    snap_start: dict[str, object] = Field(default={})
    vpc_config: dict[str, object] = Field(default={})
    file_system_configs: list[object] = Field(default=[])
    image_config: dict[str, object] = Field(default={})
    capacity_provider_config: dict[str, object] = Field(default={})
    durable_config: dict[str, object] = Field(default={})
    kms_key_arn: str = Field(default="", alias="KMSKeyArn")

    NOT_HERE: ClassVar[Mapping[str, tuple[str, object]]] = {
        "tracing_config": ("TracingConfig", {"Mode": "PassThrough"}),
        "snap_start": ("SnapStart", {"ApplyOn": "None"}),
        "vpc_config": ("VpcConfig", {"SubnetIds": [], "SecurityGroupIds": [], "Ipv6AllowedForDualStack": False}),
        "file_system_configs": ("FileSystemConfigs", []),
        "image_config": ("ImageConfig", {}),
        "capacity_provider_config": ("CapacityProviderConfig", {}),
        "durable_config": ("DurableConfig", {}),
        "kms_key_arn": ("KMSKeyArn", ""),
    }
    """What the laboratory does not have, by its name in the API, and the value that asks for nothing of it."""

    def changes(self) -> dict[str, Json]:
        """As :meth:`lambdatui.function.Configuration.updated` takes them. Raises InvalidParameter."""
        for attribute, (name, nothing) in self.NOT_HERE.items():
            if not _asks_for_nothing(getattr(self, attribute), nothing):
                raise InvalidParameter(f"The laboratory does not have {name}.")
        if self.memory_size is not None and self.memory_size > 10240:
            raise InvalidParameter(
                "'MemorySize' value failed to satisfy constraint: Member must have value less than or equal to 10240"
            )
        changes: dict[str, Json] = {}
        for key in ("role", "runtime", "handler", "description", "timeout", "memory_size"):
            if (value := getattr(self, key)) is not None:
                changes[key] = value
        if self.environment is not None:
            changes["environment"] = {**(self.environment.variables or {})}
        if self.ephemeral_storage is not None:
            changes["ephemeral_storage"] = self.ephemeral_storage.size
        if self.dead_letter_config is not None:
            target = self.dead_letter_config.target_arn
            changes["dead_letter_config"] = {"target_arn": target} if target else None
        if self.logging_config is not None:
            changes["logging_config"] = self.logging_config.model_dump(exclude_none=True)
        if self.layers is not None:
            changes["layers"] = [*self.layers]
        return changes


def _asks_for_nothing(given: object, nothing: object) -> bool:
    if isinstance(given, dict) and isinstance(nothing, dict):
        return all(nothing.get(name) == value or value in (None, [], {}) for name, value in given.items())
    return given == nothing


def configuration_of(service: Service, revision: Revision, qualifier: str | None = None) -> dict[str, Json]:
    """What every operation that answers with a configuration says, at most; with `qualifier`, that of the ARN."""
    configuration, logging = revision.configuration, revision.configuration.logging_config
    modified = datetime.fromtimestamp(revision.modified, UTC).isoformat(timespec="milliseconds")
    target = configuration.dead_letter or ""
    region = revision.arn.split(":")[3]
    levels = {"ApplicationLogLevel": logging.application_log_level, "SystemLogLevel": logging.system_log_level}
    layers: list[Json] = [
        {"Arn": layer, "CodeSize": service.layers.size(layer)}
        for layer in configuration.layers
        if layer.startswith("arn:")
    ]
    members: dict[str, Json | None] = {
        "FunctionName": revision.function,
        "FunctionArn": f"{revision.arn}:{qualifier}" if qualifier else revision.arn,
        "Runtime": configuration.runtime or revision.runtime.identifier,
        "Role": service.role_arn(configuration),
        "Handler": configuration.handler,
        "CodeSize": revision.code_size,
        "Description": configuration.description,
        "Timeout": configuration.timeout,
        "MemorySize": configuration.memory_size,
        "LastModified": modified.replace("+00:00", "+0000"),
        "CodeSha256": base64_digest(revision.code_sha256),
        "Version": revision.version,
        "DeadLetterConfig": {"TargetArn": target} if target.startswith("arn:") else None,
        "Environment": {"Variables": dict(configuration.environment)} if configuration.environment else None,
        "TracingConfig": {"Mode": "PassThrough"},
        "RevisionId": revision.revision_id,
        "Layers": layers or None,
        "State": "Active",
        "LastUpdateStatus": "Successful",
        "PackageType": "Zip",
        "Architectures": [*configuration.architectures],
        "EphemeralStorage": {"Size": configuration.ephemeral_storage},
        "SnapStart": {"ApplyOn": "None", "OptimizationStatus": "Off"},
        "RuntimeVersionConfig": {"RuntimeVersionArn": runtime_version_arn(region, revision.runtime.lambda_version)},
        "LoggingConfig": {
            "LogFormat": logging.log_format,
            **{name: level or "INFO" for name, level in levels.items() if logging.json},
            "LogGroup": group_name(revision.function, logging),
        },
    }
    return {name: value for name, value in members.items() if value is not None}


def listed(configuration: Mapping[str, Json]) -> dict[str, Json]:
    """As a list has it: without what changes from moment to moment."""
    hidden = {"State", "LastUpdateStatus", "RuntimeVersionConfig"}
    return {name: value for name, value in configuration.items() if name not in hidden}


def created(configuration: Mapping[str, Json]) -> dict[str, Json]:
    """As the operation that made the function answers. It is active as soon as anybody can ask for it."""
    reason = {"StateReason": "The function is being created.", "StateReasonCode": "Creating"}
    members = {name: value for name, value in configuration.items() if name != "LastUpdateStatus"}
    return {**members, "State": "Pending", **reason}


def updated(configuration: Mapping[str, Json]) -> dict[str, Json]:
    """As the operation that changed the function answers; by then it has changed."""
    if configuration["Version"] != LATEST:
        return {**configuration}
    reason = "The function is being created."
    status = {
        "LastUpdateStatus": "InProgress",
        "LastUpdateStatusReason": reason,
        "LastUpdateStatusReasonCode": "Creating",
    }
    return {**configuration, **status}
