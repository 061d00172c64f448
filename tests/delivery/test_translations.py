"""What delivery's rows are called, and what its jobs fail of, is there in both Chinese scripts."""

import gettext
import re
from ast import literal_eval
from pathlib import Path

import pytest
from django.apps import apps
from django.utils import translation

from apps.jobs import performers
from apps.kernel.sentences import translated

SCRIPTS = ["zh-hant", "zh-hans"]
SAID = [
    'The film of "Stand up" cannot be taken along. The host answers 503 instead of the file.',
    'The film of "Stand up. Sit down" cannot be taken along. The film is neither MP4 nor WebM.',
    'A subtitle of "Stand up" cannot be taken along. Media not found',
    "The bundle would be larger than 1,073,741,824 bytes.",
    'The lesson "lesson_1" is not in the catalogue any more.',
    "The file cannot be stored just now",
    "The file is not there any more.",
]


def names_of(script: str) -> dict[str, str]:
    """Every word that the admin shows of delivery's models, by where it stands."""
    with translation.override(script):
        found = {}
        for model in apps.get_app_config("delivery").get_models():
            found[model.__name__] = str(model._meta.verbose_name)
            found[f"{model.__name__}s"] = str(model._meta.verbose_name_plural)
            for field in model._meta.local_fields:
                choices = field.choices or ()
                found |= {f"{model.__name__}.{field.name}={value}": str(name) for value, name in choices}
                if field.help_text:
                    found[f"{model.__name__}.{field.name}?"] = str(field.help_text)
        return found


@pytest.mark.parametrize("script", SCRIPTS)
def test_every_bundle_licence_and_mount_is_named_in_every_script(script: str) -> None:
    english, other = names_of("en"), names_of(script)
    ours = ("Bundle", "License", "Mount")
    alike = {where for where in english if where.startswith(ours) and english[where] == other[where]}
    # The names of algorithms are names.
    assert alike == {"LicenseKey.algorithm=EdDSA", "LicenseKey.algorithm=ES256"}


@pytest.mark.parametrize("script", SCRIPTS)
def test_every_job_has_a_title_in_every_script(script: str) -> None:
    with translation.override("en"):
        titles = {kind: str(title) for kind, title in performers.titles() if kind.startswith("delivery.")}
    assert titles
    with translation.override(script):
        assert [kind for kind in titles if performers.title_of(kind) in (kind, titles[kind])] == []


@pytest.mark.parametrize("script", SCRIPTS)
@pytest.mark.parametrize("said", SAID)
def test_what_a_build_failed_of_is_said_in_every_script(said: str, script: str) -> None:
    with translation.override(script):
        shown = translated(said)
    assert not re.search("[a-z]{3} [a-z]{3}", re.sub('"[^"]*"', "", shown)), shown


@pytest.mark.parametrize("script", ["zh_Hant", "zh_Hans"])
def test_the_compiled_words_are_those_of_the_source(script: str) -> None:
    folder = Path(__file__).parents[2] / "apps/delivery/locale" / script / "LC_MESSAGES"
    source = (folder / "django.po").read_text(encoding="utf-8")
    with (folder / "django.mo").open("rb") as file:
        compiled = gettext.GNUTranslations(file)
    entries = re.findall(r'\n\n(?:#.*\n)?msgid (".+")\nmsgstr (".*")', source)
    assert len(entries) > 100
    for words, read in entries:
        assert compiled.gettext(literal_eval(words)) == literal_eval(read)
