"""The pages for everybody: the front page, every refusal, and their translations."""

import gettext
import re
from pathlib import Path

import pytest
from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.test import Client, RequestFactory, override_settings
from django.urls import path

from apps.api import html
from gofa.urls import handler400, handler403, handler404, handler500
from gofa.urls import urlpatterns as ours

LOCALES = ("zh_Hant", "zh_Hans")


def fail(request: HttpRequest) -> HttpResponse:
    raise RuntimeError("the secret of the house")


urlpatterns = [path("fail", fail), *ours]
__all__ = ["handler400", "handler403", "handler404", "handler500", "urlpatterns"]


@pytest.mark.parametrize(
    ("language", "locale", "title"),
    [
        ("en", "en", "Guided training"),
        ("zh-TW", "zh-Hant", "有引導的訓練"),
        ("zh-CN", "zh-Hans", "有引导的训练"),
        ("fr", "en", "Guided training"),
    ],
)
@pytest.mark.django_db
def test_the_front_page_speaks_the_readers_language(language: str, locale: str, title: str) -> None:
    answer = Client(headers={"Accept-Language": language}).get("/")
    assert answer.status_code == 200
    assert title in answer.content.decode()
    assert f'<html lang="{locale}">' in answer.content.decode()
    assert answer["Content-Language"] == locale
    assert "default-src 'self'" in answer["Content-Security-Policy"]


@pytest.mark.django_db
def test_the_front_page_leads_on() -> None:
    text = Client().get("/").content.decode()
    for address in ("/admin/", "/api/docs", "/api/v1/docs"):
        assert f'href="{address}"' in text


@pytest.mark.django_db
def test_what_is_not_there_is_a_page_for_people_and_json_for_programs() -> None:
    page = Client().get("/nowhere/<b>")
    assert page.status_code == 404
    assert page["Content-Type"].startswith("text/html")
    assert page["Referrer-Policy"] == "no-referrer"
    assert "nowhere" not in page.content.decode()
    answer = Client().get("/api/nowhere")
    assert (answer.status_code, answer.json()) == (404, {"error": "Not Found"})


@pytest.mark.django_db
@override_settings(ROOT_URLCONF="tests.api.test_html")
def test_a_failure_of_ours_tells_nothing_of_itself() -> None:
    page = Client(raise_request_exception=False).get("/fail")
    assert page.status_code == 500
    assert "Something went wrong on our side" in page.content.decode()
    assert "secret" not in page.content.decode()


@pytest.mark.parametrize(("handler", "status"), [(html.bad_request, 400), (html.forbidden, 403), (html.not_found, 404)])
def test_every_refusal_has_a_page(handler: object, status: int) -> None:
    assert callable(handler)
    answer = handler(RequestFactory().get("/"), Exception("inside"))
    assert answer.status_code == status
    assert "<h1>" in answer.content.decode()
    assert "inside" not in answer.content.decode()


@pytest.mark.parametrize("locale", LOCALES)
def test_every_word_is_translated_and_compiled(locale: str) -> None:
    folder = Path(settings.LOCALE_PATHS[0]) / locale / "LC_MESSAGES"
    source = (folder / "django.po").read_text(encoding="utf-8")
    entries = re.findall(r'(?:msgctxt "(.*)"\n)?msgid "(.+)"\nmsgstr "(.*)"', source)
    assert len(entries) > 80
    with (folder / "django.mo").open("rb") as file:
        compiled = gettext.GNUTranslations(file)
    for context, words, translation in entries:
        assert translation, words
        assert (compiled.pgettext(context, words) if context else compiled.gettext(words)) == translation


@pytest.mark.parametrize("locale", LOCALES)
def test_no_placeholder_is_lost_in_translation(locale: str) -> None:
    source = (Path(settings.LOCALE_PATHS[0]) / locale / "LC_MESSAGES" / "django.po").read_text(encoding="utf-8")
    for words, translation in re.findall(r'msgid "(.+)"\nmsgstr "(.*)"', source):
        placeholders = r"%\(\w+\)[ds]|\{\w+\}"
        assert sorted(re.findall(placeholders, words)) == sorted(re.findall(placeholders, translation)), words
