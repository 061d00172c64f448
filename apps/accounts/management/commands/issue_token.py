"""Prints one token and nothing else, for scripts and for trying things out (contract 13)."""

from argparse import ArgumentParser
from datetime import timedelta
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.db import OperationalError

from apps.accounts import identity, people, services, tokens
from apps.accounts.models import User
from apps.accounts.principal import Role
from apps.kernel.clock import now
from apps.tenants import binding, registry
from apps.tenants.models import LIBRARY_CLIENT_ID, Client

KINDS = ("id", "admin", "revokable", "custom")


class Command(BaseCommand):
    help = "Print a token of the local issuer. A person (--user) need not exist yet; staff (--staff) must."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--client", help="the client's id; of staff, their first one if left out")
        parser.add_argument("--user", help="uid of the end user")
        parser.add_argument("--kind", choices=KINDS, default="id")
        parser.add_argument("--staff", help="user name of the member of staff")
        parser.add_argument("--ttl", type=int, help="seconds until it ends")

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            ttl = None if options["ttl"] is None else timedelta(seconds=options["ttl"])
            if options["kind"] == "revokable":
                issued = for_integration(client_named(options["client"]), ttl)
            elif options["kind"] == "admin" or options["staff"]:
                issued = for_staff(options["kind"], options["staff"], options["client"], ttl)
            else:
                issued = for_end_user(options["kind"], options["user"], client_named(options["client"]), ttl)
        except (OperationalError, OverflowError) as error:
            raise CommandError(" ".join(str(error).split())) from error
        self.stdout.write(issued.text)


def client_named(client_id: str | None) -> Client:
    if client_id is None:
        raise CommandError("--client is missing")
    client = registry.find(client_id)
    if client is None:
        raise CommandError(f"no active client is named {client_id!r}")
    return client


def for_end_user(kind: str, uid: str | None, client: Client, ttl: timedelta | None) -> tokens.Issued:
    if uid is None:
        raise CommandError(f"a token of kind {kind} needs --user or --staff" if kind == "id" else "--user is missing")
    if not identity.is_subject(uid):
        raise CommandError("a uid has 1 to 128 characters, and no control characters")
    if kind == "custom":
        return tokens.CustomToken.issue(client.pk, uid, ttl)
    _check_lifetime(ttl)
    return tokens.issue_id_token(client.pk, uid, ttl)


def for_staff(kind: str, username: str | None, client_id: str | None, ttl: timedelta | None) -> tokens.Issued:
    if username is None:
        raise CommandError("--staff is missing")
    if kind == "custom":
        raise CommandError("a custom token is of an end user: --user, not --staff")
    user = User.objects.filter(username=username, is_active=True, is_staff=True).first()
    if user is None:
        raise CommandError(f"no active member of staff is named {username!r}")
    speaks_for = client_of_staff(user, client_id)
    if kind == "admin":
        return tokens.AdminToken.issue(speaks_for, username, ttl)
    _check_lifetime(ttl)
    role = Role.PLATFORM_ADMIN if user.is_platform else Role.CLIENT_ADMIN
    return tokens.issue_id_token(speaks_for, username, ttl, role=role)


def client_of_staff(user: User, client_id: str | None) -> str:
    """The client that a member of staff speaks for: the named one, if it is theirs."""
    named = client_named(client_id).pk if client_id is not None else None
    if user.is_platform:
        return LIBRARY_CLIENT_ID
    clients = people.clients_of(user)
    if named is None and clients:
        return clients[0]
    if named is None or named not in clients:
        raise CommandError(f"{user.username} does not administer {named or 'any client'}")
    return named


def for_integration(client: Client, ttl: timedelta | None) -> tokens.Issued:
    """Makes the row that the token is known by; the admin lists it, and revokes it."""
    if ttl is not None and ttl <= timedelta(0):
        raise CommandError("--ttl of a revokable token is more than 0")
    time_now = now()
    ends = None if ttl is None else time_now + ttl
    with binding.bound(client.pk):
        row = services.create_revokable_token(
            client=client, label="issue_token", expires_at=ends, by="issue_token", now=time_now
        )
    return tokens.issue_revokable_token(row, now=time_now)


def _check_lifetime(ttl: timedelta | None) -> None:
    if ttl is not None and ttl.total_seconds() > identity.MAX_ID_LIFETIME_SECONDS:
        raise CommandError(f"an ID token lives {identity.MAX_ID_LIFETIME_SECONDS} seconds at most")
