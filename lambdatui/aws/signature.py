"""Who sent a request: AWS Signature Version 4, checked ("AWS Signature Version 4 for API requests" in the IAM guide).

Pure: the time and the known keys are arguments. Only what is signed in headers is taken, with the body's hash: a
signature in the query would let a leaked address act for its maker.
"""

from __future__ import annotations

import hashlib
import hmac
import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import lru_cache
from urllib.parse import quote

from lambdatui.refusal import ServiceRefusal
from lambdatui.service.http import Request

CLOCK_SKEW = timedelta(minutes=5)
"""Older and younger requests are refused, so that one that was overheard cannot be sent again later."""

_ALGORITHM = "AWS4-HMAC-SHA256"
_TIME = "%Y%m%dT%H%M%SZ"
_STAMP = re.compile(r"\d{8}T\d{6}Z", re.ASCII)
_AUTHORIZATION = re.compile(
    rf"{_ALGORITHM}\s+Credential=(?P<key>[^/,\s]+)/(?P<date>\d{{8}})/(?P<region>[^/,\s]+)/(?P<service>[^/,\s]+)/aws4_request"
    r",\s*SignedHeaders=(?P<headers>[a-z0-9;._-]+),\s*Signature=(?P<signature>[0-9a-f]{64})"
)


class Unauthenticated(ServiceRefusal):
    """Nobody's request. `code` says what is wrong, as the service does."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code


@dataclass(frozen=True)
class Key:
    """What a caller signs with; `session_token` belongs to temporary credentials, and is sent along."""

    access_key_id: str
    secret_access_key: str
    session_token: str | None = None


@dataclass(frozen=True)
class Signed:
    """What a good signature says."""

    key: Key
    region: str
    service: str


@dataclass(frozen=True)
class Claim:
    """What a request says of its signature, as long as nobody has compared it."""

    key: Key
    date: str
    region: str
    service: str
    signed_headers: tuple[str, ...]
    signature: str


def claimed_service(request: Request) -> str | None:
    """The service that a request means, whoever sent it, in whose protocol it is answered."""
    match = _AUTHORIZATION.fullmatch(request.headers.get("authorization", ""))
    return match and match["service"]


def claim(request: Request, key_of: Callable[[str], Key | None], now: datetime) -> Claim:
    """All that can be checked of a request whose body has not arrived: that it is signed with a key that is known, over
    all that matters, and not long ago. Raises Unauthenticated."""
    authorization = request.headers.get("authorization")
    if authorization is None:
        raise Unauthenticated("MissingAuthenticationTokenException", "Missing Authentication Token")
    match = _AUTHORIZATION.fullmatch(authorization)
    if match is None:
        raise Unauthenticated(
            "IncompleteSignatureException",
            f"Authorization header requires '{_ALGORITHM}', 'Credential', 'SignedHeaders' and 'Signature' parameters.",
        )
    key = key_of(match["key"])
    if key is None:
        raise _invalid_token()
    signed_headers = match["headers"].split(";")
    _check_headers(request.headers, signed_headers)
    _check_path(request.path)
    _check_time(request.headers.get("x-amz-date", ""), match["date"], now)
    return Claim(key, match["date"], match["region"], match["service"], tuple(signed_headers), match["signature"])


def verify(request: Request, key_of: Callable[[str], Key | None], now: datetime) -> Signed:
    """Whose request this is and which service it is meant for; raises Unauthenticated, which never tells the signature
    that would have been good."""
    claimed = claim(request, key_of, now)
    key, date, region, service = claimed.key, claimed.date, claimed.region, claimed.service
    stamp = request.headers["x-amz-date"]
    digest = hashlib.sha256(_canonical(request, claimed.signed_headers)).hexdigest()
    text = f"{_ALGORITHM}\n{stamp}\n{date}/{region}/{service}/aws4_request\n{digest}"
    signing_key = _signing_key(key.secret_access_key, date, region, service)
    expected = hmac.new(signing_key, text.encode(errors="surrogateescape"), hashlib.sha256).hexdigest()
    if not hmac.compare_digest(expected, claimed.signature):
        raise Unauthenticated(
            "InvalidSignatureException",
            "The request signature we calculated does not match the signature you provided. "
            "Check your AWS Secret Access Key and signing method. Consult the service documentation for details.",
        )
    token = request.headers.get("x-amz-security-token", "")
    if not hmac.compare_digest(token.encode(errors="surrogateescape"), (key.session_token or "").encode()):
        raise _invalid_token()
    return Signed(key, region, service)


def _invalid_token() -> Unauthenticated:
    return Unauthenticated("UnrecognizedClientException", "The security token included in the request is invalid.")


def _check_headers(headers: Mapping[str, str], signed: list[str]) -> None:
    """The signature must cover the host and all of Amazon's headers, or somebody could change them on the way."""
    needed = {"host", *(name for name in headers if name.startswith("x-amz-"))}
    if missing := needed.difference(signed):
        raise Unauthenticated(
            "InvalidSignatureException", f"These headers must be signed: {', '.join(sorted(missing))}."
        )
    if unknown := [name for name in signed if name not in headers]:
        raise Unauthenticated("InvalidSignatureException", f"Signed headers were not sent: {', '.join(unknown)}.")


