"""Which word of the workspace is which word of the API? `Engagement` ↔ `ENGAGEMENT` (contract 4)."""

from collections.abc import Sequence

from django.db.models import TextChoices

NO_EQUIPMENT = "No Equipment"


def code_of(choices: type[TextChoices], word: str) -> str | None:
    """The stored code of a label or a code, however its letters are written; None outside the vocabulary."""
    folded = fold(word)
    for choice in choices:
        if folded in (fold(choice.value), fold(str(choice.label))):
            return choice.value
    return None


def label_of(choices: type[TextChoices], code: str) -> str | None:
    """The workspace's word, None for nothing."""
    return str(choices(code).label) if code else None


def equipment_of(label: str) -> list[str]:
    """The main equipment as it is stored; none where there is none."""
    return [] if fold(label) in ("", fold(NO_EQUIPMENT)) else [label]


def equipment_label(equipment: Sequence[str]) -> str:
    return equipment[0] if equipment else NO_EQUIPMENT


def fold(word: str) -> str:
    return word.strip().casefold().replace("_", " ")
