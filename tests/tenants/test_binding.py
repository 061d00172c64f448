"""The tenant on a connection is always the one that is bound (quality.md, fact 5)."""

import pytest
from django.db import connection, transaction

from apps.tenants import binding
from apps.tenants.models import Client, EndUser


def seen() -> list[str]:
    return sorted(EndUser.objects.values_list("uid", flat=True))


def test_nobody_bound_sees_nothing(ada: EndUser, dan: EndUser) -> None:
    assert seen() == []


def test_a_bound_client_sees_its_own(ada: EndUser, dan: EndUser) -> None:
    with binding.bound("demo"):
        assert seen() == ["ada"]
    with binding.bound("acme"):
        assert seen() == ["dan"]
    with binding.bound(binding.ALL_CLIENTS):
        assert seen() == ["ada", "dan"]
