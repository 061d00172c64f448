"""Who gets into the admin, how often may they try, and how long does it last? (quality.md, threats)"""

import time
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
import time_machine
from axes.models import AccessAttempt
from django.contrib.sessions.models import Session
from django.test import Client as Browser
from django.utils import timezone
from django_otp.oath import totp
from django_otp.plugins.otp_totp.models import TOTPDevice

from apps.accounts.models import User
from tests import make
from tests.backoffice.conftest import PASSWORD

LOGIN = "/admin/login/"


def sign_in(browser: Browser, name: str = "cleo", password: str = PASSWORD, query: str = "", **more: Any) -> Any:
    address = {key: more.pop(key) for key in ("REMOTE_ADDR", "HTTP_X_FORWARDED_FOR") if key in more}
    return browser.post(LOGIN + query, {"username": name, "password": password, **more}, **address)


def is_in(browser: Browser) -> bool:
    return browser.get("/admin/").status_code == 200


def code_of(device: TOTPDevice, steps: int = 0) -> str:
    return f"{totp(device.bin_key, t0=-steps * device.step):06d}"


@pytest.fixture
def device(cleo: User) -> TOTPDevice:
    return TOTPDevice.objects.create(user=cleo, name="TOTP", confirmed=True)


def test_staff_sign_in_by_name_and_password(cleo: User, client: Browser) -> None:
    response = sign_in(client)

    assert (response.status_code, response.headers["Location"]) == (302, "/admin/")
    assert is_in(client)


@pytest.mark.parametrize(
    "target", ["https://evil.example.com/", "//evil.example.com", "/\\evil.example.com", "javascript:x"]
)
def test_nobody_is_sent_elsewhere_after_it(cleo: User, client: Browser, target: str) -> None:
    response = sign_in(client, next=target)

    assert response.headers["Location"] == "/admin/"


def test_the_page_that_was_asked_for_comes_after_it(cleo: User, client: Browser) -> None:
    assert sign_in(client, next="/admin/catalog/lesson/").headers["Location"] == "/admin/catalog/lesson/"


def test_the_session_is_another_one_afterwards(cleo: User, client: Browser) -> None:
    session = client.session
    session["planted"] = True
    session.save()
    before = session.session_key

    sign_in(client)

    assert client.session.session_key != before
    assert not Session.objects.filter(pk=before).exists()


def test_those_who_left_do_not_get_in(client: Browser, demo: Any) -> None:
    make.make_staff("gone", demo, is_active=False)

    assert sign_in(client, "gone").status_code == 200
    assert not is_in(client)


def test_guessing_stops_after_five_failures(cleo: User, client: Browser) -> None:
    statuses = [sign_in(client, password="wrong").status_code for _ in range(6)]

    assert statuses == [200, 200, 200, 200, 429, 429]
    assert sign_in(client).status_code == 429
    assert not is_in(client)


def test_a_header_makes_nobody_somebody_else(cleo: User, client: Browser) -> None:
    for number in range(5):
        sign_in(client, password="wrong", HTTP_X_FORWARDED_FOR=f"10.0.0.{number}")

    assert sign_in(client, HTTP_X_FORWARDED_FOR="10.0.0.99").status_code == 429


def test_others_are_not_locked_out_with_them(cleo: User, root: User, client: Browser) -> None:
    for _ in range(6):
        sign_in(client, password="wrong")

    assert sign_in(Browser(), "root").status_code == 302
    assert sign_in(Browser(), REMOTE_ADDR="203.0.113.7").status_code == 302


def test_the_lock_opens_by_itself(cleo: User, client: Browser) -> None:
    for _ in range(6):
        sign_in(client, password="wrong")

    with time_machine.travel(timezone.now() + timedelta(seconds=901)):
        assert sign_in(client).status_code == 302


def test_platform_staff_open_the_lock(
    cleo: User, root: User, client: Browser, at_admin: Callable[..., Browser]
) -> None:
    for _ in range(6):
        sign_in(client, password="wrong")

    at_admin(root).post("/admin/accounts/user/", {"action": "unlock", "_selected_action": [cleo.pk]})

    assert sign_in(client).status_code == 302


