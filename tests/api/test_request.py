"""What a view sees of a request, and that it is gone with its answer."""

import gc
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from django.core.handlers.wsgi import WSGIHandler
from django.test import RequestFactory
from rest_framework.parsers import BaseParser

from apps.api.request import ApiRequest
from apps.tenants.models import EndUser
from tests.caller import Caller


@pytest.fixture
def uncollected() -> Iterator[None]:
    """The garbage collector does nothing of itself while a test counts what is left to it."""
    gc.disable()
    yield
    gc.enable()


@pytest.mark.usefixtures("uncollected")
@pytest.mark.parametrize(
    ("path", "status"), [("/api/lessons", 200), ("/api/lesson-plays", 200), ("/api/lessons/x", 404)]
)
def test_an_answered_request_leaves_nothing_to_the_garbage_collector(
    ada: EndUser, as_: Callable[..., Caller], path: str, status: int
) -> None:
    handler, headers = WSGIHandler(), as_(ada).headers

    def answered() -> int:
        request = RequestFactory().get(path, {"clientId": "demo"}, headers=headers)
        return handler.get_response(request).status_code

    assert answered() == status
    gc.collect()
    assert answered() == status
    assert gc.collect() == 0


def test_a_body_is_read_by_the_parsers_of_the_view() -> None:
    class Shouted(BaseParser):
        media_type = "text/plain"

        def parse(self, stream: Any, media_type: str | None = None, parser_context: Any = None) -> dict[str, Any]:
            return {"heard": stream.read().decode(parser_context["encoding"]).upper()}

    request = RequestFactory().post("/", "hear", content_type="text/plain")
    assert ApiRequest(request, [Shouted]).data == {"heard": "HEAR"}


def test_nobody_asks_until_the_view_base_has_said_who() -> None:
    request = ApiRequest(RequestFactory().get("/"), ())
    assert request.user is None
    assert request.auth is None
