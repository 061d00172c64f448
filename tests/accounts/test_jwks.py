"""GET /.well-known/jwks.json"""

import jwt
from jwt import PyJWK

from apps.accounts import keys, tokens
from tests.caller import Caller


def test_the_local_issuers_key_can_be_had_by_anybody(db: None, anonymous: Caller) -> None:
    answer = anonymous.get("/.well-known/jwks.json")
    assert answer.status_code == 200
    own = keys.local_key_set()["keys"][0]
    assert answer.json() == {
        "keys": [{"kty": "RSA", "use": "sig", "alg": "RS256", "kid": keys.local_kid(), "n": own["n"], "e": "AQAB"}]
    }
    assert answer["Cache-Control"] == "public, max-age=3600"


def test_the_answer_holds_nothing_private(db: None, anonymous: Caller) -> None:
    entry = anonymous.get("/.well-known/jwks.json").json()["keys"][0]
    assert not {"d", "p", "q", "dp", "dq", "qi", "k"} & set(entry)


def test_a_token_of_ours_is_checked_by_it(db: None, anonymous: Caller) -> None:
    entry = anonymous.get("/.well-known/jwks.json").json()["keys"][0]
    token = tokens.issue_id_token("demo", "ada").text
    assert jwt.get_unverified_header(token) == {"alg": "RS256", "typ": "JWT", "kid": entry["kid"]}
    said = jwt.decode(token, PyJWK(entry), algorithms=["RS256"], audience="demo", issuer="https://id.gofa.local")
    assert said["sub"] == said["user_id"] == "ada"
    assert said["tid"] == "demo"
    assert said["exp"] - said["iat"] == 3600
    assert said["auth_time"] <= said["iat"]


def test_a_stale_credential_is_in_nobodys_way(db: None) -> None:
    assert Caller({"AdminToken": "stale"}).get("/.well-known/jwks.json").status_code == 200


def test_there_is_nothing_to_write(db: None, anonymous: Caller) -> None:
    refused = anonymous.post("/.well-known/jwks.json", {})
    assert refused.status_code == 405
    assert refused["Allow"] == "GET, HEAD, OPTIONS"
