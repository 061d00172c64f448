"""What says that a device may play a bundle for a while? A compact JWS, signed by a key of the client (contract 9).

Pure: no clock and no database. A licence has one spelling. What is not spelt as `sign` spells it is turned away before
any signature is looked at, so that no reader's leniency is a second way in: not base64's, not JSON's, and not that of
ECDSA, which has two signatures for the same words.
"""

import base64
import json
import re
import warnings
from dataclasses import dataclass
from typing import Any, cast

from joserfc import jws
from joserfc.errors import JoseError, SecurityWarning
from joserfc.jwk import ECKey, OKPKey

Json = dict[str, Any]

LONGEST = 4096
ED_DSA, ES256 = "EdDSA", "ES256"
_TYPE = "JWT"
_SEGMENT = re.compile(r"[A-Za-z0-9_-]+")
_KEY_ID = re.compile(r"[A-Za-z0-9_-]{1,64}")
_CHECKSUM = re.compile(r"sha256-[0-9a-f]{64}")
_HEADER = {"alg", "kid", "typ"}
_WORDS, _TIMES = ("jti", "tenantId", "bundleId", "deviceId"), ("iat", "exp")
_CLAIMS = {*_WORDS, *_TIMES}
# The order of the group of P-256 (FIPS 186-4): s and the order less s verify the same.
_P256_ORDER = 0xFFFFFFFF00000000FFFFFFFFFFFFFFFFBCE6FAADA7179E84F3B9CAC2FC632551
_HALF = 32  # bytes of r, and of s
# RFC 9864 has a new name for it; RFC 8037's is what the contract and every library in the field call it.
warnings.filterwarnings("ignore", message="EdDSA is deprecated", category=SecurityWarning)


class Unacceptable(Exception):  # noqa: N818 - an answer, not an error
    """It is no licence of this key. Why is for the log: whoever forges one is told nothing."""


@dataclass(frozen=True, slots=True)
class KeyPair:
    """Both halves as JSON Web Keys; `public` is what may be shown."""

    private: Json
    public: Json


@dataclass(frozen=True, slots=True)
class Claims:
    """What a licence says. Times are whole seconds since 1970; `checksum` is the bundle's, if it had one by then."""

    license_id: str
    client_id: str
    bundle_id: str
    device_id: str
    issued_at: int
    expires_at: int
    checksum: str | None = None


@dataclass(frozen=True, slots=True)
class Envelope:
    """A licence of the right shape, whose signature nobody has looked at: its claims are hearsay yet."""

    text: str
    algorithm: str
    key_id: str
    claims: Claims


def new_key(algorithm: str, key_id: str) -> KeyPair:
    parameters: Any = {"kid": key_id, "alg": algorithm, "use": "sig"}
    key: OKPKey | ECKey
    if algorithm == ED_DSA:
        key = OKPKey.generate_key("Ed25519", parameters, private=True)
    else:
        key = ECKey.generate_key("P-256", parameters, private=True)
    return KeyPair(cast(Json, key.as_dict(private=True)), cast(Json, key.as_dict(private=False)))


def sign(claims: Claims, *, algorithm: str, key_id: str, private: Json) -> str:
    header = {"alg": algorithm, "kid": key_id, "typ": _TYPE}
    told: Json = {
        "jti": claims.license_id,
        "tenantId": claims.client_id,
        "bundleId": claims.bundle_id,
        "deviceId": claims.device_id,
        "iat": claims.issued_at,
        "exp": claims.expires_at,
    }
    if claims.checksum is not None:
        told["checksum"] = claims.checksum
    text = jws.serialize_compact(header, json.dumps(told, separators=(",", ":")), _key(private), [algorithm])
    return _with_low_s(text) if algorithm == ES256 else text


