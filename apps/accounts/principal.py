"""Who is asking? What a checked credential says of its bearer, and nothing that needs a query."""

from dataclasses import dataclass
from enum import StrEnum


class Role(StrEnum):
    END_USER = "end_user"
    CLIENT_ADMIN = "client_admin"
    PLATFORM_ADMIN = "platform_admin"
    INTEGRATION = "integration"


STAFF = (Role.CLIENT_ADMIN, Role.PLATFORM_ADMIN)


@dataclass(frozen=True, slots=True)
class Principal:
    """The bearer of a credential.

    `client_id` is the tenant that they speak for (`gofa` for platform staff), `subject` the uid, the user name of
    staff or the id of a revokable token, `clients` those that a client administrator manages.
    """

    role: Role
    client_id: str
    subject: str
    clients: frozenset[str] = frozenset()
    by_cookie: bool = False
    is_authenticated = True

    @property
    def is_end_user(self) -> bool:
        return self.role == Role.END_USER

    @property
    def is_platform(self) -> bool:
        return self.role == Role.PLATFORM_ADMIN

    @property
    def is_administrator(self) -> bool:
        """Of a client, or of the platform."""
        return self.role in STAFF

    @property
    def scope(self) -> str:
        """A name that nobody else of the tenant has: limits and idempotency keys are counted by it."""
        return f"{self.role}:{self.subject}"

    def may_act_for(self, client_id: str) -> bool:
        return self.is_platform or client_id == self.client_id or client_id in self.clients
