"""Who may change a person's training now? One transaction at a time.

The person's row is the first lock of every such change; only then are their plan, its instances, the run and its steps
touched, in that order, and what a client spends comes last. So two requests of one person wait for each other at the
first lock, and never in a circle.
"""

from apps.kernel.refusals import NotFound
from apps.tenants.models import EndUser


def take_turn(client_id: str, uid: str) -> EndUser:
    """Wait for whoever changes this person's training, and hold their row until the transaction ends.

    Answers the person as they are then. Rows that only refer to a person do not wait.
    """
    person = EndUser.objects.for_client(client_id).select_for_update(no_key=True).filter(uid=uid).first()
    if person is None:
        raise NotFound("User not found")
    return person
