"""May this caller act for the client that a request names? (contract 1, 2)"""

from apps.accounts.principal import Principal
from apps.kernel.refusals import Forbidden, NotFound, Refusal
from apps.tenants import registry
from apps.tenants.models import Client


def client_for(
    principal: Principal,
    client_id: str,
    *,
    unknown: Refusal | None = None,
    foreign: Refusal | None = None,
) -> Client:
    """The named client, when the caller speaks for it or is platform staff.

    `unknown` is raised for a name that no client has (by default a 404), `foreign` for somebody else's (403).
    """
    client = registry.find(client_id)
    if client is None:
        raise unknown or NotFound("Client not found")
    if not principal.may_act_for(client_id):
        raise foreign or Forbidden("This client is not yours")
    return client


def client_id_for(
    principal: Principal, client_id: str, *, unknown: Refusal | None = None, foreign: Refusal | None = None
) -> str:
    """The same for those who need the id alone: the caller's own client was looked at with their credential."""
    if client_id == principal.client_id:
        return client_id
    return client_for(principal, client_id, unknown=unknown, foreign=foreign).id
