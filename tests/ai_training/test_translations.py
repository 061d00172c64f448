"""What the pages of training say is there in both Chinese scripts, and compiled."""

import gettext
import re
from ast import literal_eval
from pathlib import Path

import pytest
from django.conf import settings

SCRIPTS = ["zh_Hant", "zh_Hans"]
_QUOTED = r'(".+")'
_PLACEHOLDERS = r"%\(\w+\)[ds]|\{\w+\}"


def folder(script: str) -> Path:
    return Path(settings.BASE_DIR) / "apps/ai_training/locale" / script / "LC_MESSAGES"


def entries(script: str) -> list[tuple[str, ...]]:
    """Context, words, their plural and what is said for them; nothing for a context or a plural that there is not."""
    source = (folder(script) / "django.po").read_text(encoding="utf-8")
    entry = rf"(?:msgctxt {_QUOTED}\n)?msgid {_QUOTED}\n(?:msgid_plural {_QUOTED}\n)?msgstr(?:\[0\])? (\".*\")"
    found = re.findall(entry, source)
    return [tuple(literal_eval(part) if part else "" for part in each) for each in found]


@pytest.mark.parametrize("script", SCRIPTS)
def test_the_compiled_words_are_those_of_the_source(script: str) -> None:
    with (folder(script) / "django.mo").open("rb") as file:
        compiled = gettext.GNUTranslations(file)
    assert len(entries(script)) > 50
    for context, words, plural, said in entries(script):
        if plural:
            assert compiled.ngettext(words, plural, 2) == said
        else:
            assert (compiled.pgettext(context, words) if context else compiled.gettext(words)) == said


@pytest.mark.parametrize("script", SCRIPTS)
def test_every_word_is_translated_and_loses_no_placeholder(script: str) -> None:
    for _, words, _, said in entries(script):
        assert said, words
        assert sorted(re.findall(_PLACEHOLDERS, words)) == sorted(re.findall(_PLACEHOLDERS, said)), words


def test_both_scripts_say_the_same_words() -> None:
    first, second = ([entry[:3] for entry in entries(script)] for script in SCRIPTS)
    assert sorted(first) == sorted(second)