def parse(text: str) -> Envelope:
    """Its parts, each checked for its shape. Unacceptable."""
    if len(text) > LONGEST:
        raise Unacceptable("it is too long")
    segments = text.split(".")
    if len(segments) != 3:
        raise Unacceptable("it has not three parts")
    header, payload, _ = (_decoded(segment) for segment in segments)
    head, told = _object(header), _object(payload)
    if set(head) != _HEADER or head["typ"] != _TYPE or not all(isinstance(value, str) for value in head.values()):
        raise Unacceptable("its header has not these members")
    if not _KEY_ID.fullmatch(head["kid"]):
        raise Unacceptable("it names no key")
    return Envelope(text, head["alg"], head["kid"], _claims(told))


def verify(envelope: Envelope, *, algorithm: str, public: Json) -> Claims:
    """What it says, now that it is known to be signed by this key, by the algorithm of the key. Unacceptable."""
    if envelope.algorithm != algorithm:
        raise Unacceptable("its algorithm is not the key's")
    if algorithm == ES256 and not _has_low_s(envelope.text):
        raise Unacceptable("its signature is not in the one form that we sign")
    try:
        jws.deserialize_compact(envelope.text, _key(public), [algorithm])
    except (JoseError, ValueError) as error:
        raise Unacceptable("its signature is not by this key") from error
    return envelope.claims


def _key(document: Json) -> OKPKey | ECKey:
    kind = OKPKey if document["kty"] == "OKP" else ECKey
    return kind.import_key(cast(Any, document))


def _decoded(segment: str) -> bytes:
    """Of the spellings that base64 has for the same bytes, the one without padding and without loose bits."""
    if not _SEGMENT.fullmatch(segment):
        raise Unacceptable("it is not base64url")
    try:
        data = base64.urlsafe_b64decode(segment + "=" * (-len(segment) % 4))
    except ValueError as error:
        raise Unacceptable("it is not base64url") from error
    if _encoded(data) != segment:
        raise Unacceptable("its base64url is not canonical")
    return data


def _encoded(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode("ascii")


def _object(data: bytes) -> Json:
    """A JSON object without doubled members, in which every value is a text or a whole number."""
    try:
        found = json.loads(data.decode("utf-8"), object_pairs_hook=_once_each, parse_constant=_refuse)
    except (ValueError, RecursionError) as error:
        raise Unacceptable("it is not JSON") from error
    if not isinstance(found, dict):
        raise Unacceptable("it is not a JSON object")
    return found


def _once_each(pairs: list[tuple[str, Any]]) -> Json:
    found = dict(pairs)
    if len(found) != len(pairs):
        raise Unacceptable("a member is there twice")
    return found


def _refuse(_: str) -> None:
    raise Unacceptable("there is no such number")


def _claims(told: Json) -> Claims:
    checksum = told.get("checksum")
    if set(told) - {"checksum"} != _CLAIMS:
        raise Unacceptable("it has not these claims")
    if "checksum" in told and not (isinstance(checksum, str) and _CHECKSUM.fullmatch(checksum)):
        raise Unacceptable("its checksum is none")
    if not all(isinstance(told[name], str) and told[name] for name in _WORDS):
        raise Unacceptable("a claim is not a text")
    # A bool is an int to Python, and no time.
    if not all(type(told[name]) is int and 0 < told[name] < 2**53 for name in _TIMES):
        raise Unacceptable("a claim is not a time")
    license_id, client_id, bundle_id, device_id = (told[name] for name in _WORDS)
    return Claims(license_id, client_id, bundle_id, device_id, told["iat"], told["exp"], checksum)


def _with_low_s(text: str) -> str:
    """The same licence with the one of its two signatures that we take."""
    if _has_low_s(text):
        return text
    signed, _, last = text.rpartition(".")
    signature = _decoded(last)
    s = _P256_ORDER - int.from_bytes(signature[_HALF:], "big")
    return f"{signed}.{_encoded(signature[:_HALF] + s.to_bytes(_HALF, 'big'))}"


def _has_low_s(text: str) -> bool:
    signature = _decoded(text.rpartition(".")[2])
    return len(signature) == 2 * _HALF and int.from_bytes(signature[_HALF:], "big") <= _P256_ORDER // 2
