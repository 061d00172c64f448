"""What the catalogue's jobs, refusals and reports say is there in both Chinese scripts."""

import gettext
import re
from ast import literal_eval
from pathlib import Path

import pytest
from django.utils import translation

from apps.catalog import darkroom
from apps.catalog.subtitle_panel import ShownProblem
from apps.catalog.webvtt import Code, Problem
from apps.jobs import performers
from apps.kernel.sentences import translated

SCRIPTS = ["zh-hant", "zh-hans"]
SAID = [
    *(f"The {what} {flaw}." for what in ("film", "picture") for flaw in darkroom.FLAWS.values()),
    "The address redirects more than 5 times.",
    "The host answers 503 instead of the file.",
    "The host does not exist, or is not on the public internet.",
    "The film is neither MP4 nor WebM.",
    "The video is an HLS playlist: no thumbnail can be taken from one. Give an MP4, or upload a picture.",
    "Media not found",
    "Must be a WebVTT file (.vtt).",
]


@pytest.mark.parametrize("script", SCRIPTS)
@pytest.mark.parametrize("code", Code)
def test_every_problem_of_a_subtitle_quotes_the_file_in_every_script(code: Code, script: str) -> None:
    english = Problem(3, 4, code, "§").message
    with translation.override(script):
        shown = ShownProblem.of(3, 4, code, "§")
    assert shown.message != english
    assert shown.message.count("§") == english.count("§")


@pytest.mark.parametrize("script", SCRIPTS)
def test_every_job_has_a_title_in_every_script(script: str) -> None:
    with translation.override("en"):
        titles = {kind: str(title) for kind, title in performers.titles() if kind.startswith("catalog.")}
    with translation.override(script):
        assert [kind for kind in titles if performers.title_of(kind) in (kind, titles[kind])] == []


@pytest.mark.parametrize("script", SCRIPTS)
@pytest.mark.parametrize("sentence", SAID)
def test_what_a_job_failed_of_is_said_in_every_script(sentence: str, script: str) -> None:
    with translation.override(script):
        assert translated(sentence) != sentence


@pytest.mark.parametrize("script", ["zh_Hant", "zh_Hans"])
def test_the_compiled_words_are_those_of_the_source(script: str) -> None:
    folder = Path(__file__).parents[2] / "apps/catalog/locale" / script / "LC_MESSAGES"
    source = (folder / "django.po").read_text(encoding="utf-8")
    with (folder / "django.mo").open("rb") as file:
        compiled = gettext.GNUTranslations(file)
    entries = re.findall(r'msgid (".+")\nmsgstr (".*")', source)
    assert len(entries) > 70
    for words, read in entries:
        assert compiled.gettext(literal_eval(words)) == literal_eval(read)
