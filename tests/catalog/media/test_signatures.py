"""Whose address is signed, for how long, and what does a changed one open? (contract 4)"""

from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
import time_machine

from apps.catalog.signatures import Signer, expiry, is_good, owner_of, signed
from apps.kernel.clock import now
from apps.tenants.models import Client
from tests.asserts import assert_unauthorized
from tests.caller import Caller
from tests.catalog.media.conftest import keep

AT = datetime(2026, 11, 23, 10, 20, 30, tzinfo=UTC)
END = int(datetime(2026, 11, 23, 23, tzinfo=UTC).timestamp())
PATH = "demo/posters/one.jpg"
ADDRESS = f"/api/media/{PATH}"


def query_of(address: str) -> dict[str, list[str]]:
    return parse_qs(urlsplit(address).query)


@pytest.mark.parametrize(
    ("minute", "hours"), [((10, 0, 0), 13), ((10, 0, 1), 13), ((10, 59, 59), 13), ((11, 0, 0), 14), ((23, 59, 59), 26)]
)
def test_it_expires_twelve_to_thirteen_hours_from_now_on_the_hour(minute: tuple[int, int, int], hours: int) -> None:
    time = datetime(2026, 11, 23, *minute, tzinfo=UTC)
    assert expiry(time) - int(datetime(2026, 11, 23, 10, tzinfo=UTC).timestamp()) == hours * 3600
    assert timedelta(hours=12) <= datetime.fromtimestamp(expiry(time), UTC) - time <= timedelta(hours=13)


def test_an_address_of_ones_own_media_is_signed(settings: Any) -> None:
    settings.SECRET_KEY = "a secret of the test"
    assert signed(ADDRESS, owner="demo", now=AT) == f"{ADDRESS}?sig=3QeH1wXoKQn1w_pGBc1AWQ&exp={END}"


@pytest.mark.parametrize(
    "address",
    [
        "",
        "https://cdn.example.com/a.mp4",
        "https://cdn.example.com/api/media/demo/a.mp4",
        "//host/api/media/demo/a.mp4",
        "/api/media/acme/posters/one.jpg",
        "/api/media/gofa/posters/one.jpg",
        "/api/media/demo",
        "/api/media/demo/",
        "/api/media/demo2/a.jpg",
        "/api/media/demo/../acme/one.jpg",
        "/api/media/demo/%2e%2e/acme/one.jpg",
        "/api/media/demo/..%2facme/one.jpg",
        "/api/media/demo\\..\\acme",
        "/api/media/demo//acme/one.jpg",
        "/api/media//demo/one.jpg",
        "/api/media/demo/a b",
        "/api/media/demo/é.jpg",
        "/api/media/path/to/subtitle.vtt",
        "/api/lessons",
    ],
)
def test_no_other_address_is_signed(address: str) -> None:
    signer = Signer(AT)
    assert signer(address, "demo") == address
    assert signer.used_until is None


def test_what_came_back_with_an_old_signature_gets_a_new_one() -> None:
    fresh = signed(ADDRESS, owner="demo", now=AT)
    old = signed(ADDRESS, owner="demo", now=AT - timedelta(days=1))
    assert old != fresh
    assert signed(old, owner="demo", now=AT) == fresh
    assert signed(old + "#t=10", owner="demo", now=AT) == fresh + "#t=10"


def test_a_signer_says_until_when_what_it_signed_is_good() -> None:
    signer = Signer(AT)
    assert signer(ADDRESS, "demo") == signed(ADDRESS, owner="demo", now=AT)
    assert signer.used_until == END


def test_it_is_good_until_the_very_second() -> None:
    query = query_of(signed(ADDRESS, owner="demo", now=AT))
    assert is_good(PATH, query, now=AT)
    assert is_good(PATH, query, now=datetime.fromtimestamp(END, UTC) - timedelta(milliseconds=1))
    assert not is_good(PATH, query, now=datetime.fromtimestamp(END, UTC))


def test_a_machine_whose_clock_is_ahead_signs_no_wrong_address() -> None:
    query = query_of(signed(ADDRESS, owner="demo", now=AT.replace(minute=0, second=2) + timedelta(hours=1)))
    assert is_good(PATH, query, now=AT.replace(minute=59, second=58))


def test_what_expires_later_than_anything_we_sign_was_not_signed_by_us() -> None:
    for ahead in (timedelta(hours=2), timedelta(days=365)):
        assert not is_good(PATH, query_of(signed(ADDRESS, owner="demo", now=AT + ahead)), now=AT)


def test_no_character_of_it_can_be_another() -> None:
    query = query_of(signed(ADDRESS, owner="demo", now=AT))
    (signature,) = query["sig"]
    assert len(signature) == 22
    for place in range(len(signature)):
        for other in "AQgw_-9":
            if other != signature[place]:
                changed = signature[:place] + other + signature[place + 1 :]
                assert not is_good(PATH, {**query, "sig": [changed]}, now=AT), changed


