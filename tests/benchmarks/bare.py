"""What does the same SQL and JSON cost in a bare Django view, without our checks, on the same server?"""

import os
import socket
import sys
from typing import Any

import django
from django.conf import settings

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "gofa.settings")
settings.MIDDLEWARE = []
settings.ROOT_URLCONF = "tests.benchmarks.bare"
django.setup()

import orjson  # noqa: E402
from django.core.handlers.wsgi import WSGIHandler  # noqa: E402
from django.db import connection, transaction  # noqa: E402
from django.http import HttpRequest, HttpResponse  # noqa: E402
from django.urls import path  # noqa: E402

from apps.delivery.presentation import session_state  # noqa: E402
from apps.delivery.queries import StateRow  # noqa: E402
from apps.kernel.clock import instant, now  # noqa: E402
from apps.kernel.ids import new_id  # noqa: E402
from apps.ops import passing, product  # noqa: E402
from apps.ops.web import Dispatcher, server  # noqa: E402
from apps.plays.presentation import lesson_play  # noqa: E402
from tests.benchmarks import statements  # noqa: E402

CLIENT = "bench"
_lessons: dict[str, Any] = {}
_catalog: list[bytes] = []


def ask(sql: str, params: list[Any]) -> Any:
    with connection.cursor() as cursor:
        cursor.execute(sql, params)
        return cursor.fetchall()


def lesson(lesson_id: str) -> Any:
    """Kept for good: the bare view does not notice changes of the catalogue."""
    if lesson_id not in _lessons:
        from apps.catalog.played import played_by_id

        _lessons.update(played_by_id(CLIENT, [lesson_id]))
    return _lessons[lesson_id]


def answer(data: Any) -> HttpResponse:
    return HttpResponse(orjson.dumps(data), content_type="application/json")


def play(request: HttpRequest, play_id: str) -> HttpResponse:
    ask(statements.CATALOG, [CLIENT, "gofa", CLIENT, None])
    row = ask(statements.PLAY, [CLIENT, play_id])[0]
    return answer({"data": lesson_play(row, lesson(row[3]))})


def plays(request: HttpRequest) -> HttpResponse:
    if request.method == "POST":
        return create(request)
    ask(statements.CATALOG, [CLIENT, "gofa", CLIENT, None])
    rows = ask(statements.PAGE, [CLIENT, request.headers["X-User"]])
    data = [lesson_play(row, lesson(row[3])) for row in rows[:20]]
    return answer({"data": data, "page": 1, "pageSize": 20, "hasMore": len(rows) > 20, "nextPageToken": None})


def create(request: HttpRequest) -> HttpResponse:
    lesson_id, user, time = orjson.loads(request.body)["lessonId"], request.headers["X-User"], now()
    with transaction.atomic():
        ask(statements.MAY_PLAY, [lesson_id, CLIENT, user])
        play_id = new_id("lpl_")
        with connection.cursor() as cursor:
            cursor.execute(statements.NEW_PLAY, [play_id, CLIENT, user, lesson_id, time])
            cursor.execute(statements.NEW_EVENT, [new_id("evt_"), CLIENT, play_id, "{}", time])
            cursor.execute(statements.CHARGE, statements.charge_params(CLIENT, play_id, time))
    address = f"/move/lesson/play/{play_id}"
    return answer({"lessonPlayId": play_id, "redirectUrl": address, "createdAt": instant(time)})


def lessons(request: HttpRequest) -> HttpResponse:
    ask(statements.CATALOG, [CLIENT, "gofa", CLIENT, request.headers["X-User"]])
    if not _catalog:
        from apps.accounts.principal import Principal, Role
        from apps.catalog.editions import current_edition

        _catalog.append(current_edition(Principal(Role.END_USER, CLIENT, request.headers["X-User"]), CLIENT).body)
    return HttpResponse(_catalog[0], content_type="application/json")


def state(request: HttpRequest, session_id: str) -> HttpResponse:
    row = StateRow._make(ask(statements.STATE, [CLIENT, session_id])[0])
    return answer({"data": session_state(CLIENT, row), "meta": {"apiVersion": "v1.0"}})


urlpatterns = [
    path("api/lesson-plays/<str:play_id>", play),
    path("api/lesson-plays", plays),
    path("api/lessons", lessons),
    path("api/v1/play-sessions/<str:session_id>/state", state),
]


def application() -> WSGIHandler:
    from apps.tenants import binding

    # The policies are in force for everybody; here they are told once and for all.
    binding._bound = type("Always", (), {"get": staticmethod(lambda: CLIENT)})()
    return WSGIHandler()


if __name__ == "__main__":
    dispatcher = Dispatcher(application(), settings.WEB_THREADS, passing.Forwarder(product.stream_socket()))
    server(dispatcher).run(sockets=[socket.socket(fileno=int(sys.argv[1]))])
