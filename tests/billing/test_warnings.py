"""Administrators are told at 80 % and at 100 %, once each, in their language (contract 7)."""

from datetime import timedelta
from typing import Any

import pytest
from django.core.mail import EmailMultiAlternatives
from django.db.models.functions import Now

from apps.accounts.models import User
from apps.billing import mails, statements, tasks
from apps.billing.models import EventType, SpendingWarning
from apps.events import relay
from apps.events.models import DeadLetter, OutboxEvent
from apps.kernel.clock import now
from apps.tenants import binding
from apps.tenants.models import Client
from tests import make
from tests.billing.activity import at, grant, told, use

pytestmark = pytest.mark.django_db

STARTED, PLANNED = EventType.LESSON_PLAY_CREATED, EventType.PLAN_PLAY_CREATED
QUOTA, BALANCE = "billing.quota_warning", "billing.balance_warning"


@pytest.fixture
def cleo(demo: Client) -> User:
    return make.make_staff("cleo", demo, email="cleo@example.com")


def warn(time: str) -> None:
    with at(time):
        tasks.warn()


def rows() -> list[tuple[str, str, int, int, int]]:
    with binding.bound(binding.ALL_CLIENTS):
        found = SpendingWarning.objects.order_by("client_id", "id")
        return [(row.client_id, row.scope, row.threshold, row.used, row.limit) for row in found]


def html_of(mail: Any) -> str:
    assert isinstance(mail, EmailMultiAlternatives)
    ((content, kind),) = mail.alternatives
    assert kind == "text/html"
    return " ".join(str(content).split())


def test_a_quota_is_warned_of_at_four_fifths_and_at_its_end(demo: Client) -> None:
    make.make_policy(demo, quotas={STARTED: 10, PLANNED: 1000})
    use(demo, "2026-05-04T10:00", times=7)
    warn("2026-05-04T10:01")
    assert not rows()
    use(demo, "2026-05-04T10:02")
    for _ in range(2):
        warn("2026-05-04T10:03")
    assert told(demo, QUOTA) == [
        {"scope": STARTED, "threshold": 80, "used": 8, "limit": 10, "resetsAt": "2026-06-01T00:00:00.000Z"}
    ]
    use(demo, "2026-05-04T10:04", times=2)
    for _ in range(2):
        warn("2026-05-04T10:05")
    assert [payload["threshold"] for payload in told(demo, QUOTA)] == [80, 100]
    assert rows() == [("demo", STARTED, 80, 8, 10), ("demo", STARTED, 100, 10, 10)]


def test_who_is_at_the_end_at_once_is_told_that_alone(demo: Client) -> None:
    make.make_policy(demo, quotas={STARTED: 1})
    use(demo, "2026-05-04T10:00")
    warn("2026-05-04T10:01")
    assert rows() == [("demo", STARTED, 80, 1, 1), ("demo", STARTED, 100, 1, 1)]
    assert [payload["threshold"] for payload in told(demo, QUOTA)] == [100]


def test_a_quota_is_warned_of_again_in_the_clients_next_month(demo: Client) -> None:
    demo.time_zone = "Asia/Hong_Kong"
    demo.save()
    make.make_policy(demo, quotas={STARTED: 1})
    use(demo, "2026-05-31T15:59:59")
    warn("2026-05-31T15:59:59")
    warn("2026-05-31T16:00:00")
    use(demo, "2026-05-31T16:00:00")
    warn("2026-05-31T16:00:01")
    assert [payload["resetsAt"] for payload in told(demo, QUOTA)] == [
        "2026-05-31T16:00:00.000Z",
        "2026-06-30T16:00:00.000Z",
    ]


def test_a_quota_of_nothing_and_no_quota_are_nothing_to_warn_of(demo: Client, acme: Client) -> None:
    make.make_policy(demo, quotas={STARTED: 0})
    make.make_policy(acme)
    use(acme, "2026-05-04T10:00", times=3)
    warn("2026-05-04T10:01")
    assert not rows()


def test_a_balance_is_measured_by_what_was_there_after_the_last_grant(demo: Client) -> None:
    make.make_policy(demo, prices={STARTED: 1})
    grant(demo, "2026-05-01T00:00", 4)
    use(demo, "2026-05-01T01:00", times=2)
    grant(demo, "2026-05-01T02:00", 8)  # ten are there now
    use(demo, "2026-05-01T03:00", times=7)
    warn("2026-05-01T04:00")
    assert not rows()
    use(demo, "2026-05-01T05:00")
    warn("2026-05-01T05:01")
    use(demo, "2026-05-01T06:00", times=2)
    warn("2026-05-01T06:01")
    assert told(demo, BALANCE) == [
        {"scope": "balance", "threshold": 80, "used": 8, "limit": 10, "resetsAt": None},
        {"scope": "balance", "threshold": 100, "used": 10, "limit": 10, "resetsAt": None},
    ]


