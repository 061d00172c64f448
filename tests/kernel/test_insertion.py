"""A row that is written by its model's own statement is the row that Django would have saved."""

from typing import Any

from apps.kernel.clock import now
from apps.kernel.insertion import insert
from apps.plays.models import LessonPlay
from apps.tenants import binding
from apps.tenants.models import EndUser
from tests import make


def test_it_is_what_django_would_have_saved(ada: EndUser, django_assert_num_queries: Any) -> None:
    lesson = make.make_lesson(ada.client)
    told = {
        "client_id": "demo",
        "user_id": "ada",
        "lesson_id": lesson.id,
        "created_at": now(),
        "sessions": [{"index": 0}],
    }
    with binding.bound("demo"), binding.atomic():
        saved = LessonPlay.objects.create(**told)
        row = LessonPlay(**told)
        with django_assert_num_queries(1):
            insert(row)
        assert not row._state.adding
        one, other = LessonPlay.objects.filter(pk__in=[saved.pk, row.pk]).values()
    assert {**one, "id": ""} == {**other, "id": ""}
