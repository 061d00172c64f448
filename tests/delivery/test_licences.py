"""Licences as they are signed and read: one spelling each, and nothing that was touched is taken."""

import base64
import hashlib
import hmac
import json
import string
from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any

import pytest
from joserfc import jws
from joserfc.jwk import ECKey, OKPKey

from apps.delivery import licences
from apps.delivery.licences import ED_DSA, ES256, Claims, KeyPair, Unacceptable

KEY_ID = "lky_01JDXW4Z9M3V5T8Q2R7N6P0ABC"
CLAIMS = Claims(
    license_id="lic_01JDXW4Z9M3V5T8Q2R7N6P0ABC",
    client_id="demo",
    bundle_id="bnd_01JDXW4Z9M3V5T8Q2R7N6P0ABC",
    device_id="dev_01JDXW4Z9M3V5T8Q2R7N6P0ABC",
    issued_at=1_700_000_000,
    expires_at=1_702_592_000,
    checksum="sha256-" + "ab" * 32,
)
ALGORITHMS = [ED_DSA, ES256]
ORDER = 0xFFFFFFFF00000000FFFFFFFFFFFFFFFFBCE6FAADA7179E84F3B9CAC2FC632551
URL_SAFE = string.ascii_letters + string.digits + "-_"
KEYS = {algorithm: licences.new_key(algorithm, KEY_ID) for algorithm in ALGORITHMS}


def signed(algorithm: str, claims: Claims = CLAIMS, pair: KeyPair | None = None) -> str:
    return licences.sign(claims, algorithm=algorithm, key_id=KEY_ID, private=(pair or KEYS[algorithm]).private)


def read(text: str, algorithm: str) -> Claims:
    return licences.verify(licences.parse(text), algorithm=algorithm, public=KEYS[algorithm].public)


def is_taken(text: str, algorithm: str) -> bool:
    try:
        read(text, algorithm)
    except Unacceptable:
        return False
    return True


