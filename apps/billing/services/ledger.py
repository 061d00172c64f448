"""What moves credits besides a debit? Grants, reversals and expiry (contract 7, 12).

Lock order: activity row → account → ledger. Every service here locks the account first.
"""

from dataclasses import dataclass
from datetime import datetime

from apps.api import tracing
from apps.billing.bounds import MOST_RECEIVED
from apps.billing.models import CreditAccount, CreditLot, LedgerEntry
from apps.billing.models.ledger import new_entry_id, new_lot_id
from apps.events import outbox
from apps.kernel.clock import instant
from apps.kernel.querysets import TenantQuerySet
from apps.kernel.refusals import BadRequest, Conflict, Detail, NotFound
from apps.tenants import binding


class GrantDiffers(Conflict):
    def __init__(self) -> None:
        super().__init__("This reference was used for another grant")


class TooManyCredits(Conflict):
    def __init__(self) -> None:
        super().__init__("The client would have more credits than can be counted")


class AlreadyReversed(Conflict):
    def __init__(self) -> None:
        super().__init__("This entry has been reversed")


class NotADebit(BadRequest):
    def __init__(self) -> None:
        super().__init__("Only a debit can be reversed")


@dataclass(frozen=True, slots=True)
class Granted:
    lot: CreditLot
    balance: int
    is_new: bool


@dataclass(frozen=True, slots=True)
class Reversed:
    entry: LedgerEntry
    balance: int


def grant_credits(
    *, client_id: str, amount: int, reference: str, expires_at: datetime | None, author: str, now: datetime
) -> Granted:
    """Give a client credits, once for a reference: the same again changes nothing, another amount is a 409."""
    with binding.atomic():
        account = locked_account(client_id)
        _book_due(account, now)
        known = CreditLot.objects.for_client(client_id).filter(reference=reference).first()
        if known is not None:
            if known.credits != amount:
                raise GrantDiffers
            return Granted(known, account.credits, is_new=False)
        if expires_at is not None and expires_at <= now:
            raise BadRequest("Invalid request", details=[Detail("expiresAt", "Must be in the future.")])
        if account.received + amount > MOST_RECEIVED:
            raise TooManyCredits
        entry = _come_in(account, LedgerEntry.Kind.GRANT, amount, note=reference, author=author, now=now)
        lot = _open_lot(account, entry, reference=reference, expires_at=expires_at)
        return Granted(lot, account.credits, is_new=True)


def reverse_debit(*, client_id: str, entry_id: str, reason: str, author: str, now: datetime) -> Reversed:
    """Give back what a debit took, once. The credits come back as such that do not expire; the usage stays counted."""
    with binding.atomic():
        account = locked_account(client_id)
        _book_due(account, now)
        debit = LedgerEntry.objects.for_client(client_id).filter(pk=entry_id).first()
        if debit is None:
            raise NotFound("Ledger entry not found")
        if debit.kind != LedgerEntry.Kind.DEBIT:
            raise NotADebit
        if LedgerEntry.objects.for_client(client_id).filter(reverses=debit).exists():
            raise AlreadyReversed
        entry = _come_in(
            account, LedgerEntry.Kind.REVERSAL, debit.amount, note=reason, author=author, now=now, reverses=debit
        )
        _open_lot(account, entry, reference=None, expires_at=None)
        return Reversed(entry, account.credits)


def book_expiries(*, client_id: str, now: datetime) -> int:
    """Book what has expired and was not spent; how many lots that were. While nothing is due, nobody is held up."""
    if not _due(client_id, now).exists():
        return 0
    with binding.atomic():
        return _book_due(locked_account(client_id), now)


def locked_account(client_id: str) -> CreditAccount:
    """The account, which is made when first asked for, held until the transaction ends."""
    accounts = CreditAccount.objects.for_client(client_id)
    account = accounts.locked().first()
    if account is None:
        CreditAccount.objects.bulk_create([CreditAccount(client_id=client_id)], ignore_conflicts=True)
        account = accounts.locked().get()
    return account


def _due(client_id: str, now: datetime) -> TenantQuerySet[CreditLot]:
    return CreditLot.objects.for_client(client_id).filter(is_open=True, expires_at__lte=now)


def _book_due(account: CreditAccount, now: datetime) -> int:
    lots = list(_due(account.client_id, now).order_by("expires_at", "id"))
    for lot in lots:
        left, lot.remaining, lot.is_open = lot.remaining, 0, False
        lot.save(update_fields=["remaining", "is_open"])
        account.received -= left
        entry = _post(account, LedgerEntry.Kind.EXPIRY, left, note=lot.reference or "", now=now)
        _tell_of_expiry(lot, entry)
    return len(lots)


def _tell_of_expiry(lot: CreditLot, entry: LedgerEntry) -> None:
    payload = {
        "entryId": entry.id,
        "reference": lot.reference,
        "credits": entry.amount,
        "expiresAt": instant(lot.expires_at),
        "balanceAfter": entry.balance_after,
    }
    outbox.record(
        client_id=lot.client_id,
        event_type="billing.credits_expired",
        subject_id=lot.id,
        payload=payload,
        now=entry.created_at,
    )


_ACCOUNTS = {
    LedgerEntry.Kind.GRANT: (LedgerEntry.Account.ISSUED, LedgerEntry.Account.BALANCE),
    LedgerEntry.Kind.REVERSAL: (LedgerEntry.Account.SPENT, LedgerEntry.Account.BALANCE),
    LedgerEntry.Kind.EXPIRY: (LedgerEntry.Account.BALANCE, LedgerEntry.Account.EXPIRED),
}


def _come_in(
    account: CreditAccount,
    kind: LedgerEntry.Kind,
    amount: int,
    *,
    note: str,
    author: str,
    now: datetime,
    reverses: LedgerEntry | None = None,
) -> LedgerEntry:
    account.received += amount if kind == LedgerEntry.Kind.GRANT else 0
    return _post(account, kind, amount, note=note, author=author, now=now, reverses=reverses)


def _post(
    account: CreditAccount,
    kind: LedgerEntry.Kind,
    amount: int,
    *,
    note: str,
    now: datetime,
    author: str = "",
    reverses: LedgerEntry | None = None,
) -> LedgerEntry:
    """One entry, and the account as it is after it."""
    source, target = _ACCOUNTS[kind]
    account.credits += amount if target == LedgerEntry.Account.BALANCE else -amount
    account.entries += 1
    account.save(update_fields=["credits", "entries", "received"])
    return LedgerEntry.objects.create(
        id=new_entry_id(),
        client_id=account.client_id,
        sequence=account.entries,
        kind=kind,
        from_account=source,
        to_account=target,
        amount=amount,
        balance_after=account.credits,
        event_type=reverses.event_type if reverses else "",
        activity_id=reverses.activity_id if reverses else "",
        request_id=tracing.current_request_id(),
        reverses=reverses,
        note=note,
        author=author,
        created_at=now,
    )


def _open_lot(
    account: CreditAccount, entry: LedgerEntry, *, reference: str | None, expires_at: datetime | None
) -> CreditLot:
    """What came in pays what was owed first; only the rest can be spent."""
    remaining = min(entry.amount, max(account.credits, 0))
    return CreditLot.objects.create(
        id=new_lot_id(),
        client_id=account.client_id,
        entry=entry,
        reference=reference,
        credits=entry.amount,
        remaining=remaining,
        is_open=remaining > 0,
        expires_at=expires_at,
        created_at=entry.created_at,
    )
