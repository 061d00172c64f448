"""`GET` and `HEAD /api/media/<path>`: to whom, how, and which bytes (contract 4)."""

import hashlib
from collections.abc import Callable
from typing import Any

import pytest

from apps.accounts import tokens
from apps.accounts.authentication import SESSION_COOKIE
from apps.accounts.models import User
from apps.catalog import media
from apps.catalog.models import MediaFile
from apps.kernel.clock import now
from apps.tenants import binding, registry
from apps.tenants.models import Client, EndUser
from tests import make
from tests.asserts import assert_refused, assert_unauthorized
from tests.caller import Caller
from tests.catalog.media.conftest import body_of, keep

As = Callable[..., Caller]
PATH = "demo/posters/one.jpg"
ADDRESS = f"/api/media/{PATH}"
CONTENT = b"0123456789"
ETAG = f'"{hashlib.sha256(CONTENT).hexdigest()}"'
VARY = "Authorization, AdminToken, RevokableToken, Cookie"


@pytest.fixture
def file(demo: Client, store: Callable[..., MediaFile]) -> MediaFile:
    return store(PATH, CONTENT)


def headers_of(response: Any) -> dict[str, str]:
    """All but those that differ from request to request, and the length that Django's test client gives a 304."""
    others = {"X-Request-Id", "traceparent"} | ({"Content-Length"} if response.status_code == 304 else set())
    return {name: value for name, value in response.headers.items() if name not in others}


class TestWhatIsSent:
    """The same over files and over S3."""

    def test_the_whole_file_with_all_its_headers(self, file: MediaFile, ada: EndUser, as_: As) -> None:
        response = as_(ada).get(ADDRESS)
        assert response.status_code == 200
        assert headers_of(response) == {
            "Content-Type": "image/jpeg",
            "Content-Length": "10",
            "Content-Disposition": "inline",
            "ETag": ETAG,
            "Accept-Ranges": "bytes",
            "Cache-Control": "private, no-cache, no-transform",
            "Vary": VARY,
            "Content-Security-Policy": "sandbox; default-src 'none'",
            "X-Content-Type-Options": "nosniff",
        }
        assert body_of(response) == CONTENT

    def test_at_a_signed_address_it_stays_fresh_for_a_while(self, file: MediaFile, anonymous: Caller) -> None:
        response = anonymous.get(media.signed(ADDRESS, owner="demo", now=now()))
        assert response.status_code == 200
        assert response["Cache-Control"] == "private, max-age=300, no-transform"
        assert "Vary" not in response
        assert body_of(response) == CONTENT

    def test_head_has_the_same_headers_and_no_body(self, file: MediaFile, ada: EndUser, as_: As) -> None:
        whole = as_(ada).get(ADDRESS)
        response = as_(ada).call("HEAD", ADDRESS, None, None, {"Range": "bytes=2-3"})
        assert (response.status_code, response.content) == (200, b"")
        assert headers_of(response) == headers_of(whole)
        body_of(whole)

    def test_a_range_says_which_it_is(self, file: MediaFile, ada: EndUser, as_: As) -> None:
        response = as_(ada).get(ADDRESS, Range="bytes=2-5")
        assert response.status_code == 206
        assert response["Content-Range"] == "bytes 2-5/10"
        assert response["Content-Length"] == "4"
        assert response["ETag"] == ETAG
        assert body_of(response) == b"2345"

    @pytest.mark.parametrize(
        ("header", "status", "body"),
        [
            ("bytes=0-", 206, CONTENT),
            ("bytes=9-", 206, b"9"),
            ("bytes=-3", 206, b"789"),
            ("bytes=-99", 206, CONTENT),
            ("bytes=4-99", 206, b"456789"),
            ("BYTES= 1-2 ,", 206, b"12"),
            ("bytes=0-1,4-5", 200, CONTENT),
            ("bytes=5-2", 200, CONTENT),
            ("seconds=0-1", 200, CONTENT),
            ("bytes", 200, CONTENT),
        ],
    )
    def test_ranges(self, file: MediaFile, ada: EndUser, as_: As, header: str, status: int, body: bytes) -> None:
        response = as_(ada).get(ADDRESS, Range=header)
        assert (response.status_code, body_of(response)) == (status, body)
        assert response["Content-Length"] == str(len(body))
        assert ("Content-Range" in response) == (status == 206)

    @pytest.mark.parametrize("header", ["bytes=10-", "bytes=99-100", "bytes=-0"])
    def test_a_range_beyond_the_end(self, file: MediaFile, ada: EndUser, as_: As, header: str) -> None:
        response = as_(ada).get(ADDRESS, Range=header)
        assert_refused(response, 416, "Range Not Satisfiable")
        assert response["Content-Range"] == "bytes */10"

    def test_an_empty_file(self, demo: Client, ada: EndUser, as_: As, store: Callable[..., MediaFile]) -> None:
        store(PATH, b"")
        response = as_(ada).get(ADDRESS)
        assert (response.status_code, response["Content-Length"], body_of(response)) == (200, "0", b"")
        assert_refused(as_(ada).get(ADDRESS, Range="bytes=0-"), 416)

    def test_large_content_comes_whole(self, ada: EndUser, as_: As, store: Callable[..., MediaFile]) -> None:
        content = bytes(range(256)) * 3 * 4096  # 3 MiB: several pieces
        store(PATH, content)
        assert body_of(as_(ada).get(ADDRESS)) == content
        assert body_of(as_(ada).get(ADDRESS, Range="bytes=1000000-2000000")) == content[1000000:2000001]

    def test_who_began_before_a_replacement_gets_the_rest_of_the_old(
        self, file: MediaFile, ada: EndUser, as_: As
    ) -> None:
        begun = as_(ada).get(ADDRESS)
        with binding.bound("demo"), binding.atomic():
            media.replace(
                client_id="demo", path=PATH, content=b"new", content_type="image/png", author="cleo", now=now()
            )
        assert body_of(begun) == CONTENT
        response = as_(ada).get(ADDRESS, If_Range=ETAG, Range="bytes=5-")
        assert (response.status_code, body_of(response), response["Content-Type"]) == (200, b"new", "image/png")

    def test_bytes_that_are_lost_are_a_failure_that_may_pass(
        self, file: MediaFile, ada: EndUser, as_: As, where: str
    ) -> None:
        media.objects().delete(file.key)
        response = as_(ada).get(ADDRESS)
        assert_refused(response, 503, "The file cannot be read just now")
        assert "ETag" not in response


