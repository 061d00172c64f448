"""What learners take along, in the admin in a real browser: licences are handed out, bundles revoked (contract 11)."""

from collections.abc import Callable
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from apps.accounts.models import User
from apps.delivery.models import BundleRevocation, License, LicenseKey
from apps.tenants import binding, registry
from apps.tenants.models import Client, EndUser
from tests import make
from tests.browser.conftest import DESKTOP, PHONE
from tests.browser.test_admin import sign_in
from tests.browser.test_pages_for_everybody import serious_findings
from tests.delivery.offline import Packed, make_packed

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def packed(demo: Client, ada: EndUser) -> Packed:
    Client.objects.filter(pk="demo").update(modules=["delivery"])
    registry.forget()
    return make_packed(ada)


def of(row: Any, *way: str) -> str:
    return f"/admin/delivery/{row._meta.model_name}/{row.pk}/{'/'.join(way) or 'change'}/"


def addresses(packed: Packed, user: EndUser) -> list[str]:
    """Every page of these that there is."""
    mount = make.make_mount(packed.session, packed.bundle, packed.license)
    problem = {"code": "request.invalid", "detail": "Invalid request", "errors": [{"pointer": "/op", "detail": "x"}]}
    told = make.make_sync_mutation(user, problem=problem, told={"payload": {"words": "long " * 60}})
    failed = make.make_bundle(packed.bundle.course_version, status="failed")
    with binding.bound("demo"):
        key = LicenseKey.objects.get()
    rows = (packed.bundle, packed.license, key, mount, told, packed.device, packed.session, failed)
    return [
        *(f"/admin/delivery/{row._meta.model_name}/" for row in rows[:6]),
        *(of(row) for row in rows),
        *(of(packed.bundle, way) for way in ("license", "revoke")),
        *("/admin/delivery/bundle/add/", "/admin/delivery/licensekey/rotate/"),
    ]


def test_a_licence_is_handed_out_and_the_bundle_revoked(page: Page, cleo: User, packed: Packed) -> None:
    sign_in(page, cleo)
    page.goto(of(packed.bundle))
    page.get_by_role("link", name="Issue a licence").click()
    page.get_by_label("Device").fill(packed.device.pk)
    page.get_by_role("button", name="Issue the licence").click()
    envelope = page.get_by_label("Licence", exact=True).input_value()
    assert envelope.count(".") == 2
    page.get_by_role("link", name="Done").click()
    with binding.bound("demo"):
        issued = License.objects.get(issued_by="cleo", issued_at__gt=packed.license.issued_at)
    expect(page.get_by_role("link", name=issued.pk)).to_be_visible()

    page.get_by_role("link", name="Bundles").last.click()
    page.get_by_label("Select this object for an action - ").check()
    page.locator("select[name=action]").select_option("revoke")
    page.get_by_title("Run the selected action").click()
    page.get_by_label("Reason").fill("Recalled")
    page.get_by_role("button", name="Revoke 1 bundle").click()
    expect(page.get_by_text("1 row was changed.")).to_be_visible()
    with binding.bound("demo"):
        assert BundleRevocation.objects.get().reason == "Recalled"


def test_a_key_is_rotated_after_a_look(page: Page, cleo: User, packed: Packed) -> None:
    sign_in(page, cleo)
    page.goto("/admin/delivery/licensekey/")
    page.get_by_role("link", name="Rotate the licence key").click()
    page.get_by_label("Algorithm").select_option("ES256")
    page.get_by_label("Verifies until").fill("2030-01-31T12:30")
    page.get_by_role("button", name="Preview").click()
    expect(page.get_by_text("No licence is good for longer than that.")).to_be_visible()
    page.get_by_role("button", name="Rotate").click()
    expect(page.get_by_text("signs from now on.")).to_be_visible()
    with binding.bound("demo"):
        old, new = LicenseKey.objects.order_by("pk")
    assert (new.algorithm, f"{old.verifies_until:%Y-%m-%d %H:%M}") == ("ES256", "2030-01-31 12:30")


@pytest.mark.parametrize(
    ("viewport", "scheme", "language"), [(PHONE, "light", "zh-hant"), (DESKTOP, "dark", "en")], ids=["phone", "desktop"]
)
def test_pages_fit_their_screen_and_axe_finds_nothing_serious(
    new_page: Callable[..., Page],
    cleo: User,
    ada: EndUser,
    packed: Packed,
    viewport: dict[str, int],
    scheme: str,
    language: str,
) -> None:
    paths = addresses(packed, ada)
    page = new_page(viewport=viewport, color_scheme=scheme, reduced_motion="reduce")
    sign_in(page, cleo)
    page.get_by_label("Language").select_option(language)
    expect(page.locator(f"html[lang={language}]")).to_be_attached()
    found: dict[str, list[str]] = {}
    for path in paths:
        page.goto(path)
        found[path] = serious_findings(page)
        if page.evaluate("document.documentElement.scrollWidth") > viewport["width"]:
            found[path].append("wider than the screen")
    assert {path: findings for path, findings in found.items() if findings} == {}
