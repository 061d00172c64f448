"""For which client does a member of staff act in the admin? (contract 11)

A client administrator acts for their client, or for the one that they chose of several. Platform staff see every client
until they choose to act for one; then they see what its administrator sees, and the choice is in the audit log.
"""

from dataclasses import dataclass

from django.contrib.admin.models import CHANGE, LogEntry
from django.http import HttpRequest

from apps.accounts.models import User
from apps.tenants import binding
from apps.tenants.models import Client

SESSION_KEY = "acting_for"
_META_KEY = "gofa.acting"


@dataclass(frozen=True, slots=True)
class Acting:
    """A member of staff, the clients that they administer (none are listed for platform staff), and the chosen one."""

    user: User
    clients: tuple[Client, ...]
    client: Client | None

    @property
    def binding(self) -> str:
        """What row-level security is bound to for this request."""
        if self.client is not None:
            return self.client.id
        return binding.ALL_CLIENTS if self.user.is_platform else binding.NO_CLIENT

    def may_act_for(self, client: Client) -> bool:
        return self.user.is_platform or client in self.clients


def resolve(user: User, chosen: str | None) -> Acting:
    """What is left of a choice: a client that was suspended, or taken from its administrator, is chosen no longer."""
    with binding.bound(binding.ALL_CLIENTS):
        if user.is_platform:
            client = Client.objects.active().filter(pk=chosen).first() if chosen else None
            return Acting(user, (), client)
        clients = tuple(Client.objects.active().filter(administrations__user=user).order_by("id"))
    by_id = {client.id: client for client in clients}
    return Acting(user, clients, by_id.get(chosen or "") or next(iter(clients), None))


def remember(request: HttpRequest, acting: Acting) -> None:
    request.META[_META_KEY] = acting


def acting_of(request: HttpRequest) -> Acting | None:
    """None on pages that are for everybody, such as the login."""
    return request.META.get(_META_KEY)


def choose(request: HttpRequest, acting: Acting, client: Client | None) -> None:
    """Act for this client from now on; None returns platform staff to all of them. Their choices are audited."""
    subject = client or acting.client
    if client is None:
        request.session.pop(SESSION_KEY, None)
    else:
        request.session[SESSION_KEY] = client.id
    if subject is not None and acting.user.is_platform:
        word = "Started acting for this client." if client else "Stopped acting for this client."
        with binding.bound(binding.ALL_CLIENTS):
            LogEntry.objects.log_actions(acting.user.pk, [subject], CHANGE, word, single_object=True)
