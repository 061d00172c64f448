"""What staff see and do of what learners take along (contract 9, 11): bundles, licences, keys, mounts, what devices
told."""

import json
import re
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.contrib.admin.models import LogEntry
from django.contrib.admin.utils import quote
from django.test import Client as Browser
from django.utils import timezone, translation

from apps.accounts.models import User
from apps.delivery import licences
from apps.delivery.models import Bundle, License, LicenseKey, SyncMutation
from apps.delivery.services import bundles as services
from apps.events.models import OutboxEvent
from apps.jobs.models import Job
from apps.kernel.clock import now
from apps.kernel.sentences import translated
from apps.tenants import binding, registry
from apps.tenants.models import Client, EndUser
from tests import make
from tests.backoffice.forms import errors_in, fields_of, send
from tests.delivery.offline import Packed, make_packed

BUNDLES, LICENSES = "/admin/delivery/bundle/", "/admin/delivery/license/"
KEYS, MOUNTS = "/admin/delivery/licensekey/", "/admin/delivery/mount/"
MUTATIONS, SESSIONS = "/admin/delivery/syncmutation/", "/admin/delivery/playsession/"
DEVICES = "/admin/delivery/device/"
LISTS = (BUNDLES, LICENSES, KEYS, MOUNTS, MUTATIONS)
ROTATE = f"{KEYS}rotate/"


@pytest.fixture(autouse=True)
def delivering(demo: Client, acme: Client) -> None:
    Client.objects.filter(pk__in=["demo", "acme"]).update(modules=["delivery"])
    registry.forget()


@pytest.fixture
def browser(cleo: User, at_admin: Callable[[User], Browser]) -> Browser:
    return at_admin(cleo)


@pytest.fixture
def packed(ada: EndUser) -> Packed:
    return make_packed(ada)


@pytest.fixture
def theirs(dan: EndUser) -> Packed:
    """Another client's."""
    return make_packed(dan)


def page(browser: Browser, path: str) -> str:
    response = browser.get(path)
    assert response.status_code == 200, (path, response.status_code)
    return response.content.decode()


def words_of(response: Any) -> str:
    """Without its tags."""
    return re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", response.content.decode()))


def seen(browser: Browser, path: str) -> str:
    response = browser.get(path)
    assert response.status_code == 200, (path, response.status_code)
    return words_of(response)


def of(row: Any, *way: str) -> str:
    """Its page, or one below it."""
    return f"/admin/delivery/{row._meta.model_name}/{row.pk}/{'/'.join(way) or 'change'}/"


def link_to(row: Any) -> str:
    """As lists have it."""
    return f"/admin/delivery/{row._meta.model_name}/{quote(row.pk)}/change/"


def rows(model: Any, client_id: str = "demo") -> list[Any]:
    with binding.bound(client_id):
        return list(model.objects.for_client(client_id).order_by("pk"))


def events() -> list[tuple[str, str]]:
    with binding.bound("demo"):
        return list(OutboxEvent.objects.order_by("id").values_list("event_type", "subject_id"))


def logged(row: Any) -> list[tuple[str, str]]:
    with binding.bound(binding.ALL_CLIENTS):
        entries = LogEntry.objects.filter(object_id=row.pk).order_by("id").select_related("user")
        return [(entry.user.username, entry.get_change_message()) for entry in entries]


def revoked(bundle: Bundle) -> tuple[str, str] | None:
    """Why, and by whom."""
    with binding.bound(binding.ALL_CLIENTS):
        found = Bundle.objects.select_related("revocation").get(pk=bundle.pk)
        return (found.revocation.reason, found.revocation.revoked_by) if found.revoked_at else None


def act(browser: Browser, action: str, chosen: list[Any], **more: Any) -> Any:
    ids = [row.pk for row in chosen]
    return browser.post(BUNDLES, {"action": action, "_selected_action": ids, "index": "0", **more})


# --- bundles ---


def test_a_bundle_is_built_of_a_version(browser: Browser, demo: Client, acme: Client) -> None:
    version = make.make_course_version(demo)
    bare, foreign = make.make_course_version(demo, packaged=False), make.make_course_version(acme)
    path = f"{BUNDLES}add/"
    assert errors_in(send(browser, path, {"course_version": version.pk})) == []
    (bundle,) = rows(Bundle)
    assert (bundle.course_version_id, bundle.status, bundle.created_by) == (version.pk, "building", "cleo")
    assert [(job.kind, job.subject_id) for job in rows(Job)] == [(services.BUILD, bundle.pk)]
    assert logged(bundle) == [("cleo", "Added.")]
    shown = page(browser, path)
    for other in (bare, foreign):
        assert other.pk not in shown
        assert errors_in(send(browser, path, {"course_version": other.pk})) != []
    assert len(rows(Bundle)) == 1