@pytest.mark.parametrize("form", ["{}=", "{}==", "{}A", " {}", "{}\n", "", "\0", "é", "\ud800", "A", "{}{}"])
def test_nor_can_it_be_written_otherwise(form: str) -> None:
    query = query_of(signed(ADDRESS, owner="demo", now=AT))
    (signature,) = query["sig"]
    assert not is_good(PATH, {**query, "sig": [form.format(signature, signature)]}, now=AT)
    assert not is_good(PATH, {**query, "sig": [signature.swapcase()]}, now=AT)


@pytest.mark.parametrize(
    "exp", ["", "0", "-1", "+{}", "0{}", " {}", "{}.0", "{}e0", "{}\n", "١٢٣", "9" * 30, "9" * 5000, "nan"]
)
def test_nor_can_its_end(exp: str) -> None:
    query = query_of(signed(ADDRESS, owner="demo", now=AT))
    assert not is_good(PATH, {**query, "exp": [exp.format(END)]}, now=AT)
    for seconds in (-3600, -1, 1, 3600):
        assert not is_good(PATH, {**query, "exp": [str(END + seconds)]}, now=AT)


def test_each_part_must_be_there_once() -> None:
    query = query_of(signed(ADDRESS, owner="demo", now=AT))
    for name in ("sig", "exp"):
        assert not is_good(PATH, {**query, name: query[name] * 2}, now=AT)
        assert not is_good(PATH, {key: value for key, value in query.items() if key != name}, now=AT)


def test_it_opens_no_other_path_and_no_other_servers() -> None:
    query = query_of(signed(ADDRESS, owner="demo", now=AT))
    for other in ("demo/posters/two.jpg", "acme/posters/one.jpg", PATH + "/", PATH.upper(), "demo/posters/one.jp"):
        assert not is_good(other, query, now=AT)


def test_it_is_another_with_another_secret(settings: Any) -> None:
    query = query_of(signed(ADDRESS, owner="demo", now=AT))
    settings.SECRET_KEY = "another"
    assert not is_good(PATH, query, now=AT)


@pytest.mark.parametrize("path", ["demo", "x/a", "demo/", "demo/.", "demo/..", "demo/a/../b", "Demo/a", "de_mo/a", ""])
def test_what_is_no_path_has_no_owner(path: str) -> None:
    assert owner_of(path) is None


@pytest.mark.parametrize("path", ["demo/a", "demo/a.b/c..d", "demo/...", "de-mo2/a/b/c"])
def test_a_path_begins_with_its_owner(path: str) -> None:
    assert owner_of(path) == path.split("/", maxsplit=1)[0]


@pytest.mark.usefixtures("demo", "acme", "folder")
class TestOverHttp:
    def test_it_opens_without_any_header(self, anonymous: Caller) -> None:
        keep()
        assert anonymous.get(signed(ADDRESS, owner="demo", now=now())).status_code == 200

    def test_an_end_is_an_end(self, anonymous: Caller) -> None:
        keep()
        address = signed(ADDRESS, owner="demo", now=now())
        with time_machine.travel(now() + timedelta(hours=13)):
            assert_unauthorized(anonymous.get(address))

    def test_what_was_changed_is_nobodys(self, anonymous: Caller) -> None:
        keep()
        keep("acme/posters/one.jpg")
        address = signed(ADDRESS, owner="demo", now=now())
        for changed in (
            address.replace("demo/", "acme/"),
            address.replace("one", "two"),
            address + "0",
            address + "&sig=",
            address.replace("sig=", "sig=A"),
            address.split("&", maxsplit=1)[0],
        ):
            assert_unauthorized(anonymous.get(changed))

    def test_a_good_one_is_enough_whatever_else_comes_along(self, anonymous: Caller) -> None:
        keep()
        address = signed(ADDRESS, owner="demo", now=now())
        anonymous.http.cookies["gofa_session"] = "of yesterday"
        assert anonymous.get(address).status_code == 200

    def test_an_expired_one_does_no_harm_to_whoever_may_anyway(self, as_: Any, ada: Any, dan: Any) -> None:
        keep()
        old = signed(ADDRESS, owner="demo", now=now() - timedelta(days=1))
        assert as_(ada).get(old).status_code == 200
        assert as_(dan).get(old).status_code == 404

    def test_a_signed_address_of_nothing_is_a_404(self, anonymous: Caller) -> None:
        assert anonymous.get(signed("/api/media/demo/nothing.jpg", owner="demo", now=now())).status_code == 404

    def test_a_client_that_is_gone_has_no_addresses(self, anonymous: Caller) -> None:
        assert not Client.objects.filter(pk="nowhere").exists()
        assert_unauthorized(anonymous.get(signed("/api/media/nowhere/a.jpg", owner="nowhere", now=now())))
