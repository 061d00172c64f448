"""Who may change a client's shelf and plans now? One transaction at a time.

Were there two, one could hide a lesson while the other has a plan of it go live (contract 4).
"""

from apps.tenants.models import Client


def take_turn(client_id: str) -> Client:
    """Wait for whoever changes this client's shelf or plans, and hold its row until the transaction ends.

    Answers the client as it is then. Rows that only refer to a client do not wait.
    """
    return Client.objects.select_for_update(no_key=True).get(pk=client_id)


def take_every_turn() -> None:
    """The same for all clients, in order of id, so that two who do it cannot wait for each other."""
    list(Client.objects.select_for_update(no_key=True).order_by("pk").values_list("pk"))
