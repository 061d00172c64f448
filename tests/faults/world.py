"""Who calls while things break? Clients made inside the product, whose credits and quotas end while they call."""

import json
from dataclasses import asdict, dataclass
from typing import Any

from tests.ops.running import Product

STARTED = "lesson_play.created"
# Its bucket is never empty: that the rate is asked for, and Valkey with it, is all that it is there for.
RATE = {"rate_per_minute": 60_000_000, "burst": 1_000_000}


@dataclass(frozen=True)
class Payer:
    """One person of one client. `means` says what the client has."""

    client_id: str
    means: str
    token: str
    lesson_id: str


def payers(product: Product, number: int, *, scale: int) -> list[list[Payer]]:
    """`number` times three of them: rich, who can always pay; poor, and capped, whose means end soon."""
    done = product.manage("shell", "-c", f"from tests.faults import world; world.furnish({number}, {scale})")
    assert done.returncode == 0, done.stderr
    rows = [Payer(**row) for row in json.loads(done.stdout.splitlines()[-1])]
    return [rows[start : start + 3] for start in range(0, len(rows), 3)]


def furnish(number: int, scale: int) -> None:
    """Runs inside the product: makes them and prints them."""
    from apps.tenants.models import Client
    from tests import make

    if not Client.objects.filter(pk="gofa").exists():
        make.make_client("gofa", name="GOFA")
    made = []
    for round_ in range(number):
        made += [
            _make(f"rich-{round_}", "rich", 10**9, prices={STARTED: 1}, quotas={STARTED: 10**9}, **RATE),
            _make(f"poor-{round_}", "poor", 60 * scale + 1, prices={STARTED: 3}),
            _make(f"capped-{round_}", "capped", 10**6, prices={STARTED: 1}, quotas={STARTED: 25 * scale}),
        ]
    print(json.dumps([asdict(payer) for payer in made]))


def _make(client_id: str, means: str, granted: int, **policy: Any) -> Payer:
    from datetime import timedelta

    from apps.accounts import tokens
    from tests import make

    client = make.make_client(client_id)
    make.make_user(client, "una")
    make.make_policy(client, **policy)
    make.make_grant(client, granted)
    token = tokens.issue_id_token(client_id, "una", timedelta(hours=24)).text
    return Payer(client_id, means, token, make.make_lesson(client).id)
