"""The environment variables of a function ("Using Lambda environment variables" in the developer guide)."""

from __future__ import annotations

import secrets
import string
from collections.abc import Mapping
from dataclasses import dataclass

from lambdatui.function import Configuration

_SERVICES = ("LAMBDA", "CLOUDWATCH_LOGS", "STS")
"""Those of the laboratory's endpoint, as the AWS SDKs' variables name them."""
_CAPITALS = string.ascii_uppercase + "234567"


@dataclass(frozen=True)
class Credentials:
    """Those of the function's role, which the laboratory's endpoint knows."""

    access_key_id: str
    secret_access_key: str
    session_token: str

    @classmethod
    def generate(cls) -> Credentials:
        key_id = "ASIA" + "".join(secrets.choice(_CAPITALS) for _ in range(16))
        return cls(key_id, secrets.token_urlsafe(30), secrets.token_urlsafe(240))


def endpoint_variables(endpoint: str) -> dict[str, str]:
    """What leads AWS's clients to the laboratory's endpoint, in a function and elsewhere.

    Only services that it has are sent there: what a client says to another one still goes to AWS, where the keys of
    here are unknown ("Service-specific endpoints" in the AWS SDKs and Tools Reference Guide).
    """
    return {
        **{f"AWS_ENDPOINT_URL_{service}": endpoint for service in _SERVICES},
        "AWS_DISABLE_HOST_PREFIX_INJECTION": "true",  # StartLiveTail would look for a host `stream-127.0.0.1`
    }


def function_variables(
    function: str,
    configuration: Configuration,
    of_runtime: Mapping[str, str],
    region: str,
    credentials: Credentials,
    endpoint: str | None,
    *,
    version: str,
    log_group: str,
    log_stream: str,
    initialization_type: str,
    runtime_api: str,
    task_root: str,
    layers_root: str,
) -> dict[str, str]:
    """All of them. The customer's own win over defaults such as PATH and lose against what the service reserves.
    `endpoint` is where AWS SDKs find the services that the laboratory has."""
    defaults = {
        "LANG": "en_US.UTF-8",
        "PATH": f"/var/lang/bin:/usr/local/bin:/usr/bin/:/bin:{layers_root}/bin",
        # Without the system's folders, which the service has here too: they would come before the libraries that the
        # interpreter of this machine was built with.
        "LD_LIBRARY_PATH": f"/var/lang/lib:/var/runtime:/var/runtime/lib:{task_root}:{task_root}/lib:{layers_root}/lib",
        "TZ": ":UTC",
        "AWS_XRAY_DAEMON_ADDRESS": "169.254.100.1:2000",
        "AWS_XRAY_CONTEXT_MISSING": "LOG_ERROR",
        **of_runtime,
        **(endpoint_variables(endpoint) if endpoint else {}),
    }
    reserved = {
        "_AWS_XRAY_DAEMON_ADDRESS": "169.254.100.1",
        "_AWS_XRAY_DAEMON_PORT": "2000",
        "AWS_ACCESS_KEY_ID": credentials.access_key_id,
        "AWS_SECRET_ACCESS_KEY": credentials.secret_access_key,
        "AWS_SESSION_TOKEN": credentials.session_token,
        "AWS_REGION": region,
        "AWS_DEFAULT_REGION": region,
        "AWS_LAMBDA_FUNCTION_NAME": function,
        "AWS_LAMBDA_FUNCTION_MEMORY_SIZE": str(configuration.memory_size),
        "AWS_LAMBDA_FUNCTION_VERSION": version,
        "AWS_LAMBDA_INITIALIZATION_TYPE": initialization_type,
        "AWS_LAMBDA_LOG_GROUP_NAME": log_group,
        "AWS_LAMBDA_LOG_STREAM_NAME": log_stream,
        "AWS_LAMBDA_RUNTIME_API": runtime_api,
        "_HANDLER": configuration.handler,
        "LAMBDA_TASK_ROOT": task_root,
        "LAMBDA_RUNTIME_DIR": "/var/runtime",
        "PWD": task_root,
    }
    if configuration.logging_config.json:
        reserved["AWS_LAMBDA_LOG_FORMAT"] = "JSON"
        reserved["AWS_LAMBDA_LOG_LEVEL"] = configuration.logging_config.application_log_level or "INFO"
    return {**defaults, **configuration.environment, **reserved}


_NOT_FOR_EXTENSIONS = frozenset(
    {
        "AWS_EXECUTION_ENV",
        "AWS_LAMBDA_LOG_GROUP_NAME",
        "AWS_LAMBDA_LOG_STREAM_NAME",
        "LAMBDA_RUNTIME_DIR",
        "LAMBDA_TASK_ROOT",
    }
)


def extension_variables(function_variables: Mapping[str, str]) -> dict[str, str]:
    """What an external extension gets of them ("Using the Lambda Extensions API": extensions have access to all of the
    function's but those that are specific to the runtime's process)."""
    return {
        name: value
        for name, value in function_variables.items()
        if name not in _NOT_FOR_EXTENSIONS and not name.startswith(("_", "AWS_XRAY_"))
    }
