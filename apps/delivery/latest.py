"""Where did somebody leave off? The greatest lamport time of all that is known of them (004, contract 9)."""

from dataclasses import dataclass

from apps.delivery.models import PlaySession

AGGREGATE = "aggregate"


@dataclass(frozen=True, slots=True)
class Latest:
    """The session, and where its state was taken from."""

    session: PlaySession
    source: str


def latest_of(client_id: str, uid: str) -> Latest | None:
    """None for somebody who never began anything."""
    session = PlaySession.objects.of_user(client_id, uid).order_by("-lamport", "-id").first()
    return Latest(session, AGGREGATE) if session else None
