"""A real worker that is killed in the middle loses and doubles nothing, however often it is told the same."""

from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

import pytest

from apps.api import valkey
from apps.billing import folding, metering
from apps.billing.models import EventType, MeteredDay, SpendingWarning, Statement, UsageDay
from apps.kernel.clock import now
from apps.tenants import binding
from apps.tenants.models import Client
from gofa import celery_app
from tests import make
from tests.billing.activity import grant, told, use
from tests.workers import kill, wait_until, workers

pytestmark = pytest.mark.django_db(transaction=True)

STARTED = EventType.LESSON_PLAY_CREATED
TIMES = 10


@pytest.fixture
def killed(tmp_path: Path) -> Callable[..., None]:
    """`killed(task, "apps.billing.…")`: a worker is killed in that function, then another is told ten times."""

    def run(task: str, blocked: str, **env: str) -> None:
        begun = tmp_path / "begun"
        with workers("tests.billing.worker", BLOCKED=blocked, BEGUN=str(begun), **env) as start:
            worker = start()
            tell(task)
            wait_until(begun.exists)
            kill(worker)
        for key in ("celery", "unacked", "unacked_index"):
            valkey.client().delete(key)
        with workers("tests.billing.worker") as start:
            start()
            for _ in range(TIMES):
                tell(task)
            wait_until(lambda: not valkey.client().llen("celery") and not valkey.client().hlen("unacked"))

    return run


def tell(task: str) -> None:
    celery_app.send_task(f"apps.billing.tasks.{task}", queue="celery", ignore_result=True)


def ago(**time: float) -> str:
    return (now() - timedelta(**time)).replace(tzinfo=None).isoformat()


def test_a_roll_up(demo: Client, acme: Client, killed: Callable[..., None]) -> None:
    for client in (acme, demo):
        use(client, ago(days=1), times=2)
        use(client, ago(seconds=1), times=3)
    killed("roll_up_usage", "apps.billing.rollups._write", AFTER="yes")
    for client in (acme, demo):
        with binding.bound(client.id):
            assert sum(UsageDay.objects.for_client(client.id).values_list("events", flat=True)) == 5


def test_a_statement(demo: Client, killed: Callable[..., None]) -> None:
    make.make_policy(demo, prices={STARTED: 3})
    grant(demo, ago(days=70), 20)
    use(demo, ago(days=60), times=2)
    killed("make_statements", "apps.billing.statements._tell", AFTER="yes")
    with binding.bound("demo"):
        made = list(Statement.objects.order_by("period"))
    assert len(made) == len({row.period for row in made}) == len(told(demo, "billing.statement_made")) >= 1
    assert (sum(row.granted for row in made), sum(row.spent for row in made)) == (20, 6)
    assert made[-1].closing_balance == 14


def test_a_warning(demo: Client, killed: Callable[..., None]) -> None:
    make.make_policy(demo, quotas={STARTED: 2})
    use(demo, now().replace(tzinfo=None).isoformat(), times=2)
    killed("warn", "apps.billing.warnings._tell", AFTER="yes")
    with binding.bound("demo"):
        assert SpendingWarning.objects.count() == 2
    assert len(told(demo, "billing.quota_warning")) == 1


def test_an_expiry(demo: Client, killed: Callable[..., None]) -> None:
    grant(demo, ago(days=2), 5, expires_at=now() - timedelta(days=1))
    killed("book_expiries", "apps.billing.services.ledger._tell_of_expiry", AFTER="yes")
    assert [event["balanceAfter"] for event in told(demo, "billing.credits_expired")] == [0]


@pytest.mark.parametrize("blocked", ["_by_day", "_forget"])
def test_a_fold(demo: Client, killed: Callable[..., None], blocked: str) -> None:
    """Before it commits, and between that and the end of the batch."""
    counter = metering.Counter()
    for _ in range(3):
        counter.add("demo", "GET /api/lessons")
    assert counter.flush()
    killed("fold_metered_calls", f"apps.billing.folding.{blocked}")
    with binding.bound("demo"):
        assert [row.calls for row in MeteredDay.objects.all()] == [3]
    assert not valkey.client().smembers(folding.BATCHES)