def test_platform_staff_build_for_a_client_what_is_the_clients(
    root: User, at_admin: Callable[[User], Browser], demo: Client, acme: Client
) -> None:
    browser, path = at_admin(root), f"{BUNDLES}add/"
    own, foreign = make.make_course_version(demo), make.make_course_version(acme)
    refused = send(browser, path, {"client": "demo", "course_version": foreign.pk})
    assert errors_in(refused) == ["Course version not found"]
    assert errors_in(send(browser, path, {"client": "demo", "course_version": own.pk})) == []
    assert [bundle.created_by for bundle in rows(Bundle)] == ["root"]


def test_a_bundle_shows_how_it_fared_and_what_came_of_it(browser: Browser, packed: Packed) -> None:
    make.make_mount(packed.session, packed.bundle, packed.license)
    shown = seen(browser, of(packed.bundle))
    for words in ("Ready", "6", packed.bundle.checksum, packed.license.pk, packed.device.name, packed.session.pk):
        assert words in shown, words
    assert "version 1 Ready 6 bytes" in seen(browser, BUNDLES).replace("\xa0", " ")


def test_bundles_are_found_by_state_course_and_id(browser: Browser, demo: Client, packed: Packed) -> None:
    failed = make.make_bundle(make.make_course_version(demo), status="failed")
    for query, found, other in (
        ("status__exact=failed", failed, packed.bundle),
        ("revoked=no", failed, None),
        ("revoked=yes", None, failed),
        (f"q={packed.bundle.checksum}", packed.bundle, failed),
        (f"q={failed.course_version_id}", failed, packed.bundle),
        (f"course={failed.course_version.course_id}", failed, packed.bundle),
    ):
        shown = page(browser, f"{BUNDLES}?{query}")
        assert found is None or link_to(found) in shown, query
        assert other is None or link_to(other) not in shown, query


def test_what_could_not_be_built_says_why_and_is_built_again(browser: Browser, demo: Client, packed: Packed) -> None:
    failed = make.make_bundle(make.make_course_version(demo), status="failed")
    assert "Something was missing." in seen(browser, of(failed))
    assert of(failed, "license") not in page(browser, of(failed))
    assert browser.get(of(failed, "build")).status_code == 405
    assert browser.post(of(failed, "build")).headers["Location"] == of(failed)
    assert "The bundle is being built again." in seen(browser, of(failed))
    assert {row.pk: row.status for row in rows(Bundle)}[failed.pk] == "building"
    assert [job.subject_id for job in rows(Job)] == [failed.pk]
    assert logged(failed) == [("cleo", "Built again.")]

    browser.post(of(packed.bundle, "build"))
    assert "Only a bundle that could not be built is built again" in seen(browser, of(packed.bundle))
    assert len(rows(Job)) == 1
    assert "Build again" not in page(browser, of(packed.bundle))


def test_many_are_built_again(browser: Browser, demo: Client, packed: Packed) -> None:
    failed = [make.make_bundle(make.make_course_version(demo), status="failed") for _ in range(2)]
    act(browser, "build", [packed.bundle, *failed])
    assert "2 bundles are being built again." in seen(browser, BUNDLES)
    assert sorted(job.subject_id for job in rows(Job)) == [bundle.pk for bundle in failed]
    act(browser, "build", [packed.bundle])
    assert "0 bundles are being built again." in seen(browser, BUNDLES)


