"""Staff see in the admin how far their client's jobs are, and have failed ones done again; nothing else."""

from collections.abc import Iterator
from typing import Any

import pytest
from django.contrib.admin.models import LogEntry
from django.db.models.functions import Now
from django.test import Client as Browser
from django.urls import reverse
from django.utils.translation import gettext_lazy

from apps.accounts.models import User
from apps.jobs import work
from apps.jobs.models import Job
from apps.tenants import binding
from apps.tenants.models import Client
from tests import make
from tests.jobs.registry import count, effects, performed_by, the

LIST = "/admin/jobs/job/"


@pytest.fixture(autouse=True)
def performer() -> Iterator[None]:
    with performed_by(count, title=gettext_lazy("Events")):  # a word that is translated
        yield


def admin_of(user: User) -> Browser:
    browser = Browser()
    browser.force_login(user)
    return browser


def page_of(user: User, path: str = LIST, **query: str) -> str:
    return str(admin_of(user).get(path, query).content.decode())


def failed_job(client: Client, error: str = work.LOST, **over: Any) -> Job:
    job = make.make_job(client)
    with binding.bound(client.id):
        ended = {"state": Job.State.FAILED, "next_attempt_at": None, "finished_at": Now()}
        Job.objects.filter(pk=job.pk).update(**{**ended, "error": error, **over})
    return job


def do_again(browser: Browser, *jobs: Job) -> str:
    chosen = {"action": "do_again", "_selected_action": [job.pk for job in jobs]}
    return str(browser.post(LIST, chosen, follow=True).content.decode())


def test_an_administrator_sees_their_own_clients_jobs(cleo: User, demo: Client, acme: Client) -> None:
    own, foreign = make.make_job(demo, subject_id="les_own"), make.make_job(acme, subject_id="les_foreign")
    page = page_of(cleo)
    assert own.pk in page
    assert "les_own" in page
    assert foreign.pk not in page
    assert "les_foreign" not in page


def test_platform_staff_see_everybodys(root: User, demo: Client, acme: Client) -> None:
    page = page_of(root)
    assert page.count('class="field-owner"') == 0
    jobs = [make.make_job(demo), make.make_job(acme)]
    page = page_of(root)
    assert all(job.pk in page for job in jobs)
    assert page.count('class="field-owner"') == 2


def test_a_job_says_in_words_what_it_is_how_far_it_is_and_what_went_wrong(cleo: User, demo: Client) -> None:
    failed_job(demo, error="Line 3 <is> wrong", done=3, total=5, attempts=1)
    page = page_of(cleo)
    assert "Events" in page
    assert "Failed" in page
    assert '<progress value="3" max="5" aria-label="3 of 5"></progress> 3 of 5' in page
    assert "Line 3 &lt;is&gt; wrong" in page


def test_it_says_so_in_chinese_too(cleo: User, demo: Client) -> None:
    failed_job(demo, done=3, total=5)
    browser = admin_of(cleo)
    browser.cookies["django_language"] = "zh-hant"
    page = browser.get(LIST).content.decode()
    for words in ("背景工作", "事件", "失敗", "處理這項工作的程序沒有回應", "3／5", "重新執行"):
        assert words in page


def test_a_job_without_steps_and_of_a_kind_that_is_gone_is_shown_too(cleo: User, demo: Client) -> None:
    job = make.make_job(demo, "test.gone")
    page = page_of(cleo, f"{LIST}{job.pk}/change/")
    assert "test.gone" in page
    assert "<progress" not in page


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ({}, {"failed", "waiting", "other"}),
        ({"state__exact": "failed"}, {"failed"}),
        ({"kind": "test.job"}, {"failed", "waiting"}),
        ({"q": "les_other"}, {"other"}),
        ({"q": "les"}, set()),
    ],
)
def test_jobs_are_found_by_state_kind_and_subject(
    cleo: User, demo: Client, query: dict[str, str], found: set[str]
) -> None:
    jobs = {
        "failed": failed_job(demo),
        "waiting": make.make_job(demo),
        "other": make.make_job(demo, "test.other", subject_id="les_other"),
    }
    page = page_of(cleo, **query)
    assert {name for name, job in jobs.items() if f'value="{job.pk}"' in page} == found


def test_a_failed_job_is_done_again_and_the_audit_log_says_by_whom(cleo: User, demo: Client) -> None:
    failed, waiting = failed_job(demo), make.make_job(demo)
    browser = admin_of(cleo)
    assert "1 job will be done again." in do_again(browser, failed, waiting)
    assert (the(failed).state, the(failed).error) == (Job.State.WAITING, "")
    assert work.work_off(seconds=5) == 2
    assert effects() == 2
    entry = LogEntry.objects.get()
    assert (entry.user, entry.object_id, entry.get_change_message()) == (cleo, failed.pk, "To be done again.")

    assert "Only failed jobs can be done again." in do_again(browser, failed)
    assert LogEntry.objects.count() == 1


def test_platform_staff_have_any_clients_job_done_again(root: User, demo: Client, acme: Client) -> None:
    jobs = [failed_job(demo), failed_job(acme)]
    assert "2 jobs will be done again." in do_again(admin_of(root), *jobs)
    assert {the(job).state for job in jobs} == {Job.State.WAITING}


def test_another_clients_job_stays_as_it_is(cleo: User, demo: Client, acme: Client) -> None:
    job = failed_job(acme)
    do_again(admin_of(cleo), job)
    assert the(job).state == Job.State.FAILED
    assert not LogEntry.objects.exists()


@pytest.mark.parametrize("who", ["cleo", "root"])
def test_jobs_are_neither_added_nor_changed_nor_deleted(request: Any, demo: Client, who: str) -> None:
    job = failed_job(demo)
    browser = admin_of(request.getfixturevalue(who))
    assert browser.get(reverse("admin:jobs_job_add")).status_code == 403
    for page in ("change", "delete"):
        address = reverse(f"admin:jobs_job_{page}", args=[job.pk])
        assert browser.post(address, {"state": "done", "post": "yes"}).status_code == 403
    assert the(job).state == Job.State.FAILED


def test_a_list_costs_the_same_queries_however_long_it_is(
    cleo: User, demo: Client, django_assert_num_queries: Any
) -> None:
    browser = admin_of(cleo)
    browser.get(LIST)
    for _ in range(10):
        failed_job(demo, total=2)
        # Session, person, whether a second factor is set up, whom they administer; the count and the page.
        with django_assert_num_queries(6):
            browser.get(LIST)
