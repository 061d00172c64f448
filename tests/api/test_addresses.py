"""Who is behind a proxy is known where a setting says that there is one, and nowhere else."""

import pytest
from django.http import HttpResponse
from django.test import RequestFactory, override_settings

from apps.api.addresses import AddressMiddleware


def seen(forwarded_for: str) -> str:
    middleware = AddressMiddleware(lambda request: HttpResponse(request.META["REMOTE_ADDR"]))
    request = RequestFactory().get("/", REMOTE_ADDR="10.0.0.1", HTTP_X_FORWARDED_FOR=forwarded_for)
    return middleware(request).content.decode()


def test_the_header_is_hearsay_without_a_proxy_of_ours() -> None:
    assert seen("203.0.113.7") == "10.0.0.1"


@pytest.mark.parametrize("header", ["203.0.113.7", "127.0.0.1, 203.0.113.7", "made up,203.0.113.7"])
@override_settings(BEHIND_PROXY=True)
def test_behind_a_proxy_the_caller_is_whom_it_saw(header: str) -> None:
    assert seen(header) == "203.0.113.7"


@override_settings(BEHIND_PROXY=True)
def test_a_proxy_that_says_nothing_is_the_caller() -> None:
    assert seen("") == "10.0.0.1"
