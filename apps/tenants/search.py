"""How is a person found by a part of their name? By folded text, from the start of any word.

What bites: under row-level security only leakproof functions may use an index, and neither `lower` nor LIKE is one.
So the text is folded when it is stored, and a search is a range over `EndUserWord` (client, text).
"""

import unicodedata
from typing import TYPE_CHECKING, Any, Self

from django.apps import apps
from django.db import models

from apps.kernel.querysets import TenantQuerySet

if TYPE_CHECKING:
    from apps.tenants.models import EndUser  # noqa: F401 - the row type

# As much of a word's beginning as the index holds; a longer search is answered by its first part.
WORD_LENGTH = 40
_LAST_CHARACTER = "\U0010ffff"


def fold(text: str) -> str:
    """Upper and lower case, wide and narrow letters alike; accents are kept."""
    return " ".join(unicodedata.normalize("NFKC", text).casefold().split())


class FoldedField(models.TextField):  # type: ignore[type-arg]  # not subscriptable at run time
    """The folded text of other fields of the row, computed whenever it is saved, in bulk too."""

    def __init__(self, *sources: str, **kwargs: Any) -> None:
        super().__init__(**{**kwargs, "db_collation": "C", "editable": False, "db_default": ""})
        self.sources = sources

    def deconstruct(self) -> Any:
        name, path, _, kwargs = super().deconstruct()
        return name, path, self.sources, kwargs

    def pre_save(self, model_instance: models.Model, add: bool) -> str:
        value = fold(" ".join(getattr(model_instance, source) for source in self.sources))
        setattr(model_instance, self.attname, value)
        return value


class EndUserQuerySet(TenantQuerySet["EndUser"]):
    def found_by(self, client_id: str, search: str) -> Self:
        """People of this client whose id, email or name has a word that begins like `search`."""
        start = fold(search)[:WORD_LENGTH]
        words = apps.get_model("tenants", "EndUserWord")._default_manager.filter(
            client_id=client_id, text__gte=start, text__lt=start + _LAST_CHARACTER
        )
        return self.filter(client_id=client_id, pk__in=words.values("user_id"))

    def with_email(self, client_id: str, email: str) -> Self:
        return self.filter(client_id=client_id, folded_email=fold(email))