@pytest.fixture
def local_file(demo: Client, folder: Any) -> MediaFile:
    return keep(PATH, CONTENT)


@pytest.mark.usefixtures("local_file")
class TestConditions:
    @pytest.mark.parametrize("header", [ETAG, "*", f'"other", {ETAG}', f"W/{ETAG}", f'W/"x",{ETAG}'])
    def test_who_has_it_is_told_so(self, ada: EndUser, as_: As, header: str) -> None:
        response = as_(ada).get(ADDRESS, If_None_Match=header, Range="bytes=0-1")
        assert response.status_code == 304
        assert headers_of(response) == {
            "ETag": ETAG,
            "Accept-Ranges": "bytes",
            "Cache-Control": "private, no-cache, no-transform",
            "Vary": VARY,
            "Content-Security-Policy": "sandbox; default-src 'none'",
            "X-Content-Type-Options": "nosniff",
        }
        assert response.content == b""

    @pytest.mark.parametrize("header", ['"other"', "", "nonsense", ETAG.strip('"')])
    def test_who_has_another_gets_it(self, ada: EndUser, as_: As, header: str) -> None:
        assert as_(ada).get(ADDRESS, If_None_Match=header).status_code == 200

    @pytest.mark.parametrize("header", [ETAG, "*", f'"other", {ETAG}'])
    def test_if_match_holds(self, ada: EndUser, as_: As, header: str) -> None:
        assert as_(ada).get(ADDRESS, If_Match=header).status_code == 200

    @pytest.mark.parametrize("header", ['"other"', f"W/{ETAG}", ""])
    def test_if_match_fails(self, ada: EndUser, as_: As, header: str) -> None:
        assert_refused(as_(ada).get(ADDRESS, If_Match=header), 412, "Precondition Failed")

    @pytest.mark.parametrize(
        ("header", "status"),
        [(ETAG, 206), ('"other"', 200), (f"W/{ETAG}", 200), ("Mon, 23 Nov 2026 09:00:00 GMT", 200)],
    )
    def test_a_part_only_of_what_the_caller_has_the_rest_of(
        self, ada: EndUser, as_: As, header: str, status: int
    ) -> None:
        assert as_(ada).get(ADDRESS, Range="bytes=2-3", If_Range=header).status_code == status

    @pytest.mark.parametrize("encoding", ["gzip", "br", "gzip, br;q=1.0, *;q=0.5", "identity"])
    def test_the_etag_stays_strong_whatever_could_be_unpacked(self, ada: EndUser, as_: As, encoding: str) -> None:
        keep("demo/subtitles/en.vtt", b"WEBVTT\n" * 1000, "text/vtt")
        response = as_(ada).get("/api/media/demo/subtitles/en.vtt", Accept_Encoding=encoding)
        assert response["ETag"] == f'"{hashlib.sha256(body_of(response)).hexdigest()}"'
        assert "no-transform" in response["Cache-Control"]
        assert response["Content-Type"] == "text/vtt; charset=utf-8"
        assert "Content-Encoding" not in response

    @pytest.mark.parametrize("content_type", ["text/html", "application/xml", "application/octet-stream"])
    def test_what_is_no_media_is_to_be_saved(self, ada: EndUser, as_: As, content_type: str) -> None:
        keep("demo/exports/all", b"<script>", content_type)
        response = as_(ada).get("/api/media/demo/exports/all")
        assert (response["Content-Type"], response["Content-Disposition"]) == (content_type, "attachment")

    @pytest.mark.parametrize("method", ["POST", "PUT", "PATCH", "DELETE"])
    def test_it_is_only_to_be_read(self, ada: EndUser, as_: As, method: str) -> None:
        response = as_(ada).call(method, ADDRESS, {}, None, {})
        assert response.status_code == 405
        assert response["Allow"] == "GET, HEAD, OPTIONS"