def encoded(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def decoded(segment: str) -> bytes:
    return base64.urlsafe_b64decode(segment + "=" * (-len(segment) % 4))


def forged(algorithm: str, header: bytes | dict[str, Any], payload: bytes | dict[str, Any] | None = None) -> str:
    """A licence with any header and payload, and a true signature of them: what only the holder of the key can make."""
    head = header if isinstance(header, bytes) else json.dumps(header).encode()
    body = payload if isinstance(payload, bytes) else json.dumps(payload).encode() if payload else claims_bytes()
    pair = KEYS[algorithm].private
    words = f"{encoded(head)}.{encoded(body)}"
    return f"{words}.{encoded(signature_of(words.encode(), pair))}"


def signature_of(words: bytes, private: Any) -> bytes:
    kind = OKPKey if private["kty"] == "OKP" else ECKey
    algorithm = jws.JWSRegistry.algorithms[ED_DSA if private["kty"] == "OKP" else ES256]
    while True:
        signature = algorithm.sign(words, kind.import_key(private))
        if private["kty"] == "OKP" or int.from_bytes(signature[32:], "big") <= ORDER // 2:
            return signature


def claims_bytes() -> bytes:
    return decoded(signed(ED_DSA).split(".")[1])


def header(algorithm: str, **over: Any) -> dict[str, Any]:
    return {"alg": algorithm, "kid": KEY_ID, "typ": "JWT", **over}


def told(**over: Any) -> dict[str, Any]:
    return {**json.loads(claims_bytes()), **over}


@pytest.mark.parametrize("algorithm", ALGORITHMS)
def test_what_is_signed_is_read(algorithm: str) -> None:
    text = signed(algorithm)
    assert read(text, algorithm) == CLAIMS
    assert json.loads(decoded(text.split(".")[0])) == header(algorithm)
    assert json.loads(decoded(text.split(".")[1])) == {
        "jti": CLAIMS.license_id,
        "tenantId": "demo",
        "bundleId": CLAIMS.bundle_id,
        "deviceId": CLAIMS.device_id,
        "iat": 1_700_000_000,
        "exp": 1_702_592_000,
        "checksum": CLAIMS.checksum,
    }


@pytest.mark.parametrize("algorithm", ALGORITHMS)
def test_a_bundle_that_was_not_ready_has_no_checksum_in_its_licence(algorithm: str) -> None:
    claims = replace(CLAIMS, checksum=None)
    text = signed(algorithm, claims)
    assert "checksum" not in json.loads(decoded(text.split(".")[1]))
    assert read(text, algorithm) == claims


@pytest.mark.parametrize("algorithm", ALGORITHMS)
def test_the_public_half_has_nothing_of_the_private_one(algorithm: str) -> None:
    pair = licences.new_key(algorithm, "lky_1")
    members = {"kty", "crv", "x", "kid", "alg", "use"} | ({"y"} if algorithm == ES256 else set())
    assert set(pair.public) == members
    assert set(pair.private) == members | {"d"}
    assert (pair.public["kid"], pair.public["alg"], pair.public["use"]) == ("lky_1", algorithm, "sig")


def test_every_signature_of_es256_is_the_lower_one() -> None:
    tops = [int.from_bytes(decoded(signed(ES256).split(".")[2])[32:], "big") for _ in range(64)]
    assert max(tops) <= ORDER // 2


def test_forged_makes_what_is_taken_when_nothing_is_wrong() -> None:
    """The tests below are worth something: the same maker's untouched licence is good."""
    for algorithm in ALGORITHMS:
        assert is_taken(forged(algorithm, header(algorithm)), algorithm)
        assert is_taken(forged(algorithm, header(algorithm), told()), algorithm)


# --- Five hundred and more that were touched ---


def changed_characters(text: str) -> Iterator[str]:
    """Every single character, replaced by a neighbour in the alphabet and by some that are in none."""
    for place, character in enumerate(text):
        others = {URL_SAFE[(URL_SAFE.find(character) + 1) % 64], "A", ".", "=", " "} - {character}
        yield from (text[:place] + other + text[place + 1 :] for other in sorted(others))


def loose_bits(text: str) -> Iterator[str]:
    """Other last characters of each part, which a lenient reader decodes to the same bytes."""
    parts = text.split(".")
    for place, part in enumerate(parts):
        for last in URL_SAFE:
            if last != part[-1]:
                yield ".".join([*parts[:place], part[:-1] + last, *parts[place + 1 :]])


def rearranged(text: str) -> Iterator[str]:
    head, body, signature = text.split(".")
    yield from (f"{body}.{head}.{signature}", f"{signature}.{body}.{head}", f"{head}.{signature}.{body}")
    yield from (f"{head}.{body}", f"{head}.{body}.", f".{body}.{signature}", f"{head}..{signature}", "..", "", ".")
    yield from (f"{head}.{body}.{signature}.", f"{text}.{signature}", f"{head}.{head}.{body}.{signature}")
    yield from (f"{text}=", f"{head}=.{body}.{signature}", f"{head}.{body}==.{signature}", f"{text}====")
    yield from (f" {text}", f"{text} ", f"{text}\n", f"\t{text}", f"{head} .{body}.{signature}", f"{text}\0")
    yield from (text.swapcase(), text.upper(), text[::-1], text * 2, text[1:], text[:-1], "Bearer " + text)
    yield from (text.replace("-", "+").replace("_", "/") + "+", "\ufeff" + text, text + "\u00a0", text + "\ud800")
    yield from (text.translate({ord("A"): "\u0410"}) + "\u0391", "\uff0e".join([head, body, signature]))
    yield text + "A" * (licences.LONGEST + 1 - len(text))
    yield from ("null", "{}", json.dumps({"payload": body, "protected": head, "signature": signature}))


def re_signed(algorithm: str) -> Iterator[str]:
    """True signatures of headers and claims that we would never write."""
    extra: dict[str, Any] = {
        "jku": "https://evil.example/keys",
        "jwk": KEYS[algorithm].public,
        "x5u": "https://evil.example/",
    }
    extra |= {"x5c": ["MIIB"], "x5t": "AAAA", "crit": ["exp"], "b64": False, "zip": "DEF", "cty": "JWT", "enc": "A"}
    for name, value in extra.items():
        yield forged(algorithm, header(algorithm, **{name: value}))
    for over in ({"typ": "jwt"}, {"typ": None}, {"typ": "at+jwt"}, {"kid": None}, {"kid": 1}, {"kid": [KEY_ID]}):
        yield forged(algorithm, header(algorithm, **over))
    for kid in ("", "../../etc/passwd", "' OR 1=1 --", "a" * 65, "lky_1\0", "\ud800", "lky 1", "lky_1;", "/dev/null"):
        yield forged(algorithm, header(algorithm, kid=kid))
    for alg in ("none", "None", "NONE", "HS256", "RS256", "ES384", "Ed25519", "eddsa", "", None, [algorithm], 1):
        yield forged(algorithm, header(algorithm, alg=alg))
    for missing in ("alg", "kid", "typ"):
        yield forged(algorithm, {name: value for name, value in header(algorithm).items() if name != missing})
    doubled = json.dumps(header(algorithm))[:-1].encode()
    yield forged(algorithm, doubled + b', "alg": "none"}')
    yield forged(algorithm, b'{"kid": "lky_other", ' + json.dumps(header(algorithm))[1:].encode())
    for raw in (b"[]", b"null", b'"x"', b"1", b"", b"{", b"\xff\xfe{}", b"{}" * 2, b"[" * 3000):
        yield forged(algorithm, raw)
        yield forged(algorithm, header(algorithm), raw or b" ")


def with_other_claims(algorithm: str) -> Iterator[str]:
    numbers: tuple[Any, ...] = (None, "1702592000", 1702592000.0, True, [1], {}, 0, -1, 2**53, 1e300)
    texts = (None, "", 1, ["demo"], {"a": 1}, True)
    for name in ("iat", "exp"):
        yield from (forged(algorithm, header(algorithm), told(**{name: value})) for value in numbers)
    for name in ("jti", "tenantId", "bundleId", "deviceId"):
        yield from (forged(algorithm, header(algorithm), told(**{name: value})) for value in texts)
    for missing in ("jti", "tenantId", "bundleId", "deviceId", "iat", "exp"):
        left = {name: value for name, value in told().items() if name != missing}
        yield forged(algorithm, header(algorithm), left)
    for checksum in (None, "", "sha256-", "sha256-" + "AB" * 32, "md5-" + "ab" * 16, 1):
        yield forged(algorithm, header(algorithm), told(checksum=checksum))
    for name in ("nbf", "aud", "iss", "role"):
        yield forged(algorithm, header(algorithm), told(**{name: "demo"}))
    yield forged(algorithm, header(algorithm), claims_bytes()[:-1] + b',"exp":9999999999}')
    yield forged(algorithm, header(algorithm), claims_bytes().replace(b"1702592000", b"NaN"))
    yield forged(algorithm, header(algorithm), claims_bytes().replace(b"1702592000", b"9" * 5000))


def unsigned(algorithm: str) -> Iterator[str]:
    """No signature, or one that whoever knows the public key can make."""
    body = encoded(claims_bytes())
    secrets = [json.dumps(KEYS[algorithm].public).encode(), decoded(KEYS[algorithm].public["x"]), b"", b"secret"]
    secrets.append(KEYS[algorithm].public["x"].encode())
    for alg in ("none", "HS256", algorithm):
        words = f"{encoded(json.dumps(header(alg)).encode())}.{body}"
        yield from (f"{words}.{encoded(size * bytes([fill]))}" for size in (1, 32, 64) for fill in (0, 255))
        for secret in secrets:
            yield f"{words}.{encoded(hmac.digest(secret, words.encode(), hashlib.sha256))}"


def by_others(algorithm: str) -> Iterator[str]:
    """Another key of the same kind under this key's name, and a key of the other kind."""
    yield signed(algorithm, pair=licences.new_key(algorithm, KEY_ID))
    other = next(each for each in ALGORITHMS if each != algorithm)
    yield signed(other)
    words = ".".join(signed(algorithm).split(".")[:2])
    yield f"{words}.{encoded(signature_of(words.encode(), KEYS[other].private))}"
    # A true signature, for other words.
    yield f"{words}.{signed(algorithm, replace(CLAIMS, device_id='dev_other')).split('.')[2]}"


def malleable(algorithm: str) -> Iterator[str]:
    """Other signatures that mathematics, if not the standard, gives the same words."""
    words, _, last = signed(algorithm).rpartition(".")
    signature = decoded(last)
    half = signature[32:]
    if algorithm == ES256:
        high = ORDER - int.from_bytes(half, "big")
        yield f"{words}.{encoded(signature[:32] + high.to_bytes(32, 'big'))}"
        yield f"{words}.{encoded(signature[:32] + ORDER.to_bytes(32, 'big'))}"
        yield f"{words}.{encoded(bytes(64))}"
    else:
        group = 2**252 + 27742317777372353535851937790883648493
        more = int.from_bytes(half, "little") + group
        yield f"{words}.{encoded(signature[:32] + more.to_bytes(32, 'little'))}"
    yield f"{words}.{encoded(signature + bytes(1))}"
    yield f"{words}.{encoded(bytes(1) + signature)}"
    yield f"{words}.{encoded(signature[:63])}"


Mutation = Callable[[str], Iterator[str]]
OF_A_TEXT: tuple[Mutation, ...] = (changed_characters, loose_bits, rearranged)
OF_AN_ALGORITHM: tuple[Mutation, ...] = (re_signed, with_other_claims, unsigned, by_others, malleable)


def mutations(algorithm: str) -> list[str]:
    text = signed(algorithm)
    found = [each for mutate in OF_A_TEXT for each in mutate(text)]
    return [
        each for each in [*found, *(each for forge in OF_AN_ALGORITHM for each in forge(algorithm))] if each != text
    ]


@pytest.mark.parametrize("algorithm", ALGORITHMS)
def test_of_five_hundred_and_more_touched_licences_none_is_taken(algorithm: str) -> None:
    tried = mutations(algorithm)
    assert len(set(tried)) > 2_000
    assert [each for each in tried if is_taken(each, algorithm)] == []


@pytest.mark.parametrize("algorithm", ALGORITHMS)
def test_a_key_is_asked_by_its_own_algorithm_alone(algorithm: str) -> None:
    """Whatever the header says: the other algorithm is not on this key's list."""
    other = next(each for each in ALGORITHMS if each != algorithm)
    envelope = licences.parse(forged(algorithm, header(algorithm)))
    with pytest.raises(Unacceptable, match="algorithm"):
        licences.verify(envelope, algorithm=other, public=KEYS[other].public)