def test_the_file_is_downloaded_while_it_may_be(
    browser: Browser, packed: Packed, demo: Client, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = tmp_path / "bundle.zip"
    file.write_bytes(b"zipped")
    monkeypatch.setattr("apps.catalog.media.objects", lambda: _Store(file))
    answer: Any = browser.get(of(packed.bundle, "download"))
    assert b"".join(answer.streaming_content) == b"zipped"
    assert answer.headers["Content-Type"] == "application/zip"
    assert answer.headers["Content-Length"] == "6"
    assert answer.headers["Content-Disposition"] == f'attachment; filename="{packed.bundle.pk}.zip"'

    building = make.make_bundle(make.make_course_version(demo), status="building")
    assert browser.get(of(building, "download")).headers["Location"] == of(building)
    assert "The bundle is being built" in seen(browser, of(building))
    file.unlink()
    browser.get(of(packed.bundle, "download"))
    assert "The file cannot be read just now" in seen(browser, of(packed.bundle))
    browser.post(of(packed.bundle, "revoke"), {"reason": "Wrong film"})
    browser.get(of(packed.bundle, "download"))
    assert "The bundle was revoked" in seen(browser, of(packed.bundle))


class _Store:
    """One file, whatever is asked for."""

    def __init__(self, file: Path) -> None:
        self._file = file

    def open_at(self, name: str, start: int, length: int) -> Any:
        opened = self._file.open("rb")
        opened.seek(start)
        return opened


# --- revoking ---


def test_a_bundle_is_revoked_with_a_reason(browser: Browser, packed: Packed) -> None:
    path = of(packed.bundle, "revoke")
    asked = seen(browser, path)
    assert "This cannot be taken back." in asked
    assert packed.bundle.pk in asked
    assert browser.post(path, {"reason": " "}).context["form"].errors
    assert revoked(packed.bundle) is None
    assert browser.post(path, {"reason": "Wrong film"}).headers["Location"] == of(packed.bundle)
    assert revoked(packed.bundle) == ("Wrong film", "cleo")
    assert ("delivery.bundle.revoked.v1", packed.bundle.pk) in events()
    assert logged(packed.bundle) == [("cleo", "Revoked.")]
    assert "Wrong film" in seen(browser, of(packed.bundle))
    for way in ("revoke", "download", "license"):
        assert of(packed.bundle, way) not in page(browser, of(packed.bundle))

    browser.post(path, {"reason": "Another"})
    assert "The bundle was revoked" in seen(browser, of(packed.bundle))
    assert revoked(packed.bundle) == ("Wrong film", "cleo")
    assert len(logged(packed.bundle)) == 1


def test_many_are_revoked_once_it_is_confirmed(browser: Browser, packed: Packed, ben: EndUser) -> None:
    other, kept = make_packed(ben).bundle, make.make_bundle(packed.bundle.course_version)
    chosen = [packed.bundle, other]
    asked = act(browser, "revoke", chosen)
    assert "Revoke 2 bundles" in words_of(asked) + asked.content.decode()
    assert [revoked(bundle) for bundle in chosen] == [None, None]
    assert act(browser, "revoke", chosen, _do="x", reason="").context["form"].errors
    # What the browser sends is what the page has.
    hidden = dict(asked.context["question"].hidden)
    assert {name for name, _ in asked.context["question"].hidden} == {"action", "index", "_selected_action"}
    assert hidden["action"] == "revoke"
    assert act(browser, "revoke", chosen, _do="x", reason="Recalled").headers["Location"] == BUNDLES
    assert [revoked(bundle) for bundle in (*chosen, kept)] == [("Recalled", "cleo"), ("Recalled", "cleo"), None]
    assert "2 rows were changed." in seen(browser, BUNDLES)
    assert [logged(bundle) for bundle in chosen] == [[("cleo", "Revoked.")]] * 2

    act(browser, "revoke", chosen)
    assert "There is nothing to revoke." in seen(browser, BUNDLES)


def test_one_that_is_revoked_already_keeps_its_reason_among_many(browser: Browser, packed: Packed) -> None:
    browser.post(of(packed.bundle, "revoke"), {"reason": "First"})
    other = make.make_bundle(packed.bundle.course_version)
    act(browser, "revoke", [packed.bundle, other], _do="x", reason="Second")
    assert (revoked(packed.bundle), revoked(other)) == (("First", "cleo"), ("Second", "cleo"))
    assert len(logged(packed.bundle)) == 1


def test_so_many_are_not_revoked_at_once(browser: Browser, packed: Packed, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("apps.delivery.admin.bundles._MOST_REVOKED", 1)
    other = make.make_bundle(packed.bundle.course_version)
    act(browser, "revoke", [packed.bundle, other], _do="x", reason="Second")
    assert "At most 1 bundles can be revoked at once." in seen(browser, BUNDLES)
    assert revoked(other) is None


# --- licences ---


def test_a_licence_is_issued_and_shown_once(browser: Browser, packed: Packed) -> None:
    path = of(packed.bundle, "license")
    assert f'<option value="{packed.device.pk}">' in page(browser, path)
    answer = send(browser, path, {"device_id": packed.device.pk, "expires_at": ""})
    license_ = rows(License)[-1]
    envelope = answer.context["envelope"]
    assert (license_.device_id, license_.issued_by) == (packed.device.pk, "cleo")
    assert license_.expires_at == (license_.issued_at + timedelta(days=30)).replace(microsecond=0)
    with binding.bound("demo"):
        key = LicenseKey.objects.get()
    assert licences.verify(licences.parse(envelope), algorithm="EdDSA", public=key.public).license_id == license_.pk
    assert "no-store" in answer.headers["Cache-Control"]
    assert logged(license_) == [("cleo", "Issued.")]
    for shown in (LICENSES, of(license_), of(packed.bundle), of(packed.device)):
        assert license_.pk in page(browser, shown)
        assert envelope not in page(browser, shown)


def test_a_form_sent_twice_issues_one_licence(browser: Browser, packed: Packed) -> None:
    form = {**fields_of(browser, of(packed.bundle, "license")), "device_id": packed.device.pk}
    for _ in range(2):
        browser.post(of(packed.bundle, "license"), form)
    assert len(rows(License)) == 2  # with the one that was there
    assert "the licence was shown once" in seen(browser, of(packed.bundle))


def test_a_licence_is_refused_beside_what_is_wrong(browser: Browser, packed: Packed, theirs: Packed) -> None:
    path, today = of(packed.bundle, "license"), timezone.localtime()
    for device_id, until, field, said in (
        (theirs.device.pk, None, "device_id", "Device not found"),
        ("dev_nothing", None, "device_id", "Device not found"),
        ("", None, "device_id", "This field is required."),
        (packed.device.pk, today - timedelta(days=1), "expires_at", "Must be in the future."),
        (packed.device.pk, today + timedelta(days=366), "expires_at", "Must be within 365 days."),
    ):
        given = {"device_id": device_id, "expires_at": f"{until:%Y-%m-%dT%H:%M}" if until else ""}
        assert browser.post(path, given).context["form"].errors[field] == [said]
    assert len(rows(License)) == 1


def test_one_on_a_device_that_is_not_trusted_says_so(browser: Browser, packed: Packed, ben: EndUser) -> None:
    answer = browser.post(of(packed.bundle, "license"), {"device_id": make.make_device(ben).pk})
    assert "mounts nothing until it is" in words_of(answer)
    assert len(rows(License)) == 2


def test_none_is_issued_for_a_revoked_bundle(browser: Browser, packed: Packed) -> None:
    browser.post(of(packed.bundle, "revoke"), {"reason": "Wrong film"})
    answer = browser.post(of(packed.bundle, "license"), {"device_id": packed.device.pk})
    assert answer.headers["Location"] == of(packed.bundle)
    assert len(rows(License)) == 1


def test_licences_are_found_and_never_changed(browser: Browser, packed: Packed, ben: EndUser) -> None:
    old = make.make_license(packed.bundle, make.make_device(ben), now=now() - timedelta(days=40))[0]
    for query, found, other in (
        ("state=good", packed.license, old),
        ("state=expired", old, packed.license),
        (f"device={old.device_id}", old, packed.license),
        (f"bundle={packed.bundle.pk}&state=expired", old, packed.license),
        ("q=ben", old, packed.license),
        (f"q={old.pk}", old, packed.license),
        (f"q={old.device_id}", old, packed.license),
    ):
        shown = page(browser, f"{LICENSES}?{query}")
        assert link_to(found) in shown, query
        assert link_to(other) not in shown, query
    assert of(old) not in page(browser, f"{LICENSES}?q={make.make_bundle(packed.bundle.course_version).pk}")
    # No row has it, and PostgreSQL would not take it.
    for query in ("bundle=%00", "device=%00", "state=%00", "q=%00"):
        assert browser.get(f"{LICENSES}?{query}").status_code in (200, 302, 400), query
    assert browser.get(f"{LICENSES}add/").status_code == 403
    assert browser.post(of(old), {"expires_at_0": "2099-01-01"}).status_code == 403


# --- mounts, devices, sessions ---


def test_mounts_are_found_and_never_changed(browser: Browser, packed: Packed, ben: EndUser) -> None:
    bens = make_packed(ben)
    closed = make.make_mount(packed.session, packed.bundle, packed.license, unmounted_at=now(), reason="Full")
    opened = make.make_mount(bens.session, bens.bundle, bens.license)
    for query, found, other in (
        ("state=open", opened, closed),
        ("state=closed", closed, opened),
        (f"device={bens.device.pk}", opened, closed),
        (f"bundle={packed.bundle.pk}", closed, opened),
        (f"course={bens.bundle.course_version.course_id}", opened, closed),
        *((f"q={each.pk}", closed, opened) for each in (closed, packed.session, packed.bundle)),
        *((f"q={each.pk}", closed, opened) for each in (packed.device, packed.license)),
        ("q=ben", opened, closed),
    ):
        shown = page(browser, f"{MOUNTS}?{query}")
        assert link_to(found) in shown, query
        assert link_to(other) not in shown, query
    assert "Full" in seen(browser, of(closed))
    assert browser.get(f"{MOUNTS}add/").status_code == 403
    assert browser.post(of(opened), {"reason": "x"}).status_code == 403


def test_a_device_a_licence_and_a_session_show_what_was_mounted(browser: Browser, packed: Packed, ada: EndUser) -> None:
    bare = make.make_device(ada)
    mount = make.make_mount(packed.session, packed.bundle, packed.license)
    for path in (of(packed.device), of(packed.license), of(packed.session), of(packed.bundle)):
        assert of(mount) in page(browser, path), path
    assert "Nothing was mounted." in seen(browser, of(bare))
    assert "No licence was issued." in seen(browser, of(bare))


def test_a_session_leads_to_what_devices_told_of_it(browser: Browser, packed: Packed, ada: EndUser) -> None:
    told = make.make_sync_mutation(ada, entity_id=packed.session.pk, verdict="applied")
    other = make.make_sync_mutation(ada)
    with binding.bound("demo"):
        packed.session.changes.create(
            client_id="demo", version=2, action="synced", state="active", cursor={}, at=now(), author="ada"
        )
    shown = page(browser, of(packed.session))
    assert "Synchronised" in shown
    (link,) = re.findall(r'href="(/admin/delivery/syncmutation/[^"]+)"', shown)
    listed = page(browser, link.replace("&amp;", "&"))
    assert link_to(told) in listed
    assert link_to(other) not in listed


# --- keys ---


def rotate(browser: Browser, algorithm: str = "ES256", until: str = "") -> Any:
    """Look at what it would mean, and send what that page has."""
    looked = browser.post(ROTATE, {"algorithm": algorithm, "verifies_until": until, "_check": "x"})
    return looked, browser.post(ROTATE, {**dict(looked.context["question"].hidden), "_do": "x"})


def test_the_first_key_is_made_by_a_rotation(browser: Browser) -> None:
    looked, done = rotate(browser)
    assert "No key signs yet" in words_of(looked)
    assert done.headers["Location"] == KEYS
    (key,) = rows(LicenseKey)
    assert (key.algorithm, key.created_by, key.retired_at) == ("ES256", "cleo", None)
    assert logged(key) == [("cleo", "Rotated.")]


def test_a_key_is_rotated_and_what_it_signed_stays_good_until_then(browser: Browser, packed: Packed) -> None:
    until = (now() + timedelta(days=7)).replace(second=0, microsecond=0)
    looked, _ = rotate(browser, until=f"{until:%Y-%m-%dT%H:%M}")
    assert "1 licence would have been good for longer." in words_of(looked)
    old, new = rows(LicenseKey)
    assert (old.verifies_until, new.algorithm, new.retired_at) == (until, "ES256", None)
    listed = seen(browser, KEYS)
    assert f"{old.pk} EdDSA (Ed25519) Retired, still verifies" in listed
    assert f"{new.pk} ES256 (P-256) Signs" in listed
    for state, found, other in (("signs", new, old), ("verifies", old, new)):
        assert link_to(found) in page(browser, f"{KEYS}?state={state}")
        assert link_to(other) not in page(browser, f"{KEYS}?state={state}")


def test_left_alone_the_date_is_when_the_last_licence_expires(browser: Browser, packed: Packed) -> None:
    looked, _ = rotate(browser)
    assert "stays good until it expires" in words_of(looked)
    assert rows(LicenseKey)[0].verifies_until == packed.license.expires_at


def test_looking_rotates_nothing_and_a_form_sent_twice_once(browser: Browser, packed: Packed) -> None:
    for given in ({"algorithm": "HS256"}, {"algorithm": "ES256", "verifies_until": "soon", "_do": "x"}):
        assert browser.post(ROTATE, given).context["form"].errors
    looked, _ = rotate(browser)
    assert len(rows(LicenseKey)) == 2
    browser.post(ROTATE, {**dict(looked.context["question"].hidden), "_do": "x"})
    assert len(rows(LicenseKey)) == 2
    assert "it was saved once" in seen(browser, KEYS)


def test_the_private_half_is_on_no_page(browser: Browser, packed: Packed) -> None:
    rotate(browser)
    for key in rows(LicenseKey):
        assert key.public["x"] in page(browser, of(key))
        for path in (KEYS, of(key), f"{of(key)}?_popup=1", of(key, "history"), of(packed.license)):
            shown = page(browser, path)
            assert key.sealed not in shown
            assert "sealed" not in shown
            assert '"d"' not in shown


def test_keys_are_rotated_for_one_client(root: User, at_admin: Callable[[User], Browser], packed: Packed) -> None:
    browser = at_admin(root)
    assert browser.get(ROTATE).status_code == 403
    assert browser.post(ROTATE, {"algorithm": "ES256", "_do": "x"}).status_code == 403
    browser.post("/admin/acting-for", {"client": "demo"})
    rotate(browser)
    assert [key.created_by for key in rows(LicenseKey)] == ["", "root"]


# --- what devices told ---


def test_what_was_told_is_shown_with_its_verdict_in_words(browser: Browser, ada: EndUser, ben: EndUser) -> None:
    problem = {
        "code": "request.invalid",
        "detail": "Invalid request",
        "errors": [{"pointer": "/payload/state", "detail": '"<b>" is not a valid choice.'}],
    }
    rejected = make.make_sync_mutation(
        ada, problem=problem, told={"payload": {"state": "<b>", "name": "跌倒"}}, client_mutation_id=None
    )
    applied = make.make_sync_mutation(ben, verdict="applied")
    shown = page(browser, of(rejected))
    assert "Invalid request <code>request.invalid</code>" in shown
    assert "<li><code>/payload/state</code> &quot;&lt;b&gt;&quot; is not a valid choice.</li>" in shown
    assert json.dumps({"state": "<b>"})[1:-1].replace("<", "&lt;").replace(">", "&gt;").replace('"', "&quot;") in shown
    assert "跌倒" in shown
    browser.cookies["django_language"] = "zh-hant"
    assert "「" not in shown
    assert "不是有效的選項" in page(browser, of(rejected))
    for query, found, other in (
        ("verdict__exact=rejected", rejected, applied),
        ("q=ben", applied, rejected),
        (f"q={applied.entity_id}", applied, rejected),
        (f"q={applied.client_mutation_id}", applied, rejected),
        (f"user=ada&entity={rejected.entity_id}", rejected, applied),
    ):
        listed = page(browser, f"{MUTATIONS}?{query}")
        assert link_to(found) in listed, query
        assert link_to(other) not in listed, query
    assert browser.get(f"{MUTATIONS}add/").status_code == 403
    assert browser.post(of(applied), {"verdict": "rejected"}).status_code == 403
    assert len(rows(SyncMutation)) == 2


# --- all of them ---


def everything(packed: Packed, user: EndUser) -> dict[str, Any]:
    mount = make.make_mount(packed.session, packed.bundle, packed.license)
    told = make.make_sync_mutation(user)
    with binding.bound(user.client_id):
        key = LicenseKey.objects.get(pk=packed.license.key_id)
    return {BUNDLES: packed.bundle, LICENSES: packed.license, KEYS: key, MOUNTS: mount, MUTATIONS: told}


def test_another_clients_are_as_if_they_had_never_been(browser: Browser, theirs: Packed, dan: EndUser) -> None:
    for path, row in everything(theirs, dan).items():
        assert link_to(row) not in page(browser, path)
        assert browser.get(of(row)).headers["Location"] == "/admin/"
    failed = make.make_bundle(theirs.bundle.course_version, status="failed")
    for bundle in (theirs.bundle, failed):
        for way in ("revoke", "license", "build", "download"):
            answer = browser.post(of(bundle, way), {"reason": "x", "device_id": theirs.device.pk})
            assert answer.headers["Location"] == "/admin/", way
    for action in ("revoke", "build"):
        act(browser, action, [theirs.bundle, failed], _do="x", reason="x")
    rotate(browser)
    assert [row.status for row in rows(Bundle, "acme")] == ["ready", "failed"]
    assert (revoked(theirs.bundle), revoked(failed)) == (None, None)
    assert (len(rows(License, "acme")), len(rows(LicenseKey, "acme"))) == (1, 1)


def test_without_the_module_nothing_of_it_is_there(browser: Browser, packed: Packed, ada: EndUser) -> None:
    made = everything(packed, ada)
    Client.objects.filter(pk="demo").update(modules=[])
    registry.forget()
    for path in (*LISTS, f"{BUNDLES}add/", ROTATE, *(of(row) for row in made.values())):
        assert browser.get(path).status_code == 403, path
    for way in ("revoke", "license", "build", "download"):
        assert browser.post(of(packed.bundle, way), {"reason": "x", "device_id": packed.device.pk}).status_code == 403
    assert browser.post(ROTATE, {"algorithm": "ES256", "_do": "x"}).status_code == 403
    assert (revoked(packed.bundle), len(rows(License)), len(rows(LicenseKey))) == (None, 1, 1)


def test_platform_staff_revoke_those_of_several_clients(
    root: User, at_admin: Callable[[User], Browser], packed: Packed, theirs: Packed
) -> None:
    browser = at_admin(root)
    act(browser, "revoke", [packed.bundle, theirs.bundle], _do="x", reason="Recalled")
    assert [revoked(each.bundle) for each in (packed, theirs)] == [("Recalled", "root")] * 2
    answer = browser.post(
        of(make.make_bundle(packed.bundle.course_version), "license"), {"device_id": theirs.device.pk}
    )
    assert answer.context["form"].errors["device_id"] == ["Device not found"]


def test_lists_and_pages_cost_the_same_however_long_they_are(
    browser: Browser, demo: Client, django_assert_max_num_queries: Any
) -> None:
    version = make.make_course_version(demo)
    bundle = make.make_bundle(version)
    for number in range(6):
        user = make.make_user(demo, f"learner-{number}")
        device = make.make_device(user, trusted=True)
        session = make.make_play_session(make.make_enrollment(user, version), device=device)
        made = make.make_license(bundle, device)[0]
        make.make_mount(session, bundle, made)
        make.make_sync_mutation(user)
        make.make_bundle(version)
    for path in (*LISTS, of(bundle), of(device), of(made), of(session), of(bundle, "license")):
        browser.get(path)
        with django_assert_max_num_queries(14):
            page(browser, path)


@pytest.mark.parametrize("script", ["zh-hant", "zh-hans"])
def test_it_is_said_in_both_chinese_scripts(browser: Browser, packed: Packed, ada: EndUser, script: str) -> None:
    made = {**everything(packed, ada), "accepted": make.make_sync_mutation(ada, verdict="applied")}
    failed = make.make_bundle(packed.bundle.course_version, status="failed")
    browser.cookies["django_language"] = script
    paths = [*LISTS, f"{BUNDLES}add/", ROTATE, of(packed.device), of(packed.session), of(failed)]
    paths += [of(row) for row in made.values()] + [of(packed.bundle, way) for way in ("revoke", "license")]
    for path in paths:
        shown = re.sub(r"<(script|symbol|style|pre).*?</\1>", "", page(browser, path), flags=re.DOTALL)
        shown = shown.split('id="content"')[1]
        texts = re.sub(r"<[^>]+>", "\n", shown)
        # Names of things that tests made, of formats and of people are in English everywhere.
        known = "Course \\d+|Phone \\d+|Lesson \\d+|Something was missing.|PlaySession|Lamport|EdDSA|Ed25519|ES256"
        left = {
            text.strip() for text in re.sub(known, "", texts).splitlines() if re.search(r"[A-Z][a-z]+ ?[a-z]+", text)
        }
        assert left == set(), path


def test_refusals_are_said_in_both_scripts() -> None:
    for script in ("zh-hant", "zh-hans"):
        with translation.override(script):
            for sentence in (
                *("The bundle was revoked", "The bundle is being built", "The bundle could not be built"),
                *("Only a bundle that could not be built is built again", "Bundle not found", "Device not found"),
                *("Must be within 365 days.", "Must be in the future.", "Play session not found"),
                *("This play session is another user's", "There is no such lesson in the course"),
                *("There is no such block in the lesson", "There is nothing to play for this course version"),
                "The course has no such lesson as one of the completed ones",
            ):
                assert translated(sentence) != sentence, sentence
