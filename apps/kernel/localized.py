"""How is text in several languages kept and spelt? (contract 3)

Stored with BCP 47 keys; on the wire a seed spells `zh_Hant` (002) or `zh-Hant` (001, 003); all three of
`zh`, `zh_Hant` and `zh-Hant` are accepted.
"""

from collections.abc import Mapping
from typing import Literal

Localized = dict[str, str]
Spelling = Literal["hyphen", "underscore"]

LOCALES = ("en", "zh-Hant", "zh-Hans")
_CANONICAL = {
    **{locale: locale for locale in LOCALES},
    **{locale.replace("-", "_"): locale for locale in LOCALES},
    "zh": "zh-Hant",
}


def canonical_locale(tag: str) -> str | None:
    """The BCP 47 tag as it is stored, or None when the locale is not supported."""
    return _CANONICAL.get(tag)


def spell(text: Mapping[str, str], spelling: Spelling) -> Localized:
    """The same text with the keys that an endpoint's seed uses."""
    if spelling == "hyphen":
        return dict(text)
    return {key.replace("-", "_"): value for key, value in text.items()}


def in_locale(text: Mapping[str, str], locale: str) -> str:
    """The text for one reader: in their language, else another Chinese script, else English, else whatever there is."""
    others = ["zh-Hant", "zh-Hans"] if locale.startswith("zh") else []
    for candidate in (locale, *others, "en"):
        if candidate in text:
            return text[candidate]
    return next(iter(text.values()), "")


def merge(text: Mapping[str, str], changes: Mapping[str, str | None]) -> Localized:
    """The text with these locales said anew; None takes one away."""
    return {locale: said for locale, said in {**text, **changes}.items() if said is not None}
