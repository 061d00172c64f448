"""Staff at the admin: `at_admin(cleo)` is a browser in which she has signed in."""

from collections.abc import Callable, Iterator
from typing import Any

import pytest
from django.db import connection
from django.test import Client as Browser

from apps.accounts.models import User
from apps.tenants import binding

PASSWORD = "correct horse battery"


@pytest.fixture(autouse=True)
def quick_passwords(settings: Any) -> None:
    """A hash that is slow on purpose would be most of these tests' time."""
    settings.PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]


@pytest.fixture(autouse=True)
def checked_while_bound(db: None) -> Iterator[None]:
    """What waits for the end of a transaction is checked before a test's is undone: the check has to see the rows."""
    yield
    if not connection.needs_rollback:
        with binding.bound(binding.ALL_CLIENTS):
            connection.check_constraints()


@pytest.fixture
def at_admin() -> Callable[[User], Browser]:
    def sign_in(user: User) -> Browser:
        browser = Browser()
        browser.force_login(user)
        return browser

    return sign_in