@pytest.mark.usefixtures("local_file")
class TestWhoMay:
    def test_everybody_of_the_client(self, ada: EndUser, ben: EndUser, cleo: User, demo: Client, as_: As) -> None:
        for caller in (as_(ada), as_(ben), as_(cleo), make.make_integration(demo)):
            assert caller.get(ADDRESS).status_code == 200

    def test_platform_staff(self, root: User, as_: As) -> None:
        assert as_(root).get(ADDRESS).status_code == 200

    def test_a_browser_by_its_cookie(self, ada: EndUser, anonymous: Caller) -> None:
        session = tokens.SessionToken.issue("demo", "ada")
        anonymous.http.cookies[SESSION_COOKIE] = session.text
        assert anonymous.get(ADDRESS).status_code == 200

    def test_nobody_without_a_credential(self, anonymous: Caller) -> None:
        for path in (PATH, "demo/nothing", "acme/nothing", "..", "a%5cb"):
            assert_unauthorized(anonymous.get(f"/api/media/{path}"))

    def test_nobody_by_a_credential_that_is_none(self, anonymous: Caller) -> None:
        assert_unauthorized(anonymous.get(ADDRESS, Authorization="Bearer nonsense"))

    def test_nobody_by_two_credentials(self, ada: EndUser, cleo: User, as_: As) -> None:
        assert_unauthorized(as_(ada).get(ADDRESS, AdminToken=as_(cleo).headers["AdminToken"]))

    def test_another_client_as_if_it_had_never_been(self, dan: EndUser, eve: User, acme: Client, as_: As) -> None:
        for caller in (as_(dan), as_(eve), make.make_integration(acme)):
            theirs, nothing = caller.get(ADDRESS), caller.get("/api/media/demo/posters/nothing.jpg")
            nobodys = caller.get("/api/media/nowhere/posters/nothing.jpg")
            assert_refused(theirs, 404, "Media not found")
            assert theirs.content == nothing.content == nobodys.content
            assert headers_of(theirs) == headers_of(nothing) == headers_of(nobodys)

    def test_the_librarys_media_is_for_every_client(self, ada: EndUser, dan: EndUser, eve: User, as_: As) -> None:
        keep("gofa/posters/yoga.jpg")
        for who in (ada, dan, eve):
            assert as_(who).get("/api/media/gofa/posters/yoga.jpg").status_code == 200

    @pytest.mark.parametrize(
        "path",
        [
            *("demo", "demo/", "demo/nothing.jpg", "demo/posters", "demo/posters/"),
            *("demo/posters/one.jpg/", "demo//posters/one.jpg", "/demo/posters/one.jpg", "demo/./posters/one.jpg"),
            *("demo/../demo/posters/one.jpg", "demo/%2e%2e/demo/posters/one.jpg", "demo/posters/..", "../lessons"),
            *("demo%5cposters%5cone.jpg", "demo/posters/one.jpg%0A", "demo/posters/one.jpg%20", "DEMO/posters/one.jpg"),
            *(
                "demo%2fposters%252fone.jpg",
                "demo/posters/one%2ejpg%00",
                "demo/posters/one.jpg%00",
                "%2e%2e/%2e%2e/etc",
            ),
            *("demo/postérs/one.jpg", "demo/%ff%fe", "d%65mo/posters/" + "x" * 3000),
        ],
    )
    def test_no_path_leads_anywhere_else(self, ada: EndUser, as_: As, path: str) -> None:
        assert as_(ada).get(f"/api/media/{path}").status_code == 404

    def test_a_key_is_no_address(self, local_file: MediaFile, root: User, as_: As) -> None:
        assert as_(root).get(f"/api/media/{local_file.key}").status_code == 404

    def test_a_suspended_client_is_shut_out(self, ada: EndUser, root: User, as_: As, anonymous: Caller) -> None:
        signed = media.signed(ADDRESS, owner="demo", now=now())
        caller = as_(ada)
        Client.objects.filter(pk="demo").update(status="suspended")
        registry.forget()
        assert_unauthorized(caller.get(ADDRESS))
        assert_unauthorized(anonymous.get(signed))
        assert as_(root).get(ADDRESS).status_code == 200

    def test_what_was_removed_is_gone_at_once(self, ada: EndUser, as_: As, anonymous: Caller) -> None:
        signed = media.signed(ADDRESS, owner="demo", now=now())
        with binding.bound("demo"), binding.atomic():
            media.remove(client_id="demo", path=PATH, now=now())
        assert_refused(as_(ada).get(ADDRESS), 404, "Media not found")
        assert_refused(anonymous.get(signed), 404, "Media not found")

    def test_one_query_finds_it(self, ada: EndUser, as_: As, django_assert_num_queries: Any) -> None:
        caller = as_(ada)
        caller.get(ADDRESS)
        with django_assert_num_queries(1):
            assert caller.get(ADDRESS).status_code == 200