def test_a_grant_begins_a_new_round(demo: Client) -> None:
    make.make_policy(demo, prices={STARTED: 1})
    for hour in (1, 2):
        grant(demo, f"2026-05-01T0{hour}:00", 1)
        use(demo, f"2026-05-01T0{hour}:30")
        for _ in range(2):
            warn(f"2026-05-01T0{hour}:31")
    assert [payload["threshold"] for payload in told(demo, BALANCE)] == [100, 100]


def test_a_client_that_owes_is_told_that_nothing_is_left(demo: Client) -> None:
    make.make_policy(demo, prices={STARTED: 4}, allow_negative=True)
    grant(demo, "2026-05-01T00:00", 2)
    use(demo, "2026-05-01T01:00")
    warn("2026-05-01T01:01")
    assert told(demo, BALANCE) == [{"scope": "balance", "threshold": 100, "used": 4, "limit": 2, "resetsAt": None}]


def test_nothing_to_tell_is_a_few_reads_for_all_clients(
    demo: Client, acme: Client, django_assert_num_queries: object
) -> None:
    for client in (demo, acme):
        make.make_policy(client, quotas={STARTED: 1}, prices={STARTED: 1})
        grant(client, "2026-05-01T00:00", 1)
        use(client, "2026-05-01T01:00")
    warn("2026-05-01T01:01")
    with at("2026-05-01T01:02"), django_assert_num_queries(4):  # type: ignore[operator]
        tasks.warn()
    assert len(rows()) == 8


ENGLISH_QUOTA = """\
Lessons begun this month: 8 of 10.

The count begins anew on 1 June 2026, 00:00 (Asia/Hong_Kong).
"""
TRADITIONAL_QUOTA = """\
本月開始的課程：8／10。

配額將於 2026年6月1日 00:00（Asia/Hong_Kong）重新計算。
"""
SIMPLIFIED_QUOTA = """\
本月开始的课程：8／10。

配额将于 2026年6月1日 00:00（Asia/Hong_Kong）重新计算。
"""


@pytest.mark.parametrize(
    ("locale", "subject", "body"),
    [
        ("en", "Demo & Co: 80 % of a quota are used", ENGLISH_QUOTA),
        ("zh-Hant", "Demo & Co：一項配額已用 80 %", TRADITIONAL_QUOTA),
        ("zh-Hans", "Demo & Co：一项配额已用 80 %", SIMPLIFIED_QUOTA),
    ],
)
def test_a_quota_warning_is_mailed_in_the_clients_language(
    demo: Client, cleo: User, mailoutbox: list[Any], locale: str, subject: str, body: str
) -> None:
    Client.objects.filter(pk="demo").update(name="Demo & Co", default_locale=locale, time_zone="Asia/Hong_Kong")
    make.make_staff("gone", demo, email="gone@example.com", is_active=False)
    make.make_staff("mute", demo)
    make.make_staff("ann", demo, email="ann@example.com")
    demo.refresh_from_db()
    make.make_policy(demo, quotas={STARTED: 10})
    use(demo, "2026-05-04T10:00", times=8)
    warn("2026-05-04T10:01")
    assert relay.drain() == 1
    (mail,) = mailoutbox
    assert (mail.subject, mail.body) == (subject, body)
    assert mail.to == ["ann@example.com", "cleo@example.com"]
    assert mail.from_email == "GOFA <no-reply@localhost>"
    first, second = body.strip().split("\n\n")
    shown = subject.replace("&", "&amp;")
    assert html_of(mail) == (
        f'<!DOCTYPE html> <html lang="{locale}"> <head> <meta charset="utf-8"> <title>{shown}</title> </head> <body>'
        f" <h1>{shown}</h1> <p>{first}</p><p>{second}</p> </body> </html>"
    )


@pytest.mark.parametrize(
    ("locale", "used", "subject", "body"),
    [
        ("en", 9, "Demo: 80 % of the credits are used", "Used since the last grant: 9 of 10 credits.\n\n"
         "Once they are used up, what costs credits is refused until more are granted.\n"),
        ("en", 10, "Demo: no credits are left", "Used since the last grant: 10 of 10 credits.\n\n"
         "What costs credits is refused until more are granted.\n"),
        ("zh-Hant", 9, "Demo：點數已用 80 %", "自上次撥點以來已用：9／10 點。\n\n"
         "用完之後，需要點數的要求會被拒絕，直到再次撥點。\n"),
        ("zh-Hant", 10, "Demo：點數已用完", "自上次撥點以來已用：10／10 點。\n\n"
         "需要點數的要求會被拒絕，直到再次撥點。\n"),
        ("zh-Hans", 9, "Demo：点数已用 80 %", "自上次拨点以来已用：9／10 点。\n\n"
         "用完之后，需要点数的请求会被拒绝，直到再次拨点。\n"),
        ("zh-Hans", 10, "Demo：点数已用完", "自上次拨点以来已用：10／10 点。\n\n"
         "需要点数的请求会被拒绝，直到再次拨点。\n"),
    ],
)  # fmt: skip
def test_a_balance_warning_is_mailed_in_the_clients_language(
    demo: Client, cleo: User, mailoutbox: list[Any], locale: str, used: int, subject: str, body: str
) -> None:
    Client.objects.filter(pk="demo").update(default_locale=locale)
    make.make_policy(demo, prices={STARTED: 1})
    grant(demo, "2026-05-01T00:00", 10)
    use(demo, "2026-05-01T01:00", times=used)
    warn("2026-05-01T01:01")
    relay.drain()
    (mail,) = mailoutbox
    assert (mail.subject, mail.body) == (subject, body)
    assert f"<title>{subject}</title>" in html_of(mail)


