"""Of which fields are the bodies and answers about training made?"""

from typing import Any

from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from apps.api import wire
from apps.catalog.presentation import number
from apps.kernel.localized import Localized

_LONGEST = 2_000
_MOST_LABELS = 50


@extend_schema_field(
    {"oneOf": [{"type": "string"}, {"type": "object", "additionalProperties": {"type": ["string", "null"]}}]}
)
class LocalizedBody(wire.LocalizedField):
    """Text by locale, or a string, which is English."""

    default_error_messages = {
        "long": f"A text has at most {_LONGEST} characters.",
        "blank": "The text must not be blank.",
    }

    def __init__(self, *, allow_blank: bool = True, **kwargs: Any) -> None:
        super().__init__(spelling="hyphen", **kwargs)
        self.allow_blank = allow_blank

    def to_internal_value(self, data: Any) -> Localized:
        text = super().to_internal_value({"en": data} if isinstance(data, str) else data)
        if any(said and len(said) > _LONGEST for said in text.values()):
            self.fail("long")
        if not self.allow_blank and any(said is not None and not said.strip() for said in text.values()):
            self.fail("blank")
        if not self.allow_blank and not text:
            self.fail("blank")
        # What is empty was not said.
        return {locale: said for locale, said in text.items() if said is None or said.strip()}


def localized_out(**kwargs: Any) -> wire.LocalizedField:
    return wire.LocalizedField(spelling="hyphen", **kwargs)


class Labels(serializers.ListField):
    """Distinct short words, without the space around them."""

    def __init__(self, **kwargs: Any) -> None:
        child = wire.Text(max_length=100, trim_whitespace=True)
        super().__init__(**{"child": child, "max_length": _MOST_LABELS, **kwargs})

    def to_internal_value(self, data: Any) -> list[str]:
        return list(dict.fromkeys(super().to_internal_value(data)))


class Figure(serializers.FloatField):
    """A number without a needless fraction: 600, 12.5."""

    def to_representation(self, value: Any) -> Any:
        return number(value)


def texts() -> serializers.ListField:
    return serializers.ListField(child=serializers.CharField())
