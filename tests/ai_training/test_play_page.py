"""`GET /ai-training/routine-run/{id}/play`: for the run's own person, signed in by a token, and nobody else."""

import json
import re
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
import time_machine
from django.test import Client as Browser
from pytest_django import DjangoAssertNumQueries

from apps.accounts import tokens
from apps.accounts.models import User
from apps.ai_training.models import RoutineRun, RoutineTemplate
from apps.ai_training.services import change_run, start_run, sync_run
from apps.kernel.clock import now
from apps.tenants import binding
from apps.tenants.models import Client, EndUser
from tests import make
from tests.caller import Caller

UNKNOWN = "/ai-training/routine-run/run_00000000000000000000000000/play"


@pytest.fixture
def run(ada: EndUser, builder: RoutineTemplate) -> RoutineRun:
    return make.make_routine_run(ada, make.make_instance(ada, builder, status="in-progress"))


def address_of(run: RoutineRun) -> str:
    return f"/ai-training/routine-run/{run.id}/play"


def custom_token(user: EndUser, ttl: timedelta | None = None) -> str:
    return tokens.CustomToken.issue(user.client_id, user.uid, ttl).text


def browser_of(user: EndUser) -> Browser:
    """A browser in which this person is signed in."""
    browser = Browser()
    browser.cookies["gofa_session"] = tokens.SessionToken.issue(user.client_id, user.uid).text
    return browser


def told(page: Any) -> dict[str, Any]:
    """What the page tells its script."""
    found = re.search(
        r'<script id="routine-run" type="application/json">(.*?)</script>', page.content.decode(), re.DOTALL
    )
    assert found
    script: dict[str, Any] = json.loads(found[1])
    return script


def test_the_page_shows_the_routine_and_tells_its_script_all_that_it_needs(ada: EndUser, run: RoutineRun) -> None:
    with binding.bound("demo"):
        session = make.make_move_session(
            ada, run.instance.version.steps.all()[1].exercise, routine_run_id=run.id, sequence_index=1, rep_count=4
        )
    page = browser_of(ada).get(f"{address_of(run)}?locale=en")
    assert page.status_code == 200
    assert page.content.decode().count("<li data-item=") == 3
    script = told(page)
    assert script.pop("words")["start"] == "Start"
    assert len(script.pop("csrfToken")) == 64
    march = {"exerciseId": "march-basic", "hint": "", "status": "pending", "session": None}
    assert script == {
        "runId": run.id,
        "planId": run.instance.plan_id,
        "routineInstanceId": run.instance_id,
        "status": "created",
        "currentStepIndex": 0,
        "steps": [
            {
                **march,
                "index": 0,
                "title": "March",
                "target": "20 repetitions",
                "targetReps": 20,
                "targetSeconds": None,
                "restSeconds": 30,
                "guided": False,
            },
            {
                **march,
                "index": 1,
                "title": "March again",
                "target": "10 repetitions",
                "targetReps": 10,
                "targetSeconds": None,
                "restSeconds": 0,
                "guided": False,
                "session": {"id": session.id, "repCount": 4, "durationSeconds": 0.0},
            },
            {
                **march,
                "index": 2,
                "title": "March",
                "target": "1 min",
                "targetReps": None,
                "targetSeconds": 60,
                "restSeconds": 0,
                "guided": True,
            },
        ],
    }


@pytest.mark.parametrize(
    ("asked", "spoken", "words"),
    [
        ("en", "en", "Start the routine"),
        ("zh-Hant", "zh-Hant", "開始訓練"),
        ("zh_Hant", "zh-Hant", "開始訓練"),
        ("zh", "zh-Hant", "開始訓練"),
        ("zh-Hans", "zh-Hans", "开始训练"),
        ("zh_Hans", "zh-Hans", "开始训练"),
    ],
)
def test_the_page_speaks_the_language_that_is_asked_for(
    ada: EndUser, run: RoutineRun, asked: str, spoken: str, words: str
) -> None:
    page = browser_of(ada).get(address_of(run), {"locale": asked})
    assert f'<html lang="{spoken}">' in page.content.decode()
    assert page["Content-Language"] == spoken
    assert told(page)["words"]["begin"] == words


@pytest.mark.parametrize("asked", ["", "?locale=tlh", "?locale="])
def test_without_a_language_that_is_spoken_here_it_is_the_persons(ada: EndUser, run: RoutineRun, asked: str) -> None:
    with binding.bound("demo"):
        EndUser.objects.filter(pk=ada.pk).update(locale="zh-Hans")
    assert '<html lang="zh-Hans">' in browser_of(ada).get(address_of(run) + asked).content.decode()


