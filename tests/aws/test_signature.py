"""Signatures, with botocore's signer as the oracle of what a good one is."""

from __future__ import annotations

import random
import re
import string
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import quote

import pytest
from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from lambdatui.aws.signature import CLOCK_SKEW, Key, Unauthenticated, claim, claimed_service, verify
from lambdatui.service.http import Request

NOW = datetime(2026, 11, 24, 12, 30, 15, tzinfo=UTC)
OWN = Key("AKIAOWN", "own/secret+key")
ROLE = Key("ASIAROLE", "role-secret", "session/token==")
KEYS = {key.access_key_id: key for key in (OWN, ROLE)}

SEGMENT = st.text(string.ascii_letters + string.digits + "-_.~:$@ é/%+ü&=", min_size=1, max_size=12).filter(
    lambda segment: segment not in (".", "..")
)
VALUE = st.text(st.characters(min_codepoint=0x20, max_codepoint=0x24F, exclude_categories=["Cc"]), max_size=12)
HEADER = st.text(string.ascii_lowercase + "-", min_size=1, max_size=8).map(lambda name: f"x-amz-meta-{name}")


@st.composite
def requests(draw: st.DrawFn) -> Request:
    """As an AWS client sends them: signed, with names in the path encoded in whole."""
    segments = draw(st.lists(SEGMENT, max_size=5))
    path = "/" + "/".join(quote(segment, safe="") for segment in segments)
    ends_with_slash: bool = draw(st.booleans())
    path += "/" if segments and ends_with_slash else ""
    pairs = draw(st.lists(st.tuples(VALUE, VALUE), max_size=4))
    query = "&".join(f"{quote(name, safe='')}={quote(value, safe='')}" for name, value in pairs)
    headers = draw(st.dictionaries(HEADER, VALUE.map(str.strip), max_size=3))
    body = draw(st.binary(max_size=40))
    method = draw(st.sampled_from(["GET", "POST", "PUT", "DELETE"]))
    return signed(method, path, query, headers, body, draw(st.sampled_from([OWN, ROLE])))


def signed(
    method: str = "POST",
    path: str = "/2015-03-31/functions/F/invocations",
    query: str = "Qualifier=%24LATEST",
    headers: dict[str, str] | None = None,
    body: bytes = b"{}",
    key: Key = OWN,
    at: datetime = NOW,
) -> Request:
    """A request that botocore has signed at this time."""
    url = f"http://127.0.0.1:8000{path}{'?' if query else ''}{query}"
    request = AWSRequest(method, url, {**(headers or {}), "Host": "127.0.0.1:8000"}, body)
    credentials = Credentials(key.access_key_id, key.secret_access_key, key.session_token)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("botocore.auth.get_current_datetime", lambda: at.replace(tzinfo=None))
        SigV4Auth(credentials, "lambda", "eu-west-1").add_auth(request)
    sent = {
        name.lower(): value.decode() if isinstance(value, bytes) else value for name, value in request.headers.items()
    }
    return Request(method, path, query, sent, body)


def refusal(request: Request, now: datetime = NOW, check: Any = verify) -> Unauthenticated:
    with pytest.raises(Unauthenticated) as refused:
        check(request, KEYS.get, now)
    return refused.value


@given(requests())
@settings(deadline=None, max_examples=60)
def test_what_botocore_signs_is_good(request: Request) -> None:
    good = verify(request, KEYS.get, NOW)

    assert (good.key.access_key_id in request.headers["authorization"], good.region) == (True, "eu-west-1")
    assert good.service == claimed_service(request) == "lambda"


@given(requests(), st.sampled_from(["method", "path", "query", "header", "body", "authorization"]), st.randoms())
@settings(deadline=None, max_examples=120)
def test_whatever_is_changed_on_the_way_is_refused(request: Request, where: str, chance: random.Random) -> None:
    """One bit of it, wherever it is."""
    match where:
        case "method":
            changed = request._replace(method=flipped(request.method, chance))
        case "path":
            changed = request._replace(path=flipped(request.path, chance))
        case "query":
            changed = request._replace(query=flipped(request.query, chance))
        case "body":
            body = bytearray(request.body or b"\0")
            body[chance.randrange(len(body))] ^= 1 << chance.randrange(8)
            changed = request._replace(body=bytes(body))
        case _:
            names = ["authorization"] if where == "authorization" else [*set(request.headers) - {"authorization"}]
            name = chance.choice(sorted(names))
            value = flipped(request.headers[name], chance)
            assume(value.split() != request.headers[name].split())  # how much space there is is not signed
            changed = request._replace(headers={**request.headers, name: value})
    assume(meaning(changed) != meaning(request))

    refused = refusal(changed)

    told = f"{refused.code} {refused}"
    assert not re.search("[0-9a-f]{64}", told.replace(re.sub(".*Signature=", "", changed.headers["authorization"]), ""))
    assert all(key.secret_access_key not in told for key in KEYS.values())


