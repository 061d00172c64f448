"""A kept connection is looked at before it is used again, without a round trip."""

from typing import Any

import pytest
from django.db import connection
from django.test import override_settings

from apps.tenants import binding
from apps.tenants.models import EndUser


@pytest.mark.django_db(transaction=True)
def test_a_live_connection_is_usable_and_a_killed_one_is_not(ada: EndUser) -> None:
    connection.ensure_connection()
    assert connection.is_usable()
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_backend_pid()")
        (pid,) = cursor.fetchone()
    other = connection.copy()
    with other.cursor() as cursor:
        cursor.execute("SELECT pg_terminate_backend(%s, 5000)", [pid])
    other.close()
    assert not connection.is_usable()
    connection.close()
    assert connection.connection is None


@pytest.mark.django_db(transaction=True)
def test_the_first_query_of_a_request_replaces_a_dead_connection(ada: EndUser) -> None:
    """What Django does at the start of a request, with the check of this backend in it."""
    connection.ensure_connection()
    pid = connection.connection.info.backend_pid
    other = connection.copy()
    with other.cursor() as cursor:
        cursor.execute("SELECT pg_terminate_backend(%s, 5000)", [pid])
    other.close()
    health: Any = connection
    health.health_check_enabled, health.health_check_done = True, False
    with binding.bound("demo"):
        assert EndUser.objects.count() == 1
    assert connection.connection.info.backend_pid != pid


@override_settings(DEBUG=True)
@pytest.mark.django_db(transaction=True)
def test_the_check_sends_nothing(ada: EndUser) -> None:
    connection.ensure_connection()
    before = connection.connection.info.backend_pid, len(connection.queries)
    assert connection.is_usable()
    assert (connection.connection.info.backend_pid, len(connection.queries)) == before