@pytest.mark.parametrize("locale", ["zh-Hant", "zh-Hans"])
def test_nothing_is_left_in_english(ada: EndUser, run: RoutineRun, locale: str) -> None:
    browser = browser_of(ada)
    spoken = {code: told(browser.get(address_of(run), {"locale": code}))["words"] for code in ("en", locale)}
    assert [name for name, words in spoken[locale].items() if words and words == spoken["en"][name]] == []
    page = browser.get(address_of(run), {"locale": locale}).content.decode()
    shown = re.sub(r"<script.*?</script>|<[^>]+>", " ", page, flags=re.DOTALL)
    assert set(re.findall(r"[A-Za-z]{2,}", shown)) <= {"GOFA", "JavaScript", "March", "again"}


def test_the_address_with_a_token_leads_to_the_same_without_it_and_signs_in(ada: EndUser, run: RoutineRun) -> None:
    browser, before, after = Browser(), "locale=zh_Hant", "from=kiosk+1&from=%E4%B8%80"
    answer = browser.get(f"{address_of(run)}?{before}&customToken={custom_token(ada)}&{after}")
    assert answer.status_code == 303
    assert answer["Location"] == f"{address_of(run)}?{before}&{after}"
    assert answer["Referrer-Policy"] == "no-referrer"
    assert answer["Cache-Control"] == "no-store"
    cookie = answer.cookies["gofa_session"]
    assert (cookie["httponly"], cookie["samesite"], cookie["path"]) == (True, "Lax", "/")
    page = browser.get(answer["Location"])
    assert page.status_code == 200
    assert '<html lang="zh-Hant">' in page.content.decode()


def test_the_only_parameter_leaves_no_question_mark(ada: EndUser, run: RoutineRun) -> None:
    answer = Browser().get(address_of(run), {"customToken": custom_token(ada)})
    assert answer["Location"] == address_of(run)


def test_the_page_is_kept_by_nobody_and_tells_nobody_where_it_was_left(ada: EndUser, run: RoutineRun) -> None:
    page = browser_of(ada).get(address_of(run))
    assert page["Referrer-Policy"] == "no-referrer"
    assert page["Cache-Control"] == "no-store"
    assert page["Content-Security-Policy"] == (
        "default-src 'self'; img-src 'self' data:; media-src 'self'; connect-src 'self'; object-src 'none'; "
        "base-uri 'none'; form-action 'self'; frame-ancestors 'none'"
    )


@pytest.mark.parametrize(
    "make_token",
    [
        lambda ada: custom_token(ada, timedelta(minutes=-5)),
        lambda ada: tokens.issue_id_token("demo", "ada").text,
        lambda ada: tokens.SessionToken.issue("demo", "ada").text,
        lambda ada: "",
        lambda ada: "a.b.c",
        lambda ada: custom_token(ada)[:-2] + "AA",
    ],
    ids=["expired", "ID token", "session token", "empty", "nonsense", "forged"],
)
def test_a_bad_or_expired_token_is_404_without_a_cookie(
    ada: EndUser, run: RoutineRun, make_token: Callable[[EndUser], str]
) -> None:
    answer = Browser().get(address_of(run), {"customToken": make_token(ada), "locale": "zh-Hant"})
    assert (answer.status_code, answer.cookies) == (404, {})
    assert "此連結已經使用過" in answer.content.decode()
    assert answer["Referrer-Policy"] == "no-referrer"
    assert answer["Cache-Control"] == "no-store"


def test_a_spent_token_is_404_without_a_cookie(ada: EndUser, run: RoutineRun) -> None:
    address = f"{address_of(run)}?customToken={custom_token(ada)}"
    # A link that is only looked at is not spent.
    assert Browser().head(address).status_code == 404
    assert Browser().get(address).status_code == 303
    again = Browser().get(address)
    assert (again.status_code, again.cookies) == (404, {})


def test_a_token_that_was_spent_elsewhere_opens_no_page(ada: EndUser, run: RoutineRun) -> None:
    token = custom_token(ada)
    assert Caller({}).post("/api/auth/sign-in", {"customToken": token}).status_code == 200
    assert Browser().get(address_of(run), {"customToken": token}).status_code == 404


def headers_of(answer: Any) -> dict[str, str]:
    """All but what every request has of its own."""
    return {
        name: value for name, value in answer.headers.items() if name.lower() not in ("x-request-id", "traceparent")
    }