def flipped(text: str, chance: random.Random) -> str:
    place = chance.randrange(len(text)) if text else 0
    return text[:place] + chr(ord(text[place : place + 1] or "a") ^ 1 << chance.randrange(7)) + text[place + 1 :]


def meaning(request: Request) -> object:
    """Of a query neither the order of its parameters counts nor an empty one; nothing else is left out."""
    pairs = sorted(tuple(part.partition("=")[::2]) for part in request.query.split("&") if part)
    return request._replace(query=repr(pairs))


@pytest.mark.parametrize(("key", "change"), [(OWN, ROLE.session_token), (ROLE, ""), (ROLE, "session/token=")])
def test_a_session_token_belongs_to_its_key(key: Key, change: str) -> None:
    """Even where whoever changes it can sign."""
    forged = Key(key.access_key_id, key.secret_access_key, change or None)

    assert refusal(signed(key=forged)).code == "UnrecognizedClientException"


@pytest.mark.parametrize(("seconds", "says"), [(301, "Signature expired"), (-301, "Signature not yet current")])
def test_a_signature_lasts_five_minutes(seconds: int, says: str) -> None:
    assert timedelta(minutes=5) == CLOCK_SKEW
    moment = NOW + timedelta(seconds=seconds)
    verify(signed(), KEYS.get, NOW + timedelta(seconds=seconds - (seconds > 0) + (seconds < 0)))

    refused = refusal(signed(), moment)

    assert (refused.code, str(refused).startswith(says)) == ("InvalidSignatureException", True)


def test_an_unknown_key_is_refused_before_anything_is_computed() -> None:
    assert refusal(signed(key=Key("AKIAOTHER", "x")), check=claim).code == "UnrecognizedClientException"


@pytest.mark.parametrize("name", ["host", "x-amz-date", "x-amz-target", "x-amz-security-token"])
def test_every_header_that_matters_must_be_signed(name: str) -> None:
    request = signed(headers={"X-Amz-Target": "Logs_20140328.GetLogEvents"}, key=ROLE)
    authorization = re.sub(rf"(?<=[=;]){name}(;|(?=,))", "", request.headers["authorization"])

    unsigned = request._replace(headers={**request.headers, "authorization": authorization})

    assert refusal(unsigned, check=claim).code == "InvalidSignatureException"


@pytest.mark.parametrize(
    "path", ["/2015-03-31/functions/F/aliases/..", "/2015-03-31/./functions/F", "//2015-03-31/functions/F", "", "*"]
)
def test_a_path_that_is_signed_like_another_is_refused(path: str) -> None:
    """The signer of botocore resolves it, so the signature is good."""
    signature = signed("DELETE", path or "/", "")

    assert "path" in str(refusal(signature._replace(path=path)))


@pytest.mark.parametrize(
    "authorization",
    [
        "",
        "Basic Zm9vOmJhcg==",
        "AWS4-HMAC-SHA256",
        "AWS4-HMAC-SHA256 Credential=AKIAOWN/20261124/us-east-1/lambda, SignedHeaders=host, Signature=0",
        "AWS4-HMAC-SHA1 Credential=AKIAOWN/20261124/us-east-1/lambda/aws4_request, SignedHeaders=host, Signature="
        + "0" * 64,
    ],
)
def test_what_is_no_signature_is_incomplete(authorization: str) -> None:
    request = signed()._replace(headers={**signed().headers, "authorization": authorization})

    assert refusal(request).code == "IncompleteSignatureException"


@given(st.text(max_size=60), st.text(st.characters(), max_size=200), st.text(max_size=20), st.text(max_size=60))
@settings(deadline=None)
def test_no_request_does_more_than_be_refused(path: str, authorization: str, stamp: str, value: str) -> None:
    """Surrogates stand for bytes that are no UTF-8."""
    good = signed(headers={"x-amz-meta-a": "b"})
    for change in ({"authorization": authorization}, {"x-amz-date": stamp}, {"x-amz-meta-a": f"{value}\udcff"}):
        refusal(good._replace(headers={**good.headers, **change}))
    refusal(good._replace(path=f"/{path}\udcff"))
    refusal(good._replace(query=f"{path}\udcff"))
