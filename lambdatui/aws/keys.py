"""The laboratory's own keys, and those of the functions' roles."""

from __future__ import annotations

import re
import secrets
import string
from dataclasses import dataclass

from lambdatui.aws.call import Caller
from lambdatui.aws.signature import Key
from lambdatui.service.service import ACCOUNT_ID, Service

_CAPITALS = string.ascii_uppercase + "234567"


@dataclass(frozen=True)
class Keys:
    """Whose signatures are good: those made with the laboratory's key, and with the credentials of a role."""

    own: Key
    service: Service

    @classmethod
    def generate(cls, service: Service) -> Keys:
        key_id = "AKIA" + "".join(secrets.choice(_CAPITALS) for _ in range(16))
        return cls(Key(key_id, secrets.token_urlsafe(30)), service)

    def find(self, access_key_id: str) -> Key | None:
        if access_key_id == self.own.access_key_id:
            return self.own
        session = self.service.session(access_key_id)
        if session is None:
            return None
        credentials = session.credentials
        return Key(credentials.access_key_id, credentials.secret_access_key, credentials.session_token)

    def caller(self, key: Key) -> Caller:
        """Whoever signs with it."""
        session = self.service.session(key.access_key_id)
        if session is None:
            return Caller(ACCOUNT_ID, ACCOUNT_ID, f"arn:aws:iam::{ACCOUNT_ID}:root")
        name, role = session.name, session.role
        arn = f"arn:aws:sts::{ACCOUNT_ID}:assumed-role/{role.name}/{name}"
        unique = re.sub("[^A-Z0-9]", "", role.name.upper())
        return Caller(ACCOUNT_ID, f"AROA{unique:A<17.17}:{name}", arn, role)
