"""Does a wrong value stop the start with its name? (README, Settings)"""

import os
import subprocess
import sys

import pytest
from django.conf import settings


@pytest.mark.parametrize(
    "wrong",
    [
        {"PORT": "65536"},
        {"PORT": "eight"},
        {"WEB_WORKERS": "0"},
        {"TASK_SECONDS": "29"},
        {"WEBHOOKS_KEPT_DAYS": "3"},
        {"S3_ADDRESSING": "sideways", "S3_BUCKET": "media"},
        {"TUTOR_PROVIDER": "oracle", "TUTOR_MODEL": "m", "TUTOR_API_KEY": "k"},
        {"TUTOR_MODEL": "", "TUTOR_PROVIDER": "anthropic", "TUTOR_API_KEY": "k"},
        {"TUTOR_BASE_URL": "models.example", "TUTOR_PROVIDER": "openai", "TUTOR_MODEL": "m", "TUTOR_API_KEY": "k"},
        {"TUTOR_MAX_TOKENS": "0"},
        {"TUTOR_SECONDS": "301"},
        {"LICENSE_DAYS": "366"},
    ],
    ids=lambda wrong: "=".join(next(iter(wrong.items()))),
)
def test_a_wrong_value_stops_the_start_with_its_name(wrong: dict[str, str]) -> None:
    ended = _settings_with(wrong)
    assert ended.returncode != 0
    assert any(name in ended.stderr.splitlines()[-1] for name in wrong)


def test_usual_values_do_not() -> None:
    ended = _settings_with({"PORT": "65535", "TASK_SECONDS": "30", "TUTOR_PROVIDER": "", "LICENSE_DAYS": "365"})
    assert (ended.returncode, ended.stderr) == (0, "")


def _settings_with(values: dict[str, str]) -> "subprocess.CompletedProcess[str]":
    return subprocess.run(
        [sys.executable, "-c", "import gofa.settings"],
        cwd=settings.BASE_DIR,
        env={**os.environ, **values},
        capture_output=True,
        text=True,
        check=False,
    )
