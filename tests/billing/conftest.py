import pytest

from apps.billing import verification
from apps.ops.activities import COUNTED_ONCE


@pytest.fixture
def ledger_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    """For tests that charge for plays which nobody began."""
    monkeypatch.setattr(verification, "RULES", [rule for rule in verification.RULES if rule != COUNTED_ONCE])
