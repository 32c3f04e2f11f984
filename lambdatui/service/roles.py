"""The execution roles of a laboratory, and the credentials of those who have assumed them."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, replace

from lambdatui import events as ev
from lambdatui.function import Configuration
from lambdatui.journal import Journal
from lambdatui.policy import Document, Effect, Question
from lambdatui.refusal import InvalidParameter, ResourceNotFound
from lambdatui.role import LAMBDA, Role, managed_policy, trusting
from lambdatui.service.variables import Credentials

_DEFAULT = ("AWSLambdaBasicExecutionRole", "AWSLambdaRole")
_ARN = re.compile(r"arn:aws[a-zA-Z-]*:iam::\d{12}:role/([\w+=,.@/-]+/)?(?P<name>[\w+=,.@-]{1,64})")


@dataclass(frozen=True)
class Session:
    """A role that a function, its `name`, has assumed."""

    name: str
    role: Role
    credentials: Credentials


class Roles:
    """By name. A function that names none has one that may log, as the console makes it, and invoke others. Where an
    experiment has no roles at all, there is one like that for every ARN, so that what others' commands name exists."""

    def __init__(self, arn: str, journal: Journal) -> None:
        """`arn` is what the ARNs of roles begin with."""
        self._arn = arn
        self._journal = journal
        self._default = Role(
            "default", f"{arn}default", trusting(LAMBDA), {policy: managed_policy(policy) for policy in _DEFAULT}
        )
        self.clear()

    def clear(self) -> None:
        self._roles: dict[str, Role] = {}
        self._taken_for_granted: dict[str, Role] = {}
        """By ARN, those that nobody made."""
        self._credentials: dict[tuple[str, str], Credentials] = {}
        """By function and the ARN of its role."""
        self._holders: dict[str, tuple[str, str]] = {}
        """Those two, by access key id."""

    def put(self, name: str, trust: Document, policies: Mapping[str, Document]) -> None:
        """A new role, or the same as another."""
        self._keep(Role(name, f"{self._arn}{name}", trust, dict(policies)))

    def attach(self, name: str, policy: str) -> None:
        """Attach one of AWS' own policies; raises ResourceNotFound."""
        role = self._named(name)
        self._keep(replace(role, policies={**role.policies, policy.rpartition("/")[2]: managed_policy(policy)}))

    def detach(self, name: str, policy: str) -> None:
        role, policy = self._named(name), policy.rpartition("/")[2]
        if policy not in role.policies:
            raise ResourceNotFound(f"Policy {policy} was not found.")
        self._keep(replace(role, policies={key: each for key, each in role.policies.items() if key != policy}))

    def get(self, name: str) -> Role:
        """The role with this name or ARN. One that does not exist cannot be assumed: raises InvalidParameter."""
        role = self._roles.get(name.removeprefix(self._arn)) or self._taken_for_granted.get(name)
        if role is None and not self._roles and (arn := _ARN.fullmatch(name)):
            role = self._taken_for_granted[name] = replace(self._default, name=arn["name"], arn=name)
        if role is None:
            raise InvalidParameter("The role defined for the function cannot be assumed by Lambda.")
        return role

    def of(self, configuration: Configuration) -> Role:
        """The role of a function."""
        return self._default if configuration.role is None else self.get(configuration.role)

    def may_send(
        self, configuration: Configuration, action: str, arn: str, on_resource: Document | None = None
    ) -> bool:
        """Whether a function's results can go to this destination, which may have a policy of its own. Where the
        function names no role, the destination counts as set in the console, which adds what is missing."""
        if configuration.role is None:
            return True
        return self.of(configuration).decide(Question(action, arn), on_resource=on_resource) is Effect.ALLOW

    def credentials(self, function: str, configuration: Configuration) -> Credentials:
        """Those that a function gets for its role."""
        key = function, self.of(configuration).arn
        if key not in self._credentials:
            self._credentials[key] = Credentials.generate()
            self._holders[self._credentials[key].access_key_id] = key
        return self._credentials[key]

    def session(self, access_key_id: str) -> Session | None:
        """Whose credentials these are, and what its role allows now."""
        holder = self._holders.get(access_key_id)
        if holder is None:
            return None
        function, arn = holder
        role = self._default if arn == self._default.arn else self.get(arn)
        return Session(function, role, self._credentials[holder])

    def _named(self, name: str) -> Role:
        if name not in self._roles:
            raise ResourceNotFound(f"The role with name {name} cannot be found.")
        return self._roles[name]

    def _keep(self, role: Role) -> None:
        self._roles[role.name] = role
        self._journal.append(ev.RoleChanged(role.name, role.arn, tuple(role.policies)))
