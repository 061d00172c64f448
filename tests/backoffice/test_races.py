"""Forms that are sent at the same moment, over real connections."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from django.db import connection
from django.test import Client as Browser

from apps.accounts.models import RevokableToken, User
from apps.catalog.models import Lesson
from apps.tenants import binding
from apps.tenants.models import EndUser
from tests.backoffice.forms import fields_of

pytestmark = pytest.mark.django_db(transaction=True)
AT_ONCE = 8


def send_at_once(browser: Browser, path: str, form: dict[str, Any]) -> list[int]:
    def send(_: int) -> int:
        mine = Browser(raise_request_exception=False)
        mine.cookies = browser.cookies
        try:
            return mine.post(path, form).status_code
        finally:
            connection.close()

    with ThreadPoolExecutor(AT_ONCE) as pool:
        return list(pool.map(send, range(AT_ONCE)))


@pytest.mark.parametrize(
    ("path", "model", "fields"),
    [
        ("/admin/catalog/lesson/add/", Lesson, {"title_en": "New"}),
        ("/admin/accounts/revokabletoken/add/", RevokableToken, {"label": "CRM"}),
        ("/admin/tenants/enduser/add/", EndUser, {"uid": "zoe", "membership_tier": "standard"}),
    ],
)
def test_a_form_that_is_sent_eight_times_at_once_makes_one_row(
    path: str, model: Any, fields: dict[str, str], cleo: User, at_admin: Callable[[User], Browser]
) -> None:
    browser = at_admin(cleo)
    form = {**fields_of(browser, path), **fields, "_save": "Save"}

    statuses = send_at_once(browser, path, form)

    assert set(statuses) <= {200, 302}
    with binding.bound("demo"):
        assert model.objects.count() == 1


def test_two_people_of_one_uid_from_two_forms_are_one(cleo: User, at_admin: Callable[[User], Browser]) -> None:
    browser = at_admin(cleo)
    path = "/admin/tenants/enduser/add/"
    form = {**fields_of(browser, path), "uid": "zoe", "membership_tier": "standard", "_save": "Save", "_submission": ""}

    statuses = send_at_once(browser, path, form)

    assert set(statuses) <= {200, 302}
    with binding.bound("demo"):
        assert EndUser.objects.count() == 1