STATEMENTS = {
    "en": (
        "Demo: statement of May 2026",
        "Opening balance: 0 credits\nGranted: 10\nSpent: 6\nGiven back: 0\nExpired: 0\n"
        "Closing balance: 4 credits\n\nThe whole statement, event by event:\n\n",
    ),
    "zh-Hant": (
        "Demo：2026年5月帳單",
        "期初餘額：0 點\n撥入：10\n使用：6\n退回：0\n過期：0\n期末餘額：4 點\n\n完整帳單及各項明細：\n\n",
    ),
    "zh-Hans": (
        "Demo：2026年5月账单",
        "期初余额：0 点\n拨入：10\n使用：6\n退回：0\n过期：0\n期末余额：4 点\n\n完整账单及各项明细：\n\n",
    ),
}


@pytest.mark.parametrize("locale", STATEMENTS)
def test_a_statement_is_mailed_with_the_address_of_its_page(
    demo: Client, cleo: User, mailoutbox: list[Any], settings: Any, locale: str
) -> None:
    settings.PUBLIC_URL = "https://gofa.example"
    Client.objects.filter(pk="demo").update(default_locale=locale)
    make.make_policy(demo, prices={STARTED: 3})
    grant(demo, "2026-05-01T00:00", 10)
    use(demo, "2026-05-01T01:00", times=2)
    with at("2026-06-01T00:10"), binding.bound("demo"):
        (statement,) = statements.make_statements(client=demo, now=now())
    relay.drain()
    (mail,) = mailoutbox
    address = f"https://gofa.example/admin/billing/statement/{statement.id}/change/"
    subject, body = STATEMENTS[locale]
    assert (mail.subject, mail.body) == (subject, body + address + "\n")
    assert f'<p> <a href="{address}">{address}</a> </p>' in html_of(mail)


def test_another_clients_administrators_are_told_nothing(demo: Client, eve: User, mailoutbox: list[Any]) -> None:
    User.objects.update(email="eve@example.com")
    make.make_policy(demo, quotas={STARTED: 1})
    use(demo, "2026-05-04T10:00")
    warn("2026-05-04T10:01")
    assert relay.drain() == 1
    assert not mailoutbox
    with binding.bound("demo"):
        assert mails.addresses("demo") == []


def test_an_event_that_comes_ten_times_is_mailed_once(demo: Client, cleo: User, mailoutbox: list[Any]) -> None:
    make.make_policy(demo, quotas={STARTED: 1})
    use(demo, "2026-05-04T10:00")
    warn("2026-05-04T10:01")
    for _ in range(10):
        relay.drain()
        with binding.bound(binding.ALL_CLIENTS):
            OutboxEvent.objects.update(state="pending", next_attempt_at=Now(), delivered_at=None, attempts=0)
    assert len(mailoutbox) == 1


def test_a_mail_server_that_is_away_is_tried_again_and_then_a_dead_letter_that_can_be_sent(
    demo: Client, cleo: User, mailoutbox: list[Any], settings: Any
) -> None:
    make.make_policy(demo, quotas={STARTED: 1})
    use(demo, "2026-05-04T10:00")
    warn("2026-05-04T10:01")
    there, settings.EMAIL_BACKEND = settings.EMAIL_BACKEND, "django.core.mail.backends.smtp.EmailBackend"
    settings.EMAIL_HOST, settings.EMAIL_PORT = "127.0.0.1", 1
    settings.OUTBOX_MAX_ATTEMPTS = 2
    for _ in range(2):
        assert relay.drain() == 0
        with binding.bound(binding.ALL_CLIENTS):
            OutboxEvent.objects.filter(state="pending").update(next_attempt_at=Now() - timedelta(seconds=1))
    with binding.bound(binding.ALL_CLIENTS):
        letter = DeadLetter.objects.dead().get()
    assert "ConnectionRefusedError" in letter.last_error
    settings.EMAIL_BACKEND = there
    relay.send_again(event_id=letter.id)
    assert relay.drain() == 1
    assert len(mailoutbox) == 1
