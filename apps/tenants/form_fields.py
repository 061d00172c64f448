"""How are lists and texts in several languages typed into a form?"""

from collections.abc import Mapping
from typing import Any

from django import forms
from django.contrib.postgres.forms import SimpleArrayField
from django.core.exceptions import ValidationError
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString
from django.utils.translation import gettext_lazy as _

from apps.kernel.localized import LOCALES

# Each language by its own name, as the switch in the header has it.
_LANGUAGES = {"en": "English", "zh-Hant": "繁體中文", "zh-Hans": "简体中文"}


class LinesField(SimpleArrayField):
    """A list of short texts, one a line."""

    def __init__(self, *, max_length: int = 200, rows: int = 3, **options: Any) -> None:
        widget = forms.Textarea(attrs={"rows": rows, "class": "vLargeTextField"})
        super().__init__(forms.CharField(max_length=max_length), **{"delimiter": "\n", "widget": widget, **options})

    def to_python(self, value: Any) -> Any:
        lines = value.splitlines() if isinstance(value, str) else value or []
        return super().to_python("\n".join(line.strip() for line in lines if line.strip()))


class LocalizedWidget(forms.MultiWidget):
    """One input a language, side by side where there is room."""

    def __init__(self, widget: type[forms.Widget] = forms.TextInput, attrs: Mapping[str, Any] | None = None) -> None:
        inputs: dict[str, forms.Widget | type[forms.Widget]] = {
            locale: widget(attrs={"lang": locale, **(attrs or {})}) for locale in LOCALES
        }
        super().__init__(inputs)

    def decompress(self, value: Any) -> list[Any]:
        return [(value or {}).get(locale, "") for locale in LOCALES]

    def render(self, name: str, value: Any, attrs: Any = None, renderer: Any = None) -> SafeString:
        inputs = self.get_context(name, value, attrs)["widget"]["subwidgets"]
        labelled = (
            (inputs[index]["attrs"].get("id", ""), _LANGUAGES[locale], self._drawn(inputs[index], renderer))
            for index, locale in enumerate(LOCALES)
        )
        boxes = format_html_join("", '<div><label for="{}">{}</label>{}</div>', labelled)
        return format_html('<div class="gofa-localized">{}</div>', boxes)

    def _drawn(self, widget: dict[str, Any], renderer: Any) -> SafeString:
        return self._render(widget["template_name"], {"widget": widget}, renderer)  # type: ignore[attr-defined,no-any-return]


class LocalizedField(forms.MultiValueField):
    """Text by BCP 47 locale; what is left empty is left out. A required one needs English."""

    widget = LocalizedWidget

    def __init__(self, *, max_length: int | None = None, **options: Any) -> None:
        required = options.pop("required", True)
        said = {"incomplete": _("The English text is needed.")}
        texts = tuple(
            forms.CharField(required=required and locale == "en", max_length=max_length, error_messages=said)
            for locale in LOCALES
        )
        super().__init__(texts, required=required, require_all_fields=False, error_messages=said, **options)

    def compress(self, data_list: list[str]) -> dict[str, str]:
        return {locale: text for locale, text in zip(LOCALES, data_list, strict=False) if text}

    def clean(self, value: Any) -> Any:
        cleaned = super().clean(value)
        if self.required and "en" not in cleaned:
            raise ValidationError(self.error_messages["incomplete"], code="incomplete")
        return cleaned