def test_no_password_is_written_down(cleo: User, client: Browser) -> None:
    sign_in(client, password="hunter2hunter2", code="123456")

    attempt = AccessAttempt.objects.get()
    assert "hunter2" not in attempt.post_data
    assert "123456" not in attempt.post_data


def test_an_idle_session_is_over(cleo: User, client: Browser, settings: Any) -> None:
    settings.SESSION_COOKIE_AGE = 600
    start = timezone.now()
    with time_machine.travel(start, tick=False) as clock:
        sign_in(client)
        for minute in range(5, 60, 5):
            clock.move_to(start + timedelta(minutes=minute))
            assert is_in(client)
        clock.move_to(start + timedelta(minutes=55, seconds=601))
        assert not is_in(client)


def test_a_second_factor_is_set_up_and_asked_for_from_then_on(cleo: User, client: Browser) -> None:
    sign_in(client)
    elsewhere = Browser()
    sign_in(elsewhere)
    page = client.get("/admin/second-factor").content.decode()
    device = TOTPDevice.objects.get()
    assert "<svg" in page
    assert not device.confirmed

    client.post("/admin/second-factor", {"code": code_of(device)})

    device.refresh_from_db()
    assert device.confirmed
    assert is_in(client)
    assert not is_in(elsewhere)
    assert not is_in_after(sign_in, password=PASSWORD)


def is_in_after(enter: Callable[..., Any], **credentials: Any) -> bool:
    browser = Browser()
    enter(browser, **credentials)
    return is_in(browser)


def test_a_wrong_code_does_not_switch_it_on(cleo: User, client: Browser) -> None:
    sign_in(client)
    client.get("/admin/second-factor")
    right = code_of(TOTPDevice.objects.get())

    client.post("/admin/second-factor", {"code": f"{(int(right) + 1) % 1_000_000:06d}"})

    assert not TOTPDevice.objects.get().confirmed


def test_with_a_second_factor_the_password_is_not_enough(cleo: User, device: TOTPDevice) -> None:
    assert not is_in_after(sign_in)
    assert not is_in_after(sign_in, code="000000")


def test_with_its_code_it_is(cleo: User, device: TOTPDevice) -> None:
    assert is_in_after(sign_in, code=code_of(device))


def test_a_code_is_good_once(cleo: User, device: TOTPDevice) -> None:
    code = code_of(device)

    assert is_in_after(sign_in, code=code)
    assert not is_in_after(sign_in, code=code)


def test_anothers_code_is_no_code(cleo: User, root: User, device: TOTPDevice) -> None:
    other = TOTPDevice.objects.create(user=root, name="TOTP", confirmed=True)

    assert not is_in_after(sign_in, code=code_of(other))


def test_a_session_that_never_showed_its_second_factor_sees_nothing(
    cleo: User, device: TOTPDevice, at_admin: Callable[..., Browser]
) -> None:
    response = at_admin(cleo).get("/admin/catalog/lesson/")

    assert response.status_code == 302
    assert response.headers["Location"].startswith(LOGIN)


def test_taking_it_away_needs_a_code(cleo: User, device: TOTPDevice) -> None:
    browser = Browser()
    sign_in(browser, code=code_of(device))
    browser.post("/admin/second-factor", {"code": ""})
    assert TOTPDevice.objects.exists()

    with time_machine.travel(time.time() + 60):
        browser.post("/admin/second-factor", {"code": code_of(device)})
    assert not TOTPDevice.objects.exists()


def test_where_it_is_required_there_is_nothing_else_without_it(
    cleo: User, settings: Any, at_admin: Callable[..., Browser]
) -> None:
    settings.ADMIN_REQUIRE_2FA = True
    browser = at_admin(cleo)

    for path in ("/admin/", "/admin/catalog/lesson/", "/admin/tenants/enduser/add/"):
        assert browser.get(path).headers["Location"] == "/admin/second-factor"
    browser.get("/admin/second-factor")
    browser.post("/admin/second-factor", {"code": code_of(TOTPDevice.objects.get())})
    assert is_in(browser)


def test_a_lost_device_is_taken_away_by_platform_staff(
    cleo: User, root: User, device: TOTPDevice, at_admin: Callable[..., Browser]
) -> None:
    at_admin(root).post("/admin/accounts/user/", {"action": "remove_second_factor", "_selected_action": [cleo.pk]})

    assert is_in_after(sign_in)