def test_everybody_else_gets_the_page_of_an_id_that_never_was(
    run: RoutineRun, ben: EndUser, dan: EndUser, cleo: User
) -> None:
    unknown = Browser().get(UNKNOWN)
    assert unknown.status_code == 404
    strangers: list[Any] = [Browser(), browser_of(ben), browser_of(dan), Caller.of(cleo).http]
    for stranger in strangers:
        for path in (address_of(run), UNKNOWN):
            answer = stranger.get(path)
            assert (answer.status_code, answer.content) == (404, unknown.content)
            assert headers_of(answer) == headers_of(unknown)


@pytest.mark.parametrize(("asked", "spoken"), [("zh_Hant", "zh-Hant"), ("zh-Hans", "zh-Hans"), ("fr", "en")])
def test_even_the_page_of_what_never_was_speaks_the_language_that_is_asked_for(
    ada: EndUser, run: RoutineRun, asked: str, spoken: str
) -> None:
    for query in ({"locale": asked}, {"locale": asked, "customToken": "spent"}):
        page = Browser().get(address_of(run), query)
        assert (page.status_code, page["Content-Language"]) == (404, spoken)
        assert f'<html lang="{spoken}">' in page.content.decode()


def test_anothers_token_tells_nothing_of_the_run(run: RoutineRun, ben: EndUser) -> None:
    for path in (address_of(run), UNKNOWN):
        browser = Browser()
        answer = browser.get(path, {"customToken": custom_token(ben)}, follow=True)
        assert answer.redirect_chain == [(path, 303)]
        assert answer.content == Browser().get(UNKNOWN).content


def test_a_header_does_not_open_the_page(ada: EndUser, run: RoutineRun) -> None:
    assert Browser(headers=Caller.of(ada).headers).get(address_of(run)).status_code == 404


def test_without_the_module_there_is_no_such_page(ada: EndUser, run: RoutineRun, demo: Client) -> None:
    demo.modules = ["delivery"]
    demo.save()
    answer = browser_of(ada).get(address_of(run))
    assert (answer.status_code, answer.content) == (404, Browser().get(UNKNOWN).content)


def test_nul_in_the_address_is_404(ada: EndUser, run: RoutineRun) -> None:
    assert browser_of(ada).get("/ai-training/routine-run/run_%00/play").status_code == 404


@pytest.mark.parametrize("method", ["post", "put", "patch", "delete"])
def test_the_page_is_only_read(ada: EndUser, run: RoutineRun, method: str) -> None:
    browser = browser_of(ada)
    # As real browsers are; the test's own is not asked for a CSRF token.
    browser.handler.enforce_csrf_checks = True
    answer = getattr(browser, method)(address_of(run))
    assert (answer.status_code, answer["Allow"]) == (405, "GET, HEAD")


def test_the_page_carries_what_its_writes_need(ada: EndUser, run: RoutineRun) -> None:
    browser = browser_of(ada)
    script = told(browser.get(address_of(run)))

    def sync(headers: dict[str, str]) -> int:
        body = {"sequenceIndex": 0, "skipped": True}
        path = f"/api/ai-training/routine-runs/{run.id}/sync"
        return browser.post(path, body, content_type="application/json", headers=headers).status_code

    assert sync({"Origin": "http://testserver"}) == 403
    assert sync({"Origin": "http://testserver", "X-CSRF-Token": script["csrfToken"]}) == 200
    assert told(browser.get(address_of(run)))["steps"][0]["status"] == "skipped"


def test_a_session_that_is_over_is_not_gone_on_with(ada: EndUser, run: RoutineRun, march: Any) -> None:
    make.make_move_session(
        ada, march, routine_run_id=run.id, sequence_index=0, status="abandoned", ended_at=now(), rep_count=3
    )
    make.make_move_session(ada, march, routine_run_id="run_other", sequence_index=1, rep_count=3)
    assert [step["session"] for step in told(browser_of(ada).get(address_of(run)))["steps"]] == [None, None, None]


def finished_run(ada: EndUser, builder: RoutineTemplate, demo: Client, march: Any) -> RoutineRun:
    """18 of 20, one guided, one skipped."""
    instance = make.make_instance(ada, builder)
    with binding.bound("demo"):
        run, _ = start_run(client=demo, uid="ada", instance_id=instance.id, started_from="test", now=now())
        over = {"routine_run_id": run.id, "sequence_index": 0, "status": "completed", "ended_at": now()}
        make.make_move_session(ada, march, **over, rep_count=18, duration_seconds=75.0, calories_burned=6.4)
        for report in ({"sequence_index": 1, "skipped": True}, {"sequence_index": 2, "guided_complete": True}, {}):
            whole: Any = {"guided_complete": False, "skipped": False, **report}
            sync_run(client=demo, uid="ada", run_id=run.id, report=whole, now=now())
    return run


