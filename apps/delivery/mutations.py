"""What is one thing that a device tells of a session that was played offline? (contract 9, "Push")"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from apps.kernel.refusals import Refusal

ENTITY_TYPE = "PlaySession"


@dataclass(frozen=True, slots=True)
class Mutation:
    """One of the right shape. What is None was not told."""

    mutation_id: str
    entity_id: str
    device_id: str  # empty for none
    lamport: int
    occurred_at: datetime
    state: str
    is_terminal: bool
    cursor: Mapping[str, Any]
    completed: frozenset[str]


@dataclass(frozen=True, slots=True)
class Told:
    """What came, as it came: a mutation, or what is wrong with its shape.

    `mutation_id` is None where it could not be told again under it; `echo` is what the answer calls it.
    """

    raw: Any
    echo: str | None
    mutation_id: str | None
    mutation: Mutation | None = None
    fault: Refusal | None = None


@dataclass(frozen=True, slots=True)
class Judged:
    """What came of it; of one that was rejected, why."""

    echo: str | None
    verdict: str
    problem: dict[str, Any] | None = None