def _check_path(path: str) -> None:
    """A signature is the same for `/a` and for `/a/b/..` (RFC 3986, 5.2.4), which would not lead to the same here."""
    *segments, last = path.removeprefix("/").split("/")
    if not path.startswith("/") or {"", ".", ".."}.intersection(segments) or last in (".", ".."):
        raise Unauthenticated("InvalidSignatureException", "The path has empty or relative segments.")


def _check_time(stamp: str, date: str, now: datetime) -> None:
    try:
        if not _STAMP.fullmatch(stamp):
            raise ValueError
        sent = datetime.fromisoformat(stamp)
    except ValueError:
        raise Unauthenticated(
            "IncompleteSignatureException", "Date must be in ISO-8601 'basic format' in the X-Amz-Date header."
        ) from None
    if not stamp.startswith(date):
        raise Unauthenticated(
            "InvalidSignatureException",
            "Date in Credential scope does not match YYYYMMDD from ISO-8601 version of date.",
        )
    if sent < now - CLOCK_SKEW:
        earliest = f"{now - CLOCK_SKEW:{_TIME}} ({now:{_TIME}} - 5 min.)"
        raise Unauthenticated("InvalidSignatureException", f"Signature expired: {stamp} is now earlier than {earliest}")
    if sent > now + CLOCK_SKEW:
        latest = f"{now + CLOCK_SKEW:{_TIME}} ({now:{_TIME}} + 5 min.)"
        raise Unauthenticated(
            "InvalidSignatureException", f"Signature not yet current: {stamp} is still later than {latest}"
        )


def _canonical(request: Request, signed_headers: Iterable[str]) -> bytes:
    """The request in the one form that both sides sign."""
    headers = [f"{name}:{' '.join(request.headers[name].split())}\n" for name in signed_headers]
    query = "&".join("=".join(pair) for pair in sorted(_pairs(request.query)))
    parts = [
        request.method,
        quote(request.path.encode(errors="surrogateescape"), safe="/~"),
        query,
        "".join(headers),
        ";".join(signed_headers),
        hashlib.sha256(request.body).hexdigest(),
    ]
    return "\n".join(parts).encode(errors="surrogateescape")


def _pairs(query: str) -> list[tuple[str, str]]:
    parts = (part.partition("=") for part in query.split("&") if part)
    return [(name, value) for name, _, value in parts]


@lru_cache(maxsize=64)
def _signing_key(secret: str, date: str, region: str, service: str) -> bytes:
    key = f"AWS4{secret}".encode()
    for part in (date, region, service, "aws4_request"):
        key = hmac.new(key, part.encode(), hashlib.sha256).digest()
    return key
