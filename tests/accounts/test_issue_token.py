"""manage.py issue_token (contract 13)"""

import subprocess
import sys
from collections.abc import Callable
from typing import Any

import jwt
import pytest
from django.core.management import CommandError, call_command

from apps.accounts.models import RevokableToken, User
from apps.tenants import binding
from apps.tenants.models import Client, EndUser
from tests.accounts.issuer import bearer
from tests.asserts import assert_unauthorized
from tests.caller import Caller

EXCHANGE, USERS = "/api/auth/exchange-token", "/api/client/demo/users"


@pytest.fixture
def issue(capsys: pytest.CaptureFixture[str]) -> Callable[..., str]:
    """What the command prints, which is one token and nothing else."""

    def run(*args: str) -> str:
        call_command("issue_token", *args)
        printed = capsys.readouterr()
        assert printed.out.count("\n") == 1
        assert printed.err == ""
        return printed.out.removesuffix("\n")

    return run


def said(token: str) -> dict[str, Any]:
    claims: dict[str, Any] = jwt.decode(token, options={"verify_signature": False})
    return claims


def test_an_id_token_of_a_person(issue: Callable[..., str], ada: EndUser) -> None:
    token = issue("--client", "demo", "--user", "ada")
    assert bearer(token).post(EXCHANGE).status_code == 200
    assert said(token)["exp"] - said(token)["iat"] == 3600


def test_a_person_need_not_exist_yet(issue: Callable[..., str], demo: Client) -> None:
    token = issue("--client", "demo", "--user", "nobody-yet")
    with binding.bound("demo"):
        assert not EndUser.objects.exists()
    assert bearer(token).post(EXCHANGE).status_code == 200


def test_a_lifetime_may_be_given(issue: Callable[..., str], ada: EndUser) -> None:
    token = issue("--client", "demo", "--user", "ada", "--ttl", "60")
    assert said(token)["exp"] - said(token)["iat"] == 60
    assert_unauthorized(bearer(issue("--client", "demo", "--user", "ada", "--ttl=-60")).post(EXCHANGE))


def test_a_custom_token(issue: Callable[..., str], ada: EndUser) -> None:
    token = issue("--client", "demo", "--user", "ada", "--kind", "custom")
    assert bearer("").post("/api/auth/sign-in", {"customToken": token}).status_code == 200


def test_an_admin_token(issue: Callable[..., str], cleo: User) -> None:
    token = issue("--client", "demo", "--kind", "admin", "--staff", "cleo")
    assert Caller({"AdminToken": token}).get(USERS).status_code == 200


def test_an_admin_token_of_platform_staff(issue: Callable[..., str], root: User, demo: Client) -> None:
    for args in (["--client", "demo"], []):
        token = issue(*args, "--kind", "admin", "--staff", "root")
        assert Caller({"AdminToken": token}).get("/api/platform/clients").status_code == 200
        assert Caller({"AdminToken": token}).get(USERS).status_code == 200


def test_an_id_token_of_staff(issue: Callable[..., str], cleo: User, root: User) -> None:
    token = issue("--client", "demo", "--staff", "cleo")
    assert said(token)["role"] == "client_admin"
    assert bearer(token).get(USERS).status_code == 200
    token = issue("--client", "demo", "--kind", "id", "--staff", "root")
    assert said(token)["role"] == "platform_admin"
    assert bearer(token).get("/api/platform/clients").status_code == 200


def test_a_revokable_token_needs_neither_user_nor_staff(issue: Callable[..., str], demo: Client) -> None:
    token = issue("--client", "demo", "--kind", "revokable")
    assert Caller({"RevokableToken": token}).get("/api/lesson-plays", {"clientId": "demo"}).status_code == 200
    with binding.bound("demo"):
        row = RevokableToken.objects.get()
    assert (row.pk, row.expires_at) == (said(token)["jti"], None)
    token = issue("--client", "demo", "--kind", "revokable", "--ttl", "60")
    with binding.bound("demo"):
        assert RevokableToken.objects.get(pk=said(token)["jti"]).expires_at is not None


@pytest.mark.parametrize(
    ("args", "says"),
    [
        (["--user", "ada"], "--client is missing"),
        (["--client", "nobody", "--user", "ada"], "no active client is named 'nobody'"),
        (["--client", "demo"], "needs --user or --staff"),
        (["--client", "demo", "--kind", "custom"], "--user is missing"),
        (["--client", "demo", "--kind", "admin"], "--staff is missing"),
        (["--client", "demo", "--kind", "admin", "--user", "ada"], "--staff is missing"),
        (["--client", "demo", "--kind", "admin", "--staff", "nobody"], "no active member of staff is named 'nobody'"),
        (["--client", "demo", "--kind", "admin", "--staff", "eve"], "eve does not administer demo"),
        (["--client", "nobody", "--kind", "admin", "--staff", "eve"], "no active client is named 'nobody'"),
        (["--client", "demo", "--kind", "custom", "--staff", "eve"], "--user, not --staff"),
        (["--client", "demo", "--user", ""], "1 to 128 characters"),
        (["--client", "demo", "--user", "u" * 129], "1 to 128 characters"),
        (["--client", "demo", "--user", "ada", "--ttl", "86401"], "86400 seconds at most"),
        (["--client", "demo", "--kind", "revokable", "--ttl", "0"], "is more than 0"),
        (["--client", "demo", "--user", "ada", "--ttl", "9" * 30], "too large"),
        (["--client", "demo", "--kind", "nonsense"], "invalid choice"),
    ],
)
def test_what_cannot_be_is_told_in_one_line(demo: Client, eve: User, args: list[str], says: str) -> None:
    with pytest.raises(CommandError) as refused:
        call_command("issue_token", *args)
    assert says in str(refused.value)
    assert "\n" not in str(refused.value)


def test_a_wrong_call_ends_with_1_and_prints_no_token() -> None:
    """As a process of its own, against a database that is not there."""
    run = subprocess.run(
        [sys.executable, "manage.py", "issue_token", "--client", "demo", "--user", "ada"],
        env={"DATABASE_URL": "postgresql://127.0.0.1:1/none", "REDIS_URL": "redis://127.0.0.1:1", "PATH": ""},
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    assert run.returncode == 1
    assert run.stdout == ""
    assert len(run.stderr.strip().splitlines()) == 1, run.stderr