@pytest.mark.parametrize(
    ("locale", "words"),
    [
        ("en", ["Well done, you finished the routine", "2 of 3 exercises done", "1 min 15 s", "Skipped", "33%"]),
        ("zh-Hant", ["做得很好，您完成了這次訓練", "已完成 2 個動作，共 3 個", "1 分 15 秒", "已跳過", "計畫達成率"]),
        ("zh-Hans", ["做得很好，您完成了这次训练", "已完成 2 个动作，共 3 个", "1 分 15 秒", "已跳过", "计划达成率"]),
    ],
)
def test_a_run_that_is_over_has_its_summary_there(
    ada: EndUser, builder: RoutineTemplate, demo: Client, march: Any, locale: str, words: list[str]
) -> None:
    run = finished_run(ada, builder, demo, march)
    text = browser_of(ada).get(f"{address_of(run)}?locale={locale}").content.decode()
    for word in [*words, "18 / 20", "6 kcal", "1 / 1"]:
        assert word in text
    assert f'<html lang="{locale}">' in text
    assert "routine-run" not in re.findall(r'<script id="([^"]+)"', text)


def test_a_run_that_was_stopped_says_so_and_shows_no_figure_that_nobody_reported(
    ada: EndUser, run: RoutineRun, demo: Client
) -> None:
    with binding.bound("demo"):
        change_run(client=demo, uid="ada", run_id=run.id, fields={"status": "abandoned"}, now=now())
    text = browser_of(ada).get(f"{address_of(run)}?locale=en").content.decode()
    assert "You stopped this routine" in text
    assert "Not done" in text
    assert "Calories" not in text
    assert "0 / 1" in text


@time_machine.travel("2026-03-01T12:00Z")
def test_days_of_training_are_drawn_where_there_are_some_to_compare(
    ada: EndUser, builder: RoutineTemplate, demo: Client, march: Any
) -> None:
    run = finished_run(ada, builder, demo, march)
    address = f"{address_of(run)}?locale=en"
    assert "chart-begun" not in browser_of(ada).get(address).content.decode()
    for days in (2, 2, 5):
        instance = make.make_instance(ada, builder, status="skipped")
        earlier = now() - timedelta(days=days)
        make.make_routine_run(ada, instance, created_at=earlier, status="abandoned", ended_at=earlier)
    text = browser_of(ada).get(address).content.decode()
    assert re.findall(r'class="chart-grade"[^>]*>([^<]+)<', text) == ["0/1", "0/2", "1/1"]
    assert re.findall(r'class="chart-name"[^>]*>([^<]+)<', text) == ["24", "Feb", "27", "1", "Mar"]
    assert 'aria-label="Feb 24: 0/1; Feb 27: 0/2; Mar 1: 1/1"' in text


def test_the_day_of_the_summary_is_that_of_the_client(
    ada: EndUser, builder: RoutineTemplate, demo: Client, march: Any
) -> None:
    demo.time_zone = "Pacific/Kiritimati"
    demo.save()
    with time_machine.travel("2026-03-01T12:00Z"):
        run = finished_run(ada, builder, demo, march)
        assert '<time datetime="2026-03-02">' in browser_of(ada).get(address_of(run)).content.decode()


def test_text_of_a_routine_stays_text(ada: EndUser, demo: Client) -> None:
    evil = "</script><script>alert(1)</script>"
    exercise = make.make_exercise(demo, name={"en": evil}, description={"en": evil})
    template = make.make_template(
        demo, {"exercise": exercise, "title": {"en": evil}}, name={"en": evil}, equipment=[evil]
    )
    run = make.make_routine_run(ada, make.make_instance(ada, template, status="in-progress"))
    page = browser_of(ada).get(f"{address_of(run)}?locale=en")
    assert evil not in page.content.decode()
    assert told(page)["steps"][0]["title"] == evil


def test_the_page_takes_three_queries(
    ada: EndUser, run: RoutineRun, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    browser = browser_of(ada)
    browser.get(address_of(run))
    with django_assert_num_queries(3):
        assert browser.get(address_of(run)).status_code == 200


def test_the_summary_takes_four_queries(
    ada: EndUser,
    builder: RoutineTemplate,
    demo: Client,
    march: Any,
    django_assert_num_queries: DjangoAssertNumQueries,
) -> None:
    run, browser = finished_run(ada, builder, demo, march), browser_of(ada)
    browser.get(address_of(run))
    with django_assert_num_queries(4):
        assert browser.get(address_of(run)).status_code == 200
