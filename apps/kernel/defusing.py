"""Could a cell be taken for a formula? An apostrophe before it says that it is text; reading takes it away again.

Text that already has apostrophes before such a character gets one more, so that nothing is lost on the way back.
"""

import re

# What makes a spreadsheet calculate: the four signs, wide ones as well (they fold to the same), and what it trims.
_FORMULA = re.compile("'*[=+\\-@\t\r\n＝＋－＠]")


def defused(text: str) -> str:
    return f"'{text}" if _FORMULA.match(text) else text


def fused(text: str) -> str:
    """What `defused` was given; text that needed nothing stays as it is."""
    return text[1:] if text.startswith("'") and _FORMULA.match(text) else text
