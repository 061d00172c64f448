"""How are names and values spelt on the wire? camelCase by declaration, strict types, UTC milliseconds (contract 3)."""

import re
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any, ClassVar

from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from apps.kernel.clock import instant as instant
from apps.kernel.localized import Localized, Spelling, canonical_locale, spell

_RFC3339 = re.compile(r"\d{4}-\d\d-\d\d[Tt]\d\d:\d\d:\d\d(\.\d+)?([Zz]|[+-]\d\d:\d\d)", re.ASCII)


def camel(name: str) -> str:
    """`photo_url` → `photoUrl`."""
    return re.sub(r"_([a-z0-9])", lambda match: match[1].upper(), name)


class WireSerializer(serializers.Serializer[Any]):
    """Declared in snake_case, spoken in camelCase; `wire_names` states the exceptions once.

    Only names are changed, and only those declared here: keys inside values pass untouched.
    """

    wire_names: ClassVar[Mapping[str, str]] = {}

    def get_fields(self) -> dict[str, "serializers.Field[Any, Any, Any, Any]"]:
        fields = {}
        for name, field in super().get_fields().items():
            outside = self.wire_names.get(name, camel(name))
            if outside != name and field.source is None:
                field.source = name
            fields[outside] = field
        return fields


class Text(serializers.CharField):
    """A JSON string, and nothing that could be turned into one."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(**{"trim_whitespace": False, **kwargs})

    def to_internal_value(self, data: Any) -> str:
        if not isinstance(data, str):
            self.fail("invalid")
        return super().to_internal_value(data)


class Number(serializers.FloatField):
    """A JSON number."""

    def to_internal_value(self, data: Any) -> float:
        if isinstance(data, bool) or not isinstance(data, int | float):
            self.fail("invalid")
        return super().to_internal_value(data)


class Whole(serializers.IntegerField):
    """A JSON number without a fraction."""

    def to_internal_value(self, data: Any) -> int:
        if isinstance(data, bool) or not isinstance(data, int):
            self.fail("invalid")
        return data


class QueryWhole(serializers.IntegerField):
    """A whole number in an address: ASCII digits."""

    def to_internal_value(self, data: Any) -> int:
        if not re.fullmatch(r"-?\d{1,18}", str(data), re.ASCII):
            self.fail("invalid")
        return super().to_internal_value(data)


class Flag(serializers.BooleanField):
    """`true` or `false`."""

    def to_internal_value(self, data: Any) -> bool:
        if not isinstance(data, bool):
            self.fail("invalid", input=data)
        return data


class Instant(serializers.DateTimeField):
    """A time: RFC 3339 in, UTC milliseconds out."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(**{"default_timezone": UTC, **kwargs})

    def to_internal_value(self, value: Any) -> datetime:
        if not isinstance(value, str):
            self.fail("invalid", format="RFC 3339")
        try:
            if not _RFC3339.fullmatch(value):
                raise ValueError(value)
            return datetime.fromisoformat(value.upper()).astimezone(UTC)
        except (ValueError, OverflowError):
            self.fail("invalid", format="RFC 3339")

    def to_representation(self, value: Any) -> str:
        return value if isinstance(value, str) else instant(value)


@extend_schema_field({"type": "object", "additionalProperties": {"type": "string"}})
class LocalizedField(serializers.Field):  # type: ignore[type-arg]  # not subscriptable at run time
    """Text by locale. `zh`, `zh_Hant` and `zh-Hant` are accepted; `spelling` is how it is answered.

    With `removals`, a null takes a language away (a merge), and is kept in the value as None.
    """

    default_error_messages = {
        "invalid": "Must be an object of texts by locale.",
        "locale": "Unknown locale {locale}.",
        "twice": "The locale {locale} is given twice.",
        "text": "The text of {locale} must be a string.",
    }

    def __init__(
        self, *, spelling: Spelling, required_locale: str | None = None, removals: bool = False, **kwargs: Any
    ) -> None:
        super().__init__(**kwargs)
        self.spelling, self.required_locale, self.removals = spelling, required_locale, removals

    def to_internal_value(self, data: Any) -> Localized:
        if not isinstance(data, dict):
            self.fail("invalid")
        text: dict[str, Any] = {}
        for key, value in data.items():
            locale = canonical_locale(key)
            if locale is None:
                self.fail("locale", locale=key)
            if locale in text:
                self.fail("twice", locale=locale)
            if not isinstance(value, str) and not (self.removals and value is None):
                self.fail("text", locale=key)
            text[locale] = value
        if self.required_locale and not text.get(self.required_locale):
            self.fail("text", locale=self.required_locale)
        return text

    def to_representation(self, value: Localized) -> Localized:
        return spell(value, self.spelling)
