"""What does it cost that all billable calls of one client wait at its account? One hot client beside a thousand.

The same requests of the same product: all of one client, of 64 and of 1,000 clients by turns; and pgbench with the
same SQL, the account's lock held over the flush of the log in both.
"""

from pathlib import Path

from apps.accounts.tokens import issue_id_token
from apps.billing.models import EventType
from apps.tenants import binding
from apps.tenants.models import EndUser
from tests import make
from tests.benchmarks import pgbench, statements

CLIENTS = {"hot": 1, "64": 64, "many": 1_000}
STARTED = EventType.LESSON_PLAY_CREATED


def requests(folder: Path) -> dict[str, Path]:
    """A file of requests for each number of clients, every one of whom pays a credit a start."""
    lines = [_request(f"bill-{number}") for number in range(max(CLIENTS.values()))]
    files = {}
    for name, count in CLIENTS.items():
        files[name] = folder / f"billable-{name}.txt"
        files[name].write_text("".join(lines[:count]))
    return files


def _request(client_id: str) -> str:
    from datetime import timedelta

    client = make.make_client(client_id)
    lesson = make.make_lesson(client, id=f"lesson_{client_id}")
    with binding.bound(client_id):
        EndUser.objects.create(client=client, uid="one", membership_tier="standard", locale="en")
    make.make_policy(client, prices={STARTED: 1}, quotas={STARTED: 10**12})
    make.make_grant(client, 10**12)
    token = issue_id_token(client_id, "one", timedelta(hours=6)).text
    return f'POST\t/api/lesson-plays\t{token}\tone\t{{"lessonId": "{lesson.id}", "locale": "en"}}\n'


def pgbench_script(clients: int) -> str:
    """The statements of a start, with the tenant told first as the product does."""
    who = "'bill-' || :n"
    lesson = f"'lesson_' || {who}"
    statements_ = [
        f"SELECT set_config('app.client_id', {who}, false)",
        "BEGIN",
        pgbench.filled(statements.MAY_PLAY, lesson, who, "'one'"),
        pgbench.filled(statements.NEW_PLAY, "gen_random_uuid()", who, "'one'", lesson, "now()"),
        pgbench.filled(statements.NEW_EVENT, "substr(gen_random_uuid()::text, 1, 30)", who, "'x'", "'{}'", "now()"),
        pgbench.charge(who),
        "COMMIT",
    ]
    return f"\\set n random(0, {clients - 1})\n" + "".join(f"{each};\n" for each in statements_)
