"""How often may somebody do what 004's table names? Counted after the rules: a refusal takes nothing (contract 2)."""

from apps.api import limits
from apps.api.limits import Limit
from apps.kernel.refusals import Conflict, Refusal
from apps.tenants import binding

STARTS = Limit("session_starts", 5, 60)
NAVIGATIONS = Limit("session_navigations", 120, 60)
STATE_READS = Limit("session_state_reads", 60, 60)
TUTOR_TURNS = Limit("tutor_turns", 30, 3600)
# Not given back: what is refused is what this limit is for.
MOUNTS = Limit("bundle_mounts", 10, 3600)


class SessionRateLimited(Conflict):
    """004 answers too many starts with 409, all else with 429."""

    code = "session.rate_limited"

    def __init__(self, *, retry_after: int) -> None:
        super().__init__("Too many session starts", retry_after=retry_after)


def of_user(client_id: str, uid: str) -> str:
    return f"{client_id}:{uid}"


def count(limit: Limit, scope: str, refusal: type[Refusal] | None = None) -> None:
    """One more within the open transaction, or RateLimited (or `refusal`); given back if nothing comes of it."""
    limits.take([(limit, scope)], refusal)
    binding.on_rollback(lambda: limits.give_back([(limit, scope)]))
