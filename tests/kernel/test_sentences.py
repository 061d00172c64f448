"""Sentences that were said in English are read in the reader's language, whatever numbers are in them."""

import pytest
from django.utils import translation

from apps.kernel.sentences import translated


@pytest.mark.parametrize(
    ("sentence", "read"),
    [
        ("The file is larger than 52,428,800 bytes.", "檔案大於 52,428,800 位元組。"),
        ("The file did not arrive within 10 seconds.", "檔案未能在 10 秒內送達。"),
        ('There is no tier "gold 3 % 5".', '沒有會員級別 "gold 3 % 5"。'),
        ("The picture is larger than 10 MiB.", "圖片大於 10 MiB。"),
        ("Nobody has said 100 % of this, 3.5 times.", "Nobody has said 100 % of this, 3.5 times."),
        ("%s of %d", "%s of %d"),
        (
            "The file is larger than 3 bytes. The picture is larger than 10 MiB.",
            "檔案大於 3 位元組。 圖片大於 10 MiB。",
        ),
        ('Nobody. Said "this. The" picture', 'Nobody. Said "this. The" picture'),
        ('An odd " mark. The file is larger than 3 bytes.', 'An odd " mark. The file is larger than 3 bytes.'),
        ("", ""),
    ],
)
def test_numbers_and_quotations_are_no_part_of_what_is_translated(sentence: str, read: str) -> None:
    with translation.override("zh-hant"):
        assert translated(sentence) == read
    with translation.override("en"):
        assert translated(sentence) == sentence
