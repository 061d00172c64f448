"""`GET /api/v1/license-keys`: by which keys a device reads its licences; and how they are rotated (contract 9, 12)."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from joserfc import jws
from joserfc.jwk import KeySet

from apps.accounts.models import User
from apps.delivery import licences
from apps.delivery.models import LicenseKey
from apps.delivery.services import licensing
from apps.kernel.clock import now
from apps.tenants import binding
from apps.tenants.models import EndUser
from tests import make
from tests.caller import Caller
from tests.delivery.described import assert_described, assert_refused
from tests.delivery.offline import make_packed
from tests.delivery.test_session_races import at_once

PATH = "/api/v1/license-keys"
Via = Callable[..., Any]

pytestmark = pytest.mark.django_db


def rotate(algorithm: str = "ES256", **over: Any) -> LicenseKey:
    with binding.bound("demo"), binding.atomic():
        given = {"author": "cleo", "now": now(), **over}
        return licensing.rotate_license_key(client_id="demo", algorithm=algorithm, **given)


def keys(caller: Any) -> list[dict[str, str]]:
    answer = caller.get(PATH)
    assert answer.status_code == 200, answer.content
    assert_described(answer)
    return list(answer.json()["keys"])


def test_it_is_a_bare_key_set(via: Via, ada: EndUser) -> None:
    packed = make_packed(ada)
    answer = via(ada).get(PATH)
    assert_described(answer)
    [key] = answer.json()["keys"]
    assert answer.json() == {
        "keys": [
            {
                "kty": "OKP",
                "crv": "Ed25519",
                "x": key["x"],
                "kid": licences.parse(packed.envelope).key_id,
                "alg": "EdDSA",
                "use": "sig",
            }
        ]
    }
    assert answer.headers["Cache-Control"] == "private, max-age=60"
    assert {"Authorization", "AdminToken", "X-Tenant-Id"} <= set(answer.headers["Vary"].split(", "))


def test_a_device_reads_its_licence_by_it(via: Via, ada: EndUser) -> None:
    """With nothing of ours: any library that knows JWS does."""
    before = make_packed(ada)
    rotate("ES256")
    after = make_packed(ada)
    known = KeySet.import_key_set(via(ada).get(PATH).json())
    for packed in (before, after):
        read = jws.deserialize_compact(packed.envelope, known, algorithms=["EdDSA", "ES256"])
        assert packed.bundle.pk.encode() in read.payload


def test_a_client_without_licences_has_none(via: Via, ada: EndUser) -> None:
    assert keys(via(ada)) == []


def test_whoever_belongs_to_the_tenant_may_ask(via: Via, ada: EndUser, cleo: User, root: User) -> None:
    make_packed(ada)
    assert keys(via(ada)) == keys(via(cleo)) == keys(via(root)) != []


def test_each_tenant_has_its_own(via: Via, ada: EndUser, dan: EndUser) -> None:
    make_packed(ada)
    make_packed(dan)
    ours, theirs = keys(via(ada)), keys(via(dan))
    assert {key["kid"] for key in ours}.isdisjoint(key["kid"] for key in theirs)
    assert_refused(via(ada, "acme").get(PATH), 403, "authz.tenant_not_a_member")


def test_an_integration_has_no_use_for_them(via: Via, ada: EndUser) -> None:
    answer = make.make_integration(ada.client).get(PATH, X_Tenant_Id="demo")
    assert_refused(answer, 403, "authz.forbidden")


def test_nobody_is_refused(via: Via, anonymous: Caller) -> None:
    assert_refused(anonymous.get(PATH, X_Tenant_Id="demo"), 401, "auth.required")


# --- Rotation ---


def test_a_retired_key_is_listed_until_its_date(via: Via, ada: EndUser) -> None:
    old = licences.parse(make_packed(ada).envelope).key_id
    new = rotate("ES256", verifies_until=now() + timedelta(hours=1))
    assert [(key["kid"], key["alg"]) for key in keys(via(ada))] == [(new.pk, "ES256"), (old, "EdDSA")]
    assert all("d" not in key for key in keys(via(ada)))
    third = rotate("EdDSA", verifies_until=now())
    assert [key["kid"] for key in keys(via(ada))] == [third.pk, old]
    assert licences.parse(make_packed(ada).envelope).key_id == third.pk


def test_by_default_nothing_that_a_retired_key_signed_is_lost(ada: EndUser) -> None:
    long, short = make_packed(ada, expires_at=now() + timedelta(days=200)), make_packed(ada)
    rotate()
    with binding.bound("demo"):
        key = LicenseKey.objects.get(pk=licences.parse(long.envelope).key_id)
    assert key.verifies_until == long.license.expires_at > short.license.expires_at


def test_a_key_that_signed_nothing_verifies_nothing_more(ada: EndUser) -> None:
    first = rotate("EdDSA")
    rotate("EdDSA")
    with binding.bound("demo"):
        retired = LicenseKey.objects.get(pk=first.pk)
    assert retired.retired_at == retired.verifies_until


@pytest.mark.parametrize("until", [timedelta(days=-1), timedelta(0)])
def test_a_key_that_was_stolen_ends_at_once(via: Via, ada: EndUser, until: timedelta) -> None:
    packed, time = make_packed(ada), now()
    rotate(verifies_until=time + until, now=time)
    assert [key["alg"] for key in keys(via(ada))] == ["ES256"]
    assert_refused(via(ada).post(packed.mount_url, packed.body), 403, "license.invalid")


@pytest.mark.django_db(transaction=True)
def test_of_many_rotations_at_once_each_leaves_one_key_that_signs(ada: EndUser) -> None:
    """The first of them, too, which finds none there."""
    at_once([rotate] * 8)
    with binding.bound("demo"):
        signing = LicenseKey.objects.filter(retired_at__isnull=True).count()
        assert (signing, LicenseKey.objects.count()) == (1, 8)
