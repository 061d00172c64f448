"""Where do mails go? What EMAIL_URL may be, and that another stops the start with its name."""

import os
import subprocess
import sys
from typing import Any

import pytest
from django.conf import settings

from gofa.settings import mail


@pytest.mark.parametrize(
    ("url", "expected"),
    [
        ("console:", {"backend": "console"}),
        ("file:///var/mail%20out", {"backend": "filebased", "folder": "/var/mail out"}),
        (
            "smtp://mail",
            {"backend": "smtp", "host": "mail", "port": 25, "user": "", "password": "", "security": "smtp"},
        ),
        (
            "smtp+tls://me%40here:p%3Aw@mail:2525",
            {"backend": "smtp", "host": "mail", "port": 2525, "user": "me@here", "password": "p:w",
             "security": "smtp+tls"},
        ),
        (
            "smtps://mail",
            {"backend": "smtp", "host": "mail", "port": 465, "user": "", "password": "", "security": "smtps"},
        ),
    ],
)  # fmt: skip
def test_an_address_is_a_server_a_folder_or_the_console(url: str, expected: dict[str, Any]) -> None:
    assert mail(url) == expected


@pytest.mark.parametrize("url", ["mail", "http://mail", "smtp://", "smtp://mail:no", "file://host/mail", "file:"])
def test_another_is_none(url: str) -> None:
    with pytest.raises(ValueError, match=r"address|Port"):
        mail(url)


def test_the_start_ends_with_the_name_of_the_setting_and_tells_no_password() -> None:
    ended = subprocess.run(
        [sys.executable, "-c", "import gofa.settings"],
        check=False,
        cwd=settings.BASE_DIR,
        env={**os.environ, "EMAIL_URL": "imap://me:secret@mail"},
        capture_output=True,
        text=True,
    )
    assert ended.returncode == 1
    assert ended.stderr == "EMAIL_URL: it is no smtp://, smtp+tls://, smtps://, file:/// or console: address\n"
